"""The reminder that the journey map is to be looked at."""

from typing import Any

from django import template
from django.utils import timezone

from apps.insights.journey_reviews import Due, due_soon
from apps.workspace.templatetags.workspace import may

register = template.Library()
RIGHT = "touchpoints.change_touchpoint"


@register.simple_tag(takes_context=True)
def review_due(context: dict[str, Any]) -> Due | None:
    """The review that is due within two weeks, for those who may change the map. One query."""
    return due_soon(now=timezone.now()) if may(context, RIGHT) else None
