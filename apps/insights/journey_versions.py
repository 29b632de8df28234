"""Keeping the journey map as it is, with its figures; and what lies between two of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Max

from apps.common.texts import Texts
from apps.insights import figures, journey_diff
from apps.insights.journey_diff import Difference, Layout, Mark
from apps.insights.models import JourneyVersion
from apps.insights.nps import Change, Counts, Nps, change, nps
from apps.insights.slices import ONE_DAY, Period, Slice
from apps.touchpoints.arranging import lock
from apps.touchpoints.journey_map import Column, Map, read

DAYS = 90
"""The figures of a version are those of so many days up to and with the day it was kept."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The map at some time: a version, or (``version`` None) today."""

    version: JourneyVersion | None
    layout: Layout
    figures: Mapping[int, Nps]
    period: Period


@dataclass(frozen=True, slots=True)
class Figure:
    """The score at one touchpoint then and now; ``before_there`` and ``after_there``: whether it was on the map."""

    name: Texts
    before: Nps
    after: Nps
    change: Change | None
    before_there: bool
    after_there: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two times side by side."""

    before: Snapshot
    after: Snapshot
    differences: list[Difference]
    marks: tuple[Mark, Mark]
    figures: list[Figure]

    @property
    def overlap(self) -> bool:
        """Whether some answers count on both sides: then nothing can be said of a change."""
        return self.before.period.overlaps(self.after.period)


@transaction.atomic
def keep(*, name: str, note: str, by: AbstractBaseUser | None, now: datetime) -> JourneyVersion:
    """Keep the map as it is under the next number, with the counts per touchpoint of the last 90 days.

    Nobody arranges it meanwhile, and no other version gets the number.
    """
    found = lock()
    period = Period.last(DAYS, today=now.astimezone(UTC).date())
    last = JourneyVersion.objects.aggregate(last=Max("number"))["last"] or 0
    row = JourneyVersion(
        number=last + 1,
        name=name,
        note=note,
        layout=layout_of(found),
        figures={str(pk): _counted(figure.counts) for pk, figure in _figures(period, now).items()},
        since=period.since,
        until=period.until,
        created_by_id=by.pk if by is not None else None,
        created_at=now,
    )
    row.clean_fields(exclude={"layout", "figures"})
    row.save(force_insert=True)
    return row


def layout_of(found: Map) -> dict[str, Any]:
    """A map as a version keeps it."""
    return {"stages": [_stage(column) for column in found.columns]}


def _stage(column: Column) -> dict[str, Any]:
    touchpoints = [
        {"id": row.pk, "key": row.key, "name": dict(row.name), "is_active": row.is_active} for row in column.touchpoints
    ]
    own = {"id": column.stage.pk, "key": column.stage.key, "name": dict(column.stage.name), "touchpoints": touchpoints}
    return {**own, "steps": [_stage(step) for step in column.steps]}


def _counted(counts: Counts) -> list[int]:
    return [counts.promoters, counts.passives, counts.detractors]


def _figures(period: Period, now: datetime) -> dict[int, Nps]:
    """The score at each touchpoint that has answers, by its id."""
    parts = figures.by(wanted=Slice(), periods=[period], dimension="touchpoint", now=now)
    return {part.pk: part.figures[0] for part in parts if part.pk is not None}


def as_kept(row: JourneyVersion) -> Snapshot:
    """A version as it was."""
    kept = {int(pk): nps(Counts(*counts)) for pk, counts in row.figures.items()}
    return Snapshot(row, row.layout, kept, Period(row.since, row.until))


def as_now(*, after: date | None = None, now: datetime) -> Snapshot:
    """The map today, with the figures of the last 90 days.

    ``after``: of the days after this one, if there are any and they are fewer, so that no answer counts on both sides.
    """
    period = Period.last(DAYS, today=now.astimezone(UTC).date())
    if after is not None and after < period.until:
        period = Period(max(period.since, after + ONE_DAY), period.until)
    return Snapshot(None, layout_of(read()), _figures(period, now), period)


def compare(before: Snapshot, after: Snapshot) -> Comparison:
    """What changed on the map, and what became of the scores."""
    found = journey_diff.differences(before.layout, after.layout)
    return Comparison(before, after, found, journey_diff.marks(found), _compared(before, after))


def _compared(before: Snapshot, after: Snapshot) -> list[Figure]:
    """Each touchpoint that was on either map: in the order of the one after, what went last."""
    old, new = journey_diff.touchpoints(before.layout), journey_diff.touchpoints(after.layout)
    nothing, overlap = nps(Counts()), before.period.overlaps(after.period)
    rows = []
    for pk, item in {**new, **{pk: item for pk, item in old.items() if pk not in new}}.items():
        was, now = before.figures.get(pk, nothing), after.figures.get(pk, nothing)
        rows.append(Figure(item.name, was, now, None if overlap else change(was, now), pk in old, pk in new))
    return rows
