"""Small pieces of the pages about campaigns."""

from collections.abc import Mapping

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.campaigns import trying

register = template.Library()

_TRIED: Mapping[str, Promise] = {
    trying.DONE: _("Done"),
    trying.SKIPPED: _("Skipped"),
    trying.WAITING: _("Would still wait"),
    trying.ENDED: _("Ended there"),
}


@register.filter
def named(titles: Mapping[str, str], key: str) -> str:
    """A step's title; "" if the version has no such step."""
    return titles.get(key, "")


@register.filter
def tried_state(what: str) -> str | Promise:
    """What would have become of a step."""
    return _TRIED.get(what, what)
