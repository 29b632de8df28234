"use strict";
// Small helpers that the widgets of the trigger pages share.
window.resonanz = {
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
    const known = pairs.some(([value]) => value === chosen);
    const options = (known || chosen === "" ? pairs : [...pairs, [chosen, chosen]]).map(([value, label]) => {
      const option = new Option(label, value);
      option.selected = value === chosen;
      return option;
    });
    return resonanz.make("select", { class: "b-input b-select", ...attributes }, ...options);
  },

  button(text, click, attributes = {}) {
    return resonanz.make("button", { type: "button", class: "b-button", click, ...attributes }, text);
  },

  // The button that takes something away; what it takes away is said by its label.
  cross(title, click, label) {
    const attributes = { type: "button", class: "b-icon", title, "aria-label": label, click };
    return resonanz.make("button", attributes, "×");
  },

  // The JSON that the server put into a widget.
  data(root, name) {
    return JSON.parse(root.querySelector(`[data-name="${name}"] script`).textContent);
  },

  // Write a widget's JSON into its text area, as if somebody had typed it.
  write(textarea, value) {
    textarea.value = JSON.stringify(value, null, 2);
    textarea.dispatchEvent(new Event("input", { bubbles: true }));
  },

  // Show a problem below the inputs it is about; "" takes it away.
  complain(line, inputs, text) {
    line.textContent = text;
    line.hidden = !text;
    for (const input of inputs) {
      if (text) {
        input.setAttribute("aria-invalid", "true");
        input.setAttribute("aria-describedby", line.id);
      } else {
        input.removeAttribute("aria-invalid");
        input.removeAttribute("aria-describedby");
      }
    }
  },

  ids: 0,
  id(prefix) {
    resonanz.ids += 1;
    return `${prefix}-${resonanz.ids}`;
  },
};
