// The page /explore: which points and which time are shown; the address holds both.
"use strict";
(() => {
  const X = window.Explore, { words, chart } = X;
  const $ = (id) => document.getElementById(id);
  const base = document.querySelector(".explore").dataset.base;
  const MOST = 8, SETTLE_MS = 250, AGAIN_MS = 4000, LIVE_MS = 30000, TABLE_ROWS = 500;
  let state = { points: [], last: "24h", from: "", to: "" };
  let answer = null, running = null, settle = 0, again = 0, stack = [], listed = [];

  function read() {
    const asked = new URLSearchParams(window.location.search);
    const points = asked.getAll("point").slice(0, MOST);
    const from = asked.get("from") || "";
    return { points, from, to: from ? asked.get("to") || "" : "", last: from ? "" : asked.get("last") || "24h" };
  }

  const address = () => `/explore?${X.query(state)}`;
  function problem(text) {
    const place = $("explore-problems");
    place.replaceChildren();
    if (!text) return;
    const told = document.createElement("div");
    told.className = "problems";
    told.setAttribute("role", "alert");
    told.textContent = text;
    place.append(told);
  }

  const note = (text) => { $("explore-state").textContent = text; };

  // Ask for what the state says. `keep`: the chart stays as it is until the answer is there.
  async function load({ push = true } = {}) {
    clearTimeout(again);
    if (running) running.abort();
    if (push && `${window.location.pathname}${window.location.search}` !== address()) window.history.pushState(null, "", address());
    marks();
    if (!state.points.length) { answer = null; chart.draw({ points: [], from_s: 0, to_s: 1 }); note(words.choose); fill(); return; }
    const mine = (running = new AbortController());
    $("explore-chart").classList.add("reading");
    try {
      const buckets = Math.max(200, Math.min(2000, 2 * $("explore-chart").clientWidth));
      const began = performance.now();
      const said = await X.ask(`/api/v1/series?${X.query(state, { buckets })}`, mine.signal);
      said.took_ms = performance.now() - began;
      if (tooManyUnits(said)) return;
      problem("");
      answer = said;
      chart.draw(answer);
      X.follow(answer);
      fill();
      happened(mine.signal);
      again = setTimeout(() => load({ push: false }), said.waiting.length ? AGAIN_MS : said.live && state.last ? LIVE_MS : 1e9);
    } catch (error) {
      if (error.name !== "AbortError") problem(error.message);
    } finally {
      if (running === mine) { running = null; $("explore-chart").classList.remove("reading"); }
    }
  }

  function tooManyUnits(said) {
    if (new Set(said.points.map(X.unitOf)).size <= 2) return false;
    state.points = state.points.slice(0, -1);
    window.history.replaceState(null, "", address());
    load({ push: false }).then(() => problem(words.twoUnits));
    return true;
  }

  async function happened(signal) {
    const equipment = new URLSearchParams();
    [...new Set(answer.points.map((each) => each.equipment))].forEach((each) => equipment.append("equipment", each));
    equipment.set("from", X.iso(answer.from_s));
    equipment.set("to", X.iso(answer.to_s));
    try {
      const said = await X.ask(`/api/v1/series/events?${equipment}`, signal);
      listed = said.events;
      chart.events(listed);
      const lines = listed.map((each) => [X.clock(each.start_s), each.end_s === null ? "…" : X.clock(each.end_s), each.equipment, each.name, each.text]);
      const heads = [words.time, words.to, words.equipment, words.event, words.text];
      $("explore-events").replaceChildren(listed.length ? X.table(heads, lines) : words.noEvents);
      $("explore-events-count").textContent = said.more ? words.more : String(listed.length);
    } catch (error) {
      if (error.name !== "AbortError") $("explore-events").textContent = error.message;
    }
  }

  function fill() {
    chosen();
    links();
    if (!answer) return;
    $("explore-from").value = X.iso(answer.from_s).slice(0, 16);
    $("explore-to").value = X.iso(answer.to_s).slice(0, 16);
    const first = answer.points[0];
    const parts = [`${X.clock(answer.from_s)} ${words.to} ${X.clock(answer.to_s)}`];
    if (first) parts.push(`${words.bucket} ${[...new Set(answer.points.map((each) => X.length(each.bucket_s)))].join(", ")}`, words[first.source === "samples" ? "raw" : first.source]);
    if (answer.live) parts.push(words.live);
    if (answer.waiting.length) parts.push(`${answer.waiting.length} ${words.waiting}${answer.days_ready}/${answer.days}`);
    if (!answer.points.some((each) => each.windows.some(Boolean))) parts.push(words.none);
    note(parts.join(" · "));
    readout(newest());
    bad();
    if ($("explore-table-card").open) table();
  }

  function chosen() {
    const known = new Map((answer ? answer.points : []).map((each) => [each.point, each]));
    $("explore-chosen").replaceChildren(...state.points.map((name, number) => {
      const item = document.createElement("li"), swatch = document.createElement("span"), remove = document.createElement("button");
      const point = known.get(name), label = point ? `${X.called(point)}${point.unit ? ` (${X.unitOf(point)})` : ""}` : name;
      swatch.className = `swatch c${number + 1}${number > 3 ? " dashed" : ""}`;
      swatch.setAttribute("aria-hidden", "true");
      remove.type = "button";
      remove.className = "remove";
      remove.textContent = "×";
      remove.setAttribute("aria-label", `${words.remove} ${label}`);
      remove.addEventListener("click", () => { state.points = state.points.filter((each) => each !== name); load(); });
      item.append(swatch, label, remove);
      item.title = name;
      return item;
    }));
  }

  function marks() {
    document.querySelectorAll("[data-point]").forEach((each) => each.setAttribute("aria-pressed", String(state.points.includes(each.dataset.point))));
    document.querySelectorAll("[data-last]").forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.last === state.last)));
  }

  function links() {
    const resolution = $("explore-resolution").value;
    document.querySelectorAll("[data-form]").forEach((each) => {
      each.classList.toggle("hidden", !state.points.length);
      each.href = `/api/v1/samples?${X.query(state, { resolution, format: each.dataset.form })}`;
    });
    $("explore-link").value = state.points.length ? `${base}/api/v1/samples?${X.query(state, { resolution, format: "csv" })}` : "";
  }

  function asks(point, at) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = words.evidence;
    button.addEventListener("click", () => evidence(point, at));
    return button;
  }

  function evidence(point, at) {
    const when = `${Math.floor(X.startOf(point, at))}000000000`;
    const asked = new URLSearchParams({ point: point.point, at: when });
    window.htmx.ajax("GET", `/evidence/figure?${asked}`, { target: "#drawer", source: "#explore-chart" });
  }

  // Until somebody points at a moment: the last one with data.
  function newest() {
    const ends = answer.points.map((point) => {
      const at = point.windows.findLastIndex(Boolean);
      return at < 0 ? answer.from_s : X.startOf(point, at);
    });
    return Math.max(answer.from_s, ...ends);
  }

  function readout(seconds) {
    if (!answer || !answer.points.length) { $("explore-readout").replaceChildren(); return; }
    const near = (answer.to_s - answer.from_s) / 150;
    const events = listed.filter((each) => seconds >= each.start_s - near && seconds <= (each.end_s ?? Infinity) + near).slice(0, 3);
    const lines = answer.points.map((point) => {
      const at = X.indexAt(point, seconds), told = X.told(point, at);
      const range = told.low ? `${told.low} – ${told.high}` : "";
      const value = point.mean || point.amount ? told.middle : range || told.middle;
      return [X.called(point), at < 0 ? "" : X.clock(X.startOf(point, at)), `${value} ${value === words.gap ? "" : X.unitOf(point)}`, point.mean ? range : "", told.quality, at >= 0 && point.windows[at] ? asks(point, at) : ""];
    });
    const heads = ["", words.time, `${words.mean} / ${words.amount}`, `${words.low} – ${words.high}`, words.good, ""];
    const wrap = Object.assign(document.createElement("div"), { className: "scroll" });
    wrap.append(X.table(heads, lines));
    const said = document.createElement("p");
    said.className = "quiet";
    said.textContent = events.map((each) => `${X.clock(each.start_s)} ${each.equipment} ${each.name} ${each.text}`).join("; ");
    $("explore-readout").replaceChildren(wrap, said);
  }

  function bad() {
    const lines = answer.points.flatMap((point) => point.reasons.map((run) => {
      const end = point.times_s ? X.startOf(point, run.last) : X.startOf(point, run.last) + point.bucket_s;
      return [X.clock(X.startOf(point, run.first)), X.clock(end), X.called(point), run.name];
    }));
    $("explore-bad-count").textContent = String(lines.length);
    $("explore-bad").replaceChildren(lines.length ? X.table([words.time, words.to, "", words.invalid], lines.slice(0, TABLE_ROWS)) : words.noBad);
  }

  function table() {
    const lines = [];
    let cut = false;
    for (const point of answer.points) {
      const until = lines.length + Math.floor(TABLE_ROWS / answer.points.length);
      for (let at = 0; at < point.count; at += 1) {
        if (lines.length >= until) { cut = true; break; }
        if (!point.windows[at]) continue;
        const told = X.told(point, at);
        lines.push([X.called(point), X.clock(X.startOf(point, at)), told.middle, told.low, told.high, X.unitOf(point), told.quality]);
      }
    }
    const hint = document.createElement("p");
    hint.className = "quiet";
    hint.textContent = cut ? words.rows : "";
    $("explore-table").replaceChildren(hint, X.table(["", words.time, `${words.mean} / ${words.amount}`, words.low, words.high, "", words.good], lines));
  }

  function interval(min, max) {
    clearTimeout(settle);
    settle = setTimeout(() => {
      if (stack.length < 50 && answer) stack.push({ ...state });
      const whole = max - min > 7200 ? 60 : 1;
      state = { ...state, last: "", from: X.iso(Math.floor(min / whole) * whole), to: X.iso(Math.ceil(max / whole) * whole) };
      load();
    }, SETTLE_MS);
  }

  function reset() {
    const first = stack[0] || { last: "24h", from: "", to: "" };
    stack = [];
    state = { ...state, last: first.last, from: first.from, to: first.to };
    load();
  }

  const acts = { in: () => chart.zoom(0.5), out: () => chart.zoom(2), left: () => chart.pan(-0.25), right: () => chart.pan(0.25), reset };
  const keys = { "+": acts.in, "=": acts.in, "-": acts.out, _: acts.out, ArrowLeft: acts.left, ArrowRight: acts.right, 0: reset, Home: reset };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-point],[data-last],[data-do]");
    if (!button) return;
    const { point, last } = button.dataset;
    if (point) {
      if (state.points.includes(point)) state.points = state.points.filter((each) => each !== point);
      else if (state.points.length >= MOST) { problem(words.eight); return; } else state.points = [...state.points, point];
    } else if (last) { stack = []; state = { ...state, last, from: "", to: "" }; } else { if (chart.ready()) acts[button.dataset.do](); return; }
    load();
  });
  $("explore-chart").addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !chart.ready()) return;
    const step = event.shiftKey && { ArrowLeft: -4, ArrowRight: 4 }[event.key];
    const act = step ? () => chart.step(step) : keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  $("explore-time").addEventListener("submit", (event) => {
    event.preventDefault();
    stack = [];
    state = { ...state, last: "", from: $("explore-from").value, to: $("explore-to").value };
    load();
  });
  $("explore-resolution").addEventListener("change", links);
  $("explore-link").addEventListener("focus", (event) => event.target.select());
  $("explore-table-card").addEventListener("toggle", () => { if (answer) table(); });
  window.addEventListener("popstate", () => { state = read(); load({ push: false }); });
  document.addEventListener("htmx:afterSwap", marks);
  chart.told.zoomed = interval;
  chart.told.moved = readout;
  chart.told.clicked = (seconds, y) => { const found = chart.nearest(seconds, y); if (found) evidence(found.point, found.at); };
  state = read();
  load({ push: false });
})();
