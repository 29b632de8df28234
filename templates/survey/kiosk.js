  const w = window, kept = "resonanz-kiosk " + location.pathname;
  const start = d.querySelector("main").cloneNode(true), url = location.href, title = d.title;
  const thanks = d.querySelector("template"), all = () => JSON.parse(localStorage[kept] || "[]");
  const fresh = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), n => n.toString(36)).join("");
  const home = new URL(d.body.dataset.kiosk, url), made = Date.now();
  let rest, run = fresh(), busy;
  const anew = () => {
{# A page of one answer must not meet the next visitor; and now and then the survey may have changed. #}    if (home.pathname !== new URL(url).pathname || navigator.onLine && Date.now() - made > 36e5) return location.replace(home);
    run = fresh();
    saved = draft = 0;
    d.querySelector("main").replaceWith(start.cloneNode(true));
    d.adoptedStyleSheets = [];
    d.title = title;
    history.replaceState(0, "", url);
  };
  const idle = () => {
    clearTimeout(rest);
    rest = setTimeout(anew, d.querySelector("[data-done]") ? 8000 : 60000);
  };
  const flush = async () => {
    if (busy) return;
    busy = 1;
    try {
      for (let list = all(); list.length; list = all()) {
        const r = await fetch(list[0].to, {method: "POST", body: new URLSearchParams(list[0].body), credentials: "omit"});
        if (r.status === 429 || r.status > 499) break;
        localStorage[kept] = JSON.stringify(all().slice(1));
      }
    } catch { /* still offline */ }
    busy = 0;
  };
  on("formdata", e => e.formData.set("n", run));
  kiosk = f => {
    const body = [...new FormData(f), ["at", Date.now()]];
    localStorage[kept] = JSON.stringify([...all(), {to: f.action, body}]);
    d.querySelector("main").replaceChildren(thanks.content.cloneNode(true));
    idle();
    return true;
  };
  for (const k of ["pointerdown", "keydown", "input"]) on(k, idle);
  new MutationObserver(idle).observe(d.body, {childList: true});
  w.addEventListener("online", flush);
  setInterval(flush, 30000);
  flush();
