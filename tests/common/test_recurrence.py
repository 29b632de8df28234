import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.common.recurrence import (
    BUCKETS,
    EPOCH,
    RecurrenceError,
    Slice,
    due_at,
    next_occurrence,
    occurrences,
    parse_rule,
    slices,
)
from apps.common.schedule import ScheduleError

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
ONE_DAY = timedelta(days=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def days_of(text: str, starts_on: date, count: int = 5, after: datetime | None = None) -> list[date]:
    """The first days on which the rule fires, at noon UTC."""
    after = after or datetime.combine(starts_on, datetime.min.time(), UTC)
    found = occurrences(
        parse_rule(text),
        starts_on=starts_on,
        at_minute=720,
        zone="UTC",
        after=after,
        until=utc(2200, 1, 1),
        limit=count,
    )
    return [at.date() for at in found]


# --- rules as text ---


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("FREQ=DAILY", "FREQ=DAILY"),
        (" rrule:freq=daily;interval=1 ", "FREQ=DAILY"),
        ("BYDAY=+1MO,MO,-1FR,1MO;FREQ=MONTHLY;INTERVAL=02", "FREQ=MONTHLY;INTERVAL=2;BYDAY=MO,1MO,-1FR"),
        ("FREQ=YEARLY;BYMONTH=12,3;BYMONTHDAY=-1,1", "FREQ=YEARLY;BYMONTH=3,12;BYMONTHDAY=-1,1"),
        ("FREQ=YEARLY;BYDAY=53TH", "FREQ=YEARLY;BYDAY=53TH"),
        ("FREQ=WEEKLY;WKST=MO", "FREQ=WEEKLY"),
        ("FREQ=WEEKLY;WKST=SU;UNTIL=20271231", "FREQ=WEEKLY;WKST=SU;UNTIL=20271231"),
        ("FREQ=WEEKLY;UNTIL=00011231", "FREQ=WEEKLY;UNTIL=00011231"),
        ("FREQ=DAILY;BYDAY=MO;BYSETPOS=-1", "FREQ=DAILY;BYDAY=MO"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU"),
    ],
)
def test_a_rule_has_a_normal_form(text: str, normal: str) -> None:
    rule = parse_rule(text)
    assert rule.text == normal
    assert parse_rule(normal) == rule
    assert len({rule, parse_rule(normal)}) == 1


