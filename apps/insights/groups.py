"""The parts that figures are cut into: which there are, what they are called, in which order they stand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.utils.text import capfirst
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from apps.common.conditions import ConditionError
from apps.contacts.models import Company
from apps.insights import cells
from apps.insights.cells import Scores
from apps.insights.nps import Counts
from apps.insights.places import find
from apps.insights.slices import Slice, Stretch
from apps.responses.models import Response
from apps.surveys.models import Survey
from apps.touchpoints.models import Stage, Touchpoint
from apps.triggers.models import Segment
from apps.triggers.segments import subquery

DIMENSIONS = ("touchpoint", "stage", "survey", "channel", "language", "segment", "company", "incentive")
PROPERTY = "property:"
MAX_PROPERTY = 100
MAX_GROUPS = cells.MAX_PARTS
MAX_SEGMENTS = 50


@dataclass(slots=True)
class Part:
    """One part: counts by period."""

    key: str
    name: str
    pk: Any
    counts: dict[int, Counts] = field(default_factory=dict)

    def add(self, by_period: Mapping[int, Scores]) -> None:
        """Count these as well."""
        for period, given in by_period.items():
            self.counts[period] = self.counts.get(period, Counts()) + Counts.from_scores(given)


def is_dimension(name: str) -> bool:
    """Whether figures can be cut by it."""
    if name.startswith(PROPERTY):
        return 0 < len(name) - len(PROPERTY) <= MAX_PROPERTY
    return name in DIMENSIONS


def named(found: Mapping[Any, Mapping[int, Scores]], *, dimension: str) -> list[Part]:
    """Parts with names, in order. At most one query, for the names."""
    if dimension == "touchpoint":
        return _touchpoints(found)
    if dimension == "stage":
        return _stages(found)
    names = _names(dimension, [key for key in found if key not in (None, "")])
    parts: dict[Any, Part] = {}
    for key, by_period in found.items():
        address, name = names(key)
        parts.setdefault(address, Part(address, name, key or None)).add(by_period)
    order = sorted(parts.values(), key=lambda part: (-part.counts.get(0, Counts()).n, part.name, part.key))
    return order[:MAX_GROUPS]


def _touchpoints(found: Mapping[Any, Mapping[int, Scores]]) -> list[Part]:
    """In the order of the journey; what belongs to no touchpoint last."""
    parts = []
    for touchpoint in Touchpoint.objects.order_by("stage__position", "position", "pk"):
        if touchpoint.pk in found:
            parts.append(part := Part(touchpoint.key, str(touchpoint), touchpoint.pk))
            part.add(found[touchpoint.pk])
    return [*parts, *_rest(found, _("Without touchpoint"))]


def _stages(found: Mapping[Any, Mapping[int, Scores]]) -> list[Part]:
    """Stages with what lies on them and on their sub-steps, in the order of the journey."""
    parts: dict[int, Part] = {}
    rows = Touchpoint.objects.select_related("stage__parent").order_by("stage__position", "position", "pk")
    for touchpoint in rows:
        if touchpoint.pk in found:
            stage: Stage = touchpoint.stage.parent or touchpoint.stage
            parts.setdefault(stage.pk, Part(stage.key, str(stage), stage.pk)).add(found[touchpoint.pk])
    return [*parts.values(), *_rest(found, _("Without touchpoint"))]


def _rest(found: Mapping[Any, Mapping[int, Scores]], name: str) -> list[Part]:
    if None not in found:
        return []
    part = Part("", name, None)
    part.add(found[None])
    return [part]


def _names(dimension: str, keys: Sequence[Any]) -> Callable[[Any], tuple[str, str]]:
    """A function from a key to what the address calls it and its name."""
    if dimension == "survey":
        surveys = {row.pk: (row.key, str(row)) for row in Survey.objects.filter(pk__in=keys)}
        return lambda key: surveys.get(key, ("", ""))
    if dimension == "company":
        companies = {pk: (str(pk), name) for pk, name in Company.objects.filter(pk__in=keys).values_list("pk", "name")}
        return lambda key: companies.get(key, ("", _("Without company")))
    return _NAMES.get(dimension, lambda key: (key, key) if key else ("", _("Not told")))


def _channel(key: str) -> tuple[str, str]:
    return key, capfirst(str(dict(Response.Channel.choices).get(key, key)))


def _incentive(key: bool) -> tuple[str, str]:
    return ("yes", _("With incentive")) if key else ("no", _("Without incentive"))


def language_name(code: str) -> str:
    """A language in the reader's."""
    if not code:
        return _("Unknown language")
    try:
        return capfirst(str(get_language_info(code)["name_translated"]))
    except KeyError:
        return code


_NAMES: dict[str, Callable[[Any], tuple[str, str]]] = {
    "channel": _channel,
    "language": lambda key: (key or "", language_name(key or "")),
    "incentive": _incentive,
    "segment": lambda key: key,
}


def by_segment(*, wanted: Slice, periods: Sequence[Stretch], now: datetime) -> dict[tuple[str, str], dict[int, Scores]]:
    """Counts per segment (key, name) and period: a contact may belong to several, and counts in each.

    One query for each period. A segment that cannot be evaluated has no members.
    """
    counts: dict[str, Any] = {}
    keys: dict[str, tuple[str, str]] = {}
    for number, segment in enumerate(Segment.objects.order_by("key")[:MAX_SEGMENTS]):
        try:
            members = subquery(condition=segment.condition, now=now)
        except ConditionError:
            continue
        counts[f"in_{number}"] = Count("pk", filter=Q(contact_id__in=members))
        keys[f"in_{number}"] = (segment.key, segment.name)
    if not counts:
        return {}
    found: dict[tuple[str, str], dict[int, Scores]] = {}
    responses = cells.responses(wanted=wanted, places=find(wanted), now=now)
    for number, period in enumerate(periods):
        rows: Any = responses.filter(cells.within(period)).values("score").annotate(**counts)
        for row in rows:
            for name, key in keys.items():
                if row[name]:
                    found.setdefault(key, {}).setdefault(number, {})[row["score"]] = row[name]
    return found
