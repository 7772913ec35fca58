// Makes the chart and the line table one thing. Without this script the page shows the static chart
// and the same table; nothing here is needed to read it.
//
// Words: a moment is nanoseconds of the run, a size is bytes. `view` is the stretch of time shown.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const chart = document.getElementById("chart");
  const readout = document.getElementById("readout");
  const table = document.getElementById("lines");
  const unitChoice = document.getElementById("unit");
  if (!data.call) return; // Nothing was called: the static chart says so.

  const [callStart, callEnd, entrySize, exitSize] = data.call;
  const inCall = (t) => t >= callStart && t <= callEnd;
  const sourceOf = new Map(
    [...table.tBodies[0].rows].map((row) => [Number(row.dataset.line), row.cells[row.cells.length - 1].textContent.trim()]),
  );

  // ---- the data as points: { t, v, h: live heap, line, name } ----
  const column = (c, i) => ({ t: c.t[i], v: c.v[i], h: c.h?.[i], line: c.l?.[i] });
  const during = [
    { t: callStart, v: entrySize, name: "entry" },
    ...data.series.t.map((_, i) => column(data.series, i)),
    { t: callEnd, v: exitSize, name: "exit" },
  ].sort((a, b) => a.t - b.t);
  const process = data.process.t.map((_, i) => column(data.process, i));
  const before = [...process.filter((p) => p.t < callStart), during[0]];
  const after = [during[during.length - 1], ...process.filter((p) => p.t > callEnd)];
  const peak = data.peak && { ...data.peak, name: "peak" };
  // Everything that the crosshair can stop at, in order.
  const stops = [...before.slice(0, -1), ...during, ...after.slice(1), ...(peak ? [peak] : [])].sort((a, b) => a.t - b.t);

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

  // ---- numbers, as the rest of the report writes them ----
  let unit = { size: 1048576, name: "MiB" };
  /** Like toFixed, but what lies exactly between two goes to the even one, as in the other files. */
  const fixed = (value, decimals) => {
    const scaled = value * 10 ** decimals;
    const down = Math.floor(scaled);
    return (scaled - down === 0.5 && down % 2 === 0 ? down / 10 ** decimals : value).toFixed(decimals);
  };
  const digits = (value) => {
    if (value === 0) return "0";
    if (value < 0.0005) return "<0.001";
    return [3, 2, 1].map((d) => fixed(value, d)).find((text) => text.length <= 5) ?? fixed(value, 0);
  };
  const size = (bytes) => (unit.size === 1 ? String(Math.abs(bytes)) : digits(Math.abs(bytes) / unit.size));
  const change = (bytes) => (bytes > 0 ? "+" : bytes < 0 ? "-" : "") + size(bytes);
  const seconds = (t) => (t < 1e9 ? digits(t / 1e6) + " ms" : (t / 1e9).toFixed(4) + " s");

  // ---- the chart ----
  const SVG = "http://www.w3.org/2000/svg";
  const make = (name, attributes, text) => {
    const element = document.createElementNS(SVG, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const svg = make("svg", { class: "live", tabindex: "0", role: "application" });
  svg.setAttribute("aria-label", "Memory over time. Arrow keys move along it, plus and minus zoom, 0 shows the call, r the run.");
  const layer = { back: make("g"), lit: make("g"), curves: make("g"), front: make("g"), cross: make("g") };
  const clip = make("clipPath", { id: "plot" });
  const clipBox = make("rect");
  clip.append(clipBox);
  for (const name of ["lit", "curves"]) layer[name].setAttribute("clip-path", "url(#plot)");
  svg.append(clip, ...Object.values(layer));
  chart.replaceChildren(svg);

  const margin = { left: 62, right: 18, top: 16, bottom: 44 };
  let view = [...data.window];
  let width = 0, height = 0, low = 0, high = 1;
  const x = (t) => margin.left + ((t - view[0]) / (view[1] - view[0])) * (width - margin.left - margin.right);
  const y = (v) => height - margin.bottom - ((v - low) / (high - low)) * (height - margin.top - margin.bottom);
  const moment = (px) => view[0] + ((px - margin.left) / (width - margin.left - margin.right)) * (view[1] - view[0]);

  /** A round step that gives about `count` ticks. */
  const roundStep = (span, count) => {
    const rough = span / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= rough);
  };
  const decimals = (step) => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));

  /** The heights of what is in view; from zero, unless that would press the curve upwards. */
  const fitHeights = () => {
    let least = Infinity, most = 0;
    const consider = (p) => {
      for (const v of p.h === undefined ? [p.v] : [p.v, p.h]) {
        least = Math.min(least, v);
        most = Math.max(most, v);
      }
    };
    stops.forEach((p, i) => {
      // One point more on either side, so that a curve that only passes through counts.
      if ((stops[i + 1] ?? p).t >= view[0] && (stops[i - 1] ?? p).t <= view[1]) consider(p);
    });
    if (least === Infinity) (least = 0), (most = 1);
    const room = Math.max(most - least, 524288);
    low = least <= most * 0.4 ? 0 : Math.max(0, least - room * 0.1);
    high = Math.max(most, low + 524288) + (Math.max(most, low + 524288) - low) * 0.16;
  };

  /** The places of a curve's points; of each pixel column only first, lowest, highest and last. */
  const places = (points, value) => {
    const found = [];
    let slot = [], column = null;
    const flush = () => {
      if (!slot.length) return;
      const lowest = slot.reduce((a, b) => (value(b) < value(a) ? b : a));
      const highest = slot.reduce((a, b) => (value(b) > value(a) ? b : a));
      const kept = new Set([slot[0], lowest, highest, slot[slot.length - 1]]);
      for (const p of slot) if (kept.has(p)) found.push([x(p.t), y(value(p))]);
      slot = [];
    };
    points.forEach((p, i) => {
      const next = points[i + 1], previous = points[i - 1];
      if ((next && next.t < view[0]) || (previous && previous.t > view[1])) return;
      const at = Math.floor(x(p.t));
      if (at !== column) flush();
      column = at;
      slot.push(p);
    });
    flush();
    return found;
  };
  const path = (places) => (places.length ? "M" + places.map((p) => p.map((n) => n.toFixed(1)).join(" ")).join("L") : "");

  const drawAxes = () => {
    layer.back.replaceChildren();
    const right = width - margin.right, bottom = height - margin.bottom;
    const text = (px, py, anchor, content) =>
      layer.back.append(make("text", { x: px, y: py, "text-anchor": anchor, class: "axis" }, content));
    let step = roundStep((high - low) / unit.size, height < 300 ? 4 : 6);
    for (let v = Math.ceil(low / unit.size / step) * step; v * unit.size <= high; v += step) {
      layer.back.append(make("line", { x1: margin.left, x2: right, y1: y(v * unit.size), y2: y(v * unit.size), class: "grid" }));
      text(margin.left - 8, y(v * unit.size) + 4, "end", v.toFixed(decimals(step)));
    }
    const scale = view[1] - view[0] < 2e8 ? { ns: 1e6, name: "milliseconds" } : { ns: 1e9, name: "seconds" };
    step = roundStep((view[1] - view[0]) / scale.ns, Math.max(3, width / 110));
    for (let t = Math.ceil(view[0] / scale.ns / step) * step; t * scale.ns <= view[1]; t += step) {
      text(x(t * scale.ns), bottom + 18, "middle", t.toFixed(decimals(step)));
    }
    text(margin.left - 8, 11, "end", unit.name);
    text((margin.left + right) / 2, bottom + 37, "middle", scale.name + " since the first call");
  };

  const drawCurves = () => {
    const rss = (p) => p.v;
    const curve = (d, name) => layer.curves.append(make("path", { d, class: name }));
    layer.curves.replaceChildren();
    for (const part of [before, after]) curve(path(places(part, rss)), "outside");
    const shape = places(during, rss);
    if (shape.length) {
      const bottom = height - margin.bottom;
      curve(`${path(shape)}V${bottom}H${shape[0][0].toFixed(1)}z`, "area");
      curve(path(shape), "rss");
    }
    const counted = stops.filter((p) => p.h !== undefined);
    if (counted.length > 1) curve(path(places(counted, (p) => p.h)), "heap");
    for (const t of [callStart, callEnd]) {
      layer.curves.append(make("line", { x1: x(t), x2: x(t), y1: margin.top, y2: height - margin.bottom, class: "end" }));
    }
    for (const call of data.calls) drawBrackets(call);
  };

  /** mprof's brackets: where a call began and ended, in time and in size. */
  const drawBrackets = ([start, end, entry, exit]) => {
    if (end < view[0] || start > view[1]) return;
    const own = start === callStart && end === callEnd;
    const hook = Math.min(5, (x(end) - x(start)) / 3);
    for (const [px, py, h] of [[x(start), y(entry), hook], [x(end), y(exit), -hook]]) {
      const d = `M${px + h} ${py - 8}H${px}V${py + 8}H${px + h}`;
      layer.curves.append(make("path", { d, class: own ? "bracket own" : "bracket" }));
    }
  };

  /** The peak at its exact height; a spike where no sample came near it. */
  const drawPeak = () => {
    layer.front.replaceChildren();
    if (!peak || peak.t < view[0] || peak.t > view[1]) return;
    const px = x(peak.t), py = y(peak.v);
    const i = during.findIndex((p) => p.t >= peak.t);
    const [a, b] = [during[Math.max(0, i - 1)], during[Math.max(0, i)]];
    const part = b.t > a.t ? (peak.t - a.t) / (b.t - a.t) : 0;
    const below = y(a.v + (b.v - a.v) * part);
    if (below - py > 6) {
      const [from, to] = [peak.from, peak.to].map((t) => Math.min(width - margin.right, Math.max(margin.left, x(t))));
      layer.front.append(make("path", { d: `M${px} ${below}V${py}M${from} ${py}H${to}`, class: "spike" }));
    }
    layer.front.append(make("circle", { cx: px, cy: py, r: 4.5, class: "peak" }));
    const label = make("text", { y: py - 10, "text-anchor": "middle", class: "peak" });
    label.textContent = `${size(peak.v)} ${unit.name}` + (peak.line ? `, line ${peak.line}` : "");
    layer.front.append(label);
    const half = label.getComputedTextLength() / 2;
    label.setAttribute("x", Math.min(width - margin.right - half, Math.max(margin.left + half + 4, px)));
  };

  const draw = () => {
    width = Math.max(280, chart.clientWidth);
    height = width < 600 ? 260 : 360;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    const box = { x: margin.left, y: margin.top - 10, width: width - margin.left - margin.right, height: height - margin.top - margin.bottom + 10 };
    for (const key in box) clipBox.setAttribute(key, box[key]);
    fitHeights();
    drawAxes();
    drawCurves();
    drawPeak();
    drawLit();
    drawCross();
  };

  // ---- pointing at a line: its moments light up ----
  let pointed = null, pinned = null;
  const drawLit = () => {
    layer.lit.replaceChildren();
    const line = pointed ?? pinned;
    for (const row of table.tBodies[0].rows) row.classList.toggle("pinned", Number(row.dataset.line) === pinned);
    if (line === null) return;
    for (const [from, to] of momentsOf(line)) {
      if (to < view[0] || from > view[1]) continue;
      const w = Math.max(2, x(to) - x(from));
      layer.lit.append(make("rect", { x: x(from), y: margin.top, width: w, height: height - margin.top - margin.bottom, class: "lit" }));
    }
  };
  const rowOf = (event) => event.target.closest?.("tr[data-line]");
  const point = (line) => {
    if (line === pointed) return;
    pointed = line;
    drawLit();
  };
  table.addEventListener("pointerover", (event) => point(rowOf(event) ? Number(rowOf(event).dataset.line) : null));
  table.addEventListener("pointerleave", () => point(null));
  table.addEventListener("focusin", (event) => rowOf(event) && point(Number(rowOf(event).dataset.line)));
  table.addEventListener("focusout", () => point(null));
  table.addEventListener("click", (event) => {
    const row = rowOf(event);
    if (!row || String(getSelection())) return;
    const line = Number(row.dataset.line);
    pinned = pinned === line ? null : line;
    drawLit();
  });
  // One row is reachable with Tab, the arrow keys go on from there.
  const rows = () => [...table.tBodies[0].rows];
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
      pinned = null;
      drawLit();
    }
  });

  // ---- pointing at a moment: the line that ran lights up ----
  let stop = null, dragFrom = null, dragTo = null;
  const lineAt = (p) => {
    if (!p || !inCall(p.t)) return null;
    if (p.line) return p.line;
    const samples = data.series;
    let i = samples.t.findIndex((t) => t > p.t);
    i = (i < 0 ? samples.t.length : i) - 1;
    return samples.l?.[i] || null;
  };
  const describe = (p) => {
    const parts = [`${seconds(p.t)}`, `${size(p.v)} ${unit.name}`];
    if (inCall(p.t)) parts.push(`${change(p.v - entrySize) || "0"} since entry`);
    if (p.h !== undefined) parts.push(`heap ${size(p.h)}`);
    const line = lineAt(p);
    if (p.name) parts.push(p.name);
    if (line) parts.push(`line ${line}: ${(sourceOf.get(line) ?? "").slice(0, 160)}`);
    else if (!inCall(p.t)) parts.push("outside of the call");
    return parts.join("  ·  ");
  };
  const resting = () =>
    `entry ${size(entrySize)} → exit ${size(exitSize)} ${unit.name}` +
    (peak ? `  ·  peak ${size(peak.v)} at ${seconds(peak.t)}` : "");
  const drawCross = () => {
    layer.cross.replaceChildren();
    if (dragFrom !== null && dragTo !== null) {
      const [a, b] = [dragFrom, dragTo].sort((m, n) => m - n);
      layer.cross.append(make("rect", { x: a, y: margin.top, width: b - a, height: height - margin.top - margin.bottom, class: "drag" }));
    }
    const line = lineAt(stop);
    for (const row of table.tBodies[0].rows) row.classList.toggle("lit", Number(row.dataset.line) === line);
    readout.textContent = stop ? describe(stop) : resting();
    if (!stop || stop.t < view[0] || stop.t > view[1]) return;
    layer.cross.append(
      make("line", { x1: x(stop.t), x2: x(stop.t), y1: margin.top, y2: height - margin.bottom, class: "cross" }),
      make("circle", { cx: x(stop.t), cy: y(stop.v), r: 4, class: "cross" }),
    );
  };
  /** The stop nearest to a place; the peak catches the pointer from a little farther away. */
  const stopAt = (px) => {
    if (peak && Math.abs(x(peak.t) - px) < 7) return peak;
    const t = moment(px);
    let a = 0, b = stops.length - 1;
    while (a < b) {
      const middle = (a + b) >> 1;
      if (stops[middle].t < t) a = middle + 1;
      else b = middle;
    }
    return a > 0 && t - stops[a - 1].t < stops[a].t - t ? stops[a - 1] : stops[a];
  };
  const place = (event) => {
    const box = svg.getBoundingClientRect();
    return ((event.clientX - box.left) / box.width) * width;
  };
  svg.addEventListener("pointermove", (event) => {
    const px = place(event);
    stop = stopAt(px);
    if (dragFrom !== null) dragTo = px;
    drawCross();
  });
  svg.addEventListener("pointerleave", () => {
    if (dragFrom === null) (stop = null), drawCross();
  });
  // A drag with the mouse marks a stretch to zoom to; a finger only moves along.
  svg.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    dragFrom = place(event);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointerup", () => {
    const marked = dragFrom !== null && dragTo !== null && Math.abs(dragTo - dragFrom) > 8;
    if (marked) {
      const [from, to] = [dragFrom, dragTo].sort((a, b) => a - b);
      show(moment(from), moment(to));
    } else if (dragFrom !== null && lineAt(stop)) {
      table.querySelector(`tr[data-line="${lineAt(stop)}"]`)?.scrollIntoView({ block: "nearest" });
    }
    dragFrom = dragTo = null;
    drawCross();
  });

  // ---- zooming and moving along the axis of time ----
  const everything = [Math.min(0, data.window[0]), data.end];
  const show = (from, to) => {
    const least = 1000; // a microsecond
    const span = Math.min(Math.max(to - from, least), everything[1] - everything[0]);
    from = Math.min(Math.max(from, everything[0]), everything[1] - span);
    view = [from, from + span];
    draw();
  };
  const zoom = (factor, around = stop?.t ?? (view[0] + view[1]) / 2) =>
    show(around - (around - view[0]) * factor, around + (view[1] - around) * factor);
  const showCall = () => {
    const margin = Math.max((callEnd - callStart) * 0.04, 500);
    show(callStart - margin, callEnd + margin);
  };
  const zooms = { in: () => zoom(0.5), out: () => zoom(2), call: showCall, run: () => show(...everything) };
  document.querySelectorAll("[data-zoom]").forEach((b) => b.addEventListener("click", zooms[b.dataset.zoom]));
  svg.addEventListener("wheel", (event) => {
    const along = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!event.ctrlKey && !event.metaKey && !along) return; // Plain scrolling stays the page's.
    event.preventDefault();
    const shift = (event.deltaX / width) * (view[1] - view[0]);
    if (along) show(view[0] + shift, view[1] + shift);
    else zoom(Math.exp(event.deltaY / 200), moment(place(event)));
  }, { passive: false });
  svg.addEventListener("keydown", (event) => {
    const step = (n) => {
      const at = stop ? stops.indexOf(stop) : stops.findIndex((p) => p.t >= view[0]) - 1;
      stop = stops[Math.min(stops.length - 1, Math.max(0, at + n))];
      if (stop.t < view[0] || stop.t > view[1]) show(stop.t - (view[1] - view[0]) / 2, stop.t + (view[1] - view[0]) / 2);
      drawCross();
    };
    const move = (part) => show(view[0] + part * (view[1] - view[0]), view[1] + part * (view[1] - view[0]));
    const keys = {
      ArrowRight: () => (event.shiftKey ? move(0.2) : step(1)),
      ArrowLeft: () => (event.shiftKey ? move(-0.2) : step(-1)),
      "+": zooms.in, "=": zooms.in, "-": zooms.out, 0: zooms.call, r: zooms.run,
      p: () => peak && ((stop = peak), peak.t < view[0] || peak.t > view[1] ? show(...data.window) : drawCross()),
      Escape: () => ((stop = null), drawCross()),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  svg.addEventListener("focus", () => readout.setAttribute("aria-live", "polite"));
  svg.addEventListener("blur", () => {
    readout.setAttribute("aria-live", "off");
    stop = null;
    drawCross();
  });

  // ---- units ----
  const cellsOf = (kind) => [...table.querySelectorAll(`th[data-kind="${kind}"]`)].map((th) => th.cellIndex);
  const rewrite = () => {
    unit = { size: Number(unitChoice.value), name: unitChoice.selectedOptions[0].text };
    for (const [kind, show] of [["size", size], ["change", change]]) {
      for (const index of cellsOf(kind)) {
        const cells = rows().map((row) => row.cells[index]);
        const keepZero = table.tHead.rows[0].cells[index].dataset.key === "max_rss";
        const texts = cells.map((cell) => {
          const value = cell.dataset.v;
          return value === "" || (Number(value) === 0 && !keepZero) ? "" : show(Number(value));
        });
        // Decimal points stay under each other.
        const tail = (text) => (text.includes(".") ? text.length - text.indexOf(".") : 0);
        const most = Math.max(0, ...texts.map(tail));
        cells.forEach((cell, i) => (cell.textContent = texts[i] && texts[i] + " ".repeat(most - tail(texts[i]))));
      }
    }
    for (const heading of table.querySelectorAll('th[data-kind="size"] .unit, th[data-kind="change"] .unit')) heading.textContent = unit.name;
    for (const figure of document.querySelectorAll("b[data-size]")) {
      const bytes = Number(figure.dataset.size);
      figure.textContent = `${figure.dataset.signed ? change(bytes) : size(bytes)} ${unit.name}`;
    }
    draw();
  };
  unitChoice.addEventListener("change", rewrite);

  // ---- copying ----
  const headings = () => [...table.tHead.rows[0].cells].filter((th) => th.dataset.key);
  const asCsv = () => {
    const quote = (text) => `"${text.replaceAll('"', '""')}"`;
    const lines = rows().map((row) => [
      ...headings().map((th) => row.cells[th.cellIndex].dataset.v),
      quote(row.cells[row.cells.length - 1].textContent),
    ]);
    return [[...headings().map((th) => th.dataset.key), "source"], ...lines].map((cells) => cells.join(",")).join("\n") + "\n";
  };
  const asText = () => {
    const columns = headings().map((th) => {
      const texts = [th, ...rows().map((row) => row.cells[th.cellIndex])].map((cell) => cell.textContent);
      const widest = Math.max(...texts.map((text) => text.length));
      return texts.map((text) => text.padStart(widest));
    });
    const sources = ["source", ...rows().map((row) => row.cells[row.cells.length - 1].textContent)];
    return sources.map((source, i) => [...columns.map((c) => c[i]), source].join("  ").trimEnd()).join("\n") + "\n";
  };
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Older browsers give no clipboard to pages that were opened from a file.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  for (const button of document.querySelectorAll("[data-copy]")) {
    const label = button.textContent;
    button.addEventListener("click", async () => {
      await copy(button.dataset.copy === "csv" ? asCsv() : asText());
      button.textContent = "copied";
      setTimeout(() => (button.textContent = label), 1200);
    });
  }

  for (const tools of document.querySelectorAll(".tools, .key")) tools.hidden = false;
  new ResizeObserver(draw).observe(chart);
  draw();
})();
