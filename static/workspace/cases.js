"use strict";
// The list of cases by keyboard, and ticking many. Without this script forms and links do the same.
{
  const keys = document.getElementById("keys");
  const help = document.querySelector("[data-keys]");
  if (help) {
    help.hidden = false;
    help.addEventListener("click", () => keys.showModal());
  }

  // No key means anything to whoever types, chooses, or reads a dialog.
  const isBusy = (event) =>
    event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented ||
    document.querySelector("dialog[open]") ||
    event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (isBusy(event)) return;
    if (event.key === "?") {
      event.preventDefault();
      keys.showModal();
    } else if (event.key === "/") {
      event.preventDefault();
      const search = document.querySelector(".filter [type=search]");
      search.focus();
      search.select();
    }
  });

  const inbox = document.getElementById("inbox");
  if (inbox) {
    const KEY = "resonanz.cases.next";
    const rows = [...inbox.querySelectorAll("tbody tr")];
    const boxes = rows.map((row) => row.querySelector(".pick input"));
    const all = inbox.querySelector("[data-all]");
    const none = inbox.querySelector("[data-none]");
    const count = inbox.querySelector("[data-count]");
    const words = count.textContent;
    let last = -1;

    const ticked = () => boxes.filter((box) => box.checked);
    const show = () => {
      const number = ticked().length;
      count.textContent = number ? `${words}: ${number}` : words;
      all.checked = number === boxes.length;
      all.indeterminate = number > 0 && number < boxes.length;
    };
    all.hidden = none.hidden = false;
    all.addEventListener("change", () => {
      for (const box of boxes) box.checked = all.checked;
      show();
    });
    none.addEventListener("click", () => {
      for (const box of boxes) box.checked = false;
      show();
      boxes[Math.max(0, last)].focus();
    });
    boxes.forEach((box, at) => box.addEventListener("click", (event) => {
      if (event.shiftKey && last >= 0) {
        const [from, to] = [Math.min(last, at), Math.max(last, at)];
        for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
      }
      last = at;
      show();
    }));
    show();

    const current = () => rows.findIndex((row) => row.contains(document.activeElement));
    const go = (at) => {
      const row = rows[Math.min(Math.max(at, 0), rows.length - 1)];
      row.querySelector(".case-who a").focus();
      row.scrollIntoView({ block: "nearest" });
    };
    // What is done is done to the ticked ones; without any, to the one that one is at.
    const begin = () => {
      if (!ticked().length) {
        if (current() < 0) return false;
        boxes[current()].checked = true;
        show();
      }
      return true;
    };
    const choose = (action) => { inbox.querySelector(`[name=action][value=${action}]`).checked = true; };
    const acts = {
      j: () => go(current() + 1),
      k: () => go(current() < 0 ? 0 : current() - 1),
      x: () => {
        if (current() < 0) return;
        boxes[current()].click();
      },
      a: () => {
        if (!begin()) return;
        choose("assign");
        inbox.elements.owner.value = "me";
        inbox.requestSubmit();
      },
      c: () => {
        if (!begin()) return;
        choose("status");
        inbox.elements.to_status.value = "contacted";
        inbox.requestSubmit();
      },
      e: () => {
        if (!begin()) return;
        choose("close");
        inbox.querySelector("[data-part=close] :is(select, input)").focus();
      },
    };
    document.addEventListener("keydown", (event) => {
      if (isBusy(event) || event.shiftKey || !Object.hasOwn(acts, event.key)) return;
      event.preventDefault();
      acts[event.key]();
    });
    inbox.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !ticked().length) return;
      const at = Math.max(0, boxes.findIndex((box) => box.checked));
      for (const box of boxes) box.checked = false;
      show();
      go(at);
    });

    // After the page comes back one stands where one was; where that is gone, at the next one.
    inbox.addEventListener("submit", () => {
      const at = Math.max(0, current() >= 0 ? current() : boxes.findIndex((box) => box.checked));
      sessionStorage.setItem(KEY, JSON.stringify(rows.slice(at).concat(rows.slice(0, at).reverse()).map((row) => row.id)));
    });
    const next = JSON.parse(sessionStorage.getItem(KEY) || "[]");
    sessionStorage.removeItem(KEY);
    const there = next.map((id) => document.getElementById(id)).find(Boolean);
    if (there) go(rows.indexOf(there));
    if ("open" in inbox.dataset) inbox.querySelector(".bulk .error")?.closest(".form-field").querySelector("input, select")?.focus();
  }
}
