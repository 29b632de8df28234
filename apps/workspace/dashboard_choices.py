"""What there is to choose from on the dashboard, read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Case, Q, When
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.contacts.models import Company
from apps.insights.groups import PROPERTY, is_dimension, language_name
from apps.insights.occurring import Occurring, occurring
from apps.surveys.models import Survey
from apps.touchpoints.models import Stage, Touchpoint
from apps.triggers.models import Segment
from apps.workspace.filters import ANY

MAX_COMPANIES = 8
_KEY, _SECONDS = "workspace.occurring", 300
PREVIOUS, YEAR, NOTHING, SEGMENT = "previous", "year", "none", "segment:"
DIMENSIONS = (
    ("touchpoint", _("Touchpoint")), ("stage", _("Stage")), ("survey", _("Survey")), ("channel", _("Channel")),
    ("language", _("Language")), ("segment", _("Segment of contacts")), ("company", _("Company")),
    ("incentive", _("Incentive")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything that has a key, and what occurs in responses."""

    touchpoints: Sequence[Touchpoint]
    surveys: Sequence[Survey]
    segments: Sequence[Segment]
    occurring: Occurring

    @property
    def stages(self) -> list[Stage]:
        """Stages and sub-steps that have touchpoints, in the order of the map; nobody answers on the others."""
        found: dict[int, Stage] = {}
        for touchpoint in self.touchpoints:
            stage = touchpoint.stage
            if stage.parent is not None:
                found.setdefault(stage.parent.pk, stage.parent)
            found.setdefault(stage.pk, stage)
        return sorted(found.values(), key=lambda stage: (stage.position, stage.pk))


def choices() -> Choices:
    """Three queries; what occurs is looked up once in a while, not for every page."""
    return Choices(
        touchpoints=list(Touchpoint.objects.select_related("stage__parent")),
        surveys=list(Survey.objects.only("key", "name").order_by("key")),
        segments=list(Segment.objects.only("key", "name")),
        occurring=cache.get_or_set(_KEY, occurring, _SECONDS) or occurring(),
    )


def companies(words: str) -> list[Company]:
    """Those of this name or external id; if there are none, those whose name holds the words. One query."""
    is_exact = Q(name__iexact=words) | Q(external_id__iexact=words)
    found = Company.objects.filter(Q(name__icontains=words) | is_exact).only("name", "external_id")
    # Those come first: however many others hold the words, they are not cut off.
    found = found.annotate(rank=Case(When(is_exact, then=0), default=1)).order_by("rank", "name", "pk")
    rows: list[Any] = list(found[:MAX_COMPANIES])
    return [row for row in rows if not row.rank] or rows


def company(pk: int) -> Company | None:
    """The one with this id. One query."""
    return Company.objects.filter(pk=pk).only("name").first()


def dimension_name(dimension: str) -> str:
    """What a breakdown goes by: touchpoint, channel … or the name of a property."""
    return str(dict(DIMENSIONS).get(dimension) or dimension.removeprefix(PROPERTY))


def offered(choices: Choices, given: Mapping[str, Any]) -> dict[str, list[tuple[Any, Any]]]:
    """What each list offers; what is asked for although it has become rare is offered as well."""
    names = list(choices.occurring.properties)
    for asked in (f"{PROPERTY}{given.get('property_name', '')}", str(given.get("by", ""))):
        name = asked.removeprefix(PROPERTY)
        if name != asked and name not in names and is_dimension(asked):
            names.append(name)
    languages = list(choices.occurring.languages)
    code = str(given.get("language", ""))
    if code not in languages and code.isascii() and code.isalpha() and code.islower() and len(code) <= 3:
        languages.append(code)
    segments = [(row.key, row.name) for row in choices.segments]
    against = [(f"{SEGMENT}{key}", name) for key, name in segments]
    of_properties = [(f"{PROPERTY}{name}", name) for name in names]
    return {
        "touchpoint": [ANY, *((row.key, str(row)) for row in choices.touchpoints)],
        "survey": [ANY, *((row.key, str(row)) for row in choices.surveys)],
        "stage": [ANY, *((row.key, f"{'– ' if row.parent_id else ''}{row}") for row in choices.stages)],
        "language": [ANY, *((code, language_name(code)) for code in languages)],
        "segment": [ANY, *segments],
        "property_name": [ANY, *((name, name) for name in names)],
        "compare": [
            (PREVIOUS, _("The period before")), (YEAR, _("The same days a year before")),
            (NOTHING, pgettext_lazy("compared with", "Nothing")),
            *([(_("Segment of contacts"), against)] if against else []),
        ],
        "by": [*DIMENSIONS, *([(_("Property"), of_properties)] if of_properties else [])],
    }  # fmt: skip
