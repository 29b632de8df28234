"""A small HTTP/1.1 load generator: keep-alive connections, one request in flight on each, no pipelining.

Runs as a process of its own (``python -m tests.bench.load``), takes its orders as JSON on standard
input and prints the figures as JSON. An epoll loop over plain
sockets costs a tenth of what the fastest server here spends on a request.
"""

import json
import re
import select
import socket
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
PLACE = "@@@@@@@@@@@@@@@@@@@@"  # replaced in every request by a number that was never used before
MAX_SECONDS = 120


@dataclass(frozen=True)
class Orders:
    """What to send, where, for how long, and which answer is right."""

    port: int
    host: str
    path: str
    status: int
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    seconds: float = 5.0
    connections: int = 16
    seed: int = 0

    def to_json(self) -> str:
        """For the process's standard input."""
        return json.dumps(asdict(self))

    def template(self) -> tuple[bytes, ...]:
        """The request's bytes around the places where the running number goes."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.body:
            kind = [] if "Content-Type" in self.headers else ["Content-Type: application/json"]
            lines += [*kind, f"Content-Length: {len(self.body.encode())}"]
        return tuple(("\r\n".join(lines) + "\r\n\r\n" + self.body).encode().split(PLACE.encode()))


class Wire:
    """One keep-alive connection."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self.buffer = b""

    def answer(self) -> bytes | None:
        """The whole answer, or None while some of it is missing."""
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.buffer += data
        head = self.buffer.find(_END)
        if head < 0:
            return None
        length = _LENGTH.search(self.buffer, 0, head + 2)
        if length is None:
            raise ValueError(f"an answer without Content-Length: {self.buffer[:300]!r}")
        if len(self.buffer) < head + len(_END) + int(length[1]):
            return None
        whole, self.buffer = self.buffer, b""
        return whole


def run(orders: Orders) -> dict[str, Any]:
    """Keep every connection busy until the time is up; figures of what was answered within it."""
    parts = orders.template()
    right = f"HTTP/1.1 {orders.status} ".encode()
    wires = {wire.sock.fileno(): wire for wire in (Wire(orders.port) for _ in range(orders.connections))}
    poll = select.epoll()
    number = orders.seed * 10**12
    wrong: list[str] = []
    took: list[float] = []
    clock = time.perf_counter
    started = clock()
    stop = started + min(orders.seconds, MAX_SECONDS)
    for fileno, wire in wires.items():
        poll.register(fileno, select.EPOLLIN)
        number += 1
        wire.sent_at = clock()
        wire.sock.sendall(f"{number:020d}".encode().join(parts))
    while (now := clock()) < stop:
        for fileno, _event in poll.poll(stop - now):
            wire = wires[fileno]
            answer = wire.answer()
            if answer is None:
                continue
            now = clock()
            took.append(now - wire.sent_at)
            if not answer.startswith(right):
                wrong.append(answer.decode(errors="replace")[:600])
            number += 1
            wire.sent_at = now
            wire.sock.sendall(f"{number:020d}".encode().join(parts))
    seconds = clock() - started
    finish(wires)
    took.sort()
    return {
        "requests": len(took),
        "seconds": seconds,
        "wrong": len(wrong),
        "example": wrong[0] if wrong else "",
        "p50_ms": took[len(took) // 2] * 1000 if took else None,
        "p99_ms": took[len(took) * 99 // 100] * 1000 if took else None,
        "client_cpu_seconds": time.process_time(),
    }


def finish(wires: dict[int, Wire]) -> None:
    """Take the answers that are still under way, so that they burden nobody's next turn."""
    for wire in wires.values():
        wire.sock.settimeout(5)
        try:
            while wire.answer() is None:
                pass
        finally:
            wire.sock.close()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(Orders(**json.load(sys.stdin)))))
