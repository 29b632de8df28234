"""Where on the journey anybody is asked, and where that is missing."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from apps.touchpoints.models import Touchpoint
from apps.triggers.models import Cadence, TriggerRule

UNASKED = "unasked"
"""Things happen there, but no rule and no cadence asks anybody, and nobody answered."""
SILENT = "silent"
"""Nothing happened there, and nobody answered."""


@dataclass(frozen=True, slots=True)
class Asker:
    """A trigger rule or a cadence that asks at a touchpoint. ``kind`` is ``rule`` or ``cadence``."""

    kind: str
    pk: int
    name: str


def askers(*, now: datetime) -> dict[int, list[Asker]]:
    """Who asks at which touchpoint today, by the touchpoint's id. Two queries.

    What shows itself on a page asks through the rules of its touchpoint, as does what comes in from Delighted. Rules
    and cadences that are switched off, out of their time, or of a survey that is switched off ask nobody.
    """
    found: dict[int, list[Asker]] = defaultdict(list)
    in_time = Q(active_from__isnull=True) | Q(active_from__lte=now)
    in_time &= Q(active_until__isnull=True) | Q(active_until__gt=now)
    rules = TriggerRule.objects.filter(in_time, is_active=True, survey__is_active=True, touchpoints__isnull=False)
    for touchpoint_id, pk, name in rules.order_by("name", "pk").values_list("touchpoints", "pk", "name"):
        found[touchpoint_id].append(Asker("rule", pk, name))
    cadences = Cadence.objects.filter(is_active=True, survey__is_active=True, touchpoint__isnull=False)
    for touchpoint_id, pk, name in cadences.order_by("name", "pk").values_list("touchpoint_id", "pk", "name"):
        found[touchpoint_id].append(Asker("cadence", pk, name))
    return dict(found)


def gap(*, touchpoint: Touchpoint, events: int, answers: int, askers: Sequence[Asker]) -> str:
    """What is missing at a touchpoint: ``UNASKED``, ``SILENT``, or "" where nothing is, or where it is switched off.

    Answers that come in without a rule (a link, an import, the API) are asked for by somebody: that is no gap. A
    cadence needs no events.
    """
    if not touchpoint.is_active or answers:
        return ""
    if not events:
        return "" if any(asker.kind == "cadence" for asker in askers) else SILENT
    return "" if askers else UNASKED
