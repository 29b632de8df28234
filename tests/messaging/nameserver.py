"""A real name server on loopback, with whatever zone a test gives it."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset

Zone = Mapping[tuple[str, str], list[str]]
"""Records by name and type; a name that ends in “silent.” gets no answer."""


def _answer(query: dns.message.Message, zone: Zone) -> dns.message.Message | None:
    question = query.question[0]
    name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
    if (name, "silent") in zone:
        return None
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.RA
    records = zone.get((name, kind))
    if records:
        texts = [f'"{text[:200]}" "{text[200:]}"' if kind == "TXT" else f"{text}." for text in records]
        answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *texts))
    elif not any(known == name for known, _kind in zone):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer


@contextmanager
def serving(zone: Zone) -> Iterator[dns.resolver.Resolver]:
    """A resolver that asks this server, which notes what it was asked in ``resolver.asked``."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    server.settimeout(0.1)
    stop = threading.Event()
    asked: list[str] = []

    def run() -> None:
        while not stop.is_set():
            try:
                wire, client = server.recvfrom(4096)
            except TimeoutError:
                continue
            query = dns.message.from_wire(wire)
            asked.append(query.question[0].name.to_text(omit_final_dot=True))
            answer = _answer(query, zone)
            if answer is not None:
                server.sendto(answer.to_wire(), client)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = server.getsockname()[1]
    resolver.timeout = 1
    resolver.asked = asked  # type: ignore[attr-defined]
    try:
        yield resolver
    finally:
        stop.set()
        thread.join()
        server.close()
