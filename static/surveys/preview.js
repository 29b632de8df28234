"use strict";
// The survey as it would be shown, drawn anew shortly after each change. The form is sent as it stands into a frame
// that takes the place of the old one once it is there: no flicker, and no step in the browser's history.
{
  const DELAY = 400;

  class Preview {
    constructor(region) {
      this.region = region;
      this.form = document.getElementById(region.dataset.form);
      this.stage = region.querySelector(".preview-stage");
      this.frame = this.stage.querySelector("iframe");
      this.page = region.querySelector("[name=_page]");
      this.controls = [...region.querySelectorAll("select")];
      this.count = 0;
      const later = () => this.later();
      this.form.addEventListener("input", later);
      this.form.addEventListener("change", later);
      for (const control of this.controls) control.addEventListener("change", () => this.draw());
      region.querySelector("[data-refresh]").addEventListener("click", (event) => {
        event.preventDefault();
        this.draw();
      });
      for (const button of region.querySelectorAll("[data-width]")) {
        button.addEventListener("click", () => this.resize(button));
      }
      new ResizeObserver(() => this.scale()).observe(this.stage);
      this.width = 390;
      this.draw();
    }

    later() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.draw(), DELAY);
    }

    draw() {
      clearTimeout(this.timer);
      const isPosted = this.form.method === "post";
      const data = new FormData(this.form);
      this.count += 1;
      const frame = this.frame.cloneNode();
      frame.removeAttribute("src");
      frame.name = `preview-frame-${this.count}`;
      frame.classList.add("preview-coming");
      const number = this.count;
      frame.addEventListener("load", () => {
        if (frame.contentWindow?.location.href === "about:blank") return;
        this.replace(frame, number);
      });
      this.stage.append(frame);
      const sent = document.createElement("form");
      Object.assign(sent, { action: this.region.dataset.preview, method: isPosted ? "post" : "get", target: frame.name });
      sent.hidden = true;
      for (const [name, value] of data) {
        if (typeof value !== "string") continue;
        const input = document.createElement("input");
        Object.assign(input, { type: "hidden", name, value });
        sent.append(input);
      }
      document.body.append(sent);
      sent.submit();
      sent.remove();
    }

    replace(frame, number) {
      const at = this.frame.contentWindow?.scrollY || 0;
      for (const old of [...this.stage.children]) {
        if (old !== frame && Number(old.name.split("-").pop() || 0) !== this.count) old.remove();
      }
      if (number !== this.count) return;
      frame.classList.remove("preview-coming");
      this.frame = frame;
      frame.contentWindow.scrollTo(0, at);
      this.region.dataset.shown = String(number);
      this.scale();
      this.pages();
    }

    // How many pages there are is only known once the form was read.
    pages() {
      const found = this.frame.contentDocument?.querySelector("meta[name=survey-pages]")?.content;
      if (!found) return;
      const labels = JSON.parse(found);
      if (labels.length === this.page.options.length) return;
      const chosen = this.page.value;
      this.page.replaceChildren(...labels.map(([value, label]) => new Option(label, value, false, value === chosen)));
    }

    resize(pressed) {
      for (const button of this.region.querySelectorAll("[data-width]")) {
        button.setAttribute("aria-pressed", String(button === pressed));
      }
      this.width = Number(pressed.dataset.width);
      this.scale();
    }

    // Wider than its place, it is shown smaller.
    scale() {
      const room = this.stage.clientWidth;
      const factor = Math.min(1, room / this.width);
      const height = this.stage.clientHeight / factor;
      for (const frame of this.stage.children) {
        frame.width = this.width;
        frame.height = Math.round(height);
        frame.style.transform = factor < 1 ? `scale(${factor})` : "";
        frame.style.left = `${Math.max(0, (room - this.width * factor) / 2)}px`;
      }
    }
  }

  const start = () => {
    for (const region of document.querySelectorAll("[data-preview][data-form]")) new Preview(region);
  };
  if (document.readyState === "complete") start();
  else window.addEventListener("load", start);
}
