// The run's page: chart and table of functions answer to each other.
drive(() => {
  const chart = one("svg.live");
  const table = one("#functions");
  const data = JSON.parse(one("#data").textContent);
  const row = one("tr[data-f='0']");
  fire(row.cells[0], "pointerover");
  check("pointing at a function lights its calls", all(".live rect.lit").length > 0);
  fire(table, "pointerleave");
  check("and they go out again", all(".live rect.lit").length === 0);
  const lanes = data.functions.filter((f) => f.lane);
  check("a lane for each function with a high peak", all(".live path.call").length === lanes.length, lanes.length);

  const place = (t) => {
    const { left, width } = one(".live line.top").getBoundingClientRect();
    return left + (width * t) / data.end;
  };
  const last = (f) => Math.max(...f.calls.map(([from, to]) => Math.max(place(to), place(from) + 1)));
  const end = (path) => path.getBoundingClientRect().right;
  check(
    "lanes end where the last calls do",
    all(".live path.call").every((path, i) => Math.abs(end(path) - last(lanes[i])) < 2),
    all(".live path.call").map((path, i) => [end(path), last(lanes[i])]),
  );

  const [from, to] = data.functions[0].calls[0];
  const plot = one(".live line.top").getBoundingClientRect();
  const middle = plot.left + (plot.width * (from + to)) / 2 / data.end;
  fire(chart, "pointermove", { clientX: middle, clientY: plot.top });
  check("pointing at a moment lights what was called", all("tr.lit").length > 0, all("tr.lit").length);
  check("and reads it out", readout().includes(data.functions[all("tr.lit")[0].dataset.f].label), readout());
  fire(chart, "pointerleave");
  check("and that goes out again", !one("tr.lit"));

  checkChart();
  checkSorting(table);
  checkUnits(table);
  check("CSV has a row for each function", copied("csv").length === data.functions.length + 1, copied("csv"));
  check("and so has the text", copied("text").length === data.functions.length + 1, copied("text"));
});
