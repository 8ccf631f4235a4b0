// The map itself: where pots stand, how a cell is drawn, which pot is under the pointer or the keys.
"use strict";
(() => {
  const { colour, mixed, css, ink } = window.smelterColours;
  const LEAST = 24, MOST = 58, GAP = 2, AISLE = 6, BAND = 20;

  function tokens(element) {
    const style = getComputedStyle(element);
    const of = (name) => style.getPropertyValue(name).trim();
    return { ink: of("--ink"), quiet: of("--quiet"), line: of("--line"), paper: of("--paper"), focus: of("--focus"), bad: of("--bad") };
  }

  // Rows and columns of n pots in a width: [{k, row, column, x, y}], size of a cell, height.
  function places(n, width, layout) {
    const found = [];
    if (layout === "rows") {
      const half = Math.ceil(n / 2);
      let columns = Math.max(1, Math.min(half, Math.floor(width / (LEAST + GAP))));
      if (columns > 20 && columns < half) columns -= columns % 10; // so that pots are found by their tens
      const size = Math.min(MOST, Math.floor(width / columns) - GAP);
      for (let k = 0; k < n; k++) {
        const second = k >= half, across = second ? n - 1 - k : k;
        const band = Math.floor(across / columns), column = across % columns;
        const y = band * (2 * size + AISLE + BAND) + (second ? size + AISLE : 0);
        found.push({ k, row: band * 2 + (second ? 1 : 0), column, x: column * (size + GAP), y });
      }
      const bands = Math.ceil(half / columns);
      return { found, size, height: bands * (2 * size + AISLE + BAND) - BAND };
    }
    let columns = Math.max(1, Math.floor(width / (LEAST + 8 + GAP)));
    if (columns > 10) columns -= columns % 10;
    else if (columns > 5) columns = 5;
    columns = Math.min(columns, n);
    const size = Math.min(MOST, Math.floor(width / columns) - GAP);
    for (let k = 0; k < n; k++) {
      const row = Math.floor(k / columns), column = k % columns;
      found.push({ k, row, column, x: column * (size + GAP), y: row * (size + GAP) });
    }
    return { found, size, height: Math.ceil(n / columns) * (size + GAP) };
  }

  class PotMap {
    constructor(box, canvas, key) {
      Object.assign(this, { box, canvas, key, data: null, layer: null, scale: null, at: 0, layout: "rows", drawn: 0, ms: 0 });
      this.asked = false;
      new ResizeObserver(() => this.arrange()).observe(box);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    }

    show(data, layer, scale) {
      Object.assign(this, { data, layer, scale });
      if (this.at >= data.pots.length) this.at = 0;
      this.arrange();
    }

    arrange() {
      if (!this.data) return;
      const width = Math.max(120, this.box.clientWidth - 12);
      this.plan = places(this.data.pots.length, width, this.layout);
      this.by = new Map(this.plan.found.map((cell) => [`${cell.row}:${cell.column}`, cell.k]));
      this.fit(this.canvas, width, this.plan.height + 4);
      this.fit(this.key, Math.min(360, width), 44);
      this.redraw();
    }

    fit(canvas, width, height) {
      const ratio = window.devicePixelRatio || 1;
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
      canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    }

    redraw() {
      if (this.asked || !this.data) return;
      this.asked = true;
      requestAnimationFrame(() => {
        this.asked = false;
        const begin = performance.now();
        this.draw();
        this.ms = performance.now() - begin;
        this.drawn += 1;
        this.box.dataset.drawMs = this.ms.toFixed(2);
        this.box.dataset.drawn = this.drawn;
      });
    }

    draw() {
      const pen = this.canvas.getContext("2d"), look = tokens(this.box);
      pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      for (const cell of this.plan.found) this.cell(pen, cell, look);
      const here = this.plan.found[this.at];
      if (here && document.activeElement === this.box) {
        pen.lineWidth = 3;
        pen.strokeStyle = look.focus;
        pen.strokeRect(here.x + 1.5, here.y + 1.5, this.plan.size - 1, this.plan.size - 1);
      }
      this.legend(look);
    }

    cell(pen, cell, look) {
      const size = this.plan.size, { x, y } = { x: cell.x + 1, y: cell.y + 1 };
      const value = this.layer ? this.layer.values[cell.k] : null, state = this.data.states[cell.k];
      let text = look.ink;
      if (value === null || !this.scale) {
        this.hatched(pen, x, y, size, look);
      } else {
        const rgb = colour(this.scale, value);
        pen.fillStyle = css(rgb);
        pen.fillRect(x, y, size, size);
        text = ink(rgb);
      }
      pen.fillStyle = text;
      const name = this.data.labels[cell.k];
      const wide = size >= 44 && value !== null;
      pen.font = `${size >= 40 ? 11 : size >= 30 ? 10 : 8}px system-ui, sans-serif`;
      pen.fillText(name, x + size / 2, y + (wide ? size * 0.32 : size / 2));
      if (wide) pen.fillText(value.toFixed(this.layer.decimals), x + size / 2, y + size * 0.68);
      if (state === "stopped" || state === "cut_out") {
        pen.lineWidth = 1.5;
        pen.strokeStyle = look.ink;
        pen.beginPath();
        pen.moveTo(x + 3, y + 3); pen.lineTo(x + size - 3, y + size - 3);
        pen.moveTo(x + size - 3, y + 3); pen.lineTo(x + 3, y + size - 3);
        pen.stroke();
      } else if (state === "link" || state === "starting") {
        pen.lineWidth = 1.5;
        pen.strokeStyle = look.ink;
        pen.setLineDash([3, 2]);
        pen.strokeRect(x + 1, y + 1, size - 2, size - 2);
        pen.setLineDash([]);
      }
      if (this.data.burning[cell.k]) {
        pen.lineWidth = 4;
        pen.strokeStyle = look.bad;
        pen.strokeRect(x + 2, y + 2, size - 4, size - 4);
        pen.fillStyle = look.bad;
        pen.fillRect(x + size - 10, y, 10, 12);
        pen.fillStyle = "#fff";
        pen.font = "bold 10px system-ui, sans-serif";
        pen.fillText("!", x + size - 5, y + 6.5);
      }
    }

    hatched(pen, x, y, size, look) {
      pen.fillStyle = look.paper;
      pen.fillRect(x, y, size, size);
      pen.strokeStyle = look.line;
      pen.lineWidth = 1;
      pen.strokeRect(x + 0.5, y + 0.5, size - 1, size - 1);
      pen.beginPath();
      for (let d = 6; d < 2 * size; d += 6) {
        pen.moveTo(x + Math.max(0, d - size), y + Math.min(d, size));
        pen.lineTo(x + Math.min(d, size), y + Math.max(0, d - size));
      }
      pen.stroke();
    }

    legend(look) {
      const pen = this.key.getContext("2d"), scale = this.scale;
      const width = this.key.clientWidth || 300, steps = 64, left = 26, right = width - 26;
      pen.clearRect(0, 0, this.key.width, this.key.height);
      pen.font = "12px system-ui, sans-serif";
      pen.textBaseline = "alphabetic";
      if (!scale) return;
      for (let n = 0; n < steps; n++) {
        pen.fillStyle = css(mixed(scale.ramp, n / (steps - 1)));
        pen.fillRect(left + ((right - left) * n) / steps, 4, (right - left) / steps + 1, 14);
      }
      pen.fillStyle = look.ink;
      const shown = scale.ramp === "both" ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1];
      const places = scale.ramp === "both" || scale.ramp === "zero" ? this.layer.decimals : Math.max(this.layer.decimals - 1, 0);
      for (const share of shown) {
        const value = scale.low + (scale.high - scale.low) * share;
        const mark = (share === 0 && scale.below ? "≤" : "") + (share === 1 && scale.above ? "≥" : "");
        pen.textAlign = "center";
        pen.fillText(mark + value.toFixed(places), left + (right - left) * share, 33);
      }
      pen.textAlign = "left";
    }

    potAt(event) {
      if (!this.plan) return null;
      const edge = this.canvas.getBoundingClientRect();
      const x = event.clientX - edge.left, y = event.clientY - edge.top, size = this.plan.size + GAP;
      const cell = this.plan.found.find((c) => x >= c.x && x < c.x + size && y >= c.y && y < c.y + size);
      return cell ? cell.k : null;
    }

    // Moves by a key; false: the key is none of ours.
    move(key) {
      if (!this.plan) return false;
      const here = this.plan.found[this.at], n = this.data.pots.length;
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[key];
      if (key === "Home") this.at = 0;
      else if (key === "End") this.at = n - 1;
      else if (step) {
        const next = this.by.get(`${here.row + step[0]}:${here.column + step[1]}`);
        if (next !== undefined) this.at = next;
        else if (step[1]) this.at = Math.min(n - 1, Math.max(0, this.at + (here.row % 2 && this.layout === "rows" ? -step[1] : step[1])));
      } else return false;
      this.redraw();
      return true;
    }
  }

  window.SmelterPotMap = PotMap;
})();
