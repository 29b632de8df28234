"""The streams of messages by their names, and how the sending goes in words."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.campaigns.models import Campaign
from apps.messaging.holds import EVERYTHING
from apps.messaging.models.outbox import ANSWERS, ANSWERS_WANTED, TO_USERS
from apps.messaging.selectors import DeliveryState, Rest, StreamState
from apps.relays import services as relays
from apps.surveys.consent_mails import STREAM as CONSENT
from apps.surveys.models import Survey

OTHERS = _("Other messages")
PLATFORM = _("The platform's mail service")
OWN_NAMES: dict[str, Promise] = {
    CONSENT: _("Confirmation of consent"),
    TO_USERS: _("Alerts for users"),
    ANSWERS: _("Mails from cases"),
    ANSWERS_WANTED: _("Mails from cases that were asked for"),
}
MINUTE, HOUR, DAY = 1, 60, 1440


@dataclass(frozen=True, slots=True)
class StreamRow:
    """A stream as the delivery page shows it."""

    of: StreamState
    key: str
    name: str
    kind: str | Promise
    status: str
    """"paused", "sending", "waiting", or "" where nothing waits."""
    percent: int
    remaining: str
    can_pause: bool


def stream_groups() -> list[tuple[Promise, list[tuple[str, str]]]]:
    """All that can be paused on its own, as groups of (stream, name). Two queries."""
    surveys = [(f"survey:{row.pk}", str(row)) for row in Survey.objects.only("key", "name")]
    campaigns = [(f"campaign:{row.pk}", row.name) for row in Campaign.objects.only("name")]
    own = [(key, str(name)) for key, name in OWN_NAMES.items()]
    groups = ((_("Surveys"), surveys), (_("Campaigns"), campaigns), (_("Other"), own))
    return [(title, sorted(rows, key=lambda row: row[1].lower())) for title, rows in groups if rows]


def names_of(groups: list[tuple[Promise, list[tuple[str, str]]]]) -> dict[str, str]:
    """Stream → name."""
    return {stream: name for _title, rows in groups for stream, name in rows}


def name_of(stream: str, names: dict[str, str]) -> str:
    """The name of a stream; one whose survey or campaign is gone says so."""
    if not stream:
        return str(OTHERS)
    kind, _colon, number = stream.partition(":")
    gone = {"survey": gettext("Deleted survey %(number)s"), "campaign": gettext("Deleted campaign %(number)s")}
    return names.get(stream) or gone.get(kind, "%(number)s") % {"number": number or stream}


def is_deleted(stream: str) -> bool:
    """Whether it looks like a survey's or campaign's stream; one that is not among the known ones is gone."""
    return re.fullmatch(r"(survey|campaign):\d{1,18}", stream) is not None


def rows_of(state: DeliveryState, names: dict[str, str]) -> list[StreamRow]:
    """The streams, those in which most waits first."""
    return [_row(one, names, is_paused=state.pause is not None) for one in state.streams]


def rate_of(state: DeliveryState) -> int | None:
    """Messages per minute over all streams; None where nothing moved, or must not move."""
    if state.pause is not None:
        return None
    found = [one.pace.per_minute for one in state.streams if one.pace.per_minute is not None]
    return max(1, round(sum(found))) if found else None


def remaining_of(state: DeliveryState) -> str:
    """How long all that may go will take, from what was observed."""
    if state.pause is not None:
        return ""
    waits = sum(one.waiting + one.sending for one in state.streams if one.pause is None)
    pace = sum(one.pace.per_minute or 0 for one in state.streams if one.pause is None)
    return duration(waits / pace) if pace and waits else ""


def _row(one: StreamState, names: dict[str, str], *, is_paused: bool) -> StreamRow:
    kind = {"survey": _("Survey"), "campaign": _("Campaign")}.get(one.stream.partition(":")[0], "")
    held = is_paused or one.pause is not None
    goes = one.waiting + one.sending
    status = ("paused" if held else "sending" if one.sending or one.pace.per_minute else "waiting") if (
        one.unfinished or one.pause
    ) else ""  # fmt: skip
    remaining = duration(goes / one.pace.per_minute) if goes and one.pace.per_minute and not held else ""
    return StreamRow(
        of=one,
        key=one.stream.replace(":", "-") or "others",
        name=name_of(one.stream, names),
        kind=kind,
        status=status,
        # Only what is finished is 100 %.
        percent=min(99, 100 * one.pace.done // one.pace.total) if one.pace.total else 100,
        remaining=remaining,
        can_pause=one.stream != EVERYTHING,
    )


def duration(minutes: float) -> str:
    """A rough time in words."""
    if minutes < MINUTE:
        return gettext("less than a minute")
    if minutes < 1.5 * HOUR:
        count = round(minutes)
        return ngettext("about %(count)d minute", "about %(count)d minutes", count) % {"count": count}
    if minutes < 1.5 * DAY:
        count = round(minutes / HOUR)
        return ngettext("about %(count)d hour", "about %(count)d hours", count) % {"count": count}
    count = round(minutes / DAY)
    return ngettext("about %(count)d day", "about %(count)d days", count) % {"count": count}


def service_rests(rests: list[Rest]) -> list[tuple[str, datetime]]:
    """Resting mail services by a name that the tenant knows. One query if there is one."""
    names = dict(relays.choices()) if any(rest.name for rest in rests) else {}
    return [(names.get(rest.name) or str(PLATFORM), rest.until) for rest in rests]
