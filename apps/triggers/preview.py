"""What a cadence will ask in the next days, before anything else is looked at. No query per day."""

from datetime import date, datetime, timedelta
from itertools import accumulate

from apps.common.recurrence import BUCKETS, occurrences, parse_rule, slices
from apps.common.schedule import Calendar, local_day, start_of_day
from apps.contacts import ledger
from apps.triggers import segments
from apps.triggers.cadences import offset_of
from apps.triggers.models import Cadence

_ONE_DAY = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)


def preview(cadence: Cadence, now: datetime, days: int = 90) -> list[tuple[date, int]]:
    """How many contacts have their turn on each of the next local days, today from now on. Raises ConditionError.

    It counts turns: share, limits, windows and the contact budget are not looked at.
    """
    home = ledger.home_calendar()
    today = local_day(now, home)
    wanted = [today + n * _ONE_DAY for n in range(days)]
    condition = cadence.segment.condition if cadence.segment else {}
    if cadence.kind == Cadence.Kind.CALENDAR:
        found = _on_days(cadence, condition, home, now, wanted)
    else:
        found = _by_contact(cadence, condition, home, now, wanted)
    return [(day, found.get(day, 0)) for day in wanted]


def _on_days(cadence: Cadence, condition: object, home: Calendar, now: datetime, days: list[date]) -> dict[date, int]:
    end = start_of_day(days[-1] + _ONE_DAY, home) - _MOMENT
    found = occurrences(
        parse_rule(cadence.recurrence), starts_on=cadence.starts_on, at_minute=cadence.at.hour * 60 + cadence.at.minute,
        zone=home.zone, after=now, until=end, limit=len(days) + 1,
    )  # fmt: skip
    size = segments.size(condition=condition, now=now, members_of=cadence.members_of) if found else 0
    return {local_day(at, home): size for at in found}


def _by_contact(
    cadence: Cadence, condition: object, home: Calendar, now: datetime, days: list[date]
) -> dict[date, int]:
    """Each day's turns are slices of the buckets; what lies in them is read off running totals."""
    counts = segments.bucket_counts(condition=condition, now=now, members_of=cadence.members_of)
    totals = [0, *accumulate(counts.get(bucket, 0) for bucket in range(BUCKETS))]
    begins = max(now, start_of_day(cadence.starts_on, home))
    found: dict[date, int] = {}
    for day in days:
        after = max(begins, start_of_day(day, home) - _MOMENT)
        until = start_of_day(day + _ONE_DAY, home) - _MOMENT
        if after < until:
            turns = slices(period_days=cadence.period_days, offset=offset_of(cadence.pk), after=after, until=until)
            found[day] = sum(totals[turn.high] - totals[turn.low] for turn in turns)
    return found
