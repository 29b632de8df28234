"use strict";
// The editor of a campaign's sequence. The text area with its JSON stays the form's field: what is done in the picture
// is written there, and the server says shortly after what each step does and what is still wrong.
{
  const { make, button, data, write } = window.resonanz;
  const { campaign } = window;
  const DELAY = 250;

  class Editor {
    constructor(root, region) {
      this.root = root;
      this.textarea = root.querySelector("textarea");
      this.form = this.textarea.form;
      this.words = data(root, "words");
      this.texts = this.words.texts;
      this.urls = region.dataset;
      const icon = (name) => this.icon(name);
      this.panel = new campaign.Panel({ words: this.words, icon });
      const samples = JSON.parse(region.querySelector("[data-name=samples] script")?.textContent || "[]");
      this.mail = new campaign.MailPreview({ words: this.words, urls: this.urls, samples, form: this.form });
      this.flow = new campaign.Flow({
        words: this.words, icon, act: (name, what) => this.act(name, what),
        canDrop: (target) => this.canDrop(target), drop: (target) => this.drop(target),
      });
      this.past = [];
      this.future = [];
      this.bar();
      this.load();
      this.form.addEventListener("input", () => this.later());
      this.form.addEventListener("change", () => this.later());
      window.django?.jQuery?.(this.form).on("change", () => this.later());
      this.ask();
    }

    icon(name) {
      const known = this.root.querySelector(`[data-icon="${name}"]`);
      return known ? known.firstElementChild.cloneNode(true) : make("span");
    }

    // --- above the picture: undo, redo, text, what is wrong ---

    bar() {
      const { texts } = this;
      const signed = (sign, text, click) => make("button", { type: "button", class: "b-button f-tool", click }, this.icon(sign), text);
      this.undoButton = signed("undo-2", texts.undo, () => this.travel(this.past, this.future));
      this.redoButton = signed("redo-2", texts.redo, () => this.travel(this.future, this.past));
      this.textButton = button(texts.as_text, () => this.toggleText(), { class: "b-button b-quiet" });
      this.status = make("p", { class: "f-status", role: "status" });
      this.tools = make("div", { class: "f-tools" }, this.undoButton, this.redoButton, this.textButton, this.status);
      this.list = make("section", { class: "f-summary", "aria-live": "polite" });
      this.note = make("p", { class: "f-error", hidden: true }, texts.unreadable);
      this.root.prepend(this.tools, this.list, this.note);
      this.root.append(this.flow.element);
    }

    // From the text area into the picture.
    load() {
      this.tree = campaign.read(this.textarea.value, this.words.kinds);
      const isShown = this.tree !== undefined;
      this.isText = !isShown;
      this.note.hidden = isShown;
      this.show();
      if (isShown) this.flow.draw(this.tree);
    }

    show() {
      this.textarea.hidden = !this.isText;
      this.flow.element.hidden = this.isText;
      this.textButton.textContent = this.isText ? this.texts.as_picture : this.texts.as_text;
      this.undoButton.disabled = this.isText || !this.past.length;
      this.redoButton.disabled = this.isText || !this.future.length;
    }

    toggleText() {
      if (this.isText) {
        this.load();
        if (this.isText) this.textarea.focus();
        else this.textButton.focus();
        return;
      }
      this.isText = true;
      this.show();
      this.textarea.focus();
    }

    say(text) {
      this.status.textContent = text;
    }

    // --- changes ---

    remember() {
      this.past.push(campaign.clone(this.tree));
      this.future = [];
      if (this.past.length > 100) this.past.shift();
    }

    travel(from, to) {
      if (!from.length) return;
      to.push(this.tree);
      this.tree = from.pop();
      this.changed();
      const [one, other] = from === this.past ? [this.undoButton, this.redoButton] : [this.redoButton, this.undoButton];
      (one.disabled ? other : one).focus();
      this.say("");
    }

    // From the picture into the text area.
    changed(focus = "") {
      this.flow.draw(this.tree);
      this.store();
      if (focus) this.flow.focus(focus);
    }

    store() {
      write(this.textarea, this.tree);
      this.show();
      this.mail.later();
    }

    act(name, what) {
      if (name === "insert") this.insert(what);
      else if (name === "open") this.open(what);
      else if (name === "drag") this.dragged = what;
      else if (name === "duplicate") this.duplicate(what);
      else if (name === "delete") this.remove(what);
      else this.move(name, what);
    }

    isFull() {
      const isFull = campaign.count(this.tree) >= this.words.maxSteps;
      if (isFull) this.say(this.texts.full.replace("{limit}", this.words.maxSteps));
      return isFull;
    }

    insert(target) {
      if (this.isFull()) return;
      this.panel.choose((kind) => {
        if (!kind) {
          this.flow.focus(this.placeOf(target));
          return;
        }
        this.remember();
        const step = campaign.fresh(kind);
        campaign.insert(this.tree, target, step);
        this.changed();
        this.say(this.texts.added);
        this.open(step.key, target);
      });
    }

    placeOf({ after, branch, way }) {
      return `plus:${after || branch || ""}${way || ""}`;
    }

    // The step's form; what is written there is in the picture at once, and Cancel takes all of it back.
    open(key, target = null) {
      const isNew = target !== null;
      const { step } = campaign.find(this.tree, key);
      const before = isNew ? this.past.at(-1) : campaign.clone(this.tree);
      let isChanged = false;
      this.panel.edit(step, {
        number: this.flow.numbers.get(key),
        changed: () => {
          isChanged = true;
          this.store();
        },
        preview: (mail) => this.mail.part(mail),
        condition: (inputs) => this.condition(inputs),
        closed: (isDone) => {
          if (!isDone) {
            this.tree = before;
            if (isNew) this.past.pop();
          } else if (isChanged && !isNew) {
            this.past.push(before);
            this.future = [];
          }
          const place = isNew && !isDone ? this.placeOf(target) : `open:${key}`;
          this.changed(place);
        },
      });
      this.panel.complain(this.problemsOf(key));
      this.opened = key;
    }

    // A branch's condition, by the same builder as everywhere.
    condition(inputs) {
      const script = (name, value) => {
        const json = make("script", { type: "application/json" });
        json.textContent = JSON.stringify(value);
        return make("div", { "data-name": name, hidden: true }, json);
      };
      const textarea = make("textarea", { name: "condition", class: "b-input f-long", rows: 6, "aria-label": this.texts.condition });
      textarea.value = JSON.stringify(inputs.step.condition ?? {}, null, 2);
      const note = make("p", { class: "b-error", "data-unreadable": true, hidden: true }, this.texts.unreadable);
      const places = this.said?.places?.[inputs.step.key] || {};
      const root = make("div", { class: "f-condition" }, textarea, note, script("vocabulary", this.words.branch), script("places", places));
      textarea.addEventListener("input", () => {
        try {
          inputs.set("condition", JSON.parse(textarea.value || "{}"));
        } catch {
          // Still being written; it stays in sight, and the last that could be read is kept.
        }
      });
      const title = make("legend", { class: "f-name" }, this.texts.condition);
      const field = make("fieldset", { class: "f-field", "data-setting": "condition" }, title, root,
        make("p", { class: "f-error", hidden: true, "data-error": "condition" }));
      // The builder looks for its form, which it has only once it is in the page.
      requestAnimationFrame(() => {
        if (!root.isConnected) return;
        new window.resonanz.Conditions(root);
        root.querySelector(".b-row select, .b-foot button")?.focus();
      });
      return field;
    }

    move(name, key) {
      const move = campaign.moves(this.tree, key).get(name);
      if (!move) return;
      this.remember();
      move[1]();
      this.changed(`open:${key}`);
      this.say(this.texts.moved);
    }

    duplicate(key) {
      if (this.isFull()) return;
      this.remember();
      const copy = campaign.duplicate(this.tree, key);
      this.changed(`open:${copy.key}`);
      this.say(this.texts.duplicated);
    }

    remove(key) {
      const { list, place } = campaign.find(this.tree, key);
      const next = list[place + 1] || list[place - 1];
      this.remember();
      campaign.remove(this.tree, key);
      this.changed(next ? `open:${next.key}` : "");
      if (!next) this.undoButton.focus();
      this.say(this.texts.deleted);
    }

    canDrop(target) {
      if (!this.dragged) return false;
      const { step } = campaign.find(this.tree, this.dragged);
      return !campaign.isWithin(step, target.after || target.branch || "");
    }

    drop(target) {
      if (!this.canDrop(target)) return;
      const key = this.dragged;
      this.dragged = null;
      this.flow.element.classList.remove("f-dragging");
      this.remember();
      campaign.moveTo(this.tree, key, target);
      this.changed(`open:${key}`);
      this.say(this.texts.moved);
    }

    // --- what the server says ---

    later() {
      clearTimeout(this.timer);
      this.root.dataset.asked = "";
      this.timer = setTimeout(() => this.ask(), DELAY);
    }

    async ask() {
      this.request?.abort();
      this.request = new AbortController();
      try {
        const answer = await fetch(this.urls.live, {
          method: "POST", body: new FormData(this.form), signal: this.request.signal, redirect: "error",
          headers: { Accept: "application/json" },
        });
        if (!answer.ok) throw new Error(String(answer.status));
        this.hear(await answer.json());
      } catch (error) {
        if (error.name !== "AbortError") this.say(this.texts.failed);
      }
    }

    problemsOf(key) {
      return (this.said?.problems || []).filter((problem) => problem.key === key);
    }

    hear(said) {
      this.said = said;
      if (this.tree !== undefined) this.flow.tell(said);
      this.summary(said);
      if (this.panel.dialog.open && this.opened) {
        this.panel.complain(this.problemsOf(this.opened));
        const places = said.places[this.opened] || {};
        this.panel.form.dispatchEvent(new CustomEvent("resonanz:places", { detail: { condition: places } }));
      }
      this.form.dispatchEvent(new CustomEvent("resonanz:places", { detail: { condition: said.condition } }));
      this.root.dataset.asked = "done";
    }

    // All that is wrong, each a way to its card. Written only when it changed: screen readers read it out.
    summary({ problems, unreadable }) {
      const lines = JSON.stringify([problems, unreadable]);
      if (this.lines === lines) return;
      this.lines = lines;
      this.list.classList.toggle("f-good", !problems.length && !unreadable);
      if (unreadable) return void this.list.replaceChildren();
      if (!problems.length) return void this.list.replaceChildren(make("p", {}, this.texts.no_problems));
      const count = problems.length;
      const title = count === 1 ? this.texts.problems_one : this.texts.problems_many.replace("{count}", count);
      const items = problems.map(({ key, step, text }) => make("li", {}, key && step
        ? make("button", { type: "button", class: "f-link", click: () => this.goTo(key) }, make("strong", {}, step), ` ${text}`)
        : text));
      this.list.replaceChildren(make("p", {}, this.icon("triangle-alert"), title), make("ul", {}, ...items));
    }

    goTo(key) {
      if (this.isText) return;
      this.flow.focus(`open:${key}`);
    }
  }

  const start = () => {
    const root = document.querySelector("[data-sequence]");
    const region = document.querySelector("[data-sequence-urls]");
    if (root && region) new Editor(root, region);
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
}
