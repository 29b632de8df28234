import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from standardwebhooks import Webhook

from apps.accounts.models import User
from apps.alerts import bodies, posting
from apps.alerts.models import Channel, Kind, Notice
from apps.alerts.services import Occasion, about_responses, tell
from apps.alerts.words import Item, Told
from apps.common import sealed
from tests import factories
from tests.alerts.conftest import BASE, respond, subscribe
from tests.integrations.receiver import Receiver, answer, silence

NOW = datetime.now(UTC)
EVIL = "<!channel> @all <http://evil.example|Click> [click](http://evil.example) & Co"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def channel(user: User, receiver: Receiver, settings: Any) -> Channel:
    """A messenger's channel that is told of every response; private addresses are allowed meanwhile."""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    row = Channel.objects.create(name="voice", url=receiver.url)
    subscribe(user, channel=row)
    return row


def post(now: datetime = NOW) -> int:
    looked_at = 0
    while count := posting.post_due(now=now, base_url=BASE):
        looked_at += count
    return looked_at


def state(channel: Channel) -> tuple[bool, str, int]:
    channel.refresh_from_db()
    return channel.is_active, channel.disabled_reason, channel.failures


def test_a_messenger_gets_what_slack_takes_and_nothing_of_it_has_a_meaning_of_its_own(
    channel: Channel, receiver: Receiver
) -> None:
    response = respond(1, EVIL, contact=factories.ContactFactory(name=EVIL))
    about_responses(responses=[response], now=NOW)
    post()
    (got,) = receiver.received
    said = json.loads(got.body)
    assert got.headers["content-type"] == "application/json"
    assert f"<{BASE}/responses/{response.pk}/>" in said["text"]
    for harm in ("<!channel>", "@all", "<http://evil", "](http"):
        assert harm not in said["text"]
    assert "&lt;!channel&gt;" in said["text"]
    assert "&amp; Co" in said["text"]
    for block in said["blocks"]:
        if "elements" in block:
            assert block["elements"][0]["text"] == f"<{BASE}/responses/{response.pk}/|Open>"
        else:
            assert block["text"]["type"] == "plain_text", "what others wrote is never read as markup"
    assert Notice.objects.get().status == "sent"
    assert state(channel) == (True, "", 0)


def test_our_own_webhook_is_signed_and_keeps_its_id(channel: Channel, receiver: Receiver) -> None:
    Channel.objects.update(kind="webhook")
    channel.refresh_from_db()
    about_responses(responses=[respond(1, "Slow")], now=NOW)
    receiver.behaviour = answer(500)
    post()
    receiver.behaviour = answer(200)
    post(NOW + timedelta(seconds=11))
    first, second = receiver.received
    said = Webhook(channel.secret).verify(second.body, second.headers)
    assert (said["type"], said["data"]["notices"][0]["comment"]) == ("alert", "Slow")
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == said["data"]["id"]


@pytest.mark.parametrize(
    ("status", "headers", "then", "rest"),
    [
        (500, {}, (True, "", 1), 10),
        (429, {"Retry-After": "120"}, (True, "", 1), 120),
        (429, {"Retry-After": "999999"}, (True, "", 1), 3600),
        (302, {"Location": "http://127.0.0.1:1/"}, (True, "", 1), 10),
        (404, {}, (False, "gone", 1), None),
        (410, {}, (False, "gone", 1), None),
    ],
)
def test_a_channel_rests_after_trouble_and_is_switched_off_when_it_is_gone(
    channel: Channel, receiver: Receiver, status: int, headers: dict[str, str], then: Any, rest: int | None
) -> None:
    receiver.behaviour = answer(status, b"no_service", **headers)
    about_responses(responses=[respond()], now=NOW)
    post()
    assert len(receiver.received) == 1, "no redirect is followed, nothing is tried at once again"
    assert state(channel) == then
    assert channel.rests_until == (NOW + timedelta(seconds=rest) if rest else None)
    assert str(status) in channel.last_result
    assert Notice.objects.get().status == "pending", "it waits until the channel is well again"
    receiver.behaviour = answer(200)
    Channel.objects.update(is_active=True)
    post(NOW + timedelta(hours=2))
    assert Notice.objects.get().status == "sent"


