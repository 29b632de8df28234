"""Who is told: subscriptions and settings as the rules know them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Q

from apps.alerts.models import RIGHTS, AlertSettings, Subscription, When
from apps.alerts.rules import Facts, Quiet, Wish, digest_at, instant_at
from apps.common.conditions import ConditionError
from apps.common.schedule import Calendar
from apps.common.segments import segment_of
from apps.responses.models import Response
from apps.responses.selectors import visible, with_promise
from apps.triggers import segments

_BACKEND = "django.contrib.auth.backends.ModelBackend"


@dataclass(frozen=True, slots=True)
class Turn:
    """When something goes out, and as what."""

    at: datetime
    when: str


@dataclass(frozen=True, slots=True)
class Receiver:
    """A user or a team's channel."""

    user_id: int | None = None
    channel_id: int | None = None


def subscriptions_to(kinds: Collection[str]) -> list[Subscription]:
    """Active subscriptions to any of the kinds. Two queries at most; three with touchpoints."""
    found = Subscription.objects.filter(is_active=True, kinds__overlap=list(kinds))
    found = found.filter(Q(channel__isnull=False) | Q(user__is_active=True))
    return list(found.select_related("segment").prefetch_related("touchpoints"))


def receiver_of(row: Subscription) -> Receiver:
    """To whom a subscription's notices go."""
    return Receiver(channel_id=row.channel_id) if row.channel_id else Receiver(user_id=row.user_id)


def allowed(kind: str, user_ids: Collection[int]) -> set[int]:
    """Those of the users who may sign in and have the right to know of this kind. One query."""
    users: Any = get_user_model()._default_manager
    right = RIGHTS.get(kind)
    found = users.with_perm(right, backend=_BACKEND) if right else users.filter(is_active=True)
    return set(found.filter(pk__in=list(user_ids)).values_list("pk", flat=True))


def wishes_of(user_ids: Iterable[int]) -> dict[int, AlertSettings]:
    """The settings of users who have some. One query."""
    rows = AlertSettings.objects.filter(user__in=list(user_ids))
    return {row.user_id: row for row in rows}


def quiet_of(row: AlertSettings | None) -> Quiet:
    """The quiet hours as the rules know them."""
    if row is None:
        return Quiet()
    return Quiet(_minute(row.quiet_from), _minute(row.quiet_to), row.skip_weekends, row.skip_holidays)


def _minute(at: time | None) -> int:
    return at.hour * 60 + at.minute if at is not None else 0


def turn_of(row: Subscription, quiet: Quiet, calendar: Calendar, now: datetime) -> Turn:
    """When a notice of the subscription goes out. A team's channel knows no quiet hours."""
    if row.channel_id:
        quiet = Quiet()
    if row.when == When.INSTANT:
        return Turn(instant_at(now, quiet, calendar), row.when)
    weekday = row.weekday if row.when == When.WEEKLY else None
    return Turn(digest_at(now, hour=row.hour, weekday=weekday, quiet=quiet, calendar=calendar), row.when)


def facts_of(responses: Sequence[Response]) -> dict[UUID, Facts]:
    """What there is to know of those responses that may be shown; suspected ones may not. Two queries."""
    ids = [response.pk for response in responses]
    rows = with_promise(visible(Response.objects.filter(pk__in=ids, is_suspected=False)))
    names = ("pk", "score", "comment", "touchpoint_id", "survey_id", "contact_id", "is_promised")
    return {row["pk"]: _facts(row) for row in rows.values(*names)}


def _facts(row: Mapping[str, Any]) -> Facts:
    return Facts(
        score_segment="" if row["score"] is None else segment_of(row["score"]),
        comment=row["comment"],
        touchpoint_id=row["touchpoint_id"],
        survey_id=row["survey_id"],
        contact_id=row["contact_id"],
        is_anonymous=row["is_promised"],
    )


def wish_of(row: Subscription) -> Wish:
    """What the subscription is about, as the rules know it."""
    return Wish(
        row.score_segments, row.keywords, {one.pk for one in row.touchpoints.all()}, row.survey_id, row.segment_id
    )


def members_of(rows: Iterable[Subscription], facts: Iterable[Facts], now: datetime) -> dict[int, set[UUID]]:
    """Segment → those of the contacts that belong to it. One query per segment.

    A segment whose condition is broken has nobody in it: other subscriptions go on.
    """
    people = {one.contact_id for one in facts if one.contact_id is not None and not one.is_anonymous}
    found: dict[int, set[UUID]] = {}
    for segment in {row.segment for row in rows if row.segment is not None}:
        try:
            found[segment.pk] = segments.members(condition=segment.condition, of=people, now=now) if people else set()
        except ConditionError:
            found[segment.pk] = set()
    return found
