"""The outbox against a real SMTP server that can be told to refuse."""

import smtplib
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.utils import timezone

from apps.contacts.models import Contact, LegalBasis
from apps.messaging import results, smtp
from apps.messaging.models import OutgoingEmail, Sender, SenderDomain, Suppression
from apps.messaging.sending import send_batch
from apps.messaging.services import NewEmail, enqueue, next_delivery_due, requeue
from apps.messaging.suppressions import suppress
from tests.factories import ContactFactory

pytestmark = pytest.mark.usefixtures("tenant")


class Sink:
    """Keeps what it takes; ``refusals`` maps a recipient to the reply it gets, ``drop`` cuts the line after DATA."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.refusals: dict[str, str] = {}
        self.drop: set[str] = set()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        if self.drop & set(envelope.rcpt_tos):
            server.transport.abort()
        return "250 OK"


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    handler = Sink()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    yield handler
    controller.stop()


def queue(*addresses: str, **changes: Any) -> None:
    contact = ContactFactory()
    LegalBasis.objects.create(contact=contact, kind="consent", source="test", granted_at=timezone.now())
    enqueue(
        mails=[
            NewEmail(
                **{
                    "reason": f"test:{address}",
                    "contact_id": contact.id,
                    "to_email": address,
                    "to_name": "Ada",
                    "subject": "Hello",
                    "text": "Text ü",
                    "html": "<p>HTML ü</p>",
                    **changes,
                }
            )
            for address in addresses
        ],
        now=timezone.now(),
    )


def statuses() -> dict[str, str]:
    return dict(OutgoingEmail.objects.values_list("to_email", "status"))


def send() -> int:
    return send_batch(now=timezone.now() + timedelta(seconds=1))


def test_a_mail_arrives_as_multipart_from_the_tenants_sender(sink: Sink) -> None:
    Sender.objects.create(name="Nördwind", email="hallo@nordwind.example", is_default=True)
    SenderDomain.objects.create(domain="nordwind.example", verified_at=timezone.now())
    queue("a@x.example")
    assert send() == 1
    [mail] = sink.mails
    assert mail["From"] == "Nördwind <hallo@nordwind.example>"
    assert mail["To"] == "Ada <a@x.example>"
    assert mail["Message-ID"].endswith("@nordwind.example>")
    assert mail.get_body(("plain",)).get_content().strip() == "Text ü"
    assert mail.get_body(("html",)).get_content().strip() == "<p>HTML ü</p>"
    assert statuses() == {"a@x.example": "sent"}


def test_one_reason_is_one_mail(sink: Sink) -> None:
    queue("a@x.example")
    queue("a@x.example")
    send()
    send()
    assert len(sink.mails) == 1


def test_a_later_is_tried_again_and_a_never_is_not(sink: Sink) -> None:
    sink.refusals = {"later@x.example": "451 busy", "never@x.example": "550 no such user"}
    queue("later@x.example", "never@x.example", "fine@x.example")
    send()
    assert statuses() == {"later@x.example": "queued", "never@x.example": "bounced", "fine@x.example": "sent"}
    waiting = OutgoingEmail.objects.get(status="queued")
    assert waiting.due_at > timezone.now() + timedelta(seconds=15)
    assert "451" in waiting.last_error


def test_a_line_cut_after_data_is_unknown_and_never_sent_again(sink: Sink) -> None:
    sink.drop = {"cut@x.example"}
    queue("cut@x.example", "next@x.example")
    send()
    send()
    assert statuses() == {"cut@x.example": "unknown", "next@x.example": "sent"}
    assert len([m for m in sink.mails if "cut@" in m["To"]]) == 1


def test_without_a_mail_server_nothing_is_lost(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    queue("a@x.example")
    send()
    assert statuses() == {"a@x.example": "queued"}


def test_what_was_being_sent_when_the_worker_died_is_unknown(sink: Sink) -> None:
    queue("a@x.example")
    OutgoingEmail.objects.update(status="sending", lease_until=timezone.now() - timedelta(seconds=1))
    send()
    assert statuses() == {"a@x.example": "unknown"}
    assert not sink.mails


def test_unsubscribed_between_queue_and_send_is_not_sent(sink: Sink) -> None:
    queue("a@x.example")
    suppress(emails=["a@x.example"], reason=Suppression.Reason.UNSUBSCRIBED, source="test", now=timezone.now())
    send()
    assert statuses() == {"a@x.example": "revoked"}
    assert not sink.mails


def test_line_breaks_in_names_and_subjects_make_no_headers(sink: Sink) -> None:
    queue("a@x.example", to_name="Ada\r\nBcc: evil@x.example", subject="Hi\nX-Evil: 1")
    send()
    [mail] = sink.mails
    assert mail["Bcc"] is None
    assert mail["X-Evil"] is None


def test_the_sink_can_refuse(sink: Sink, settings: Any) -> None:
    sink.refusals = {"never@x.example": "550 no"}
    with smtplib.SMTP("127.0.0.1", settings.EMAIL_PORT) as smtp, pytest.raises(smtplib.SMTPRecipientsRefused):
        smtp.sendmail("a@x.example", ["never@x.example"], "x")


def test_a_worker_that_dies_leaves_one_unknown_mail_and_loses_none(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    queue(*[f"a{n}@x.example" for n in range(6)])
    whole, count = smtp.SmtpLine._result, iter(range(100))

    def die_at_the_third(self: smtp.SmtpLine, reply: Any) -> Any:
        if next(count) == 2:
            raise SystemExit(9)
        return whole(self, reply)

    monkeypatch.setattr(smtp.SmtpLine, "_result", die_at_the_third)
    # As if killed: nothing is written any more.
    monkeypatch.setattr(results, "settle_patiently", lambda *_args, **_kwargs: None)
    with pytest.raises(SystemExit):
        send()
    assert set(statuses().values()) == {"sending"}
    due_at = next_delivery_due(now=timezone.now())
    assert due_at is not None
    assert due_at > timezone.now() + timedelta(minutes=4)
    monkeypatch.undo()
    send_batch(now=timezone.now() + timedelta(minutes=6))
    send_batch(now=timezone.now() + timedelta(minutes=7))
    assert sorted(statuses().values()) == ["sent"] * 5 + ["unknown"]
    assert len(sink.mails) == 6


def test_a_legal_basis_taken_back_between_queue_and_send_stops_the_mail(sink: Sink) -> None:
    queue("a@x.example")
    LegalBasis.objects.update(revoked_at=timezone.now())
    send()
    assert OutgoingEmail.objects.get().last_error == "no_legal_basis"
    assert not sink.mails


def test_a_contact_erased_between_queue_and_send_is_not_mailed(sink: Sink) -> None:
    queue("a@x.example")
    Contact.objects.all().delete()
    send()
    assert OutgoingEmail.objects.get().last_error == "contact_gone"
    assert not sink.mails


def test_an_address_that_does_not_exist_is_not_tried_for_the_next_reason(sink: Sink) -> None:
    sink.refusals = {"none@x.example": "550 5.1.1 no such user", "spam@x.example": "550 5.7.1 we dislike you"}
    queue("none@x.example", "spam@x.example")
    send()
    assert set(statuses().values()) == {"bounced"}
    assert list(Suppression.objects.values_list("email", "reason")) == [("none@x.example", "bounced")]


def test_a_silent_mail_server_costs_one_timeout_per_batch(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never says a word
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = silent.getsockname()
        settings.EMAIL_TIMEOUT = 0.3
        queue(*[f"a{n}@x.example" for n in range(10)])
        started = time.monotonic()
        send()
    assert time.monotonic() - started < 1.5
    assert set(statuses().values()) == {"queued"}


def test_hours_without_a_mail_server_lose_nothing(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    queue("a@x.example")
    now = timezone.now()
    until = now + timedelta(hours=12)
    while now < until:
        send_batch(now=now)
        now = max(now + timedelta(seconds=1), OutgoingEmail.objects.get().due_at)
    assert statuses() == {"a@x.example": "queued"}


def test_what_failed_for_good_can_be_sent_on_request(sink: Sink) -> None:
    queue("a@x.example", "b@x.example")
    OutgoingEmail.objects.filter(to_email="a@x.example").update(status="failed")
    OutgoingEmail.objects.filter(to_email="b@x.example").update(status="unknown")
    ids = list(OutgoingEmail.objects.values_list("id", flat=True))
    assert requeue(email_ids=ids, now=timezone.now()) == 1
    send()
    assert statuses() == {"a@x.example": "sent", "b@x.example": "unknown"}


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("Müller", "info@müller.example"),
        ("漢" * 120, "a@example.com"),
        ("ä" * 120, f"noreply@{'a' * 60}.{'b' * 40}.example.com"),
        ("x", f"a@{'.'.join(['d' * 60] * 3)}.example.com"),
    ],
)
def test_every_valid_sender_can_be_used(sink: Sink, name: str, email: str) -> None:
    sender = Sender(name=name, email=email, is_default=True)
    sender.full_clean()
    sender.save()
    queue("a@x.example")
    send()
    assert statuses() == {"a@x.example": "sent"}


@pytest.mark.parametrize("name", ["", "Müller, Anna", 'x" <evil@x.example>', "A\x85Bcc: evil@x.example", "😀" * 200])
def test_odd_names_and_umlaut_domains_are_sent(sink: Sink, name: str) -> None:
    queue("x@exämple.example", to_name=name)
    send()
    [mail] = sink.mails
    assert mail["Bcc"] is None
    assert "x@xn--exmple-cua.example" in str(mail["To"])