def test_after_a_day_of_failures_a_channel_is_switched_off(channel: Channel, receiver: Receiver) -> None:
    receiver.behaviour = answer(503)
    about_responses(responses=[respond()], now=NOW)
    for failures in range(1, 10):
        Channel.objects.update(rests_until=None)
        post()
        assert state(channel) == (failures <= 8, "" if failures <= 8 else "failing", failures)


def test_what_the_receiver_does_not_take_fails_and_the_next_goes_through(channel: Channel, receiver: Receiver) -> None:
    receiver.behaviour = answer(400, b"invalid_payload")
    about_responses(responses=[respond()], now=NOW)
    post()
    assert (Notice.objects.get().status, Notice.objects.get().last_error) == ("failed", "refused")
    assert state(channel) == (True, "", 0)


def test_a_hanging_channel_holds_up_nobody_else(
    channel: Channel, receiver: Receiver, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "SECONDS", 0.5)
    receiver.behaviour = silence(5)
    with Receiver() as other:
        subscribe(user, channel=Channel.objects.create(name="other", url=other.url))
        about_responses(responses=[respond() for _ in range(3)], now=NOW)
        post()
        assert (len(receiver.received), len(other.received)) == (1, 3)
    assert (state(channel)[2], channel.last_result) == (1, "No answer in time.")


def test_private_addresses_are_refused(channel: Channel, receiver: Receiver, settings: Any) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = False
    about_responses(responses=[respond()], now=NOW)
    post()
    assert receiver.received == []
    channel.refresh_from_db()
    assert channel.last_result == "The address is not on the public internet."


def test_two_workers_post_once(channel: Channel, receiver: Receiver) -> None:
    about_responses(responses=[respond()], now=NOW)
    posts, _count = posting._claim(NOW, BASE)
    assert posting._claim(NOW, BASE) == ([], 0), "it is in the first one's hands"
    posting.settle(posts[0], posting.send(posts[0]))
    assert post() == 0
    assert len(receiver.received) == 1


def test_what_a_dead_worker_left_is_posted_again_under_the_same_id(channel: Channel, receiver: Receiver) -> None:
    about_responses(responses=[respond() for _ in range(25)], now=NOW)
    (left,), _count = posting._claim(NOW, BASE)
    about_responses(responses=[respond()], now=NOW)
    later = NOW + posting.LEASE + timedelta(seconds=1)
    (again,), _count = posting._claim(later, BASE)
    assert (again.message.id, len(again.message.notices)) == (left.message.id, 25)


def test_a_flood_comes_as_one_message_within_the_messengers_bounds(channel: Channel, receiver: Receiver) -> None:
    about_responses(responses=[respond(3, "x" * 5000) for _ in range(60)], now=NOW)
    post()
    (got,) = receiver.received
    said = json.loads(got.body)
    assert len(said["blocks"]) <= 50
    assert all(len(block["text"]["text"]) <= 3000 for block in said["blocks"] if "text" in block)
    assert len(said["text"]) <= bodies.MAX_TEXT
    assert said["text"].startswith("60 notices at once")


def test_a_channel_speaks_its_language_and_its_address_is_sealed(channel: Channel, receiver: Receiver) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT url FROM alerts_channel")
        stored = cursor.fetchone()[0]
    assert receiver.url not in stored
    assert sealed.unseal("alerts.channel.url", stored) == receiver.url


def test_occasions_reach_a_channel_without_names_of_nobody(channel: Channel, receiver: Receiver, user: User) -> None:
    subscribe(user, channel=channel, kinds=[Kind.VOUCHERS_LOW])
    tell(occasions=[Occasion(Kind.VOUCHERS_LOW, "pool", (), {"pool": "Ten <off>", "left": "3"}, "/")], now=NOW)
    post()
    assert "Vouchers are running out: Ten &lt;off&gt;" in json.loads(receiver.received[0].body)["text"]


def test_plain_takes_the_meaning_from_words() -> None:
    said = Told("s", (("Responses", (Item("response", "@here", (), "a](b", "u"),)),), 0, "", False)
    assert "@here" not in bodies.slack(said)["text"]
    assert "](" not in bodies.slack(said)["text"]
