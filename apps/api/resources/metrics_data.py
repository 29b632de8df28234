"""What all figures have in common as JSON: which responses count, of which days, and how a score is told."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from typing import Any

from django.utils.dateparse import parse_date
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api.base import Strict
from apps.api.filters import BIGGEST_ID
from apps.api.problems import WrongFieldsError
from apps.api.resources.case_metrics import ShareSerializer, share
from apps.common.conditions import ConditionError
from apps.common.shares import Part
from apps.contacts.models import Company
from apps.insights.differences import TOO_FEW, Change
from apps.insights.groups import MAX_PROPERTY
from apps.insights.models.goals import DAYS
from apps.insights.nps import MIN_N, Nps
from apps.insights.places import UnknownKeyError
from apps.insights.slices import ONE_DAY, Period, Property, Slice
from apps.responses.models import Response
from apps.triggers.problems import sentences

TAGS = ["metrics"]
USUAL_DAYS = 90
MAX_VALUE = 200
NARROWING = (
    "survey", "touchpoint", "stage", "channel", "language", "company", "segment", "property", "incentivised",
)  # fmt: skip
OF_DAYS = ("since", "until", *NARROWING)
VERDICTS = ["too_few", "chance", "up", "down"]
WRONG_WAY = "must not be after “until”, or after today without one."


class YesNoField(serializers.BooleanField):
    """true or false, as in the filters of lists; anything else is refused."""

    TRUE_VALUES: set[str | bool | int] = {"true"}
    FALSE_VALUES: set[str | bool | int | float] = {"false"}
    default_error_messages = {"invalid": "Write true or false."}


class TraitField(serializers.CharField):
    """A property and its value."""

    default_error_messages = {
        "not_a_pair": f"Write name:value, the name with at most {MAX_PROPERTY} characters, the value with {MAX_VALUE}."
    }

    def to_internal_value(self, data: Any) -> Any:
        name, _colon, value = super().to_internal_value(data).partition(":")
        if not 0 < len(name) <= MAX_PROPERTY or not 0 < len(value) <= MAX_VALUE:
            self.fail("not_a_pair")
        return Property(name, value)


@extend_schema_field({"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]})
class MomentField(serializers.DateTimeField):
    """A day, or a moment; what it gives is a date or a datetime."""

    def to_internal_value(self, value: Any) -> Any:
        try:
            day = parse_date(value) if len(value) == len("2026-01-31") else None
        except ValueError:
            day = None
        return day or super().to_internal_value(value)


class SliceSerializer(Strict):
    """Which responses count."""

    survey = serializers.CharField(required=False, max_length=60, help_text="Key of a survey.")
    touchpoint = serializers.CharField(required=False, max_length=60, help_text="Key of a touchpoint.")
    stage = serializers.CharField(
        required=False,
        max_length=60,
        help_text="Key of a stage, with all that lies on its sub-steps, or of a sub-step.",
    )
    channel = serializers.ChoiceField(Response.Channel.choices, required=False)
    language = serializers.RegexField(
        r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z",
        required=False,
        max_length=20,
        help_text="`de` also fits `de-AT`.",
        error_messages={"invalid": "Write a language as “de” or “de-AT”."},
    )
    company = serializers.IntegerField(required=False, min_value=0, max_value=BIGGEST_ID, help_text="Id of a company.")
    segment = serializers.CharField(required=False, max_length=60, help_text="Key of a segment of contacts.")
    property = TraitField(
        required=False,
        trim_whitespace=False,
        help_text="`store:Köln`: what was told along with the response; `contact.plan:pro` and `company.size:12`: what "
        "is known of the contact or its company. Compared as text.",
    )
    incentivised = YesNoField(
        required=False, help_text="Only responses that were promised something (true), or nothing (false)."
    )

    def slice(self) -> Slice:
        """What was asked for. Raises WrongFieldsError for a company that there is not; one query if one is named."""
        given: Mapping[str, Any] = self.validated_data
        company_id = given.get("company")
        if company_id is not None and not Company.objects.filter(pk=company_id).exists():
            raise WrongFieldsError([("company", "There is no company with this id. GET /api/v1/companies lists them.")])
        return Slice(
            survey=given.get("survey", ""),
            touchpoint=given.get("touchpoint", ""),
            stage=given.get("stage", ""),
            channel=given.get("channel", ""),
            language=given.get("language", ""),
            company_id=company_id,
            segment=given.get("segment", ""),
            trait=given.get("property"),
            is_incentivised=given.get("incentivised"),
        )


class DaysSerializer(SliceSerializer):
    """Which responses count, of which days."""

    since = serializers.DateField(
        required=False,
        validators=list(DAYS),
        help_text=f"First day, in UTC; else so that it is {USUAL_DAYS} days up to `until`.",
    )
    until = serializers.DateField(
        required=False, validators=list(DAYS), help_text="Last day, which counts as well; else today."
    )

    def period(self, *, now: datetime) -> Period:
        """The days that were asked for. Raises WrongFieldsError if the first comes after the last."""
        given = self.validated_data
        until: date = given.get("until", now.astimezone(UTC).date())
        since = given.get("since")
        if since is None:
            return Period.last(USUAL_DAYS, today=until)
        if since > until:
            raise WrongFieldsError([("since", WRONG_WAY)])
        return Period(since, until)


@contextmanager
def refusals() -> Iterator[None]:
    """What figures raise, told by the name of the field with what to do about it."""
    try:
        yield
    except UnknownKeyError as error:
        told = f"There is no {error.field} with this key. GET /api/v1/{error.field}s lists them."
        raise WrongFieldsError([(error.field, told)]) from None
    except ConditionError as error:
        raise WrongFieldsError([("segment", text) for text in sentences(error)]) from None


def moment(value: date, *, is_end: bool) -> datetime:
    """A moment in UTC; of a day its beginning, or where the next one begins."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime.combine(value + ONE_DAY if is_end else value, time(), tzinfo=UTC)


