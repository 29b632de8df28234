"use strict";
// What takes a moment to count comes once the page itself is there; until then, and without this script, a link leads to it.
for (const place of document.querySelectorAll("[data-load]")) {
  const link = place.querySelector("a");
  place.setAttribute("aria-busy", "true");
  fetch(place.dataset.load)
    .then((answer) => {
      // Signed out meanwhile: the link leads to the sign-in.
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      return answer.text();
    })
    .then((text) => {
      // Whoever stands on the link must not lose their place.
      const had = place.contains(document.activeElement);
      place.innerHTML = text;
      if (had) {
        place.tabIndex = -1;
        place.focus({ preventScroll: true });
      }
    })
    .catch(() => link?.removeAttribute("hidden"))
    .finally(() => place.removeAttribute("aria-busy"));
}
