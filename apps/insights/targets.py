"""Targets: set, changed, dropped, met; each one met proposes the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.common import agenda
from apps.insights import figures, goals
from apps.insights.models import Target
from apps.insights.nps import Nps
from apps.insights.slices import Period, Slice
from apps.insights.windows import Days, counted

QUEUE = "insights.check_targets"
LIMIT = 500
CHECKED_AT = time(0, 30)
"""When, each day by UTC, it is looked which targets are met: yesterday is whole then."""


class TargetError(Exception):
    """It cannot be done; ``code`` says why: "open_exists", "already_met", "ended", "followed", "not_met"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class State:
    """How an open target stands today; of one that ended: how it ended."""

    target: Target
    figures: Nps | None
    """Of today; None of a target that ended."""
    standing: str
    """``too_few``, ``below``, ``reached``, ``met`` or ``dropped``."""
    is_late: bool
    """Its day is over and it is not met."""
    proposal: int | None
    """The goal that could come next, of a target that is met and has no next one yet."""

    @property
    def is_open(self) -> bool:
        """Whether it is still to be met."""
        return self.target.status == Target.Status.OPEN

    @property
    def missing(self) -> float | None:
        """Points up to the goal; None if they are reached, or if there are too few answers."""
        if self.figures is None or self.standing != goals.BELOW or self.figures.score is None:
            return None
        return self.target.goal - self.figures.score

    @property
    def points_to_go(self) -> int | None:
        """The same in whole points, as the rounded score beside it says; what is missing is never told as nothing."""
        if self.missing is None or self.figures is None or self.figures.score is None:
            return None
        return max(1, self.target.goal - round(self.figures.score))

    @property
    def way(self) -> float | None:
        """How much of the way from where it began is done, 0 to 1; None where that is not known."""
        start, found = self.target.start_score, self.figures
        if found is None or found.too_few or found.score is None or start is None or start >= self.target.goal:
            return None
        return min(1.0, max(0.0, (found.score - start) / (self.target.goal - start)))


def states(rows: Sequence[Target], *, now: datetime) -> list[State]:
    """How each stands. Three queries at most; ``next`` should be loaded along."""
    today = _day(now)
    scores = _scores([row for row in rows if row.status == Target.Status.OPEN], today=today, now=now)
    return [_state(row, scores.get(row.pk), today) for row in rows]


def _state(row: Target, found: Nps | None, today: date) -> State:
    status = Target.Status(row.status)
    standing = goals.standing(found, row.goal, days=row.days) if found is not None else status.value
    is_late = status == Target.Status.OPEN and row.due_on is not None and row.due_on < today and standing != goals.MET
    proposal = None
    if standing == goals.MET and not hasattr(row, "next"):
        proposal = row.proposed if found is None else goals.next_goal(found, row.goal)
    return State(row, found, standing, is_late, proposal)


def at(*, touchpoint_id: int | None, now: datetime) -> State | None:
    """The open target of a touchpoint, or over everything; else the last one that was met and has no next yet."""
    rows = Target.objects.filter(touchpoint=touchpoint_id).select_related("touchpoint", "next")
    wanted = Q(status=Target.Status.OPEN) | Q(status=Target.Status.MET, next__isnull=True)
    # “open” comes after “met”.
    row = rows.filter(wanted).order_by("-status", "-ended_on", "-pk").first()
    return states([row], now=now)[0] if row else None


def everywhere(*, now: datetime) -> dict[int, State]:
    """The open target of each touchpoint that has one, by the touchpoint's id. Three queries."""
    rows = Target.objects.filter(status=Target.Status.OPEN, touchpoint__isnull=False).select_related("next")
    found = states(list(rows), now=now)
    return {state.target.touchpoint_id: state for state in found if state.target.touchpoint_id is not None}


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()


def _scores(rows: Sequence[Target], *, today: date, now: datetime) -> dict[int, Nps]:
    """The score of each one's days up to today, by its id."""
    if not rows:
        return {}
    period = Period.last(max(row.days for row in rows), today=today)
    days = Days(figures.by_day(wanted=Slice(), period=period, cut="touchpoint", now=now))
    return {row.pk: counted(days.at(row.touchpoint_id), Period.last(row.days, today=today)) for row in rows}


def score_of(*, touchpoint_id: int | None, days: int, until: date, now: datetime) -> Nps:
    """The score of so many days up to and with one."""
    period = Period.last(days, today=until)
    found = Days(figures.by_day(wanted=Slice(), period=period, cut="touchpoint", now=now))
    return counted(found.at(touchpoint_id), period)


# --- doing --------------------------------------------------------------------------------------------


