// The page as on paper: what is said for paper holds on the screen, and what is said for screens does not.
drive(() => {
  let forPaper = 0;
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) {
      if (!(rule instanceof CSSMediaRule)) continue;
      const isForPaper = rule.media.mediaText.includes("print");
      rule.media.mediaText = isForPaper ? "all" : "not all";
      forPaper += isForPaper;
    }
  }
  check("something is said for paper", forPaper > 0, forPaper);
  const gone = all("nav, .tools").filter((element) => element.checkVisibility());
  check("what can only be clicked is gone", gone.length === 0, gone.length);
  const cards = all(".card");
  const cut = cards.flatMap((card) => [...card.querySelectorAll("td, th, p")].filter((e) => e.getBoundingClientRect().right > card.getBoundingClientRect().right + 1));
  check("nothing is cut off on the right", cards.length > 0 && cut.length === 0, cut.slice(0, 5).map((e) => e.outerHTML.slice(0, 120)).join(" | "));
  const texts = all("td.source, .diff td.l").filter((e) => e.textContent.trim());
  check("source is there in full", texts.every((e) => e.scrollWidth <= e.clientWidth + 1), texts.length);
  check("and has room", texts.every((e) => e.offsetHeight < 24 * (1 + e.textContent.length / 10)), texts.map((e) => e.offsetHeight));
  check("the ground is white", getComputedStyle(document.body).backgroundColor === "rgb(255, 255, 255)", getComputedStyle(document.body).backgroundColor);
});
