// The one script of a host page; sent without comments and spaces, and with a letter for each $name.
// $css: style of the box. $words: [title, close] by language. $all: placements p with i id, t touchpoint, k kind
// (0 inline, 1 popover, 2 slide-in), w side or place, q selector, u pages, d delay, y scroll, x exit, o only on track,
// p percent, v phone or not, l languages, r days of rest. Kept here: s state (1 asked, 2 shown, 3 opening, 4 open), c its
// close. Nothing is asked, loaded or stored until a placement is due; nothing is stored without consent.
((d, w, [$css, $words, $all]) => {
  const q = w.Resonanz || [];
  if (q.show) return;
  let $busy, {src: s, dataset: $set} = d.currentScript,
    $yes = $set.consent == "granted",
    $who = $set.externalId && {external_id: $set.externalId, signature: $set.signature};
  const $home = new URL(s).origin,
    $root = d.documentElement,
    $dice = Math.random() * 100,
    $lang = ($set.language || $root.lang || navigator.language).slice(0, 2),
    [$title, x] = $words[$lang] || $words.en,

    on = (t, e, f, o) => t.addEventListener(e, f, o),
    $tame = f => {
      try {
        return f()
      } catch {}
    },
    $make = (t, o) => Object.assign(d.createElement(t), o),
    $post = ($path, o) => fetch($home + "/embed/" + $path, {method: "POST", body: JSON.stringify(o), keepalive: true}),
    $say = (e, p) => d.dispatchEvent(new CustomEvent("resonanz:" + e, {detail: {touchpoint: p.t, placement: p.i}})),

    // With consent only: a number for this browser, and when each placement was closed or answered.
    $memory = id => $yes && $tame(() => {
      const m = $tame(() => JSON.parse(localStorage.resonanz)) || {};
      m.v = m.v || crypto.getRandomValues(new Uint32Array(4)).join("-");
      if (id) m[id] = Date.now();
      localStorage.resonanz = JSON.stringify(m);
      return m;
    }) || {},

    $spot = p => p.k ? d.body : d.querySelector(p.q),
    $here = p => RegExp(p.u).test(location.href.split("#")[0]),
    $fits = (p, m, $phone) => $here(p) && !((parseInt(m.v ?? $dice) + p.i * 37) % 100 >= p.p)
      && (p.v ?? $phone) == $phone && (p.l || $lang).includes($lang) && !(Date.now() - m[p.i] < p.r * 864e5),

    // n: 0 by itself, 1 by track, 2 by show.
    $due = async (p, n, $more) => {
      const m = $memory(),
        $at = p && $spot(p);
      if (!$at || p.s > n || p.k && $busy || n < 2 && !$fits(p, m, innerWidth < 640)) return;
      p.s = 3;
      if (p.k) $busy = 1;
      const a = await $post("ask", {
        placement: p.i, url: location.href, language: $lang, contact: $who, consent: $yes, visitor: m.v,
        properties: {...$tame(() => JSON.parse($set.properties)), ...$more},
      }).then(r => r.json()).catch(() => 0);
      a.show ? $open(p, n, $at, a) : $free(p, 1);
      return a.show;
    },
    $free = (p, s) => {
      p.s = s;
      p.c = 0;
      if (p.k) $busy = 0;
    },

    $open = (p, n, $at, a) => {
      const $host = $make("div"),
        $dom = $host.attachShadow({mode: "open"}),
        $rules = new CSSStyleSheet(),
        $box = $make("div", {role: p.k ? "dialog" : "region", ariaLabel: $title, tabIndex: -1, className: "k" + p.k + " " + p.w}),
        $frame = $make("iframe", {src: $home + a.url, title: $title}),
        $last = d.activeElement,
        $stop = new AbortController();
      p.c = () => {
        const $inside = d.activeElement == $host;
        $host.remove();
        $stop.abort();
        $free(p, 2);
        if ($inside) $last.focus();
        if (a.token) $post("closed", {token: a.token});
        $memory(p.i);
        $say("closed", p);
      };
      $rules.replaceSync($css);
      $dom.adoptedStyleSheets = [$rules];
      $dom.append($box);
      $box.append($make("button", {textContent: "×", ariaLabel: x, onclick: p.c}), $frame);
      on(w, "message", e => {
        if (e.source != $frame.contentWindow || e.origin != $home) return;
        const {resonanz: m, height} = e.data;
        if (height) {
          $frame.style.height = height + "px";
          if (p.s < 4) {
            p.s = 4;
            $box.className += " on";
            if (n > 1) $box.focus();
            $say("shown", p);
          }
        }
        if (m == "done") {
          a.token = 0;
          $memory(p.i);
          $say("answered", p);
        }
        if (m == "close") p.c();
      }, $stop);
      on(d, "keydown", e => p.k && e.key == "Escape" && p.c(), $stop);
      $at.insertAdjacentElement(p.k ? "beforeend" : p.w, $host);
    },

    $later = (p, f) => setTimeout(f, p.d * 1e3),
    $watch = p => p.o || $later(p, () => {
      const $look = e => {
        // Inside the page it has to be in sight: what nobody sees must not be counted.
        if (!p.s && $spot(p)?.getBoundingClientRect().top < innerHeight
          && (p.x && !e.relatedTarget && e.clientY < 1 || scrollY + innerHeight >= $root.scrollHeight * ~~p.y / 100)) $due(p, 0);
      };
      on(d, "scroll", $look);
      on(d, "mouseout", $look);
      $look(d);
    }),
    $api = w.Resonanz = {
      identify: o => $who = o,
      consent: o => ($yes = o) || $tame(() => localStorage.removeItem("resonanz")),
      track: (t, o) => $all.map(p => p.t == t && $later(p, () => $due(p, 1, o))),
      show: async (t, o) => $due($all.find(p => p.t == t && $here(p)), 2, o),
      close: () => $all.map(p => p.c?.()),
      push: ([f, ...o]) => $api[f](...o),
    },
    $start = () => {
      q.map($api.push);
      $all.map(p => $set.touchpoint && $set.touchpoint != p.t || $watch(p));
    };
  d.body ? $start() : on(d, "DOMContentLoaded", $start);
})(document, window, CONFIG);
