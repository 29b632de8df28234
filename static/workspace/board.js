"use strict";
// Cards are dragged, or moved by keys, from column to column. The card goes at once, and comes back if it may not.
// Without this script the menu of a card does the same.
{
  const board = document.querySelector("[data-board]");
  const said = document.querySelector("[data-said]");
  const dialog = document.getElementById("close-dialog");
  const form = dialog.querySelector("form");
  const typed = new Map();
  let dragged = null;
  let silence;

  const cardsOf = (column) => column.querySelector("[data-cards]");
  const columnOf = (card) => card.closest(".column");
  const columns = () => [...board.querySelectorAll(".column")];
  const find = (status) => board.querySelector(`.column[data-status="${status}"]`);
  const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

  function say(text, isError = false) {
    clearTimeout(silence);
    said.textContent = text;
    said.classList.toggle("is-error", isError);
    silence = setTimeout(() => { said.textContent = ""; }, 6000);
  }

  function recount(column, by) {
    const place = column.querySelector(".count");
    place.dataset.number = Number(place.dataset.number) + by;
    place.textContent = Number(place.dataset.number).toLocaleString(document.documentElement.lang);
  }

  // To where it goes, keeping the focus on it; returns how to put it back.
  function put(card, column) {
    const from = columnOf(card);
    const before = card.nextElementSibling;
    const focused = card.contains(document.activeElement);
    cardsOf(column).prepend(card);
    recount(from, -1);
    recount(column, 1);
    if (focused) card.querySelector(".card-name").focus({ preventScroll: true });
    return () => {
      const was = card.contains(document.activeElement);
      cardsOf(from).insertBefore(card, before?.parentElement === cardsOf(from) ? before : null);
      recount(column, -1);
      recount(from, 1);
      if (was || focused) card.querySelector(".card-name").focus({ preventScroll: true });
    };
  }

  function renew(card, html) {
    const place = document.createElement("template");
    place.innerHTML = html.trim();
    const fresh = place.content.firstElementChild;
    const focused = card.contains(document.activeElement);
    card.replaceWith(fresh);
    prepare(fresh);
    if (focused) fresh.querySelector(".card-name").focus({ preventScroll: true });
    return fresh;
  }

  async function send(card, column, values, back) {
    const body = new FormData();
    for (const [name, value] of Object.entries(values)) body.append(name, value);
    body.append("csrfmiddlewaretoken", token());
    body.append("status", column.dataset.status);
    body.append("revision", card.dataset.revision);
    body.append("back", location.search.slice(1));
    card.classList.add("is-waiting");
    let answer, told;
    try {
      answer = await fetch(card.querySelector(".card-moves").action, {
        method: "POST", body, headers: { Accept: "application/json" }, redirect: "error",
      });
      told = await answer.json();
    } catch {
      back();
      say(board.dataset.failed, true);
      return "away";
    } finally {
      card.classList.remove("is-waiting");
    }
    if (answer.ok) {
      renew(card, told.card);
      say(told.said);
      return "";
    }
    back();
    if (told.code === "outcome_missing") return told.said;
    say(told.said, true);
    if (!told.card) {
      recount(columnOf(card), -1);
      card.remove();
      return "gone";
    }
    // As it is by now, in the column where it is by now.
    const now = find(told.status);
    if (now !== columnOf(card)) put(card, now);
    renew(card, told.card);
    return "refused";
  }

  function move(card, column) {
    if (!column || column === columnOf(card)) return;
    const back = put(card, column);
    if ("closed" in column.dataset) ask(card, column, back);
    else send(card, column, {}, back);
  }

  // How it ended; what was typed for a case is still there when one comes back to it.
  function ask(card, column, back) {
    const id = card.dataset.card;
    form.reset();
    for (const [name, value] of Object.entries(typed.get(id) ?? {})) {
      const field = form.elements[name];
      if (field && name !== "status") field.value = value;
    }
    for (const radio of form.querySelectorAll("[name=status]")) radio.checked = radio.value === column.dataset.status;
    dialog.querySelector("[data-whose]").textContent = card.dataset.name;
    dialog.querySelector("[data-error]").textContent = "";
    const remember = () => typed.set(id, Object.fromEntries(new FormData(form)));
    const cancel = () => {
      remember();
      back();
      finish();
      card.querySelector(".card-name").focus();
    };
    const submit = async (event) => {
      event.preventDefault();
      remember();
      const { status, ...values } = typed.get(id);
      const goal = find(status);
      // Another end was chosen than the column it was put in.
      if (goal !== columnOf(card)) put(card, goal);
      const problem = await send(card, goal, values, () => {});
      if (problem && !["refused", "gone", "away"].includes(problem)) {
        dialog.querySelector("[data-error]").textContent = problem;
        form.elements.outcome.focus();
        return;
      }
      if (problem === "away") {
        dialog.querySelector("[data-error]").textContent = board.dataset.failed;
        return;
      }
      finish();
      if (!problem) typed.delete(id);
      document.getElementById(`card-${id}`)?.querySelector(".card-name").focus();
    };
    const stop = (event) => { event.preventDefault(); cancel(); };
    const finish = () => {
      form.removeEventListener("submit", submit);
      dialog.removeEventListener("cancel", stop);
      dialog.querySelector("[data-cancel]").removeEventListener("click", cancel);
      dialog.close();
    };
    form.addEventListener("submit", submit);
    dialog.addEventListener("cancel", stop);
    dialog.querySelector("[data-cancel]").addEventListener("click", cancel);
    dialog.showModal();
    form.querySelector("select, textarea").focus();
  }

  function prepare(card) {
    card.draggable = true;
    card.addEventListener("dragstart", (event) => {
      dragged = card;
      card.classList.add("is-dragged");
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", card.dataset.name);
    });
    card.addEventListener("dragend", () => {
      card.classList.remove("is-dragged");
      for (const column of columns()) column.classList.remove("is-over");
      dragged = null;
    });
  }

  function prepareColumn(column) {
    column.addEventListener("dragover", (event) => {
      if (!dragged) return;
      event.preventDefault();
      column.classList.toggle("is-over", column !== columnOf(dragged));
    });
    column.addEventListener("dragleave", (event) => {
      if (!column.contains(event.relatedTarget)) column.classList.remove("is-over");
    });
    column.addEventListener("drop", (event) => {
      if (!dragged) return;
      event.preventDefault();
      move(dragged, column);
    });
    for (const card of column.querySelectorAll(".card")) prepare(card);
  }

  // The menu of a card.
  board.addEventListener("submit", (event) => {
    const card = event.target.closest(".card");
    if (!card) return;
    event.preventDefault();
    card.querySelector(".card-menu").open = false;
    card.querySelector(".card-name").focus({ preventScroll: true });
    move(card, find(event.submitter.value));
  });
  board.addEventListener("toggle", (event) => {
    if (!event.target.open) return;
    for (const menu of board.querySelectorAll(".card-menu[open]")) if (menu !== event.target) menu.open = false;
    event.target.querySelector("button").focus();
  }, true);
  document.addEventListener("click", (event) => {
    for (const menu of board.querySelectorAll(".card-menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  // Keys.
  const goto = (card) => {
    if (!card) return;
    card.querySelector(".card-name").focus();
    card.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  board.addEventListener("keydown", (event) => {
    const card = event.target.closest(".card");
    const menu = event.target.closest(".card-menu[open]");
    if (!card || event.ctrlKey || event.metaKey || event.altKey) return;
    if (menu) {
      const items = [...menu.querySelectorAll("button")];
      const at = items.indexOf(document.activeElement);
      if (event.key === "Escape") {
        menu.open = false;
        menu.querySelector("summary").focus();
      } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        items[(at + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length].focus();
      } else return;
      event.preventDefault();
      return;
    }
    const list = columns();
    const at = list.indexOf(columnOf(card));
    const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (side && event.shiftKey) move(card, list[at + side]);
    else if (side) {
      const row = [...cardsOf(list[at]).children].indexOf(card);
      for (let to = at + side; list[to]; to += side) {
        const others = cardsOf(list[to]).children;
        if (others.length) { goto(others[Math.min(row, others.length - 1)]); break; }
      }
    } else if (event.key === "ArrowDown") goto(card.nextElementSibling);
    else if (event.key === "ArrowUp") goto(card.previousElementSibling);
    else if (event.key === "m") card.querySelector(".card-menu").open = true;
    else return;
    event.preventDefault();
  });

  // More of a long column, in place.
  board.addEventListener("click", async (event) => {
    const link = event.target.closest("[data-more]");
    if (!link) return;
    event.preventDefault();
    const column = link.closest(".column");
    const shown = cardsOf(column).children.length;
    try {
      const answer = await fetch(link.href);
      if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector(`.column[data-status="${column.dataset.status}"]`);
      column.replaceWith(fresh);
      prepareColumn(fresh);
      goto(cardsOf(fresh).children[shown] ?? cardsOf(fresh).lastElementChild);
    } catch {
      location.assign(link.href);
    }
  });

  for (const column of columns()) prepareColumn(column);
}
