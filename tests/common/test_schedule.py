from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.common.schedule import (
    Calendar,
    Problem,
    ScheduleError,
    Window,
    add_working_days,
    at_wall_time,
    closes_at,
    dump_windows,
    is_open,
    local_day,
    next_morning,
    next_open,
    parse_windows,
    start_of_day,
    valid_region,
    valid_zone,
)
from apps.common.schedule.calendars import is_holiday, spans

ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo"]
BERLIN = Calendar("Europe/Berlin")
BAVARIA = Calendar("Europe/Berlin", "DE", "BY")
CITY_OF_BERLIN = Calendar("Europe/Berlin", "DE", "BE")
OFFICE = (Window(frozenset(range(5)), 9 * 60, 18 * 60),)
EVERY_DAY = frozenset(range(7))
# Pacific/Apia had no 30 December 2011: the years begin before that.
moments = st.datetimes(datetime(2011, 1, 1), datetime(2040, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
# Half of them near a change of Berlin's clocks.
changes = [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)]
near_changes = st.builds(
    lambda at, seconds: at + timedelta(seconds=seconds), st.sampled_from(changes), st.integers(-90_000, 90_000)
)
some_moments = moments | near_changes
window = st.builds(
    lambda days, ends: Window(days, min(ends), max(ends)),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.lists(st.integers(0, 1440), min_size=2, max_size=2, unique=True),
)
calendars = st.sampled_from([*map(Calendar, ZONES), BAVARIA, Calendar("America/New_York", "US", "NY")])


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def wall(at: datetime, calendar: Calendar = BERLIN) -> datetime:
    return at.astimezone(ZoneInfo(calendar.zone)).replace(tzinfo=None)


def open_by_the_clock(at: datetime, windows: list[Window], calendar: Calendar, skip_holidays: bool) -> bool:
    """Read off a clock, without any arithmetic of zones."""
    local = wall(at, calendar)
    if skip_holidays and is_holiday(calendar, local.toordinal()):
        return False
    minute = local.hour * 60 + local.minute
    return not windows or any(
        local.weekday() in window.days and window.opens_min <= minute < window.closes_min for window in windows
    )


@settings(max_examples=400, deadline=None)
@given(some_moments, st.lists(window, max_size=4), calendars, st.booleans(), st.lists(st.floats(0, 1), max_size=20))
def test_what_is_sent_is_sent_in_a_window_and_no_later_than_needed(
    at: datetime, windows: list[Window], calendar: Calendar, skip: bool, places: list[float]
) -> None:
    found = next_open(at, windows, calendar, skip_holidays=skip)
    assert found is not None
    assert found.tzinfo is UTC
    assert found >= at
    assert open_by_the_clock(found, windows, calendar, skip)
    assert next_open(found, windows, calendar, skip_holidays=skip) == found
    assert is_open(at, windows, calendar, skip_holidays=skip) == (found == at)
    if found > at:
        before = [found - timedelta(microseconds=1), *(at + (found - at) * place * 0.9999 for place in places)]
        assert not any(open_by_the_clock(earlier, windows, calendar, skip) for earlier in before)


@settings(max_examples=300, deadline=None)
@given(some_moments, st.lists(window, max_size=4), calendars, st.lists(st.floats(0, 1), max_size=20))
def test_a_stretch_is_open_until_it_closes_and_ends_with_the_day(
    at: datetime, windows: list[Window], calendar: Calendar, places: list[float]
) -> None:
    end = closes_at(at, windows, calendar)
    if not open_by_the_clock(at, windows, calendar, skip_holidays=False):
        assert end == at
        return
    assert end > at
    assert all(open_by_the_clock(at + (end - at) * place * 0.9999, windows, calendar, False) for place in places)
    last = end - timedelta(microseconds=1)
    assert local_day(last, calendar) == local_day(at, calendar)
    assert local_day(end, calendar) > local_day(at, calendar) or not is_open(end, windows, calendar)


def test_office_hours() -> None:
    friday_evening, saturday, monday = utc(2026, 11, 27, 18), utc(2026, 11, 28, 10), utc(2026, 11, 30, 8)
    assert next_open(friday_evening, OFFICE, BERLIN) == monday
    assert next_open(saturday, OFFICE, BERLIN) == monday
    assert next_open(monday, OFFICE, BERLIN) == monday
    assert next_open(utc(2026, 11, 30, 16, 59, 59), OFFICE, BERLIN) == utc(2026, 11, 30, 16, 59, 59)
    assert next_open(utc(2026, 11, 30, 17), OFFICE, BERLIN) == utc(2026, 12, 1, 8)
    assert closes_at(utc(2026, 11, 30, 12), OFFICE, BERLIN) == utc(2026, 11, 30, 17)
    assert closes_at(utc(2026, 11, 30, 12), (), BERLIN) == utc(2026, 11, 30, 23)


def test_windows_that_touch_or_overlap_are_one() -> None:
    windows = [Window(EVERY_DAY, 600, 720), Window(EVERY_DAY, 540, 660), Window(EVERY_DAY, 720, 780)]
    assert closes_at(utc(2026, 11, 30, 8), windows, BERLIN) == utc(2026, 11, 30, 12)


def test_without_windows_and_holidays_a_moment_is_its_own() -> None:
    at = utc(2026, 12, 25, 3)
    assert next_open(at, (), BAVARIA) is at
    assert next_open(at, (), BERLIN, skip_holidays=True) is at
    elsewhere = at.astimezone(timezone(timedelta(hours=9)))
    found = next_open(elsewhere, (), BAVARIA)
    assert found == at
    assert found is not None
    assert found.tzinfo is UTC


def test_an_hour_that_clocks_skip_opens_nothing() -> None:
    # 29 March 2026 is a Sunday.
    sundays_at_two = (Window(frozenset({6}), 120, 180),)
    assert next_open(utc(2026, 3, 29, 0), sundays_at_two, BERLIN) == utc(2026, 4, 5, 0)
    across = (Window(frozenset({6}), 60, 240),)
    assert next_open(utc(2026, 3, 28, 20), across, BERLIN) == utc(2026, 3, 29, 0)
    assert closes_at(utc(2026, 3, 29, 0), across, BERLIN) == utc(2026, 3, 29, 2)


def test_an_hour_that_clocks_show_twice_is_open_twice() -> None:
    sundays_at_two = (Window(frozenset({6}), 120, 150),)
    first, second = utc(2026, 10, 25, 0), utc(2026, 10, 25, 1)
    assert next_open(utc(2026, 10, 24, 20), sundays_at_two, BERLIN) == first
    assert closes_at(first, sundays_at_two, BERLIN) == first + timedelta(minutes=30)
    assert next_open(first + timedelta(minutes=30), sundays_at_two, BERLIN) == second
    assert next_open(second + timedelta(minutes=30), sundays_at_two, BERLIN) == utc(2026, 11, 1, 1)


def test_a_day_that_a_zone_left_out_opens_nothing() -> None:
    apia = Calendar("Pacific/Apia")
    fridays = (Window(frozenset({4}), 0, 1440),)  # 30 December 2011 would have been one.
    assert wall(next_open(utc(2011, 12, 30, 1), fridays, apia) or utc(1), apia) == datetime(2012, 1, 6)  # noqa: DTZ001
    assert start_of_day(date(2011, 12, 30), apia) == start_of_day(date(2011, 12, 31), apia)


def test_a_window_that_never_opens_is_given_up() -> None:
    assert next_open(utc(2026, 1, 1), (Window(frozenset(), 0, 60),), BERLIN) is None


@pytest.mark.parametrize(
    ("day", "bavaria", "city_of_berlin"),
    [
        (date(2026, 1, 6), True, False),  # Epiphany
        (date(2026, 3, 8), False, True),  # Women's Day
        (date(2026, 8, 15), True, False),  # Assumption Day, where most are Catholic
        (date(2026, 10, 3), True, True),
        (date(2026, 11, 2), False, False),
    ],
)
def test_holidays_are_those_of_the_region(day: date, bavaria: bool, city_of_berlin: bool) -> None:
    for calendar, is_free in ((BAVARIA, bavaria), (CITY_OF_BERLIN, city_of_berlin)):
        noon = at_wall_time(day, 720, calendar)
        found = next_open(noon, (), calendar, skip_holidays=True)
        assert found == (start_of_day(day + timedelta(days=1), calendar) if is_free else noon)
        assert next_open(noon, (), calendar) == noon


def test_a_holiday_moved_into_the_year_before_is_kept() -> None:
    # New Year's Day 2028 is a Saturday: off is the Friday before, the last day of 2027.
    new_york = Calendar("America/New_York", "US")
    assert local_day(next_open(utc(2027, 12, 31, 15), (), new_york, skip_holidays=True) or utc(1), new_york) == date(
        2028, 1, 2
    )


def test_an_unknown_country_or_region_has_no_holidays_of_its_own() -> None:
    christmas, epiphany = utc(2026, 12, 25, 12), utc(2026, 1, 6, 12)
    assert is_open(christmas, (), Calendar("Europe/Berlin", "ZZ", "BY"), skip_holidays=True)
    gone = Calendar("Europe/Berlin", "DE", "gone")
    assert not is_open(christmas, (), gone, skip_holidays=True)
    assert is_open(epiphany, (), gone, skip_holidays=True)
    assert not is_open(epiphany, (), Calendar("Europe/Berlin", "de", "by"), skip_holidays=True)


@pytest.mark.parametrize(
    "name", ["", "Berlin", "Europe", "europe/berlin", "../etc/passwd", "a\0b", "localtime", "x" * 5000]
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    assert not valid_zone(name)
    with pytest.raises(ScheduleError) as caught:
        Calendar(name)
    assert caught.value.errors == [Problem("zone", "unknown_zone", {"zone": name})]


def test_zones_and_regions_are_known() -> None:
    assert all(map(valid_zone, [*ZONES, "UTC"]))
    assert valid_region("", "")
    assert valid_region("DE", "")
    assert valid_region("DE", "BY")
    assert valid_region("de", "by")
    assert valid_region("DE", "AUGSBURG")
    assert not valid_region("DE", "ZZ")
    assert not valid_region("", "BY")
    assert not valid_region("DEU", "")


def test_working_days_leave_out_weekends_and_holidays() -> None:
    wednesday = utc(2026, 12, 23, 9, 30, 15)
    days = [wall(add_working_days(wednesday, count, BAVARIA)).date().day for count in range(9)]
    assert days == [23, 24, 28, 29, 30, 31, 4, 5, 7]  # 1 and 6 January are holidays.
    assert wall(add_working_days(wednesday, 8, CITY_OF_BERLIN)) == datetime(2027, 1, 6, 10, 30, 15)  # noqa: DTZ001
    assert wall(add_working_days(wednesday, 2, BERLIN)).date() == date(2026, 12, 25)
    saturdays = add_working_days(wednesday, 1, BAVARIA, weekdays=frozenset({5}))
    assert wall(saturdays).date() == date(2027, 1, 2)  # The 26th is a holiday.


@settings(deadline=None)
@given(some_moments, st.integers(0, 250), calendars, st.frozensets(st.integers(0, 6), min_size=1))
def test_working_days_are_as_many_as_asked(
    at: datetime, days: int, calendar: Calendar, weekdays: frozenset[int]
) -> None:
    found = add_working_days(at, days, calendar, weekdays=weekdays)
    first, last = local_day(at, calendar), local_day(found, calendar)
    between = [date.fromordinal(day) for day in range(first.toordinal() + 1, last.toordinal() + 1)]
    worked = [d for d in between if d.weekday() in weekdays and not is_holiday(calendar, d.toordinal())]
    skipped_a_day = calendar.zone == "Pacific/Apia" and first < date(2011, 12, 31) <= last
    assert len(worked) == days or skipped_a_day
    if wall(found, calendar).time() != wall(at, calendar).time():
        before = found - timedelta(microseconds=1)
        assert wall(found, calendar) - wall(before, calendar) > timedelta(minutes=1)  # Right after a gap.


@pytest.mark.parametrize("days", [-1, 251])
def test_working_days_have_bounds(days: int) -> None:
    with pytest.raises(ValueError, match="250"):
        add_working_days(utc(2026, 1, 1), days, BERLIN)


@pytest.mark.parametrize("weekdays", [frozenset(), frozenset({7})])
def test_working_days_need_a_weekday(weekdays: frozenset[int]) -> None:
    with pytest.raises(ValueError, match="weekdays"):
        add_working_days(utc(2026, 1, 1), 1, BERLIN, weekdays=weekdays)


def test_a_wall_time_that_clocks_skip_is_the_next_and_one_shown_twice_the_first() -> None:
    assert next_morning(utc(2026, 3, 28, 12), 150, BERLIN) == utc(2026, 3, 29, 1)  # 3:00 summer time
    assert next_morning(utc(2026, 10, 24, 12), 150, BERLIN) == utc(2026, 10, 25, 0, 30)  # 2:30 summer time
    assert add_working_days(utc(2026, 3, 27, 1, 30), 2, BERLIN, weekdays=EVERY_DAY) == utc(2026, 3, 29, 1)
    assert start_of_day(date(2026, 4, 24), Calendar("Africa/Cairo")) == utc(2026, 4, 23, 22)  # 1:00: no midnight


@settings(max_examples=300, deadline=None)
@given(some_moments, st.integers(0, 1439), st.sampled_from(ZONES))
def test_the_next_morning_is_on_the_next_day_at_that_time(at: datetime, minute: int, zone: str) -> None:
    calendar = Calendar(zone)
    found = next_morning(at, minute, calendar)
    wanted = datetime.combine(wall(at, calendar), datetime.min.time()) + timedelta(days=1, minutes=minute)
    local, before = wall(found, calendar), wall(found - timedelta(microseconds=1), calendar)
    assert found > at
    assert local == wanted or before < wanted < local
    # Nor did the clock show it in the hours before.
    assert all(wall(found - timedelta(minutes=back), calendar) != wanted for back in range(10, 130, 10))


def test_a_moment_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    for ask in (
        lambda: next_open(naive, (), BERLIN),
        lambda: is_open(naive, (), BERLIN),
        lambda: closes_at(naive, (), BERLIN),
        lambda: local_day(naive, BERLIN),
        lambda: next_morning(naive, 0, BERLIN),
        lambda: add_working_days(naive, 1, BERLIN),
    ):
        with pytest.raises(ValueError, match="time zone"):
            ask()
    with pytest.raises(ValueError, match="1439"):
        next_morning(utc(2026, 1, 1), 1440, BERLIN)


@pytest.mark.parametrize("zone", ZONES)
def test_spans_follow_each_other(zone: str) -> None:
    """Through all days of some years: the clock's offset is the span's at both its ends."""
    clock = ZoneInfo(zone)
    for day in range(date(2011, 1, 1).toordinal(), date(2013, 1, 1).toordinal()):
        found = spans(zone, day)
        for span, later in pairwise(found):
            assert span.end == later.start
        for span in found:
            for at in (span.start, span.end - timedelta(microseconds=1)):
                assert at.astimezone(clock).utcoffset() == span.offset


def test_windows_are_read_and_written() -> None:
    raw = [{"days": [4, 0], "from": "09:00", "to": "18:30"}, {"days": [6], "from": "00:00", "to": "24:00"}]
    windows = parse_windows(raw)
    assert windows == (Window(frozenset({0, 4}), 540, 1110), Window(frozenset({6}), 0, 1440))
    assert dump_windows(windows) == [{**raw[0], "days": [0, 4]}, raw[1]]
    assert parse_windows([]) == ()


def test_all_that_is_wrong_with_windows_is_named() -> None:
    raw = [
        7,
        {"days": [], "from": "9:00", "to": "24:01", "until": 1},
        {"from": "24:00"},
        {"days": [True], "from": "10:00", "to": "10:00"},
        {"days": [0, 7], "from": "09:00\n", "to": None},
        {"days": [1.0], "from": "٠٩:00", "to": "24:00"},
    ]
    with pytest.raises(ScheduleError) as caught:
        parse_windows(raw)
    assert caught.value.errors == [
        Problem("0", "object", {}),
        Problem("1", "unknown_key", {"key": "until"}),
        Problem("1.days", "days", {}),
        Problem("1.from", "time", {}),
        Problem("1.to", "time", {}),
        Problem("2.days", "missing", {}),
        Problem("2.to", "missing", {}),
        Problem("2.from", "time", {}),
        Problem("3.days", "days", {}),
        Problem("3.to", "order", {}),
        Problem("4.days", "days", {}),
        Problem("4.from", "time", {}),
        Problem("4.to", "time", {}),
        Problem("5.days", "days", {}),
        Problem("5.from", "time", {}),
    ]


@pytest.mark.parametrize(("raw", "code"), [({}, "list"), (None, "list"), ("[]", "list"), ([{}] * 15, "too_many")])
def test_what_is_no_list_of_windows_is_refused(raw: object, code: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        parse_windows(raw)
    assert [problem.code for problem in caught.value.errors] == [code]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["09:00", "24:00"]),
    lambda children: (
        st.lists(children)
        | st.dictionaries(st.text() | st.sampled_from(["days", "from", "to"]), children)
        | st.fixed_dictionaries({"days": children, "from": children, "to": children})
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(json_values | st.lists(json_values))
def test_any_json_is_windows_or_names_its_problems(raw: object) -> None:
    problems: list[Problem] = []
    windows: tuple[Window, ...] = ()
    try:
        windows = parse_windows(raw)
    except ScheduleError as error:
        problems = error.errors
    assert bool(problems) != (parse_windows(dump_windows(windows)) == windows and windows == _read(raw))


def _read(raw: object) -> tuple[Window, ...] | None:
    """The windows of JSON that has their form, by other means; None for any other."""
    if not isinstance(raw, list) or len(raw) > 14:
        return None
    try:
        return tuple(
            Window(
                frozenset(entry["days"]), *(int(entry[key][:2]) * 60 + int(entry[key][3:]) for key in ("from", "to"))
            )
            for entry in raw
        )
    except (TypeError, KeyError, ValueError, IndexError, AttributeError):
        return None


@given(st.lists(window, max_size=14))
def test_windows_survive_being_saved(windows: list[Window]) -> None:
    assert parse_windows(dump_windows(windows)) == tuple(windows)
