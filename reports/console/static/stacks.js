// Curves of hourly means: each state of an hour has its own pattern; click for the source, drag to mark.
"use strict";
(() => {
  const HOUR = 3600;
  const HEIGHT = 190;
  const ZONE = 8 * 3600; // plant time is UTC+8 without summer time
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const two = (value) => String(value).padStart(2, "0");
  const at = (time) => new Date((time + ZONE) * 1000);
  const clock = (time) => {
    const moment = at(time);
    return `${moment.getUTCFullYear()}-${two(moment.getUTCMonth() + 1)}-${two(moment.getUTCDate())} ${two(moment.getUTCHours())}:${two(moment.getUTCMinutes())}`;
  };

  function tick(times, step) {
    return times.map((time) => {
      const moment = at(time);
      const day = `${two(moment.getUTCMonth() + 1)}-${two(moment.getUTCDate())}`;
      return step >= 86400 ? day : moment.getUTCHours() === 0 ? day : `${two(moment.getUTCHours())}:00`;
    });
  }

  function splits(self, axis, min, max) {
    const hours = (max - min) / HOUR;
    const room = Math.max(2, Math.floor(self.width / 70));
    const step = [1, 2, 3, 4, 6, 12, 24, 48, 72, 120, 168, 240].find((each) => hours / each <= room) || 240;
    const first = Math.ceil((min + ZONE) / (step * HOUR)) * step * HOUR - ZONE;
    const found = [];
    for (let time = first; time <= max; time += step * HOUR) found.push(time);
    axis.step = step * HOUR;
    return found;
  }

  function hatch(context, box, both) {
    context.save();
    context.beginPath();
    context.rect(box.x, box.y, box.w, box.h);
    context.clip();
    context.beginPath();
    for (let x = box.x - box.h; x < box.x + box.w; x += 5) {
      context.moveTo(x, box.y + box.h);
      context.lineTo(x + box.h, box.y);
      if (both) { context.moveTo(x, box.y); context.lineTo(x + box.h, box.y + box.h); }
    }
    context.stroke();
    context.restore();
  }

  const SIGNS = {
    valid: (c, b) => c.fillRect(b.x, b.y, b.w, b.h),
    above: (c, b, colours) => {
      c.fillStyle = colours.bad;
      c.fillRect(b.x, b.y, b.w, b.h);
      const half = Math.max(4, b.w / 2);
      const middle = b.x + b.w / 2;
      c.beginPath(); c.moveTo(middle, b.y - 9); c.lineTo(middle + half, b.y - 2); c.lineTo(middle - half, b.y - 2); c.fill();
    },
    no_limit: (c, b) => c.strokeRect(b.x, b.y, b.w, b.h),
    exempt: (c, b) => { c.strokeRect(b.x, b.y, b.w, b.h); c.beginPath(); c.arc(b.x + b.w / 2, b.y + b.h / 2, Math.min(3, b.w / 2), 0, 7); c.fill(); },
    excluded: (c, b) => { c.strokeRect(b.x, b.y, b.w, b.h); hatch(c, b, false); },
    out_of_control: (c, b) => { c.strokeRect(b.x, b.y, b.w, b.h); hatch(c, b, true); },
    invalid: (c, b) => { c.setLineDash([3, 3]); c.strokeRect(b.x, b.y, b.w, b.h); c.setLineDash([]); },
    not_convertible: (c, b) => { c.strokeRect(b.x, b.y, b.w, b.h); c.strokeRect(b.x, b.y + b.h / 3, b.w, b.h / 3); },
    stopped: (c, b, colours) => { c.fillStyle = colours.quiet; c.fillRect(b.x, b.y + b.h - 3, b.w, 3); },
    missing: (c, b, colours) => {
      c.strokeStyle = colours.quiet;
      const size = Math.min(4, b.w / 2 + 1);
      const x = b.x + b.w / 2;
      const y = b.base - 7;
      c.beginPath(); c.moveTo(x - size, y - size); c.lineTo(x + size, y + size); c.moveTo(x + size, y - size); c.lineTo(x - size, y + size); c.stroke();
    },
  };

  function draw(self, shape, one) {
    const context = self.ctx;
    const ratio = devicePixelRatio;
    const colours = { bar: css("--series-1"), bad: css("--bad"), quiet: css("--quiet"), mark: css("--series-4") };
    const base = self.valToPos(0, "y", true);
    context.save();
    context.beginPath();
    context.rect(self.bbox.left, self.bbox.top, self.bbox.width, self.bbox.height);
    context.clip();
    shape.start.forEach((start, n) => {
      const sign = SIGNS[one.state[n]];
      if (!sign) return;
      const left = self.valToPos(start, "x", true);
      const wide = Math.max(1, self.valToPos(start + HOUR, "x", true) - left - (shape.start.length > 200 ? 0 : ratio));
      const value = one.mean[n];
      const drawn = value === null ? (one.state[n] === "stopped" ? 0 : null) : value;
      const top = drawn === null ? base - 6 * ratio : self.valToPos(drawn, "y", true);
      context.fillStyle = context.strokeStyle = colours.bar;
      context.lineWidth = ratio;
      const lone = drawn === null && one.state[n] !== "missing" ? base - 6 * ratio : top;
      sign(context, { x: left, y: lone, w: wide, h: Math.max(ratio, base - lone), base }, colours);
    });
    context.strokeStyle = colours.bad;
    context.lineWidth = 1.6 * ratio;
    context.setLineDash([6 * ratio, 4 * ratio]);
    context.beginPath();
    shape.start.forEach((start, n) => {
      const limit = one.limits[n];
      if (limit === null) return;
      const y = self.valToPos(limit, "y", true);
      if (n === 0 || one.limits[n - 1] !== limit) context.moveTo(self.valToPos(start, "x", true), y);
      if (n === shape.start.length - 1 || one.limits[n + 1] !== limit) context.lineTo(self.valToPos(start + HOUR, "x", true), y);
    });
    context.stroke();
    context.setLineDash([]);
    marks(self, context, shape, one, colours, ratio);
    context.restore();
  }

  function marks(self, context, shape, one, colours, ratio) {
    const high = 14 * ratio;
    context.font = `${11 * ratio}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    context.textAlign = "left";
    shape.marks.forEach((mark) => {
      if (mark.pollutants.length && !mark.pollutants.includes(one.id)) return;
      const left = self.valToPos(mark.start_s, "x", true);
      const wide = Math.max(2 * ratio, self.valToPos(mark.end_s, "x", true) - left);
      const box = { x: left, y: self.bbox.top, w: wide, h: high };
      context.fillStyle = context.strokeStyle = colours.mark;
      context.lineWidth = ratio;
      context.globalAlpha = 0.75;
      if (mark.excuses) context.fillRect(box.x, box.y, box.w, box.h);
      else { context.strokeRect(box.x, box.y, box.w, box.h); hatch(context, box, true); }
      context.globalAlpha = 1;
      if (wide < 40 * ratio) return;
      context.fillStyle = mark.excuses ? css("--paper") : colours.mark;
      context.fillText(mark.name, Math.max(left, self.bbox.left) + 4 * ratio, self.bbox.top + high / 2, wide - 6 * ratio);
    });
  }

  function told(shape, one, n) {
    const value = one.mean[n] === null ? "—" : `${one.mean[n].toFixed(2)} ${one.unit}`;
    const limit = one.limits[n] === null ? "" : ` · ${shape.limit} ${one.limits[n]}`;
    return `${clock(shape.start[n])}–${clock(shape.start[n] + HOUR).slice(11)} · ${one.name} ${value}${limit} · ${shape.words[one.state[n]]} · ${one.minutes[n]} min`;
  }

  function chart(holder, shape, one) {
    const top = Math.max(...one.mean.map((x) => x || 0), ...one.limits.map((x) => x || 0), 1e-6) * 1.22;
    const ends = [shape.start[0], shape.start[shape.start.length - 1] + HOUR];
    const title = document.createElement("h3");
    title.textContent = `${one.name} (${one.unit})`;
    const room = document.createElement("div");
    room.className = "curve";
    room.setAttribute("role", "img");
    const over = one.state.filter((each) => each === "above").length;
    room.setAttribute("aria-label", `${one.name}: ${shape.words.above} ${over}`);
    holder.append(title, room);
    const axis = { stroke: css("--quiet"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line") } };
    const options = {
      width: holder.clientWidth, height: HEIGHT, legend: { show: false },
      scales: { x: { time: false, range: () => ends }, y: { range: () => [0, top] } },
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { show: false } },
      axes: [{ ...axis, splits: (self, n, min, max) => splits(self, self, min, max), values: (self, times) => tick(times, self.step) }, { ...axis, size: 52 }],
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: {
        draw: [(self) => draw(self, shape, one)],
        setCursor: [(self) => {
          const n = Math.floor((self.posToVal(self.cursor.left, "x") - shape.start[0]) / HOUR);
          if (self.cursor.left >= 0 && n >= 0 && n < shape.start.length) document.getElementById("stack-told").textContent = told(shape, one, n);
        }],
        setSelect: [(self) => chosen(self, holder)],
      },
    };
    const made = new uPlot(options, [shape.start, one.mean], room);
    made.over.addEventListener("click", (event) => {
      if (made.select.width > 3) return;
      const n = Math.floor((made.posToVal(event.clientX - made.over.getBoundingClientRect().left, "x") - shape.start[0]) / HOUR);
      if (n < 0 || n >= shape.start.length || one.mean[n] === null) return;
      const address = `/stacks/${encodeURIComponent(shape.stack)}/hour?pollutant=${one.id}&at=${shape.start[n]}`;
      htmx.ajax("GET", address, { target: "#drawer", source: room });
    });
    return made;
  }

  function chosen(self, holder) {
    if (self.select.width < 4 || !holder.dataset.mark) return;
    const minute = (x) => Math.round(self.posToVal(x, "x") / 60) * 60;
    const from = minute(self.select.left);
    const until = minute(self.select.left + self.select.width);
    const line = document.getElementById("stack-chosen");
    const [text, link] = [line.querySelector("span"), line.querySelector("a")];
    text.textContent = `${clock(from)} – ${clock(until)}`;
    link.textContent = holder.dataset.marks;
    link.href = `${holder.dataset.mark}&start=${encodeURIComponent(clock(from))}&end=${encodeURIComponent(clock(until))}`;
    line.hidden = false;
  }

  function show() {
    const holder = document.getElementById("stack-curves");
    if (!holder || holder.dataset.drawn || !window.uPlot) return;
    holder.dataset.drawn = "1";
    const shape = JSON.parse(holder.dataset.shape);
    const made = shape.pollutants.map((one) => chart(holder, shape, one));
    let width = holder.clientWidth;
    new ResizeObserver(() => {
      if (holder.clientWidth === width || !holder.clientWidth) return;
      width = holder.clientWidth;
      made.forEach((each) => each.setSize({ width, height: HEIGHT }));
    }).observe(holder);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => made.forEach((each) => each.redraw()));
  }

  document.addEventListener("htmx:afterSettle", show);
  document.addEventListener("DOMContentLoaded", show);
})();
