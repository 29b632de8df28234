"""A mail server that refuses, stalls and hangs up: no mail leaves twice, and each one's fate is written down."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apps.messaging import holds
from apps.messaging.models import OutgoingEmail, Suppression
from apps.messaging.sending import send_batch
from apps.messaging.services import next_delivery_due, requeue
from apps.relays.models import Relay, RelayState
from apps.relays.services import FAULTS_TO_OPEN
from tests.processes import census, post
from tests.processes.mailserver import MailServer, mail_server

pytestmark = [pytest.mark.usefixtures("tenant"), pytest.mark.timeout(60)]
MANY_ROUNDS = 30


@pytest.fixture
def server(tmp_path: Path, settings: Any) -> Iterator[MailServer]:
    """A mail server that this process sends to."""
    with mail_server(tmp_path / "mail") as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", running.port, 3
        yield running


def send(now: datetime | None = None) -> datetime:
    """What is due, batch by batch, as a drain does; it has to come to an end. Returns the time it did so at."""
    now = now or timezone.now()
    for _ in range(MANY_ROUNDS):
        if not send_batch(now=now):
            return now
    raise AssertionError(f"after {MANY_ROUNDS} rounds there is still something to do: {post.counted()}")


def send_until_nothing_waits(hours: int = 48) -> None:
    """Send whenever the outbox says that it wants to be looked at."""
    now = timezone.now()
    stop_at = now + timedelta(hours=hours)
    while post.waits() and now < stop_at:
        now = max(now, next_delivery_due(now=now) or stop_at)
        send(now)


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "one by one"])
def test_each_answer_has_its_consequence_and_the_neighbours_of_what_is_cut_arrive(
    server: MailServer, pipelining: bool
) -> None:
    server.behave(pipelining=pipelining, refusals=2)
    kinds = ("later", "full", "never", "data4", "data5", "cut", "cutin", "bye")
    odd = [f"{kind}-1@{kind}.example" for kind in kinds]
    plain = post.people(len(odd) + 1)
    post.send_out([address for pair in zip(plain, odd, strict=False) for address in pair] + [plain[-1]])
    send()
    first = post.statuses()
    waiting = [address for address, status in first.items() if status == "queued"]
    assert sorted(address.partition("-")[0] for address in waiting) == ["bye", "data4", "full", "later"]
    assert all(row.due_at > timezone.now() for row in OutgoingEmail.objects.filter(status="queued"))
    send_until_nothing_waits()
    found = {address.partition("-")[0]: status for address, status in post.statuses().items() if "-" in address}
    assert found == {
        "later": "sent", "full": "sent", "data4": "sent", "bye": "sent", "never": "bounced", "data5": "failed",
        "cut": "unknown", "cutin": "unknown",
    }  # fmt: skip
    assert [row.email for row in Suppression.objects.all()] == ["never-1@never.example"]
    sent = [*plain, *(f"{kind}-1@{kind}.example" for kind in ("later", "full", "data4", "bye", "cut"))]
    census.assert_all(
        census.once_each("mails", sent, server.recipients),
        census.equal("violations of the protocol", [], server.violations),
    )


def test_a_server_that_is_away_or_silent_delays_mails_and_loses_none(server: MailServer) -> None:
    post.send_out(post.people(20))
    server.stop()
    now = send()
    rest = next_delivery_due(now=now)
    assert post.counted() == {"queued": 20}
    assert RelayState.objects.get().rests_until == rest
    assert sum(OutgoingEmail.objects.values_list("attempts", flat=True)) == FAULTS_TO_OPEN
    assert rest is not None
    assert timedelta(seconds=15) < rest - now < timedelta(seconds=60)
    server.start()
    server.behave(slam=True)
    now = send(rest)
    assert post.counted() == {"queued": 20}
    rest = next_delivery_due(now=now)
    assert rest is not None
    assert rest > now
    server.behave(slam=False)
    send_until_nothing_waits()
    census.assert_all(*post.checks(server, mails=20, unknown=0))
    assert not RelayState.objects.exclude(faults=0).exists()


def test_a_silent_server_is_given_up_after_its_time(server: MailServer, settings: Any) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    server.behave(hang=True)
    post.send_out(post.people(5))
    send()
    assert post.counted() == {"queued": 5}
    server.behave(hang=False)
    send_until_nothing_waits()
    census.assert_all(*post.checks(server, mails=5, unknown=0))


def test_an_answer_that_comes_too_late_makes_one_mail_unknown_and_the_next_ones_arrive(
    server: MailServer, settings: Any
) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    server.behave(slow=1.5)
    post.send_out(["a1@x.example", "slow-1@x.example", "a2@x.example", "a3@x.example"])
    send_until_nothing_waits()
    assert post.statuses()["slow-1@x.example"] == "unknown"
    assert post.counted() == {"sent": 3, "unknown": 1}
    assert server.doubled == []


def test_a_mail_that_cannot_be_built_fails_alone_and_leaves_when_it_is_mended(server: MailServer) -> None:
    post.send_out(["a1@x.example", "poison1@x.example", "poison2@x.example", "a2@x.example"])
    poisoned = OutgoingEmail.objects.filter(to_email__startswith="poison")
    poisoned.filter(to_email="poison1@x.example").update(values=["not", "a", "mapping"])
    poisoned.filter(to_email="poison2@x.example").update(headers={"X-Odd": ["not", "a", "text"]})
    send()
    assert post.counted() == {"sent": 2, "failed": 2}
    assert all(row.last_error and row.attempts == 1 for row in poisoned)
    poisoned.update(values={"name": "mended"}, headers={})
    assert requeue(email_ids=[row.pk for row in poisoned], now=timezone.now()) == 2
    send()
    census.assert_all(*post.checks(server, mails=4, unknown=0))


def test_a_domain_that_refuses_after_it_took_some_rests_and_its_late_refusals_count_once(server: MailServer) -> None:
    taken = post.people(3, prefix="a", domain="big.example")
    refused = [f"later-{n}@big.example" for n in range(20)]
    elsewhere = post.people(3, domain="small.example")
    server.behave(refusals=1)
    post.send_out([*refused, *elsewhere])
    post.send_out(taken)
    OutgoingEmail.objects.filter(to_email__in=taken).update(due_at=timezone.now() - timedelta(minutes=1))
    now = send()
    waits = holds.current(now=now)
    assert waits.domains == ["big.example"]
    assert waits.until is not None
    assert waits.until - now < timedelta(minutes=2)
    post.send_out(["b1@big.example"])
    send()
    assert post.statuses()["b1@big.example"] == "queued"
    send_until_nothing_waits(hours=1)  # Greylisting: whoever comes back after minutes is taken.
    census.assert_all(*post.checks(server, mails=27, unknown=0))


@pytest.mark.parametrize("name", ["old", "gone"])
def test_messages_of_a_service_that_rests_do_not_keep_the_drain_busy(server: MailServer, name: str) -> None:
    """Nothing but the messages names it: their sender has another meanwhile, or it is gone and they go by the usual."""
    Relay.objects.create(key="old", name="Old", settings={"host": "127.0.0.1", "port": 9}, is_default=name == "gone")
    Relay.objects.create(key="fine", name="Fine", settings={"host": "127.0.0.1", "port": server.port})
    post.send_out(post.people(300))
    OutgoingEmail.objects.update(relay=name)
    now = send()
    due_at = next_delivery_due(now=now)
    assert due_at is not None
    assert due_at > now + timedelta(seconds=15)
    assert post.counted() == {"queued": 300}
    post.send_out(["b1@x.example"])
    OutgoingEmail.objects.filter(to_email="b1@x.example").update(relay="fine")
    send()
    assert server.recipients == ["b1@x.example"]


def test_a_tenant_that_has_nothing_to_send_leaves_the_turn_to_try_a_service_to_others(server: MailServer) -> None:
    now = timezone.now()
    RelayState.objects.create(key="", faults=5, rests_until=now - timedelta(seconds=1))
    send(now)
    assert RelayState.objects.get().rests_until == now - timedelta(seconds=1)
    post.send_out(["a1@x.example"])
    send()
    assert server.recipients == ["a1@x.example"]
    assert RelayState.objects.get().rests_until is None
