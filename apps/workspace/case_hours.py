"""The hours in which due times count, in words."""

from collections.abc import Collection

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _

from apps.cases.policy import Terms


def in_words(terms: Terms) -> str:
    """For example: Mon–Fri 09:00–17:00, Europe/Berlin, without public holidays."""
    if not terms.windows:
        return _("Due times run around the clock.")
    spans = "; ".join(f"{_days(w.days)} {_clock(w.opens_min)}–{_clock(w.closes_min)}" for w in terms.windows)
    told = {"spans": spans, "zone": terms.calendar.zone}
    if terms.skip_holidays and terms.calendar.country:
        return _("Due times count working hours only: %(spans)s (%(zone)s), without public holidays.") % told
    return _("Due times count working hours only: %(spans)s (%(zone)s).") % told


def _days(days: Collection[int]) -> str:
    """Neighbouring days as a span: Mon–Fri."""
    found = sorted(days)
    if len(found) > 2 and found[-1] - found[0] == len(found) - 1:
        return f"{WEEKDAYS_ABBR[found[0]]}–{WEEKDAYS_ABBR[found[-1]]}"
    return ", ".join(str(WEEKDAYS_ABBR[day]) for day in found)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
