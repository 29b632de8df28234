"""Figures of cases, compared with a recount in Python by the rules for working time themselves."""

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.cases import hours, services
from apps.cases.models import Case, Outcome, RootCause
from apps.cases.policy import Terms, current_terms
from apps.cases.services import Changes
from apps.common.schedule import Calendar, parse_windows
from apps.common.shares import Part
from apps.insights import case_causes
from apps.insights.case_figures import CaseFigures, Figures, case_figures, quantiles
from apps.insights.case_slices import Slice
from apps.insights.working_clock import WorkingClock
from tests.cases import caring

NOW = caring.NOW
QUARTER = Slice(NOW - timedelta(days=90), NOW)
HOUR = 3600.0


def opened(days_ago: float, **fields: Any) -> Case:
    """A case, and when what happened after so many hours."""
    at = NOW - timedelta(days=days_ago)
    owner, touchpoint = fields.pop("owner", None), fields.pop("touchpoint", None)
    times = {name: at + timedelta(hours=fields.pop(name)) for name in list(fields) if name.endswith("_at")}
    status = "solved" if "closed_at" in times else "new"
    response = caring.response(2, at=at, touchpoint=touchpoint)
    kept = {"opened_at": at, "due_at": at + timedelta(hours=40), "status": status, **times, **fields}
    return Case.objects.create(response=response, contact=response.contact, owner=owner, **kept)


def figures(wanted: Slice = QUARTER) -> CaseFigures:
    return case_figures(wanted=wanted, terms=current_terms(), now=NOW)


