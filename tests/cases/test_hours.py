"""Working time: over nights, weekends, holidays and changes of clocks."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.cases.hours import add_working_time, take_working_time, working_time_between
from apps.common.schedule import Calendar, Window, is_open

OFFICE = (Window(frozenset(range(5)), 9 * 60, 17 * 60),)
NIGHTS = (Window(frozenset(range(7)), 0, 6 * 60), Window(frozenset(range(7)), 22 * 60, 1440))
BERLIN = Calendar("Europe/Berlin", "DE", "BE")
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("since", "amount", "until"),
    [
        ("2026-11-23T10:00+01:00", 2, "2026-11-23T12:00+01:00"),
        ("2026-11-23T09:00+01:00", 8, "2026-11-23T17:00+01:00"),  # A whole day ends with the day.
        ("2026-11-23T15:00+01:00", 4, "2026-11-24T11:00+01:00"),
        ("2026-11-27T16:00+01:00", 2, "2026-11-30T10:00+01:00"),  # Over a weekend.
        ("2026-11-28T12:00+01:00", 1, "2026-11-30T10:00+01:00"),  # Begun on a Saturday.
        ("2026-12-23T16:00+01:00", 10, "2026-12-28T10:00+01:00"),  # Christmas Day is a Friday.
        ("2026-12-31T16:00+01:00", 2, "2027-01-04T10:00+01:00"),
        ("2026-03-06T16:00+01:00", 2, "2026-03-09T10:00+01:00"),
        ("2026-03-27T16:00+01:00", 40, "2026-04-07T16:00+02:00"),  # Clocks go on, Good Friday, Easter Monday.
        ("2026-10-23T16:00+02:00", 2, "2026-10-26T10:00+01:00"),  # Clocks go back.
        ("2026-11-28T12:00+01:00", 0, "2026-11-28T12:00+01:00"),  # Nothing is nothing, also at a weekend.
    ],
)
def test_working_time_runs_within_working_hours_only(since: str, amount: int, until: str) -> None:
    reached = add_working_time(at(since), timedelta(hours=amount), OFFICE, BERLIN, True)
    assert reached == at(until)
    assert working_time_between(at(since), at(until), OFFICE, BERLIN, True) == timedelta(hours=amount)


def test_holidays_count_where_they_are_not_free() -> None:
    since = at("2026-12-24T16:00+01:00")
    assert add_working_time(since, timedelta(hours=2), OFFICE, BERLIN, False) == at("2026-12-25T10:00+01:00")


def test_without_windows_time_runs_around_the_clock() -> None:
    since = at("2026-03-28T23:00+01:00")
    assert add_working_time(since, timedelta(hours=48), (), Calendar("Europe/Berlin"), True) - since == timedelta(
        hours=48
    )


def test_the_night_in_which_clocks_go_on_has_an_hour_less_to_work() -> None:
    since, until = at("2026-03-28T22:00+01:00"), at("2026-03-29T06:00+02:00")
    assert working_time_between(since, until, NIGHTS, Calendar("Europe/Berlin")) == timedelta(hours=7)


def test_hours_that_hardly_ever_come_are_not_waited_for_for_centuries() -> None:
    minute = (Window(frozenset({6}), 0, 1),)
    since = at("2026-11-23T10:00+01:00")
    assert add_working_time(since, timedelta(days=365), minute, BERLIN, True) < since + timedelta(days=5000)


def test_less_than_nothing_is_refused() -> None:
    for move in (add_working_time, take_working_time):
        with pytest.raises(ValueError, match="negative"):
            move(at("2026-11-23T10:00+01:00"), timedelta(seconds=-1), OFFICE, BERLIN)


moments = st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1)).map(lambda one: one.replace(tzinfo=UTC))  # noqa: DTZ001
amounts = st.timedeltas(timedelta(0), timedelta(hours=300))
windows = st.lists(
    st.builds(
        lambda days, ends: Window(days, min(ends), max(ends)),
        st.frozensets(st.integers(0, 6), min_size=1),
        # At least an hour, so that no amount takes years.
        st.tuples(st.integers(0, 660), st.integers(720, 1440)),
    ),
    max_size=4,
).map(tuple)
calendars = st.sampled_from([*map(Calendar, ZONES), BERLIN, Calendar("America/New_York", "US", "NY")])


@settings(deadline=None, max_examples=200)
@given(moments, amounts, windows, calendars, st.booleans())
def test_what_is_added_or_taken_is_what_is_measured(
    moment: datetime, amount: timedelta, open_: tuple[Window, ...], calendar: Calendar, skip: bool
) -> None:
    later = add_working_time(moment, amount, open_, calendar, skip)
    earlier = take_working_time(moment, amount, open_, calendar, skip)
    assert working_time_between(moment, later, open_, calendar, skip) == amount
    assert working_time_between(earlier, moment, open_, calendar, skip) == amount
    if amount:  # The last moment of work, or the first, is one of work.
        tick = timedelta(microseconds=1)
        assert is_open(later - tick, open_, calendar, skip_holidays=skip)
        assert is_open(earlier, open_, calendar, skip_holidays=skip)
    assert working_time_between(later, moment, open_, calendar, skip) == timedelta(0)
