"""Writing down what is to be told: a notice per receiver and reason, which a drain takes and sends."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction

from apps.alerts import subscribers
from apps.alerts.models import PERSONAL, AlertSettings, Kind, Notice, Subscription, When
from apps.alerts.models.kinds import WORKING_HOURS
from apps.alerts.rules import Facts, digest_at, fits, instant_at
from apps.alerts.subscribers import Receiver, Turn
from apps.common import agenda
from apps.common.ids import uuid7
from apps.common.schedule import Calendar
from apps.contacts import ledger
from apps.responses.models import Response

DELIVER_QUEUE = "alerts.deliver"
POST_QUEUE = "alerts.post"
MAX_VALUE = 2000
"""So many characters of a value are told."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something users are told: a case was given to somebody, is due, was escalated; a mention; vouchers run low;
    the journey map is to be looked at.

    ``reason`` is unique: one reason, one receiver, one notice. ``values`` are plain text: ``contact``, ``company``,
    ``score``, ``comment``, ``touchpoint``, ``said`` (in a mail), ``due``, ``by``, ``pool``, ``left``, ``campaign``,
    ``error`` as they apply.
    """

    kind: str
    reason: str
    user_ids: Collection[int]
    """Whom it concerns personally; empty: those who subscribed to the kind."""
    values: Mapping[str, str]
    path: str
    """The page in the workspace, e.g. ``/cases/<id>/``."""
    response_id: UUID | None = None
    """The response it is about, if any: when that is erased or suspected before the notice leaves, nobody is told."""


@transaction.atomic
def about_responses(*, responses: Sequence[Response], now: datetime) -> None:
    """Write notices for everybody whose subscriptions fit these responses.

    Set-wise: a bounded number of queries, and one per segment in use. A response that comes again is told of once
    more only if its score lies in another segment than before.
    """
    wanted = subscribers.subscriptions_to([Kind.RESPONSE]) if responses else []
    if not wanted:
        return
    facts = subscribers.facts_of(responses)
    may = subscribers.allowed(Kind.RESPONSE, {row.user_id for row in wanted if not row.channel_id})
    wanted = [row for row in wanted if row.channel_id or row.user_id in may]
    if not wanted or not facts:
        return
    members = subscribers.members_of(wanted, facts.values(), now)
    turns = _turns(wanted, now)
    rows = []
    for response_id, told in facts.items():
        fitting = [row for row in wanted if fits(subscribers.wish_of(row), told, members)]
        for receiver, turn in _earliest((subscribers.receiver_of(row), turns[row.pk]) for row in fitting).items():
            rows.append(_about(response_id, told, receiver, turn, now))
    _store(rows, now)


def _turns(rows: Sequence[Subscription], now: datetime) -> dict[int, Turn]:
    """When each subscription's notices go out. Two queries."""
    calendar = ledger.home_calendar()
    wishes = subscribers.wishes_of({row.user_id for row in rows})
    return {
        row.pk: subscribers.turn_of(row, subscribers.quiet_of(wishes.get(row.user_id)), calendar, now) for row in rows
    }


def _earliest(turns: Iterable[tuple[Receiver, Turn]]) -> dict[Receiver, Turn]:
    """One turn per receiver, the earliest: who wants something at once needs no summary of it."""
    found: dict[Receiver, Turn] = {}
    for receiver, turn in turns:
        if receiver not in found or turn.at < found[receiver].at:
            found[receiver] = turn
    return found


def _about(response_id: UUID, told: Facts, receiver: Receiver, turn: Turn, now: datetime) -> Notice:
    reason = f"response:{response_id}:{told.score_segment or 'none'}"
    return Notice(
        id=uuid7(), user_id=receiver.user_id, channel_id=receiver.channel_id, kind=Kind.RESPONSE, reason=reason,
        response_id=response_id, path=f"/responses/{response_id}/", when=turn.when, due_at=turn.at, created_at=now,
    )  # fmt: skip


@transaction.atomic
def tell(*, occasions: Sequence[Occasion], now: datetime) -> None:
    """Write notices of these occasions for those they concern, and for those who subscribed to their kind.

    What concerns users personally reaches them as their settings say. Set-wise, a bounded number of queries.
    """
    if not occasions:
        return
    about = {occasion.response_id for occasion in occasions if occasion.response_id is not None}
    there = set(Response.objects.filter(pk__in=about).values_list("pk", flat=True)) if about else set()
    occasions = [one for one in occasions if one.response_id is None or one.response_id in there]
    wanted = subscribers.subscriptions_to({occasion.kind for occasion in occasions})
    named = {user_id for occasion in occasions for user_id in occasion.user_ids}
    users = get_user_model()._default_manager.filter(pk__in=named, is_active=True)
    active = set(users.values_list("pk", flat=True)) if named else set()
    wishes = subscribers.wishes_of(active)
    calendar = ledger.home_calendar()
    turns = _turns(wanted, now)
    rows = []
    for occasion in occasions:
        own = [
            (Receiver(user_id=pk), turn)
            for pk in sorted(active.intersection(occasion.user_ids))
            if (turn := _personal(occasion.kind, wishes.get(pk), calendar, now)) is not None
        ]
        others = [(subscribers.receiver_of(row), turns[row.pk]) for row in wanted if occasion.kind in row.kinds]
        rows += [_of(occasion, receiver, turn, now) for receiver, turn in _earliest([*own, *others]).items()]
    _store(rows, now)


def _personal(kind: str, row: AlertSettings | None, calendar: Calendar, now: datetime) -> Turn | None:
    """When what concerns a user personally reaches them; None: they do not want it."""
    quiet = subscribers.quiet_of(row)
    if row is not None and kind in PERSONAL and row.personal == AlertSettings.Personal.OFF:
        return None
    if row is not None and kind in PERSONAL and row.personal == AlertSettings.Personal.DIGEST:
        at = digest_at(now, hour=row.digest_hour, weekday=None, quiet=quiet, calendar=calendar)
        return Turn(at, When.DAILY)
    return Turn(instant_at(now, quiet, calendar, within_work=kind in WORKING_HOURS), When.INSTANT)


def _of(occasion: Occasion, receiver: Receiver, turn: Turn, now: datetime) -> Notice:
    values = {name: str(value).replace("\x00", "")[:MAX_VALUE] for name, value in occasion.values.items()}
    return Notice(
        id=uuid7(), user_id=receiver.user_id, channel_id=receiver.channel_id, kind=occasion.kind,
        reason=occasion.reason[:200], response_id=occasion.response_id, values=values, path=occasion.path[:300],
        when=turn.when, due_at=turn.at, created_at=now,
    )  # fmt: skip


def _store(rows: Sequence[Notice], now: datetime) -> None:
    """Save what is not there yet, and have it sent when it is due."""
    if not rows:
        return
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    for queue, found in (
        (DELIVER_QUEUE, [row.due_at for row in rows if row.user_id]),
        (POST_QUEUE, [row.due_at for row in rows if row.channel_id]),
    ):
        if found:
            agenda.wake(queue=queue, due_at=min(found), now=now)
