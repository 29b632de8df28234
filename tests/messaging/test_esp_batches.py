"""Many messages in one call to an ESP's API, against a server that plays the ESP."""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from anymail.signals import AnymailTrackingEvent, tracking
from django.utils import timezone

from apps.contacts.models import LegalBasis
from apps.messaging import esp_batches, results
from apps.messaging.models import DeliveryEvent, OutgoingEmail, Sender
from apps.messaging.parcels import as_sent
from apps.messaging.sending import send_batch
from apps.messaging.services import NewEmail, enqueue
from apps.relays import reports
from apps.relays.models import Relay, RelayState
from tests.factories import ContactFactory
from tests.messaging.listening import Call, Listening, listening

pytestmark = pytest.mark.usefixtures("tenant")

TEXT = "Hello {{ name|you }},\n\n{{ body }}\n{{ link }}\nAgain: {{ name|friend }} – 100 %\n"
HTML = '<p>Hello {{ name|you }}</p>\n{{ body_html }}<a href="{{ link }}">{{ body }}</a>'
ESPS = ["mailgun", "sendgrid", "sparkpost"]
KEYS: dict[str, dict[str, Any]] = {
    "mailgun": {"api_key": "k", "sender_domain": "mg.example.com"},
    "sendgrid": {"api_key": "k"},
    "sparkpost": {"api_key": "k"},
}


def fine(call: Call) -> tuple[int, Any]:
    """As the ESP answers when it takes everything."""
    if "/messages" in call.path:
        return 200, {"id": "<batch@mg.example.com>", "message": "Queued. Thank you."}
    if "transmissions" in call.path:
        count = len(json.loads(call.body)["recipients"])
        return 200, {"results": {"id": "t1", "total_accepted_recipients": count, "total_rejected_recipients": 0}}
    return 202, None


@pytest.fixture
def esp(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "mailgun"))


@pytest.fixture
def service(esp: str) -> Iterator[Listening]:
    with listening(fine) as server:
        settings = {**KEYS[esp], "api_url": f"{server.url}/"}
        Relay.objects.create(key="bulk", name="Bulk", kind=esp, settings=settings, webhook_secret="s" * 32)
        Sender.objects.create(name="Nordwind", email="a@nordwind.example", relay="bulk", is_default=True)
        yield server


def queue(*people: tuple[str, str], text: str = TEXT, html: str = HTML, **values: str) -> None:
    contact = ContactFactory()
    LegalBasis.objects.create(contact=contact, kind="consent", source="test", granted_at=timezone.now())
    now = timezone.now()
    mails = [
        NewEmail(
            reason=f"test:{number}:{address}",
            contact_id=contact.id,
            to_email=address,
            to_name=name,
            subject=f"For {name or 'you'}",
            text=text,
            html=html,
            values={
                "name": name,
                "body": f'Line "1" & <2> of {address}',
                "body_html": f"<b>{number}</b>",
                "link": f"https://x.example/s/{number}?a=1&b=2",
                "unsubscribe_url": f"https://x.example/mail/u/{number}",
                **values,
            },
        )
        for number, (address, name) in enumerate(people)
    ]
    enqueue(mails=mails, now=now)


def send() -> None:
    send_batch(now=timezone.now() + timedelta(seconds=1))


def statuses() -> dict[str, str]:
    return dict(OutgoingEmail.objects.values_list("to_email", "status"))


class Read:
    """What each recipient of a call reads once the ESP has put the values in."""

    def __init__(self, call: Call, esp: str) -> None:
        self.mails: dict[str, dict[str, Any]] = {}
        getattr(self, esp)(call)

    def mailgun(self, call: Call) -> None:
        form = parse_qs(call.body, keep_blank_values=True)
        own = json.loads(form["recipient-variables"][0])
        self.tracking = [form["o:tracking-opens"], form["o:tracking-clicks"]] == [["no"], ["no"]]
        for to in form["to"]:
            email = to.rpartition("<")[2].rstrip(">")

            def fill(text: str, values: dict[str, str] = own[email]) -> str:
                return re.sub(r"%recipient\.([^%]+)%", lambda found: values[found[1]], text)

            headers = {name[2:].lower(): fill(value[0]) for name, value in form.items() if name.startswith("h:")}
            self._add(email, fill, form["subject"][0], form["text"][0], form["html"][0], headers)

    def sparkpost(self, call: Call) -> None:
        data = json.loads(call.body)
        content = data["content"]
        self.tracking = [data["options"]["open_tracking"], data["options"]["click_tracking"]] == [False, False]
        for one in data["recipients"]:

            def fill(text: str, values: dict[str, str] = one["substitution_data"]) -> str:
                return re.sub(r"\{\{\{?(\w+)\}?\}\}", lambda found: values[found[1]], text)

            headers = {name.lower(): fill(value) for name, value in content["headers"].items()}
            email = one["address"]["email"]
            self._add(email, fill, content["subject"], content["text"], content["html"], headers)

    def sendgrid(self, call: Call) -> None:
        data = json.loads(call.body)
        settings = data["tracking_settings"]
        self.tracking = not settings["open_tracking"]["enable"] and not settings["click_tracking"]["enable"]
        text, html = (part["value"] for part in data["content"])
        for one in data["personalizations"]:

            def fill(text: str, values: dict[str, str] = one["substitutions"]) -> str:
                for tag, value in values.items():
                    text = text.replace(tag, value)
                return text

            [to] = one["to"]
            headers = {name.lower(): value for name, value in one["headers"].items()}
            self._add(to["email"], fill, data["subject"], text, html, headers)

    def _add(self, email: str, fill: Any, subject: str, text: str, html: str, headers: dict[str, str]) -> None:
        assert email not in self.mails
        self.mails[email] = {"subject": fill(subject), "text": fill(text), "html": fill(html), "headers": headers}


