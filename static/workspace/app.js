"use strict";
// Choosing a filter applies it at once; without this script the button does.
for (const form of document.querySelectorAll("form[data-autosubmit]")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
  // Empty fields stay out of the address.
  form.addEventListener("submit", () => {
    for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
  });
}
// The menu closes like any other: by Escape and by a click elsewhere.
for (const menu of document.querySelectorAll("details.menu")) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
// On a phone the navigation is wider than the screen: begin with the section that is shown.
document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
// A page that waits looks every second (or as it says) how far things are, and shows itself anew when they are done.
for (const place of document.querySelectorAll("[data-poll]")) {
  const pause = 1000 * Number(place.dataset.every || 1);
  let shown = "";
  const look = async () => {
    if (!document.hidden) await show().catch(() => null);
    setTimeout(look, pause);
  };
  const show = async () => {
    const answer = await fetch(place.dataset.poll);
    // Done, signed out, or gone: the page itself knows what to say then.
    if (answer.status === 204 || answer.redirected || answer.status === 404) return location.reload();
    if (!answer.ok) return;
    const text = await answer.text();
    // Forms' tokens are new each time.
    const words = text.replace(/name="csrfmiddlewaretoken" value="[^"]*"/g, "");
    if (words === shown) return;
    shown = words;
    // Whoever stands on a button stays on it.
    const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
    place.innerHTML = text;
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  };
  setTimeout(look, pause);
}
// In a chart one point is in the order of the tab key; arrows go from there to the others, and each is read out.
for (const chart of document.querySelectorAll("[data-chart]")) {
  const points = [...chart.querySelectorAll(".month")];
  chart.addEventListener("keydown", (event) => {
    const at = points.indexOf(document.activeElement);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: points.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    if (!points[to]) return;
    points[at].setAttribute("tabindex", "-1");
    points[to].setAttribute("tabindex", "0");
    points[to].focus({ preventScroll: true });
  });
}
