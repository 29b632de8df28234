"""What the page about what cases brought shows, put together once for page and file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.cases.policy import Terms, current_terms
from apps.common.shares import Part
from apps.insights import case_causes
from apps.insights.case_causes import Cause, Causes
from apps.insights.case_figures import CaseFigures, Figures, case_figures
from apps.insights.recovery import MAIL, NOBODY, PERSON, Group, Recovery, recovery
from apps.workspace.case_filter import Choices
from apps.workspace.proof_filter import Wanted

TOP = 8
"""Root causes told by name; the others are told together."""


@dataclass(frozen=True, slots=True)
class Row:
    """Figures with the name of whose they are, and what to filter by to see them alone ("" if there is nothing)."""

    name: str
    figures: Figures
    key: str = ""


@dataclass(frozen=True, slots=True)
class CauseRow:
    """A root cause by name, by month."""

    name: str
    part: Part
    months: Sequence[int]


@dataclass(frozen=True, slots=True)
class Proof:
    """All figures of the page."""

    wanted: Wanted
    terms: Terms
    recovery: Recovery
    total: Figures
    owners: list[Row]
    touchpoints: list[Row]
    in_time: list[tuple[date, Part]]
    months: list[date]
    causes: list[CauseRow]
    not_noted: Part
    ends: list[tuple[str, int, int]]

    @property
    def ways(self) -> list[tuple[str, Group, bool]]:
        """Label and figures of those contacted, of how, and of those not contacted; True: a part of the row above."""
        ways = self.recovery.ways
        return [
            (_("Contacted"), self.recovery.contacted, False),
            (_("by a person"), ways[PERSON], True),
            (_("only by a campaign's mail"), ways[MAIL], True),
            (_("Not contacted"), ways[NOBODY], False),
        ]


def gather(*, wanted: Wanted, choices: Choices, now: datetime) -> Proof:
    """Everything, in nine queries."""
    terms, part = current_terms(), wanted.slice
    found = case_figures(wanted=part, terms=terms, now=now)
    causes = case_causes.causes(wanted=part, now=now)
    results = {row.pk: str(row) for row in choices.results}
    ends = case_causes.ends(wanted=part, now=now)
    return Proof(
        wanted=wanted,
        terms=terms,
        recovery=recovery(wanted=part, now=now, days=wanted.within),
        total=found.total,
        owners=_owners(found, choices),
        touchpoints=_touchpoints(found, choices),
        in_time=case_causes.in_time_by_month(wanted=part, now=now),
        months=causes.months,
        causes=_causes(causes, choices),
        not_noted=causes.missing.part,
        ends=[(_named(results, end.result_id, _("Only in words")), end.solved, end.lost) for end in ends],
    )


def _owners(found: CaseFigures, choices: Choices) -> list[Row]:
    names = choices.names
    return _rows(found.owners, lambda key: (_named(names, key, _("Nobody")), str(key or "")))


def _touchpoints(found: CaseFigures, choices: Choices) -> list[Row]:
    places = {row.pk: (str(row), row.key) for row in choices.touchpoints}
    return _rows(found.touchpoints, lambda key: places.get(key or 0, (_("Without touchpoint"), "")))


def _rows(parts: Mapping[int | None, Figures], named: Callable[[int | None], tuple[str, str]]) -> list[Row]:
    found = []
    for key, figures in parts.items():
        name, address = named(key)
        found.append(Row(name, figures, address))
    return found


def _causes(causes: Causes, choices: Choices) -> list[CauseRow]:
    """The most frequent ones by name, the others together."""
    names = {row.pk: str(row) for row in choices.causes}
    found = [
        CauseRow(_named(names, row.root_cause_id, ""), row.part, row.months)
        for row in causes.rows[:TOP]
        if row.part.hits or any(row.months)
    ]
    others: Sequence[Cause] = causes.rows[TOP:]
    if others:
        part = Part(others[0].part.total, sum(row.part.hits for row in others))
        months = [sum(numbers) for numbers in zip(*(row.months for row in others), strict=True)]
        found.append(CauseRow(_("All the others"), part, months))
    return found


def _named(names: Mapping[Any, str], key: Any, otherwise: str) -> str:
    return names.get(key, otherwise)
