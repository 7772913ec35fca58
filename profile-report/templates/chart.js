// A chart of memory over time that can be pointed at, zoomed and moved along. It stands where the
// static chart was. Without this script the page shows that one; nothing here is needed to read it.
//
// A stop is a point that the crosshair can rest on: { t: moment, v: RSS, h: live heap or nothing }.
// `page` says what is special about the chart:
//   label           for those who cannot see it
//   window, end     the stretch that is shown first, and the run's end
//   stops           in order; also what decides the heights
//   catches         a stop that catches the pointer from a little farther away, or nothing
//   heights         sizes that must fit beside those of the stops
//   since           what moments count from, if that is not the first call
//   below           pixels that are needed under the axis
//   paint(at)       draws curves and marks
//   describe(stop)  what is read out there; without a stop what is read out at rest
//   rested(stop)    is told of each stop that the crosshair reaches, and of its leaving
//   clicked(stop)   is told of a click
//   keys            more keys, with what they do
const memoryChart = (page) => {
  const chart = document.getElementById("chart");
  const readout = document.getElementById("readout");
  const { stops } = page;
  const SVG = "http://www.w3.org/2000/svg";
  const make = (name, attributes, text) => {
    const element = document.createElementNS(SVG, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const svg = make("svg", { class: "live", tabindex: "0", role: "application", "aria-label": page.label });
  const layer = { lit: make("g"), back: make("g"), curves: make("g"), front: make("g"), cross: make("g") };
  const clipBox = make("rect");
  const clip = make("clipPath", { id: "plot" });
  clip.append(clipBox);
  for (const name of ["lit", "curves"]) layer[name].setAttribute("clip-path", "url(#plot)");
  svg.append(clip, ...Object.values(layer));
  chart.replaceChildren(svg);

  // ---- places ----
  const margin = { left: 62, right: 18, top: 16, bottom: 44 };
  let view = [...page.window];
  let width = 0, height = 0, low = 0, high = 1, lit = [];
  const right = () => width - margin.right;
  const bottom = () => height - margin.bottom;
  /** Where what stands under the axis ends, or the plot if nothing does. */
  const foot = () => (page.below ? height - 6 : bottom());
  const x = (t) => margin.left + ((t - view[0]) / (view[1] - view[0])) * (right() - margin.left);
  const y = (v) => bottom() - ((v - low) / (high - low)) * (bottom() - margin.top);
  const moment = (px) => view[0] + ((px - margin.left) / (right() - margin.left)) * (view[1] - view[0]);
  const isShown = (from, to = from) => to >= view[0] && from <= view[1];

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
    const consider = (v) => ((least = Math.min(least, v)), (most = Math.max(most, v)));
    stops.forEach((p, i) => {
      // One point more on either side, so that a curve that only passes through counts.
      if (!isShown((stops[i - 1] ?? p).t, (stops[i + 1] ?? p).t)) return;
      consider(p.v);
      if (p.h !== undefined) consider(p.h);
    });
    page.heights?.forEach(consider);
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
      if (!isShown((points[i - 1] ?? p).t, (points[i + 1] ?? p).t)) return;
      const at = Math.floor(x(p.t));
      if (at !== column) flush();
      column = at;
      slot.push(p);
    });
    flush();
    return found;
  };
  const path = (places) => (places.length ? "M" + places.map((p) => p.map((n) => n.toFixed(1)).join(" ")).join("L") : "");

  // ---- drawing ----
  const at = {
    x, y, make, layer, isShown, margin, right, bottom,
    /** A curve through points, and the area under it if that has a name. */
    curve(points, value, name, area) {
      const shape = places(points, value);
      if (!shape.length) return;
      if (area) layer.curves.append(make("path", { d: `${path(shape)}V${bottom()}H${shape[0][0].toFixed(1)}z`, class: area }));
      layer.curves.append(make("path", { d: path(shape), class: name }));
    },
    /** A bold red text above a place, moved so far that it is not cut off. */
    peakLabel(text, px, py) {
      const label = make("text", { y: py - 10, "text-anchor": "middle", class: "peak" }, text);
      layer.front.append(label);
      const half = label.getComputedTextLength() / 2;
      label.setAttribute("x", Math.min(right() - half, Math.max(margin.left + half + 4, px)));
    },
  };

  const drawAxes = () => {
    layer.back.replaceChildren();
    const text = (px, py, anchor, content) =>
      layer.back.append(make("text", { x: px, y: py, "text-anchor": anchor, class: "axis" }, content));
    let step = roundStep((high - low) / unit.size, height < 300 ? 4 : 6);
    for (let v = Math.ceil(low / unit.size / step) * step; v * unit.size <= high; v += step) {
      layer.back.append(make("line", { x1: margin.left, x2: right(), y1: y(v * unit.size), y2: y(v * unit.size), class: "grid" }));
      text(margin.left - 8, y(v * unit.size) + 4, "end", v.toFixed(decimals(step)));
    }
    const scale = view[1] - view[0] < 2e8 ? { ns: 1e6, name: "milliseconds" } : { ns: 1e9, name: "seconds" };
    step = roundStep((view[1] - view[0]) / scale.ns, Math.max(3, width / 110));
    for (let t = Math.ceil(view[0] / scale.ns / step) * step; t * scale.ns <= view[1]; t += step) {
      text(x(t * scale.ns), bottom() + 18, "middle", t.toFixed(decimals(step)));
    }
    text(margin.left - 8, 11, "end", unit.name);
    text((margin.left + right()) / 2, bottom() + 37, "middle", `${scale.name} since the ${page.since ?? "first call"}`);
  };

  const drawLit = () => {
    layer.lit.replaceChildren();
    for (const [from, to] of lit) {
      if (!isShown(from, to)) continue;
      const w = Math.max(2, x(to) - x(from));
      layer.lit.append(make("rect", { x: x(from), y: margin.top, width: w, height: foot() - margin.top, class: "lit" }));
    }
  };

  const draw = () => {
    width = Math.max(280, chart.clientWidth);
    margin.bottom = 44 + (page.below ?? 0);
    height = (width < 600 ? 260 : 360) + (page.below ?? 0);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    const box = { x: margin.left, y: margin.top - 10, width: right() - margin.left, height: height - margin.top + 10 };
    for (const key in box) clipBox.setAttribute(key, box[key]);
    fitHeights();
    drawAxes();
    layer.curves.replaceChildren();
    layer.front.replaceChildren();
    page.paint(at);
    drawLit();
    drawCross();
  };

  // ---- the crosshair ----
  let stop = null, dragFrom = null, dragTo = null;
  const drawCross = () => {
    layer.cross.replaceChildren();
    if (dragFrom !== null && dragTo !== null) {
      const [a, b] = [dragFrom, dragTo].sort((m, n) => m - n);
      layer.cross.append(make("rect", { x: a, y: margin.top, width: b - a, height: bottom() - margin.top, class: "drag" }));
    }
    page.rested(stop);
    readout.textContent = page.describe(stop);
    if (!stop || !isShown(stop.t)) return;
    layer.cross.append(
      make("line", { x1: x(stop.t), x2: x(stop.t), y1: margin.top, y2: foot(), class: "cross" }),
      make("circle", { cx: x(stop.t), cy: y(stop.v), r: 4, class: "cross" }),
    );
  };
  const rest = (at) => {
    stop = at;
    drawCross();
  };
  /** The stop nearest to a place. */
  const stopAt = (px) => {
    if (page.catches && Math.abs(x(page.catches.t) - px) < 7) return page.catches;
    const t = moment(px);
    let a = 0, b = stops.length - 1;
    while (a < b) {
      const middle = (a + b) >> 1;
      if (stops[middle].t < t) a = middle + 1;
      else b = middle;
    }
    return a > 0 && t - stops[a - 1].t < stops[a].t - t ? stops[a - 1] : stops[a];
  };

  // ---- zooming and moving along the axis of time ----
  const everything = [Math.min(0, page.window[0]), page.end];
  const show = (from, to) => {
    const least = 1000; // a microsecond
    const span = Math.min(Math.max(to - from, least), everything[1] - everything[0]);
    from = Math.min(Math.max(from, everything[0]), everything[1] - span);
    view = [from, from + span];
    draw();
  };
  const zoom = (factor, around = stop?.t ?? (view[0] + view[1]) / 2) =>
    show(around - (around - view[0]) * factor, around + (view[1] - around) * factor);
  const move = (part) => show(view[0] + part * (view[1] - view[0]), view[1] + part * (view[1] - view[0]));
  const zooms = { in: () => zoom(0.5), out: () => zoom(2), call: () => show(...page.window), run: () => show(...everything), ...page.zooms };
  document.querySelectorAll("[data-zoom]").forEach((b) => b.addEventListener("click", () => zooms[b.dataset.zoom]()));

  // ---- mouse and fingers ----
  const place = (event) => {
    const box = svg.getBoundingClientRect();
    return ((event.clientX - box.left) / box.width) * width;
  };
  /** Where the fingers on the chart are. One moves the crosshair, two stretch and move the time. */
  const fingers = new Map();
  const pinch = (before, now) => {
    const [a, b] = before.map(moment);
    const perPixel = (b - a) / (now[1] - now[0]);
    if (!(perPixel > 0) || !isFinite(perPixel)) return;
    const from = a - (now[0] - margin.left) * perPixel;
    show(from, from + (right() - margin.left) * perPixel);
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse") {
      if (event.button !== 0) return;
      dragFrom = place(event); // A drag with the mouse marks a stretch to zoom to.
      svg.setPointerCapture(event.pointerId);
    } else {
      fingers.set(event.pointerId, place(event));
      if (fingers.size === 1) rest(stopAt(place(event)));
    }
  });
  svg.addEventListener("pointermove", (event) => {
    const px = place(event);
    const before = [...fingers.values()];
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, px);
    if (before.length > 1) return before.length === 2 && pinch(before, [...fingers.values()]);
    if (dragFrom !== null) dragTo = px;
    rest(stopAt(px));
  });
  const lift = (event) => fingers.delete(event.pointerId);
  svg.addEventListener("pointercancel", lift);
  svg.addEventListener("pointerleave", (event) => {
    lift(event);
    // What a finger found stays: it must be lifted to see.
    if (event.pointerType === "mouse" && dragFrom === null) rest(null);
  });
  svg.addEventListener("pointerup", (event) => {
    lift(event);
    const marked = dragFrom !== null && dragTo !== null && Math.abs(dragTo - dragFrom) > 8;
    const [from, to] = [dragFrom, dragTo].sort((a, b) => a - b);
    const clicked = dragFrom !== null && !marked;
    dragFrom = dragTo = null;
    if (marked) show(moment(from), moment(to));
    else drawCross();
    if (clicked && stop) page.clicked?.(stop);
  });
  svg.addEventListener("wheel", (event) => {
    const along = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!event.ctrlKey && !event.metaKey && !along) return; // Plain scrolling stays the page's.
    event.preventDefault();
    if (along) move(event.deltaX / width);
    else zoom(Math.exp(event.deltaY / 200), moment(place(event)));
  }, { passive: false });

  // ---- keyboard ----
  const step = (n) => {
    const from = stop ? stops.indexOf(stop) : stops.findIndex((p) => p.t >= view[0]) - 1;
    const next = stops[Math.min(stops.length - 1, Math.max(0, from + n))];
    const half = (view[1] - view[0]) / 2;
    if (!isShown(next.t)) show(next.t - half, next.t + half);
    rest(next);
  };
  const toPeak = () => {
    if (!page.catches) return;
    if (!isShown(page.catches.t)) show(...page.window);
    rest(page.catches);
  };
  const keys = {
    ArrowRight: (shift) => (shift ? move(0.2) : step(1)),
    ArrowLeft: (shift) => (shift ? move(-0.2) : step(-1)),
    "+": () => zooms.in(), "=": () => zooms.in(), "-": () => zooms.out(),
    0: () => zooms.call(), r: () => zooms.run(), p: toPeak, Escape: () => rest(null),
  };
  svg.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key](event.shiftKey);
  });
  svg.addEventListener("focus", () => readout.setAttribute("aria-live", "polite"));
  svg.addEventListener("blur", () => {
    readout.setAttribute("aria-live", "off");
    rest(null);
  });

  document.addEventListener("unit", draw);
  new ResizeObserver(draw).observe(chart);
  draw();
  return {
    show,
    /** Lights up stretches of time. */
    light(stretches) {
      lit = stretches;
      drawLit();
    },
  };
};
