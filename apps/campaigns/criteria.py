"""Which of the responses there are a campaign is started for by hand."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.campaigns.models import Campaign, Enrolment
from apps.campaigns.models import Segment as Scores
from apps.common.conditions import ConditionError
from apps.common.segments import segment_of
from apps.responses.models import Response
from apps.responses.selectors import visible, with_promise
from apps.triggers.models import Segment
from apps.triggers.segments import subquery

MAX_WORDS = 20


@dataclass(frozen=True, slots=True)
class Criteria:
    """What responses have to be like; "" and () ask for nothing."""

    words: tuple[str, ...] = ()
    """The comment names one of these, whatever the case of its letters."""
    tags: tuple[str, ...] = ()
    """The response has one of these tags."""
    segment: str = ""
    touchpoint: str = ""
    """Key of a touchpoint."""
    survey: str = ""
    """Key of a survey."""
    contacts: str = ""
    """Key of a segment of contacts."""
    days: int = 0
    """Answered within so many days; 0: whenever."""
    comment: str = ""
    """``yes``: only with words, ``no``: only without."""
    question: str = ""
    """Key of a question …"""
    choice: str = ""
    """… and of the option that was chosen there."""

    def as_json(self) -> dict[str, Any]:
        """For a row; without what asks for nothing."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items() if v}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Criteria":
        """What :meth:`as_json` wrote. What is not known any more asks for nothing."""
        known: dict[str, Any] = {name: stored[name] for name in cls.__slots__ if name in stored}
        lists = {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
        return cls(**{**known, **lists})


def chosen(criteria: Criteria, *, until: datetime) -> QuerySet[Response]:
    """Responses that fit, answered until then, of humans who were not promised to stay unknown. One query at once."""
    found = known(visible(Response.objects.filter(is_suspected=False, answered_at__lte=until)))
    found = found.filter(**_exactly(criteria))
    if criteria.words:
        named = Q()
        for word in criteria.words[:MAX_WORDS]:
            named |= Q(comment__icontains=word)
        found = found.filter(named)
    if criteria.tags:
        found = found.filter(tags__has_any_keys=list(criteria.tags[:MAX_WORDS]))
    if criteria.comment:
        found = found.exclude(comment="") if criteria.comment == "yes" else found.filter(comment="")
    if criteria.contacts:
        condition = Segment.objects.filter(key=criteria.contacts).values_list("condition", flat=True).first()
        found = _members(found, condition, until)
    if criteria.days:
        found = found.filter(answered_at__gte=until - timedelta(days=criteria.days))
    return found


def known(found: QuerySet[Response]) -> QuerySet[Response]:
    """Without those whose contacts were promised to stay unknown: nobody follows them up."""
    return with_promise(found).filter(Q(is_promised=False))


def _exactly(criteria: Criteria) -> dict[str, Any]:
    """What is asked for as lookups."""
    wanted: dict[str, Any] = {"touchpoint__key": criteria.touchpoint, "survey__key": criteria.survey}
    if criteria.question:
        wanted |= {"answers__question__key": criteria.question, "answers__choices__contains": [criteria.choice]}
    if criteria.segment:
        wanted["score__in"] = _scores(criteria.segment)
    return {name: value for name, value in wanted.items() if value}


def _scores(segment: str) -> list[int]:
    return [score for score in range(11) if segment_of(score) == segment]


def _members(found: QuerySet[Response], condition: object, now: datetime) -> QuerySet[Response]:
    """Of a segment's contacts; nobody's if the segment is gone or broken."""
    if condition is None:
        return found.none()
    try:
        return found.filter(contact_id__in=subquery(condition=condition, now=now))
    except ConditionError:
        return found.none()


def enterable(found: QuerySet[Response], campaign: Campaign, *, now: datetime) -> QuerySet[Response]:
    """Those that the campaign is for and that are not in it yet. Its condition is not asked: that is no SQL."""
    found = found.filter(score__isnull=False)
    if campaign.segment != Scores.ANY:
        found = found.filter(score__in=_scores(campaign.segment))
    if campaign.survey_id:
        found = found.filter(survey=campaign.survey_id)
    if campaign.touchpoint_id:
        found = found.filter(touchpoint=campaign.touchpoint_id)
    if campaign.contact_segment:
        found = _members(found, campaign.contact_segment.condition, now)
    return found.exclude(Exists(Enrolment.objects.filter(campaign=campaign, response=OuterRef("pk"))))
