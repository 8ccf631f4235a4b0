// A potline's page: reads the map's values, hears live ones, and tells one pot or all as a table.
"use strict";
(() => {
  const { scaleOf, quantile, known } = window.smelterColours;
  const zh = document.documentElement.lang.startsWith("zh");
  const $ = (id) => document.getElementById(id);
  const form = $("map-form"), line = form.dataset.line;
  const map = new window.SmelterPotMap($("map-box"), $("map"), $("map-key"));
  const LIVE = { "pot.voltage": "voltage", "pot.swing": "noise", "pot.flicker": "flicker", "pot.pseudo_resistance": "pseudo_resistance", "pot.ae_risk": "risk" };
  const MODES = ["stopped", "running", "starting", "cut_out"];
  const STATES = zh
    ? { running: "运行", stopped: "停槽", starting: "启动", cut_out: "短路切除", link: "通信中断", unknown: "无数据" }
    : { running: "running", stopped: "stopped", starting: "starting", cut_out: "cut out", link: "link lost", unknown: "no data" };
  const BURNS = zh ? "正在发生阳极效应" : "in anode effect now";
  let data = null, place = new Map(), wanted = "voltage", asked = 0, timer = 0, live = false;

  const at = () => ($("map-at").value === "day" ? $("map-day").value : $("map-at").value);

  function told(layer, value) {
    if (value === null || value === undefined) return "—";
    return `${value.toFixed(layer.decimals)}${layer.unit ? ` ${layer.unit}` : ""}`;
  }

  // The live values go on for ever; what is asked for anew must not keep the session of a page
  // that was left open from ending.
  let busy = Date.now();
  for (const name of ["pointermove", "keydown"]) document.addEventListener(name, () => (busy = Date.now()));

  async function load(quiet) {
    clearTimeout(timer);
    if (quiet && Date.now() - busy > 600000) {
      timer = setTimeout(() => load(true), 60000);
      return;
    }
    const time = at(), mine = ++asked;
    $("map-day-label").classList.toggle("hidden", $("map-at").value !== "day");
    if (!time) return;
    if (!quiet) $("map-span").textContent = zh ? "正在读取…" : "Reading …";
    $("map-csv").href = `/api/v1/potlines/${line}/pots?format=csv&at=${time}`;
    let said;
    try {
      const answer = await fetch(`/api/v1/potlines/${line}/pots?at=${time}`, { headers: { Accept: "application/json" } });
      said = await answer.json();
      if (!answer.ok) throw new Error((said.problems || [answer.statusText]).join("; "));
    } catch (error) {
      if (mine === asked && !quiet) $("map-span").textContent = error.message;
      if (time === "now") timer = setTimeout(() => load(true), 15000);
      return;
    }
    if (mine !== asked) return;
    data = said;
    data.burning = data.pots.map(() => false);
    data.labels = data.pots.map((pot) => pot.split("/")[1].replace(/^pot/, ""));
    place = new Map(data.pots.map((pot, k) => [pot, k]));
    live = time === "now";
    if (live) merge(window.smelterLive, null);
    fillLayers();
    choose();
    if (live) timer = setTimeout(() => load(true), 60000);
  }

  function fillLayers() {
    const select = $("map-layer");
    const names = data.layers.map((layer) => [layer.id, layer.unit ? (zh ? `${layer.name}（${layer.unit}）` : `${layer.name} (${layer.unit})`) : layer.name]);
    if (JSON.stringify(names) !== select.dataset.names) {
      select.replaceChildren(...names.map(([id, name]) => new Option(name, id)));
      select.dataset.names = JSON.stringify(names);
    }
    if (!data.layers.some((layer) => layer.id === wanted)) wanted = data.layers.length ? data.layers[0].id : "voltage";
    select.value = wanted;
  }

  function choose() {
    const layer = data.layers.find((each) => each.id === wanted) || null;
    map.show(data, layer, layer && scaleOf(layer));
    $("map-span").textContent = `${data.start.slice(0, 16)} – ${data.end.slice(0, 16)}${live ? (zh ? "，实时更新" : ", live") : ""}${layer && layer.about ? ` · ${layer.about}` : ""}`;
    const empty = $("map-empty");
    empty.classList.toggle("hidden", data.layers.length > 0);
    if (!data.layers.length) {
      empty.textContent = (zh ? "这段时间没有本系列的槽数据。" : "No data of this line's pots in this time. ");
      if (data.newest && data.newest !== at()) {
        const way = document.createElement("a");
        way.href = `?at=${data.newest}`;
        way.textContent = (zh ? "最新数据日 " : "newest data: ") + data.newest;
        empty.append(way);
      }
    }
    summary(layer);
    tell(false);
    table();
  }

  function summary(layer) {
    const counts = {};
    data.states.forEach((state) => (counts[state] = (counts[state] || 0) + 1));
    const parts = Object.entries(counts).map(([state, n]) => `${STATES[state]} ${n}`);
    if (layer) {
      const values = known(layer.values);
      if (values.length) {
        const top = layer.values.map((v, k) => [v, k]).filter(([v]) => v !== null).sort((a, b) => b[0] - a[0]).slice(0, 3);
        parts.unshift(`${layer.name}${zh ? "：中位数 " : ": median "}${told(layer, quantile(values, 0.5))}${zh ? "，最高 " : ", highest "}${top.map(([v, k]) => `${data.labels[k]} ${told(layer, v)}`).join(zh ? "、" : ", ")}`);
      }
    }
    const text = parts.join(zh ? "；" : "; ");
    if ($("map-sum").textContent !== text) $("map-sum").textContent = text;
  }

  function words(k) {
    const shown = data.layers.find((each) => each.id === wanted);
    const others = data.layers.filter((each) => each !== shown && each.values[k] !== null);
    const parts = [`${zh ? "槽 " : "Pot "}${data.labels[k]}`];
    if (shown) parts.push(`${shown.name} ${told(shown, shown.values[k])}`);
    parts.push(STATES[data.states[k]] + (data.burning[k] ? ` ${BURNS}` : ""));
    if (data.reasons[k]) parts.push(data.reasons[k]);
    return [...parts, ...others.map((each) => `${each.name} ${told(each, each.values[k])}`)].join(" · ");
  }

  function tell(always) {
    if (!data || !data.pots.length) return;
    if (always || document.activeElement === $("map-box")) $("map-said").textContent = words(map.at);
  }

  function open() {
    location.href = `/potlines/${data.pots[map.at]}`;
  }

  function table() {
    const box = $("map-table");
    if (!box.open || !data) return;
    const grid = document.createElement("table"), head = grid.createTHead().insertRow(), body = grid.createTBody();
    for (const name of [zh ? "槽号" : "Pot", zh ? "状态" : "State", ...data.layers.map((l) => (l.unit ? `${l.name} ${l.unit}` : l.name))]) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = name;
      head.append(cell);
    }
    data.pots.forEach((pot, k) => {
      const row = body.insertRow(), way = document.createElement("a");
      way.href = `/potlines/${pot}`;
      way.textContent = data.labels[k];
      row.insertCell().append(way);
      row.insertCell().textContent = STATES[data.states[k]] + (data.burning[k] ? ` ${BURNS}` : "");
      for (const layer of data.layers) {
        const cell = row.insertCell();
        cell.className = "number";
        cell.textContent = layer.values[k] === null ? "—" : layer.values[k].toFixed(layer.decimals);
      }
    });
    box.querySelector(".scroll").replaceChildren(grid);
  }

  // One value that is of now, laid over what was read; true: the map looks different by it.
  function lay(key, row, now, by) {
    const [pot, quantity] = key.split(" "), k = place.get(pot);
    if (k === undefined) return false;
    const fresh = (now - row.at) / 1000 <= row.hold && row.reason !== "silent";
    const layer = by[LIVE[quantity]];
    let any = false;
    if (layer) {
      const value = fresh ? row.value : null;
      any = layer.values[k] !== value;
      layer.values[k] = value;
      if (layer.id === "voltage" && !fresh) data.states[k] = "unknown";
      else if (layer.id === "voltage" && value !== null && data.states[k] === "unknown") data.states[k] = "running";
    }
    if (!fresh || row.value === null) return any;
    const before = data.states[k] + data.burning[k];
    if (quantity === "pot.mode" && data.states[k] !== "link") data.states[k] = MODES[row.value] || data.states[k];
    if (quantity === "pot.link") data.states[k] = row.value > 0 ? "link" : data.states[k] === "link" ? "running" : data.states[k];
    if (quantity === "pot.anode_effect") data.burning[k] = row.value > 0;
    return any || before !== data.states[k] + data.burning[k];
  }

  // All that was heard, or only the keys that a message brought.
  function merge(heard, keys) {
    if (!heard || !data) return false;
    const now = heard.now(), by = Object.fromEntries(data.layers.map((layer) => [layer.id, layer]));
    let any = false;
    for (const [rows, some] of [[heard.windows, keys && keys.windows], [heard.points, keys && keys.points]]) {
      for (const key of some ? Object.keys(some) : rows.keys()) {
        const row = rows.get(key);
        if (row && lay(key, row, now, by)) any = true;
      }
    }
    if (any && by.excess && by.voltage) {
      const values = known(by.voltage.values), low = values.length ? quantile(values, 0.25) : null;
      by.excess.values = by.voltage.values.map((v) => (v === null || low === null ? null : (v - low) * 1000));
    }
    return any;
  }

  function heardNews(keys) {
    const begin = performance.now();
    if (!merge(window.smelterLive, keys)) return;
    const layer = data.layers.find((each) => each.id === wanted), scale = layer && scaleOf(layer), had = map.scale;
    // the scale stays while it fits, so that colours keep their meaning from second to second
    const far = scale && had ? Math.max(Math.abs(scale.low - had.low), Math.abs(scale.high - had.high)) / (had.high - had.low) : 1;
    if (scale && (!had || far > 0.25)) map.scale = scale;
    map.layer = layer;
    map.redraw();
    $("map-box").dataset.mergeMs = (performance.now() - begin).toFixed(2);
  }

  const looking = () => live && data && !document.hidden;
  document.addEventListener("live:values", (event) => { if (looking()) heardNews(event.detail); });
  // what has gone silent is found by looking at all
  setInterval(() => { if (looking()) { heardNews(null); summary(map.layer); } }, 5000);

  const box = $("map-box");
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && data) open();
    else if (map.move(event.key)) { event.preventDefault(); tell(true); }
  });
  for (const name of ["focus", "blur"]) box.addEventListener(name, () => { map.redraw(); tell(name === "focus"); });
  box.addEventListener("pointermove", (event) => {
    const k = map.potAt(event);
    box.classList.toggle("on-pot", k !== null);
    if (k !== null && data) $("map-said").textContent = words(k);
  });
  box.addEventListener("click", (event) => {
    const k = map.potAt(event);
    if (k === null || !data) return;
    map.at = k;
    open();
  });
  $("map-table").addEventListener("toggle", table);
  $("map-layer").addEventListener("change", (event) => { wanted = event.target.value; choose(); });
  $("map-layout").addEventListener("change", (event) => { map.layout = event.target.value; map.arrange(); });
  for (const id of ["map-at", "map-day"]) $(id).addEventListener("change", () => load(false));
  form.addEventListener("submit", (event) => event.preventDefault());
  if (window.smelterLive) window.smelterLive.want(...Object.keys(LIVE), "pot.mode", "pot.link", "pot.anode_effect");
  load(false);
})();
