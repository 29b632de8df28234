"""A service on the web that keeps what it is sent and answers as it is told."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Call(NamedTuple):
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    body: str


Answer = Callable[[Call], tuple[int, Any]]


class Listening:
    """``answer`` says what is answered; it may be replaced at any time."""

    def __init__(self, answer: Answer) -> None:
        self.calls: list[Call] = []
        self.answer = answer
        self.url = ""


@contextmanager
def listening(answer: Answer) -> Iterator[Listening]:
    """A server on a free port, in a thread of its own."""
    service = Listening(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            call = Call(self.path, dict(self.headers.items()), body)
            service.calls.append(call)
            status, said = service.answer(call)
            data = json.dumps(said).encode() if said is not None else b""
            if status == 0:  # Hang up without a word.
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
