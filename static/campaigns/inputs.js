"use strict";
// Inputs of a step's form. Each writes into the step as it is changed: what is empty is left out of it.
{
  const { make, select, id } = window.resonanz;
  const UNITS = { weeks: 604800, days: 86400, hours: 3600, minutes: 60, seconds: 1 };

  window.campaign.Inputs = class {
    constructor({ words, step, changed }) {
      Object.assign(this, { words, step, changed });
      this.texts = words.texts;
      this.last = null;  // The text that was last written in: variables go there.
    }

    set(name, value) {
      const isEmpty = value === "" || value === undefined || value === false || value === null
        || (Array.isArray(value) && !value.length)
        || (window.campaign.isObject(value) && name !== "condition" && !Object.keys(value).length);
      if (isEmpty) delete this.step[name];
      else this.step[name] = value;
      this.changed();
    }

    // A label, an input, a hint, and room for what is wrong.
    row(name, label, input, hint = "", controls = [input]) {
      const error = make("p", { class: "f-error", id: id("f-error"), hidden: true, "data-error": name });
      const known = id("f-input");
      controls[0].id ||= known;
      const note = hint ? make("p", { class: "f-hint", id: id("f-hint") }, hint) : null;
      if (note) controls[0].setAttribute("aria-describedby", note.id);
      const title = make("label", { class: "f-name", for: controls[0].id }, label);
      return make("div", { class: "f-field", "data-setting": name }, title, input, note, error);
    }

    line(name, { label = this.texts[name], hint = "", max = 300 } = {}) {
      const input = make("input", { type: "text", class: "b-input", maxlength: max, autocomplete: "off" });
      input.value = this.step[name] ?? "";
      input.addEventListener("input", () => this.set(name, input.value));
      return this.row(name, label, input, hint);
    }

    // A text in each language.
    texts_of(name, { label = this.texts[name], long = false, max = long ? 10000 : 300, hasVariables = true } = {}) {
      const inputs = this.words.languages.map(([code, language]) => {
        const kind = long ? "textarea" : "input";
        const input = make(kind, {
          class: long ? "b-input f-long" : "b-input", type: long ? null : "text", rows: long ? 5 : null, maxlength: max,
          lang: code, autocomplete: "off", id: id("f-input"), "data-language": code,
        });
        input.value = this.step[name]?.[code] ?? "";
        input.addEventListener("input", () => {
          const texts = { ...this.step[name], [code]: input.value };
          if (!input.value) delete texts[code];
          this.set(name, texts);
        });
        if (hasVariables) input.addEventListener("focus", () => (this.last = input));
        return make("div", { class: "f-language" }, make("label", { for: input.id }, language), input);
      });
      const error = make("p", { class: "f-error", hidden: true, "data-error": name });
      return make("fieldset", { class: "f-field", "data-setting": name }, make("legend", { class: "f-name" }, label), ...inputs, error);
    }

    choice(name, pairs, { label = this.texts[name], empty = this.texts.choose, hint = "", after = () => {} } = {}) {
      const chosen = this.step[name] === undefined ? "" : String(this.step[name]);
      const input = select([["", empty], ...pairs], chosen, {});
      input.addEventListener("change", () => {
        this.set(name, input.value && Number(input.value));
        after();
      });
      return this.row(name, label, input, hint);
    }

    number(name, { label = this.texts[name], min = 0, max = 250, hint = "" } = {}) {
      const input = make("input", { type: "number", class: "b-input f-short", min, max, step: 1, inputmode: "numeric" });
      input.value = this.step[name] ?? "";
      input.addEventListener("input", () => this.set(name, input.value === "" ? "" : Number(input.value)));
      return this.row(name, label, input, hint);
    }

    // Seconds, as a number and a unit.
    span(name, { label = this.texts[name], hint = "" } = {}) {
      const seconds = this.step[name];
      const known = Object.keys(UNITS).find((unit) => seconds >= UNITS[unit] && seconds % UNITS[unit] === 0);
      const start = known === "weeks" ? "days" : known || "days";
      const amount = make("input", { type: "number", class: "b-input f-short", min: 1, step: 1, inputmode: "numeric" });
      amount.value = Number.isInteger(seconds) ? seconds / UNITS[start] : "";
      const pairs = ["minutes", "hours", "days", "weeks", "seconds"].map((unit) => [unit, this.texts[`${unit}_unit`]]);
      const unit = select(pairs, start, { "aria-label": `${label}: ${this.texts.unit}` });
      const update = () => {
        const value = amount.value === "" ? "" : Number(amount.value) * UNITS[unit.value];
        this.set(name, value);
      };
      amount.addEventListener("input", update);
      unit.addEventListener("change", update);
      return this.row(name, label, make("div", { class: "f-span" }, amount, unit), hint, [amount]);
    }

    time(name, { label = this.texts[name] } = {}) {
      const input = make("input", { type: "time", class: "b-input f-short" });
      const minute = this.step[name];
      const two = (value) => String(value).padStart(2, "0");
      if (Number.isInteger(minute)) input.value = `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
      input.addEventListener("input", () => {
        const [hours, minutes] = input.value.split(":").map(Number);
        this.set(name, input.value ? hours * 60 + minutes : "");
      });
      return this.row(name, label, input);
    }

    flag(name, { label = this.texts[name], hint = "" } = {}) {
      const input = make("input", { type: "checkbox", id: id("f-input") });
      input.checked = this.step[name] === true;
      input.addEventListener("change", () => this.set(name, input.checked));
      const note = hint ? make("p", { class: "f-hint", id: id("f-hint") }, hint) : null;
      if (note) input.setAttribute("aria-describedby", note.id);
      const error = make("p", { class: "f-error", hidden: true, "data-error": name });
      const line = make("div", { class: "f-check" }, input, make("label", { for: input.id }, label));
      return make("div", { class: "f-field", "data-setting": name }, line, note, error);
    }

    tags(name) {
      const input = make("input", { type: "text", class: "b-input", autocomplete: "off" });
      input.value = (Array.isArray(this.step[name]) ? this.step[name] : []).join(", ");
      input.addEventListener("input", () => {
        this.set(name, [...new Set(input.value.split(",").map((tag) => tag.trim()).filter(Boolean))]);
      });
      return this.row(name, this.texts[name], input, this.texts.tags_hint);
    }

    // The variables, each a button that inserts it.
    variables() {
      const items = this.words.variables.map(([written, label]) => make("li", {}, make("button", {
        type: "button", class: "f-variable", click: () => this.insert(written),
      }, make("code", {}, written), make("span", {}, label))));
      const summary = make("summary", {}, this.texts.variables);
      const hint = make("p", { class: "f-hint" }, this.texts.variables_hint);
      return make("details", { class: "f-variables" }, summary, hint, make("ul", {}, ...items));
    }

    insert(written) {
      const input = this.last;
      if (!input?.isConnected) return;
      input.setRangeText(written, input.selectionStart, input.selectionEnd, "end");
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.focus();
    }
  };
}
