"""Targets: which score is to be reached, how it stands, and which one could come next."""

from collections.abc import Sequence
from typing import Any

import django_filters
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiViewSet, Strict
from apps.api.fields import KeyField
from apps.api.filters import BIGGEST_ID, Words
from apps.api.problems import ConflictError, WrongFieldsError
from apps.api.resources.improve_data import ScoreSerializer, UserNameField, score
from apps.insights import targets
from apps.insights.models import Target
from apps.insights.models.goals import DAYS
from apps.insights.targets import State, TargetError
from apps.integrations.models import Scope
from apps.touchpoints.models import Touchpoint

TAGS = ["insights"]
STANDINGS = [
    ("too_few", "too few answers"), ("below", "below"), ("reached", "the score is there, but that may be chance"),
    ("met", "met"), ("dropped", "dropped"),
]  # fmt: skip
_SENTENCES = {
    "open_exists": "There is an open target here already. Change that one, or drop it first.",
    "ended": "This target has ended. Set a new one.",
    "followed": "The next target was set already.",
    "not_met": "The target before it is not met, or of another place.",
}
MET_ALREADY = "is met already, and not by accident. Aim higher."
_WHERE = "Key of a touchpoint; null: all touchpoints together."


class TargetSerializer(serializers.ModelSerializer[Target]):
    """A score to be reached."""

    touchpoint = KeyField(allow_null=True, help_text=_WHERE)
    follows = serializers.IntegerField(source="follows_id", allow_null=True, help_text="Id of the one before it.")
    created_by = UserNameField(allow_null=True)
    standing = serializers.SerializerMethodField(
        help_text="Met is what is no accident, though it is looked every day: that takes more than `low` at the target."
    )
    now = serializers.SerializerMethodField(help_text="The score over its days. Null: it has ended.")
    next_goal = serializers.SerializerMethodField(help_text="Of one that is met: what could come next.")

    class Meta:
        model = Target
        fields = (
            "id", "touchpoint", "goal", "days", "due_on", "status", "follows", "start_score", "start_n", "end_score",
            "end_n", "ended_on", "created_by", "created_at", "standing", "now", "next_goal",
        )  # fmt: skip

    def _state(self, row: Target) -> State:
        found: State = self.context["states"][row.pk]
        return found

    @extend_schema_field({"type": "string", "enum": [value for value, _label in STANDINGS]})
    def get_standing(self, row: Target) -> str:
        return self._state(row).standing

    @extend_schema_field(ScoreSerializer(allow_null=True))
    def get_now(self, row: Target) -> dict[str, Any] | None:
        found = self._state(row).figures
        return None if found is None else score(found)

    @extend_schema_field({"type": ["integer", "null"]})
    def get_next_goal(self, row: Target) -> int | None:
        return self._state(row).proposal


class TargetChangeSerializer(Strict):
    """What is to be different; what is left out stays as it is."""

    goal = serializers.IntegerField(min_value=-100, max_value=100, required=False, help_text="−100 to 100.")
    days = serializers.IntegerField(min_value=7, max_value=366, required=False, help_text="Measured over so many days.")
    due_on = serializers.DateField(required=False, allow_null=True, validators=list(DAYS))
    status = serializers.ChoiceField([("dropped", "dropped")], required=False, help_text="To end it without being met.")


class TargetInSerializer(Strict):
    """A new target."""

    touchpoint = KeyField(rows=Touchpoint.objects.all(), required=False, allow_null=True, help_text=_WHERE)
    goal = serializers.IntegerField(min_value=-100, max_value=100, help_text="−100 to 100.")
    days = serializers.IntegerField(min_value=7, max_value=366, default=90, help_text="Measured over so many days.")
    due_on = serializers.DateField(default=None, allow_null=True, validators=list(DAYS))
    follows = serializers.IntegerField(
        min_value=1,
        max_value=BIGGEST_ID,
        required=False,
        allow_null=True,
        help_text="Id of the one that was met before.",
    )


class TargetFilter(django_filters.FilterSet):
    """Narrows the list of targets."""

    touchpoint = Words("touchpoint__key", max_length=60, label="Key of a touchpoint.")
    status = django_filters.ChoiceFilter(choices=Target.Status.choices)

    class Meta:
        model = Target
        fields = ()


@extend_schema_view(
    list=extend_schema(summary="List targets", tags=TAGS),
    retrieve=extend_schema(summary="One target", tags=TAGS),
)
class TargetViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Targets, newest first. Of each place one is open at most; one that is met proposes the next."""

    queryset = Target.objects.select_related("touchpoint", "created_by", "next")
    serializer_class = TargetSerializer
    filterset_class = TargetFilter
    page_ordering = ("-created_at", "-pk")
    lookup_value_converter = "bigid"
    write_scope = Scope.INSIGHTS_WRITE

    def _shown(self, rows: Sequence[Target]) -> list[Any]:
        """With how they stand, all together; a key that may not read is told ids."""
        context = self.get_serializer_context()
        if not context["may_read"]:
            return [{"id": row.pk} for row in rows]
        states = {state.target.pk: state for state in targets.states(rows, now=timezone.now())}
        return list(TargetSerializer(rows, many=True, context={**context, "states": states}).data)

    def _one(self, row: Target, status: int = 200) -> Response:
        fresh = get_object_or_404(self.get_queryset(), pk=row.pk)
        return Response(self._shown([fresh])[0], status=status)

    def list(self, request: Request) -> Response:
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self._shown(page))

    def retrieve(self, request: Request, pk: int) -> Response:
        return self._one(self.get_object())

    @extend_schema(
        summary="Set a target",
        tags=TAGS,
        request=TargetInSerializer,
        responses={201: TargetSerializer},
        examples=[OpenApiExample("Over everything", {"goal": 60, "due_on": "2026-12-31"}, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        """409: there is an open one at this place. A key without the scope `read` is told the id only."""
        body = TargetInSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        place, follows_id = values.pop("touchpoint", None), values.pop("follows", None)
        try:
            row = targets.set_target(
                touchpoint_id=place.pk if place else None, follows_id=follows_id, by=None, now=timezone.now(), **values
            )
        except TargetError as error:
            raise _problem(error) from None
        return self._one(row, status=201)

    @extend_schema(
        summary="Change a target, or drop it",
        tags=TAGS,
        request=TargetChangeSerializer,
        responses=TargetSerializer,
        examples=[OpenApiExample("More time", {"due_on": "2027-03-31"}, request_only=True)],
    )
    def partial_update(self, request: Request, pk: int) -> Response:
        """409: it has ended. A key without the scope `read` is told the id only."""
        row: Target = self.get_object()
        body = TargetChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values, now = dict(body.validated_data), timezone.now()
        is_dropped = values.pop("status", None) is not None
        kept = {name: values.get(name, getattr(row, name)) for name in ("goal", "days", "due_on")}
        try:
            if values or not is_dropped:
                row = targets.change(target_id=row.pk, now=now, **kept)
            if is_dropped:
                row = targets.drop(target_id=row.pk, now=now)
        except TargetError as error:
            raise _problem(error) from None
        return self._one(row)


def _problem(error: TargetError) -> Exception:
    if error.code == "already_met":
        return WrongFieldsError([("goal", MET_ALREADY)])
    return ConflictError(_SENTENCES[error.code])