@pytest.mark.parametrize(
    ("text", "code", "params"),
    [
        ("", "syntax", {"part": ""}),
        ("FREQ", "syntax", {"part": "FREQ"}),
        ("FREQ=DAILY;", "syntax", {"part": ""}),
        ("FREQ=WEEKLY;BYDAY=\u017fU", "syntax", {"part": "FREQ=WEEKLY"}),  # \u017f is a kind of s
        ("FREQ=DAILY" + ";" * 200, "too_long", {"max": 200}),
        ("FREQ=DAILY;BYHOUR=3", "unknown_part", {"part": "BYHOUR"}),
        ("FREQ=DAILY;FREQ=DAILY", "duplicate", {"part": "FREQ"}),
        ("INTERVAL=2", "frequency", {}),
        ("FREQ=HOURLY", "frequency", {}),
        ("FREQ=DAILY;COUNT=3", "count", {}),
        ("FREQ=DAILY;INTERVAL=367", "interval", {"max": 366}),
        ("FREQ=WEEKLY;INTERVAL=53", "interval", {"max": 52}),
        ("FREQ=MONTHLY;INTERVAL=25", "interval", {"max": 24}),
        ("FREQ=YEARLY;INTERVAL=6", "interval", {"max": 5}),
        ("FREQ=DAILY;INTERVAL=0", "interval", {"max": 366}),
        ("FREQ=DAILY;INTERVAL=1,2", "interval", {"max": 366}),
        ("FREQ=DAILY;BYDAY=XX", "value", {"part": "BYDAY", "value": "XX"}),
        ("FREQ=MONTHLY;BYDAY=0MO", "value", {"part": "BYDAY", "value": "0MO"}),
        ("FREQ=MONTHLY;BYDAY=6MO", "value", {"part": "BYDAY", "value": "6MO"}),
        ("FREQ=YEARLY;BYDAY=54MO", "value", {"part": "BYDAY", "value": "54MO"}),
        ("FREQ=YEARLY;BYMONTH=5;BYDAY=6MO", "value", {"part": "BYDAY", "value": "6MO"}),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "value", {"part": "BYMONTHDAY", "value": "32"}),
        ("FREQ=MONTHLY;BYMONTHDAY=", "value", {"part": "BYMONTHDAY", "value": ""}),
        ("FREQ=YEARLY;BYMONTH=-1", "value", {"part": "BYMONTH", "value": "-1"}),
        ("FREQ=DAILY;BYSETPOS=2", "value", {"part": "BYSETPOS", "value": "2"}),
        ("FREQ=WEEKLY;WKST=1", "value", {"part": "WKST", "value": "1"}),
        ("FREQ=DAILY;UNTIL=20270230", "until", {"value": "20270230"}),
        ("FREQ=DAILY;UNTIL=20271231T235959Z", "until", {"value": "20271231T235959Z"}),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "combination", {"part": "BYMONTHDAY"}),
        ("FREQ=WEEKLY;BYDAY=1MO", "combination", {"part": "BYDAY"}),
        ("FREQ=MONTHLY;BYSETPOS=1", "combination", {"part": "BYSETPOS"}),
        ("FREQ=MONTHLY;BYMONTHDAY=30;BYMONTH=2", "never", {}),
        ("FREQ=DAILY;BYMONTHDAY=30;BYMONTH=2", "never", {}),
        ("FREQ=YEARLY;BYMONTH=2,4,6,9,11;BYMONTHDAY=31", "never", {}),
        ("FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=3;BYSETPOS=3", "never", {}),
        ("FREQ=MONTHLY;BYMONTHDAY=8;BYDAY=1MO", "never", {}),
        ("FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=3,4,5,6,7", "never", {}),
    ],
)
def test_what_is_no_rule_is_refused_quickly(text: str, code: str, params: dict[str, object]) -> None:
    started = time.process_time()
    with pytest.raises(RecurrenceError) as caught:
        parse_rule(text)
    assert time.process_time() - started < 0.1
    assert (caught.value.code, caught.value.params) == (code, params)


PIECES = (
    "FREQ= DAILY WEEKLY MONTHLY YEARLY ; ;BYDAY= ;BYMONTH= ;BYMONTHDAY= ;BYSETPOS= ;WKST= ;INTERVAL= ;UNTIL= ;COUNT= "
    ", - = RRULE: 20280229 MO SU 0 1 2 30 53"
)
texts = st.lists(st.sampled_from(PIECES.split()), max_size=14).map("".join)


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=210) | texts | texts.map("FREQ=YEARLY".__add__))
def test_any_text_is_a_rule_or_refused_quickly(text: str) -> None:
    started = time.process_time()
    try:
        rule = parse_rule(text)
    except RecurrenceError:
        rule = None
    assert time.process_time() - started < 0.2
    assert rule is None or parse_rule(rule.text) == rule


# --- the days of a rule ---


