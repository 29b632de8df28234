"""Where enrolments stand: how many run on which version of a campaign, and what differs from version to version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from apps.campaigns.models import Campaign, Enrolment, StepRun
from apps.campaigns.names import Names
from apps.campaigns.picture import Card, Mark, draw, flat
from apps.campaigns.wording import reason_in_words


@dataclass(frozen=True, slots=True)
class Differences:
    """Steps by key: what a version has, and the one before had not; and the other way round."""

    added: list[Card] = field(default_factory=list)
    changed: list[Card] = field(default_factory=list)
    removed: list[Card] = field(default_factory=list)
    is_moved: bool = False
    """Steps that both have stand in another order, or on another way."""

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.is_moved)


def differences(before: Any, after: Any, names: Names) -> Differences:
    """What differs between two documents."""
    old, new = list(flat(draw(before, names))), list(flat(draw(after, names)))
    old_settings, new_settings = _settings(before), _settings(after)
    common = [card.key for card in new if card.key in old_settings]
    return Differences(
        added=[card for card in new if card.key not in old_settings],
        changed=[card for card in new if card.key in old_settings and old_settings[card.key] != new_settings[card.key]],
        removed=[card for card in old if card.key not in new_settings],
        is_moved=_places(before, set(common)) != _places(after, set(common)),
    )


def _settings(document: Any) -> dict[str, dict[str, Any]]:
    """Key → all that a step says, without the steps on its ways."""
    return {key: {k: v for k, v in step.items() if k not in ("yes", "no")} for key, step, _way in _walk(document)}


def _places(document: Any, keys: set[str]) -> list[tuple[str, str]]:
    """The order of these steps, each with the way it stands on."""
    return [(key, way) for key, _step, way in _walk(document) if key in keys]


def _walk(document: Any) -> list[tuple[str, Mapping[str, Any], str]]:
    found: list[tuple[str, Mapping[str, Any], str]] = []

    def go(steps: Any, way: str, depth: int) -> None:
        for step in steps if isinstance(steps, list) and depth < 20 else []:
            if isinstance(step, dict) and isinstance(step.get("key"), str):
                found.append((step["key"], step, way))
                go(step.get("yes"), f"{step['key']}.yes", depth + 1)
                go(step.get("no"), f"{step['key']}.no", depth + 1)

    go(document.get("steps") if isinstance(document, dict) else None, "", 1)
    return found


def running(campaign_ids: Sequence[int]) -> dict[int, int]:
    """Campaign → how many enrolments are under way. One query, over what is pending only."""
    rows = StepRun.objects.filter(status=StepRun.Status.PENDING, enrolment__campaign__in=campaign_ids)
    return dict(rows.values_list("enrolment__campaign").annotate(count=Count("pk")).order_by())


def waiting(campaign: Campaign) -> dict[int, dict[str, int]]:
    """Version id → step → how many running enrolments wait there. One query."""
    rows = StepRun.objects.filter(
        status=StepRun.Status.PENDING,
        enrolment__campaign=campaign,
        enrolment__state=Enrolment.State.RUNNING,
    )
    found: dict[int, dict[str, int]] = {}
    counted = rows.values_list("enrolment__version_id", "step_key").annotate(count=Count("pk")).order_by()
    for version_id, key, count in counted:
        found.setdefault(version_id, {})[key] = count
    return found


def progress(enrolment_id: UUID) -> dict[str, Mark]:
    """Step → how far an enrolment is there. One query."""
    found = {}
    for run in StepRun.objects.filter(enrolment=enrolment_id).order_by("position"):
        at = run.done_at or run.due_at
        text = _("%(status)s, %(at)s") % {
            "status": run.get_status_display(), "at": date_format(localtime(at), "SHORT_DATETIME_FORMAT")
        }  # fmt: skip
        if run.reason:
            text = f"{text}: {reason_in_words(run.reason)}"
        if run.last_error and run.status in (StepRun.Status.FAILED, StepRun.Status.PENDING):
            text = f"{text} ({run.last_error[:200]})"
        way = run.result.get("way", "") if isinstance(run.result, dict) else ""
        found[run.step_key] = Mark(run.status, text, way)
    return found
