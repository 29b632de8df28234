"""Contacts who may leave, who speak well of the tenant, and who never answer: each one's row, found through indexes.

Nothing is kept ready. A contact stands in a list by one row, the last score or the last invitation, so that a list is
a walk along an index that stops when a page is full. What counts everywhere:

- Only the last 12 months decide who is in a list; the score before the last one may be older.
- Suspected answers never count, and the answers of anonymous surveys are nobody's.
- Erased contacts are gone with their rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Extract

from apps.cases.models import Case as OpenedCase
from apps.cases.selectors import overdue, visible
from apps.messaging.models import OutgoingEmail
from apps.responses.models import Response
from apps.surveys.models import Invitation, Survey, SurveyVersion

WINDOW = timedelta(days=365)
LOW, VERY_LOW, HIGH = 6, 3, 9
FALL = 3
"""So many points below the score before: a fall …"""
FALLEN_TO = 8
"""… unless it ends at 9 or 10."""
ASKED_TWICE = 2
PATIENCE = timedelta(days=7)
"""Whoever was asked within this time may still answer."""

AT_RISK, ADVOCATES, SILENT = "at_risk", "advocate", "silent"
LOW_SCORE, FELL, CASE_LOST, CASE_OVERDUE = "low_score", "fell", "case_lost", "case_overdue"
TWICE_HIGH, HIGH_WITH_WORDS = "twice_high", "high_with_words"

WEIGHTS = {"very_low": 3, LOW_SCORE: 2, FELL: 2, CASE_LOST: 2, CASE_OVERDUE: 3}
"""How much each sign adds to the urgency: a score of 0–3 counts as ``very_low`` instead of ``low_score``."""
TOLD = ("contact__company", "touchpoint")
UNTOLD = ("contact__properties", "contact__company__properties")
_SECONDS = 10_000_000_000


@dataclass(frozen=True, slots=True)
class _Signs:
    """What tells that a contact may leave, as conditions on the row of the last score."""

    by_code: Mapping[str, Q]

    @property
    def any(self) -> Q:
        """At least one of them."""
        found = Q()
        for sign in self.by_code.values():
            found |= sign
        return found


def _counted() -> QuerySet[Response]:
    """Scores of contacts that count. One query at once: where it was promised that nobody can tell."""
    asked = SurveyVersion.objects.filter(definition__is_anonymous=True).order_by().values_list("pk", Value("version"))
    today = Survey.objects.filter(is_anonymous=True).order_by().values_list("pk", Value("survey"))
    promised = list(asked.union(today, all=True))
    versions = [pk for pk, kind in promised if kind == "version"]
    surveys = [pk for pk, kind in promised if kind == "survey"]
    found = Response.objects.filter(is_suspected=False, score__isnull=False, contact__isnull=False)
    if versions:
        found = found.exclude(version__in=versions)
    return found.exclude(version__isnull=True, survey__in=surveys) if surveys else found


def _last_scores(now: datetime) -> QuerySet[Response]:
    """One row per contact: the last score of the last 12 months, with the one before it."""
    counted = _counted()
    at, pk, own = OuterRef("answered_at"), OuterRef("pk"), counted.filter(contact=OuterRef("contact"))
    # The first condition is what the index can use.
    later = own.filter(answered_at__gte=at).filter(Q(answered_at__gt=at) | Q(pk__gt=pk))
    earlier = own.filter(answered_at__lte=at).filter(Q(answered_at__lt=at) | Q(pk__lt=pk))
    earlier = earlier.order_by("-answered_at", "-pk")
    found = counted.filter(~Exists(later), answered_at__gte=now - WINDOW).select_related(*TOLD).defer(*UNTOLD)
    return found.annotate(
        score_before=Subquery(earlier.values("score")[:1]), before_at=Subquery(earlier.values("answered_at")[:1])
    )


def _lost(now: datetime) -> QuerySet[OpenedCase]:
    return visible().filter(status=OpenedCase.Status.LOST, closed_at__gte=now - WINDOW)


def _signs(now: datetime) -> _Signs:
    own = {"contact": OuterRef("contact")}
    lost = _lost(now).filter(**own)
    return _Signs(
        {
            LOW_SCORE: Q(score__lte=LOW),
            FELL: Q(score__lte=FALLEN_TO, score_before__gte=F("score") + FALL),
            # Whoever gave 9 or 10 afterwards was won back.
            CASE_LOST: Q(Exists(lost.filter(closed_at__gte=OuterRef("answered_at"))))
            | (Q(score__lt=HIGH) & Q(Exists(lost))),
            CASE_OVERDUE: Q(Exists(overdue(OpenedCase.objects.filter(**own), now=now))),
        }
    )


def at_risk(*, now: datetime, reason: str = "") -> QuerySet[Response]:
    """Contacts who may leave, each by their last score of the last 12 months. One query at once.

    They gave 0–6; or 3 points or more below their score before, and at most 8; or a case of theirs was closed as lost
    within these 12 months (and they have not given 9 or 10 since); or one is overdue. ``reason`` keeps those with that
    sign. Each row has ``score_before``, ``before_at``, ``fell``, ``case_lost``, ``case_overdue`` and ``urgency``: the
    weights of its signs, and by what the rows of one weight are sorted, the later answer first.
    """
    signs = _signs(now)
    found = _last_scores(now).filter(signs.by_code.get(reason, signs.any))
    if reason in (CASE_LOST, CASE_OVERDUE):
        # Few have such cases: begin with those.
        few = _lost(now) if reason == CASE_LOST else overdue(OpenedCase.objects.all(), now=now)
        found = found.filter(contact__in=few.filter(contact__isnull=False).values("contact"))
    told = {code: _flag(signs.by_code[code]) for code in (FELL, CASE_LOST, CASE_OVERDUE)}
    return found.annotate(**told).annotate(urgency=_urgency())


def _flag(sign: Q) -> Any:
    return Case(When(sign, then=Value(True)), default=Value(False), output_field=BooleanField())


def _weight(code: str, sign: Q) -> Any:
    return Case(When(sign, then=Value(WEIGHTS[code])), default=Value(0), output_field=IntegerField())


def _urgency() -> Any:
    score = Case(
        When(score__lte=VERY_LOW, then=Value(WEIGHTS["very_low"])),
        When(score__lte=LOW, then=Value(WEIGHTS[LOW_SCORE])),
        default=Value(0),
        output_field=IntegerField(),
    )
    for code in (FELL, CASE_LOST, CASE_OVERDUE):
        score = score + _weight(code, Q(**{code: True}))
    # The second of the answer below the weight: one number sorts by both.
    seconds = Cast(Extract("answered_at", "epoch", tzinfo=UTC), BigIntegerField())
    return ExpressionWrapper(Cast(score, BigIntegerField()) * _SECONDS + seconds, output_field=BigIntegerField())


def weight_of(urgency: int) -> int:
    """The sum of the weights in an ``urgency``."""
    return urgency // _SECONDS


def advocates(*, now: datetime, reason: str = "") -> QuerySet[Response]:
    """Contacts who speak well of the tenant, each by their last score, of the last 12 months. One query at once.

    Their last two scores are 9 or 10; or the last one is, and came with a comment. Nobody with a case that is overdue,
    or was lost since: those are at risk. ``reason`` keeps those with that sign.
    """
    signs = {TWICE_HIGH: Q(score_before__gte=HIGH), HIGH_WITH_WORDS: ~Q(comment="")}
    either = signs[TWICE_HIGH] | signs[HIGH_WITH_WORDS]
    trouble = _signs(now).by_code
    found = _last_scores(now).filter(score__gte=HIGH).filter(signs.get(reason, either))
    return found.exclude(trouble[CASE_LOST] | trouble[CASE_OVERDUE])


def silent(*, now: datetime) -> QuerySet[Invitation]:
    """Contacts who were asked and never answered, each by the last invitation. No query at once.

    Within the last 12 months they got at least two invitations (sent and not returned, or shown on a page), not
    counting the last 7 days, and they have never answered anything: neither by name nor by the link of an anonymous
    survey, of which only that it was used is known. Each row has ``asks``: how many invitations that were.
    """
    arrived = (OutgoingEmail.Status.SENT, OutgoingEmail.Status.DELIVERED)
    got = Invitation.objects.filter(
        Q(status=Invitation.Status.SHOWN) | Q(email__status__in=arrived),
        contact__isnull=False,
        created_at__gte=now - WINDOW,
        # Decided long before may have been sent yesterday.
        created_at__lte=now - PATIENCE,
        send_at__lte=now - PATIENCE,
    )
    at, own = OuterRef("created_at"), got.filter(contact=OuterRef("contact"))
    later = own.filter(created_at__gte=at).filter(Q(created_at__gt=at) | Q(pk__gt=OuterRef("pk")))
    counted = own.order_by().values("contact").annotate(number=Count("pk")).values("number")
    answered = Response.objects.filter(contact=OuterRef("contact"), is_suspected=False)
    used = Invitation.objects.filter(contact=OuterRef("contact"), used_on__isnull=False)
    found = got.filter(~Exists(answered), ~Exists(used), ~Exists(later))
    found = found.select_related(*TOLD).defer("properties", *UNTOLD)
    return found.annotate(asks=Subquery(counted)).filter(asks__gte=ASKED_TWICE)
