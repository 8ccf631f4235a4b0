// Names of the chosen documents are offered where a row names one.
"use strict";
(() => {
  document.addEventListener("change", (event) => {
    const chosen = event.target.closest("[data-documents]");
    if (!chosen) return;
    const list = document.getElementById("documents");
    if (!list) return;
    list.replaceChildren(
      ...Array.from(chosen.files, (file) => {
        const option = document.createElement("option");
        option.value = file.name;
        return option;
      }),
    );
  });
})();
