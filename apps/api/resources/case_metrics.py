"""Metrics: how fast cases are taken care of, and whether detractors come back happier."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Strict
from apps.api.filters import BIGGEST_ID
from apps.api.problems import WrongFieldsError
from apps.cases.policy import current_terms
from apps.common.shares import Part, wilson
from apps.insights import case_causes, recovery
from apps.insights.case_figures import Figures, Times, case_figures
from apps.insights.case_slices import Slice
from apps.insights.recovery import Difference, Group
from apps.touchpoints.models import Touchpoint

USUAL = timedelta(days=365)
_PARAMETERS = ("since", "until", "owner", "touchpoint")


class CaseSpanSerializer(Strict):
    """Which cases, or detractors."""

    since = serializers.DateTimeField(required=False, help_text="From this time on; else a year before `until`.")
    until = serializers.DateTimeField(required=False, help_text="Before this time; else until now.")
    owner = serializers.IntegerField(
        required=False, min_value=1, max_value=BIGGEST_ID, help_text="Id of a user: only of cases this user owns."
    )
    touchpoint = serializers.CharField(required=False, max_length=60, help_text="Key of a touchpoint.")

    def slice(self, *, now: datetime) -> Slice:
        """What was asked for. Raises WrongFieldsError for what there is not. At most two queries."""
        wanted = self.validated_data
        until = wanted.get("until", now)
        since = wanted.get("since", until - USUAL)
        if since >= until:
            raise WrongFieldsError([("since", "Must be before “until”, or before now.")])
        key, owner_id = wanted.get("touchpoint"), wanted.get("owner")
        place = Touchpoint.objects.filter(key=key).first() if key else None
        if key and place is None:
            raise WrongFieldsError([("touchpoint", "There is no touchpoint with this key.")])
        if owner_id is not None and not get_user_model()._default_manager.filter(pk=owner_id).exists():
            raise WrongFieldsError([("owner", "There is no user with this id.")])
        return Slice(since, until, owner_id, place.pk if place else None)


class RecoveryQuerySerializer(CaseSpanSerializer):
    """The same, and how long a next answer is waited for."""

    within_days = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=recovery.MAX_DAYS,
        help_text=f"The next answer counts within so many days; {recovery.DAYS} unless you say otherwise.",
    )


class ShareSerializer(serializers.Serializer):
    """So many of so many, with Wilson's 95 % interval. Of nobody there is no share."""

    n = serializers.IntegerField(help_text="Of so many.")
    hits = serializers.IntegerField()
    percent = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class TimesSerializer(serializers.Serializer):
    """How long something took, in hours: the median, and what nine of ten stay below."""

    n = serializers.IntegerField()
    median = serializers.FloatField(allow_null=True, help_text="Around the clock.")
    p90 = serializers.FloatField(allow_null=True)
    working_median = serializers.FloatField(allow_null=True, help_text="By the hours of work that hold today.")
    working_p90 = serializers.FloatField(allow_null=True)


class CaseFiguresSerializer(serializers.Serializer):
    """Times are of first contacts and closings of the span; in time is what was due in it; open is as of now."""

    opened = serializers.IntegerField()
    closed = serializers.IntegerField()
    open = serializers.IntegerField(help_text="As of now.")
    overdue = serializers.IntegerField(help_text="As of now.")
    contacted_in_time = ShareSerializer()
    closed_in_time = ShareSerializer()
    hours_to_contact = TimesSerializer()
    hours_to_close = TimesSerializer()


class OwnerFiguresSerializer(CaseFiguresSerializer):
    """Of one owner's cases."""

    owner = serializers.IntegerField(allow_null=True, help_text="Id of the user; null: nobody's.")


class TouchpointFiguresSerializer(CaseFiguresSerializer):
    """Of the cases of one touchpoint."""

    touchpoint = serializers.CharField(allow_null=True, help_text="Its key; null: cases without one.")


class CauseSerializer(serializers.Serializer):
    """A root cause: the share of the cases opened in the span that have one."""

    root_cause_id = serializers.IntegerField()
    share = ShareSerializer()


class EndSerializer(serializers.Serializer):
    """How cases closed in the span ended."""

    result_id = serializers.IntegerField(allow_null=True, help_text="Null: told in a sentence only.")
    solved = serializers.IntegerField()
    lost = serializers.IntegerField()


class CaseMetricsSerializer(serializers.Serializer):
    """All figures of cases. Those that went into another case count nowhere."""

    total = CaseFiguresSerializer()
    owners = OwnerFiguresSerializer(many=True)
    touchpoints = TouchpointFiguresSerializer(many=True)
    root_causes = CauseSerializer(many=True)
    outcomes = EndSerializer(many=True)


class GroupSerializer(serializers.Serializer):
    """Detractors, and what became of them."""

    detractors = serializers.IntegerField()
    higher = ShareSerializer(help_text="Of those who answered again: with a higher score.")
    no_longer_detractors = ShareSerializer(help_text="Of those who answered again: with 7 or more.")
    answered_again = ShareSerializer(help_text="Of those whose days are over.")
    higher_of_all = ShareSerializer(
        help_text="Of those whose days are over: with a higher score; silence counts as no."
    )


