"use strict";
// Shows shortly after each change what the form would make of the kept messages; and new messages as they come.
// Without this script the button does.
{
  const DELAY = 400;
  const EVERY = 5000;
  const form = document.getElementById("hook-form");
  const place = document.querySelector("[data-previews]");
  let timer, request;
  let shown = "";

  const words = (text) => text.replace(/name="csrfmiddlewaretoken" value="[^"]*"/g, "");

  async function look() {
    request?.abort();
    request = new AbortController();
    try {
      const answer = await fetch(form.dataset.preview, {
        method: "POST", body: new FormData(form), signal: request.signal, redirect: "error",
      });
      if (!answer.ok) return;
      const text = await answer.text();
      if (words(text) === shown) return;
      shown = words(text);
      // What is open stays open, whoever stands in the messages stays there.
      const open = [...place.querySelectorAll("details[open]")].map((part) => part.id);
      const focused = place.contains(document.activeElement) ? document.activeElement.closest("[id]")?.id : "";
      place.innerHTML = text;
      for (const id of open) document.getElementById(id)?.setAttribute("open", "");
      if (focused) document.getElementById(focused)?.querySelector("summary")?.focus({ preventScroll: true });
    } catch {
      // Aborted by a newer one, or away: the next change asks again.
    }
  }

  if (form?.dataset.preview && place) {
    form.querySelector("[data-look]").hidden = true;
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(look, DELAY);
    };
    form.addEventListener("input", later);
    form.addEventListener("change", later);
    setInterval(() => { if (!document.hidden) look(); }, EVERY);
    look();
  }
}