@pytest.mark.parametrize(
    ("text", "starts_on", "expected"),
    [
        ("FREQ=MONTHLY;BYDAY=1MO", date(2026, 1, 6), ["2026-02-02", "2026-03-02", "2026-04-06"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", date(2026, 1, 1), ["2026-01-30", "2026-02-27", "2026-03-31"]),
        ("FREQ=MONTHLY", date(2026, 1, 31), ["2026-01-31", "2026-03-31", "2026-05-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", date(2026, 1, 31), ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("FREQ=YEARLY", date(2024, 2, 29), ["2024-02-29", "2028-02-29", "2032-02-29"]),
        ("FREQ=YEARLY;BYMONTH=3", date(2026, 5, 7), ["2027-03-07", "2028-03-07", "2029-03-07"]),
        ("FREQ=WEEKLY;INTERVAL=2", date(2026, 1, 7), ["2026-01-07", "2026-01-21", "2026-02-04"]),
        # The example of RFC 5545, 3.8.5.3, on what WKST is for.
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO", date(1997, 8, 5), ["1997-08-05", "1997-08-10", "1997-08-19"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", date(1997, 8, 5), ["1997-08-05", "1997-08-17", "1997-08-19"]),
        ("FREQ=DAILY;INTERVAL=100", date(2026, 1, 1), ["2026-01-01", "2026-04-11", "2026-07-20"]),
        ("FREQ=DAILY;UNTIL=20260102", date(2026, 1, 1), ["2026-01-01", "2026-01-02"]),
        # dateutil takes a weekday and a numbered one for a day that is both, and counts from a week's middle.
        ("FREQ=MONTHLY;BYDAY=MO,1TU", date(2026, 1, 1), ["2026-01-05", "2026-01-06", "2026-01-12"]),
        ("FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=1", date(2026, 1, 7), ["2026-01-12", "2026-01-19", "2026-01-26"]),
    ],
)
def test_a_rule_fires_on_its_days(text: str, starts_on: date, expected: list[str]) -> None:
    assert [day.isoformat() for day in days_of(text, starts_on, 3)] == expected


@dataclass(frozen=True)
class Parts:
    """A rule to be checked the slow way."""

    frequency: str
    interval: int
    months: tuple[int, ...]
    month_days: tuple[int, ...]
    weekdays: tuple[tuple[int, int], ...]
    positions: tuple[int, ...]
    week_start: int

    @property
    def text(self) -> str:
        values = {
            "FREQ": self.frequency,
            "INTERVAL": str(self.interval),
            "BYMONTH": ",".join(map(str, self.months)),
            "BYMONTHDAY": ",".join(map(str, self.month_days)),
            "BYDAY": ",".join(f"{number or ''}{WEEKDAYS[day]}" for day, number in self.weekdays),
            "BYSETPOS": ",".join(map(str, self.positions)),
            "WKST": WEEKDAYS[self.week_start],
        }
        return ";".join(f"{name}={value}" for name, value in values.items() if value)

    def period(self, day: date) -> int:
        """Number of the period in which a day lies."""
        if self.frequency == "WEEKLY":
            return (day.toordinal() - 1 - self.week_start) // 7
        return {"DAILY": day.toordinal(), "MONTHLY": day.year * 12 + day.month, "YEARLY": day.year}[self.frequency]

    def fits(self, day: date, start: date) -> bool:
        """Whether a day has all that the rule names, and what its start implies."""
        months, month_days, weekdays = self.months, self.month_days, self.weekdays
        if not month_days and not weekdays:
            if self.frequency == "WEEKLY":
                weekdays = ((start.weekday(), 0),)
            if self.frequency in {"MONTHLY", "YEARLY"}:
                month_days = (start.day,)
            if self.frequency == "YEARLY":
                months = months or (start.month,)
        last = (date(day.year + day.month // 12, day.month % 12 + 1, 1) - ONE_DAY).day
        place, size = day.day, last
        if self.frequency == "YEARLY" and not months:
            place, size = day.timetuple().tm_yday, date(day.year, 12, 31).timetuple().tm_yday
        numbers = {0, (place - 1) // 7 + 1, -((size - place) // 7 + 1)}
        return (
            (not months or day.month in months)
            and (not month_days or day.day in month_days or day.day - last - 1 in month_days)
            and (not weekdays or any(day.weekday() == wanted and n in numbers for wanted, n in weekdays))
        )

    def days(self, start: date, until: date) -> Iterator[date]:
        """From the start on, one day after the other."""
        first, day = self.period(start), start - timedelta(days=366)
        members: dict[int, list[date]] = {}
        while day <= until + timedelta(days=366):
            if (self.period(day) - first) % self.interval == 0 and self.fits(day, start):
                members.setdefault(self.period(day), []).append(day)
            day += ONE_DAY
        for found in members.values():
            places = {p - 1 if p > 0 else len(found) + p for p in self.positions} or range(len(found))
            yield from (day for place, day in enumerate(found) if place in places and start <= day <= until)


def several(low: int, high: int) -> st.SearchStrategy[tuple[int, ...]]:
    numbers = st.integers(low, high).filter(bool)
    return st.lists(numbers, max_size=4, unique=True).map(tuple) | st.just(())


@st.composite
def parts(draw: st.DrawFn) -> Parts:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    numbered = frequency in {"MONTHLY", "YEARLY"}
    months = draw(several(1, 12))
    most = 53 if frequency == "YEARLY" and not months else 5
    number = (st.integers(-most, most) | st.just(0)) if numbered else st.just(0)
    weekdays = draw(st.lists(st.tuples(st.integers(0, 6), number), max_size=3, unique=True).map(tuple))
    month_days = draw(several(-31, 31)) if frequency != "WEEKLY" else ()
    named = months or weekdays or month_days
    most = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}[frequency]
    return Parts(
        frequency=frequency,
        interval=draw(st.integers(1, {"DAILY": 20, "WEEKLY": 6, "MONTHLY": 14, "YEARLY": 3}[frequency])),
        months=months,
        month_days=month_days,
        weekdays=weekdays,
        positions=draw(several(-most, most) | several(-1, 1)) if named else (),
        week_start=draw(st.integers(0, 6)),
    )


@settings(max_examples=500, deadline=None)
@given(parts(), st.dates(date(2019, 1, 1), date(2030, 1, 1)), st.integers(0, 900))
def test_a_rule_fires_as_when_each_day_is_looked_at(rule: Parts, starts_on: date, later: int) -> None:
    after = utc(starts_on.year, starts_on.month, starts_on.day, 12) + timedelta(days=later)
    until = after + timedelta(days=400)
    try:
        parsed = parse_rule(rule.text)
    except RecurrenceError as error:
        never = error.code
        assert (never, list(rule.days(starts_on, until.date()))) == ("never", [])
        return
    found = occurrences(parsed, starts_on=starts_on, at_minute=720, zone="UTC", after=after, until=until, limit=1000)
    assert [at.date() for at in found] == [day for day in rule.days(starts_on, until.date()) if day > after.date()]
    following = next_occurrence(parsed, starts_on=starts_on, at_minute=720, zone="UTC", after=after)
    assert following == found[0] if found else following is None or following > until


@pytest.mark.parametrize(
    ("text", "starts_on"),
    [
        ("FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29", date(2025, 1, 1)),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", date(2026, 1, 6)),
        ("FREQ=MONTHLY;INTERVAL=12;BYMONTH=3", date(2026, 4, 1)),
        ("FREQ=MONTHLY;BYMONTH=2", date(2026, 1, 30)),
        ("FREQ=DAILY;UNTIL=20251231", date(2026, 1, 1)),
    ],
)
def test_a_rule_that_never_fires_from_its_start_is_found_out_quickly(text: str, starts_on: date) -> None:
    started = time.process_time()
    assert days_of(text, starts_on) == []
    assert time.process_time() - started < 0.5


def test_a_rare_rule_is_awaited() -> None:
    assert days_of("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", date(2026, 1, 1), 2) == [
        date(2044, 2, 29),
        date(2072, 2, 29),
    ]


def test_a_long_past_costs_nothing() -> None:
    started = time.process_time()
    for _ in range(100):
        assert days_of("FREQ=DAILY", date(1900, 1, 1), 1, utc(2026, 1, 1)) == [date(2026, 1, 1)]
    assert time.process_time() - started < 0.2


@pytest.mark.parametrize("starts_on", [date(1, 1, 1), date(9999, 12, 31)])
@pytest.mark.parametrize("frequency", ["DAILY", "WEEKLY;WKST=SU", "MONTHLY", "YEARLY"])
def test_the_ends_of_the_calendar_do_no_harm(starts_on: date, frequency: str) -> None:
    rule = parse_rule(f"FREQ={frequency}")
    following = next_occurrence(rule, starts_on=starts_on, at_minute=0, zone="UTC", after=utc(2026, 1, 1))
    assert (following is None) == (starts_on.year == 9999)


def test_the_search_ends_with_the_calendar() -> None:
    # 2360 to 2399 are looked up as 9960 to 9999, whose last week runs into the year 10,000.
    found = occurrences(
        parse_rule("FREQ=WEEKLY;BYDAY=SA"), starts_on=date(2359, 12, 1), at_minute=0, zone="UTC",
        after=utc(2359, 12, 31), until=utc(2500, 1, 1), limit=9999,
    )  # fmt: skip
    assert found[0].date() == date(2360, 1, 2)
    assert found[-1].date() == date(2399, 12, 25)


# --- by the clock of a zone ---


@pytest.mark.parametrize("minute", [0, 120, 150, 179, 180, 540])
@pytest.mark.parametrize(
    ("zone", "changes"),
    [
        ("Europe/Berlin", [date(2026, 10, 25), date(2027, 3, 28)]),
        ("America/New_York", [date(2026, 11, 1), date(2027, 3, 14)]),
        ("Australia/Lord_Howe", [date(2026, 10, 4), date(2027, 4, 4)]),
        ("Africa/Cairo", [date(2026, 10, 29), date(2026, 4, 24)]),
    ],
)
def test_each_day_has_one_turn_when_clocks_change(zone: str, changes: list[date], minute: int) -> None:
    daily = parse_rule("FREQ=DAILY")
    for change in changes:
        after = utc(change.year, change.month, change.day) - timedelta(days=4)
        found: list[datetime] = []
        while len(found) < 7:
            following = next_occurrence(daily, starts_on=date(2026, 1, 1), at_minute=minute, zone=zone, after=after)
            assert following is not None
            assert following > after
            found.append(after := following)
        local = [at.astimezone(ZoneInfo(zone)) for at in found]
        assert [at.date() for at in local] == [local[0].date() + timedelta(days=n) for n in range(7)]
        assert sum(at.hour * 60 + at.minute != minute for at in local) <= 1
        assert found == occurrences(
            daily, starts_on=date(2026, 1, 1), at_minute=minute, zone=zone,
            after=found[0] - timedelta(microseconds=1), until=found[-1], limit=100,
        )  # fmt: skip


def test_a_time_that_clocks_skip_is_the_next_and_one_shown_twice_the_first() -> None:
    for starts_on, expected in (
        (date(2027, 3, 28), utc(2027, 3, 28, 1)),
        (date(2026, 10, 25), utc(2026, 10, 25, 0, 30)),
    ):
        found = next_occurrence(
            parse_rule("FREQ=DAILY"), starts_on=starts_on, at_minute=150, zone="Europe/Berlin", after=utc(2026, 1, 1)
        )
        assert found == expected


def test_a_day_that_a_zone_left_out_has_no_turn_of_its_own_at_midnight() -> None:
    found = occurrences(
        parse_rule("FREQ=DAILY"), starts_on=date(2011, 12, 29), at_minute=0, zone="Pacific/Apia",
        after=utc(2011, 12, 1), until=utc(2012, 1, 1), limit=9,
    )  # fmt: skip
    assert [at.astimezone(ZoneInfo("Pacific/Apia")).day for at in found] == [29, 31, 1]


def test_occurrences_have_bounds() -> None:
    daily = parse_rule("FREQ=DAILY")
    first = utc(2026, 1, 1, 12)
    ask = {"starts_on": date(2026, 1, 1), "at_minute": 720, "zone": "UTC"}
    assert occurrences(daily, **ask, after=first, until=first + ONE_DAY, limit=9) == [first + ONE_DAY]  # type: ignore[arg-type]
    assert len(occurrences(daily, **ask, after=first, until=first + 99 * ONE_DAY, limit=9)) == 9  # type: ignore[arg-type]
    assert occurrences(daily, **ask, after=first, until=first, limit=9) == []  # type: ignore[arg-type]
    with pytest.raises(ScheduleError):
        next_occurrence(daily, starts_on=date(2026, 1, 1), at_minute=0, zone="Nowhere", after=first)


# --- one turn per contact and period ---


periods = st.integers(1, 30) | st.sampled_from([91, 182, 365, 1830])
offsets = st.integers(-200_000, 200_000)


@given(st.integers(0, BUCKETS - 1), st.integers(-3, 1000), periods, offsets)
def test_a_contact_is_due_at_its_place_in_the_period(bucket: int, occurrence: int, period: int, offset: int) -> None:
    due = due_at(bucket, occurrence, period, offset)
    begin = EPOCH + occurrence * period * ONE_DAY
    assert begin <= due < begin + period * ONE_DAY
    exact = (due - begin) // timedelta(microseconds=1) * BUCKETS / (period * 86_400_000_000)
    assert exact == pytest.approx((bucket + offset) % BUCKETS, abs=1e-4)
    just_before = due - timedelta(microseconds=1)
    assert slices(period_days=period, offset=offset, after=just_before, until=due) == [
        Slice(occurrence, bucket, bucket + 1)
    ]


@st.composite
def borders(draw: st.DrawFn) -> tuple[int, int, list[datetime]]:
    """A period, an offset and moments in order, some of them the very moments at which somebody is due."""
    period, offset = draw(periods), draw(offsets)
    start = EPOCH + timedelta(microseconds=draw(st.integers(-(10**12), 10**15)))
    length = 3 * period * 86_400_000_000
    moments = [start + timedelta(microseconds=draw(st.integers(0, length))) for _ in range(draw(st.integers(1, 5)))]
    occurrence = (start - EPOCH) // (period * ONE_DAY) + 1
    dues = [due_at(draw(st.integers(0, BUCKETS - 1)), occurrence, period, offset) for _ in range(2)]
    return period, offset, sorted([start, *moments, *dues])


@settings(max_examples=200, deadline=None)
@given(borders())
def test_adjoining_intervals_have_everybody_once(case: tuple[int, int, list[datetime]]) -> None:
    period, offset, at = case
    found = [
        part
        for after, until in pairwise(at)
        for part in slices(period_days=period, offset=offset, after=after, until=until)
    ]
    whole = slices(period_days=period, offset=offset, after=at[0], until=at[-1])
    assert all(0 <= part.low < part.high <= BUCKETS for part in found)
    # By period: the ranges of the parts follow each other without a gap and without an overlap, as those of the whole.
    assert joined(found) == joined(whole)
    assert sum(part.high - part.low for part in found) == sum(part.high - part.low for part in whole)
    for part in found:
        for bucket in (part.low, part.high - 1):
            assert at[0] < due_at(bucket, part.occurrence, period, offset) <= at[-1]


def joined(parts: list[Slice]) -> list[Slice]:
    """The same buckets in as few ranges as can be; fails if one is there twice."""
    found: list[Slice] = []
    for part in sorted(parts):
        if found and found[-1].occurrence == part.occurrence and found[-1].high >= part.low:
            assert found[-1].high == part.low
            found[-1] = found[-1]._replace(high=part.high)
        else:
            found.append(part)
    return found


def test_a_period_has_everybody_once_and_evenly() -> None:
    period = 91 * ONE_DAY
    after = due_at(12_345, 27, 91, 777) - timedelta(microseconds=1)
    found = slices(period_days=91, offset=777, after=after, until=after + period)
    assert sum(part.high - part.low for part in found) == BUCKETS
    for day in range(91):
        begin = after + day * ONE_DAY
        count = sum(
            part.high - part.low
            for part in slices(period_days=91, offset=777, after=begin, until=begin + ONE_DAY)
        )  # fmt: skip
        assert abs(count - BUCKETS / 91) < 1


def test_several_periods_are_several_turns() -> None:
    assert slices(period_days=1, offset=0, after=EPOCH - timedelta(microseconds=1), until=EPOCH + 2 * ONE_DAY) == [
        Slice(0, 0, BUCKETS),
        Slice(1, 0, BUCKETS),
        Slice(2, 0, 1),
    ]
    assert slices(period_days=1, offset=10, after=EPOCH + ONE_DAY / 2, until=EPOCH + ONE_DAY) == [
        Slice(0, 32_759, BUCKETS - 10),
        Slice(1, BUCKETS - 10, BUCKETS - 9),
    ]
    assert slices(period_days=7, offset=0, after=EPOCH, until=EPOCH) == []
    assert slices(period_days=7, offset=0, after=EPOCH + ONE_DAY, until=EPOCH) == []


def test_a_period_has_a_day() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        slices(period_days=0, offset=0, after=EPOCH, until=EPOCH)
