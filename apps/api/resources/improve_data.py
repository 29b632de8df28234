"""What annotations, targets and improvement actions have in common as JSON: places, people, and what came of it."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api.fields import Cleaned, KeyField
from apps.insights.nps import Nps
from apps.insights.windows import Measured
from apps.touchpoints.models import Touchpoint
from apps.triggers.models import Segment

VERDICTS = ["measuring", "too_few", "chance", "up", "down"]
_NOBODY = "Nobody of this name works here."
_NO_SEGMENT = "There is no segment with this key."


class ScoreSerializer(serializers.Serializer[Any]):
    """A score, with how far it may be off."""

    n = serializers.IntegerField(help_text="Answers.")
    nps = serializers.FloatField(allow_null=True, help_text="Null: too few answers to say.")
    low = serializers.FloatField(allow_null=True, help_text="Lower end of the 95 % interval.")
    high = serializers.FloatField(allow_null=True)


class OtherSerializer(serializers.Serializer[Any]):
    """Something else that happened."""

    kind = serializers.ChoiceField([("annotation", "annotation"), ("action", "action")])
    id = serializers.CharField()
    day = serializers.DateField()
    text = serializers.CharField()


class EffectSerializer(serializers.Serializer[Any]):
    """The days before against the days after; the day itself counts on neither side. Days are UTC's."""

    verdict = serializers.ChoiceField(
        VERDICTS,
        help_text="`measuring`: fewer than seven whole days have passed; `up` and `down` are likely real, `chance` "
        "may be no change at all.",
    )
    delta = serializers.FloatField(
        allow_null=True,
        help_text="Points; less what happened with those it is compared with. Null: nothing to say yet.",
    )
    low = serializers.FloatField(allow_null=True, help_text="Lower end of the 95 % interval of `delta`.")
    high = serializers.FloatField(allow_null=True)
    own_delta = serializers.FloatField(allow_null=True, help_text="Points here alone.")
    days_after = serializers.IntegerField(help_text="Whole days that have passed, at most `window`.")
    days_left = serializers.IntegerField(help_text="Until `window` is full; until then it may change.")
    before = ScoreSerializer()
    after = ScoreSerializer()
    control_before = ScoreSerializer(allow_null=True, help_text="Of those it is compared with.")
    control_after = ScoreSerializer(allow_null=True)
    control_gone = serializers.BooleanField(help_text="The segment to compare with is gone or broken.")
    also = OtherSerializer(many=True, help_text="What else happened there within these days: it may be its doing.")
    also_at_control = OtherSerializer(many=True, help_text="What happened with those it is compared with.")
    may_be_regression = serializers.BooleanField(
        help_text="What was unusually bad mostly gets better by itself, and nothing was compared."
    )


def told(found: Measured) -> dict[str, Any]:
    """As EffectSerializer tells it."""
    change = found.change
    return {
        "verdict": found.verdict,
        "delta": _rounded(change.delta if change else None),
        "low": _rounded(change.low if change else None),
        "high": _rounded(change.high if change else None),
        "own_delta": _rounded(found.own.delta if found.own else None),
        "days_after": found.days_after,
        "days_left": found.days_left,
        "before": score(found.before),
        "after": score(found.after),
        "control_before": None if found.control_before is None else score(found.control_before),
        "control_after": None if found.control_after is None else score(found.control_after),
        "control_gone": found.is_control_gone,
        "also": [_other(one) for one in found.others],
        "also_at_control": [_other(one) for one in found.at_control],
        "may_be_regression": found.may_be_regression,
    }


def score(found: Nps) -> dict[str, Any]:
    """As ScoreSerializer tells it."""
    shown = (None, None, None) if found.too_few else (found.score, found.low, found.high)
    return {"n": found.n, **dict(zip(("nps", "low", "high"), map(_rounded, shown), strict=True))}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _other(one: Any) -> dict[str, Any]:
    return {"kind": one.kind, "id": str(one.key[1]), "day": one.day.isoformat(), "text": one.text}


@extend_schema_field({"type": "string", "minLength": 1, "maxLength": 150})
class UserNameField(serializers.Field):
    """Somebody who works here, by user name."""

    def to_internal_value(self, data: Any) -> Any:
        users: Any = get_user_model()._default_manager
        found = None
        if isinstance(data, str) and data and "\x00" not in data and len(data) <= 150:
            found = users.filter(username=data, is_active=True).first()
        if found is None:
            raise serializers.ValidationError(_NOBODY)
        return found

    def to_representation(self, value: Any) -> str:
        return str(value.get_username())


class Compared(Cleaned):
    """What an effect is measured against."""

    control_touchpoint = KeyField(
        rows=Touchpoint.objects.all(), required=False, allow_null=True,
        help_text="Key of a touchpoint where nothing was changed: what happened there as well is taken off.",
    )  # fmt: skip
    control_segment = serializers.CharField(
        max_length=60, required=False, allow_blank=True,
        help_text="Key of a segment of contacts for whom nothing was changed; the others are compared with them.",
    )  # fmt: skip
    created_by = UserNameField(read_only=True, allow_null=True, help_text="Null: it came by the API.")
    effect = serializers.SerializerMethodField()

    def validate_control_segment(self, value: str) -> str:
        if value and not Segment.objects.filter(key=value).exists():
            raise serializers.ValidationError(_NO_SEGMENT)
        return value

    @extend_schema_field(EffectSerializer(allow_null=True))
    def get_effect(self, row: Any) -> dict[str, Any] | None:
        found: Mapping[Any, Measured] = self.context["effects"]
        return told(found[row.pk]) if row.pk in found else None
