"use strict";
// One case: colleagues are offered after an @, and other cases are merged in a dialog.
{
  const field = document.getElementById("note_text");
  const list = document.getElementById("people");
  if (field && list) {
    const MOST = 8;
    const all = [...list.children];
    let shown = [];
    let at = 0;

    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", list.id);
    field.setAttribute("aria-haspopup", "listbox");

    // What stands between an @ and the caret, if somebody may be meant.
    const asked = () => /(?:^|[^\w.+%-])@([^\s@]*(?: [^\s@]*)?)$/u.exec(field.value.slice(0, field.selectionStart))?.[1];
    const mark = (index) => {
      at = index;
      shown.forEach((option, place) => option.setAttribute("aria-selected", String(place === at)));
      field.setAttribute("aria-activedescendant", shown[at]?.id ?? "");
      shown[at]?.scrollIntoView({ block: "nearest" });
    };
    const close = () => {
      list.hidden = true;
      shown = [];
      field.removeAttribute("aria-activedescendant");
    };
    const look = () => {
      const words = asked()?.toLowerCase();
      if (words === undefined) return close();
      shown = all.filter((option) => option.dataset.words.split(" ").some((_word, place, parts) =>
        parts.slice(place).join(" ").startsWith(words))).slice(0, MOST);
      for (const option of all) option.hidden = !shown.includes(option);
      list.hidden = !shown.length;
      if (shown.length) mark(0);
      else close();
    };
    const take = (option) => {
      const caret = field.selectionStart;
      const start = caret - asked().length;
      field.setRangeText(`${option.dataset.name} `, start, caret, "end");
      close();
      field.focus();
    };
    field.addEventListener("input", look);
    field.addEventListener("blur", () => setTimeout(close, 150));
    field.addEventListener("keydown", (event) => {
      if (list.hidden) return;
      if (event.key === "ArrowDown") mark((at + 1) % shown.length);
      else if (event.key === "ArrowUp") mark((at + shown.length - 1) % shown.length);
      else if (event.key === "Enter" || event.key === "Tab") take(shown[at]);
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
    });
    list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) take(option);
    });
  }

  const merge = document.getElementById("merge");
  if (merge) {
    const dialog = document.createElement("dialog");
    dialog.className = "dialog";
    dialog.setAttribute("aria-label", merge.querySelector("summary").textContent.trim());
    dialog.append(merge.querySelector("form"));
    merge.after(dialog);
    const isOpen = merge.open;
    merge.open = false;
    merge.querySelector("summary").addEventListener("click", (event) => {
      event.preventDefault();
      dialog.showModal();
    });
    if (isOpen) dialog.showModal();
  }

  // The form that closes the case is folded: whoever asks for it stands in it.
  const close = document.getElementById("close");
  document.querySelector("[data-close]")?.addEventListener("click", (event) => {
    event.preventDefault();
    close.querySelector("details").open = true;
    close.scrollIntoView({ block: "nearest" });
    close.querySelector("select, textarea").focus();
  });
}
