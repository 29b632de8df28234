"""Small pieces of the pages about cases."""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from apps.cases.models import Case
from apps.workspace.case_story import exact

register = template.Library()


@register.inclusion_tag("workspace/_case_due.html")
def due(case: Case, now: datetime) -> dict[str, Any]:
    """When something has to have happened, in words; what, if it is the first contact; and whether it is too late."""
    if case.closed_at is not None:
        return {
            "state": "closed",
            "at": case.closed_at,
            "words": date_format(timezone.localtime(case.closed_at), pgettext("date format", "j M Y")),
        }
    at, is_contact = next_due(case)
    state = "overdue" if at < now else "soon" if at - now < timedelta(hours=4) else "later"
    return {"state": state, "at": at, "words": in_words(at, now), "is_contact": is_contact, "exact": exact(at)}


def next_due(case: Case) -> tuple[datetime, bool]:
    """The first contact's due time while there was none, then that of the close; and which of them it is."""
    first = case.contact_due_at if case.first_contact_at is None else None
    return (first, True) if first is not None and first < case.due_at else (case.due_at, False)


def in_words(at: datetime, now: datetime) -> str:
    """A due time as somebody who has to keep to it says it: in 3 hours, tomorrow 09:00, 2 days overdue."""
    if at < now:
        return _late(now - at)
    if at - now < timedelta(hours=1):
        minutes = int((at - now).total_seconds() // 60)
        return ngettext("in %(n)d minute", "in %(n)d minutes", minutes) % {"n": minutes}
    local, today = timezone.localtime(at), timezone.localtime(now).date()
    clock = {"time": date_format(local, "H:i")}
    if local.date() == today:
        return _("today, %(time)s") % clock
    days = (local.date() - today).days
    if days == 1:
        return _("tomorrow, %(time)s") % clock
    return ngettext("in %(n)d day", "in %(n)d days", days) % {"n": days}


def _late(late: timedelta) -> str:
    minutes = int(late.total_seconds() // 60)
    if minutes < 60:
        return ngettext("%(n)d minute overdue", "%(n)d minutes overdue", minutes) % {"n": minutes}
    hours = minutes // 60
    if hours < 24:
        return ngettext("%(n)d hour overdue", "%(n)d hours overdue", hours) % {"n": hours}
    return ngettext("%(n)d day overdue", "%(n)d days overdue", hours // 24) % {"n": hours // 24}


@register.filter
def whose(case: Case) -> str:
    """The contact's name, or that nobody knows."""
    return str(case.contact) if case.contact is not None else _("Anonymous")


@register.filter
def initials(name: str) -> str:
    """Two letters for a person."""
    words = [word for word in name.replace(".", " ").split() if word]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()
