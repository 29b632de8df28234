"use strict";
// When a question is shown, as rows of comparisons: all or any of them. The text area with the JSON stays the form's
// field; a tree that is deeper than that is left to be changed as text.
{
  const { make, select, button, sign, text, write, read, words } = window.survey;
  const SHAPES = { exists: "none", missing: "none", in: "list", not_in: "list", between: "pair" };
  const NUMBERS = ["lt", "le", "gt", "ge", "between"];
  const ROOTS = /^(answer|contact|property|response)\../;
  const isScalar = (value) => ["string", "number", "boolean"].includes(typeof value);
  const shapeOf = (op) => SHAPES[op] || "one";
  const COMMA = document.documentElement.lang.startsWith("de");

  function isLeaf(tree) {
    if (typeof tree !== "object" || tree === null || Object.keys(tree).some((k) => !["field", "op", "value"].includes(k))) {
      return false;
    }
    if (tree.field === "" && tree.op === "") return true;  // A row nobody had filled in yet.
    if (typeof tree.field !== "string" || !(tree.op in words.opNames)) return false;
    if (!ROOTS.test(tree.field) && tree.field !== "contact." && tree.field !== "property.") return false;
    const { value } = tree;
    if (shapeOf(tree.op) === "one") return value === undefined || isScalar(value);
    return shapeOf(tree.op) === "none" ? value === undefined : Array.isArray(value) && value.every(isScalar);
  }

  // What rows can show: nothing, one comparison, or all or any of several.
  function split(tree) {
    if (typeof tree !== "object" || tree === null || Array.isArray(tree)) return null;
    const keys = Object.keys(tree);
    if (!keys.length) return { mode: "all", leaves: [] };
    if (isLeaf(tree)) return { mode: "all", leaves: [tree] };
    const [mode] = keys;
    const fits = keys.length === 1 && ["all", "any"].includes(mode) && Array.isArray(tree[mode]) && tree[mode].every(isLeaf);
    return fits ? { mode, leaves: tree[mode] } : null;
  }

  function toNumber(written) {
    const plain = COMMA ? written.trim().replace(",", ".") : written.trim();
    return /^[-+]?(\d+(\.\d+)?|\.\d+)$/.test(plain) ? Number(plain) : written.trim();
  }

  const shown = (value) => (typeof value === "number" && COMMA ? String(value).replace(".", ",") : String(value ?? ""));

  class Row {
    constructor(editor, leaf) {
      this.editor = editor;
      ({ field: this.field = "", op: this.op = "", value: this.value } = leaf);
      this.original = leaf.field ? leaf : null;  // Written back as it came until somebody changes it.
      this.cells = make("div", { class: "s-cells" });
      this.remove = sign("×", "", () => editor.remove(this));
      this.element = make("li", { class: "s-row", role: "group" }, this.cells, this.remove);
      this.draw();
    }

    known() {
      return this.editor.offers.find((offer) => offer.name === this.field);
    }

    kind() {
      return this.known()?.kind || "any";
    }

    draw() {
      const open = ["contact", "property"].find((root) => !this.known() && this.field.startsWith(`${root}.`));
      this.drawn = JSON.stringify([this.editor.offers, this.field]);
      const parts = [this.fieldSelect(open), open && this.nameInput(open)];
      if (this.field) parts.push(this.opSelect());
      if (this.op) parts.push(this.valueInput());
      this.cells.replaceChildren(...parts.filter(Boolean));
    }

    fieldSelect(open) {
      const chosen = open ? `${open}.` : this.field;
      const element = make("select", { class: "s-input", "aria-label": text("field") });
      if (!chosen) element.append(new Option(text("choose"), "", true, true));
      if (chosen && !open && !this.known()) {
        element.append(new Option(text("gone", { name: chosen.replace(/^answer\./, "") }), chosen, true, true));
      }
      for (const [group, label] of [["score", "group_score"], ["answers", "group_answers"], ["more", "group_more"]]) {
        const offers = this.editor.offers.filter((offer) => offer.group === group);
        const options = offers.map((offer) => new Option(offer.label, offer.name, false, offer.name === chosen));
        if (options.length) element.append(make("optgroup", { label: text(label) }, ...options));
      }
      element.addEventListener("change", () => {
        this.field = element.value;
        const ops = this.ops().map(([op]) => op);
        this.op = ops.includes(this.op) ? this.op : ops[0];
        this.value = undefined;
        this.redraw(".s-input");
      });
      return element;
    }

    nameInput(root) {
      const label = text("name");
      const input = make("input", {
        class: "s-input", type: "text", maxlength: 100, autocomplete: "off", "aria-label": label, placeholder: label,
      });
      input.value = this.field.slice(root.length + 1);
      input.addEventListener("input", () => {
        this.field = `${root}.${input.value.trim()}`;
        this.edited();
      });
      return input;
    }

    ops() {
      return words.ops[this.kind()] || words.ops.any;
    }

    opSelect() {
      const offered = this.ops();
      const known = offered.some(([op]) => op === this.op) || !this.op;
      const element = select(known ? offered : [...offered, [this.op, words.opNames[this.op]]], this.op, {
        class: "s-input s-op", "aria-label": text("operator"),
      });
      element.addEventListener("change", () => {
        const before = this.value;
        this.op = element.value;
        const [first] = Array.isArray(before) ? before : [before];
        const shape = shapeOf(this.op);
        this.value = shape === "list" ? [before ?? []].flat() : shape === "pair" ? [first ?? "", ""] : first;
        if (shape === "none") this.value = undefined;
        this.redraw(".s-op");
      });
      return element;
    }

    valueInput() {
      const shape = shapeOf(this.op);
      const choices = this.known()?.choices;
      if (shape === "none") return make("span", { class: "s-value" });
      if (shape === "pair") return this.pair();
      if (shape === "list") return choices ? this.checks(choices) : this.list();
      if (choices) return this.choice(choices, (value) => value);
      if (this.kind() === "bool") {
        return this.choice([["true", text("yes")], ["false", text("no")]], (value) => value === "true");
      }
      return this.one(this.value, text("value"), (value) => {
        this.value = value;
      });
    }

    isNumber() {
      return this.kind() === "number" || NUMBERS.includes(this.op);
    }

    one(value, label, take) {
      const input = make("input", {
        class: "s-input s-value", type: "text", autocomplete: "off", "aria-label": label,
        inputmode: this.isNumber() ? "decimal" : null,
      });
      input.value = shown(value);
      input.addEventListener("input", () => {
        take(this.isNumber() ? toNumber(input.value) : input.value.trim());
        this.edited();
      });
      return input;
    }

    choice(pairs, parse) {
      const element = select(pairs, String(this.value ?? ""), { class: "s-input s-value", "aria-label": text("value") });
      element.addEventListener("change", () => {
        this.value = element.value === "" ? undefined : parse(element.value);
        this.edited();
      });
      return element;
    }

    pair() {
      const ends = [this.value?.[0] ?? "", this.value?.[1] ?? ""];
      const inputs = ["low", "high"].map((end, n) => this.one(ends[n], text(end), (value) => {
        ends[n] = value;
        this.value = [...ends];
      }));
      return make("span", { class: "s-pair s-value" }, inputs[0], make("span", {}, text("to")), inputs[1]);
    }

    list() {
      const joined = (this.value || []).map(shown).join(COMMA ? "; " : ", ");
      const hint = { "aria-label": text("values"), placeholder: COMMA ? "A; B" : "A, B" };
      const input = make("input", { class: "s-input s-value", type: "text", autocomplete: "off", ...hint });
      input.value = joined;
      input.addEventListener("input", () => {
        const parts = input.value.split(COMMA ? ";" : ",").map((part) => part.trim()).filter(Boolean);
        this.value = this.isNumber() ? parts.map(toNumber) : parts;
        this.edited();
      });
      return input;
    }

    checks(choices) {
      const chosen = new Set(this.value || []);
      const all = [...choices, ...[...chosen].filter((v) => !choices.some(([key]) => key === v)).map((v) => [v, v])];
      const boxes = all.map(([value, label]) => {
        const box = make("input", { type: "checkbox" });
        box.checked = chosen.has(value);
        box.addEventListener("change", () => {
          box.checked ? chosen.add(value) : chosen.delete(value);
          this.value = all.map(([key]) => key).filter((key) => chosen.has(key));
          this.edited();
        });
        return make("label", { class: "s-check" }, box, label);
      });
      return make("span", { class: "s-checks s-value", role: "group", "aria-label": text("values") }, ...boxes);
    }

    // Draw anew and put the focus back where it was.
    redraw(place) {
      this.draw();
      this.cells.querySelector(place)?.focus();
      this.edited();
    }

    // Other questions may have changed; what is being typed in is left alone.
    update() {
      if (this.drawn === JSON.stringify([this.editor.offers, this.field])) return;
      if (!this.cells.contains(document.activeElement)) this.draw();
    }

    edited() {
      this.original = null;
      this.element.classList.remove("s-wrong");
      this.editor.changed();
    }

    json() {
      if (this.original) return this.original;
      // An input nobody has filled in is no empty text to compare with: the server says that the value is missing.
      const leaf = { field: this.field, op: this.op };
      return this.value === undefined || this.value === "" ? leaf : { ...leaf, value: this.value };
    }
  }

  survey.Condition = class {
    constructor(root, earlier) {
      this.earlier = earlier;
      this.textarea = root.querySelector("textarea");
      const parts = split(read(this.textarea, {}));
      if (!parts) {
        root.append(make("p", { class: "survey-hint" }, text("kept")));
        return;
      }
      this.offers = this.offered();
      this.mode = parts.mode;
      this.modes = select([["all", text("all")], ["any", text("any")]], this.mode, { "aria-label": text("mode") });
      this.modes.addEventListener("change", () => {
        this.mode = this.modes.value;
        this.changed();
      });
      this.list = make("ol", { class: "s-list" });
      this.empty = make("p", { class: "survey-hint" }, text("always"));
      this.add = button(text("add_row"), () => this.addRow());
      this.textarea.hidden = true;
      root.append(this.modes, this.empty, this.list, this.add);
      this.rows = parts.leaves.map((leaf) => this.append(new Row(this, leaf)));
      this.mark(JSON.parse(root.dataset.places || "{}"));
      this.renumber();
    }

    // The comparisons that something is wrong with; what it is stands below them.
    mark(places) {
      this.rows.forEach((row, n) => {
        const own = Object.keys(places).some((path) => {
          const [group, number] = path.split(".");
          return ["all", "any"].includes(group) && number !== undefined ? Number(number) === n : this.rows.length === 1;
        });
        row.element.classList.toggle("s-wrong", own);
      });
    }

    offered() {
      const questions = this.earlier();
      const offers = [];
      const add = (group, name, label, kind, choices) => offers.push({ group, name, label, kind, choices });
      if (questions.some((question) => question.kind === "nps")) add("score", "response.score", text("score"), "number");
      if (questions.length) add("score", "response.segment", text("segment"), "option", words.segments);
      add("score", "response.language", text("language"), "option", words.languages);
      for (const { key, title, kind, options } of questions) {
        const sort = { single: "option", multiple: "several", yes_no: "bool", opt_in: "bool", text: "text", comment: "text" };
        if (key) add("answers", `answer.${key}`, title, sort[kind] || "number", options);
      }
      add("more", "contact.country", text("country"), "text");
      add("more", "contact.", text("contact"), "any");
      add("more", "property.", text("property"), "any");
      return offers;
    }

    // What comes before may have changed.
    update() {
      if (!this.rows) return;
      this.offers = this.offered();
      for (const row of this.rows) row.update();
    }

    append(row) {
      this.list.append(row.element);
      return row;
    }

    addRow() {
      const row = this.append(new Row(this, {}));
      this.rows.push(row);
      this.changed();
      row.cells.querySelector("select").focus();
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
      const leaves = this.rows.map((row) => row.json());
      const single = leaves.length === 1 && this.mode === "all";
      write(this.textarea, leaves.length ? (single ? leaves[0] : { [this.mode]: leaves }) : {});
    }

    renumber() {
      this.empty.hidden = this.rows.length > 0;
      this.modes.hidden = this.rows.length < 2;
      this.rows.forEach((row, place) => {
        const number = place + 1;
        row.element.setAttribute("aria-label", text("comparison", { number }));
        row.remove.title = text("remove", { number });
        row.remove.setAttribute("aria-label", row.remove.title);
      });
    }
  };
}