# --- scores -------------------------------------------------------------------------------------------


class NpsSerializer(serializers.Serializer[Any]):
    """A score with its uncertainty (95 %, adjusted Wald). Of fewer than five answers only their number is told."""

    n = serializers.IntegerField(help_text="Answers behind it.")
    score = serializers.FloatField(allow_null=True, help_text="From −100 to 100; null: too few answers.")
    margin = serializers.FloatField(allow_null=True, help_text="±: how far the interval reaches from the score.")
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    promoters = serializers.IntegerField(allow_null=True)
    passives = serializers.IntegerField(allow_null=True)
    detractors = serializers.IntegerField(allow_null=True)
    promoter_percent = serializers.FloatField(allow_null=True)
    passive_percent = serializers.FloatField(allow_null=True)
    detractor_percent = serializers.FloatField(allow_null=True)
    too_few = serializers.BooleanField(help_text=f"Fewer than {MIN_N} answers: no score is told, nor who gave which.")


class AnswerShareSerializer(ShareSerializer):
    """So many of so many answers; of fewer than five only their number is told."""

    hits = serializers.IntegerField(allow_null=True)


class ChangeSerializer(serializers.Serializer[Any]):
    """The step from one score to another, and what may be said of it."""

    points = serializers.FloatField(allow_null=True, help_text="Null: too few answers on either side.")
    low = serializers.FloatField(allow_null=True, help_text="Lower end of its 95 % interval.")
    high = serializers.FloatField(allow_null=True)
    verdict = serializers.ChoiceField(
        VERDICTS, help_text="`up` and `down`: more than chance explains in 19 of 20 cases; `chance`: it may be none."
    )


def told(score: Nps) -> dict[str, Any]:
    """As NpsSerializer tells it."""
    figures = (score.score, score.margin, score.low, score.high, *score.shares)
    names = ("score", "margin", "low", "high", "promoter_percent", "passive_percent", "detractor_percent")
    counts = score.counts
    given = {"promoters": counts.promoters, "passives": counts.passives, "detractors": counts.detractors}
    shown = {**given, **dict(zip(names, map(rounded, figures), strict=True))}
    # One answer's share is its score: nobody has to learn who of four was dissatisfied.
    return {
        "n": score.n,
        "too_few": score.too_few,
        **(dict.fromkeys(shown) if score.too_few else shown),
    }


def told_share(part: Part) -> dict[str, Any]:
    """As AnswerShareSerializer tells it."""
    found = share(part)
    return found if part.total >= MIN_N else {**dict.fromkeys(found), "n": part.total}


def told_change(found: Change | None) -> dict[str, Any]:
    """As ChangeSerializer tells it; None: too few answers on either side."""
    if found is None:
        return {"points": None, "low": None, "high": None, "verdict": TOO_FEW}
    points = (found.delta, found.low, found.high)
    return {**dict(zip(("points", "low", "high"), map(rounded, points), strict=True)), "verdict": found.verdict}


def rounded(value: float | None) -> float | None:
    """To two digits, as in files."""
    return None if value is None else round(value, 2)
