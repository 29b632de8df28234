"use strict";
// Options as rows with a text per language. The text area with their JSON stays the form's field.
{
  const { make, button, sign, text, write, read, slug, free, words } = window.survey;
  const isOption = (row) =>
    typeof row === "object" && row !== null && Object.keys(row).every((key) => key === "key" || key === "text")
    && typeof (row.key ?? "") === "string" && typeof row.text === "object" && row.text !== null;

  survey.Options = class {
    constructor(root) {
      this.textarea = root.querySelector("textarea");
      const found = read(this.textarea, []);
      if (!Array.isArray(found) || !found.every(isOption)) return;
      this.rows = [];
      this.list = make("ol", { class: "s-list" });
      this.add = button(text("add_option"), () => this.addRow().focus());
      this.textarea.hidden = true;
      root.append(this.list, this.add);
      for (const option of found) this.append(option);
      this.renumber();
    }

    append(option) {
      const row = { key: option.key || "", texts: { ...option.text }, key_shown: make("code", { class: "s-key" }) };
      row.inputs = words.languages.map(([code, name]) => {
        const input = make("input", {
          class: "s-input", type: "text", maxlength: 300, autocomplete: "off", placeholder: name,
          input: () => {
            row.texts[code] = input.value;
            this.changed();
          },
          // From then on the option is known by its key: another text does not change it.
          change: () => this.name(row),
          keydown: (event) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            this.name(row);
            (this.rows[this.rows.indexOf(row) + 1]?.inputs[0] || this.addRow()).focus();
          },
        });
        input.value = row.texts[code] || "";
        return input;
      });
      row.up = sign("↑", "", () => this.move(row));
      row.remove = sign("×", "", () => this.remove(row));
      const inputs = make("span", { class: "s-texts" }, ...row.inputs);
      row.element = make("li", { class: "s-option", role: "group" }, inputs, row.key_shown, row.up, row.remove);
      this.rows.push(row);
      this.list.append(row.element);
      return row;
    }

    addRow() {
      if (this.rows.length >= words.maxOptions) return this.rows.at(-1).inputs[0];
      const row = this.append({ text: {} });
      this.changed();
      return row.inputs[0];
    }

    name(row) {
      if (row.key) return;
      const written = row.texts.en || Object.values(row.texts).find(Boolean);
      if (!written) return;
      row.key = free(slug(written) || "option", this.rows.map((other) => other.key));
      this.changed();
    }

    move(row) {
      const place = this.rows.indexOf(row);
      if (!place) return;
      this.rows.splice(place, 1);
      this.rows.splice(place - 1, 0, row);
      this.list.insertBefore(row.element, this.rows[place].element);
      this.changed();
      row.up.focus();
    }

    remove(row) {
      const place = this.rows.indexOf(row);
      this.rows.splice(place, 1);
      row.element.remove();
      this.changed();
      (this.rows[Math.min(place, this.rows.length - 1)]?.remove || this.add).focus();
    }

    changed() {
      this.renumber();
      const filled = (texts) => Object.fromEntries(Object.entries(texts).filter(([, value]) => value));
      write(this.textarea, this.rows.map((row) => ({ key: row.key, text: filled(row.texts) })));
    }

    renumber() {
      this.add.hidden = this.rows.length >= words.maxOptions;
      this.rows.forEach((row, place) => {
        const number = place + 1;
        row.element.setAttribute("aria-label", text("option", { number }));
        row.inputs.forEach((input, n) => {
          input.setAttribute("aria-label", text("option_text", { number, language: words.languages[n][1] }));
        });
        for (const [sign, label] of [[row.up, "option_up"], [row.remove, "remove_option"]]) {
          sign.title = text(label, { number });
          sign.setAttribute("aria-label", sign.title);
        }
        row.up.disabled = !place;
        row.key_shown.textContent = row.key;
      });
    }
  };
}
