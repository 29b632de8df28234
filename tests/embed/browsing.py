"""A host page of somebody else's website, and the platform beside it, for a real browser."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, Request

FILLER = "<p>Wool and leather.</p>" + "<br>" * 60
BODY = f"<h1>Boots</h1><p><a href='/next'>Next</a></p>{FILLER}<div id='feedback'></div>{FILLER * 3}"
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 800}


class Shop:
    """Serves whatever HTML it is given, at http://shop.test:port."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[str, dict[str, str]]] = {}
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                html, headers = shop.pages.get(self.path.partition("?")[0], ("", {}))
                self.send_response(200 if html else 404)
                for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(html.encode())

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.origin = f"http://shop.test:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(
        self,
        home: str,
        *,
        path: str = "/products/boots",
        lang: str = "en",
        body: str = BODY,
        script: str = "",
        before: str = "",
        **headers: str,
    ) -> str:
        """A page with the script tag; ``script`` are its data attributes, ``before`` stands in front of it."""
        html = (
            f"<!doctype html><html lang='{lang}'><head><meta charset=utf-8><title>Boots</title>"
            f"<meta name=viewport content='width=device-width'>{before}"
            f"<script async src='{home}/embed.js' {script}></script></head><body><main>{body}</main></body></html>"
        )  # fmt: skip
        self.pages[path] = html, {name.replace("_", "-"): value for name, value in headers.items()}
        return self.origin + path

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Browsing:
    """A tab on a host page: what it asked for, and what it complained about."""

    def __init__(self, context: BrowserContext, home: str) -> None:
        self.page: Page = context.new_page()
        self.home = home
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", self._note)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, request: Request) -> None:
        if request.url.startswith(self.home):
            self.requests.append(request.url.removeprefix(self.home).partition("?")[0])

    def _hear(self, message: Any) -> None:
        # The missing HTTPS of the test, and the icon that the host page does not have.
        known = ("Cross-Origin-Opener-Policy", "favicon")
        in_the_frame = message.location.get("url", "").startswith(f"{self.home}/s/")
        if in_the_frame or message.type not in {"error", "warning"}:
            return
        if not any(k in message.text + str(message.location) for k in known):
            self.complaints.append(message.text)

    @property
    def asked(self) -> int:
        return self.requests.count("/embed/ask")

    @property
    def box(self) -> Locator:
        return self.page.locator("[class^=k].on")

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("[class^=k].on iframe")

    def script_is_there(self) -> None:
        self.page.wait_for_function("window.Resonanz && Resonanz.show")

    def settle(self, milliseconds: int = 400) -> None:
        """Long enough for what must not happen."""
        self.page.wait_for_timeout(milliseconds)


Open = Callable[..., Browsing]
