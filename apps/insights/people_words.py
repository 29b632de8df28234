"""Reasons and next actions of the lists of people as sentences in the reader's language."""

from collections.abc import Callable
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from apps.insights import people
from apps.insights import people_reasons as reasons
from apps.insights.people_reasons import Person, Reason

TITLES: dict[str, Promise] = {
    people.AT_RISK: gettext_lazy("At risk"),
    people.ADVOCATES: gettext_lazy("Advocates"),
    people.SILENT: gettext_lazy("Silent"),
}
MEANINGS: dict[str, Promise] = {
    people.AT_RISK: gettext_lazy(
        "Whose last score of the last 12 months is 0–6, or at least 3 points below the one before (and at most 8); or "
        "whose case was lost (and who has not given 9 or 10 since), or is overdue."
    ),
    people.ADVOCATES: gettext_lazy(
        "Who gave 9 or 10 twice in a row, or the last time with a comment: within the last 12 months, and without a "
        "case that is overdue or was lost since."
    ),
    people.SILENT: gettext_lazy(
        "Who got at least two invitations within the last 12 months (those of the last 7 days not counted) and has "
        "never answered anything."
    ),
}
"""Who is in a list, as the page says it."""
SIGNS: dict[str, Promise] = {
    people.LOW_SCORE: gettext_lazy("Gave 0–6"),
    people.FELL: gettext_lazy("Fell by 3 or more"),
    people.CASE_LOST: gettext_lazy("Case lost"),
    people.CASE_OVERDUE: gettext_lazy("Case overdue"),
    people.TWICE_HIGH: gettext_lazy("9 or 10 twice in a row"),
    people.HIGH_WITH_WORDS: gettext_lazy("9 or 10 with a comment"),
}
"""What a list can be narrowed to."""
ACTIONS: dict[str, Promise] = {
    reasons.GO_ON: gettext_lazy("Go on with the open case."),
    reasons.OPEN_CASE: gettext_lazy("Open a case and get in touch."),
    reasons.WIN_BACK: gettext_lazy("Win them back: read how the case was lost, then call."),
    reasons.ASK_AGAIN: gettext_lazy("The case of this answer is closed: ask whether it is all right now."),
    reasons.CALL: gettext_lazy("They may not be written to: call."),
    reasons.ASK_REVIEW: gettext_lazy("Ask for a review or a referral."),
    reasons.THANK_BY_CALL: gettext_lazy("They may not be written to: thank them when you call."),
    reasons.OTHER_CHANNEL: gettext_lazy("Ask by text message instead of e-mail."),
    reasons.OTHER_TIME: gettext_lazy("Ask at another time or touchpoint."),
    reasons.ASK_LESS: gettext_lazy("Ask less often, or take them out of the segment that is asked."),
    reasons.NOTHING: gettext_lazy("They may not be written to: leave them in peace."),
}


def day(at: datetime) -> str:
    """A day by the reader's clock."""
    return date_format(timezone.localtime(at), pgettext("date format", "j M Y"))


def sentence(reason: Reason) -> str:
    """A reason with its figure and its day."""
    return _SENTENCES[reason.code](reason)


def _low(reason: Reason) -> str:
    values = {"score": reason.score, "day": day(reason.at), "place": reason.touchpoint}
    if reason.touchpoint is None:
        return _("gave %(score)s on %(day)s") % values
    return _("gave %(score)s on %(day)s at “%(place)s”") % values


def _unanswered(reason: Reason) -> str:
    number = reason.number or 0
    text = ngettext(
        "%(n)d invitation unanswered, last asked on %(day)s",
        "%(n)d invitations unanswered, last asked on %(day)s",
        number,
    )
    return text % {"n": number, "day": day(reason.at)}


def _overdue(reason: Reason) -> str:
    number = reason.number or 0
    if not number:
        return _("case overdue for less than a day")
    return ngettext("case overdue %(n)d day", "case overdue %(n)d days", number) % {"n": number}


_SENTENCES: dict[str, Callable[[Reason], str]] = {
    people.LOW_SCORE: _low,
    people.FELL: lambda one: _("fell from %(before)s to %(score)s") % {"before": one.before, "score": one.score},
    people.CASE_LOST: lambda one: _("case lost on %(day)s") % {"day": day(one.at)},
    people.CASE_OVERDUE: _overdue,
    people.TWICE_HIGH: lambda one: (
        _("gave %(before)s and then %(score)s, last on %(day)s")
        % {"before": one.before, "score": one.score, "day": day(one.at)}
    ),
    people.HIGH_WITH_WORDS: lambda one: (
        _("gave %(score)s with a comment on %(day)s") % {"score": one.score, "day": day(one.at)}
    ),
    reasons.UNANSWERED: _unanswered,
}


def next_action(person: Person) -> str:
    """What to do next."""
    return str(ACTIONS[person.action])
