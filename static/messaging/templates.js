"use strict";
// Beside a mail template's form: subject, text part and warnings of the preview, contacts to look as, variables to
// insert, and a test to oneself. Without this script the buttons send the form themselves.
{
  const start = (region) => {
    const form = document.getElementById(region.dataset.form);
    const part = (name) => region.querySelector(`[data-part="${name}"]`);
    const words = region.dataset;
    let asked = 0;

    const post = async (url) => {
      const headers = { accept: "application/json" };
      const answer = await fetch(url, { method: "POST", body: new FormData(form), headers });
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.json();
    };

    const describe = async () => {
      const number = (asked += 1);
      try {
        const about = await post(words.about);
        if (number !== asked) return;
        for (const name of ["subject", "preheader", "text"]) part(name).textContent = about[name];
        part("size").textContent = about.size ? `${about.size} KB` : "";
        part("warnings").replaceChildren(
          ...about.warnings.map((text) => Object.assign(document.createElement("li"), { textContent: text })),
        );
        region.dataset.described = String(number);
      } catch {
        part("warnings").replaceChildren(
          Object.assign(document.createElement("li"), { textContent: words.failed }),
        );
      }
    };
    // The frame is drawn anew by preview.js; what stands above it follows.
    new MutationObserver(describe).observe(region, { attributes: true, attributeFilter: ["data-shown"] });

    region.querySelector("[data-send]").addEventListener("click", async (event) => {
      event.preventDefault();
      const button = event.currentTarget;
      button.disabled = true;
      part("said").textContent = "…";
      try {
        part("said").textContent = (await post(words.trial)).said;
      } catch {
        part("said").textContent = words.failed;
      }
      button.disabled = false;
    });

    const purpose = form.querySelector("[name=purpose]");
    const choose = () => {
      for (const list of region.querySelectorAll("[data-purpose]")) {
        list.hidden = list.dataset.purpose !== (purpose.value || "invitation");
      }
    };
    purpose.addEventListener("change", choose);
    choose();

    let last = null;
    const texts = "input[type=text], textarea";
    form.addEventListener("focusin", (event) => {
      if (event.target.matches(texts) && /^(subject|preheader|text|html)_/.test(event.target.name)) last = event.target;
    });
    for (const button of region.querySelectorAll("[data-insert]")) {
      button.addEventListener("click", async () => {
        const variable = button.dataset.insert;
        if (last) {
          last.setRangeText(variable, last.selectionStart, last.selectionEnd, "end");
          last.dispatchEvent(new Event("input", { bubbles: true }));
          last.focus();
        } else {
          await navigator.clipboard?.writeText(variable);
        }
        part("said").textContent = (last ? words.inserted : words.copied).replace("{variable}", variable);
      });
    }

    const search = region.querySelector("[name=_contact]");
    const options = region.querySelector("datalist");
    let timer = 0;
    search?.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(async () => {
        if (search.value.trim().length < 2) return options.replaceChildren();
        const answer = await fetch(`${words.people.split("?")[0]}?q=${encodeURIComponent(search.value)}`);
        if (!answer.ok) return undefined;
        const { found } = await answer.json();
        return options.replaceChildren(...found.map(({ value, label }) => Object.assign(new Option(label, value), { label })));
      }, 250);
    });
  };

  for (const region of document.querySelectorAll(".mail-preview")) start(region);
}
