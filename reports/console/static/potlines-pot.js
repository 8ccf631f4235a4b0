// Curves of one pot: panels of one time axis, the line's voltages behind, anode effects as bands.
"use strict";
(() => {
  const zh = document.documentElement.lang.startsWith("zh");
  const $ = (id) => document.getElementById(id);
  const card = $("curves"), { line, pot } = card.dataset;
  const PLANT_S = 8 * 3600;
  let plots = [], asked = 0;

  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function number(value, decimals) {
    return value === null || value === undefined ? "—" : value.toFixed(decimals);
  }

  // uPlot counts in UTC or the browser's time; the plant's clock is UTC+8 wherever one sits.
  const plantDate = (s) => new Date((s + PLANT_S) * 1000 + new Date((s + PLANT_S) * 1000).getTimezoneOffset() * 60000);

  async function get(address) {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    const said = await answer.json();
    if (!answer.ok) throw new Error((said.problems || [answer.statusText]).join("; "));
    return said;
  }

  async function load(quiet) {
    const mine = ++asked, span = $("curves-span").value, until = $("curves-until").value;
    const query = `span=${span}${until ? `&until=${until}` : ""}`;
    if (quiet !== true) $("curves-said").textContent = zh ? "正在读取…" : "Reading …";
    $("curves-csv").href = `/api/v1/pots/${line}/${pot}/curves?format=csv&${query}`;
    try {
      const said = await get(`/api/v1/pots/${line}/${pot}/curves?${query}`);
      if (mine !== asked) return;
      if (quiet !== true) show(said, null);
      $("curves-said").textContent = `${said.start.slice(0, 16)} – ${said.end.slice(0, 16)} · ${zh ? "每点" : "each point"} ${said.step_s} s`;
      if (!said.curves.length) {
        $("curves-said").textContent += zh ? "：这段时间没有该槽的数据" : ": no data of this pot in this time";
        return;
      }
      const others = await get(`/api/v1/potlines/${line}/voltage?${query}`);
      if (mine === asked) show(said, others);
    } catch (error) {
      if (mine === asked) $("curves-said").textContent = error.message;
    }
  }

  // Quartiles of the line, by the hour, at the times of the pot's steps.
  function quartiles(others, xs) {
    const at = (rows, x) => rows[Math.floor((x - others.start_s) / others.step_s)] ?? null;
    return ["low", "middle", "high"].map((key) => xs.map((x) => at(others[key], x)));
  }

  function show(said, others) {
    plots.forEach((plot) => plot.destroy());
    plots = [];
    $("curves-box").replaceChildren();
    const n = said.curves.length ? said.curves[0].values.length : 0;
    const xs = Array.from({ length: n }, (_, k) => said.start_s + k * said.step_s);
    for (const [panel, name] of Object.entries(said.panels)) {
      const curves = said.curves.filter((curve) => curve.panel === panel);
      if (curves.length) plots.push(chart(said, xs, curves, name, panel === "voltage" ? others : null));
    }
  }

  function chart(said, xs, curves, name, others) {
    const colours = ["--series-1", "--series-2", "--series-3", "--series-4"].map(token);
    const series = [{ value: (u, x) => (x === null || x === undefined ? "—" : uPlot.fmtDate("{YYYY}-{MM}-{DD} {HH}:{mm}")(plantDate(x))), label: zh ? "时间" : "Time" }];
    const data = [xs], bands = [], soft = `${colours[0]}33`;
    const add = (values, options) => { data.push(values); series.push({ spanGaps: false, points: { show: false }, ...options }); };
    curves.forEach((curve, k) => {
      const value = (u, v) => `${number(v, curve.decimals)} ${curve.unit}`;
      const dashed = curve.quantity === "pot.set_voltage" ? { dash: [6, 4] } : {};
      add(curve.values, { label: curve.name, stroke: colours[k % 4], width: 1.6, value, ...dashed });
      if (curve.low) {
        add(curve.high, { label: zh ? "最高" : "highest", stroke: soft, width: 0.5, value });
        add(curve.low, { label: zh ? "最低" : "lowest", stroke: soft, width: 0.5, value });
        bands.push({ series: [data.length - 2, data.length - 1], fill: soft });
      }
    });
    if (others) {
      const [low, middle, high] = quartiles(others, xs), grey = token("--quiet");
      const value = (u, v) => `${number(v, 3)} V`;
      add(high, { label: zh ? "系列上四分位" : "line, upper quartile", stroke: `${grey}66`, width: 0.5, value });
      add(low, { label: zh ? "系列下四分位" : "line, lower quartile", stroke: `${grey}66`, width: 0.5, value });
      bands.push({ series: [data.length - 2, data.length - 1], fill: `${grey}2e` });
      add(middle, { label: zh ? "系列中位数" : "line, median", stroke: grey, width: 1.2, dash: [2, 3], value });
    }
    const axis = { stroke: token("--quiet"), grid: { stroke: token("--line"), width: 1 }, ticks: { stroke: token("--line") } };
    const holder = document.createElement("div");
    holder.className = "panel";
    holder.setAttribute("role", "img");
    holder.setAttribute("aria-label", `${name}: ${curves.map((curve) => spoken(curve)).join("; ")}`);
    $("curves-box").append(holder);
    const plot = new uPlot({
      title: zh ? `${name}（${curves[0].unit}）` : `${name} (${curves[0].unit})`,
      width: width(),
      height: curves[0].panel === "voltage" ? 280 : 170,
      tzDate: plantDate,
      cursor: { sync: { key: "pot" }, drag: { x: true, y: false } },
      scales: { x: { time: true }, y: { range: (curves[0].panel === "voltage" && calm(curves[0], others)) || roomy(curves[0].decimals) } },
      axes: [{ ...axis, values: ticks }, { ...axis, size: 58 }],
      series,
      bands,
      hooks: { drawClear: [(u) => effects(u, said.events)], ready: [(u) => ask(u, curves[0], xs, said.step_s)] },
    }, data, holder);
    return plot;
  }

  // The axis of voltages is made for the working pot; an effect of 40 V would flatten all else.
  function calm(curve, others) {
    const values = [...curve.values, ...(others ? [...others.low, ...others.high] : [])].filter((v) => v !== null).sort((a, b) => a - b);
    if (!values.length) return undefined;
    const low = values[Math.floor(values.length * 0.01)], high = values[Math.floor((values.length - 1) * 0.99)];
    const pad = Math.max((high - low) * 0.25, 0.02);
    return (u, min, max) => (max > high + 1 ? [low - pad, high + 2 * pad] : [Math.min(min, low - pad), Math.max(max, high + pad)]);
  }

  // A steady value lies in the middle, not at the edge of a scale from zero.
  function roomy(decimals) {
    return (u, min, max) => {
      if (min === null || max === null) return [0, 1];
      const pad = Math.max((max - min) * 0.1, Math.abs(max) * 0.002, 2 * 10 ** -decimals);
      return [min - pad, max + pad];
    };
  }

  function ticks(u, splits, k, space, step) {
    const form = uPlot.fmtDate(step >= 86400 ? "{MM}-{DD}" : "{HH}:{mm}"), day = uPlot.fmtDate("{MM}-{DD}");
    let last = "";
    return splits.map((x) => {
      const moment = plantDate(x), today = day(moment), text = form(moment);
      const told = step < 86400 && today !== last ? `${text}\n${today}` : text;
      last = today;
      return told;
    });
  }

  function spoken(curve) {
    const values = curve.values.filter((v) => v !== null);
    if (!values.length) return `${curve.name} —`;
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return `${curve.name} ${number(least, curve.decimals)} – ${number(most, curve.decimals)} ${curve.unit}`;
  }

  function effects(u, events) {
    const pen = u.ctx;
    pen.save();
    for (const event of events) {
      if (event.kind !== "anode_effect") continue;
      const from = u.valToPos(event.start_s, "x", true), to = u.valToPos(event.end_s ?? u.scales.x.max, "x", true);
      pen.fillStyle = "rgba(217,95,2,.35)";
      pen.fillRect(from, u.bbox.top, Math.max(2, to - from), u.bbox.height);
    }
    pen.restore();
  }

  // A click on the curve opens the evidence of that window.
  function ask(u, curve, xs, step) {
    let down = null;
    u.over.addEventListener("mousedown", (event) => (down = event.clientX));
    u.over.addEventListener("click", (event) => {
      const k = u.cursor.idx;
      if (down === null || Math.abs(event.clientX - down) > 3 || k === null || curve.values[k] === null) return;
      if (step > 60 && step < 3600) return; // a mean of several windows: zoom in to 24 h for one
      const point = encodeURIComponent(`${line}/${pot} ${curve.quantity}`);
      window.htmx.ajax("GET", `/evidence/figure?point=${point}&at=${xs[k]}000000000`, "#drawer");
    });
  }

  const width = () => Math.max(260, $("curves-box").clientWidth);
  let last = 0;
  new ResizeObserver(() => {
    if (Math.abs(width() - last) < 4) return;
    last = width();
    plots.forEach((plot) => plot.setSize({ width: last, height: plot.height }));
  }).observe($("curves-box"));
  for (const id of ["curves-span", "curves-until"]) $(id).addEventListener("change", load);
  card.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", load);
  // what is newest comes by itself while somebody is there and looks at the whole; a page that is
  // left open must not keep its session from ending
  let busy = Date.now();
  for (const name of ["pointermove", "keydown"]) document.addEventListener(name, () => (busy = Date.now()));
  setInterval(() => {
    if (Date.now() - busy > 600000) return;
    const whole = plots.every((plot) => plot.scales.x.min <= plot.data[0][0] + 1 && plot.scales.x.max >= plot.data[0].at(-1) - 1);
    if (!$("curves-until").value && !document.hidden && whole) load(true);
  }, 60000);
  load();
})();
