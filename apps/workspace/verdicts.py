"""What may be said of a difference, in one plain sentence that goes on after a figure."""

from collections.abc import Mapping

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.insights.differences import Change
from apps.insights.effects import Effect
from apps.insights.influence import HELPS, Association

NPS, CSAT, CES = "nps", "csat", "ces"
_DIGITS: Mapping[str, int] = {NPS: 0, CSAT: 0, CES: 1}
"""Behind the point; more where something clear would look like nothing."""
_NARROW: Mapping[str, float] = {NPS: 5, CSAT: 5, CES: 0.3}
"""An interval that reaches no further than this from none leaves room for no step that anybody would act on."""


def change_in_words(change: Change | None, kind: str = NPS) -> str:
    """“up 6, likely real”, “down 6: could be chance”. ``kind``: of which score, for its unit and digits."""
    if change is None:
        return _("too few answers to say")
    points = _points(change, kind)
    if not points:
        if _is_narrow(change, kind):
            return _("practically unchanged")
        return _("no difference seen, but up to ± %(points)s is possible") % {"points": _size(_at_most(change), kind)}
    if change.is_clear:
        found = _("up %(points)s, likely real") if change.delta > 0 else _("down %(points)s, likely real")
    else:
        found = _("up %(points)s: could be chance") if change.delta > 0 else _("down %(points)s: could be chance")
    return found % {"points": points}


def effect_in_words(effect: Effect | None, kind: str = NPS) -> str:
    """“6 better than where nothing was changed, likely real”. ``kind``: as with a change."""
    if effect is None:
        return _("too few answers to say")
    points = _points(effect.net, kind)
    if not points:
        if _is_narrow(effect.net, kind):
            return _("practically the same as where nothing was changed")
        found = _("the same as where nothing was changed, but up to ± %(points)s is possible")
        return found % {"points": _size(_at_most(effect.net), kind)}
    if effect.is_clear:
        better = _("%(points)s better than where nothing was changed, likely real")
        worse = _("%(points)s worse than where nothing was changed, likely real")
    else:
        better = _("%(points)s better than where nothing was changed: could be chance")
        worse = _("%(points)s worse than where nothing was changed: could be chance")
    return (better if effect.delta > 0 else worse) % {"points": points}


def influence_in_words(found: Association) -> str:
    """Whether the score at a touchpoint helps to tell what the same contacts say of the whole later."""
    if found.too_few:
        return _("too few contacts to say")
    if found.verdict != HELPS:
        return _("could be chance")
    if (found.r or 0.0) > 0:
        return _("helps to tell: who is happier here is happier later")
    return _("helps to tell, the other way round: who is happier here is less happy later")


def _points(change: Change, kind: str) -> str:
    """How far, without its sign; "" if that is nothing to speak of."""
    size, digits = abs(change.delta), _DIGITS[kind]
    while change.is_clear and not round(size, digits):
        digits += 1
    return _size(size, kind, digits) if round(size, digits) else ""


def _at_most(change: Change) -> float:
    """How far from none the interval reaches."""
    return max(abs(change.low), abs(change.high))


def _is_narrow(change: Change, kind: str) -> bool:
    """Whether nothing worth speaking of can hide behind a step of about nothing."""
    return _at_most(change) <= _NARROW[kind]


def _size(size: float, kind: str, digits: int | None = None) -> str:
    """In the unit of the score."""
    digits = _DIGITS[kind] if digits is None else digits
    size = round(size, digits)
    number = str(number_format(size, digits))
    if kind != CSAT:
        return number
    # Anything but a whole one takes the plural.
    named = ngettext("%(number)s percentage point", "%(number)s percentage points", 1 if size == 1 else 2)
    return named % {"number": number}
