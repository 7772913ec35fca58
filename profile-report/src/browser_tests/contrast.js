// Every text on the page has a contrast of at least 4.5 (WCAG 2, AA) with what is behind it, as the
// browser has computed both; also on lines that are lit or kept.
drive(() => {
  const numbers = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const over = (top, bottom) => top.rgb.map((c, i) => c * top.a + bottom[i] * (1 - top.a));
  /** What is behind an element: its own ground and those of all around it, one over the other. */
  const behind = (element) => {
    if (!element) return [255, 255, 255];
    return over(numbers(getComputedStyle(element).backgroundColor), behind(element.parentElement));
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((m, n) => m - n);
    return (high + 0.05) / (low + 0.05);
  };
  const texts = () => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const elements = new Set();
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (walker.currentNode.data.trim() && element.checkVisibility() && !element.closest("script, style, title")) elements.add(element);
    }
    return [...elements];
  };
  const checkAll = (when) => {
    const seen = texts();
    const poor = seen.flatMap((element) => {
      const style = getComputedStyle(element);
      const ground = behind(element);
      const ink = numbers(element instanceof SVGElement ? style.fill : style.color);
      let opacity = 1;
      for (let e = element; e; e = e.parentElement) opacity *= Number(getComputedStyle(e).opacity);
      const reached = contrast(over({ ...ink, a: ink.a * opacity }, ground), ground);
      return reached >= 4.5 ? [] : [`${reached.toFixed(2)} ${element.outerHTML.slice(0, 90)}`];
    });
    check(`${seen.length} texts can be read ${when}`, seen.length > 10 && poor.length === 0, poor.slice(0, 5).join(" | "));
  };
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  check("the ground is that of the scheme", luminance(behind(document.body)) < 0.2 === dark, behind(document.body));
  checkAll("at rest");
  for (const state of ["lit", "pinned"]) {
    all("tbody tr").forEach((row) => row.classList.add(state));
    checkAll(state);
    all("tbody tr").forEach((row) => row.classList.remove(state));
  }
});
