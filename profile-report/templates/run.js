// Makes the run's chart and the table of its functions one thing: pointing at a function lights up the
// moments when it was called, pointing at a moment lights up the functions that were.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const table = document.getElementById("functions");
  if (!data.series.t.length) return; // Nothing was sampled: the static chart says so.

  const points = (series) => series.t.map((t, i) => ({ t, v: series.v[i], h: series.h?.[i] }));
  const stops = points(data.series);
  const children = data.children.map((child) => points(child.series));
  const counted = stops.filter((p) => p.h !== undefined);
  const lanes = data.functions.filter((f) => f.lane);
  const LANE = 26;

  const holds = (stop) => ([from, to]) => from <= stop.t && to >= stop.t;
  const called = (stop) => data.functions.filter((f) => f.calls.some(holds(stop)));
  /** Functions with so many calls that not each is listed: some of those may have been made at this moment. */
  const maybeCalled = (stop) => data.functions.filter((f) => f.more && holds(stop)(f.more) && !f.calls.some(holds(stop)));
  /** A lane for each of the functions with the highest peaks: its name, and below it its calls. Where not all of them
      are listed, a pale band reaches from the first to the last. */
  const paintLane = (at, f, i) => {
    const top = at.bottom() + 50 + i * LANE;
    at.layer.back.append(
      at.make("text", { x: at.margin.left, y: top + 9, class: "axis" }, f.more ? `${f.label}  ·  ${f.times} calls` : f.label),
      at.make("line", { x1: at.margin.left, x2: at.right(), y1: top + 17, y2: top + 17, class: "grid" }),
    );
    if (f.more && at.isShown(...f.more)) {
      const [left, right] = f.more.map(at.x);
      at.layer.curves.append(at.make("path", { d: `M${left.toFixed(1)} ${top + 13}H${Math.max(right, left + 1).toFixed(1)}v8H${left.toFixed(1)}z`, class: "calls" }));
    }
    let d = "", until = -1;
    for (const [from, to] of f.calls) {
      if (!at.isShown(from, to)) continue;
      // A call is a pixel wide at least. Calls too narrow to be told apart become one: none is moved for another.
      const left = Math.max(at.x(from), until), right = Math.max(at.x(to) - 0.5, at.x(from) + 1);
      if (left > at.right() || right <= left) continue;
      d += `M${left.toFixed(1)} ${top + 13}H${right.toFixed(1)}v8H${left.toFixed(1)}z`;
      until = right;
    }
    at.layer.curves.append(at.make("path", { d, class: "call" }));
  };
  const paint = (at) => {
    at.curve(stops, (p) => p.v, "rss", "area");
    if (counted.length > 1) at.curve(counted, (p) => p.h, "heap");
    children.forEach((child, i) => at.curve(child, (p) => p.v, `child child${i}`));
    const py = at.y(data.peak);
    at.layer.front.append(at.make("line", { x1: at.margin.left, x2: at.right(), y1: py, y2: py, class: "top" }));
    at.peakLabel(`peak of the process ${size(data.peak)} ${unit.name}`, at.right(), py + 3);
    lanes.forEach((f, i) => paintLane(at, f, i));
  };
  const describe = (stop) => {
    if (!stop) return `baseline ${size(data.baseline)} → peak ${size(data.peak)} ${unit.name}`;
    const parts = [seconds(stop.t), `${size(stop.v)} ${unit.name}`];
    if (stop.h !== undefined) parts.push(`heap ${size(stop.h)}`);
    if (!table) return parts.join("  ·  ");
    const names = [...called(stop).map((f) => f.label), ...maybeCalled(stop).map((f) => `perhaps ${f.label}`)];
    parts.push(names.length > 4 ? `${names.slice(0, 4).join(", ")} and ${names.length - 4} more` : names.join(", ") || "between calls");
    return parts.join("  ·  ");
  };
  const stretches = (f) => (f.more ? [f.more] : f.calls);
  const rowOf = (event) => event.target.closest?.("tr[data-f]");
  const rows = () => (table ? [...table.tBodies[0].rows] : []);
  const chart = memoryChart({
    label: "Memory of the process over time. Arrow keys move along it, plus and minus zoom, r shows the whole run.",
    window: [0, data.end],
    end: data.end,
    since: table ? undefined : "start",
    stops,
    heights: [data.peak, ...data.children.map((child) => child.peak)],
    below: lanes.length && lanes.length * LANE + 10,
    paint,
    describe,
    rested(stop) {
      const lit = new Set(stop ? called(stop) : []);
      for (const row of rows()) row.classList.toggle("lit", lit.has(data.functions[row.dataset.f]));
    },
  });
  if (!table) return; // A process that was watched from outside has no functions.
  const point = (row) => chart.light(row ? stretches(data.functions[row.dataset.f]) : []);
  table.addEventListener("pointerover", (event) => point(rowOf(event)));
  table.addEventListener("pointerleave", () => point(null));
  table.addEventListener("focusin", (event) => point(rowOf(event)));
  table.addEventListener("focusout", () => point(null));
})();