class DifferenceSerializer(serializers.Serializer):
    """Contacted less not contacted, in percentage points, with Newcombe's 95 % interval (1998, method 10)."""

    points = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    verdict = serializers.ChoiceField(
        ("better", "worse", "chance", "too_few"),
        help_text=f"`too_few`: fewer than {recovery.MINIMUM} of either answered again.",
    )


class RecoverySerializer(serializers.Serializer):
    """No experiment: who is contacted differs from who is not. A campaign's holdout tells what caused what."""

    within_days = serializers.IntegerField()
    total = GroupSerializer()
    contacted = GroupSerializer(help_text="By a person, or by a campaign's mail.")
    by_person = GroupSerializer(help_text="A first contact of their case, or a mail from a case that reached them.")
    by_mail_only = GroupSerializer(help_text="Only a campaign's mail reached them.")
    not_contacted = GroupSerializer()
    higher_difference = DifferenceSerializer()
    no_longer_detractors_difference = DifferenceSerializer()


class CaseMetricsView(ApiView):
    """Counted from the cases as they are now."""

    query_parameters = _PARAMETERS

    @extend_schema(
        operation_id="metrics_cases",
        summary="How cases are taken care of",
        tags=["metrics"],
        parameters=[CaseSpanSerializer],
        responses=CaseMetricsSerializer,
    )
    def get(self, request: Request) -> Response:
        query, now = CaseSpanSerializer(data=request.query_params.dict()), timezone.now()
        query.is_valid(raise_exception=True)
        wanted = query.slice(now=now)
        found = case_figures(wanted=wanted, terms=current_terms(), now=now)
        keys = dict(
            Touchpoint.objects.filter(pk__in=[key for key in found.touchpoints if key]).values_list("pk", "key")
        )
        causes = case_causes.causes(wanted=wanted, now=now)
        body = {
            "total": _figures(found.total),
            "owners": [{"owner": key, **_figures(row)} for key, row in found.owners.items()],
            "touchpoints": [
                {"touchpoint": keys.get(key or 0), **_figures(row)} for key, row in found.touchpoints.items()
            ],
            "root_causes": [
                {"root_cause_id": row.root_cause_id, "share": share(row.part)} for row in causes.rows if row.part.hits
            ],
            "outcomes": case_causes.ends(wanted=wanted, now=now),
        }
        return Response(CaseMetricsSerializer(body).data)


class RecoveryView(ApiView):
    """Of each contact its first detractor answer of the span counts, and its next score decides."""

    query_parameters = (*_PARAMETERS, "within_days")

    @extend_schema(
        operation_id="metrics_recovery",
        summary="Whether detractors come back happier",
        tags=["metrics"],
        parameters=[RecoveryQuerySerializer],
        responses=RecoverySerializer,
    )
    def get(self, request: Request) -> Response:
        query, now = RecoveryQuerySerializer(data=request.query_params.dict()), timezone.now()
        query.is_valid(raise_exception=True)
        days = query.validated_data.get("within_days", recovery.DAYS)
        found = recovery.recovery(wanted=query.slice(now=now), now=now, days=days)
        body = {
            "within_days": days,
            "total": _group(found.total),
            "contacted": _group(found.contacted),
            "by_person": _group(found.ways[recovery.PERSON]),
            "by_mail_only": _group(found.ways[recovery.MAIL]),
            "not_contacted": _group(found.left_alone),
            "higher_difference": _difference(found.effect),
            "no_longer_detractors_difference": _difference(found.effect_out),
        }
        return Response(RecoverySerializer(body).data)


def _figures(row: Figures) -> dict[str, Any]:
    return {
        "opened": row.opened,
        "closed": row.closed,
        "open": row.open,
        "overdue": row.overdue,
        "contacted_in_time": share(row.contacted_in_time),
        "closed_in_time": share(row.closed_in_time),
        "hours_to_contact": _hours(row.to_contact),
        "hours_to_close": _hours(row.to_close),
    }


def _hours(times: Times) -> dict[str, Any]:
    found = (times.median, times.most, times.working_median, times.working_most)
    hours = [None if seconds is None else round(seconds / 3600, 2) for seconds in found]
    return {"n": times.n, **dict(zip(("median", "p90", "working_median", "working_p90"), hours, strict=True))}


def share(part: Part) -> dict[str, Any]:
    """As ShareSerializer tells it."""
    told = [_percent(value) for value in (part.rate, *wilson(part))] if part.total else [None] * 3
    return {"n": part.total, "hits": part.hits, **dict(zip(("percent", "low", "high"), told, strict=True))}


def _group(group: Group) -> dict[str, Any]:
    return {
        "detractors": group.detractors,
        "higher": share(group.recovered),
        "no_longer_detractors": share(group.no_detractors),
        "answered_again": share(group.came_back),
        "higher_of_all": share(group.of_all),
    }


def _difference(found: Difference) -> dict[str, Any]:
    is_known = found.one.total and found.other.total
    told = [_percent(value) for value in (found.value, *found.bounds)] if is_known else [None] * 3
    return {**dict(zip(("points", "low", "high"), told, strict=True)), "verdict": found.verdict}


def _percent(share: float) -> float:
    return round(100 * share, 2)
