"use strict";
// Send windows as rows: weekdays to switch on and off, from, to. The text area with their JSON stays the form's field.
{
  const { make, button, cross, data, write, complain, id } = window.resonanz;
  const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;
  const isDay = (day) => Number.isInteger(day) && day >= 0 && day < 7;
  const isWindow = (value) =>
    typeof value === "object" && value !== null && Array.isArray(value.days) && value.days.every(isDay)
    && typeof value.from === "string" && typeof value.to === "string"
    && Object.keys(value).every((key) => ["days", "from", "to"].includes(key));

  class Windows {
    constructor(root) {
      this.textarea = root.querySelector("textarea");
      this.element = root;
      Object.assign(this, data(root, "vocabulary"));
      this.problems = data(root, "places");
      const windows = this.parse();
      if (!windows) {
        root.querySelector("[data-unreadable]").hidden = false;
        return;
      }
      this.rows = [];
      this.list = make("ol", { class: "b-list" });
      this.empty = make("p", { class: "b-empty" }, this.texts.always);
      const usual = { days: [0, 1, 2, 3, 4], from: "09:00", to: "18:00" };
      this.addButton = button(this.texts.add_row, () => this.add(usual));
      const quiet = { class: "b-button b-quiet" };
      const presets = this.presets.map(([label, value]) => button(label, () => this.fill(value), quiet));
      for (const window of windows) this.append(window);
      this.textarea.hidden = true;
      const foot = make("div", { class: "b-foot" }, this.addButton, ...presets);
      const all = [this.empty, this.list, foot];
      root.append(make("div", { class: "b-group", role: "group", "aria-label": this.texts.group }, ...all));
      this.draw();
      this.textarea.form?.addEventListener("resonanz:places", (event) => {
        this.problems = event.detail[this.textarea.name] || {};
        this.draw();
      });
    }

    parse() {
      try {
        const windows = JSON.parse(this.textarea.value.trim() || "[]");
        return Array.isArray(windows) && windows.every(isWindow) ? windows : null;
      } catch {
        return null;
      }
    }

    row(window) {
      const row = { error: make("p", { class: "b-error", id: id("b-error"), hidden: true }), original: window };
      const changed = () => {
        row.original = null;
        this.changed();
      };
      row.days = this.days.map(([name, full], day) => {
        const box = make("input", { type: "checkbox", "aria-label": full, change: changed });
        box.checked = window.days.includes(day);
        return make("label", { class: "b-day" }, box, make("span", { "aria-hidden": "true" }, name));
      });
      const clock = (label, value) => {
        // What is no time of the day, such as the midnight that ends it, cannot be shown in an input for times.
        const isClock = CLOCK.test(value) || value === "24:00" || value === "";
        const type = isClock ? "time" : "text";
        const input = make("input", { class: "b-input", type, "aria-label": label, input: changed });
        input.value = value === "24:00" ? "00:00" : value;
        return input;
      };
      row.from = clock(this.texts.from, window.from);
      row.to = clock(this.texts.to, window.to);
      row.remove = cross(this.texts.remove, () => this.remove(row));
      row.element = make("li", { class: "b-row b-window", role: "group" },
        make("span", { class: "b-days", role: "group", "aria-label": this.texts.days }, ...row.days),
        make("span", { class: "b-pair" }, row.from, make("span", {}, "–"), row.to), row.remove, row.error);
      row.read = () => row.original || {
        days: row.days.flatMap((label, day) => (label.firstChild.checked ? [day] : [])),
        from: row.from.value,
        to: row.to.value === "00:00" ? "24:00" : row.to.value,
      };
      return row;
    }

    append(window) {
      const row = this.row(window);
      this.rows.push(row);
      this.list.append(row.element);
      return row;
    }

    add(window) {
      const row = this.append(window);
      this.changed();
      row.days[0].firstChild.focus();
    }

    fill(windows) {
      this.rows = [];
      this.list.replaceChildren();
      for (const window of windows) this.append(window);
      this.changed();
    }

    remove(row) {
      const place = this.rows.indexOf(row);
      this.rows.splice(place, 1);
      row.element.remove();
      this.changed();
      const next = this.rows[Math.min(place, this.rows.length - 1)];
      (next ? next.remove : this.addButton).focus();
    }

    changed() {
      this.draw();
      write(this.textarea, this.rows.map((row) => row.read()));
    }

    draw() {
      this.empty.hidden = this.rows.length > 0;
      this.rows.forEach((row, n) => {
        const number = String(n + 1);
        row.element.setAttribute("aria-label", this.texts.window.replace("{number}", number));
        row.remove.setAttribute("aria-label", this.texts.remove_window.replace("{number}", number));
        const own = Object.entries(this.problems).filter(([path]) => path.split(".")[0] === String(n));
        const texts = own.map(([, text]) => text);
        complain(row.error, row.element.querySelectorAll("input"), texts.join(" "));
      });
    }
  }

  // A row that is added to a form is a copy of its empty one, which has to stay as it was written.
  const build = (part) => {
    for (const root of part.querySelectorAll("[data-builder=windows]")) {
      if (!root.closest(".empty-form")) new Windows(root);
    }
  };
  const start = () => {
    build(document);
    document.addEventListener("formset:added", (event) => build(event.target));
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
}
