"use strict";
// Tells the form as it stands in words shortly after each change, shows only the fields that the chosen kind needs,
// and fills in what is offered to choose from.
{
  const DELAY = 300;

  // Fields that only one choice of another field needs: {"delay": ["wait", "duration"]}.
  function showNeeded(form, shown) {
    const update = () => {
      for (const [name, [other, value]] of Object.entries(shown)) {
        const row = form.querySelector(`.field-${name}`);
        if (row) row.hidden = form.elements[other]?.value !== value;
      }
      for (const part of form.querySelectorAll("[data-needs]")) {
        part.hidden = form.elements[part.dataset.needs]?.value !== part.dataset.value;
      }
    };
    form.addEventListener("change", update);
    update();
  }

  class Live {
    constructor(region, form) {
      Object.assign(this, { region, form });
      this.told = region.querySelector("[data-told]");
      this.missing = region.querySelector("[data-missing]");
      this.problems = region.querySelector("[data-problems]");
      const later = () => this.later();
      form.addEventListener("input", later);
      form.addEventListener("change", later);
      // Select2 and Django's date pickers tell jQuery only.
      window.django?.jQuery?.(form).on("change", later);
      this.ask();
    }

    later() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(), DELAY);
    }

    async ask() {
      this.request?.abort();
      this.request = new AbortController();
      try {
        const answer = await fetch(this.region.dataset.preview, {
          method: "POST", body: new FormData(this.form), signal: this.request.signal, redirect: "error",
          headers: { Accept: "application/json" },
        });
        if (!answer.ok) throw new Error(String(answer.status));
        this.show(await answer.json());
      } catch (error) {
        if (error.name === "AbortError") return;
        this.show({ told: "", missing: this.region.dataset.failed, problems: [], places: {} });
      }
    }

    // Only what changed is written: a screen reader reads out each change.
    show({ told, missing, problems, places }) {
      const write = (element, text) => {
        if (element.textContent !== text) element.textContent = text;
        element.hidden = !text;
      };
      write(this.told, told);
      write(this.missing, missing);
      const lines = problems.join("\n");
      if (this.lines !== lines) {
        this.lines = lines;
        this.problems.replaceChildren(...problems.map((text) => {
          const item = document.createElement("li");
          item.textContent = text;
          return item;
        }));
        this.problems.hidden = !lines;
      }
      this.form.dispatchEvent(new CustomEvent("resonanz:places", { detail: places }));
    }
  }

  // A button that writes a text into an input, such as a rule of recurrence.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fill]");
    if (!button) return;
    const input = document.getElementById(button.dataset.fill);
    input.value = button.dataset.text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.focus();
  });

  const start = () => {
    for (const region of document.querySelectorAll("[data-live]")) {
      const form = document.getElementById(region.dataset.live);
      if (!form) continue;
      showNeeded(form, JSON.parse(region.dataset.shown || "{}"));
      if (region.dataset.preview) new Live(region, form);
    }
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
}
