"""Small pieces of the journey map."""

from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.touchpoints.models import Touchpoint

register = template.Library()

STANDINGS = {
    "good": _("good"),
    "middle": _("in between"),
    "bad": _("bad"),
    "few": _("too few answers"),
    "unasked": _("nobody is asked"),
    "silent": _("nothing happens"),
}
"""How a place stands, by code, in words."""
SHAPES = {"good": "promoter", "middle": "passive", "bad": "detractor"}


@register.filter
def standing(code: str) -> str | Promise:
    """How a place stands, in words."""
    return STANDINGS.get(code, code)


@register.inclusion_tag("workspace/_journey_mark.html")
def stand_mark(code: str, size: int = 10) -> dict[str, Any]:
    """The shape of how a place stands: up, level, down; a ring without a score; a question or a dash at a gap."""
    return {"code": code, "segment": SHAPES.get(code, ""), "size": size}


@register.filter
def rule_address(touchpoint: Touchpoint) -> str:
    """Where the configuration makes a trigger rule for a touchpoint."""
    return f"{reverse('admin:triggers_triggerrule_add')}?touchpoints={touchpoint.pk}"


@register.filter
def asker_address(asker: Any) -> str:
    """Where the configuration shows a rule or a cadence."""
    name = "triggerrule" if asker.kind == "rule" else "cadence"
    return reverse(f"admin:triggers_{name}_change", args=[asker.pk])


@register.simple_tag
def page_if_there(name: str) -> str:
    """The address of a page of the workspace; "" if there is none of this name."""
    try:
        return reverse(f"workspace:{name}")
    except NoReverseMatch:
        return ""


@register.filter
def decimal(value: float) -> str:
    """A correlation with two digits, the way the reader's language writes it: 0.42, −0,08."""
    return str(number_format(round(value, 2), 2)).replace("-", "−")
