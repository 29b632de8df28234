"""Reminders, overdue cases and escalation: each once, in working time, and only the latest after an outage."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.alerts.models import Notice
from apps.cases import alarms, services, tasks
from apps.cases.models import Case
from apps.cases.services import Changes
from apps.common.queues import DRAINS
from tests.cases.caring import NOW, berlin, case, hours, opened, policy, response, rule, worker


@pytest.fixture(autouse=True)
def terms(tenant: Any) -> None:
    berlin()
    boss = worker("boss")
    policy(contact_within=hours(2), close_within=hours(16), remind_before=hours(1), escalate_after=hours(4),
           escalate_to=boss)  # fmt: skip
    rule(worker("ada"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}+01:00")


def told() -> list[tuple[str, str]]:
    rows = Notice.objects.filter(kind__in=["case_due", "case_overdue", "case_escalated"]).order_by("pk")
    return [(row.kind.removeprefix("case_"), row.user.username) for row in rows if row.user]


def sound(now: datetime) -> list[tuple[str, str]]:
    """What is told at this time."""
    before = len(told())
    while alarms.sound_due(now=now):
        pass
    return told()[before:]


def test_first_contact_and_closing_each_have_their_alarms_one_after_the_other() -> None:
    case()  # Monday, eleven: contact until 13:00, closed until Wednesday, eleven.
    expected = [
        ("23T12:00", ("due", "ada")), ("23T13:00", ("overdue", "ada")), ("23T17:00", ("escalated", "boss")),
        ("25T10:00", ("due", "ada")), ("25T11:00", ("overdue", "ada")), ("25T15:00", ("escalated", "boss")),
    ]  # fmt: skip
    for moment, notice in expected:
        assert alarms.next_due() == at(moment)
        assert sound(at(moment) - timedelta(seconds=1)) == []
        assert sound(at(moment)) == [notice]
        assert sound(at(moment)) == []
    assert alarms.next_due() is None
    assert list(Case.objects.get().changes.values_list("kind", flat=True)) == [
        "opened", *["reminded", "overdue", "escalated"] * 2,
    ]  # fmt: skip
    due = Notice.objects.filter(kind="case_overdue").order_by("pk").values_list("values__due", flat=True)
    assert list(due) == ["2026-11-23 13:00", "2026-11-25 11:00"]


def test_after_an_outage_only_the_gravest_is_told() -> None:
    case()
    assert sound(at("24T12:00")) == [("escalated", "boss")]
    assert alarms.next_due() == at("25T10:00")
    assert sound(at("30T12:00")) == [("escalated", "boss")]
    assert alarms.next_due() is None


def test_who_was_heard_is_only_to_be_closed() -> None:
    row = case()
    services.change(case_id=row.pk, revision=None, changes=Changes(status="contacted"), by=None, now=NOW)
    assert alarms.next_due() == at("25T10:00")


def test_a_closed_or_moved_case_has_the_alarms_of_its_new_time() -> None:
    row = case()
    services.change(case_id=row.pk, revision=None, changes=Changes(status="lost", outcome="Left"), by=None, now=NOW)
    assert alarms.next_due() is None
    again = Changes(status="contacted", due_at=at("27T16:00"))
    services.change(case_id=row.pk, revision=None, changes=again, by=None, now=at("24T09:00"))
    assert alarms.next_due() == at("27T15:00")
    assert sound(at("27T16:00")) == [("overdue", "ada")]
    assert alarms.next_due() == at("30T12:00")  # Four hours later, over the weekend.


def test_nothing_is_reminded_or_escalated_to_nobody_where_that_is_so_wished() -> None:
    policy(remind_before=hours(0), escalate_to=None, contact_within=hours(0), escalate_after=hours(0))
    row = case()
    assert sound(at("25T10:59")) == []
    sound(at("25T11:00"))
    assert told() == [("overdue", "ada")]  # Both at once: the graver one is nobody's.
    assert list(row.changes.values_list("kind", flat=True)) == ["opened", "overdue"]


def test_one_that_breaks_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, sound_one = case(), case()
    honest = alarms.occasion

    def fail(row: Case, *args: object, **more: object) -> object:
        if row.pk == broken.pk:
            raise ValueError("broken")
        return honest(row, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(alarms, "occasion", fail)
    assert sound(at("23T12:00")) == [("due", "ada")]
    broken.refresh_from_db()
    sound_one.refresh_from_db()
    assert (broken.alarm_at, sound_one.alarm_at) == (None, at("23T13:00"))


def test_a_batch_costs_as_many_queries_as_one_and_the_drain_knows_it() -> None:
    assert tasks.alarms.QUEUE in DRAINS
    costs = []
    for number in (1, 30):
        opened(*(response() for _ in range(number)))
        with CaptureQueriesContext(connection) as captured:
            assert DRAINS["cases.alarms"].step(at("23T12:00")) == number
        costs.append(len(captured))
    assert costs[0] == costs[1] < 20
    assert DRAINS["cases.alarms"].next_due() == at("23T13:00")
