"use strict";
// Cards are dragged, or lifted and moved by keys, to any place of the map. What is dropped is saved at once; the
// answer is the whole map as it is then, also when it was refused. Without this script the menus do the same.
{
  const map = document.querySelector("[data-map]");
  const said = document.querySelector("[data-said]");
  let held = null; // the card that is dragged or lifted, and how to put it back
  let busy = false;
  let silence;

  const all = (selector, from = map) => [...from.querySelectorAll(selector)];
  const listOf = (card) => card.closest("[data-place]");
  const cardsOf = (list) => all(":scope > .journey-card", list);
  const handleOf = (card) => card.querySelector("[data-handle]");
  const columnOf = (list) => list.closest(".column");
  const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name]);

  function say(text, isError = false) {
    clearTimeout(silence);
    said.textContent = text;
    said.classList.toggle("is-error", isError);
    silence = setTimeout(() => { said.textContent = ""; }, isError ? 12000 : 6000);
  }

  function whereabouts(card) {
    const list = listOf(card);
    const cards = cardsOf(list);
    return { name: card.dataset.name, place: list.dataset.name, number: cards.indexOf(card) + 1, all: cards.length };
  }

  function place(card, list, before) {
    const focused = card.contains(document.activeElement);
    if (held) held.moving = true;
    list.insertBefore(card, before);
    if (focused) handleOf(card).focus({ preventScroll: true });
    if (held) held.moving = false;
    card.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function hold(card) {
    const list = listOf(card);
    const next = card.nextElementSibling;
    held = { card, list, next, moving: false };
  }

  function release() {
    const { card } = held;
    held = null;
    card.classList.remove("is-lifted", "is-dragged");
    handleOf(card).setAttribute("aria-pressed", "false");
  }

  function putBack() {
    const { card, list, next } = held;
    place(card, list, next);
    release();
    say(fill(map.dataset.back, { name: card.dataset.name }));
  }

  function renew(told, focus) {
    map.innerHTML = told.map;
    map.dataset.revision = told.revision;
    prepare();
    const target = focus && map.querySelector(focus);
    if (target) {
      target.focus({ preventScroll: true });
      target.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }

  async function send(values, focus, back = () => {}) {
    if (busy) return;
    busy = true;
    map.setAttribute("aria-busy", "true");
    const body = new FormData();
    for (const [name, value] of Object.entries(values)) body.append(name, value);
    body.append("csrfmiddlewaretoken", token());
    try {
      const answer = await fetch(map.dataset.url, {
        method: "POST", body, headers: { Accept: "application/json" }, redirect: "manual",
      });
      if (answer.type === "opaqueredirect" || answer.status === 403) {
        back();
        say(map.dataset.signedOut, true);
        return;
      }
      const told = await answer.json();
      renew(told, focus);
      say(told.said, !answer.ok);
    } catch {
      back();
      say(map.dataset.failed, true);
    } finally {
      busy = false;
      map.removeAttribute("aria-busy");
    }
  }

  function drop() {
    const { card, list, next } = held;
    release();
    if (listOf(card) === list && card.nextElementSibling === next) return;
    const values = {
      what: "touchpoint", pk: card.dataset.touchpoint, revision: map.dataset.revision,
      stage: listOf(card).dataset.place, before: card.nextElementSibling?.dataset.touchpoint ?? "",
    };
    send(values, `[data-touchpoint="${card.dataset.touchpoint}"] [data-handle]`, () => {
      place(card, list, next?.parentElement === list ? next : null);
    });
  }

  // By keys.
  function step(card, key) {
    const list = listOf(card);
    if (key === "ArrowUp" || key === "ArrowDown") {
      const lists = all("[data-place]", columnOf(list));
      const at = lists.indexOf(list);
      if (key === "ArrowUp" && card.previousElementSibling) place(card, list, card.previousElementSibling);
      else if (key === "ArrowUp" && lists[at - 1]) place(card, lists[at - 1], null);
      else if (key === "ArrowDown" && card.nextElementSibling) place(card, list, card.nextElementSibling.nextElementSibling);
      else if (key === "ArrowDown" && lists[at + 1]) place(card, lists[at + 1], lists[at + 1].firstElementChild);
    } else {
      const columns = all(".column");
      const other = columns[columns.indexOf(columnOf(list)) + (key === "ArrowLeft" ? -1 : 1)];
      if (!other) return;
      const target = other.querySelector("[data-place]");
      place(card, target, cardsOf(target)[cardsOf(list).indexOf(card)] ?? null);
    }
    say(fill(map.dataset.over, whereabouts(card)));
  }

  map.addEventListener("keydown", (event) => {
    const menu = event.target.closest(".card-menu[open]");
    if (menu && event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
      return;
    }
    const handle = event.target.closest("[data-handle]");
    if (!handle || event.ctrlKey || event.metaKey || event.altKey || busy) return;
    const card = handle.closest(".journey-card");
    const isHeld = held?.card === card;
    if (event.key === " " || event.key === "Enter") {
      if (isHeld) drop();
      else {
        hold(card);
        card.classList.add("is-lifted");
        handle.setAttribute("aria-pressed", "true");
        say(fill(map.dataset.lifted, whereabouts(card)));
      }
    } else if (event.key === "Escape" && isHeld) putBack();
    else if (event.key.startsWith("Arrow") && isHeld) step(card, event.key);
    else return;
    event.preventDefault();
  });
  map.addEventListener("focusout", () => {
    if (held && !held.moving && held.card.classList.contains("is-lifted")) putBack();
  });

  // By drag.
  map.addEventListener("dragstart", (event) => {
    const card = event.target.closest(".journey-card");
    if (!card || busy) return;
    hold(card);
    card.classList.add("is-dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", card.dataset.name);
  });
  map.addEventListener("dragover", (event) => {
    if (!held) return;
    const area = event.target.closest(".journey-step, .column");
    const list = area?.querySelector("[data-place]");
    if (!list) return;
    event.preventDefault();
    const after = cardsOf(list).filter((one) => one !== held.card).find((one) => {
      const box = one.getBoundingClientRect();
      return event.clientY < box.top + box.height / 2;
    }) ?? null;
    if (listOf(held.card) !== list || held.card.nextElementSibling !== after) list.insertBefore(held.card, after);
  });
  map.addEventListener("drop", (event) => {
    if (!held) return;
    event.preventDefault();
    drop();
  });
  map.addEventListener("dragend", () => {
    if (held) putBack();
  });

  // By menu.
  map.addEventListener("submit", (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(event.target));
    values.way = event.submitter.value;
    values.revision = map.dataset.revision;
    const focus = values.what === "touchpoint"
      ? `[data-touchpoint="${values.pk}"] summary` : `[data-stage="${values.pk}"] summary`;
    event.target.closest(".card-menu").open = false;
    send(values, focus);
  });
  map.addEventListener("toggle", (event) => {
    if (!event.target.open) return;
    for (const menu of all(".card-menu[open]")) if (menu !== event.target) menu.open = false;
  }, true);
  document.addEventListener("click", (event) => {
    for (const menu of all(".card-menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  function prepare() {
    for (const card of all(".journey-card")) card.draggable = true;
    for (const handle of all("[data-handle]")) handle.hidden = false;
  }

  document.querySelector("[data-how]").hidden = false;
  prepare();
}
