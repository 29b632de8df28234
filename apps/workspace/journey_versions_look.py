"""Two versions of the journey map as the page shows them: columns with marks, and sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.common.texts import FALLBACK, Texts, localized
from apps.insights.journey_diff import Difference, Kind, Mark
from apps.insights.journey_versions import Comparison, Figure, Snapshot

MARKS: dict[str, Promise] = {
    Kind.CAME: pgettext_lazy("journey map", "new"),
    Kind.WENT: pgettext_lazy("journey map", "gone later"),
    Kind.MOVED: pgettext_lazy("journey map", "moved"),
    Kind.RENAMED: pgettext_lazy("journey map", "renamed"),
    Kind.OFF: pgettext_lazy("journey map", "switched off"),
    Kind.ON: pgettext_lazy("journey map", "switched on"),
}
_TOUCHPOINTS: dict[str, Promise] = {
    Kind.CAME: _("“%(after)s” came, on “%(after_on)s”."),
    Kind.WENT: _("“%(before)s” went; it lay on “%(before_on)s”."),
    Kind.RENAMED: _("“%(before)s” is called “%(after)s” now."),
    Kind.OFF: _("“%(after)s” was switched off."),
    Kind.ON: _("“%(after)s” was switched on."),
}
_STAGES: dict[str, Promise] = {
    Kind.CAME: _("Stage “%(after)s” came."),
    Kind.WENT: _("Stage “%(before)s” went."),
    Kind.RENAMED: _("Stage “%(before)s” is called “%(after)s” now."),
}
_MOVED = _("“%(after)s” moved from “%(before_on)s” to “%(after_on)s”.")
_ORDER = _("“%(after)s” stands in another order.")
_STEP = _("“%(after)s” became a sub-step of “%(after_on)s”.")
_STAGE = _("“%(after)s” became a stage of its own; it was a sub-step of “%(before_on)s”.")


@dataclass(frozen=True, slots=True)
class Shown:
    """A stage, sub-step or touchpoint on one side; ``mark`` says in a word what became of it, ``kind`` in code."""

    name: str
    kind: str
    mark: str | Promise
    is_active: bool
    touchpoints: "tuple[Shown, ...]" = ()
    steps: "tuple[Shown, ...]" = ()


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two maps."""

    snapshot: Snapshot
    stages: tuple[Shown, ...]


class Look:
    """The whole comparison."""

    def __init__(self, found: Comparison) -> None:
        self.before = Side(found.before, _stages(found.before.layout, found.marks[0]))
        self.after = Side(found.after, _stages(found.after.layout, found.marks[1]))
        self.sentences = [(one.kind, _sentence(one)) for one in found.differences]
        self.figures: list[Figure] = found.figures
        self.overlap = found.overlap


def _stages(layout: Mapping[str, Any], mark: Mark) -> tuple[Shown, ...]:
    return tuple(_stage(row, mark) for row in layout.get("stages", ()))


def _stage(row: Mapping[str, Any], mark: Mark) -> Shown:
    touchpoints = tuple(
        _shown(one, mark.touchpoints.get(one["id"]), is_active=one.get("is_active", True))
        for one in row.get("touchpoints", ())
    )
    own = _shown(row, mark.stages.get(row["id"]))
    steps = tuple(_stage(step, mark) for step in row.get("steps", ()))
    return Shown(own.name, own.kind, own.mark, is_active=True, touchpoints=touchpoints, steps=steps)


def _shown(row: Mapping[str, Any], kind: Kind | None, *, is_active: bool = True) -> Shown:
    return Shown(_name(row["name"]) or row["key"], kind or "", MARKS[kind] if kind else "", is_active)


def _name(texts: Texts | None) -> str:
    return localized(texts, get_language() or FALLBACK)


def _sentence(one: Difference) -> str:
    words = {"before": one.before, "after": one.after, "before_on": one.before_on, "after_on": one.after_on}
    values = {name: _name(texts) for name, texts in words.items()}
    if one.kind != Kind.MOVED:
        return str((_TOUCHPOINTS if one.is_touchpoint else _STAGES)[one.kind]) % values
    if one.before_on == one.after_on:
        return str(_ORDER) % values
    if one.is_touchpoint or (one.before_on and one.after_on):
        return str(_MOVED) % values
    return str(_STEP if one.after_on else _STAGE) % values
