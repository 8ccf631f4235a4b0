// Dropping a package in, showing what was chosen, printing a page. Works without dropping too.
"use strict";
(() => {
  const size = (bytes) => (bytes >= 1048576 ? `${(bytes / 1048576).toFixed(1)} MB` : `${Math.ceil(bytes / 1024)} kB`);

  function tell(input) {
    const place = input.closest("[data-drop]").querySelector("[data-chosen]");
    const file = input.files[0];
    place.textContent = file ? `${file.name} (${size(file.size)})` : place.dataset.none;
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-drop] input[type=file]")) tell(event.target);
  });
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      const place = event.target.closest && event.target.closest("[data-drop]");
      if (!place) return;
      event.preventDefault();
      place.classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => {
    const place = event.target.closest && event.target.closest("[data-drop]");
    if (place && !place.contains(event.relatedTarget)) place.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    const place = event.target.closest && event.target.closest("[data-drop]");
    if (!place) return;
    event.preventDefault();
    place.classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    const input = place.querySelector("input[type=file]");
    const one = new DataTransfer();
    one.items.add(event.dataTransfer.files[0]);
    input.files = one.files;
    tell(input);
    input.form.requestSubmit();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "verdict") event.detail.target.focus();
  });
})();
