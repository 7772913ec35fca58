// Makes a function's chart and its line table one thing: pointing at a line lights up the moments when
// it ran, pointing at a moment lights up the line that was running.
//
// Words: a moment is nanoseconds of the run, a size is bytes.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const table = document.getElementById("lines");
  if (!data.call) return; // Nothing was called: the static chart says so.

  const [callStart, callEnd, entrySize, exitSize] = data.call;
  // Where no single call may stand for the function, what is shown goes from the first call to the last.
  const [entryName, exitName] = data.all ? ["first entry", "last exit"] : ["entry", "exit"];
  const inCall = (t) => t >= callStart && t <= callEnd;
  const rows = () => [...table.tBodies[0].rows];
  const sourceOf = new Map(rows().map((row) => [Number(row.dataset.line), row.cells[row.cells.length - 1].textContent.trim()]));

  // ---- the data as stops, with the line that was running, and a name ----
  const column = (c, i) => ({ t: c.t[i], v: c.v[i], h: c.h?.[i], line: c.l?.[i] });
  const during = [
    { t: callStart, v: entrySize, name: entryName },
    ...data.series.t.map((_, i) => column(data.series, i)),
    { t: callEnd, v: exitSize, name: exitName },
  ].sort((a, b) => a.t - b.t);
  const process = data.process.t.map((_, i) => column(data.process, i));
  const before = [...process.filter((p) => p.t < callStart), during[0]];
  const after = [during[during.length - 1], ...process.filter((p) => p.t > callEnd)];
  const peak = data.peak && { ...data.peak, name: "peak" };
  const stops = [...before.slice(0, -1), ...during, ...after.slice(1), ...(peak ? [peak] : [])].sort((a, b) => a.t - b.t);
  const counted = stops.filter((p) => p.h !== undefined);

  /** The stretches during which a line ran, as far as the samples and the peak tell. */
  const momentsOf = (line) => {
    const found = [];
    const samples = data.series;
    for (let i = 0; i < samples.t.length; i++) {
      if (samples.l?.[i] !== line) continue;
      const until = samples.t[i + 1] ?? callEnd;
      const last = found[found.length - 1];
      if (last && last[1] === samples.t[i]) last[1] = until;
      else found.push([samples.t[i], until]);
    }
    if (peak?.line === line) found.push([peak.from, peak.to]);
    return found;
  };
  /** The line that was running at a stop. */
  const lineAt = (p) => {
    if (!p || !inCall(p.t)) return null;
    if (p.line) return p.line;
    const samples = data.series;
    let i = samples.t.findIndex((t) => t > p.t);
    i = (i < 0 ? samples.t.length : i) - 1;
    return samples.l?.[i] || null;
  };

  // ---- the chart ----
  /** mprof's brackets: where a call began and ended, in time and in size. */
  const paintBrackets = (at, [start, end, entry, exit]) => {
    if (!at.isShown(start, end)) return;
    const own = !data.all && start === callStart && end === callEnd;
    const hook = Math.min(5, (at.x(end) - at.x(start)) / 3);
    for (const [px, py, h] of [[at.x(start), at.y(entry), hook], [at.x(end), at.y(exit), -hook]]) {
      const d = `M${px + h} ${py - 8}H${px}V${py + 8}H${px + h}`;
      at.layer.curves.append(at.make("path", { d, class: own ? "bracket own" : "bracket" }));
    }
  };
  /** The peak at its exact height; a spike where no sample came near it. */
  const paintPeak = (at) => {
    if (!peak || !at.isShown(peak.t)) return;
    const px = at.x(peak.t), py = at.y(peak.v);
    const i = during.findIndex((p) => p.t >= peak.t);
    const [a, b] = [during[Math.max(0, i - 1)], during[Math.max(0, i)]];
    const part = b.t > a.t ? (peak.t - a.t) / (b.t - a.t) : 0;
    const below = at.y(a.v + (b.v - a.v) * part);
    if (below - py > 6) {
      const [from, to] = [peak.from, peak.to].map((t) => Math.min(at.right(), Math.max(at.margin.left, at.x(t))));
      at.layer.front.append(at.make("path", { d: `M${px} ${below}V${py}M${from} ${py}H${to}`, class: "spike" }));
    }
    at.layer.front.append(at.make("circle", { cx: px, cy: py, r: 4.5, class: "peak" }));
    at.peakLabel(`${size(peak.v)} ${unit.name}` + (peak.line ? `, line ${peak.line}` : ""), px, py);
  };
  const paint = (at) => {
    const rss = (p) => p.v;
    for (const part of [before, after]) at.curve(part, rss, "outside");
    at.curve(during, rss, "rss", "area");
    if (counted.length > 1) at.curve(counted, (p) => p.h, "heap");
    for (const t of [callStart, callEnd]) {
      at.layer.curves.append(at.make("line", { x1: at.x(t), x2: at.x(t), y1: at.margin.top, y2: at.bottom(), class: "end" }));
    }
    for (const call of data.calls) paintBrackets(at, call);
    paintPeak(at);
  };
  const describe = (p) => {
    if (!p) {
      const ends = `${entryName} ${size(entrySize)} → ${exitName} ${size(exitSize)} ${unit.name}`;
      return ends + (peak ? `  ·  peak ${size(peak.v)} at ${seconds(peak.t)}` : "");
    }
    const parts = [`${seconds(p.t)}`, `${size(p.v)} ${unit.name}`];
    if (inCall(p.t)) parts.push(`${change(p.v - entrySize) || "0"} since ${data.all ? "the first " : ""}entry`);
    if (p.h !== undefined) parts.push(`heap ${size(p.h)}`);
    const line = lineAt(p);
    if (p.name) parts.push(p.name);
    if (line) parts.push(`line ${line}: ${(sourceOf.get(line) ?? "").slice(0, 160)}`);
    else if (!inCall(p.t)) parts.push(`outside of the call${data.all ? "s" : ""}`);
    return parts.join("  ·  ");
  };
  const air = Math.max((callEnd - callStart) * 0.04, 500);
  const chart = memoryChart({
    label: "Memory over time. Arrow keys move along it, plus and minus zoom, 0 shows the call, r the run, p the peak.",
    window: data.window,
    end: data.end,
    stops,
    catches: peak,
    zooms: { call: () => chart.show(callStart - air, callEnd + air) },
    paint,
    describe,
    rested(stop) {
      const line = lineAt(stop);
      for (const row of rows()) row.classList.toggle("lit", Number(row.dataset.line) === line);
    },
    clicked(stop) {
      table.querySelector(`tr[data-line="${lineAt(stop)}"]`)?.scrollIntoView({ block: "nearest" });
    },
  });

  // ---- the table ----
  let pointed = null, pinned = null;
  const light = () => {
    const line = pointed ?? pinned;
    for (const row of rows()) row.classList.toggle("pinned", Number(row.dataset.line) === pinned);
    chart.light(line === null ? [] : momentsOf(line));
  };
  const rowOf = (event) => event.target.closest?.("tr[data-line]");
  const point = (line) => {
    if (line === pointed) return;
    pointed = line;
    light();
  };
  const pin = (line) => {
    pinned = line;
    light();
  };
  table.addEventListener("pointerover", (event) => point(rowOf(event) ? Number(rowOf(event).dataset.line) : null));
  table.addEventListener("pointerleave", () => point(null));
  table.addEventListener("focusin", (event) => rowOf(event) && point(Number(rowOf(event).dataset.line)));
  table.addEventListener("focusout", () => point(null));
  table.addEventListener("click", (event) => {
    if (!rowOf(event) || String(getSelection())) return;
    const line = Number(rowOf(event).dataset.line);
    pin(pinned === line ? null : line);
  });
  // One row is reachable with Tab, the arrow keys go on from there.
  for (const row of rows()) row.tabIndex = -1;
  (table.querySelector("tr.top") ?? rows()[0] ?? {}).tabIndex = 0;
  table.addEventListener("keydown", (event) => {
    const row = rowOf(event);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (row && step) {
      const next = rows()[rows().indexOf(row) + step];
      if (next) (row.tabIndex = -1), (next.tabIndex = 0), next.focus();
      event.preventDefault();
    } else if (row && (event.key === "Enter" || event.key === " ")) {
      row.click();
      event.preventDefault();
    } else if (event.key === "Escape") {
      pin(null);
    }
  });
})();
