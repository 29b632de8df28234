"""What is said about changes of the journey map."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.touchpoints.journey_map import Map

_REFUSED: dict[str, str | Promise] = {
    "stale": _("Somebody else changed the map meanwhile. It is shown as it is now; please do it again."),
    "gone": _("It is not on the map any more. The map is shown as it is now."),
    "before_gone": _("The touchpoint it was to stand before does not lie there any more."),
    "edge": _("It is at the edge already."),
    "has_steps": _("It has sub-steps itself. Move them elsewhere first: a sub-step has no sub-steps."),
    "parent_is_step": _("A sub-step belongs to a stage, not to another sub-step."),
    "not_empty": _("Something still lies on it. Move it elsewhere first."),
    "too_many_stages": _("The map has a hundred stages already. Remove some first."),
    "too_many_touchpoints": _("The map would have more than a thousand touchpoints. Remove some first."),
}
NOT_UNDERSTOOD = _("This was not understood. Load the page again, then try once more.")


def refusal(code: str) -> str:
    """Why the map was not changed, and what to do."""
    return str(_REFUSED.get(code, NOT_UNDERSTOOD))


def what_lies_on(found: Map, stage_id: int) -> str:
    """The names of what lies on a stage or sub-step: why it cannot be removed. "" if nothing does."""
    place = next((one for one in found.shape.places() if one.id == stage_id), None)
    if place is None:
        return ""
    steps = [str(found.stages[step.id]) for step in place.steps]
    return ", ".join([*steps, *(str(found.touchpoints[pk]) for pk in place.touchpoints)])


def path_of(found: Map, stage_id: int) -> str:
    """A stage's name; a sub-step's after its stage's."""
    row = found.stages[stage_id]
    column = found.stages[found.shape.column(stage_id).id]
    return str(row) if column is row else f"{column} › {row}"


def touchpoint_stands(found: Map, touchpoint_id: int) -> str:
    """Where a touchpoint lies now, as a sentence."""
    place = found.shape.holder(touchpoint_id)
    return _("“%(name)s” lies on “%(place)s”, %(number)s of %(all)s.") % {
        "name": found.touchpoints[touchpoint_id], "place": path_of(found, place.id),
        "number": place.touchpoints.index(touchpoint_id) + 1, "all": len(place.touchpoints),
    }  # fmt: skip


def stage_stands(found: Map, stage_id: int) -> str:
    """Where a stage stands now, as a sentence."""
    column = found.shape.column(stage_id)
    row = found.shape.stages if column.id == stage_id else column.steps
    values = {
        "name": found.stages[stage_id], "stage": found.stages[column.id],
        "number": [one.id for one in row].index(stage_id) + 1, "all": len(row),
    }  # fmt: skip
    if column.id == stage_id:
        return _("“%(name)s” is stage %(number)s of %(all)s.") % values
    return _("“%(name)s” is sub-step %(number)s of %(all)s of “%(stage)s”.") % values
