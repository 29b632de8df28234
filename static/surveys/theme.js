/* Beside each colour a picker; beside the accent how well text reads on it. Saving checks the same once more. */
(() => {
  const WHITE = "#ffffff", NEAR_BLACK = "#111827", AA = 4.5, STEPS = 512;
  const isColour = (text) => /^#[0-9a-f]{6}$/i.test(text);
  const shares = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
  const linear = (share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);

  const luminance = (colour) => {
    const [red, green, blue] = shares(colour).map(linear);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };

  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };

  const textOn = (colour) => (contrast(WHITE, colour) >= contrast(NEAR_BLACK, colour) ? WHITE : NEAR_BLACK);

  // Same hue and saturation, another lightness.
  const lightness = (colour) => (Math.max(...shares(colour)) + Math.min(...shares(colour))) / 2;
  const shade = (colour, to) => {
    const from = shares(colour), light = lightness(colour);
    const room = (value) => 1 - Math.abs(2 * value - 1);
    const stretch = room(light) ? room(to) / room(light) : 0;
    const byte = (share) => Math.min(255, Math.max(0, Math.round((to + (share - light) * stretch) * 255)));
    return "#" + from.map((share) => byte(share).toString(16).padStart(2, "0")).join("");
  };

  const nearest = (colour, text) => {
    for (let step = 0; step <= STEPS; step += 1) {
      for (const way of [-1, 1]) {
        const found = shade(colour, Math.min(1, Math.max(0, lightness(colour) + (way * step) / STEPS)));
        if (contrast(found, text) >= AA) return found;
      }
    }
    return text === WHITE ? NEAR_BLACK : WHITE;
  };

  const better = (accent, chosen) => {
    if (chosen) return nearest(accent, chosen);
    const away = (colour) => Math.abs(lightness(colour) - lightness(accent));
    return [WHITE, NEAR_BLACK].map((text) => nearest(accent, text)).sort((a, b) => away(a) - away(b))[0];
  };

  const add = (box, tag, properties) => box.appendChild(Object.assign(document.createElement(tag), properties));

  const withPicker = (box) => {
    const text = box.querySelector("input[type=text]");
    const picker = add(box, "input", { type: "color", ariaLabel: box.dataset.picker });
    picker.addEventListener("input", () => {
      text.value = picker.value;
      text.dispatchEvent(new Event("input", { bubbles: true }));
    });
    return { text, picker };
  };

  const boxes = Object.fromEntries([...document.querySelectorAll("[data-colour]")].map((box) => [box.dataset.colour, box]));
  if (!boxes.accent || !boxes.on_accent) return;
  const accent = withPicker(boxes.accent), on = withPicker(boxes.on_accent);
  const words = boxes.accent.dataset;
  const sample = add(boxes.accent, "span", { className: "colour-sample", textContent: words.sample });
  const said = add(boxes.accent, "output", { className: "colour-said" });
  const take = add(boxes.accent, "button", { type: "button", className: "colour-take" });
  const number = new Intl.NumberFormat(document.documentElement.lang || "en", { minimumFractionDigits: 1 });

  const look = () => {
    const back = accent.text.value.trim(), chosen = on.text.value.trim();
    const known = isColour(back) && (!chosen || isColour(chosen));
    sample.hidden = said.hidden = !known;
    take.hidden = true;
    if (!known) return;
    const text = chosen || textOn(back), ratio = contrast(back, text);
    accent.picker.value = back.toLowerCase();
    on.picker.value = text.toLowerCase();
    sample.style.background = back;
    sample.style.color = text;
    said.classList.toggle("faint", ratio < AA);
    said.textContent = (ratio < AA ? words.faint : words.fine).replace("{ratio}", number.format(Math.floor(ratio * 10) / 10));
    take.hidden = ratio >= AA;
    take.dataset.shade = better(back, chosen);
    take.textContent = words.take.replace("{colour}", take.dataset.shade);
  };

  take.addEventListener("click", () => {
    accent.text.value = take.dataset.shade;
    accent.text.dispatchEvent(new Event("input", { bubbles: true }));
    accent.text.focus();
  });
  for (const one of [accent, on]) one.text.addEventListener("input", look);
  look();
})();
