// The drawer, closing by Escape, and what is told after an act. No page needs more than this and htmx.
"use strict";
(() => {
  const drawer = () => document.getElementById("drawer");
  let asked = null;

  function close() {
    drawer().replaceChildren();
    drawer().classList.remove("open");
    if (asked && document.contains(asked)) asked.focus();
    asked = null;
  }

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "drawer") return;
    if (!asked) asked = event.detail.requestConfig.elt;
    drawer().classList.add("open");
    drawer().focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && drawer().classList.contains("open")) close();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) close();
    const menu = document.querySelector(".top .menu[open]");
    if (menu && !menu.contains(event.target)) menu.removeAttribute("open");
  });

  // What scrolls aside can be scrolled by keys, too.
  function reach() {
    for (const each of document.querySelectorAll(".scroll, pre"))
      if (each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight) each.tabIndex = 0;
  }
  for (const each of ["DOMContentLoaded", "htmx:afterSettle"]) document.addEventListener(each, reach);
  document.addEventListener("toggle", reach, true);
  window.addEventListener("resize", reach);

  // How long nobody has touched the page goes with all that it asks: a page left open asks on and
  // on, and that must not keep its session alive.
  let touched = Date.now();
  const untouched = () => String(Math.round((Date.now() - touched) / 1000));
  for (const name of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"])
    document.addEventListener(name, () => { touched = Date.now(); }, { passive: true });
  document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-Untouched"] = untouched(); });
  const send = window.fetch;
  window.fetch = (address, how = {}) => send(address, { ...how, headers: { ...how.headers, "X-Untouched": untouched() } });

  document.addEventListener("htmx:sendError", () => {
    const told = document.getElementById("told");
    const zh = document.documentElement.lang.startsWith("zh");
    told.textContent = zh ? "与服务器的连接中断，请稍后重试" : "No connection to the server; try again soon";
    told.classList.add("shown");
    setTimeout(() => told.classList.remove("shown"), 6000);
  });
})();
