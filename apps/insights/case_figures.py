"""How fast cases are taken care of, and whether in time: of all together, per owner and per touchpoint.

Each figure has its own cases, so that what is still open distorts none of them: how long it took is told of contacts
and closings of the span; whether it was in time, of what was due in it. What is open now is told as of now.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from django.db.models import F, Max, Min

from apps.cases.policy import Terms
from apps.common.bulk import fetch_rows
from apps.common.shares import Part
from apps.insights.case_slices import THESE, Slice
from apps.insights.working_clock import WorkingClock

QUANTILES = (0.5, 0.9)
CHUNK = 2000
ALL, OWNER, TOUCHPOINT = 3, 1, 2
"""What GROUPING says of the parts."""
_FIGURES = f"""
    WITH these AS (
        SELECT c.owner_id, r.touchpoint_id, c.opened_at, c.first_contact_at, c.contact_due_at, c.due_at, c.closed_at,
               c.first_contact_at >= %(since)s AND c.first_contact_at < %(until)s AS is_contacted,
               c.closed_at >= %(since)s AND c.closed_at < %(until)s AS is_closed
        {THESE}
    )
    SELECT GROUPING(owner_id, touchpoint_id), owner_id, touchpoint_id,
           count(*) FILTER (WHERE opened_at >= %(since)s AND opened_at < %(until)s),
           count(*) FILTER (WHERE is_closed),
           count(*) FILTER (WHERE closed_at IS NULL),
           count(*) FILTER (WHERE closed_at IS NULL
                            AND (due_at < %(now)s OR first_contact_at IS NULL AND contact_due_at < %(now)s)),
           count(*) FILTER (WHERE contact_due_at >= %(since)s AND contact_due_at < %(over)s),
           count(*) FILTER (WHERE contact_due_at >= %(since)s AND contact_due_at < %(over)s
                            AND first_contact_at <= contact_due_at),
           count(*) FILTER (WHERE due_at >= %(since)s AND due_at < %(over)s),
           count(*) FILTER (WHERE due_at >= %(since)s AND due_at < %(over)s AND closed_at <= due_at),
           count(*) FILTER (WHERE is_contacted),
           percentile_cont(%(quantiles)s) WITHIN GROUP (
               ORDER BY EXTRACT(EPOCH FROM GREATEST(first_contact_at, opened_at) - opened_at)::float8
           ) FILTER (WHERE is_contacted),
           percentile_cont(%(quantiles)s) WITHIN GROUP (
               ORDER BY EXTRACT(EPOCH FROM GREATEST(closed_at, opened_at) - opened_at)::float8
           ) FILTER (WHERE is_closed)
    FROM these GROUP BY GROUPING SETS ((), (owner_id), (touchpoint_id))
"""  # noqa: S608
Key: TypeAlias = tuple[int, int | None]
"""Which part (ALL, OWNER, TOUCHPOINT), and whose."""


@dataclass(slots=True)
class Times:
    """How long something took: the median, and what nine of ten stay below. Seconds; None without any."""

    n: int = 0
    median: float | None = None
    most: float | None = None
    working_median: float | None = None
    """By the hours of work that hold today."""
    working_most: float | None = None


@dataclass(slots=True)
class Figures:
    """What there is to say of some cases."""

    opened: int = 0
    closed: int = 0
    open: int = 0
    overdue: int = 0
    contacted_in_time: Part = field(default_factory=Part)
    closed_in_time: Part = field(default_factory=Part)
    to_contact: Times = field(default_factory=Times)
    to_close: Times = field(default_factory=Times)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say."""
        known = (self.opened, self.closed, self.open, self.to_contact.n)
        return not (any(known) or self.contacted_in_time.total or self.closed_in_time.total)


@dataclass(frozen=True, slots=True)
class CaseFigures:
    """The figures of all, of each owner's cases (None: nobody's) and of each touchpoint's, most cases first."""

    total: Figures
    owners: dict[int | None, Figures]
    touchpoints: dict[int | None, Figures]


