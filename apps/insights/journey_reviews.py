"""Looking at the journey map again: once a year, and when the business changed. Who looks after it is reminded."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet

from apps.alerts.models import RIGHTS, Kind
from apps.alerts.services import Occasion, tell
from apps.alerts.subscribers import allowed, subscriptions_to
from apps.common import agenda
from apps.contacts.ledger import home_calendar
from apps.insights.models import JourneyReview
from apps.touchpoints.models import Stage

QUEUE = "insights.map_reviews"
YEAR = timedelta(days=365)
SOON = timedelta(days=14)
AGAIN = timedelta(days=30)
_BACKEND = "django.contrib.auth.backends.ModelBackend"
_PATH = "/journey/review/"


class ReviewError(Exception):
    """Nothing was changed; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Due:
    """The review that is due next, as a banner tells of it."""

    review: JourneyReview
    days: int
    """Until it is due; negative: so many days late."""

    @property
    def is_late(self) -> bool:
        """Whether the day has passed."""
        return self.days < 0

    @property
    def days_late(self) -> int:
        """So many days late."""
        return max(0, -self.days)


def due_soon(*, now: datetime) -> Due | None:
    """The open review that is due within two weeks, or was. One query."""
    today = now.astimezone(UTC).date()
    row = _open().filter(due_on__lte=today + SOON).order_by("due_on", "pk").first()
    return Due(row, (row.due_on - today).days) if row is not None else None


def _open() -> QuerySet[JourneyReview]:
    return JourneyReview.objects.filter(done_at=None)


@transaction.atomic
def ask(*, note: str, by: AbstractBaseUser | None, now: datetime) -> JourneyReview:
    """The business changed: the map is to be looked at within two weeks. Raises ReviewError (“asked”, “no_map”)."""
    if not Stage.objects.exists():
        raise ReviewError("no_map")
    row, is_new = JourneyReview.objects.get_or_create(
        reason=JourneyReview.Reason.CHANGED, done_at=None,
        defaults={
            "note": note, "due_on": now.astimezone(UTC).date() + SOON, "created_at": now,
            "asked_by_id": by.pk if by is not None else None,
        },
    )  # fmt: skip
    if not is_new:
        raise ReviewError("asked")
    wake(now=now)
    return row


@transaction.atomic
def finish(*, review_id: int, finding: str, by: AbstractBaseUser | None, now: datetime) -> JourneyReview:
    """The map was looked at: note what was found; the next yearly review is due in a year.

    Raises ReviewError (“gone”, “done”).
    """
    rows = {row.pk: row for row in JourneyReview.objects.select_for_update().order_by("pk").filter(done_at=None)}
    row = rows.get(review_id)
    if row is None:
        raise ReviewError("done" if JourneyReview.objects.filter(pk=review_id).exists() else "gone")
    row.finding, row.done_at = finding, now
    row.done_by_id = by.pk if by is not None else None
    row.save(update_fields=["finding", "done_at", "done_by"])
    next_on = now.astimezone(UTC).date() + YEAR
    yearly = JourneyReview.Reason.YEARLY
    # Whoever looked because the business changed has looked at the whole map: the yearly one moves as well.
    moved = _open().filter(reason=yearly).update(due_on=next_on, reminded_on=None)
    if not moved:
        JourneyReview.objects.create(reason=yearly, due_on=next_on, created_at=now)
    wake(now=now)
    return row


def wake(*, now: datetime) -> None:
    """Have the queue look when it has next something to do."""
    due_at = next_due(now=now)
    if due_at is not None:
        agenda.wake(queue=QUEUE, due_at=due_at, now=now)


def next_due(*, now: datetime) -> datetime | None:
    """When somebody is to be reminded next; now if the map has no yearly review yet; None without a map."""
    zone = ZoneInfo(home_calendar().zone)
    rows = list(_open().values_list("reason", "due_on", "reminded_on"))
    if all(reason != JourneyReview.Reason.YEARLY for reason, _due, _reminded in rows) and Stage.objects.exists():
        return now
    days = [_turn(due_on, reminded_on) for _reason, due_on, reminded_on in rows]
    return datetime.combine(min(days), time(), zone) if days else None


def _turn(due_on: date, reminded_on: date | None) -> date:
    """The day of the next reminder: when it falls due, then every thirty days."""
    return max(due_on, reminded_on + AGAIN) if reminded_on is not None else due_on


def remind_due(*, now: datetime) -> int:
    """Make the yearly review of a map that has none, and remind of what is due; returns how many there were."""
    with transaction.atomic():
        return _begin(now) + _remind(now)


def _begin(now: datetime) -> int:
    """The first review is due a year after the map was made, which is when it is first seen here."""
    if not Stage.objects.exists():
        return 0
    _row, is_new = JourneyReview.objects.get_or_create(
        reason=JourneyReview.Reason.YEARLY, done_at=None,
        defaults={"due_on": now.astimezone(UTC).date() + YEAR, "created_at": now},
    )  # fmt: skip
    return int(is_new)


def _remind(now: datetime) -> int:
    today = now.astimezone(ZoneInfo(home_calendar().zone)).date()
    rows = [
        row
        for row in _open().select_for_update(skip_locked=True).order_by("pk")
        if _turn(row.due_on, row.reminded_on) <= today
    ]
    if not rows:
        return 0
    users = _keepers()
    for row in rows:
        row.reminded_on = today
    JourneyReview.objects.bulk_update(rows, ["reminded_on"])
    tell(occasions=[_occasion(row, users, today) for row in rows], now=now)
    return len(rows)


def _occasion(row: JourneyReview, users: set[int], today: date) -> Occasion:
    values = {"due": row.due_on.isoformat(), "said": row.note}
    reason = f"map_review:{row.pk}:{today.isoformat()}"
    return Occasion(kind=Kind.MAP_REVIEW, reason=reason, user_ids=users, values=values, path=_PATH)


def _keepers() -> set[int]:
    """Whom it concerns if nobody subscribed to it: staff who may change touchpoints."""
    wanted = subscriptions_to([Kind.MAP_REVIEW])
    own = {row.user_id for row in wanted if not row.channel_id}
    if any(row.channel_id for row in wanted) or (own and allowed(Kind.MAP_REVIEW, own)):
        return set()
    users = get_user_model()._default_manager
    found = users.with_perm(RIGHTS[Kind.MAP_REVIEW], backend=_BACKEND)
    return set(found.filter(is_active=True, is_staff=True).values_list("pk", flat=True))
