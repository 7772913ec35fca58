// Drives a function page in a browser as a person would, and writes what it found into #result:
// a line for each check, "ok" or "FAIL". Put in by browser_tests.rs, which reads it back.
window.problems = [];
window.alert = (text) => window.problems.push("alert " + text);
window.addEventListener("error", (event) => window.problems.push(event.message));
window.addEventListener("securitypolicyviolation", (event) => window.problems.push("blocked " + event.violatedDirective));
const consoleError = console.error;
console.error = (...parts) => (window.problems.push(parts.join(" ")), consoleError(...parts));

window.addEventListener("load", () => setTimeout(() => {
  const found = [];
  const check = (what, holds, seen = "") => found.push(`${holds ? "ok" : "FAIL"} ${what}: ${seen}`);
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const fire = (element, type, init = {}) => element.dispatchEvent(new PointerEvent(type, { bubbles: true, pointerType: "mouse", ...init }));
  const axis = () => all(".live .axis").map((text) => text.textContent).join(" ");
  try {
    const chart = one("svg.live");
    const box = chart.getBoundingClientRect();
    const at = (part) => ({ clientX: box.left + box.width * part, clientY: box.top + 60 });
    chart.setPointerCapture = () => {}; // There is no real pointer to capture.

    const top = one("tr.top");
    const line = top.dataset.line;
    fire(top.cells[0], "pointerover");
    check("pointing at a line lights its moments", all(".live rect.lit").length > 0);
    fire(one("#lines"), "pointerleave");
    check("and they go out again", all(".live rect.lit").length === 0);

    const peak = one(".live circle.peak").getBoundingClientRect();
    fire(chart, "pointermove", { clientX: peak.left + peak.width / 2, clientY: peak.top });
    check("pointing at the peak lights its line", one("tr.lit")?.dataset.line === line, one("tr.lit")?.dataset.line);
    check("and reads it out", one("#readout").textContent.includes(`line ${line}`), one("#readout").textContent);
    fire(chart, "pointerleave");
    check("and the line goes out again", !one("tr.lit"));

    const first = axis();
    one("[data-zoom=in]").click();
    check("zooming in", axis() !== first, axis());
    one("[data-zoom=run]").click();
    const whole = axis();
    fire(chart, "pointerdown", { ...at(0.4), button: 0 });
    fire(chart, "pointermove", at(0.6));
    check("a drag is shown", !!one(".live rect.drag"));
    fire(chart, "pointerup", at(0.6));
    check("and zooms", axis() !== whole, axis());
    for (const key of ["0", "p"]) chart.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    check("p goes to the peak", one("#readout").textContent.includes("peak"), one("#readout").textContent);
    check("nothing on the axes is not a number", !/NaN|Infinity|undefined/.test(chart.outerHTML));

    const heading = one("th[data-key=peak_rss]");
    const values = () => all("#lines tbody tr").map((row) => row.cells[heading.cellIndex].dataset.v).filter(Boolean).map(Number);
    const rising = (numbers) => numbers.every((n, i) => !i || numbers[i - 1] <= n);
    heading.firstElementChild.click();
    check("sorted, largest first", rising(values().reverse()), values());
    heading.firstElementChild.click();
    check("sorted, smallest first", rising(values()), values());
    heading.firstElementChild.click();
    check("back in source order", rising(all("#lines tbody tr").map((row) => Number(row.dataset.line))));

    const cell = top.cells[heading.cellIndex];
    const inMib = cell.textContent;
    const choose = (unit) => ((one("#unit").value = unit), one("#unit").dispatchEvent(new Event("change")));
    choose("1");
    check("bytes are the exact value", cell.textContent.trim() === cell.dataset.v, cell.textContent);
    choose("1048576");
    check("MiB are again what they were", cell.textContent === inMib, cell.textContent);

    let copied = "";
    Object.defineProperty(navigator, "clipboard", { value: { writeText: (text) => ((copied = text), Promise.resolve()) } });
    one("[data-copy=csv]").click();
    check("CSV has a row for each line", copied.split("\n").length === all("#lines tbody tr").length + 2, copied);
    one("[data-copy=text]").click();
    check("text has a row for each line", copied.split("\n").length === all("#lines tbody tr").length + 2, copied);

    top.focus();
    top.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    check("Enter keeps a line lit", top.classList.contains("pinned") && all(".live rect.lit").length > 0);
    check("the page is no wider than the window", document.documentElement.scrollWidth <= innerWidth, document.documentElement.scrollWidth);
  } catch (error) {
    check("the script ran", false, error.stack);
  }
  check("no error, no alert", window.problems.length === 0, window.problems);
  const result = document.createElement("pre");
  result.id = "result";
  result.textContent = found.join("\n");
  document.body.append(result);
}, 200));
