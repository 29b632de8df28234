(() => {
  const d = document, on = (t, f, o) => d.addEventListener(t, f, o);
  let timer, saved, draft, kiosk;
{% if s.is_embedded %}  const tell = (resonanz, height) => parent.postMessage({resonanz, height}, "*");
  new ResizeObserver(() => tell("size", d.body.offsetHeight)).observe(d.body);
  on("keydown", e => e.key === "Escape" && tell("close"));
{% endif %}  const send = (url, body) => fetch(url, {
    method: "POST", body: new URLSearchParams(body), keepalive: true, credentials: "omit",
  });
  const post = (f, more = []) => send(f.action, [...new FormData(f), ...more]);
  const save = () => {
    const l = d.querySelector("[data-lead] :checked");
    if (!l || l.value === saved) return;
    saved = l.value;
    draft = post(l.form, [["save", 1]]).then(r => r.ok, () => 0).then(ok => { if (!ok) saved = 0; });
  };
  const later = ms => { clearTimeout(timer); timer = setTimeout(save, ms); };
  const swap = (html, url) => {
{# What the next page needs of style comes along; as an element the policy would refuse it. #}    const css = [];
    const n = new DOMParser().parseFromString(html.replace(/<style[^>]*>([^]*?)<\/style>/, (_, t) => css.push(t) && ""), "text/html");
    const m = n.querySelector("main");
    if (!m) throw html;
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(css[0]);
      d.adoptedStyleSheets = [sheet];
    } catch { return location.assign(url || ""); }
    d.title = n.title;
    d.querySelector("main").replaceWith(m);
    if (url) history.replaceState(0, "", url);
    const h = m.querySelector("[role=alert],h1");
    h.tabIndex = -1;
    h.focus();
    scrollTo(0, 0);
{% if s.is_embedded %}    if (m.querySelector("[data-done]")) tell("done");
{% endif %}  };
{% if s.hidden.t and not s.is_embedded %}{# Somebody looks at it: not a scanner, which is gone by then, and not a tab in the background. #}  let glance;
  const seen = [location.pathname + "/opened", {t: d.forms[0].t.value}];
  const look = () => {
    clearTimeout(glance);
    if (!d.hidden) glance = setTimeout(() => {
      d.removeEventListener("visibilitychange", look);
      send(...seen).catch(() => 0);
    }, 1500);
  };
  on("visibilitychange", look);
  look();
{% endif %}  on("change", e => e.isTrusted && e.target.closest("[data-lead]") && later(900));
  for (const k of ["pointerdown", "keydown"]) on(k, e => e.isTrusted && later(1500), {once: true});
  on("submit", async e => {
    const f = e.target, b = f.querySelector("button");
    e.preventDefault();
    clearTimeout(timer);
    if (b.ariaBusy) return;
    b.ariaBusy = "true";
    try {
      await Promise.race([draft, new Promise(r => setTimeout(r, 1500))]);
      const r = await post(f);
      swap(await r.text(), r.redirected && r.url);
    } catch (x) {
      b.ariaBusy = null;
      if (kiosk && kiosk(f)) return;
      const p = f.querySelector("div.bad") || f.insertBefore(d.createElement("div"), f.firstChild);
      p.className = "bad";
      p.setAttribute("role", "alert");
      p.textContent = typeof x === "string" ? x : f.dataset.offline;
    }
  });
{% if s.kiosk_url %}{% include "survey/kiosk.js" %}{% endif %}})();
