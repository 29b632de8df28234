"""What the journey map must read row by row: events, invitations, and the reasons that detractors chose.

Unlike scores these are not kept ready. They are counted at most every five minutes and kept per tenant; the map says
as of when they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from typing import Any, TypeVar

from django.core.cache import cache
from django.db.models import Count, F, Func, Model, Q, QuerySet, TextField

from apps.common.shares import Part
from apps.insights import cells
from apps.insights.places import Places, find
from apps.insights.slices import Period, Slice
from apps.responses.models import Answer
from apps.surveys.models import Invitation, Question
from apps.touchpoints.models import Event
from apps.triggers.segments import subquery

KEPT_SECONDS = 300
DETRACTORS = 6
"""The highest score of a detractor."""
CHOICES = (Question.Kind.SINGLE, Question.Kind.MULTIPLE)
NOBODY = Part()
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Reasons:
    """What detractors chose, among those who answered the question."""

    answered: Mapping[int, int] = field(default_factory=dict)
    """Question → detractors who answered it."""
    chosen: Mapping[tuple[int, str], int] = field(default_factory=dict)
    """Question and option's key → detractors who chose it."""

    def __add__(self, other: "Reasons") -> "Reasons":
        return Reasons(_sum(self.answered, other.answered), _sum(self.chosen, other.chosen))


@dataclass(frozen=True, slots=True)
class Traffic:
    """What happened at one touchpoint in a period."""

    events: int = 0
    asked: Part = NOBODY
    """Sent invitations, and those that were answered."""
    reasons: Reasons = field(default_factory=Reasons)
    unscored: int = 0
    """Responses that answered other questions only."""

    def __add__(self, other: "Traffic") -> "Traffic":
        asked = self.asked.plus(*other.asked)
        unscored = self.unscored + other.unscored
        return Traffic(self.events + other.events, asked, self.reasons + other.reasons, unscored)


NO_TRAFFIC = Traffic()


@dataclass(frozen=True, slots=True)
class Raw:
    """The traffic of every touchpoint that has any, by its id, and when it was counted."""

    as_of: datetime
    places: Mapping[int, Traffic]


def read(*, wanted: Slice, period: Period, now: datetime) -> Raw:
    """What happened in a period; as old as five minutes. Eight queries, and one for each key in the slice; or none.

    Events know their contact alone, invitations their survey besides: so only these parts of the slice narrow them.
    Reasons are narrowed like scores. Raises UnknownKeyError and ConditionError.
    """
    key = f"journey.raw.{sha256(repr((wanted, period)).encode()).hexdigest()}"
    found: Raw | None = cache.get(key)
    if found is None:
        found = _count(wanted, period, now)
        cache.set(key, found, KEPT_SECONDS)
    return found


def _count(wanted: Slice, period: Period, now: datetime) -> Raw:
    places = find(wanted)
    events = dict(_events(wanted, places, period, now))
    asked = {pk: Part(sent, answered) for pk, sent, answered in _invitations(wanted, places, period, now)}
    answered, chosen = _reasons(wanted, places, period, now)
    unscored = _unscored(wanted, places, period, now)
    known = {*events, *asked, *answered, *unscored} - {None}
    return Raw(
        now,
        {
            pk: Traffic(
                events.get(pk, 0), asked.get(pk, Part()), Reasons(answered.get(pk, {}), chosen.get(pk, {})),
                unscored.get(pk, 0),
            )
            for pk in known
        },
    )  # fmt: skip


def _events(wanted: Slice, places: Places, period: Period, now: datetime) -> list[tuple[int, int]]:
    start, end = bounds(period)
    found = Event.objects.filter(occurred_at__gte=start, occurred_at__lt=end)
    found = _of_contacts(found, wanted, places, now)
    return list(found.order_by().values_list("touchpoint_id").annotate(number=Count("pk")))


def _invitations(wanted: Slice, places: Places, period: Period, now: datetime) -> list[tuple[int, int, int]]:
    """Sent and answered, counted like the funnel: by the invitation, so that cadences count as well."""
    start, end = bounds(period)
    found = Invitation.objects.filter(
        Q(email__isnull=True) | Q(email__sent_at__isnull=False),
        send_at__gte=start, send_at__lt=end, touchpoint__isnull=False,
        status__in=[Invitation.Status.QUEUED, Invitation.Status.SHOWN],
    )  # fmt: skip
    if wanted.survey:
        found = found.filter(survey=places.survey_id)
    found = _of_contacts(found, wanted, places, now)
    # Of an anonymous answer nothing is known but that its link was used.
    is_answered = Q(response__is_suspected=False) | Q(used_on__isnull=False)
    counted = found.order_by().values("touchpoint_id")
    counted = counted.annotate(sent=Count("pk"), answered=Count("pk", filter=is_answered))
    return list(counted.values_list("touchpoint_id", "sent", "answered"))


def _of_contacts(found: QuerySet[Row], wanted: Slice, places: Places, now: datetime) -> QuerySet[Row]:
    if places.touchpoint_ids is not None:
        found = found.filter(touchpoint__in=places.touchpoint_ids)
    if wanted.company_id is not None:
        found = found.filter(contact__company_id=wanted.company_id)
    if places.segment is not None:
        found = found.filter(contact_id__in=subquery(condition=places.segment.condition, now=now))
    return found


_Answered = dict[int, dict[int, int]]
_Chosen = dict[int, dict[tuple[int, str], int]]


def _reasons(wanted: Slice, places: Places, period: Period, now: datetime) -> tuple[_Answered, _Chosen]:
    """Per touchpoint: how many detractors answered each question with a choice, and what they chose.

    What has a number or words was given to another kind of question, of this key: as in :mod:`apps.insights.questions`
    it is no answer to this one.
    """
    responses = cells.responses(wanted=wanted, places=places, now=now).filter(cells.within(period))
    responses = responses.filter(score__lte=DETRACTORS, touchpoint__isnull=False)
    answers = Answer.objects.filter(question__kind__in=CHOICES, response__in=responses, value=None, text="")
    answers = answers.annotate(at=F("response__touchpoint_id")).order_by()
    answered: _Answered = {}
    for at, question_id, number in answers.values_list("at", "question_id").annotate(number=Count("pk")):
        answered.setdefault(at, {})[question_id] = number
    chosen: _Chosen = {}
    each = answers.annotate(option=_Elements("choices"))
    for at, question_id, option, number in each.values_list("at", "question_id", "option").annotate(number=Count("pk")):
        chosen.setdefault(at, {})[question_id, option] = number
    return answered, chosen


def _unscored(wanted: Slice, places: Places, period: Period, now: datetime) -> dict[int, int]:
    responses = cells.responses(wanted=wanted, places=places, now=now, is_scored=False).filter(cells.within(period))
    responses = responses.filter(score__isnull=True, touchpoint__isnull=False)
    return dict(responses.values_list("touchpoint_id").annotate(number=Count("pk")))


class _Elements(Func):
    """Each element of a list, one row for each."""

    function = "jsonb_array_elements_text"
    output_field = TextField()
    set_returning = True


def bounds(period: Period) -> tuple[datetime, datetime]:
    """The moments between which a period lies: the first one belongs to it, the second one does not."""
    start = datetime.combine(period.since, time(), tzinfo=UTC)
    return start, datetime.combine(period.until + timedelta(days=1), time(), tzinfo=UTC)


def _sum(one: Mapping[Any, int], other: Mapping[Any, int]) -> dict[Any, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {*one, *other}}
