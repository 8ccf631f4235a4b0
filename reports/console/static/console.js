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
    for (const each of document.querySelectorAll(".scroll"))
      if (each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight) each.tabIndex = 0;
  }
  for (const each of ["DOMContentLoaded", "htmx:afterSettle"]) document.addEventListener(each, reach);
  document.addEventListener("toggle", reach, true);
  window.addEventListener("resize", reach);

  document.addEventListener("htmx:sendError", () => {
    const told = document.getElementById("told");
    const zh = document.documentElement.lang.startsWith("zh");
    told.textContent = zh ? "与服务器的连接中断，请稍后重试" : "No connection to the server; try again soon";
    told.classList.add("shown");
    setTimeout(() => told.classList.remove("shown"), 6000);
  });
})();
