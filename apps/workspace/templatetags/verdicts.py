"""What may be said of a difference: ``{{ change|verdict }}``."""

from django import template

from apps.insights.differences import Change
from apps.insights.effects import Effect
from apps.insights.influence import Association
from apps.workspace.verdicts import NPS, change_in_words, effect_in_words, influence_in_words

register = template.Library()


@register.filter
def verdict(found: Change | Effect | Association | None, kind: str = NPS) -> str:
    """One plain sentence on a change, an effect or an association; None is one of which too few answered.

    ``kind``: of which score, "nps", "csat" or "ces".
    """
    if isinstance(found, Association):
        return influence_in_words(found)
    if isinstance(found, Effect):
        return effect_in_words(found, kind)
    return change_in_words(found, kind)
