"use strict";
// A survey's questions as cards: numbered, moved by mouse or keyboard, with the fields that their kind needs.
if (window.survey.words) {
  const { make, sign, text, words, slug, free } = window.survey;
  const NEEDS = {
    style: ["csat", "rating"], options: ["single", "multiple"], low: ["scale"], high: ["scale"],
    low_label: ["nps", "csat", "ces", "rating", "scale"], high_label: ["nps", "csat", "ces", "rating", "scale"],
  };
  const formset = document.getElementById("questions-data");
  const cards = [];
  let dragged = null;

  class Card {
    constructor(element) {
      this.element = element;
      element.card = this;
      this.isNew = element.classList.contains("template");
      this.head = element.querySelector("h3");
      this.title = this.head.querySelector("strong");
      this.body = [...element.querySelectorAll(":scope > .form-row > fieldset")];
      this.kindInput = this.input("kind");
      this.tools();
      this.options = new survey.Options(element.querySelector("[data-rows=options]"));
      this.condition = new survey.Condition(element.querySelector("[data-rows=condition]"), () => this.before());
      this.hideRow("position");
      const hasErrors = element.querySelector(".errors") !== null;
      this.isOpen = this.isNew || hasErrors;
      this.named();
    }

    input(name) {
      return this.element.querySelector(`[name$="-${name}"]`);
    }

    field(name) {
      return this.element.querySelector(`.field-${name}`);
    }

    hideRow(name) {
      const row = this.field(name);
      if (row) row.hidden = !row.classList.contains("errors");
    }

    // Buttons in the card's head: all that can be done by mouse can be done by keyboard.
    tools() {
      this.up = sign("↑", "", () => move(this, -1));
      this.down = sign("↓", "", () => move(this, 1));
      this.toggle = make("button", { type: "button", class: "s-sign s-toggle", click: () => this.open(!this.isOpen) });
      const handle = make("span", { class: "s-handle", draggable: "true", title: text("drag"), "aria-hidden": "true" }, "⠿");
      handle.addEventListener("dragstart", (event) => {
        dragged = this;
        event.dataTransfer.effectAllowed = "move";
        event.dataTransfer.setData("text/plain", "");
        event.dataTransfer.setDragImage(this.head, 0, 0);
        this.element.classList.add("s-dragged");
      });
      handle.addEventListener("dragend", () => {
        this.element.classList.remove("s-dragged");
        dragged = null;
        refresh(true);
      });
      this.head.prepend(this.toggle);
      this.head.prepend(handle);
      this.head.querySelector("span.mr-auto, span:has(> strong)").after(this.up, this.down);
    }

    // A new question's key follows its text until somebody leaves the text or writes a key.
    named() {
      const key = this.input("key");
      this.element.addEventListener("change", (event) => {
        if (!this.isNew || key.value || !/-(text_[a-z]{2}|kind)$/.test(event.target.name || "")) return;
        const isLead = words.leads.includes(this.kind);
        const stem = isLead ? this.kind : slug(this.ownText());
        if (stem) key.value = free(stem, cards.filter((card) => card !== this).map((card) => card.key));
      });
    }

    get isDeleted() {
      return this.element.hidden || Boolean(this.element.querySelector("input.delete:checked"));
    }

    get kind() {
      return this.kindInput?.value || "";
    }

    get key() {
      return this.input("key")?.value.trim() || "";
    }

    ownText() {
      const inputs = [...this.element.querySelectorAll(".field-text input")];
      const at = words.languages.findIndex(([code]) => document.documentElement.lang.startsWith(code));
      return inputs[at]?.value.trim() || inputs.map((input) => input.value.trim()).find(Boolean) || "";
    }

    // What conditions of later questions have to know.
    get known() {
      const options = (survey.read(this.input("options"), []) || []).filter?.((option) => option.key) || [];
      const lang = document.documentElement.lang.slice(0, 2);
      const label = ({ key, text: texts }) => texts?.[lang] || texts?.en || Object.values(texts || {})[0] || key;
      const choices = ["single", "multiple"].includes(this.kind) ? options.map((o) => [o.key, label(o)]) : undefined;
      const title = this.ownText() || this.key;
      return { key: this.key, title: title.length > 60 ? `${title.slice(0, 59)}…` : title, kind: this.kind, options: choices };
    }

    before() {
      const alive = living();
      return alive.slice(0, Math.max(0, alive.indexOf(this))).map((card) => card.known);
    }

    open(isOpen) {
      this.isOpen = isOpen;
      this.show();
    }

    show() {
      for (const part of this.body) part.hidden = !this.isOpen;
      this.toggle.setAttribute("aria-expanded", String(this.isOpen));
      this.toggle.textContent = this.isOpen ? "▾" : "▸";
    }

    // Number, title, and the fields that this kind at this place needs.
    draw(place, count) {
      const number = place + 1;
      const kind = words.kinds[this.kind]?.[0] || "";
      const title = this.ownText() || text("new");
      this.title.replaceChildren(`${number}. ${title}`, make("span", { class: "s-kind" }, kind));
      for (const [element, key] of [[this.up, "up"], [this.down, "down"], [this.toggle, "open"]]) {
        element.title = text(key, { number });
        element.setAttribute("aria-label", element.title);
      }
      this.element.setAttribute("role", "group");
      this.element.setAttribute("aria-label", text("question", { number }));
      this.up.disabled = place === 0;
      this.down.disabled = number === count;
      const position = this.input("position");
      if (position.value !== String(place)) position.value = String(place);
      for (const [name, kinds] of Object.entries(NEEDS)) this.need(name, kinds.includes(this.kind));
      this.need("show_if", place > 0 || this.hasCondition());
      const wording = this.field("text_promoter")?.closest("fieldset");
      if (wording) wording.classList.toggle("s-none", place === 0);
      this.condition.update();
      this.show();
    }

    hasCondition() {
      return !["", "{}"].includes(this.input("show_if").value.trim());
    }

    need(name, isNeeded) {
      const row = this.field(name);
      if (row) row.hidden = !isNeeded && !row.classList.contains("errors");
    }
  }

  const living = () => cards.filter((card) => !card.isDeleted);

  function refresh(isMoved = false) {
    const order = [...formset.children];
    cards.sort((one, other) => order.indexOf(one.element) - order.indexOf(other.element));
    const alive = living();
    alive.forEach((card, place) => card.draw(place, alive.length));
    if (isMoved) alive[0]?.input("position").dispatchEvent(new Event("input", { bubbles: true }));
  }

  function move(card, step) {
    const alive = living();
    const other = alive[alive.indexOf(card) + step];
    if (!other) return;
    if (step < 0) other.element.before(card.element);
    else other.element.after(card.element);
    refresh(true);
    const [first, second] = step < 0 ? [card.up, card.down] : [card.down, card.up];
    (first.disabled ? second : first).focus();
  }

  // A new row is taken away without touching the others: Unfold would write their HTML anew and lose what was typed.
  function takeAway(event) {
    const row = event.target.closest(".delete-template") && event.target.closest(".form-group");
    if (!row || row.classList.contains("original")) return;
    event.stopPropagation();
    event.preventDefault();
    const name = row.querySelector("[name]").name.replace(/^(\w+-\d+)-.*/, "$1-DELETE");
    row.hidden = true;
    row.replaceChildren(make("input", { type: "hidden", name, value: "on" }));
    const at = cards.indexOf(row.card);
    if (at >= 0) cards.splice(at, 1);
    refresh(true);
    formset.closest("form").dispatchEvent(new Event("input", { bubbles: true }));
  }

  function start() {
    for (const row of formset.querySelectorAll(":scope > .form-group:not(.empty-form)")) cards.push(new Card(row));
    // After something was wrong the rows come as they were added, not as they were moved.
    const place = (card) => (card.input("position").value === "" ? Infinity : Number(card.input("position").value));
    const sorted = [...cards].sort((one, other) => place(one) - place(other) || 0);
    formset.prepend(...sorted.map((card) => card.element));
    if (cards.length === 1) cards[0].isOpen = true;
    refresh();
    const form = formset.closest("form");
    form.addEventListener("input", (event) => formset.contains(event.target) && refresh());
    form.addEventListener("change", (event) => formset.contains(event.target) && refresh());
    form.addEventListener("click", takeAway, true);
    // The empty rows that new ones are made of are nobody's answer.
    form.addEventListener("formdata", (event) => {
      for (const name of [...event.formData.keys()]) if (name.includes("-__prefix__-")) event.formData.delete(name);
    });
    formset.addEventListener("formset:added", (event) => {
      const row = event.target.closest(".form-group");
      if (event.detail?.formsetName !== "questions" || row.card) return;
      cards.push(new Card(row));
      refresh(true);
      row.querySelector("select")?.focus();
    });
    formset.addEventListener("dragover", (event) => {
      const over = dragged && event.target.closest(".form-group")?.card;
      if (!dragged) return;
      event.preventDefault();
      if (!over || over === dragged) return;
      const box = over.element.getBoundingClientRect();
      if (event.clientY < box.top + box.height / 2) over.element.before(dragged.element);
      else over.element.after(dragged.element);
    });
    formset.addEventListener("drop", (event) => dragged && event.preventDefault());
  }

  if (formset && formset.querySelector("[data-rows=condition]")) {
    if (document.readyState === "complete") start();
    else window.addEventListener("load", start);
  }
}
