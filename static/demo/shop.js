// The shop's own script: its banner, its basket, and the calls that the buttons show.
window.Resonanz = window.Resonanz || [];
const call = (...what) => (Resonanz.show ? Resonanz[what[0]](...what.slice(1)) : Resonanz.push(what));
const one = (id) => document.getElementById(id);
const log = (text) => {
  const line = document.createElement("li");
  line.textContent = `${new Date().toLocaleTimeString(document.documentElement.lang)}  ${text}`;
  one("log").prepend(line);
};

for (const name of ["shown", "answered", "closed"])
  document.addEventListener(`resonanz:${name}`, (event) => log(`resonanz:${name} ${JSON.stringify(event.detail)}`));

const choice = localStorage.getItem("shop-consent");
if (choice === "yes") call("consent", true);
one("consent").hidden = choice !== null;

const calls = {
  show: () => call("show", "product_page"),
  track: () => call("track", "product_page", { size: one("size").value }),
  identify: () => call("identify", { external_id: document.body.dataset.customer, signature: document.body.dataset.signature }),
  close: () => call("close"),
  forget: () => {
    localStorage.removeItem("shop-consent");
    one("consent").hidden = false;
    call("consent", false);
  },
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.call) {
    const result = await calls[button.dataset.call]();
    log(`Resonanz.${button.dataset.call} ${button.dataset.call === "show" ? (result ? "→ true" : "→ false") : ""}`);
  }
  if (button.dataset.consent) {
    localStorage.setItem("shop-consent", button.dataset.consent);
    one("consent").hidden = true;
    call("consent", button.dataset.consent === "yes");
    log(`Resonanz.consent ${button.dataset.consent === "yes"}`);
  }
  if (button.id === "buy") one("basket").textContent = `✓ ${one("size").value}`;
});
