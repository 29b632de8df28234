/* Buttons that copy and print; without this script texts are selected and copied, and printed, by hand. */
(() => {
  const words = document.querySelector(".share")?.dataset;

  const copy = async (field) => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // Where the page was not opened over https.
    }
  };

  for (const field of document.querySelectorAll(".share-copy > :is(input, textarea)")) {
    const button = Object.assign(document.createElement("button"), {
      type: "button", className: "share-button quiet", textContent: words.copy,
    });
    button.setAttribute("aria-describedby", field.id);
    button.addEventListener("click", async () => {
      await copy(field);
      button.textContent = words.copied;
      setTimeout(() => { button.textContent = words.copy; }, 2000);
    });
    button.setAttribute("aria-live", "polite");
    field.after(button);
  }

  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
})();
