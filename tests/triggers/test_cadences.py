"""Regular surveys: whose turn it is, once each, whatever happens to the clock or the worker."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.common.agenda import AgendaItem
from apps.common.recurrence import due_at
from apps.contacts.models import BusinessCalendar, Contact, ContactBudget, LegalBasis
from apps.surveys.models import Invitation
from apps.triggers import cadences
from apps.triggers.models import Cadence, Decision, Segment
from apps.triggers.segments import bucket_of
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 5, 4, 6, tzinfo=UTC)
ONE_DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def no_budget(tenant: Any) -> None:
    ContactBudget.objects.create(pk=1, min_days_between=0)


def people(count: int, **values: Any) -> list[Contact]:
    rows = factories.ContactFactory.create_batch(count, **values)
    LegalBasis.objects.bulk_create(
        LegalBasis(contact=row, kind="consent", source="test", granted_at=NOW - 400 * ONE_DAY) for row in rows
    )
    return rows


def cadence(**values: Any) -> Cadence:
    defaults = {"name": "regular", "survey": factories.SurveyFactory(), "starts_on": date(2026, 1, 1)}
    row = Cadence(**{**defaults, **values})
    row.full_clean(exclude=["condition"])
    row.save()
    cadences.plan(cadence=row, now=NOW)
    return row


def run(now: datetime, limit: int = 1000) -> None:
    """Everything that is due at this moment."""
    for _ in range(200):
        if not Cadence.objects.filter(next_run_at__lte=now).exists():
            return
        for pk in Cadence.objects.filter(next_run_at__lte=now).values_list("pk", flat=True):
            cadences.run_batch(cadence_id=pk, now=now, limit=limit)
    raise AssertionError("never done")


def test_each_contact_is_asked_once_per_period_spread_evenly() -> None:
    people(120)
    row = cadence(period_days=30, at=time(6), expires_after=timedelta(days=3))
    for day in range(61):
        run(NOW + day * ONE_DAY)
    asked = list(Decision.objects.values_list("contact_id", flat=True))
    per_contact = [asked.count(pk) for pk in set(asked)]
    assert len(set(asked)) == 120
    assert set(per_contact) <= {2, 3}  # Two periods and the day ahead.
    week = timedelta(days=7)
    weeks = [
        Invitation.objects.filter(send_at__gte=NOW + w * week, send_at__lt=NOW + (w + 1) * week).count()
        for w in range(8)
    ]
    assert min(weeks) > 10
    for invitation in Invitation.objects.all():
        own = [due_at(bucket_of(invitation.contact_id), k, 30, cadences.offset_of(row.pk)) for k in range(70, 90)]
        assert invitation.send_at in own


def test_a_turn_missed_while_nothing_ran_is_asked_once_afterwards() -> None:
    people(40)
    cadence(period_days=1, expires_after=timedelta(days=3))
    run(NOW)
    late = NOW + 3 * ONE_DAY + timedelta(hours=2)
    run(late)
    per_contact = list(Invitation.objects.filter(created_at=late).values_list("contact_id", flat=True))
    assert len(per_contact) == len(set(per_contact)) == 40
    assert all(at >= late for at in Invitation.objects.filter(created_at=late).values_list("send_at", flat=True))


def test_only_the_segment_is_asked_and_others_leave_no_decision() -> None:
    people(5, properties={"plan": "gold"})
    people(5, properties={"plan": "basic"})
    segment = Segment.objects.create(
        key="gold", name="Gold", condition={"field": "contact.plan", "op": "eq", "value": "gold"}
    )
    cadence(kind="calendar", recurrence="FREQ=DAILY", at=time(9), segment=segment)
    run(NOW + ONE_DAY)
    assert Decision.objects.count() == Invitation.objects.count() == 5


def test_a_calendar_cadence_fires_on_its_days_in_the_tenants_zone() -> None:
    BusinessCalendar.objects.create(pk=1, time_zone="Europe/Berlin")
    people(3)
    row = cadence(kind="calendar", recurrence="FREQ=MONTHLY;BYDAY=1MO", at=time(9))
    assert row.next_run_at == datetime(2026, 5, 4, 9, tzinfo=BERLIN)
    run(row.next_run_at)
    row.refresh_from_db()
    assert row.next_run_at == datetime(2026, 6, 1, 9, tzinfo=BERLIN)
    assert Decision.objects.filter(cadence=row, event=None).count() == 3
    assert Invitation.objects.filter(send_at=datetime(2026, 5, 4, 9, tzinfo=BERLIN)).count() == 3


@pytest.mark.parametrize(("day", "clock"), [(date(2026, 10, 23), time(2, 30)), (date(2027, 3, 26), time(2, 30))])
def test_daily_means_once_a_day_over_both_changes_of_the_clock(day: date, clock: time) -> None:
    BusinessCalendar.objects.create(pk=1, time_zone="Europe/Berlin")
    people(1)
    row = cadence(kind="calendar", recurrence="FREQ=DAILY", at=clock, starts_on=day)
    Cadence.objects.update(covered_until=datetime.combine(day, time(0), BERLIN))
    row.refresh_from_db()
    moments = []
    cadences.plan(cadence=row, now=datetime.combine(day, time(0), BERLIN))
    for _ in range(5):
        row.refresh_from_db()
        assert row.next_run_at is not None
        moments.append(row.next_run_at)
        run(row.next_run_at)
    local_days = [moment.astimezone(BERLIN).date() for moment in moments]
    assert local_days == [day + n * ONE_DAY for n in range(5)]
    assert Decision.objects.count() == 5
    assert all(timedelta(hours=22) < later - earlier < timedelta(hours=26) for earlier, later in pairwise(moments))


def test_down_over_three_due_times_there_is_one_catch_up_within_the_window() -> None:
    people(10)
    window = [{"days": [0, 1, 2, 3, 4, 5, 6], "from": "09:00", "to": "12:00"}]
    row = cadence(kind="calendar", recurrence="FREQ=DAILY", at=time(9), windows=window)
    late = NOW + 3 * ONE_DAY + timedelta(hours=8)  # 14:00, the fourth day: three or more are missed
    run(late)
    assert Decision.objects.count() == 10
    assert set(Invitation.objects.values_list("send_at", flat=True)) == {datetime(2026, 5, 8, 9, tzinfo=UTC)}
    row.refresh_from_db()
    assert row.next_run_at is not None
    assert row.next_run_at > late


def test_interrupted_anywhere_it_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    people(25)
    row = cadence(kind="calendar", recurrence="FREQ=DAILY", at=time(9))
    now = NOW + ONE_DAY
    whole, calls = cadences._ask, []

    def die_on_the_third(*args: Any) -> None:
        whole(*args)
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("killed")

    monkeypatch.setattr(cadences, "_ask", die_on_the_third)
    for _ in range(2):
        cadences.run_batch(cadence_id=row.pk, now=now, limit=4)
    with pytest.raises(RuntimeError):
        cadences.run_batch(cadence_id=row.pk, now=now, limit=4)
    assert Decision.objects.count() == 8
    run(now, limit=4)
    assert Decision.objects.count() == 25
    assert len(set(Decision.objects.values_list("contact_id", flat=True))) == 25


def test_a_broken_cadence_is_put_off_with_its_error_and_the_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    people(2)
    broken = cadence(kind="calendar", recurrence="FREQ=DAILY", at=time(9))
    other = cadence(kind="calendar", recurrence="FREQ=DAILY", at=time(10))
    whole = cadences._ask

    def break_one(row: Cadence, *rest: Any) -> None:
        if row.pk == broken.pk:
            raise ZeroDivisionError("poison")
        whole(row, *rest)

    monkeypatch.setattr(cadences, "_ask", break_one)
    now = NOW + ONE_DAY
    while cadences.run_due(now=now):
        pass
    broken.refresh_from_db()
    assert broken.last_error == "ZeroDivisionError: poison"
    assert broken.next_run_at == now + cadences.RETRY_AFTER
    assert set(Decision.objects.values_list("cadence_id", flat=True)) == {other.pk}


def test_switched_off_it_asks_nobody_and_switched_on_it_does_not_catch_up(
    django_capture_on_commit_callbacks: Any,
) -> None:
    people(300)
    row = cadence(period_days=10)
    row.is_active = False
    row.save()
    cadences.plan(cadence=row, now=NOW)
    assert row.next_run_at is None
    run(NOW + 5 * ONE_DAY)
    assert not Decision.objects.exists()
    row.is_active = True
    row.save()
    back = NOW + 5 * ONE_DAY
    with django_capture_on_commit_callbacks(execute=True):
        cadences.plan(cadence=row, now=back)
    assert AgendaItem.objects.get(queue=cadences.QUEUE).due_at == back
    run(back)
    run(back + ONE_DAY)
    assert 0 < Decision.objects.count() < 150  # two days' share of ten, not seven days'


def test_a_tick_costs_what_is_due_not_what_exists(django_assert_max_num_queries: Any) -> None:
    survey = factories.SurveyFactory()
    later = NOW + 30 * ONE_DAY
    Cadence.objects.bulk_create(
        Cadence(name=f"c{n}", survey=survey, starts_on=date(2026, 1, 1), next_run_at=later, covered_until=NOW)
        for n in range(500)
    )
    with django_assert_max_num_queries(4):
        assert cadences.run_due(now=NOW) == 0
        assert cadences.next_due() == later
    people(2)
    row = Cadence.objects.first()
    assert row is not None
    cadences.plan(cadence=row, now=NOW)
    with django_assert_max_num_queries(40):
        assert cadences.run_due(now=NOW) == 1
    assert cadences.run_due(now=NOW) == 0


def test_a_hundred_contacts_cost_as_many_queries_as_ten(django_assert_max_num_queries: Any) -> None:
    for count in (10, 90):
        people(count)
        row = cadence(name=f"c{count}", kind="calendar", recurrence="FREQ=DAILY", at=time(9))
        with django_assert_max_num_queries(32):
            cadences.run_batch(cadence_id=row.pk, now=NOW + ONE_DAY)
    assert Decision.objects.count() == 110


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 60), min_size=3, max_size=12), st.integers(1, 40))
def test_however_the_runs_fall_nobody_is_left_out_or_asked_twice_in_a_period(hours: list[int], period: int) -> None:
    Decision.objects.all().delete()
    Invitation.objects.all().delete()
    Cadence.objects.all().delete()
    if not Contact.objects.exists():
        people(20)
    row = cadence(period_days=period)
    now = NOW
    run(now)
    for pause in hours:
        now += timedelta(hours=pause)
        run(now)
    row.refresh_from_db()
    assert row.covered_until is not None
    turns = list(Decision.objects.values_list("contact_id", "occurrence"))
    assert len(turns) == len(set(turns))
    for contact in Contact.objects.all():
        bucket, offset = bucket_of(contact.pk), cadences.offset_of(row.pk)
        own = [due_at(bucket, k, period, offset) for k in range(40, 3000)]
        own = [moment for moment in own if moment <= row.covered_until]
        due = [moment for moment in own if moment > NOW]
        asked = sum(pk == contact.pk for pk, _turn in turns)
        # After a pause longer than a period, only the latest turn is made up for.
        assert asked <= len(due)
        assert asked >= 1 or not due
