"""Wake-ups are hints, but good ones: what is due is found soon, and nothing spins."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from apps.common import agenda
from apps.common.models import AgendaItem

pytestmark = pytest.mark.usefixtures("tenant")
QUEUE = "some.queue"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(agenda, "announce", lambda *, schema_name, queue: found.append(queue))
    return found


def due_at() -> datetime | None:
    return AgendaItem.objects.get(queue=QUEUE).due_at


def drain(step: Callable[[datetime], int], next_due: Callable[[], datetime | None]) -> int:
    return agenda.drain(queue=QUEUE, step=step, next_due=next_due, clock=timezone.now)


def note(at: datetime) -> bool:
    return agenda.note(schema_name="nordwind", queue=QUEUE, due_at=at)


def test_only_an_earlier_time_is_noted() -> None:
    now = timezone.now()
    assert note(now)
    assert not note(now)
    assert not note(now + timedelta(hours=1))
    assert note(now - timedelta(hours=1))
    assert due_at() == now - timedelta(hours=1)


def test_the_tick_takes_a_due_queue_once_per_lease() -> None:
    now = timezone.now()
    note(now)
    assert [tuple(item) for item in agenda.take_due(now=now)] == [("nordwind", QUEUE)]
    assert agenda.take_due(now=now) == []
    assert [item.queue for item in agenda.take_due(now=now + agenda.LEASE)] == [QUEUE]


def test_a_drain_works_until_nothing_is_left_and_looks_once_more_soon(sent: list[str]) -> None:
    note(timezone.now())
    left = [3, 2, 0]
    assert drain(lambda now: left.pop(0), lambda: None) == 5
    found = due_at()
    assert found is not None
    assert found - timezone.now() < timedelta(seconds=4)
    assert drain(lambda now: 0, lambda: None) == 0
    assert due_at() is None
    assert sent == []


def test_a_drain_notes_when_the_next_row_is_due(sent: list[str]) -> None:
    later = timezone.now() + timedelta(days=3)
    note(timezone.now())
    drain(lambda now: 0, lambda: later)
    assert due_at() == later


def test_a_wake_up_during_the_drain_is_kept(sent: list[str]) -> None:
    woken = timezone.now()
    note(woken)

    def step(now: datetime) -> int:
        note(woken)
        return 0

    drain(step, lambda: None)
    assert due_at() == woken


def test_a_row_for_later_committed_at_the_last_moment_is_not_forgotten(sent: list[str]) -> None:
    note(timezone.now())
    later = timezone.now() + timedelta(days=3)
    looks = iter([None, later])
    drain(lambda now: 0, lambda: next(looks))
    assert due_at() == later


def test_rows_in_another_workers_hands_do_not_make_it_spin(sent: list[str]) -> None:
    note(timezone.now())
    overdue = timezone.now() - timedelta(minutes=1)
    drain(lambda now: 0, lambda: overdue)
    assert sent == []


def test_a_broker_that_is_away_costs_one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    def away(name: str, **_: object) -> None:
        tries.append(name)
        raise ConnectionError("no broker")

    monkeypatch.setattr(agenda, "_broker_down_until", 0.0)
    monkeypatch.setattr(agenda.current_app, "send_task", away)
    assert not agenda.announce(schema_name="nordwind", queue=QUEUE)
    assert not agenda.announce(schema_name="nordwind", queue=QUEUE)
    assert tries == [QUEUE]
    monkeypatch.setattr(agenda, "_broker_down_until", 0.0)