def case_figures(*, wanted: Slice, terms: Terms, now: datetime) -> CaseFigures:
    """The figures of these cases. Three queries; working time is read in batches."""
    rows = fetch_rows(_FIGURES, {**wanted.params(now), "quantiles": list(QUANTILES)})
    found: dict[Key, Figures] = {}
    for part, owner_id, touchpoint_id, opened, closed, still, late, *shares, contacts, to_contact, to_close in rows:
        due, met, close_due, close_met = shares
        found[part, _whose(part, owner_id, touchpoint_id)] = Figures(
            opened=opened,
            closed=closed,
            open=still,
            overdue=late,
            contacted_in_time=Part(due, met),
            closed_in_time=Part(close_due, close_met),
            to_contact=Times(contacts, *(to_contact or ())),
            to_close=Times(closed, *(to_close or ())),
        )
    _add_working_times(found, wanted, terms)
    return CaseFigures(found.get((ALL, None), Figures()), _parts(found, OWNER), _parts(found, TOUCHPOINT))


def _whose(part: int, owner_id: int | None, touchpoint_id: int | None) -> int | None:
    return owner_id if part == OWNER else touchpoint_id if part == TOUCHPOINT else None


def _parts(found: dict[Key, Figures], part: int) -> dict[int | None, Figures]:
    rows = [(key, row) for (which, key), row in found.items() if which == part and not row.is_empty]
    return dict(sorted(rows, key=lambda row: (-row[1].opened - row[1].closed - row[1].open, row[0] or 0)))


def _add_working_times(found: dict[Key, Figures], wanted: Slice, terms: Terms) -> None:
    """Where the clock runs only at work no database can count."""
    contacts: dict[Key, list[float]] = defaultdict(list)
    closes: dict[Key, list[float]] = defaultdict(list)
    for owner_id, touchpoint_id, to_contact, to_close in _worked(wanted, terms):
        for part in (ALL, OWNER, TOUCHPOINT):
            key = (part, _whose(part, owner_id, touchpoint_id))
            if to_contact is not None:
                contacts[key].append(to_contact)
            if to_close is not None:
                closes[key].append(to_close)
    for key, row in found.items():
        row.to_contact.working_median, row.to_contact.working_most = quantiles(contacts[key])
        row.to_close.working_median, row.to_close.working_most = quantiles(closes[key])


def _worked(wanted: Slice, terms: Terms) -> Iterator[tuple[int | None, int | None, float | None, float | None]]:
    """Of each case that was contacted or closed in the span: owner, touchpoint, seconds until either."""
    is_contacted, is_closed = wanted.within("first_contact_at"), wanted.within("closed_at")
    cases = wanted.cases().filter(is_contacted | is_closed).order_by()
    edges = cases.aggregate(first=Min("opened_at"), contact=Max("first_contact_at"), close=Max("closed_at"))
    if edges["first"] is None:
        return
    last = max(at for at in (edges["contact"], edges["close"]) if at is not None)
    clock = WorkingClock(
        edges["first"],
        max(last, edges["first"]),
        windows=terms.windows,
        calendar=terms.calendar,
        skip_holidays=terms.skip_holidays,
    )
    rows = cases.values_list("owner_id", F("response__touchpoint_id"), "opened_at", "first_contact_at", "closed_at")
    for owner_id, touchpoint_id, opened_at, contact_at, closed_at in rows.iterator(chunk_size=CHUNK):
        to_contact, to_close = (
            clock.seconds(opened_at, at) if at is not None and wanted.since <= at < wanted.until else None
            for at in (contact_at, closed_at)
        )
        yield owner_id, touchpoint_id, to_contact, to_close


def quantiles(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Median and 90th percentile, between two neighbours as PostgreSQL's percentile_cont; None without values."""
    if not values:
        return None, None
    ordered = sorted(values)
    found = []
    for quantile in QUANTILES:
        place = (len(ordered) - 1) * quantile
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        found.append(ordered[low] + (ordered[high] - ordered[low]) * (place - low))
    return found[0], found[1]
