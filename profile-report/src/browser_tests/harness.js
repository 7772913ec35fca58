// Put into a page by mod.rs, with one of the drivers: drives the page as a person would, and writes what
// it found into #result, a line for each check, "ok" or "FAIL".
window.problems = [];
window.alert = (text) => window.problems.push("alert " + text);
window.addEventListener("error", (event) => window.problems.push(event.message));
window.addEventListener("securitypolicyviolation", (event) => window.problems.push("blocked " + event.violatedDirective));
const consoleError = console.error;
console.error = (...parts) => (window.problems.push(parts.join(" ")), consoleError(...parts));

const found = [];
const check = (what, holds, seen = "") => found.push(`${holds ? "ok" : "FAIL"} ${what}: ${seen}`);
const one = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const fire = (element, type, init = {}) => element.dispatchEvent(new PointerEvent(type, { bubbles: true, pointerType: "mouse", ...init }));
const press = (element, key, init = {}) => element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...init }));
const axis = () => all(".live .axis").map((text) => text.textContent).join(" ");
const readout = () => one("#readout").textContent;
const rising = (values) => values.every((value, i) => !i || values[i - 1] <= value);
/** A place on the chart, `part` of its width from the left. */
const at = (part) => {
  const box = one("svg.live").getBoundingClientRect();
  return { clientX: box.left + box.width * part, clientY: box.top + 60 };
};
const choose = (unit) => ((one("#unit").value = unit), one("#unit").dispatchEvent(new Event("change")));
/** What a click on a copy button puts into the clipboard, as lines. */
const copied = (kind) => {
  let text = "";
  Object.defineProperty(navigator, "clipboard", { configurable: true, value: { writeText: (t) => ((text = t), Promise.resolve()) } });
  one(`[data-copy=${kind}]`).click();
  return text.trimEnd().split("\n");
};

/** What every chart can do. */
const checkChart = () => {
  const chart = one("svg.live");
  chart.setPointerCapture = () => {}; // There is no real pointer to capture.
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
  press(chart, "r");
  check("r shows the run again", axis() === whole, axis());
  fire(chart, "wheel", {}); // Without Ctrl the wheel is the page's.
  check("the wheel alone does not zoom", axis() === whole);
  chart.dispatchEvent(new WheelEvent("wheel", { deltaY: -200, ctrlKey: true, cancelable: true, ...at(0.5) }));
  check("with Ctrl it does", axis() !== whole, axis());
  press(chart, "r");

  press(chart, "Escape");
  press(chart, "ArrowRight");
  const before = readout();
  for (let i = 0; i < 4; i++) press(chart, "ArrowRight"); // Some stops are at the same place.
  check("arrow keys move the crosshair", readout() !== before && !!one(".live line.cross"), readout());
  press(chart, "Escape");
  check("Escape takes it away", !one(".live line.cross"));

  const finger = (id, part) => ({ ...at(part), pointerType: "touch", pointerId: id });
  fire(chart, "pointerdown", finger(5, 0.5));
  check("a finger is where the crosshair is", !!one(".live line.cross"), readout());
  const there = readout();
  fire(chart, "pointerdown", finger(6, 0.6));
  fire(chart, "pointermove", finger(6, 0.9));
  fire(chart, "pointermove", finger(5, 0.2));
  check("two fingers zoom", axis() !== whole, axis());
  fire(chart, "pointerup", finger(5, 0.2));
  fire(chart, "pointerup", finger(6, 0.9));
  fire(chart, "pointerleave", finger(6, 0.9));
  check("what the finger found stays when it is lifted", readout() === there, readout());
  press(chart, "r");
  press(chart, "Escape");
  check("nothing on the chart is not a number", !/NaN|Infinity|undefined/.test(chart.outerHTML));
};

/** Every column of figures can be sorted by. */
const checkSorting = (table) => {
  const order = () => [...table.tBodies[0].rows].map((row) => row.textContent).join("\n");
  const asItCame = order();
  for (const heading of table.querySelectorAll("th[data-key]:not([data-key=source])")) {
    const key = heading.dataset.key;
    const values = () => [...table.tBodies[0].rows].map((row) => exact(row.cells[heading.cellIndex])).filter((v) => v !== "");
    const keys = () => (values().every((v) => !isNaN(v)) ? values().map(Number) : values().map((v) => v.toLowerCase()));
    const button = heading.firstElementChild;
    button.click();
    check(`by ${key}, largest first`, rising(keys().reverse()) && heading.getAttribute("aria-sort") === "descending", values());
    button.click();
    check(`by ${key}, smallest first`, rising(keys()), values());
    button.click();
    check("back as it came", order() === asItCame && !heading.hasAttribute("aria-sort"));
  }
};

/** Cells of sizes show the exact value in bytes, and the same as before when MiB come back. */
const checkUnits = (table) => {
  const heading = table.querySelector("th[data-key=peak_rss]");
  const cells = () => [...table.tBodies[0].rows].map((row) => row.cells[heading.cellIndex]);
  const before = cells().map((cell) => cell.textContent);
  choose("1");
  check("bytes are the exact value", cells().every((cell) => ["", exact(cell)].includes(cell.textContent.trim())), cells().map((c) => c.textContent));
  check("the heading says so", heading.textContent.includes("bytes"), heading.textContent);
  choose("1024");
  check("so does the chart", axis().includes("KiB"), axis());
  choose("1048576");
  check("MiB are again what they were", cells().every((cell, i) => cell.textContent === before[i]), before);
};

/** Runs a driver once the page is there, and reports. */
const drive = (driver) => window.addEventListener("load", () => setTimeout(() => {
  try {
    driver();
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
