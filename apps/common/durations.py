"""Time spans as people write them: “3 days”, “90 minutes”, “1 day 12 hours”."""

import re
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_duration as parse_clock
from django.utils.duration import duration_string
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

_SECONDS = {"week": 604_800, "day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
# Everything an interface language writes for a unit must be read back, or a form could not be saved again.
_WORDS = {
    **dict.fromkeys(("w", "week", "weeks", "woche", "wochen"), "week"),
    **dict.fromkeys(("d", "day", "days", "tag", "tage", "tagen"), "day"),
    **dict.fromkeys(("h", "hour", "hours", "hrs", "std", "stunde", "stunden"), "hour"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "minuten"), "minute"),
    **dict.fromkeys(("s", "sec", "secs", "sek", "second", "seconds", "sekunde", "sekunden"), "second"),
}
_PART = re.compile(r"(\d{1,9})\s*([a-z]+)\.?(?:\s*(?:,|and|und)\s*|\s+|\Z)")


def parse_duration(text: str) -> timedelta | None:
    """The span a text names, or None. Understands units in English and German, and “3 00:00:00”."""
    wanted = text.strip().lower()
    if wanted == "0":
        return timedelta(0)
    total, position = 0, 0
    while found := _PART.match(wanted, position):
        unit = _WORDS.get(found[2])
        if unit is None:
            return None
        total += int(found[1]) * _SECONDS[unit]
        position = found.end()
    if position and position == len(wanted):
        return timedelta(seconds=total) if total <= timedelta.max.total_seconds() else None
    return _parse_clock(wanted)


def _parse_clock(text: str) -> timedelta | None:
    """Django's own forms (“3 00:00:00”, ISO 8601); a bare number is refused, since its unit is anybody's guess."""
    if not re.search(r"\d", text) or re.fullmatch(r"[-+]?[\d.,]+", text):
        return None
    try:
        return parse_clock(text.upper() if text.startswith("p") else text)
    except OverflowError:
        return None


def format_duration(span: timedelta) -> str:
    """The span in words, in the current language; ``parse_duration`` reads every result back."""
    seconds = span // timedelta(seconds=1)
    if seconds < 0 or span.microseconds:
        return duration_string(span)
    for unit in ("day", "hour", "minute", "second"):
        count, rest = divmod(seconds, _SECONDS[unit])
        if rest == 0 and (0 < count <= 120 or unit == "day"):
            return _count(unit, count)
    parts = []
    for unit in ("day", "hour", "minute", "second"):
        count, seconds = divmod(seconds, _SECONDS[unit])
        if count:
            parts.append(_count(unit, count))
    return " ".join(parts)


def _count(unit: str, count: int) -> str:
    """“1 day”, “3 days”."""
    forms_ = {
        "day": ngettext("%(count)d day", "%(count)d days", count),
        "hour": ngettext("%(count)d hour", "%(count)d hours", count),
        "minute": ngettext("%(count)d minute", "%(count)d minutes", count),
        "second": ngettext("%(count)d second", "%(count)d seconds", count),
    }
    return forms_[unit] % {"count": count}


class DurationFormField(forms.DurationField):
    """An input that takes and shows a span in words."""

    default_error_messages = {
        "invalid": _("Write a number and a unit, such as “3 days”, “2 hours” or “45 seconds”."),
        "too_short": _("At least %(limit)s."),
        "too_long": _("At most %(limit)s."),
    }

    def __init__(
        self, *, min_value: timedelta | None = None, max_value: timedelta | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.min_value = min_value
        self.max_value = max_value

    def prepare_value(self, value: Any) -> Any:
        return format_duration(value) if isinstance(value, timedelta) else value

    def to_python(self, value: Any) -> timedelta | None:
        if value in self.empty_values:
            return None
        if isinstance(value, timedelta):
            return value
        span = parse_duration(str(value))
        if span is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return span

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is None:
            return
        if self.min_value is not None and value < self.min_value:
            self._refuse("too_short", self.min_value)
        if self.max_value is not None and value > self.max_value:
            self._refuse("too_long", self.max_value)

    def _refuse(self, code: str, limit: timedelta) -> None:
        raise ValidationError(self.error_messages[code], code=code, params={"limit": format_duration(limit)})
