"""The hour a contact answers at, and the shift to it: pure rules."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.schedule import Calendar, is_open, parse_windows
from apps.contacts.best_hour import (
    COMPANY_MINIMUM,
    OWN_MINIMUM,
    TENANT_MINIMUM,
    Histogram,
    good_hours,
    histogram,
    shift_to_good_hour,
    shift_to_hour,
)

BERLIN = Calendar("Europe/Berlin", "DE", "BE")
NEVER = datetime(2030, 1, 1, tzinfo=UTC)
OFFICE = parse_windows([{"days": [0, 1, 2, 3, 4], "from": "09:00", "to": "18:00"}])
NOBODY = [0] * 24


def choose_hour(own: Histogram, wider: Histogram, tenant: Histogram, minimum: int = OWN_MINIMUM) -> int | None:
    """The best hour, or None if too little is known: ``minimum`` answers of the contact's own, more of wider ones."""
    found = good_hours([(own, minimum), (wider, COMPANY_MINIMUM), (tenant, TENANT_MINIMUM)])
    return found[0] if found else None


def counts(**hours: int) -> list[int]:
    """``h19=3``: three answers between 19 and 20."""
    return [hours.get(f"h{hour}", 0) for hour in range(24)]


def berlin(day: int, hour: int, minute: int = 0, month: int = 6) -> datetime:
    """June 2026; the first is a Monday."""
    return datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo("Europe/Berlin"))


def test_the_contacts_own_answers_decide_once_there_are_three() -> None:
    company, tenant = counts(h8=20), counts(h12=100)
    assert choose_hour(counts(h19=2), company, tenant) == 8
    assert choose_hour(counts(h19=3), company, tenant) == 19


def test_too_few_answers_of_anybody_say_nothing() -> None:
    assert choose_hour(counts(h19=2), counts(h8=9), counts(h12=49)) is None
    assert choose_hour(NOBODY, NOBODY, counts(h12=50)) == 12


def test_neighbours_count_half_and_the_day_is_a_circle() -> None:
    # One lone peak against two hours beside each other, over midnight.
    assert choose_hour(counts(h12=4, h23=3, h0=3), NOBODY, NOBODY) == 0
    assert good_hours([(counts(h12=4, h23=3, h0=3), 3)])[:2] == (0, 23)


def test_only_hours_better_than_most_are_good() -> None:
    assert good_hours([([5] * 24, 3)]) == ()
    assert set(good_hours([(counts(h9=10), 3)])) == {8, 9, 10}


def test_answers_are_counted_by_the_contacts_clock_in_summer_and_winter() -> None:
    moments = [datetime(2026, 1, 5, 18, tzinfo=UTC), datetime(2026, 7, 6, 17, tzinfo=UTC)]
    assert histogram(moments, "Europe/Berlin") == counts(h19=2)


@pytest.mark.parametrize(
    ("at", "hour", "expected"),
    [
        (berlin(1, 10, 20), 15, berlin(1, 15, 20)),  # later today, the minute stays
        (berlin(1, 16), 11, berlin(2, 11)),  # tomorrow
        (berlin(1, 10, 40), 10, berlin(1, 10, 40)),  # that hour already
        (berlin(5, 16), 11, None),  # tomorrow is Saturday
        (berlin(1, 10), 20, None),  # never open then
    ],
)
def test_it_moves_to_the_hour_within_a_day_and_the_windows(at: datetime, hour: int, expected: datetime | None) -> None:
    assert shift_to_hour(at, hour, OFFICE, BERLIN, NEVER) == expected


def test_it_moves_not_beyond_the_expiry() -> None:
    at = berlin(1, 10)
    assert shift_to_hour(at, 15, (), BERLIN, at + timedelta(hours=4)) is None
    assert shift_to_hour(at, 15, (), BERLIN, at + timedelta(hours=5)) == berlin(1, 15)


def test_an_hour_that_is_partly_open_is_taken_where_it_opens() -> None:
    windows = parse_windows([{"days": [0, 1, 2, 3, 4, 5, 6], "from": "09:30", "to": "18:00"}])
    assert shift_to_hour(berlin(1, 17, 10), 9, windows, BERLIN, NEVER) == berlin(2, 9, 30)


def test_an_hour_that_clocks_skip_is_no_hour_of_that_day() -> None:
    assert shift_to_hour(berlin(28, 22, month=3), 2, (), BERLIN, NEVER) is None


def test_no_holiday_is_taken() -> None:
    day_before = berlin(30, 16, month=4)  # 1 May is a holiday.
    assert shift_to_hour(day_before, 11, (), BERLIN, NEVER, skip_holidays=True) is None
    assert shift_to_hour(day_before, 11, (), BERLIN, NEVER) == berlin(1, 11, month=5)


def test_the_best_hour_that_the_windows_allow_is_taken() -> None:
    assert shift_to_good_hour(berlin(1, 10), (20, 17, 11), OFFICE, BERLIN, NEVER) == berlin(1, 17)
    assert shift_to_good_hour(berlin(1, 10), (20, 21), OFFICE, BERLIN, NEVER) == berlin(1, 10)


def test_who_would_be_written_at_the_weekend_is_written_on_monday_at_the_best_hour() -> None:
    assert shift_to_good_hour(berlin(6, 10), (11,), OFFICE, BERLIN, NEVER) == berlin(8, 11)
    assert shift_to_good_hour(berlin(6, 10), (11,), OFFICE, BERLIN, berlin(7, 0)) == berlin(6, 10)


@given(
    minutes=st.integers(0, 2 * 365 * 24 * 60),
    hour=st.integers(0, 23),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
)
def test_it_is_never_earlier_never_a_day_later_and_always_at_that_hour(minutes: int, hour: int, zone: str) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    found = shift_to_hour(at, hour, OFFICE, Calendar(zone), NEVER)
    if found is not None:
        assert at <= found <= at + timedelta(days=1)
        assert found.astimezone(ZoneInfo(zone)).hour == hour
        assert is_open(found, OFFICE, Calendar(zone))
