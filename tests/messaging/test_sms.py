"""Text messages by Twilio's API, against a server that plays it, and into a folder."""

import base64
import mailbox
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError

from apps.contacts.models import LegalBasis
from apps.messaging import parcels
from apps.messaging.models import OutgoingEmail, Suppression
from apps.messaging.services import requeue
from apps.messaging.sms.line import SmsLine
from apps.messaging.sms.twilio_api import refused
from apps.relays import services as relays
from apps.relays.models import RelayState, SentHandle, validate_key
from config import env
from tests.messaging.listening import Call, Listening, listening
from tests.messaging.texting import NUMBER, SENDER, SID, TOKEN, TWILIO, fates, queue, send

pytestmark = pytest.mark.usefixtures("tenant")


def taken(call: Call) -> tuple[int, Any]:
    """As Twilio answers when it takes a message."""
    number = parse_qs(call.body)["To"][0]
    return 201, {"sid": f"SM{number}", "status": "queued", "error_code": None, "error_message": None, "to": number}


def no(status: int, code: int) -> Any:
    return lambda _call: (status, {"code": code, "message": "said so", "status": status, "more_info": "x"})


@pytest.fixture
def twilio(settings: Any) -> Iterator[Listening]:
    with listening(taken) as server:
        settings.SMS = {**TWILIO, "api_url": server.url}
        relays.forget()
        yield server


def test_a_text_message_is_what_twilio_asks_for(twilio: Listening) -> None:
    queue(NUMBER)
    assert send() == 1
    [call] = twilio.calls
    assert call.path == f"/2010-04-01/Accounts/{SID}/Messages.json"
    assert call.headers["Authorization"] == f"Basic {base64.b64encode(f'{SID}:{TOKEN}'.encode()).decode()}"
    form = {name: value[0] for name, value in parse_qs(call.body).items()}
    text = "Wie war es?\nhttps://x.example/s/1\n"
    assert form.pop("Body").startswith(text)
    assert form == {"To": NUMBER, "From": SENDER}, "no callback where Twilio cannot reach us"
    row = OutgoingEmail.objects.get()
    assert (row.status, row.esp_id) == ("sent", f"SM{NUMBER}")
    assert relays.owner_of(relay="sms", esp_id=f"SM{NUMBER}") == ("nordwind", row.pk)


def test_twilio_is_told_where_to_report_and_by_which_service_to_send(twilio: Listening, settings: Any) -> None:
    settings.PUBLIC_SCHEME = "https"
    settings.SMS = {**settings.SMS, "sender": "MG" + "a" * 32}
    relays.forget()
    queue(NUMBER)
    send()
    form = parse_qs(twilio.calls[0].body)
    assert form["StatusCallback"] == ["https://resonanz.test/sms/events/"]
    assert form["MessagingServiceSid"] == ["MG" + "a" * 32]
    assert "From" not in form


def test_the_public_schema_learns_no_number(twilio: Listening) -> None:
    queue(NUMBER)
    send()
    handles = [row.esp_id for row in SentHandle.objects.all() if row.esp_id.startswith("to:")]
    assert len(handles) == 1
    assert NUMBER.removeprefix("+") not in handles[0]


def test_a_number_that_does_not_exist_is_blocked(twilio: Listening) -> None:
    twilio.answer = no(400, 21211)
    queue(NUMBER)
    send()
    assert fates() == {NUMBER: ("bounced", "21211 Unable to create record: said so")}
    assert list(Suppression.objects.values_list("email", "reason")) == [(NUMBER, "bounced")]


def test_somebody_who_told_twilio_to_stop_is_remembered_as_unsubscribed(twilio: Listening) -> None:
    twilio.answer = no(400, 21610)
    queue(NUMBER)
    send()
    assert fates()[NUMBER][0] == "bounced"
    assert list(Suppression.objects.values_list("email", "reason")) == [(NUMBER, "unsubscribed")]
    twilio.answer = taken
    queue("+491701234568")
    send()
    assert len(twilio.calls) == 2


@pytest.mark.parametrize(
    ("status", "code", "fate"),
    [(429, 20429, "queued"), (503, 20503, "queued"), (401, 20003, "queued"), (500, 20500, "unknown")],
)
def test_trouble_at_twilio_stops_the_rest_and_is_tried_again_if_nothing_left(
    status: int, code: int, fate: str, twilio: Listening
) -> None:
    twilio.answer = no(status, code)
    queue(NUMBER, "+491701234568")
    send()
    assert len(twilio.calls) == 1
    assert sorted(found for found, _error in fates().values()) == sorted([fate, "queued"])
    assert RelayState.objects.get(key="sms").faults == 1


