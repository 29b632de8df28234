"""One turn per contact and period, spread evenly: a contact has a bucket, a bucket its place in the period."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

BUCKETS = 65_536
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)

_MICROSECOND = timedelta(microseconds=1)
_DAY_MICROSECONDS = 86_400_000_000


class Slice(NamedTuple):
    """The contacts with a bucket from ``low`` (inclusive) to ``high`` (exclusive) are due in one period."""

    occurrence: int
    """Number of the period; 0 begins at ``EPOCH``."""
    low: int
    high: int


def slices(*, period_days: int, offset: int, after: datetime, until: datetime) -> list[Slice]:
    """Who is due after ``after`` and not after ``until``, in the order in which they are (see ``due_at``).

    Adjoining intervals miss nobody and have nobody twice. Raises ValueError for a period of less than a day.
    """
    low, high = (_turns_by(at, period_days) for at in (after, until))
    found: list[Slice] = []
    while low < high:
        occurrence, position = divmod(low, BUCKETS)
        bucket = (position - offset) % BUCKETS
        # A slice ends with the interval, with the period or with the last bucket.
        count = min(high - low, BUCKETS - position, BUCKETS - bucket)
        found.append(Slice(occurrence, bucket, bucket + count))
        low += count
    return found


def _turns_by(at: datetime, period_days: int) -> int:
    """How many turns there are from EPOCH to ``at`` inclusive.

    Turn n is at the microsecond floor(n × period / BUCKETS), so these are the n below (microseconds + 1) × BUCKETS /
    period, rounded up.
    """
    if period_days < 1:
        raise ValueError("a period has at least one day")
    after = (at - EPOCH) // _MICROSECOND + 1
    return -(-after * BUCKETS // (period_days * _DAY_MICROSECONDS))


def due_at(bucket: int, occurrence: int, period_days: int, offset: int) -> datetime:
    """When a contact is due in a period: ``EPOCH`` + (occurrence + place) × period, in whole microseconds.

    The place is the bucket's, shifted by ``offset``, as a fraction of ``BUCKETS``.
    """
    turn = occurrence * BUCKETS + (bucket + offset) % BUCKETS
    return EPOCH + turn * period_days * _DAY_MICROSECONDS // BUCKETS * _MICROSECOND
