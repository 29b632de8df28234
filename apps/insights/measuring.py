"""What happened after something took effect: for many things at once, from the figures of each day."""

from collections.abc import Hashable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from apps.common.conditions import ConditionError
from apps.insights import cells, figures
from apps.insights.models import Action, Annotation
from apps.insights.nps import Counts
from apps.insights.places import Places
from apps.insights.slices import Period, Slice
from apps.insights.windows import ByPlace, Daily, Days, Measured, Other, Spans, Subject, counted, spans
from apps.triggers.models import Segment
from apps.triggers.segments import subquery

ANNOTATION, ACTION = "annotation", "action"


def of_annotations(rows: Iterable[Annotation], *, now: datetime) -> dict[Any, Measured]:
    """What came of annotations, by primary key. Eight queries at most, however many they are."""
    subjects = {row.pk: _subject(ANNOTATION, row, row.day) for row in rows}
    return _by_pk(subjects, now=now)


def of_actions(rows: Iterable[Action], *, now: datetime) -> dict[Any, Measured]:
    """What came of the actions that are in effect, by primary key. Eight queries at most, however many they are."""
    subjects = {
        row.pk: _subject(ACTION, row, row.done_on)
        for row in rows
        if row.status == Action.Status.DONE and row.done_on is not None
    }
    return _by_pk(subjects, now=now)


def _by_pk(subjects: dict[Any, Subject], *, now: datetime) -> dict[Any, Measured]:
    found = measure(list(subjects.values()), now=now)
    return {pk: found[subject.key] for pk, subject in subjects.items()}


def _subject(kind: str, row: Annotation | Action, day: date) -> Subject:
    return Subject(
        key=(kind, row.pk),
        day=day,
        window=row.window,
        touchpoint_id=row.touchpoint_id,
        control_touchpoint_id=row.control_touchpoint_id,
        control_segment=row.control_segment,
    )


def measure(subjects: Sequence[Subject], *, now: datetime) -> dict[Hashable, Measured]:
    """Before and after of each, by key. Eight queries at most, however many they are.

    Days are UTC's. Against a segment, the contacts outside of it are compared with those in it, by who belongs to it
    now; answers of nobody we know count for neither.
    """
    today = now.astimezone(UTC).date()
    spanned = [(subject, spans(subject, today=today)) for subject in subjects]
    if not spanned:
        return {}
    period = _whole(part for _subject, part in spanned)
    everybody = Days(figures.by_day(wanted=Slice(), period=period, cut="touchpoint", now=now))
    by_segment = _by_segment([pair for pair in spanned if pair[0].control_segment], now=now)
    others = _others(period)
    return {
        subject.key: _measured(subject, part, everybody, by_segment.get(subject.control_segment), others)
        for subject, part in spanned
    }


def _whole(parts: Iterable[Spans]) -> Period:
    wholes = [part.whole for part in parts]
    return Period(min(one.since for one in wholes), max(one.until for one in wholes))


def _measured(
    subject: Subject, part: Spans, everybody: Days, members: tuple[Days, Days] | None, others: Sequence[Other]
) -> Measured:
    inside, outside = members or (None, everybody)
    mine = outside.at(subject.touchpoint_id, but=subject.control_touchpoint_id)
    theirs: Daily | None = None
    if subject.control_touchpoint_id is not None:
        theirs = everybody.at(subject.control_touchpoint_id)
    elif inside is not None:
        theirs = inside.at(subject.touchpoint_id)
    meanwhile = [one for one in others if one.key != subject.key and part.covers(one.day)]
    return Measured(
        subject=subject,
        spans=part,
        earlier=counted(mine, part.earlier),
        before=counted(mine, part.before),
        after=counted(mine, part.after),
        control_before=None if theirs is None else counted(theirs, part.before),
        control_after=None if theirs is None else counted(theirs, part.after),
        is_control_gone=bool(subject.control_segment) and members is None,
        others=tuple(one for one in meanwhile if _is_felt(one, subject, has_control=theirs is not None)),
        at_control=tuple(one for one in meanwhile if _disturbs(one, subject)),
    )


def _is_felt(other: Other, subject: Subject, *, has_control: bool) -> bool:
    """Whether it may have done what is looked at. What happened to the others as well is taken off already.

    ``has_control``: whether there are others indeed. A segment that is gone or broken takes nothing off.
    """
    if other.touchpoint_id is None:
        return not has_control
    if subject.touchpoint_id is None:
        return other.touchpoint_id != subject.control_touchpoint_id
    return other.touchpoint_id == subject.touchpoint_id


def _disturbs(other: Other, subject: Subject) -> bool:
    return other.touchpoint_id is not None and other.touchpoint_id == subject.control_touchpoint_id


def _by_segment(wanted: Sequence[tuple[Subject, Spans]], *, now: datetime) -> dict[str, tuple[Days, Days]]:
    """Per segment: those in it and those outside. Segments that are gone or broken are left out. Three queries."""
    keys = {subject.control_segment for subject, _part in wanted}
    segments = Segment.objects.filter(key__in=keys).order_by("key") if keys else Segment.objects.none()
    counts: dict[str, Any] = {}
    names: dict[str, str] = {}
    for number, segment in enumerate(segments):
        try:
            members = subquery(condition=segment.condition, now=now)
        except ConditionError:
            continue
        names[f"in_{number}"] = segment.key
        counts[f"in_{number}"] = Count("pk", filter=Q(contact_id__in=members))
    if not counts:
        return {}
    found: dict[str, tuple[ByPlace, ByPlace]] = {key: ({}, {}) for key in names.values()}
    for row in _known([part.whole for _subject, part in wanted], counts, now=now):
        for name, key in names.items():
            for side, number in zip(found[key], (row[name], row["known"] - row[name]), strict=True):
                daily = side.setdefault(row["touchpoint_id"], {})
                added = Counts.from_scores({row["score"]: number})
                daily[row["day"]] = daily.get(row["day"], Counts()) + added
    return {key: (Days(inside), Days(outside)) for key, (inside, outside) in found.items()}


def _known(periods: Iterable[Period], counts: dict[str, Any], *, now: datetime) -> Any:
    """Answers of contacts we know, by touchpoint, day and score: how many, and how many of each segment.

    Of these periods alone, for these are rows to be counted: years may lie between two of them.
    """
    within = Q()
    for period in periods:
        within |= cells.within(period)
    found: Any = cells.responses(wanted=Slice(), places=Places(), now=now)
    found = found.filter(within, contact__isnull=False)
    found = found.annotate(day=TruncDate("answered_at", tzinfo=UTC)).values("touchpoint_id", "day", "score")
    return found.annotate(known=Count("pk"), **counts)


def _others(period: Period) -> list[Other]:
    """All that was noted or took effect within a period, in order. Two queries."""
    days = (period.since, period.until)
    noted = Annotation.objects.filter(day__range=days).order_by()
    taken = Action.objects.filter(status=Action.Status.DONE, done_on__range=days).order_by()
    found = [Other(ANNOTATION, (ANNOTATION, row[0]), *row[1:]) for row in noted.values_list("pk", *_NOTED)]
    found += [Other(ACTION, (ACTION, row[0]), *row[1:]) for row in taken.values_list("pk", *_TAKEN)]
    return sorted(found, key=lambda one: (one.day, one.kind, str(one.key)))


_NOTED = ("day", "text", "touchpoint_id")
_TAKEN = ("done_on", "title", "touchpoint_id")
