// The function page: chart and line table answer to each other.
drive(() => {
  const chart = one("svg.live");
  const table = one("#lines");
  const rows = () => [...table.tBodies[0].rows];
  const top = one("tr.top");
  fire(top.cells[0], "pointerover");
  check("pointing at a line lights its moments", all(".live rect.lit").length > 0);
  fire(table, "pointerleave");
  check("and they go out again", all(".live rect.lit").length === 0);

  const peak = one(".live circle.peak").getBoundingClientRect();
  fire(chart, "pointermove", { clientX: peak.left + peak.width / 2, clientY: peak.top });
  const highest = String(JSON.parse(one("#data").textContent).peak.line);
  check("the peak is marked in the table", one("td.at-peak")?.dataset.v === highest, one("td.at-peak")?.dataset.v);
  check("pointing at the peak lights its line", one("tr.lit")?.dataset.line === highest, one("tr.lit")?.dataset.line);
  check("and reads it out", readout().includes(`line ${highest}`), readout());
  fire(chart, "pointerleave");
  check("and the line goes out again", !one("tr.lit"));

  checkChart();
  for (const key of ["0", "p"]) press(chart, key);
  check("p goes to the peak", readout().includes("peak"), readout());
  press(chart, "Escape");
  checkSorting(table);
  checkUnits(table);

  const csv = copied("csv");
  check("CSV has a row for each line", csv.length === rows().length + 1, csv);
  const [keys, cells] = [csv[0], csv[1 + rows().indexOf(top)]].map((text) => text.split(","));
  check("with exact figures by name", cells[keys.indexOf("peak_rss")] === exact(top.cells[one("th[data-key=peak_rss]").cellIndex]), cells);
  check("and the source", keys[keys.length - 1] === "source" && cells.join(",").endsWith('"'), cells);
  const text = copied("text");
  check("text has a row for each line", text.length === rows().length + 1, text);
  check("and its columns in line", new Set(text.map((row, i) => row.length >= text[0].indexOf("source") && i)).size > 1, text);

  top.focus();
  check("a line with the focus is lit", all(".live rect.lit").length > 0);
  press(top, "Enter");
  check("Enter keeps it lit", top.classList.contains("pinned"));
  press(top, "ArrowDown");
  check("arrow keys go from line to line", document.activeElement === top.nextElementSibling, document.activeElement.dataset.line);
  press(document.activeElement, "Escape");
  check("Escape lets go", !one("tr.pinned"));
  const bars = rows().flatMap((row) => [...row.querySelectorAll(".bar, .spark")]);
  check("bars and moments are in sight, in columns", bars.length > 1 && bars.every((bar) => bar.checkVisibility()) && new Set(bars.map((bar) => bar.getBoundingClientRect().left)).size === 2, bars.length);
  const source = rows().map((row) => row.cells[row.cells.length - 1]);
  check("source reads from left to right, on one line each", source.every((cell) => cell.offsetHeight < 60 && getComputedStyle(cell).direction === "ltr"), source.map((c) => c.offsetHeight));
});