def recipients(call: Call) -> list[str]:
    """Whom a call to Mailgun is for."""
    return [to.rpartition("<")[2].rstrip(">") for to in parse_qs(call.body)["to"]]


PEOPLE = [("a@x.example", "Ada"), ("b@x.example", ""), ("c@x.example", "<Cem> & 50 % \u00fc")]


@pytest.mark.parametrize("esp", ESPS, indirect=True)
def test_everybody_reads_the_same_as_when_mails_go_one_by_one(esp: str, service: Listening) -> None:
    queue(*PEOPLE)
    send()
    [call] = service.calls
    read = Read(call, esp)
    assert read.tracking, "no counting of opens and clicks by the service"
    assert set(read.mails) == {email for email, _name in PEOPLE}
    for row in OutgoingEmail.objects.all():
        mail, sent = read.mails[row.to_email], as_sent(row)
        assert sent is not None
        assert (mail["subject"], mail["text"], mail["html"]) == (row.subject, sent.text, sent.html)
        headers = mail["headers"]
        assert headers["message-id"] == row.message_id
        assert headers["list-unsubscribe"] == f"<{sent.values['unsubscribe_url']}>"
        assert headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert "Hello you," in read.mails["b@x.example"]["text"], "fallbacks are ours"
    assert "Again: friend" in read.mails["b@x.example"]["text"]
    assert "&lt;Cem&gt;" in read.mails["c@x.example"]["html"]
    assert set(statuses().values()) == {"sent"}
    assert all(OutgoingEmail.objects.values_list("esp_id", flat=True))


@pytest.mark.parametrize(
    ("esp", "name"),
    [
        ("mailgun", "%recipient.t0%"),
        ("mailgun", "%unsubscribe_url%"),
        ("sendgrid", "-rsz_t1-"),
        ("sendgrid", "[%body%]"),
        ("sparkpost", "{{t1}}"),
        ("sparkpost", "{{{ address.email }}}"),
    ],
    indirect=["esp"],
)
def test_a_name_that_looks_like_a_variable_of_the_service_goes_alone(esp: str, name: str, service: Listening) -> None:
    queue(("a@x.example", "Ada"), ("b@x.example", name), ("c@x.example", "Cem"), ("d@x.example", "Dot"))
    send()
    [alone] = [call for call in service.calls if "b@x.example" in call.body.replace("%40", "@")]
    assert not any(f"{letter}@x.example" in alone.body.replace("%40", "@") for letter in "acd")
    assert len(service.calls) < 4, "the others go together"
    assert set(statuses().values()) == {"sent"}


def test_what_only_a_place_and_its_surroundings_make_together_goes_alone(service: Listening) -> None:
    queue(*PEOPLE, text="100%{{ name }} {{ link }}")
    send()
    assert len(service.calls) == 3
    assert all("recipient-variables" not in call.body for call in service.calls)


def test_two_mails_to_one_address_never_go_in_one_call(service: Listening) -> None:
    queue(("a@x.example", "Ada"), ("b@x.example", "Bo"), ("A@x.example", "Ada"), ("c@x.example", "Cem"))
    send()
    calls = [[email.lower() for email in recipients(call)] for call in service.calls]
    assert sorted(email for call in calls for email in call) == ["a@x.example"] * 2 + ["b@x.example", "c@x.example"]
    assert all(len(set(call)) == len(call) for call in calls)
    assert len(calls) < 4


def test_a_call_holds_no_more_than_the_service_may_get(service: Listening) -> None:
    Relay.objects.update(batch_size=2)
    queue(*[(f"a{number}@x.example", "Ada") for number in range(5)])
    send()
    assert len(service.calls) == 3
    assert set(statuses().values()) == {"sent"}


def test_mails_of_different_frames_are_sorted_apart(service: Listening) -> None:
    queue(("a@x.example", "Ada"), ("b@x.example", "Bo"))
    queue(("c@x.example", "Cem"), ("d@x.example", "Dot"), text="Other {{ name }}")
    rows = OutgoingEmail.objects.order_by("to_email")
    now = timezone.now()
    for number, row in enumerate(rows):  # a and c, then b and d
        OutgoingEmail.objects.filter(pk=row.pk).update(due_at=now + timedelta(milliseconds=number % 2))
    send_batch(now=now + timedelta(seconds=1))
    assert [sorted(Read(call, "mailgun").mails) for call in service.calls] in (
        [["a@x.example", "b@x.example"], ["c@x.example", "d@x.example"]],
        [["c@x.example", "d@x.example"], ["a@x.example", "b@x.example"]],
    )