@pytest.mark.usefixtures("tenant")
class TestFigures:
    def test_each_figure_has_its_own_cases(self) -> None:
        opened(10, first_contact_at=2, closed_at=30, contact_due_at=8)
        opened(10, first_contact_at=10, closed_at=50, contact_due_at=8)
        opened(10, contact_due_at=8)
        opened(1, due_at=200, contact_due_at=100)
        opened(100, first_contact_at=24 * 15, closed_at=24 * 20, contact_due_at=8)  # Only ended in the span.
        opened(300, first_contact_at=1, closed_at=2)
        total = figures().total
        assert (total.opened, total.closed, total.open, total.overdue) == (4, 3, 2, 1)
        assert (total.contacted_in_time, total.closed_in_time) == (Part(3, 1), Part(3, 1))
        assert (total.to_contact.n, total.to_contact.median) == (3, 10 * HOUR)
        assert (total.to_close.n, total.to_close.median) == (3, 50 * HOUR)

    def test_cases_that_went_into_another_one_are_in_no_figure(self) -> None:
        into = opened(10)
        opened(10, first_contact_at=2, closed_at=30, contact_due_at=8, merged_into=into)
        total = figures().total
        assert (total.opened, total.closed, total.to_contact.n) == (1, 0, 0)
        assert total.contacted_in_time.total == 0
        assert sum(row.total for _month, row in case_causes.in_time_by_month(wanted=QUARTER, now=NOW)) == 1
        assert case_causes.causes(wanted=QUARTER, now=NOW).missing.part == Part(1, 1)
        assert case_causes.ends(wanted=QUARTER, now=NOW) == []

    def test_a_contact_before_the_case_was_opened_took_no_time(self) -> None:
        opened(10, first_contact_at=-5, closed_at=30)  # As merging leaves it.
        opened(10, first_contact_at=4, closed_at=30)
        times = figures().total.to_contact
        assert (times.n, times.median) == (2, 2 * HOUR)

    def test_a_case_opened_again_is_open_until_it_is_closed_again(self) -> None:
        case, by = opened(10, contact_due_at=8), User.objects.create(username="kim")

        def move(status: str, hours_on: float) -> Figures:
            at = case.opened_at + timedelta(hours=hours_on)
            changes = Changes(status=status, outcome="Refunded.")
            services.change(case_id=case.pk, revision=None, changes=changes, by=by, now=at)
            return figures().total

        assert move("solved", 5).to_close.median == 5 * HOUR
        again = move("contacted", 30)
        assert (again.open, again.closed, again.to_close.median, again.to_contact.median) == (1, 0, None, 5 * HOUR)
        last = move("solved", 35)
        assert (last.open, last.closed, last.to_close.median, last.to_contact.median) == (0, 1, 35 * HOUR, 5 * HOUR)

    def test_root_causes_are_told_by_month_and_ends_by_outcome(self) -> None:
        slow, broken = (RootCause.objects.create(name={"en": name}) for name in ("Slow", "Broken"))
        refund = Outcome.objects.create(name={"en": "Refund"})
        for days, cause in ((5, slow), (40, slow), (41, broken), (200, broken), (6, None)):
            opened(days, root_cause=cause)
        opened(5, closed_at=3, result=refund)
        opened(5, closed_at=3, result=refund, status="lost")
        opened(5, closed_at=3)
        found = case_causes.causes(wanted=QUARTER, now=NOW)
        assert [(row.root_cause_id, row.part) for row in found.rows] == [(slow.pk, Part(3, 2)), (broken.pk, Part(3, 1))]
        assert found.missing.part == Part(7, 4)
        assert (found.months[0], found.months[-1], len(found.months)) == (date(2025, 12, 1), date(2026, 11, 1), 12)
        assert [row.months[-2:] for row in found.rows] == [[1, 1], [1, 0]]
        ends = case_causes.ends(wanted=QUARTER, now=NOW)
        assert [(end.result_id, end.solved, end.lost) for end in ends] == [(refund.pk, 1, 1), (None, 1, 0)]

    def test_what_is_older_than_the_twelve_months_shown_still_counts_in_a_span_of_365_days(self) -> None:
        cause = RootCause.objects.create(name={"en": "Slow"})
        opened(364, root_cause=cause)
        year = Slice(NOW - timedelta(days=365), NOW)
        [row] = case_causes.causes(wanted=year, now=NOW).rows
        assert (row.part, sum(row.months)) == (Part(1, 1), 0)

    def test_nothing_costs_more_queries_when_there_is_more(self) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                figures()
                case_causes.causes(wanted=QUARTER, now=NOW)
            return len(captured)

        opened(3, first_contact_at=2, closed_at=30)
        few = queries()
        for number in range(5):
            opened(number, first_contact_at=2, closed_at=3, owner=User.objects.create(username=f"u{number}"))
        assert queries() == few

    @pytest.mark.parametrize("seed", [1, 2])
    def test_they_equal_a_recount_by_hand(self, seed: int) -> None:
        rng, zone = random.Random(seed), caring.BERLIN
        caring.berlin()
        assert zone["country"] == "DE"  # With holidays.
        owners = [User.objects.create(username=name) for name in ("ada", "kim")] + [None]
        places = [caring.touchpoint("one"), caring.touchpoint("two"), None]
        for _number in range(80):
            times = {}
            if rng.random() < 0.7:
                times["first_contact_at"] = rng.uniform(-1, 200)
            if rng.random() < 0.6:
                times["closed_at"] = max(times.get("first_contact_at", 0), 0) + rng.uniform(0, 400)
            if rng.random() < 0.8:
                times["contact_due_at"] = rng.uniform(1, 100)
            opened(
                rng.uniform(0, 200), owner=rng.choice(owners), touchpoint=rng.choice(places),
                due_at=rng.uniform(10, 300), **times,
            )  # fmt: skip
        into = Case.objects.order_by("pk")[0]
        Case.objects.filter(pk__in=Case.objects.order_by("-pk").values("pk")[:8]).update(merged_into=into)
        terms, found = current_terms(), figures()
        everything = list(Case.objects.filter(merged_into=None).select_related("response"))
        compare(found.total, recounted(everything, terms))
        for row in (*owners, *places):
            of_owner = isinstance(row, User)
            part = found.owners if of_owner else found.touchpoints
            key = row.pk if row else None
            mine = [c for c in everything if (c.owner_id if of_owner else c.response.touchpoint_id) == key]
            compare(part[key], recounted(mine, terms))
            if row:
                narrowed = {"owner_id": key} if of_owner else {"touchpoint_id": key}
                compare(figures(Slice(QUARTER.since, NOW, **narrowed)).total, recounted(mine, terms))


