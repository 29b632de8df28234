"""Mails per second, ours and theirs in turn: ``python -m tests.bench.mailing.turns PAIRS MAILS`` prints JSON.

EMAIL_URL must lead to an smtp-sink; a worker of ours must be running.
"""

import smtplib
import socket
import sys
import time
from collections.abc import Sequence
from typing import Any

import django
from django.conf import settings
from django.utils import timezone

STOCK_MAILS = 400


def main(pairs: int, count: int) -> None:
    """One tenant, as many contacts as mails."""
    django.setup()
    from tests.bench.engine import world
    from tests.bench.measure import alternate

    with world.tenant("nordwind"):
        contacts = furnish(count)
        ready = prebuilt(contacts)
        ours(contacts, "warm", enqueued := [])
        stock(contacts[:50])
        enqueued.clear()
        runs = iter(range(1000))
        # All three see the same state of the machine: ours is measured between the two.
        found: dict[str, list[float]] = {"stock": [], "prebuilt": []}
        mine: dict[str, list[float]] = {}
        for name, other in (("stock", lambda: stock(contacts[:STOCK_MAILS])), ("prebuilt", lambda: piped(ready))):
            mine[name], found[name] = alternate(lambda: ours(contacts, str(next(runs)), enqueued), other, pairs)
        size = sum(len(data) for _envelope, data in ready) / len(ready)
        world.show(
            ours_stock=mine["stock"], stock=found["stock"], ours_prebuilt=mine["prebuilt"],
            prebuilt=found["prebuilt"], size=size, enqueued=enqueued,
        )  # fmt: skip


def furnish(count: int) -> list[Any]:
    """Contacts that may be written to."""
    from apps.contacts.models import Contact, LegalBasis

    now = timezone.now()
    names = ("Ada Lovelace", "Käthe Müller", "Jörg Groß", "Zoë Ferreira", "李小龙")
    Contact.objects.bulk_create(
        Contact(email=f"c{n}@d{n % 7}.example", name=f"{names[n % 5]} {n}", locale="de-DE") for n in range(count)
    )
    contacts = list(Contact.objects.order_by("id"))
    LegalBasis.objects.bulk_create(
        LegalBasis(contact=contact, kind="consent", source="bench", granted_at=now) for contact in contacts
    )
    return contacts


def ours(contacts: Sequence[Any], run: str, enqueued: list[float]) -> float:
    """Mails per second through our worker, from the first that is claimed to the last that is accepted."""
    from apps.common import agenda
    from apps.messaging import services
    from apps.messaging.models import OutgoingEmail
    from apps.surveys.mails import render_letters
    from tests.bench.mailing.mails import BASE_URL, letters

    before = time.perf_counter()
    later = timezone.now()
    for start in range(0, len(contacts), 500):
        mails = render_letters(letters(list(contacts[start : start + 500]), run), base_url=BASE_URL)
        _put(services, mails, later)
    enqueued.append(len(contacts) / (time.perf_counter() - before))
    rows = OutgoingEmail.objects.filter(reason__startswith=f"bench:{run}:")
    agenda.note(schema_name="nordwind", queue=services.DELIVER_QUEUE, due_at=timezone.now())
    agenda.announce(schema_name="nordwind", queue=services.DELIVER_QUEUE)
    sending, queued = (OutgoingEmail.objects.filter(status=status) for status in ("sending", "queued"))
    _wait(lambda: sending.exists() or not queued.exists(), 0.002)
    began = time.perf_counter()
    _wait(lambda: not queued.exists() and not sending.exists(), 0.05)
    seconds = time.perf_counter() - began
    assert rows.filter(status="sent").count() == len(contacts), set(rows.values_list("status", "last_error"))
    return len(contacts) / seconds


def _put(services: Any, mails: Any, now: Any) -> None:
    """Into the outbox, without waking the worker yet."""
    wake, services.agenda.wake = services.agenda.wake, lambda **_: None
    try:
        services.enqueue(mails=mails, now=now)
    finally:
        services.agenda.wake = wake


def _wait(is_over: Any, pause: float) -> None:
    deadline = time.monotonic() + 120
    while not is_over():
        if time.monotonic() > deadline:
            raise SystemExit("The worker does not send.")
        time.sleep(pause)


def stock(contacts: Sequence[Any]) -> float:
    """Mails per second of a loop over Django's own classes, over one kept connection."""
    from django.core.mail import get_connection

    from apps.surveys.mails import current_theme
    from tests.bench.mailing.mails import stock_message

    theme = current_theme()
    began = time.perf_counter()
    with get_connection() as connection:
        for contact in contacts:
            assert stock_message(contact, theme, connection).send() == 1
    return len(contacts) / (time.perf_counter() - began)


def prebuilt(contacts: Sequence[Any]) -> list[tuple[bytes, bytes]]:
    """Envelope and data of ready-made messages."""
    from apps.messaging.mime import stuffed
    from apps.surveys.mails import current_theme
    from tests.bench.mailing.mails import stock_message

    theme = current_theme()
    found = []
    for contact in contacts[:1000]:
        message = stock_message(contact, theme)
        sender = smtplib.quoteaddr(message.from_email)
        envelope = f"MAIL FROM:{sender}\r\nRCPT TO:<{contact.email}>\r\nDATA\r\n".encode()
        found.append((envelope, stuffed(message.message().as_bytes(linesep="\r\n"))))
    return found


def piped(ready: Sequence[tuple[bytes, bytes]]) -> float:
    """Mails per second of ready-made messages over one pipelined connection, and nothing else."""
    with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT) as smtp:
        smtp.ehlo()
        assert smtp.has_extn("pipelining")
        sock: socket.socket = smtp.sock  # type: ignore[assignment]
        began = time.perf_counter()
        sock.sendall(ready[0][0])
        for number, (_envelope, data) in enumerate(ready):
            replies = [smtp.getreply()[0] for _ in range(3)]
            assert replies == [250, 250, 354], replies
            following = ready[number + 1][0] if number + 1 < len(ready) else b""
            sock.sendall(data + following)
            assert smtp.getreply()[0] == 250
        seconds = time.perf_counter() - began
    return len(ready) / seconds


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
