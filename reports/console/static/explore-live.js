// Newest values behind the stored ones, while the time on /explore ends now.
"use strict";
(() => {
  const X = window.Explore;
  const FINEST_S = 60; // wider steps wait for the next answer of the store
  const wanted = new Set();
  let answer = null;

  function take(event) {
    if (!answer || !answer.live) return;
    let newest = 0;
    for (const point of answer.points) {
      const row = (event.detail.points || {})[point.point];
      if (!row || point.amount || point.bucket_s > FINEST_S) continue;
      const [at_ms, value, reason] = row, at = at_ms / 1000;
      const tail = (point.tail = point.tail || []);
      const stored = point.count ? X.startOf(point, point.count - 1) : answer.from_s;
      if (at <= (tail.length ? tail[tail.length - 1][0] : stored)) continue;
      tail.push([at, reason ? null : value]); // what is not good is no value
      newest = Math.max(newest, at);
    }
    if (newest) X.chart.redraw(newest);
  }

  X.follow = (said) => {
    answer = said;
    if (!said || !said.live || !window.smelterLive) return;
    const fresh = said.points.map((point) => point.point).filter((name) => !wanted.has(name));
    fresh.forEach((name) => wanted.add(name));
    if (fresh.length) window.smelterLive.want(...fresh);
  };
  document.addEventListener("live:values", take);
})();
