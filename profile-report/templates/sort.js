// Sorting for every table whose headings carry data-key: a click, Enter or Space sorts by that
// column, largest first; again, smallest first; a third time, as it came.
"use strict";
/** A cell's exact value: its data-v, or its text where that is exact. */
const exact = (cell) => cell.dataset.v ?? cell.textContent.replace(/[~*]* /, "").trim();
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const asItCame = [...body.rows];
  for (const heading of table.querySelectorAll('th[data-key]:not([data-key="source"])')) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(heading));
  }
  const sort = (heading) => {
    const next = { none: "descending", descending: "ascending", ascending: undefined };
    const order = next[heading.getAttribute("aria-sort") ?? "none"];
    for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
    if (order) heading.setAttribute("aria-sort", order);
    const value = (row) => {
      const cell = row.cells[heading.cellIndex];
      const given = cell ? exact(cell) : "";
      return given === "" ? -Infinity : isNaN(given) ? given.toLowerCase() : Number(given);
    };
    const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    const sign = order === "descending" ? -1 : 1;
    const rows = order ? [...asItCame].sort((a, b) => sign * compare(value(a), value(b))) : asItCame;
    body.append(...rows);
  };
}