def compare(found: Figures, expected: dict[str, Any]) -> None:
    told = {
        "opened": found.opened, "closed": found.closed, "open": found.open, "overdue": found.overdue,
        "contacted": found.contacted_in_time, "in time": found.closed_in_time,
        "to contact": [found.to_contact.n, found.to_contact.median, found.to_contact.working_median],
        "to close": [found.to_close.n, found.to_close.median, found.to_close.working_median],
        "most": [found.to_contact.most, found.to_close.working_most],
    }  # fmt: skip
    for name, value in expected.items():
        assert told[name] == (value if not isinstance(value, list) else pytest.approx(value, abs=0.001)), name


def recounted(cases: Iterable[Case], terms: Terms) -> dict[str, Any]:
    """The same figures in plain loops, working time by cases' own rules."""
    rows = list(cases)

    def inside(at: datetime | None) -> bool:
        return at is not None and QUARTER.since <= at < QUARTER.until

    def worked(row: Case, at: datetime) -> float:
        args = (terms.windows, terms.calendar, terms.skip_holidays)
        return hours.working_time_between(row.opened_at, at, *args).total_seconds()

    def late(row: Case) -> bool:
        unheard = row.first_contact_at is None and row.contact_due_at is not None and row.contact_due_at < NOW
        return row.closed_at is None and (row.due_at < NOW or unheard)

    def times(name: str) -> tuple[list[float], list[float]]:
        mine = [row for row in rows if inside(getattr(row, name))]
        wall = [max(0.0, (getattr(row, name) - row.opened_at).total_seconds()) for row in mine]
        return wall, [worked(row, getattr(row, name)) for row in mine]

    def half(values: list[float]) -> float | None:
        return median(values) if values else None

    due = [row for row in rows if inside(row.contact_due_at)]
    close_due = [row for row in rows if inside(row.due_at)]
    (wall, work), (close_wall, close_work) = times("first_contact_at"), times("closed_at")
    met = [row for row in due if row.first_contact_at and row.first_contact_at <= row.contact_due_at]
    done = [row for row in close_due if row.closed_at and row.closed_at <= row.due_at]
    return {
        "opened": sum(inside(row.opened_at) for row in rows),
        "closed": len(close_wall),
        "open": sum(row.closed_at is None for row in rows),
        "overdue": sum(map(late, rows)),
        "contacted": Part(len(due), len(met)),
        "in time": Part(len(close_due), len(done)),
        "to contact": [len(wall), half(wall), half(work)],
        "to close": [len(close_wall), half(close_wall), half(close_work)],
        "most": [quantiles(wall)[1], quantiles(close_work)[1]],
    }


moments = st.datetimes(NOW.replace(tzinfo=None) - timedelta(days=330), NOW.replace(tzinfo=None)).map(
    lambda at: at.replace(tzinfo=UTC)
)
WEEKS: list[Any] = [
    [], [{"days": [0, 1, 2, 3, 4], "from": "09:00", "to": "17:00"}],
    [{"days": [6], "from": "00:00", "to": "24:00"}, {"days": [0, 6], "from": "22:30", "to": "24:00"}],
]  # fmt: skip


@given(moments, moments, st.sampled_from(WEEKS), st.booleans())
def test_the_working_clock_says_what_the_rules_for_cases_say(
    one: datetime, other: datetime, week: list[Any], skip_holidays: bool
) -> None:
    windows, calendar = parse_windows(week), Calendar("Europe/Berlin", "DE", "BE")
    first, last = min(one, other), max(one, other)
    clock = WorkingClock(first, last, windows=windows, calendar=calendar, skip_holidays=skip_holidays)
    for since, until in ((one, other), (other, one), (first, first + (last - first) / 3)):
        expected = hours.working_time_between(since, until, windows, calendar, skip_holidays).total_seconds()
        assert clock.seconds(since, until) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], (None, None)), ([7.0], (7.0, 7.0)), ([1.0, 2.0], (1.5, 1.9)), ([4.0, 1.0, 2.0, 3.0, 5.0], (3.0, 4.6))],
)
def test_quantiles_lie_between_two_neighbours(values: list[float], expected: tuple[float | None, ...]) -> None:
    assert quantiles(values) == pytest.approx(expected)
