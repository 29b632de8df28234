"""Small pieces of the workspace's pages."""

from datetime import UTC, date, datetime
from typing import Any

from django import template
from django.contrib.auth.models import AbstractUser
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext_lazy as _

from apps.campaigns.wording import STEP_ICONS, STEPS
from apps.common.texts import FALLBACK
from apps.common.texts import localized as pick
from apps.insights.nps import Nps, segment_of
from apps.messaging.selectors import everything_paused
from apps.triggers.reasons import sentence
from apps.workspace.hook_previews import in_words
from apps.workspace.wording import skipped_in_words, suspicion_in_words

register = template.Library()

PAUSE_KEY = "workspace.everything_paused"
PAUSE_SECONDS = 5
RIGHTS_SECONDS = 60

SEGMENT_NAMES = {"promoter": _("Promoter"), "passive": _("Passive"), "detractor": _("Detractor")}
SEGMENTS_NAMES = {"promoter": _("Promoters"), "passive": _("Passives"), "detractor": _("Detractors")}


@register.filter
def signed(value: float | None) -> str:
    """A rounded score with its sign: +12, −3, 0; a dash for none."""
    if value is None:
        return "–"
    rounded = round(value)
    return f"+{rounded}" if rounded > 0 else str(rounded).replace("-", "−")


@register.filter
def rounded(value: float | None) -> str:
    """A rounded number; a dash for none."""
    return "–" if value is None else str(round(value)).replace("-", "−")


@register.filter
def share(value: float) -> str:
    """A share in percent: 31.4 %."""
    return f"{number_format(round(100 * value, 1), 1)}\u00a0%"


@register.filter
def points(value: float) -> str:
    """A difference of shares with its sign: +2.1 percentage points."""
    number = str(number_format(round(abs(100 * value), 1), 1))
    sign = "" if round(100 * value, 1) == 0 else "+" if value > 0 else "−"
    return str(_("%(number)s percentage points")) % {"number": f"{sign}{number}"}


@register.filter
def grouped(value: int) -> str:
    """A count the way the reader's language writes it: 5,596 or 5.596."""
    return str(number_format(value, force_grouping=True))


@register.filter
def person(user: AbstractUser) -> str:
    """A user's name, or what they sign in with."""
    return user.get_full_name() or user.get_username()


@register.filter
def since(moment: datetime, now: datetime) -> str:
    """How long ago, in its largest unit."""
    return timesince(moment, now, depth=1)


@register.filter
def of(part: int, whole: int) -> int:
    """Percent, rounded; 0 of nothing is 0."""
    return round(100 * part / whole) if whole else 0


@register.filter
def localized(texts: dict[str, str]) -> str:
    """A text kept per language, in the reader's."""
    return pick(texts, get_language() or FALLBACK)


@register.filter
def pairs(properties: Any) -> list[tuple[str, Any]]:
    """Names and values of properties. (``.items`` in a template would find a property of that name.)"""
    return list(properties.items()) if isinstance(properties, dict) else []


@register.filter
def reason(code: str) -> str | Promise:
    """A reason code as a sentence."""
    return sentence(code)


@register.simple_tag
def when(moment: datetime | None) -> SafeString | str:
    """A time in the reader's language."""
    if moment is None:
        return "–"
    local = timezone.localtime(moment)
    shown = date_format(local, pgettext("date format", "j M Y, H:i"))
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), shown)


@register.filter
def suspicion(code: str) -> str | Promise:
    """What speaks against a human, as a sentence."""
    return suspicion_in_words(code)


@register.filter
def skipped(code: str) -> str | Promise:
    """Why a step was not taken, as a sentence."""
    return skipped_in_words(code)


@register.filter
def step_kind(kind: str) -> str | Promise:
    """What a step of a campaign does."""
    return STEPS.get(kind, kind)


@register.simple_tag
def step_icon(kind: str) -> str:
    """The icon of a kind of step."""
    return STEP_ICONS.get(kind, "circle")


@register.filter
def day_of(moment: datetime) -> SafeString:
    """The day of a time that is kept to the day: as it was noted, whatever the reader's time zone."""
    noted = moment.astimezone(UTC).date()
    return format_html('<time datetime="{}">{}</time>', noted.isoformat(), day(noted))


@register.inclusion_tag("workspace/_score.html")
def score(value: int | None) -> dict[str, Any]:
    """A score with the colour and shape of its segment; a dash where the question was skipped or not asked."""
    if value is None:
        return {"score": "–", "segment": "none", "segment_name": _("No score")}
    segment = segment_of(value)
    return {"score": value, "segment": segment, "segment_name": SEGMENT_NAMES[segment]}


@register.inclusion_tag("workspace/_mark.html")
def mark(segment: str) -> dict[str, str]:
    """The shape of a segment: up, level, down."""
    return {"segment": segment}


@register.inclusion_tag("workspace/_shares.html")
def shares(figures: Nps, *, legend: bool = True) -> dict[str, Any]:
    """The three segments side by side as a bar."""
    counts, start, bars = figures.counts, 0.0, []
    numbers = (counts.promoters, counts.passives, counts.detractors)
    for segment, share, number in zip(SEGMENT_NAMES, figures.shares, numbers, strict=True):
        # Strings: templates would write numbers the way the reader's language does.
        bar = {"segment": segment, "name": SEGMENTS_NAMES[segment], "number": number, "percent": round(share)}
        bars.append({**bar, "x": f"{start:.2f}%", "width": f"{share:.2f}%"})
        start += share
    return {"bars": bars, "legend": legend, "n": figures.n}


@register.inclusion_tag("workspace/_nav_link.html", takes_context=True)
def nav_link(context: dict[str, Any], name: str, icon: str, label: str, also: str = "") -> dict[str, Any]:
    """A link of the main navigation, marked when its section is shown; ``also``: names of pages that belong to it."""
    url = reverse(f"workspace:{name}")
    path = context["request"].path
    within = path == url if name == "dashboard" else path.startswith(url)
    current = within or any(path.startswith(reverse(f"workspace:{other}")) for other in also.split())
    return {"url": url, "icon": icon, "label": label, "current": current}


@register.simple_tag(takes_context=True)
def may(context: dict[str, Any], right: str) -> bool:
    """Whether a link is worth showing. Looked up once a minute, not for every page: what it leads to checks anew."""
    user = context["request"].user
    if user.is_superuser:
        return bool(user.is_active)
    rights = cache.get_or_set(f"workspace.rights.{user.pk}", user.get_all_permissions, RIGHTS_SECONDS)
    return right in (rights or ())


@register.inclusion_tag("workspace/_paused.html")
def paused_banner() -> dict[str, Any]:
    """While everything is paused: who did it when. Looked up every few seconds, not for every page."""
    # None would count as not remembered.
    found = cache.get_or_set(PAUSE_KEY, lambda: everything_paused() or False, PAUSE_SECONDS)
    return {"pause": found or None}


@register.filter
def day(value: date) -> str:
    """A day in the reader's language."""
    return str(date_format(value, pgettext("date format", "j M Y")))


@register.filter
def short_day(value: date) -> str:
    """A day without its year, for a chart's axis."""
    return str(date_format(value, pgettext("date format", "j M")))


@register.filter
def hook_error(stored: Any) -> str:
    """The first problem of a hook's last message, in words."""
    told = in_words(stored[:1])
    return f"{told[0].field}: {told[0].sentence}" if told else ""
