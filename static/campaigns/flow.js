"use strict";
// Draws a sequence: cards one below the other, branches side by side, with what can be done at each place.
{
  const { make } = window.resonanz;

  window.campaign.Flow = class {
    constructor({ words, icon, act, canDrop, drop }) {
      Object.assign(this, { words, icon, act, canDrop, drop });
      this.texts = words.texts;
      this.element = make("div", { class: "f-picture", role: "group", "aria-label": this.texts.picture });
      this.said = { cards: {}, problems: [], start: "", goal: "" };
      document.addEventListener("click", (event) => this.menu && !this.menu.contains(event.target) && this.closeMenu());
    }

    text(name, values = {}) {
      return this.texts[name].replace(/\{(\w+)\}/g, (_all, key) => String(values[key]));
    }

    draw(tree) {
      this.numbers = new Map();
      window.campaign.walk(tree.steps, ({ step }) => this.numbers.set(step.key, this.numbers.size + 1));
      this.tree = tree;
      this.menu = null;
      const start = make("div", { class: "f-end f-start" }, this.icon("play"), make("span", { class: "f-said" }));
      const goal = make("span", { class: "f-goal" });
      const end = make("div", { class: "f-end" }, this.icon("flag"), make("span", {}, this.texts.end), goal);
      this.element.replaceChildren(start, this.way(tree.steps, { start: true }), end);
      this.tell(this.said);
    }

    // The steps of one way, with a place to insert before, between and behind them.
    way(steps, { start = false, branch = null, name = "" }) {
      const first = start ? {} : { branch, way: name };
      const isEmpty = steps.length === 0;
      const number = branch && this.numbers.get(branch);
      const label = start ? this.text(isEmpty ? "add_first" : "add_start") : this.text(`add_${name}`, { number });
      const items = [this.gap(first, label, start && isEmpty)];
      for (const step of steps) {
        items.push(this.step(step));
        if (step.kind !== "stop") {
          const after = this.text("add_after", { number: this.numbers.get(step.key) });
          items.push(this.gap({ after: step.key }, after));
        }
      }
      return make("ol", { class: "f-flow" }, ...items);
    }

    gap(target, label, isBig = false) {
      const focus = `plus:${target.after || target.branch || ""}${target.way || ""}`;
      const plus = make("button", {
        type: "button", class: isBig ? "f-plus f-first" : "f-plus", "aria-label": label, title: label,
        "data-focus": focus, click: () => this.act("insert", target),
      }, this.icon("plus"), isBig ? make("span", {}, label) : null);
      const gap = make("li", { class: "f-gap" }, plus);
      gap.addEventListener("dragover", (event) => {
        if (!this.canDrop(target)) return;
        event.preventDefault();
        gap.classList.add("f-over");
      });
      gap.addEventListener("dragleave", () => gap.classList.remove("f-over"));
      gap.addEventListener("drop", (event) => {
        event.preventDefault();
        gap.classList.remove("f-over");
        this.drop(target);
      });
      return gap;
    }

    step(step) {
      const number = this.numbers.get(step.key);
      const { label } = this.words.kinds[step.kind];
      const words = make("span", { class: "f-words" }, make("span", { class: "f-label" }, label),
        make("span", { class: "f-text" }), make("span", { class: "f-notes" }));
      const open = make("button", {
        type: "button", class: "f-open", "data-focus": `open:${step.key}`,
        click: () => this.act("open", step.key),
        keydown: (event) => this.shortcut(event, step.key),
      }, make("span", { class: "f-icon" }, this.icon(step.kind)), words);
      const more = make("button", {
        type: "button", class: "f-more", "data-focus": `more:${step.key}`, "aria-expanded": "false",
        "aria-label": this.text("more", { number }), title: this.text("more", { number }),
        click: (event) => {
          event.stopPropagation();
          this.toggleMenu(step.key, more);
        },
      }, this.icon("ellipsis"));
      const problems = make("ul", { class: "f-problems", hidden: true });
      const name = this.text("step", { number, kind: label });
      const card = make("div", { class: "f-card", role: "group", "aria-label": name }, open, more, problems);
      this.drags(card, open, step.key);
      const lanes = step.kind === "branch" ? this.lanes(step) : null;
      return make("li", { class: `f-step f-kind-${step.kind}`, "data-key": step.key }, card, lanes);
    }

    lanes(step) {
      const lane = (name) => {
        const steps = step[name];
        const isOver = steps.at(-1)?.kind === "stop" ? " f-ends" : "";
        const label = make("span", { class: "f-way" }, this.texts[name]);
        const nothing = steps.length ? null : make("p", { class: "f-nothing" }, this.texts.nothing);
        const attributes = { class: `f-lane f-${name}${isOver}`, role: "group", "aria-label": this.texts[`${name}_way`] };
        return make("div", attributes, label, nothing, this.way(steps, { branch: step.key, name }));
      };
      return make("div", { class: "f-lanes" }, lane("yes"), lane("no"));
    }

    drags(card, handle, key) {
      handle.draggable = true;
      handle.addEventListener("dragstart", (event) => {
        event.dataTransfer.effectAllowed = "move";
        event.dataTransfer.setData("text/plain", "");
        event.dataTransfer.setDragImage(card, 24, 24);
        this.act("drag", key);
        // Only after the browser has taken its picture of the card.
        setTimeout(() => this.element.classList.add("f-dragging"));
      });
      handle.addEventListener("dragend", () => {
        this.element.classList.remove("f-dragging");
        this.act("drag", null);
      });
    }

    shortcut(event, key) {
      const name = { ArrowUp: "up", ArrowDown: "down" }[event.key];
      if (!event.altKey || !name) return;
      event.preventDefault();
      this.act(name, key);
    }

    // --- what can be done with a card ---

    toggleMenu(key, button) {
      const isOpen = this.menu?.dataset.key === key;
      this.closeMenu();
      if (isOpen) return;
      const item = (name, sign, number) => make("button", {
        type: "button", class: `f-item f-item-${name}`, click: (event) => {
          event.stopPropagation();
          this.closeMenu();
          this.act(name, key);
        },
      }, this.icon(sign), this.text(name, { number }));
      const signs = {
        up: "arrow-up", down: "arrow-down", into_yes: "corner-down-right", into_no: "corner-down-right",
        other_way: "arrow-left-right", out: "log-out",
      };
      const moves = [...window.campaign.moves(this.tree, key)].map(([name, [branch]]) =>
        item(name, signs[name], branch && this.numbers.get(branch)));
      const rest = [item("duplicate", "copy"), item("delete", "trash-2")];
      this.menu = make("div", { class: "f-menu", "data-key": key, keydown: (event) => this.inMenu(event) }, ...moves, ...rest);
      this.menu.addEventListener("focusout", (event) => {
        if (event.relatedTarget && !this.menu?.contains(event.relatedTarget) && event.relatedTarget !== button) this.closeMenu();
      });
      this.menuButton = button;
      button.setAttribute("aria-expanded", "true");
      button.after(this.menu);
      this.menu.querySelector("button").focus({ preventScroll: true });
      this.menu.scrollIntoView({ block: "nearest" });
    }

    inMenu(event) {
      const items = [...this.menu.children];
      const at = items.indexOf(document.activeElement);
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) {
        event.preventDefault();
        items[(at + step + items.length) % items.length].focus();
      } else if (event.key === "Escape") {
        event.stopPropagation();
        const button = this.menuButton;
        this.closeMenu();
        button.focus();
      }
    }

    closeMenu() {
      this.menu?.remove();
      this.menu = null;
      this.menuButton?.setAttribute("aria-expanded", "false");
    }

    // --- what the server says ---

    // Sentences and problems of the cards that are drawn.
    tell(said) {
      this.said = said;
      const { element } = this;
      element.querySelector(".f-said").textContent = said.start;
      element.querySelector(".f-goal").textContent = said.goal;
      for (const item of element.querySelectorAll(".f-step")) {
        const { text = "", notes = [] } = said.cards[item.dataset.key] || {};
        const own = said.problems.filter(({ key }) => key === item.dataset.key);
        const card = item.querySelector(":scope > .f-card");
        card.querySelector(".f-text").textContent = text;
        card.querySelector(".f-notes").replaceChildren(...notes.map((note) => make("span", { class: "f-note" }, note)));
        card.classList.toggle("f-wrong", own.length > 0);
        const list = card.querySelector(".f-problems");
        list.hidden = !own.length;
        list.replaceChildren(...own.map((problem) => make("li", {}, this.icon("triangle-alert"), problem.text)));
      }
    }

    focus(name) {
      const found = this.element.querySelector(`[data-focus="${CSS.escape(name)}"]`);
      found?.focus();
      found?.scrollIntoView({ block: "nearest" });
    }
  };
}
