"use strict";
// The mail of a step as somebody would get it: shown in a frame, and sent to oneself.
{
  const { make, select, id } = window.resonanz;

  window.campaign.MailPreview = class {
    constructor({ words, urls, samples, form }) {
      Object.assign(this, { urls, form, texts: words.texts, languages: words.languages, samples });
    }

    // A part of a step's form; nothing is asked before it is opened.
    part(step) {
      const { texts } = this;
      this.step = step;
      this.count = 0;
      const labelled = (label, input) => {
        input.id = id("f-input");
        return make("div", { class: "f-language" }, make("label", { for: input.id }, label), input);
      };
      const draw = () => this.later(0);
      const own = document.documentElement.lang.slice(0, 2);
      const known = this.languages.some(([code]) => code === own);
      this.language = select(this.languages, known ? own : this.languages[0][0], { change: draw });
      this.comment = select([["yes", texts.with_comment], ["no", texts.without_comment]], "yes", { change: draw });
      this.answer = select([["", texts.sample], ...this.samples], "", { change: draw });
      this.subject = make("p", { class: "f-subject" });
      this.stage = make("div", { class: "f-stage" });
      this.text = make("pre", { class: "f-plain", tabindex: "0" });
      this.said = make("output", { class: "f-hint", "aria-live": "polite" });
      const send = make("button", { type: "button", class: "b-button", click: () => this.send(send) }, texts.preview_send);
      const controls = make("div", { class: "f-controls" }, labelled(texts.preview_language, this.language),
        labelled(texts.preview_answer, this.answer), labelled(texts.preview_comment, this.comment));
      const plain = make("details", { class: "f-details" }, make("summary", {}, texts.preview_text), this.text);
      this.element = make("details", { class: "f-details f-preview" }, make("summary", {}, texts.open_preview), controls,
        this.subject, this.stage, plain, make("div", { class: "f-span" }, send, this.said));
      this.element.addEventListener("toggle", () => this.element.open && draw());
      return this.element;
    }

    later(delay = 500) {
      clearTimeout(this.timer);
      if (!this.element?.isConnected || !this.element.open) return;
      this.timer = setTimeout(() => this.draw(), delay);
    }

    data() {
      const data = new FormData(this.form);
      data.set("_key", this.step.key);
      data.set("_language", this.language.value);
      data.set("_comment", this.comment.value);
      data.set("_response", this.answer.value);
      return data;
    }

    async post(url) {
      const headers = { accept: "application/json" };
      const answer = await fetch(url, { method: "POST", body: this.data(), headers, redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.json();
    }

    async draw() {
      this.fill();
      const number = (this.count += 1);
      try {
        const { subject, text } = await this.post(this.urls.mail);
        if (number !== this.count) return;
        this.subject.textContent = subject;
        this.text.textContent = text;
      } catch {
        this.subject.textContent = this.texts.preview_failed;
      }
    }

    // Sent into a frame with a policy of its own: a mail's styles are written in it, which this page forbids.
    fill() {
      const name = id("mail-frame");
      const frame = make("iframe", { name, title: this.texts.preview, sandbox: "allow-same-origin", tabindex: "-1" });
      const sent = make("form", { action: this.urls.mail, method: "post", target: name, hidden: true });
      for (const [key, value] of this.data()) {
        if (typeof value === "string") sent.append(make("input", { type: "hidden", name: key, value }));
      }
      this.stage.replaceChildren(frame);
      document.body.append(sent);
      sent.submit();
      sent.remove();
    }

    async send(button) {
      button.disabled = true;
      this.said.textContent = "…";
      try {
        this.said.textContent = (await this.post(this.urls.trial)).said;
      } catch {
        this.said.textContent = this.texts.preview_failed;
      }
      button.disabled = false;
    }
  };
}