def set_target(
    *, touchpoint_id: int | None, goal: int, days: int, due_on: date | None, by: User | None, now: datetime,
    follows_id: int | None = None,
) -> Target:  # fmt: skip
    """A new target, which begins with the score of today. Raises TargetError and ValidationError.

    ``follows_id``: the one before it at the same place; it has to be met, and ends if it has not yet.
    """
    found = score_of(touchpoint_id=touchpoint_id, days=days, until=_day(now), now=now)
    if goals.standing(found, goal, days=days) == goals.MET:
        raise TargetError("already_met")
    row = Target(
        touchpoint_id=touchpoint_id, goal=goal, days=days, due_on=due_on, follows_id=follows_id, created_by=by,
        created_at=now, start_score=_told(found), start_n=found.n, checked_on=_day(now),
    )  # fmt: skip
    row.full_clean(exclude=["follows"], validate_constraints=False)
    try:
        with transaction.atomic():
            if follows_id is not None:
                _finish(follows_id, touchpoint_id, now)
            row.save(force_insert=True)
    except IntegrityError as error:
        raise TargetError("open_exists") from error
    agenda.wake(queue=QUEUE, due_at=_tomorrow(now), now=now)
    return row


def _finish(target_id: int, touchpoint_id: int | None, now: datetime) -> None:
    """See that a target is met and may have a next one."""
    before = Target.objects.select_for_update().filter(pk=target_id, touchpoint=touchpoint_id).first()
    if before is None or before.status == Target.Status.DROPPED:
        raise TargetError("not_met")
    if Target.objects.filter(follows=before).exists():
        raise TargetError("followed")
    if before.status == Target.Status.OPEN:
        found = _scores([before], today=_day(now), now=now)[before.pk]
        if goals.standing(found, before.goal, days=before.days) != goals.MET:
            raise TargetError("not_met")
        _end(before, Target.Status.MET, found, today=_day(now))


def change(*, target_id: int, goal: int, days: int, due_on: date | None, now: datetime) -> Target:
    """Change an open target. Over other days, where it began is counted anew. Raises TargetError, ValidationError."""
    with transaction.atomic():
        row = _locked(target_id)
        found = score_of(touchpoint_id=row.touchpoint_id, days=days, until=_day(now), now=now)
        if (goal, days) != (row.goal, row.days) and goals.standing(found, goal, days=days) == goals.MET:
            raise TargetError("already_met")
        if days != row.days:
            began = score_of(touchpoint_id=row.touchpoint_id, days=days, until=_day(row.created_at), now=now)
            row.start_score, row.start_n = _told(began), began.n
        row.goal, row.days, row.due_on = goal, days, due_on
        row.full_clean(validate_constraints=False)
        row.save(update_fields=["goal", "days", "due_on", "start_score", "start_n"])
    return row


def drop(*, target_id: int, now: datetime) -> Target:
    """End a target that was not met. Raises TargetError if it has ended."""
    with transaction.atomic():
        row = _locked(target_id)
        found = _scores([row], today=_day(now), now=now)[row.pk]
        _end(row, Target.Status.DROPPED, found, today=_day(now))
    return row


def decline(*, target_id: int) -> None:
    """Do without the one that was proposed to come next."""
    Target.objects.filter(pk=target_id).update(proposed=None)


def _locked(target_id: int) -> Target:
    row = Target.objects.select_for_update().get(pk=target_id)
    if row.status != Target.Status.OPEN:
        raise TargetError("ended")
    return row


def _told(found: Nps) -> float | None:
    """The score as it is kept: of too few answers none is shown, then or later."""
    return None if found.too_few else found.score


def _end(row: Target, status: Target.Status, found: Nps, *, today: date) -> None:
    row.status, row.ended_on, row.checked_on = status, today, today
    row.end_score, row.end_n = _told(found), found.n
    row.proposed = goals.next_goal(found, row.goal) if status == Target.Status.MET else None
    row.save(update_fields=["status", "ended_on", "checked_on", "end_score", "end_n", "proposed"])


# --- looking each day ---------------------------------------------------------------------------------


def check(*, now: datetime, limit: int = LIMIT) -> int:
    """End the open targets that are met, once a day each; returns how many were looked at."""
    today = _day(now)
    with transaction.atomic():
        rows = list(_unchecked(today).select_for_update(skip_locked=True).order_by("pk")[:limit])
        scores = _scores(rows, today=today, now=now)
        for row in rows:
            if goals.standing(scores[row.pk], row.goal, days=row.days) == goals.MET:
                _end(row, Target.Status.MET, scores[row.pk], today=today)
        Target.objects.filter(pk__in=[row.pk for row in rows]).update(checked_on=today)
    return len(rows)


def next_due(*, now: datetime) -> datetime | None:
    """Now if an open target was not looked at today, else the next day; None without open ones."""
    today = _day(now)
    if now.astimezone(UTC).time() >= CHECKED_AT and _unchecked(today).exists():
        return now
    if not Target.objects.filter(status=Target.Status.OPEN).exists():
        return None
    return _tomorrow(now) if now.astimezone(UTC).time() >= CHECKED_AT else datetime.combine(today, CHECKED_AT, UTC)


def _tomorrow(now: datetime) -> datetime:
    return datetime.combine(_day(now) + timedelta(days=1), CHECKED_AT, UTC)


def _unchecked(today: date) -> QuerySet[Target]:
    return Target.objects.filter(Q(checked_on__lt=today) | Q(checked_on__isnull=True), status=Target.Status.OPEN)
