"use strict";
// The form of each kind of step.
{
  const { make, select } = window.resonanz;

  const late = (inputs) => inputs.span("too_late_after", { hint: inputs.texts.late_hint });
  const whileCase = (inputs) => inputs.flag("also_while_case", { hint: inputs.texts.case_hint });
  const more = (inputs, ...rows) => {
    const isSet = rows.some((row) => inputs.step[row.dataset.setting] !== undefined);
    return make("details", { class: "f-details", open: isSet }, make("summary", {}, inputs.texts.more_settings), ...rows);
  };

  const FORMS = {
    email(inputs, { preview }) {
      const { texts, words, step } = inputs;
      const own = make("div", { class: "f-group" });
      const show = () => (own.hidden = step.template !== undefined);
      const isOther = step.subject_no_comment !== undefined || step.body_no_comment !== undefined;
      const other = make("details", { class: "f-details", open: isOther }, make("summary", {}, texts.no_comment),
        inputs.texts_of("subject_no_comment"), inputs.texts_of("body_no_comment", { long: true }));
      const url = inputs.line("button_url", { hint: texts.url_hint, max: 1000 });
      url.querySelector("input").addEventListener("focus", (event) => (inputs.last = event.target));
      own.append(inputs.texts_of("subject"), inputs.texts_of("body", { long: true }), inputs.variables(), other,
        inputs.texts_of("button", { max: 80, hasVariables: false }), url);
      const template = inputs.choice("template", words.templates, { empty: texts.default_template, after: show });
      show();
      const budget = inputs.flag("within_budget", { hint: texts.budget_hint });
      return [template, own, more(inputs, budget, whileCase(inputs), late(inputs)), preview(step)];
    },

    wait(inputs) {
      const { texts, step } = inputs;
      const room = make("div", { class: "f-group" });
      const rows = {
        time: () => [inputs.span("seconds")],
        working_days: () => [inputs.number("days", { min: 1, hint: texts.working_days_hint })],
        morning: () => [inputs.number("days", { label: texts.mornings, min: 1, hint: texts.mornings_hint }), inputs.time("minute")],
      };
      const usual = { time: { seconds: 86400 }, working_days: { days: 3 }, morning: { days: 1, minute: 540 } };
      const pairs = Object.keys(rows).map((mode) => [mode, texts[`mode_${mode}`]]);
      const mode = select(pairs, step.mode || "time", {});
      mode.addEventListener("change", () => {
        for (const name of ["seconds", "days", "minute"]) delete step[name];
        Object.assign(step, usual[mode.value]);
        inputs.set("mode", mode.value);
        room.replaceChildren(...rows[mode.value]());
      });
      room.replaceChildren(...(rows[step.mode || "time"] || rows.time)());
      return [inputs.row("mode", texts.mode, mode), room];
    },

    branch(inputs, { condition }) {
      return [condition(inputs), inputs.line("name", { label: inputs.texts.branch_name, max: 80 })];
    },

    case: (inputs) => [make("p", { class: "f-hint" }, inputs.texts.case_text), inputs.flag("is_urgent")],
    voucher: (inputs) => [inputs.choice("pool", inputs.words.pools)],
    tag: (inputs) => [inputs.tags("add"), inputs.tags("remove")],
    webhook: (inputs) => [inputs.line("name", { hint: inputs.texts.webhook_hint, max: 80 })],
    task: (inputs) => [
      inputs.texts_of("title", { max: 200 }), inputs.texts_of("text", { long: true, max: 2000 }), inputs.variables(),
      inputs.number("due_days"),
    ],
    ask: (inputs) => [
      inputs.choice("survey", inputs.words.surveys, { hint: inputs.texts.ask_hint.replace("{rounds}", "3") }),
      more(inputs, whileCase(inputs), late(inputs)),
    ],
    opt_in: (inputs) => [
      inputs.texts_of("body", { label: inputs.texts.opt_in_body, long: true, hasVariables: false }),
      more(inputs, whileCase(inputs), late(inputs)),
    ],
    stop: (inputs) => [make("p", { class: "f-hint" }, inputs.texts.stop_text)],
  };

  // A dialog over the page; what is in it is drawn anew each time it is opened.
  window.campaign.Panel = class {
    constructor({ words, icon }) {
      Object.assign(this, { words, icon });
      this.texts = words.texts;
      this.title = make("h2", { class: "f-title", id: "f-panel-title", tabindex: "-1" });
      this.body = make("div", { class: "f-body" });
      this.foot = make("div", { class: "f-foot" });
      // A form of its own, so that Enter ends the panel and does not save the page.
      this.form = make("form", { method: "dialog", class: "f-form", novalidate: true }, this.title, this.body, this.foot);
      this.form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.close(true);
      });
      this.dialog = make("dialog", { class: "f-dialog builder", "aria-labelledby": "f-panel-title" }, this.form);
      this.dialog.addEventListener("cancel", (event) => {
        event.preventDefault();
        this.close(false);
      });
      this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.close(true));
      document.body.append(this.dialog);
    }

    open({ title, sign, rows, closed, isSide, buttons }) {
      this.closed = closed;
      this.title.replaceChildren(this.icon(sign), title);
      this.body.replaceChildren(...rows);
      this.foot.replaceChildren(...buttons);
      this.foot.hidden = !buttons.length;
      this.dialog.classList.toggle("f-side", Boolean(isSide));
      this.dialog.showModal();
      this.body.scrollTop = 0;
      (this.body.querySelector("select, input, textarea, button") || this.title).focus();
    }

    close(isDone) {
      if (!this.dialog.open) return;
      this.dialog.close();
      this.body.replaceChildren();
      this.closed?.(isDone);
    }

    button(text, click, isMain = false) {
      const attributes = { type: isMain ? "submit" : "button", class: isMain ? "b-button f-main" : "b-button" };
      return make("button", isMain ? attributes : { ...attributes, click }, text);
    }

    // Choose what kind of step is inserted.
    choose(chosen) {
      let kind = null;
      const items = Object.entries(this.words.kinds).map(([name, { label, hint }]) => make("li", {}, make("button", {
        type: "button", class: `f-kind f-kind-${name}`, click: () => {
          kind = name;
          this.close(true);
        },
      }, make("span", { class: "f-icon" }, this.icon(name)), make("span", { class: "f-words" },
        make("span", { class: "f-label" }, label), make("span", { class: "f-text" }, hint)))));
      this.open({
        title: this.texts.choose_kind, sign: "plus", rows: [make("ul", { class: "f-kinds" }, ...items)],
        closed: () => chosen(kind), buttons: [this.button(this.texts.cancel, () => this.close(false))],
      });
    }

    // The form of a step.
    edit(step, { number, changed, closed, preview, condition }) {
      const { label } = this.words.kinds[step.kind];
      const inputs = new window.campaign.Inputs({ words: this.words, step, changed });
      const general = make("ul", { class: "f-problems f-general", hidden: true });
      this.open({
        title: this.texts.step.replace("{number}", number).replace("{kind}", label), sign: step.kind,
        rows: [general, ...FORMS[step.kind](inputs, { preview, condition })], closed, isSide: true,
        buttons: [this.button(this.texts.cancel, () => this.close(false)), this.button(this.texts.done, null, true)],
      });
    }

    // What is wrong with the step that is open, each at its input.
    complain(problems) {
      if (!this.dialog.open) return;
      const rest = [];
      const places = new Map([...this.body.querySelectorAll("[data-error]")].map((line) => [line.dataset.error, line]));
      const own = new Map([...places.keys()].map((name) => [name, []]));
      for (const problem of problems) (own.get(problem.setting) || rest).push(problem);
      for (const [name, line] of places) {
        line.textContent = own.get(name).map(({ text }) => text).join(" ");
        line.hidden = !line.textContent;
        line.closest("[data-setting]").classList.toggle("f-bad", !line.hidden);
        if (!line.hidden) line.closest("details")?.setAttribute("open", "");
      }
      const general = this.body.querySelector(".f-general");
      if (!general) return;
      general.hidden = !rest.length;
      general.replaceChildren(...rest.map(({ text }) => make("li", {}, this.icon("triangle-alert"), text)));
    }
  };
}
