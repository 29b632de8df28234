"""The dashboard's figures as rows of a file: one figure a row, with n and its range."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from django.utils.translation import gettext as _

from apps.common.shares import Part, wilson
from apps.common.spreadsheets import Cell
from apps.insights.differences import Change
from apps.insights.nps import MIN_N, Nps
from apps.insights.overview import Overview
from apps.insights.slices import Period
from apps.workspace.board import Board
from apps.workspace.dashboard_choices import dimension_name

Line: TypeAlias = Sequence[Cell]


def header() -> list[str]:
    """Names of the columns."""
    return [
        _("Figure"), _("Of"), _("From"), _("To"), _("Value"), _("Unit"), "n", _("interval from (95 %)"),
        _("interval to (95 %)"),
    ]  # fmt: skip


def rows(board: Board) -> Iterator[Line]:
    """All that the page shows, in its order; no score of fewer answers than it takes."""
    compared, changed = _("NPS, compared with"), _("Change")
    yield _score(_("NPS"), _("All"), board.period, board.nps)
    if board.other:
        yield _score(compared, _("All"), board.other.period, board.other.nps)
        yield _change(changed, _("All"), board.period, board.change)
    counts = board.nps.counts
    for name, number in (
        (_("Promoters"), counts.promoters), (_("Passives"), counts.passives), (_("Detractors"), counts.detractors),
    ):  # fmt: skip
        yield _share(_("Share"), name, board.period, number, board.nps.n)
    for score, number in enumerate(board.distribution):
        yield _share(_("Score"), str(score), board.period, number, board.nps.n)
    yield from _trend(_("NPS over time"), board, board.now)
    if board.other:
        yield from _trend(f"{_('NPS over time')}, {_('compared with')}", board, board.other)
    part = dimension_name(board.dimension)
    for row in board.rows:
        yield _score(part, row.name, board.period, row.now)
        if board.other and row.other is not None:
            yield _score(f"{part}, {_('compared with')}", row.name, board.other.period, row.other)
            yield _change(f"{part}, {_('change')}", row.name, board.period, row.change)


def _trend(figure: str, board: Board, found: Overview) -> Iterator[Line]:
    for point in found.points:
        yield _score(figure, point.start.isoformat(), board.days_of(found, point.start), point.nps)


def _score(figure: str, of: str, days: Period, found: Nps) -> Line:
    if found.too_few:
        return [figure, of, *_span(days), None, "NPS", found.n, None, None]
    return [figure, of, *_span(days), _round(found.score), "NPS", found.n, _round(found.low), _round(found.high)]


def _change(figure: str, of: str, days: Period, found: Change | None) -> Line:
    if found is None:
        return [figure, of, *_span(days), None, _("points"), None, None, None]
    return [figure, of, *_span(days), _round(found.delta), _("points"), None, _round(found.low), _round(found.high)]


def _share(figure: str, of: str, days: Period, number: int, total: int) -> Line:
    if total < MIN_N:
        return [figure, of, *_span(days), None, "%", total, None, None]
    low, high = wilson(Part(total, number))
    return [figure, of, *_span(days), _round(100 * number / total), "%", total, _round(100 * low), _round(100 * high)]


def _span(days: Period) -> tuple[str, str]:
    return days.since.isoformat(), days.until.isoformat()


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
