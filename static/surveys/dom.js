"use strict";
// Small helpers that the survey editor's scripts share.
window.survey = {
  words: JSON.parse(document.getElementById("survey-words")?.textContent || "null"),

  // A text of the editor's, with its {placeholders} filled in.
  text(key, values = {}) {
    return survey.words.texts[key].replace(/\{(\w+)\}/g, (_all, name) => String(values[name]));
  },

  // An element with attributes, listeners (functions) and children.
  make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") element.addEventListener(name, value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value != null) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child != null));
    return element;
  },

  // A <select> of [value, label] pairs; a value that is not among them is kept as a choice of its own.
  select(pairs, chosen, attributes) {
    const all = pairs.some(([value]) => value === chosen) ? pairs : [[chosen, chosen || survey.text("choose")], ...pairs];
    const options = all.map(([value, label]) => new Option(label, value, false, value === chosen));
    return survey.make("select", { class: "s-input", ...attributes }, ...options);
  },

  button(text, click, attributes = {}) {
    return survey.make("button", { type: "button", class: "s-button", click, ...attributes }, text);
  },

  // A button with a sign; what it does is said by its label.
  sign(sign, label, click) {
    return survey.make("button", { type: "button", class: "s-sign", "aria-label": label, title: label, click }, sign);
  },

  // Write a widget's JSON into its text area, as if somebody had typed it.
  write(textarea, value) {
    textarea.value = JSON.stringify(value, null, 2);
    textarea.dispatchEvent(new Event("input", { bubbles: true }));
  },

  // The JSON in a text area; undefined if it is none, or holds numbers that JavaScript would change.
  read(textarea, empty) {
    const text = textarea.value.trim();
    if (/\d{16}/.test(text.replace(/"(\\.|[^"\\])*"/g, ""))) return undefined;
    try {
      return text ? JSON.parse(text) : empty;
    } catch {
      return undefined;
    }
  },

  // "Lieferung & Versand" → "lieferung-versand", as the server does it.
  slug(text) {
    const plain = text.replaceAll("ß", "ss").normalize("NFKD").replace(/[^\x00-\x7f]/g, "").toLowerCase();
    const slug = plain.replace(/[^\w\s-]/g, "").trim().replace(/[-\s]+/g, "-").replace(/^[-_]+/, "");
    return slug.slice(0, 40).replace(/[-_]+$/, "");
  },

  // A key that is not taken yet.
  free(stem, taken) {
    for (let number = 1; ; number += 1) {
      const key = number === 1 ? stem : `${stem.slice(0, 39 - String(number).length)}-${number}`;
      if (!taken.includes(key)) return key;
    }
  },
};
