"""The figures of the page about what cases brought as rows of a file: one figure a row, with n and its range."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from django.utils.translation import gettext as _

from apps.common.shares import Part, wilson
from apps.common.spreadsheets import Cell
from apps.insights.case_figures import Figures, Times
from apps.insights.recovery import Group
from apps.workspace.proof import Proof

Line: TypeAlias = Sequence[Cell]


def header() -> list[str]:
    """Names of the columns."""
    return [
        _("Figure"), _("Of"), _("Value"), _("Unit"), "n", _("interval from (95 %)"), _("interval to (95 %)"),
    ]  # fmt: skip


def rows(found: Proof) -> Iterator[Line]:
    """All that the page shows, in its order."""
    yield from _recovery(found)
    yield from _figures(_("All"), found.total)
    for label, parts in ((_("Owner"), found.owners), (_("Touchpoint"), found.touchpoints)):
        for row in parts:
            yield from _figures(f"{label}: {row.name}", row.figures)
    for month, part in found.in_time:
        yield _share(_("Closed in time"), f"{month:%Y-%m}", part)
    for cause in found.causes:
        yield _share(_("Root cause"), cause.name, cause.part)
        for month, number in zip(found.months, cause.months, strict=True):
            yield _number(f"{_('Root cause')}: {cause.name}", f"{month:%Y-%m}", number)
    yield _share(_("No root cause noted"), _("All"), found.not_noted)
    for name, solved, lost in found.ends:
        yield _number(_("Solved"), name, solved)
        yield _number(_("Lost"), name, lost)


def _recovery(found: Proof) -> Iterator[Line]:
    groups: list[tuple[str, Group]] = [(_("All"), found.recovery.total)]
    groups += [(label, group) for label, group, _is_part in found.ways]
    groups += [(f"{month:%Y-%m}", group) for month, group in found.recovery.months.items()]
    for name, group in groups:
        yield _number(_("Detractors"), name, group.detractors)
        yield _share(_("Higher score next time"), name, group.recovered)
        yield _share(_("No longer detractors"), name, group.no_detractors)
        yield _share(_("Answered again"), name, group.came_back)
    for label, effect in (
        (_("Higher score next time"), found.recovery.effect),
        (_("No longer detractors"), found.recovery.effect_out),
    ):
        number, unit = min(effect.one.total, effect.other.total), _("percentage points")
        value, low, high = (_round(100 * share) if number else None for share in (effect.value, *effect.bounds))
        yield [label, _("Contacted less not contacted"), value, unit, number, low, high]


def _figures(name: str, row: Figures) -> Iterator[Line]:
    yield _number(_("Opened"), name, row.opened)
    yield _number(_("Closed"), name, row.closed)
    yield _number(_("Open now"), name, row.open)
    yield _number(_("Overdue now"), name, row.overdue)
    yield _share(_("First contact in time"), name, row.contacted_in_time)
    yield _share(_("Closed in time"), name, row.closed_in_time)
    yield from _times(_("Time to first contact"), name, row.to_contact)
    yield from _times(_("Time to close"), name, row.to_close)


def _times(label: str, name: str, times: Times) -> Iterator[Line]:
    for what, seconds in (
        (_("median, working time"), times.working_median),
        (_("nine of ten, working time"), times.working_most),
        (_("median"), times.median),
        (_("nine of ten"), times.most),
    ):
        hours = None if seconds is None else _round(seconds / 3600)
        yield [f"{label} ({what})", name, hours, _("hours"), times.n, None, None]


def _share(label: str, name: str, part: Part) -> Line:
    if not part.total:
        return [label, name, None, "%", 0, None, None]
    low, high = wilson(part)
    return [label, name, _round(100 * part.rate), "%", part.total, _round(100 * low), _round(100 * high)]


def _number(label: str, name: str, number: int) -> Line:
    return [label, name, number, _("number"), None, None, None]


def _round(value: float) -> float:
    return round(value, 2)
