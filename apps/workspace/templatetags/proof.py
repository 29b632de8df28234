"""Shares with their range, spans of time, and small pictures on the page about what cases brought."""

from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from apps.common.shares import Part, wilson
from apps.workspace.proof_charts import Interval
from apps.workspace.proof_charts import interval as place

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86400


@register.filter
def lasting(seconds: float | None) -> str:
    """A span of time in its fitting unit: 25 min, 6.5 h, 3.2 days; a dash for none."""
    if seconds is None:
        return "–"
    if seconds >= 2 * DAY:
        return _unbroken(_("%(n)s days") % {"n": number_format(round(seconds / DAY, 1), 1)})
    return worked(seconds)


@register.filter
def worked(seconds: float | None) -> str:
    """A span of working time: 25 min, 6.5 h. Never in days, for nobody knows how long those are."""
    if seconds is None:
        return "–"
    if seconds < HOUR:
        return _unbroken(_("%(n)s min") % {"n": number_format(round(seconds / MINUTE), 0)})
    return _unbroken(_("%(n)s h") % {"n": number_format(round(seconds / HOUR, 1), 1)})


def _unbroken(text: str) -> str:
    """A number stays with its unit."""
    return text.replace(" ", "\u00a0")


@register.filter
def between(part: Part) -> str:
    """Where a share lies with 95 % confidence: 31–42 %."""
    low, high = (round(100 * bound) for bound in wilson(part))
    return f"{low}–{high}\u00a0%"


@register.filter
def interval(part: Part) -> Interval | None:
    """Where to draw a share and its range."""
    return place(part)


@register.inclusion_tag("workspace/_proof_share.html")
def share_of(part: Part) -> dict[str, Any]:
    """A share with n and its range; a dash where there is nobody."""
    return {"part": part}
