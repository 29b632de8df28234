(() => {
  const d = document, w = window, framed = parent !== w;
  let timer, saved = "";
  const tell = (what, more) => framed && parent.postMessage({resonanz: what, ...more}, "*");
  const post = (f, more = {}) => fetch(f.action, {
    method: "POST", body: new URLSearchParams([...new FormData(f), ...Object.entries(more)]),
    keepalive: true, credentials: "omit",
  });
  const lead = () => d.querySelector("[data-lead] :checked");
  const save = () => {
    const l = lead(), v = l && l.value;
    if (!l || v === saved) return;
    saved = v;
    post(l.form, {save: 1}).then(r => { if (!r.ok) saved = ""; }, () => { saved = ""; });
  };
  const later = ms => { clearTimeout(timer); timer = setTimeout(save, ms); };
  const swap = (html, url) => {
    const n = new DOMParser().parseFromString(html, "text/html"), m = n.querySelector("main");
    if (!m) throw html;
    d.title = n.title;
    d.querySelector("main").replaceWith(m);
    if (url) history.replaceState(0, "", url);
    const h = m.querySelector("[role=alert],h1");
    h.tabIndex = -1;
    h.focus();
    scrollTo(0, 0);
    if (m.querySelector("[data-done]")) tell("done");
  };
  const fail = (f, text) => {
    let p = f.querySelector("div.bad");
    if (!p) { p = d.createElement("div"); p.className = "bad"; p.setAttribute("role", "alert"); f.prepend(p); }
    p.textContent = text;
  };
  d.addEventListener("change", e => e.isTrusted && e.target.closest("[data-lead]") && later(900));
  for (const k of ["pointerdown", "keydown"]) addEventListener(k, e => e.isTrusted && later(1500), {once: true});
  d.addEventListener("submit", async e => {
    const f = e.target, b = f.querySelector("button");
    e.preventDefault();
    clearTimeout(timer);
    if (b.ariaBusy) return;
    b.ariaBusy = "true";
    try {
      const r = await post(f);
      swap(await r.text(), r.url);
    } catch (x) {
      b.ariaBusy = null;
      if (!(w.kiosk && w.kiosk(f))) fail(f, typeof x === "string" ? x : f.dataset.offline);
    }
  });
  if (framed) new ResizeObserver(() => tell("size", {height: d.body.offsetHeight})).observe(d.body);
  w.resonanz = {post, swap};
})();