def test_a_line_in_trouble_ends_its_work(twilio: Listening, settings: Any) -> None:
    twilio.answer = no(429, 20429)
    queue(NUMBER, "+491701234568")
    waiting = parcels.read(list(OutgoingEmail.objects.values_list("pk", flat=True)))
    assert len(list(SmsLine(settings.SMS).deliver(waiting, lambda _position: True))) == 1
    assert not list(SmsLine(settings.SMS).deliver(waiting, lambda _position: False)), "nothing leaves unasked"
    assert len(twilio.calls) == 1


def test_a_cut_line_is_unknown_and_a_line_that_never_was_waits(twilio: Listening, settings: Any) -> None:
    twilio.answer = lambda _call: (0, None)
    queue(NUMBER)
    send()
    assert fates()[NUMBER][0] == "unknown"
    settings.SMS = {**settings.SMS, "api_url": "http://127.0.0.1:9"}
    relays.forget()
    queue("+491701234568")
    send()
    assert fates()["+491701234568"][0] == "queued"


@pytest.mark.parametrize(
    ("status", "code", "fate", "bad"),
    [
        (400, 21614, "bounced", True),
        (400, 21408, "failed", False),
        (400, None, "failed", False),
        (400, 30003, "queued", False),
        (400, 30006, "bounced", True),
        (502, None, "unknown", False),
    ],
)
def test_codes_mean_what_they_say(status: int, code: int | None, fate: str, bad: bool) -> None:
    outcome = refused(status, code, "x")
    assert (outcome.status, outcome.is_bad_address) == (fate, bad)


def test_without_a_service_text_messages_fail_and_say_why(settings: Any, tmp_path: Path) -> None:
    queue(NUMBER)
    send()
    assert fates() == {NUMBER: ("failed", "no_sms_service")}
    settings.SMS = {"provider": "sink", "folder": tmp_path, "sender": SENDER}
    relays.forget()
    assert requeue(email_ids=[OutgoingEmail.objects.get().pk], now=OutgoingEmail.objects.get().queued_at) == 1
    send()
    assert fates()[NUMBER][0] == "sent"


def test_a_text_that_no_service_takes_is_not_tried(twilio: Listening) -> None:
    queue(NUMBER)
    OutgoingEmail.objects.update(subject="x" * 300, values={"link": "https://x.example/" + "y" * 1500})
    send()
    assert fates() == {NUMBER: ("failed", "text_too_long")}
    assert not twilio.calls


def test_a_blocked_number_and_a_missing_legal_basis_stop_text_messages(twilio: Listening) -> None:
    queue(NUMBER, "+491701234568")
    Suppression.objects.all().delete()
    from apps.messaging.suppressions import suppress

    suppress(emails=["0049 170 1234567"], reason="manual", source="test", now=OutgoingEmail.objects.all()[0].queued_at)
    LegalBasis.objects.filter(contact__phone="+491701234568").delete()
    send()
    assert fates() == {NUMBER: ("revoked", "suppressed"), "+491701234568": ("revoked", "no_legal_basis")}
    assert not twilio.calls


def test_the_demos_folder_shows_text_messages_like_mails(settings: Any, tmp_path: Path) -> None:
    settings.SMS = {"provider": "sink", "folder": tmp_path, "sender": SENDER}
    queue(NUMBER)
    send()
    [message] = mailbox.Maildir(tmp_path)
    assert (message["To"], message["From"], message["Delivered-To"]) == (NUMBER, SENDER, NUMBER)
    assert "https://x.example/s/1" in message.get_payload()


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("", {}),
        (
            "twilio://AC1:to%2Fken@/?from=+4930123456",
            {"provider": "twilio", "account": "AC1", "token": "to/ken", "sender": "+4930123456", "api_url": ""},
        ),
        ("sink:///var/texts", {"provider": "sink", "folder": "/var/texts", "sender": "Resonanz"}),
    ],
)
def test_the_operator_names_the_service_in_one_address(
    url: str, found: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMS_URL", url)
    assert env.sms() == found


@pytest.mark.parametrize(
    "url", ["http://x", "twilio://AC1@/?from=+49301", "twilio://AC1:t@/", "twilio://AC1:t@/?from=A+very+long+name"]
)
def test_an_address_that_cannot_be_used_stops_the_start_with_one_sentence(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMS_URL", url)
    with pytest.raises(ImproperlyConfigured, match=r"^SMS_URL "):
        env.sms()


def test_no_mail_service_may_take_the_name() -> None:
    with pytest.raises(ValidationError):
        validate_key("sms")
