"use strict";
// Conditions as rows to fill in. The text area with their JSON stays the form's field: what is done here is written
// there, and what cannot be shown here is kept as it is. Without this script the JSON can be edited as text.
{
  const { make, button, cross, select, data, write, complain, id } = window.resonanz;
  const SHAPES = { exists: "none", missing: "none", in: "list", not_in: "list", between: "pair" };
  const DAYS = new Set(["within_days", "older_days"]);
  const MOMENTS = new Set(["before", "after", ...DAYS]);
  const DATE = /^\d{4}-\d\d-\d\d$/;
  const COMMA = document.documentElement.lang.startsWith("de");

  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  const isScalar = (value) => ["string", "number", "boolean"].includes(typeof value);
  const shapeOf = (op) => SHAPES[op] || "one";

  // "1,5" is a number where numbers are written so; what is none stays text, and the server says so at its row.
  function toNumber(text) {
    const plain = COMMA ? text.trim().replace(",", ".") : text.trim();
    return /^[-+]?(\d+(\.\d+)?|\.\d+)$/.test(plain) ? Number(plain) : text.trim();
  }

  const fromNumber = (value) => (COMMA ? String(value).replace(".", ",") : String(value));

  function guessKind(op, value) {
    const sample = Array.isArray(value) ? value[0] : value;
    if (MOMENTS.has(op)) return "time";
    if (typeof sample === "number") return "number";
    return typeof sample === "boolean" ? "bool" : "text";
  }

  // A value brought into the form that another operator or kind needs.
  function fit(value, kind, op) {
    const shape = shapeOf(op);
    const one = (part) => {
      if (DAYS.has(op) || kind === "number") return typeof part === "string" ? toNumber(part) : part;
      if (kind === "bool") return typeof part === "boolean" ? part : true;
      if (kind === "time") return DATE.test(part) ? part : "";
      return typeof part === "number" ? fromNumber(part) : typeof part === "string" ? part : "";
    };
    const parts = (Array.isArray(value) ? value : value === undefined || value === "" ? [] : [value]).map(one);
    if (shape === "list") return parts;
    if (shape === "pair") return [parts[0] ?? "", parts[1] ?? ""];
    return shape === "none" ? undefined : (parts[0] ?? one(""));
  }

  // --- inputs for values: each has an element and read() ---

  function textInput(row, value, { kind, label, list }) {
    const isDate = kind === "time" && (value === "" || DATE.test(value));
    const input = make("input", {
      class: "b-input", type: isDate ? "date" : "text", "aria-label": label, autocomplete: "off",
      inputmode: kind === "number" ? "decimal" : null, list,
      input: () => row.edited(),
    });
    input.value = typeof value === "number" ? fromNumber(value) : value;
    return { input, read: () => (kind === "number" ? toNumber(input.value) : input.value.trim()) };
  }

  function single(row, value, kind, list) {
    const { input, read } = textInput(row, value, { kind, label: row.text("value"), list });
    return { element: input, read };
  }

  function choice(row, value, pairs, parse = (text) => text) {
    const all = pairs.some(([key]) => key === "") ? pairs : [["", row.text("choose")], ...pairs];
    const input = select(all, String(value), { "aria-label": row.text("value"), change: () => row.edited() });
    return { element: input, read: () => parse(input.value) };
  }

  function pair(row, value, kind) {
    const ends = ["low", "high"].map((end, n) => textInput(row, value[n], { kind, label: row.text(end) }));
    const element = make("span", { class: "b-pair" }, ends[0].input, make("span", {}, row.text("to")), ends[1].input);
    return { element, read: () => ends.map((end) => end.read()) };
  }

  // Several values, each with a button that takes it away; Enter, a comma or leaving the input adds one.
  function chips(row, values, kind, list, pairs) {
    const kept = [...values];
    const element = make("span", { class: "b-chips" });
    const plain = (value) => (typeof value === "number" ? fromNumber(value) : String(value));
    const labelOf = (value) => pairs?.find(([key]) => key === value)?.[1] || plain(value);
    const hint = row.text("add_value");
    const texts = { "aria-label": hint, placeholder: hint };
    const input = pairs
      ? select([["", hint], ...pairs], "", { "aria-label": hint })
      : make("input", { class: "b-input", type: "text", autocomplete: "off", list, ...texts });
    // The input stays where it is: taken out and put back, it would lose the focus.
    const draw = () => {
      for (const old of element.querySelectorAll(".b-chip")) old.remove();
      input.before(...kept.map((value, n) => {
        const label = row.text("remove_value").replace("{value}", labelOf(value));
        const remove = make("button", { type: "button", "aria-label": label, click: () => drop(n) }, "×");
        return make("span", { class: "b-chip" }, labelOf(value), remove);
      }));
    };
    const drop = (n) => {
      kept.splice(n, 1);
      draw();
      input.focus();
      row.edited();
    };
    const take = () => {
      const parts = pairs ? [input.value] : input.value.split(",").map((part) => part.trim());
      const fresh = parts.filter(Boolean).map((part) => (kind === "number" ? toNumber(part) : part));
      if (!fresh.length) return;
      kept.push(...fresh.filter((part) => !kept.includes(part)));
      input.value = "";
      draw();
      row.edited();
    };
    input.addEventListener("change", take);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || (event.key === "," && !pairs)) {
        event.preventDefault();
        take();
      } else if (event.key === "Backspace" && !input.value && kept.length) drop(kept.length - 1);
    });
    element.append(input);
    draw();
    return { element, read: () => [...kept] };
  }

  function editorFor(row, kind, op, value) {
    const shape = shapeOf(op);
    const pairs = row.known?.choices;
    if (shape === "none") return { element: make("span"), read: () => undefined };
    if (shape === "list") return chips(row, value, kind, row.examples(), pairs);
    if (shape === "pair") return pair(row, value, kind);
    if (DAYS.has(op)) return single(row, value, "number");
    if (pairs && (kind === "segment" || op === "eq" || op === "ne")) return choice(row, value, pairs);
    if (kind === "bool") {
      const names = [["true", row.text("yes")], ["false", row.text("no")]];
      return choice(row, value, [["", row.text("choose")], ...names], (text) => (text === "" ? "" : text === "true"));
    }
    return single(row, value, kind, row.examples());
  }

  // --- one comparison ---

  class Row {
    constructor(builder, group, leaf) {
      Object.assign(this, { builder, group });
      this.original = leaf;  // Written back as it came until somebody changes it.
      this.visited = false;
      const { field = "", op = "", value } = leaf || {};
      this.name = field;
      this.op = op;
      this.known = builder.fields.get(field);
      this.root = this.known || !field ? "" : field.split(".")[0];
      this.kind = this.known?.kind || guessKind(op, value);
      this.error = make("p", { class: "b-error", id: id("b-error"), hidden: true });
      this.number = make("span", { class: "b-number", "aria-hidden": "true" });
      this.body = make("div", { class: "b-cells" });
      this.removeButton = cross(this.text("remove"), () => this.group.remove(this));
      const parts = [this.number, this.body, this.removeButton, this.error];
      this.element = make("li", { class: "b-row", role: "group" }, ...parts);
      this.element.addEventListener("focusout", (event) => {
        if (this.element.contains(event.relatedTarget)) return;
        this.visited = true;
        // Not before a click that took the focus has ended: what is told moves the button away under the pointer.
        setTimeout(() => this.builder.showPlaces(), 200);
      });
      this.field = this.fieldSelect();
      this.drawName();
      this.drawOperator();
      this.drawValue(value === undefined && shapeOf(op) === "one" ? "" : value);
    }

    text(key) {
      return this.builder.texts[key];
    }

    examples() {
      return this.known?.examples?.length ? this.builder.datalist(this.known) : null;
    }

    // What is chosen as a field: a known one, or "event." and so on for a property whose name is typed.
    fieldSelect() {
      const chosen = this.known ? this.name : this.root ? `${this.root}.` : "";
      const element = make("select", { class: "b-input b-select", "aria-label": this.text("field") });
      element.addEventListener("change", () => this.choose(element.value));
      if (!chosen) element.append(new Option(this.text("choose"), "", true, true));
      for (const group of this.builder.groups) {
        const options = group.fields.map((field) => new Option(field.label, field.name, false, field.name === chosen));
        if (group.other) options.push(new Option(group.other, `${group.root}.`, false, `${group.root}.` === chosen));
        element.append(make("optgroup", { label: group.label }, ...options));
      }
      return element;
    }

    // The name and the kind of a property that is not in the list.
    drawName() {
      this.open = this.root ? [this.nameInput(), this.kindSelect()] : [];
    }

    drawOperator() {
      this.opSelect = null;
      if (!this.known && !this.root) return;
      const offered = this.builder.operators(this.kind, this.op);
      this.opSelect = select(offered, this.op, { "aria-label": this.text("operator") });
      this.opSelect.addEventListener("change", () => {
        this.op = this.opSelect.value;
        this.drawValue(fit(this.value.read(), this.kind, this.op));
        this.edited();
      });
    }

    drawValue(value) {
      this.value = this.opSelect ? editorFor(this, this.kind, this.op, value) : null;
      this.value?.element.classList.add("b-value");
      this.arrange();
    }

    // What stays is not touched: a select that is taken out forgets what is being typed to find an option.
    arrange() {
      const cells = [this.field, ...this.open, this.opSelect, this.value?.element].filter(Boolean);
      for (const old of [...this.body.children]) if (!cells.includes(old)) old.remove();
      cells.forEach((cell, n) => {
        if (this.body.children[n] !== cell) this.body.insertBefore(cell, this.body.children[n] || null);
      });
    }

    nameInput() {
      const hint = this.text("property");
      const texts = { "aria-label": hint, placeholder: hint };
      const input = make("input", { class: "b-input", type: "text", autocomplete: "off", maxlength: 100, ...texts });
      input.value = this.name.slice(this.root.length + 1);
      input.addEventListener("input", () => {
        this.name = `${this.root}.${input.value.trim()}`;
        this.edited();
      });
      return input;
    }

    kindSelect() {
      const element = select(this.builder.kinds, this.kind, { "aria-label": this.text("kind") });
      element.addEventListener("change", () => this.become(element.value, this.value.read()));
      return element;
    }

    // Another field: what was compared with the old one says nothing about it.
    choose(name) {
      this.known = this.builder.fields.get(name);
      this.root = this.known ? "" : name.slice(0, -1);
      this.name = name;
      this.field.querySelector("option[value='']")?.remove();
      this.kind = this.known?.kind || "text";
      this.drawName();
      this.become(this.kind, undefined);
    }

    // Another kind: operator and value stay as far as they fit.
    become(kind, value) {
      const allowed = this.builder.operators(kind, "").map(([op]) => op);
      this.kind = kind;
      this.op = allowed.includes(this.op) ? this.op : allowed[0];
      this.drawOperator();
      this.drawValue(fit(value, kind, this.op));
      this.edited();
    }

    edited() {
      this.original = null;
      this.builder.changed();
    }

    json(path, places) {
      places.set(path, this);
      if (this.original) return this.original;
      const leaf = { field: this.name, op: this.op };
      // An input nobody has filled in is no empty text to compare with: the server says that the value is missing.
      const value = this.value?.read();
      return value === undefined || value === "" ? leaf : { ...leaf, value };
    }

    renumber(number) {
      this.number.textContent = number;
      this.element.setAttribute("aria-label", this.text("comparison").replace("{number}", number));
      this.removeButton.setAttribute("aria-label", this.text("remove_comparison").replace("{number}", number));
    }

    // parts: what of the comparison is wrong, such as "value".
    complain(text, parts) {
      const said = this.visited ? text : "";
      const inputs = { field: [this.field, ...this.open], op: [this.opSelect] };
      const wrong = parts.flatMap((part) => inputs[part] || this.valueInputs());
      complain(this.error, this.body.querySelectorAll("select, input"), "");
      complain(this.error, wrong.filter(Boolean), said);
    }

    valueInputs() {
      const element = this.value?.element;
      return element?.matches("select, input") ? [element] : [...(element?.querySelectorAll("select, input") || [])];
    }

    visit() {
      this.visited = true;
    }

    focus() {
      this.field.focus();
    }
  }

  // --- what cannot be shown as rows ---

  class Kept {
    constructor(builder, group, tree) {
      Object.assign(this, { builder, group, tree });
      const { remove, remove_kept: label, kept } = builder.texts;
      this.removeButton = cross(remove, () => group.remove(this), label);
      this.error = make("p", { class: "b-error", id: id("b-error"), hidden: true });
      this.number = make("span", { class: "b-number", "aria-hidden": "true" });
      const body = make("div", { class: "b-kept" }, make("code", {}, JSON.stringify(tree)), make("span", {}, kept));
      const parts = [this.number, body, this.removeButton, this.error];
      this.element = make("li", { class: "b-row", role: "group", "aria-label": kept }, ...parts);
    }

    json(path, places) {
      places.set(path, this);
      return this.tree;
    }

    renumber(number) {
      this.number.textContent = number;
    }

    complain(text) {
      complain(this.error, [], text);
    }

    visit() {}

    focus() {
      this.removeButton.focus();
    }
  }

  // --- comparisons that belong together ---

  class Group {
    constructor(builder, parent, depth, { mode = "all", bare = false, items = [] } = {}) {
      Object.assign(this, { builder, group: parent, depth, mode, bare });
      const { texts } = builder;
      this.items = [];
      this.list = make("ol", { class: "b-list" });
      this.error = make("p", { class: "b-error", id: id("b-error"), hidden: true });
      this.modes = select(builder.modes, mode, { class: "b-input b-select b-mode", "aria-label": texts.mode });
      this.modes.addEventListener("change", () => {
        this.mode = this.modes.value;
        builder.changed();
      });
      this.removeButton = parent && cross(texts.remove, () => parent.remove(this), texts.remove_group);
      this.addButton = button(texts.add_row, () => this.add(new Row(builder, this)));
      const nest = button(texts.add_group, () => this.addGroup(), { class: "b-button b-quiet" });
      this.empty = make("p", { class: "b-empty" }, parent ? "" : texts.always);
      this.head = make("div", { class: "b-head" }, this.modes, this.removeButton);
      const foot = make("div", { class: "b-foot" }, this.addButton, depth < builder.maxDepth ? nest : null);
      const all = [this.head, this.empty, this.list, this.error, foot];
      const group = make("div", { class: "b-group", role: "group", "aria-label": texts.group }, ...all);
      this.element = parent ? make("li", { class: "b-nested" }, group) : group;
      for (const tree of items) this.append(this.read(tree));
    }

    // The part of a tree that belongs below this group.
    read(tree) {
      const { builder } = this;
      if (builder.isShowable(tree)) return new Row(builder, this, tree);
      const parts = this.depth < builder.maxDepth ? split(tree) : null;
      return parts ? new Group(builder, this, this.depth + 1, parts) : new Kept(builder, this, tree);
    }

    append(item) {
      this.items.push(item);
      this.list.append(item.element);
    }

    add(item) {
      this.append(item);
      this.builder.changed();
      item.focus();
    }

    addGroup() {
      const group = new Group(this.builder, this, this.depth + 1, { mode: this.mode === "any" ? "all" : "any" });
      group.append(new Row(this.builder, group));
      this.add(group);
    }

    // A group goes with the last that is in it.
    remove(item) {
      if (this.group && this.items.length === 1) {
        this.group.remove(this);
        return;
      }
      const place = this.items.indexOf(item);
      this.items.splice(place, 1);
      item.element.remove();
      this.builder.changed();
      const next = this.items[Math.min(place, this.items.length - 1)];
      (next ? next.removeButton : this.addButton).focus();
    }

    json(path, places) {
      const below = (rest) => (path ? `${path}.${rest}` : rest);
      places.set(path, this);
      const single = this.bare && this.items.length === 1;
      if (this.mode === "none") {
        if (single) return { not: this.items[0].json(below("not"), places) };
        return { not: { any: this.items.map((item, n) => item.json(below(`not.any.${n}`), places)) } };
      }
      if (single) return this.items[0].json(path, places);
      return { [this.mode]: this.items.map((item, n) => item.json(below(`${this.mode}.${n}`), places)) };
    }

    renumber() {
      this.empty.hidden = this.items.length > 0;
      this.head.hidden = !this.items.length;
    }

    complain(text) {
      complain(this.error, [], text);
    }

    visit() {
      for (const item of this.items) item.visit();
    }

    focus() {
      (this.items[0] || this.addButton).focus();
    }
  }

  // {all: […]}, {any: […]} and {not: …} as a group; null for anything else.
  function split(tree) {
    if (!isObject(tree)) return null;
    const keys = Object.keys(tree);
    if (keys.length !== 1) return null;
    const [key] = keys;
    if ((key === "all" || key === "any") && Array.isArray(tree[key])) return { mode: key, items: tree[key] };
    if (key !== "not" || !isObject(tree.not)) return null;
    const inner = split(tree.not);
    if (inner && inner.mode === "any" && !inner.bare) return { mode: "none", items: inner.items };
    return { mode: "none", bare: true, items: [tree.not] };
  }

  // --- the whole ---

  class Builder {
    constructor(root) {
      this.element = root;
      this.textarea = root.querySelector("textarea");
      Object.assign(this, data(root, "vocabulary"));
      this.fields = new Map(this.groups.flatMap((group) => group.fields).map((field) => [field.name, field]));
      this.names = new Map(Object.values(this.ops).flat());
      this.openRoots = new Set(this.groups.filter((group) => group.other).map((group) => group.root));
      this.problems = data(root, "places");
      const tree = this.parse();
      if (tree === undefined) {
        root.querySelector("[data-unreadable]").hidden = false;
        return;
      }
      const groups = this.isShowable(tree) ? null : split(tree);
      const parts = groups || { bare: true, items: [tree] };
      this.root = new Group(this, null, 1, Object.keys(tree).length ? parts : {});
      this.root.visit();
      this.textarea.hidden = true;
      root.append(this.root.element);
      this.renumber();
      this.showPlaces();
      this.textarea.form?.addEventListener("resonanz:places", (event) => {
        this.problems = event.detail[this.textarea.name] || {};
        this.showPlaces();
      });
    }

    // The tree; undefined where the text is no JSON object, or holds numbers that JavaScript would change.
    parse() {
      const text = this.textarea.value.trim();
      try {
        const tree = text ? JSON.parse(text) : {};
        return isObject(tree) && !/\d{16}/.test(text.replace(/"(\\.|[^"\\])*"/g, "")) ? tree : undefined;
      } catch {
        return undefined;
      }
    }

    isShowable(tree) {
      if (!isObject(tree) || Object.keys(tree).some((key) => !["field", "op", "value"].includes(key))) return false;
      const { field, op, value } = tree;
      if (field === "" && op === "") return true;  // A row nobody had filled in yet.
      if (typeof field !== "string" || !this.names.has(op)) return false;
      if (!this.fields.has(field) && !this.openRoots.has(field.split(".")[0])) return false;
      const shape = shapeOf(op);
      if (shape === "none") return value === undefined;
      if (shape === "one") return value === undefined || isScalar(value);
      return Array.isArray(value) && value.every(isScalar) && (shape === "list" || value.length === 2);
    }

    operators(kind, chosen) {
      const pairs = this.ops[kind] || this.ops.text;
      const known = !chosen || pairs.some(([op]) => op === chosen);
      return known ? pairs : [...pairs, [chosen, this.names.get(chosen) || chosen]];
    }

    datalist(field) {
      field.listId ??= id("b-examples");
      if (!document.getElementById(field.listId)) {
        const options = field.examples.map((value) => new Option(value, value));
        this.element.append(make("datalist", { id: field.listId }, ...options));
      }
      return field.listId;
    }

    // A row's number is its place within each group, as in the server's sentences: "2.1".
    renumber() {
      this.places = new Map();
      this.json = this.root.json("", this.places);
      this.root.renumber();
      for (const [path, item] of this.places) {
        const numbers = path.split(".").filter((part) => /^\d+$/.test(part));
        item.renumber(numbers.map((part) => Number(part) + 1).join("."));
      }
      this.element.classList.toggle("b-several", this.places.size > 2);
    }

    changed() {
      this.renumber();
      write(this.textarea, this.root.items.length ? this.json : {});
    }

    // Each problem at the row or group its path leads to.
    showPlaces() {
      const found = new Map();
      for (const [path, text] of Object.entries(this.problems)) {
        let place = path;
        while (!this.places.has(place) && place) place = place.slice(0, Math.max(0, place.lastIndexOf(".")));
        const item = this.places.get(place);
        const told = found.get(item) || { texts: [], parts: [] };
        told.texts.push(text);
        told.parts.push(path.slice(place && place.length + 1).split(".")[0]);
        found.set(item, told);
      }
      for (const item of this.places.values()) {
        const { texts = [], parts = [] } = found.get(item) || {};
        item.complain(texts.join(" "), parts);
      }
    }
  }

  // Pages that make conditions of their own while they are looked at.
  window.resonanz.Conditions = Builder;

  const start = () => {
    for (const root of document.querySelectorAll("[data-builder=conditions]")) new Builder(root);
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
}
