"""A real HTTP server on loopback that answers as it is told and remembers what it got."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

Behaviour = Callable[["Handler"], None]


class Received(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


class Handler(BaseHTTPRequestHandler):
    """Hands every POST to the receiver's behaviour."""

    server: "Receiver"
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.received.append(Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        try:
            self.server.behaviour(self)
        except (BrokenPipeError, ConnectionResetError):
            self.server.cut.set()

    def do_GET(self) -> None:
        self.server.received.append(Received(f"GET {self.path}", {}, b""))
        answer(200)(self)

    def log_message(self, format: str, *args: object) -> None:
        return


class Receiver(ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1 while used as a context manager."""

    daemon_threads = True
    request_queue_size = 128
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[Received] = []
        self.behaviour: Behaviour = answer(200)
        self.cut = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    def __enter__(self) -> "Receiver":
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut.set()
        self.shutdown()
        self.server_close()


def answer(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Answer with a status, a body and headers (``Retry_After`` → ``Retry-After``)."""

    def behave(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def silence(seconds: float) -> Behaviour:
    """Say nothing for a while (or until the test is over), then 200."""

    def behave(handler: Handler) -> None:
        handler.server.cut.wait(seconds)
        answer(200)(handler)

    return behave