@pytest.mark.parametrize(
    ("answer", "status"),
    [((429, {"message": "slow down"}), "queued"), ((500, {"message": "oops"}), "unknown"), ((0, None), "unknown")],
)
def test_a_call_that_failed_is_the_fate_of_all_its_mails(service: Listening, answer: Any, status: str) -> None:
    service.answer = lambda _call: answer
    queue(*PEOPLE)
    send()
    assert len(service.calls) == 1
    assert set(statuses().values()) == {status}
    assert RelayState.objects.get(key="bulk").faults == 1, "one call is one fault"


def test_a_call_refused_for_one_mail_is_sent_one_by_one(service: Listening) -> None:
    def picky(call: Call) -> tuple[int, Any]:
        return (400, {"message": "bad address"}) if "b%40x.example" in call.body else fine(call)

    service.answer = picky
    queue(*PEOPLE)
    send()
    assert len(service.calls) == 4
    assert statuses() == {"a@x.example": "sent", "b@x.example": "failed", "c@x.example": "sent"}


@pytest.mark.parametrize("esp", ["sparkpost"], indirect=True)
def test_a_call_taken_in_part_is_unknown_until_reports_come(service: Listening) -> None:
    said = {"results": {"id": "t1", "total_accepted_recipients": 2, "total_rejected_recipients": 1}}
    service.answer = lambda _call: (200, said)
    queue(*PEOPLE)
    send()
    assert set(statuses().values()) == {"unknown"}
    report("t1", "b@x.example")
    assert statuses()["b@x.example"] == "delivered"


def report(esp_id: str, recipient: str) -> None:
    event = AnymailTrackingEvent(
        event_type="delivered", message_id=esp_id, recipient=recipient, event_id=recipient, timestamp=timezone.now()
    )
    token = reports.current.set(reports.Posted(relay="bulk", now=timezone.now()))
    try:
        tracking.send(sender=None, event=event, esp_name="X")
    finally:
        reports.current.reset(token)


@pytest.mark.parametrize("by_own_id", [False, True])
def test_reports_about_mails_that_share_an_id_find_the_right_one(service: Listening, by_own_id: bool) -> None:
    queue(*PEOPLE)
    send()
    row = OutgoingEmail.objects.get(to_email="b@x.example")
    report(row.message_id if by_own_id else "<batch@mg.example.com>", "b@x.example")
    report("<batch@mg.example.com>", "somebody@else.example")
    assert list(DeliveryEvent.objects.values_list("email__to_email", flat=True)) == ["b@x.example"]
    assert statuses() == {"a@x.example": "sent", "b@x.example": "delivered", "c@x.example": "sent"}


def test_the_public_schema_learns_no_address_that_could_be_found_by_trying(settings: Any) -> None:
    one = esp_batches.handle("<batch@mg>", "B@x.example ")
    assert one == esp_batches.handle("<batch@mg>", "b@x.example")
    assert (
        len({one, esp_batches.handle("<batch@mg>", "c@x.example"), esp_batches.handle("<other@mg>", "b@x.example")})
        == 3
    )
    assert hashlib.sha256(b"<batch@mg>|b@x.example").hexdigest()[:32] not in one
    settings.ADDRESS_KEY = "another"
    assert one != esp_batches.handle("<batch@mg>", "b@x.example")


@pytest.mark.parametrize(("said", "kept"), [("a1", "a1"), (17, "17"), (None, ""), ({"a1", "a2"}, ""), (True, "")])
def test_an_id_that_is_a_number_is_one(said: object, kept: str) -> None:
    assert esp_batches.id_of(said) == kept


@pytest.mark.parametrize("esp", ["sendgrid"], indirect=True)
def test_values_larger_than_the_service_takes_go_alone(service: Listening) -> None:
    queue(("a@x.example", "Ada"), ("b@x.example", "Bo"), body="long " * 3000)
    send()
    assert len(service.calls) == 2
    assert all("substitutions" not in call.body for call in service.calls)


def test_a_slow_call_leaves_nothing_that_it_answered_unknown(
    service: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "SLOW_SECONDS", 0.0)
    queue(*PEOPLE)
    send()
    assert set(statuses().values()) == {"sent"}


def test_a_worker_that_dies_during_a_call_leaves_its_mails_unknown(
    service: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> Any:
        raise SystemExit(9)

    monkeypatch.setattr(esp_batches, "outcomes", die)
    queue(*PEOPLE)
    with pytest.raises(SystemExit):
        send()
    assert set(statuses().values()) == {"unknown"}
    monkeypatch.undo()
    send()
    assert len(service.calls) == 1, "never sent twice"
