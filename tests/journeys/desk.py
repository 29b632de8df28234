"""A user at the tenant's pages without a browser: signs in, fills in forms as they stand there, sends them."""

from collections.abc import Mapping
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.browsing import AGENT
from tests.journeys.platform import Answer, Platform

Fields = dict[str, list[str]]
FORM = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": AGENT}


class _Forms(HTMLParser):
    """What all forms of a page would send as they stand there."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Fields] = []
        self._select, self._options, self._area = "", list[tuple[str, bool]](), ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({})
        elif tag == "select":
            self._select, self._options = given.get("name", ""), [("", False)] if "multiple" in given else []
        elif tag == "option" and self._select:
            self._options.append((given.get("value", ""), "selected" in given))
        elif tag == "textarea" and self.forms:
            self._area = given.get("name", "")
            self._put(self._area, "")
        elif tag == "input" and given.get("type") not in ("submit", "button", "file", "image"):
            is_box = given.get("type") in ("checkbox", "radio")
            is_sent = not is_box or "checked" in given
            self._put(given.get("name", "") if is_sent else "", given.get("value", "on" if is_box else ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select:
            chosen = [value for value, is_chosen in self._options if is_chosen]
            for value in chosen or [value for value, _ in self._options[:1] if value]:
                self._put(self._select, value)
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area and self.forms:
            held = self.forms[-1][self._area]
            held[-1] += data.removeprefix("\n") if not held[-1] else data

    def _put(self, name: str, value: str) -> None:
        if name and self.forms:
            self.forms[-1].setdefault(name, []).append(value)


def form_with(page: str, name: str) -> Fields:
    """What the page's first form that asks for ``name`` would send."""
    parser = _Forms()
    parser.feed(page)
    return next(form for form in parser.forms if name in form)


def filled(form: Fields, values: Mapping[str, Any]) -> bytes:
    """The form with these values, as it is sent; None takes one out."""
    together = {**form, **{name: [str(value)] for name, value in values.items() if value is not None}}
    gone = {name for name, value in values.items() if value is None}
    return urlencode({name: value for name, value in together.items() if name not in gone}, doseq=True).encode()


class Desk:
    """A session of a tenant's administrator."""

    def __init__(self, platform: Platform, slug: str) -> None:
        self.platform, self.slug, self.host = platform, slug, f"{slug}.localhost"
        self._cookies: dict[str, str] = {}
        user = next(one for one in platform.tenant(slug)["users"] if one["role"] == "admin")
        done = self.send("/login/", "password", username=user["user"], password=user["password"])
        assert done.status == 302, done.body

    def get(self, path: str) -> str:
        """A page that is there."""
        answer = self._request("GET", path)
        assert answer.status == 200, (path, answer.status, answer.headers.get("Location"))
        return answer.body.decode()

    def send(self, path: str, asks: str, /, **values: Any) -> Answer:
        """Send the form of a page that asks for ``asks``, with these values, to where the page is."""
        form = form_with(self.get(path), asks)
        return self.post(path, filled(form, values))

    def post(self, path: str, body: bytes) -> Answer:
        """Send a form."""
        return self._request("POST", path, body)

    def api(self, method: str, path: str, body: Any) -> Any:
        """One call with the tenant's key."""
        key = self.platform.tenant(self.slug)["api_key"]
        answer = self.platform.request(method, self.host, f"/api/v1/{path}", body, {"Authorization": f"Bearer {key}"})
        assert answer.status in (200, 201, 202), answer.body
        return answer.json()

    def _request(self, method: str, path: str, body: bytes | None = None) -> Answer:
        headers = {**FORM, "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        answer = self.platform.request(method, self.host, path, body, headers)
        for line in answer.headers.get_all("Set-Cookie") or []:
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return answer


def respond(platform: Platform, url: str, wait: Any, **values: Any) -> Answer:
    """Open a link of a mail, read a moment, and send its form; nobody is signed in."""
    parts = urlsplit(url)
    host, path = str(parts.hostname), parts.path + (f"?{parts.query}" if parts.query else "")
    page = platform.request("GET", host, path, headers=FORM)
    assert page.status == 200, (url, page.status)
    wait()
    form = form_with(page.body.decode(), next(iter(values)))
    return platform.request("POST", host, path, filled(form, values), FORM)
