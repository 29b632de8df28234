"use strict";
// Without this script the form works as well: it says what is wrong, and how far it is, only afterwards.
for (const form of document.querySelectorAll("form[data-upload]")) {
  const file = form.querySelector("input[type=file]");
  const bar = form.querySelector(".upload-progress");
  file.addEventListener("change", () => {
    const tooLarge = [...file.files].some((one) => one.size > Number(form.dataset.maxBytes));
    file.setCustomValidity(tooLarge ? form.dataset.tooLarge : "");
    if (tooLarge) file.reportValidity();
  });
  for (const [name, isOver] of [["dragenter", true], ["dragleave", false], ["drop", false]]) {
    file.addEventListener(name, () => file.classList.toggle("is-over", isOver));
  }
  form.addEventListener("submit", () => {
    bar.hidden = false;
    form.querySelector("button[type=submit]").disabled = true;
  });
  // Coming back to the page finds it as it was.
  window.addEventListener("pageshow", () => {
    bar.hidden = true;
    form.querySelector("button[type=submit]").disabled = false;
  });
}
