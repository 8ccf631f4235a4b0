// Newest values as they come: fills every [data-live], and tells the page of events by DOM events.
// <span data-live="line1/pot001 pot.voltage" data-decimals="3">; live:values, live:happened,
// live:line, live:state on document, with detail. A page names what else it wants by
// data-live-of="line1/,stack." on any element, or smelterLive.want("line1/").
"use strict";
(() => {
  const zh = document.documentElement.lang.startsWith("zh");
  // "equipment quantity" → {at, value, reason, hold, good}; a sample goes before a window
  const points = new Map(), windows = new Map();
  const wanted = new Set();
  let source = null, again = null, asked = "", reachable = true, ahead = 0, heard = 0;

  const REASONS = Object.fromEntries([
    ["silent", "设备无数据", "device not heard"], ["no_data", "通信无数据", "nothing came"], ["no_value", "无有效值", "no good value"],
    ["refused", "设备拒绝该点", "refused by the device"], ["not_available", "设备无此值", "not available"], ["undecodable", "无法解码", "undecodable"],
    ["overload", "采集过载", "polling overloaded"], ["out_of_range", "超量程", "out of range"], ["stuck", "数值不变", "stuck"], ["jump", "跳变", "jumped"],
    ["device_fault", "设备故障", "device fault"], ["calibration", "校准", "calibration"], ["maintenance", "维护", "maintenance"], ["uncertain", "不确定", "uncertain"],
    ["substituted", "替代值", "substituted"], ["imported", "导入", "imported"], ["stopped", "停运", "stopped"], ["set_by_hand", "手工置数", "set by hand"],
  ].map(([name, chinese, english]) => [name, zh ? chinese : english]));

  function text(value, decimals) {
    if (value === null || value === undefined) return "—";
    const places = decimals === undefined ? undefined : Number(decimals);
    return value.toLocaleString("en-US", places === undefined
      ? { maximumSignificantDigits: 6 }
      : { minimumFractionDigits: places, maximumFractionDigits: places });
  }

  function age(seconds) {
    if (seconds < 120) return zh ? `${Math.round(seconds)} 秒前` : `${Math.round(seconds)} s ago`;
    if (seconds < 7200) return zh ? `${Math.round(seconds / 60)} 分钟前` : `${Math.round(seconds / 60)} min ago`;
    return zh ? `${Math.round(seconds / 3600)} 小时前` : `${Math.round(seconds / 3600)} h ago`;
  }

  function fill(element) {
    const row = points.get(element.dataset.live) || windows.get(element.dataset.live);
    if (!row) return;
    const seconds = (Date.now() + ahead - row.at) / 1000;
    const old = !reachable || seconds > row.hold || row.reason === "silent";
    element.textContent = text(row.value, element.dataset.decimals);
    element.classList.toggle("stale", old);
    element.classList.toggle("doubtful", !old && row.value !== null && row.reason !== "");
    const parts = [];
    if (row.reason) parts.push(REASONS[row.reason] || row.reason);
    if (old || row.value === null) parts.push(age(seconds));
    element.title = parts.join(" · ");
    const note = (element.closest(".figure") || element).nextElementSibling;
    if (note && note.matches("[data-live-note]")) note.textContent = old || row.value === null ? parts.join(" · ") : "";
  }

  // data-live-sum="a|b": the sum, where every part is of now; else a dash and what lacks.
  function fillSum(element) {
    let sum = 0, lacking = "";
    for (const key of element.dataset.liveSum.split("|")) {
      const row = points.get(key) || windows.get(key);
      if (!row) return;
      const old = !reachable || (Date.now() + ahead - row.at) / 1000 > row.hold || row.reason === "silent";
      if (row.value === null || old) lacking = key;
      else sum += row.value;
    }
    element.textContent = text(lacking ? null : sum, element.dataset.decimals);
    element.title = lacking ? `${zh ? "缺：" : "lacks "}${lacking}` : "";
  }

  function fillAll() {
    document.querySelectorAll("[data-live]").forEach(fill);
    document.querySelectorAll("[data-live-sum]").forEach(fillSum);
  }

  function say(name, detail) {
    document.dispatchEvent(new CustomEvent(`live:${name}`, { detail }));
  }

  function take(name, data) {
    heard = Date.now();
    if (name === "values") {
      ahead = data.now_ms - Date.now();
      for (const [rows, known] of [[data.windows, windows], [data.points, points]]) {
        for (const [key, [at, value, reason, hold, good]] of Object.entries(rows)) {
          known.set(key, { at, value, reason, hold, good });
        }
      }
      fillAll();
    } else if (name === "state") {
      reachable = data.reachable;
      tellState(data.text);
      fillAll();
    }
    say(name, data);
  }

  function tellState(words) {
    document.querySelectorAll("[data-live-state]").forEach((element) => {
      element.textContent = words;
      element.classList.toggle("hidden", !words);
    });
  }

  function lost() {
    reachable = false;
    tellState(zh ? "与控制台的实时连接中断，正在重连…" : "live connection to the console lost; trying again …");
    fillAll();
  }

  function prefixes() {
    document.querySelectorAll("[data-live]").forEach((each) => wanted.add(each.dataset.live));
    document.querySelectorAll("[data-live-sum]").forEach((each) => each.dataset.liveSum.split("|").forEach((x) => wanted.add(x)));
    document.querySelectorAll("[data-live-of]").forEach((each) => each.dataset.liveOf.split(",").forEach((x) => wanted.add(x)));
    const roots = [...wanted].filter((x) => ![...wanted].some((y) => y !== x && x.startsWith(y)));
    if (roots.length <= 40) return roots.sort();
    return [...new Set(roots.map((x) => x.split("/")[0] + "/"))].sort().slice(0, 40);
  }

  function open() {
    clearTimeout(again);
    if (document.hidden) return;
    asked = prefixes().join(",");
    if (source) source.close();
    source = new EventSource(`/live?of=${encodeURIComponent(asked)}`);
    for (const name of ["values", "happened", "line", "state"]) {
      source.addEventListener(name, (event) => take(name, JSON.parse(event.data)));
    }
    source.addEventListener("beat", () => { heard = Date.now(); });
    source.addEventListener("ended", () => { source.close(); source = null; lost(); tellState(zh ? "登录已结束，请重新登录" : "you were logged out; log in again"); });
    source.onerror = () => {
      lost();
      if (source && source.readyState === EventSource.CLOSED) again = setTimeout(open, 15000);
    };
  }

  function shut() {
    clearTimeout(again);
    if (source) source.close();
    source = null;
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? shut() : open()));
  window.addEventListener("pagehide", shut);
  document.addEventListener("htmx:afterSettle", () => {
    if (source && prefixes().join(",") !== asked) open();
    else fillAll();
  });
  setInterval(() => {
    if (source && heard && Date.now() - heard > 20000) lost();
    else fillAll();
  }, 1000);
  window.smelterLive = {
    want(...names) { names.forEach((each) => wanted.add(each)); if (source) open(); },
    points,
    windows,
    now: () => Date.now() + ahead,
    text,
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", open);
  else open();
})();
