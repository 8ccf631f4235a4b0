// The chart of /explore: bands and lines, strips of bad data, events; zoom and pan by mouse, touch, keys.
"use strict";
(() => {
  const { columns, indexAt, startOf, unitOf } = window.Explore;
  const box = document.getElementById("explore-chart");
  const told = { zoomed() {}, moved() {}, clicked() {} }; // the page listens
  let plot = null, answer = null, happened = [], full = null, frame = 0;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const line = (at) => colour(`--series-${at + 1}`);

  function soft(hex, share) {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return `rgba(${r},${g},${b},${share})`;
  }

  function hatch(context, ink) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 6;
    const pen = tile.getContext("2d");
    pen.strokeStyle = ink;
    pen.lineWidth = 1.6;
    pen.beginPath();
    pen.moveTo(-1, 7); pen.lineTo(7, -1); pen.stroke();
    return context.createPattern(tile, "repeat");
  }

  // Bad data: a strip for each point at the top of the chart, denser where more of the time is lost.
  function drawBad(u) {
    const context = u.ctx, ratio = window.devicePixelRatio || 1, height = 7 * ratio;
    const { left, top, width } = u.bbox;
    answer.points.forEach((point, number) => {
      context.fillStyle = hatch(context, colour("--bad"));
      for (const run of point.reasons) {
        const begin = startOf(point, run.first);
        const end = point.times_s ? startOf(point, Math.min(run.last + 1, point.count - 1)) : startOf(point, run.last) + point.bucket_s;
        const a = Math.max(left, u.valToPos(begin, "x", true)), b = Math.min(left + width, u.valToPos(end, "x", true));
        if (b < left || a > left + width) continue;
        let worst = 1;
        for (let at = run.first; at <= run.last; at += 1) worst = Math.min(worst, point.good[at] ?? 1);
        context.globalAlpha = Math.max(0.35, 1 - worst);
        context.fillRect(a, top + number * (height + 2 * ratio), Math.max(b - a, 2 * ratio), height);
      }
      context.globalAlpha = 1;
    });
  }

  function drawEvents(u) {
    const context = u.ctx, ratio = window.devicePixelRatio || 1;
    const { left, top, width, height } = u.bbox, ink = colour("--warn");
    for (const each of happened) {
      const a = u.valToPos(each.start_s, "x", true);
      const b = each.end_s === null ? left + width : u.valToPos(each.end_s, "x", true);
      if (b < left || a > left + width) continue;
      context.fillStyle = soft(ink, 0.12);
      context.fillRect(Math.max(a, left), top, Math.min(b, left + width) - Math.max(a, left), height);
      if (a < left) continue;
      context.fillStyle = ink;
      context.fillRect(a, top + height - 10 * ratio, 1.5 * ratio, 10 * ratio);
      context.beginPath();
      context.moveTo(a - 4 * ratio, top + height); context.lineTo(a + 5 * ratio, top + height);
      context.lineTo(a + 0.5 * ratio, top + height - 7 * ratio);
      context.fill();
    }
  }

  function options(width, height) {
    const units = [...new Set(answer.points.map(unitOf))];
    const ink = colour("--quiet"), grid = { stroke: colour("--line"), width: 1 }, font = "12px system-ui, sans-serif";
    const series = [{}], bands = [];
    answer.points.forEach((point, number) => {
      const stroke = line(number), scale = `u${units.indexOf(unitOf(point))}`, dash = number > 3 ? [6, 4] : undefined;
      if (point.amount) {
        series.push({ label: point.point, scale, stroke: soft(stroke, 0.5), width: 0.5, fill: soft(stroke, 0.28), paths: window.uPlot.paths.bars({ size: [0.9, 60], align: 1 }), points: { show: false } });
        return;
      }
      const steps = point.form === "state" ? { paths: window.uPlot.paths.stepped({ align: 1 }) } : {};
      const edge = { scale, stroke: soft(stroke, point.mean ? 0.3 : 0.9), width: point.mean ? 0.5 : 1.2, points: { show: false }, ...steps };
      const first = series.length;
      series.push({ ...edge, label: `${point.point} low` }, { ...edge, label: `${point.point} high` });
      bands.push({ series: [first + 1, first], fill: soft(stroke, 0.2) });
      if (point.mean) series.push({ label: point.point, scale, stroke, dash, width: 1.6 });
    });
    const axis = (unit, number) => ({
      scale: `u${number}`, side: number ? 1 : 3, stroke: ink, font, label: unit || " ", labelFont: font, labelSize: 18, labelGap: 2, size: 62,
      grid: number ? { show: false } : grid, ticks: grid,
      values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : tick.toLocaleString("en-US", { maximumSignificantDigits: 6 }))),
    });
    const bars = new Set(answer.points.filter((point) => point.amount).map((point) => `u${units.indexOf(unitOf(point))}`));
    const scales = { x: { time: true } };
    units.forEach((_, number) => {
      const key = `u${number}`;
      scales[key] = { range: (u, low, high) => (low === null ? [0, 1] : window.uPlot.rangeNum(bars.has(key) ? Math.min(0, low) : low, high, 0.08, bars.has(key))) };
    });
    return {
      width, height, series, bands, scales,
      tzDate: (seconds) => window.uPlot.tzDate(new Date(seconds * 1000), "Etc/GMT-8"),
      axes: [{ stroke: ink, font, grid, ticks: grid, values: document.documentElement.lang.startsWith("zh") ? dates : undefined, space: 84 }, ...units.map(axis)],
      cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
      legend: { show: false },
      hooks: {
        drawAxes: [drawEvents],
        draw: [drawBad],
        setSelect: [(u) => {
          if (u.select.width < 6) return;
          const a = u.posToVal(u.select.left, "x"), b = u.posToVal(u.select.left + u.select.width, "x");
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          show(a, b);
        }],
        setCursor: [(u) => { if (u.cursor.left >= 0) told.moved(u.posToVal(u.cursor.left, "x")); }],
      },
    };
  }

  function dates(u, ticks, _, __, step) {
    return ticks.map((tick) => {
      const [day, clock] = new Date((tick + 8 * 3600) * 1000).toISOString().split("T");
      if (step >= 86400) return day;
      return clock.startsWith("00:00") ? `${day.slice(5)}\n00:00` : clock.slice(0, step < 60 ? 8 : 5);
    });
  }

  function data() {
    const tables = answer.points.map((point) => {
      const { times, low, high, middle } = columns(point);
      const kept = point.amount ? [middle] : point.mean ? [low, high, middle] : [low, high];
      return [times, ...kept];
    });
    return tables.length ? window.uPlot.join(tables) : [[]];
  }

  function draw(said) {
    answer = said;
    full = [said.from_s, said.to_s];
    if (plot) plot.destroy();
    plot = null;
    box.replaceChildren();
    if (!said.points.length) return;
    const height = Math.max(300, Math.min(520, Math.round(window.innerHeight * 0.5)));
    plot = new window.uPlot(options(box.clientWidth, height), data(), box);
    plot.setScale("x", { min: full[0], max: full[1] });
    listen(plot.over);
  }

  function redraw(until) { // live values: the right edge moves on
    if (!plot) return;
    const { min, max } = plot.scales.x;
    plot.setData(data(), false);
    plot.setScale("x", { min, max: Math.max(max, until) });
  }

  // Show [min, max] at once with what is there, and let the page ask for better.
  function show(min, max) {
    if (!plot) return;
    const length = Math.max(10, max - min);
    plot.setScale("x", { min, max: min + length });
    told.zoomed(min, min + length);
  }

  function zoom(factor, centre) {
    const { min, max } = plot.scales.x;
    const at = centre ?? (min + max) / 2;
    show(at - (at - min) * factor, at + (max - at) * factor);
  }

  function pan(share) {
    const { min, max } = plot.scales.x;
    show(min + (max - min) * share, max + (max - min) * share);
  }

  function listen(over) {
    const fingers = new Map();
    let from = null, moved = false;
    over.addEventListener("wheel", (event) => {
      event.preventDefault();
      const centre = plot.posToVal(event.clientX - over.getBoundingClientRect().left, "x");
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan((event.deltaX || event.deltaY) / 1500);
      else zoom(event.deltaY > 0 ? 1.25 : 0.8, centre);
    }, { passive: false });
    over.addEventListener("mousedown", (event) => { if (event.shiftKey) { event.stopImmediatePropagation(); event.preventDefault(); } }, true);
    over.addEventListener("pointerdown", (event) => {
      moved = false;
      if (event.pointerType !== "touch" && !event.shiftKey) return;
      over.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, event.clientX);
      from = { ...plot.scales.x, x: [...fingers.values()] };
    });
    over.addEventListener("pointermove", (event) => {
      if (event.buttons) moved = moved || Math.abs(event.movementX) > 1;
      if (!fingers.has(event.pointerId)) return;
      fingers.set(event.pointerId, event.clientX);
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => drag([...fingers.values()], from, over.clientWidth));
    });
    const lift = (event) => { fingers.delete(event.pointerId); if (from) from = { ...plot.scales.x, x: [...fingers.values()] }; };
    over.addEventListener("pointerup", lift);
    over.addEventListener("pointercancel", lift);
    over.addEventListener("click", (event) => {
      if (moved || event.shiftKey) return;
      const place = over.getBoundingClientRect();
      told.clicked(plot.posToVal(event.clientX - place.left, "x"), event.clientY - place.top);
    });
  }

  function drag(now, from, width) {
    const length = from.max - from.min;
    if (now.length === 1 && from.x.length === 1) {
      const by = ((from.x[0] - now[0]) / width) * length;
      show(from.min + by, from.max + by);
    } else if (now.length === 2 && from.x.length === 2) {
      const factor = Math.abs(from.x[0] - from.x[1]) / Math.max(10, Math.abs(now[0] - now[1]));
      const left = plot.over.getBoundingClientRect().left;
      const centre = from.min + (((from.x[0] + from.x[1]) / 2 - left) / width) * length;
      show(centre - (centre - from.min) * factor, centre + (from.max - centre) * factor);
    }
  }

  // The point whose line is nearest to a place in the chart.
  function nearest(seconds, y) {
    let best = null, away = Infinity;
    const units = [...new Set(answer.points.map(unitOf))];
    answer.points.forEach((point) => {
      const at = indexAt(point, seconds);
      const value = at < 0 ? null : (point.amount || point.mean || point.high)[at];
      const off = value === null ? 1e6 : Math.abs(plot.valToPos(value, `u${units.indexOf(unitOf(point))}`) - y);
      if (at >= 0 && off < away) { away = off; best = { point, at }; }
    });
    return best;
  }

  function step(by) { // the reading line by keys
    if (!plot) return;
    const left = plot.cursor.left >= 0 ? plot.cursor.left : plot.over.clientWidth / 2;
    plot.setCursor({ left: Math.min(plot.over.clientWidth - 1, Math.max(0, left + by)), top: 20 });
  }

  new ResizeObserver(() => { if (plot) plot.setSize({ width: box.clientWidth, height: plot.height }); }).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (answer) draw(answer); });

  window.Explore.chart = {
    told, draw, redraw, zoom, pan, nearest, step,
    ready: () => plot !== null,
    shown: () => (plot ? [plot.scales.x.min, plot.scales.x.max] : full),
    events: (list) => { happened = list; if (plot) plot.redraw(false); },
  };
})();
