"""What was behind cases and how they ended, month by month."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from apps.common.bulk import fetch_rows
from apps.common.shares import Part
from apps.insights.case_slices import THESE, Slice
from apps.insights.selectors import MONTHS, last_months

_CAUSES = f"""
    SELECT c.root_cause_id, date_trunc('month', c.opened_at AT TIME ZONE 'UTC')::date AS month,
           count(*), count(*) FILTER (WHERE c.opened_at >= %(since)s)
    {THESE} AND c.opened_at >= %(back)s AND c.opened_at < %(until)s GROUP BY 1, 2
"""
_IN_TIME = f"""
    SELECT date_trunc('month', c.due_at AT TIME ZONE 'UTC')::date AS month,
           count(*), count(*) FILTER (WHERE c.closed_at <= c.due_at)
    {THESE} AND c.due_at >= %(back)s AND c.due_at < %(over)s GROUP BY 1
"""
_ENDS = f"""
    SELECT c.result_id, c.status, count(*)
    {THESE} AND c.closed_at >= %(since)s AND c.closed_at < %(until)s GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Cause:
    """A root cause (None: not noted): of how many of the span's cases, and by month."""

    root_cause_id: int | None
    part: Part
    """Of the cases with a root cause, so many have this one; None's: of all cases, so many have none."""
    months: list[int]


@dataclass(frozen=True, slots=True)
class Causes:
    """Root causes of the cases opened in the span, the most frequent first, with the last twelve months."""

    months: list[date]
    rows: list[Cause]
    missing: Cause


@dataclass(frozen=True, slots=True)
class End:
    """How closed cases ended: an outcome of the list (None: only a sentence), solved or lost."""

    result_id: int | None
    solved: int
    lost: int

    @property
    def number(self) -> int:
        """All that ended so."""
        return self.solved + self.lost


def causes(*, wanted: Slice, now: datetime) -> Causes:
    """What was behind the cases opened in the span. One query. Months are UTC's, like all months of figures."""
    months = months_until(wanted, now)
    by_month: dict[int | None, Counter[date]] = defaultdict(Counter)
    totals: Counter[int | None] = Counter()
    for cause_id, month, number, in_span in fetch_rows(_CAUSES, _params(wanted, months, now)):
        by_month[cause_id][month] = number
        totals[cause_id] += in_span
    everything, noted = totals.total(), totals.total() - totals[None]
    rows = [_cause(key, Part(noted, totals[key]), by_month, months) for key in by_month if key is not None]
    rows.sort(key=lambda row: (-row.part.hits, -sum(row.months), row.root_cause_id or 0))
    return Causes(months, rows, _cause(None, Part(everything, totals[None]), by_month, months))


def _cause(key: int | None, part: Part, by_month: dict[int | None, Counter[date]], months: Sequence[date]) -> Cause:
    return Cause(key, part, [by_month[key][month] for month in months])


def in_time_by_month(*, wanted: Slice, now: datetime) -> list[tuple[date, Part]]:
    """Of what was due in each of the last twelve months: how much was closed by then. One query."""
    months = months_until(wanted, now)
    found = {month: Part(total, hits) for month, total, hits in fetch_rows(_IN_TIME, _params(wanted, months, now))}
    return [(month, found.get(month, Part())) for month in months]


def ends(*, wanted: Slice, now: datetime) -> list[End]:
    """How the cases closed in the span ended, the most frequent first. One query."""
    found: dict[int | None, Counter[str]] = defaultdict(Counter)
    for result_id, status, number in fetch_rows(_ENDS, wanted.params(now)):
        found[result_id][status] += number
    rows = [End(key, counts["solved"], counts["lost"]) for key, counts in found.items()]
    return sorted(rows, key=lambda row: (-row.number, row.result_id or 0))


def months_until(wanted: Slice, now: datetime) -> list[date]:
    """First days of the twelve months that end with the span's."""
    return last_months(today=min(wanted.until, now).date(), number=MONTHS)


def _params(wanted: Slice, months: Sequence[date], now: datetime) -> dict[str, object]:
    first = datetime(months[0].year, months[0].month, 1, tzinfo=UTC)
    return {**wanted.params(now), "back": min(first, wanted.since)}
