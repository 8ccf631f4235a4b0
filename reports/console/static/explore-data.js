// What /explore says: words, numbers, plant time, and asking the server.
"use strict";
(() => {
  const words = JSON.parse(document.getElementById("explore-words").textContent);
  const PLANT_S = 8 * 3600; // plant time is fixed at UTC+8: no summer time anywhere

  function number(value, digits = 6) {
    if (value === null || value === undefined) return "—";
    return value.toLocaleString("en-US", { maximumSignificantDigits: digits });
  }

  function iso(seconds) {
    return new Date((seconds + PLANT_S) * 1000).toISOString().slice(0, 19);
  }

  function clock(seconds) {
    const text = iso(seconds).replace("T", " ");
    return seconds % 1 ? text + (seconds % 1).toFixed(3).slice(1) : text;
  }

  function length(seconds) {
    if (!seconds) return words.raw;
    for (const [size, name] of [[86400, words.day], [3600, words.hour], [60, words.minute]]) {
      if (seconds % size === 0) return `${seconds / size} ${name}`;
    }
    return `${seconds} ${words.second}`;
  }

  function query(state, more = {}) {
    const asked = new URLSearchParams();
    for (const point of state.points) asked.append("point", point);
    if (state.last) asked.set("last", state.last);
    else { asked.set("from", state.from); if (state.to) asked.set("to", state.to); }
    for (const [key, value] of Object.entries(more)) asked.set(key, value);
    return asked.toString();
  }

  async function ask(address, signal) {
    const answer = await fetch(address, { signal, headers: { Accept: "application/json" } });
    if (answer.status === 401) { window.location.assign(`/login?next=${encodeURIComponent(window.location.pathname)}`); }
    const said = await answer.json();
    if (!answer.ok) throw new Error((said.problems || [words.failed]).join("\n"));
    return said;
  }

  // Times, low, high, middle (mean, or the increment of a counter) of one point.
  function columns(point) {
    const times = point.times_s || Array.from({ length: point.count }, (_, at) => point.origin_s + at * point.bucket_s);
    const made = { times, low: point.low, high: point.high, middle: point.amount || point.mean };
    if (!point.tail || point.amount) return made; // live values behind what is stored
    const last = point.tail.map((each) => each[1]);
    const longer = (values) => (values ? [...values, ...last] : values);
    return { times: [...times, ...point.tail.map((each) => each[0])], low: longer(made.low), high: longer(made.high), middle: longer(made.middle) };
  }

  function indexAt(point, seconds) {
    if (point.times_s) {
      let best = -1;
      for (let at = 0; at < point.count && point.times_s[at] <= seconds; at += 1) best = at;
      return best;
    }
    const at = Math.floor((seconds - point.origin_s) / point.bucket_s + 1e-9);
    return at >= 0 && at < point.count ? at : -1;
  }

  function startOf(point, at) {
    return point.times_s ? point.times_s[at] : point.origin_s + at * point.bucket_s;
  }

  function reasonAt(point, at) {
    const run = point.reasons.find((each) => each.first <= at && at <= each.last);
    return run ? run.name : "";
  }

  // What is told of one step: texts for readout and table.
  function told(point, at) {
    if (at < 0 || !point.windows[at]) return { middle: words.gap, low: "", high: "", quality: "" };
    const share = point.good[at];
    const reason = reasonAt(point, at);
    const quality = share === null ? "" : `${(share * 100).toFixed(share < 0.9995 && share > 0.995 ? 2 : 0)}%${reason ? ` ${reason}` : ""}`;
    const middle = point.amount ? point.amount[at] : point.mean ? point.mean[at] : null;
    return {
      middle: number(middle),
      low: point.low ? number(point.low[at]) : "",
      high: point.high ? number(point.high[at]) : "",
      quality,
    };
  }

  function row(kind, texts) {
    const line = document.createElement("tr");
    texts.forEach((text, at) => {
      const cell = document.createElement(kind);
      if (text instanceof Node) cell.append(text); else cell.textContent = text;
      if (kind === "th") cell.scope = "col";
      if (at > 1 && kind === "td" && /^[-\d—]/.test(String(text))) cell.className = "number";
      line.append(cell);
    });
    return line;
  }

  function table(heads, lines) {
    const made = document.createElement("table");
    const head = document.createElement("thead");
    head.append(row("th", heads));
    const body = document.createElement("tbody");
    lines.forEach((line) => body.append(row("td", line)));
    made.append(head, body);
    return made;
  }

  function called(point) {
    return `${point.equipment_name} · ${point.name}`;
  }

  function unitOf(point) {
    if (!point.amount) return point.unit;
    return `${point.unit || "1"} / ${length(point.bucket_s)}`;
  }

  window.Explore = { words, number, iso, clock, length, query, ask, columns, indexAt, startOf, reasonAt, told, table, called, unitOf };
})();
