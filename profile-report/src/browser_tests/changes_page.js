// What changed since the run before.
drive(() => {
  const cells = (name) => all(`td.change.${name}`).map((cell) => cell.textContent.trim());
  check("what grew has the colour of that", cells("grown").length > 0 && cells("grown").every((t) => t.startsWith("+")), cells("grown"));
  check("what shrank, too", cells("shrunk").length > 0 && cells("shrunk").every((t) => t.startsWith("-")), cells("shrunk"));
  const links = all("nav a").map((a) => a.getAttribute("href"));
  check("the run and the index can be reached", links.join() === "../index.html,index.html", links);
  const label = (cell) => getComputedStyle(cell, "::before").content;
  const shown = all("td.n").filter((cell) => cell.textContent.trim() && cell.checkVisibility());
  const narrow = innerWidth < 720;
  check("on a narrow screen every figure has its name", shown.every((cell) => label(cell).includes(cell.dataset.label) === narrow), shown.length);
  const texts = all("tbody td:last-child").map((cell) => cell.offsetWidth);
  check("source has room", Math.min(...texts) > 120, texts);
});
