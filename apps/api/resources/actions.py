"""Improvement actions: what is tried at a touchpoint, how far it is, and whether it helped."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import django_filters
from django.core.exceptions import ValidationError as ModelError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiViewSet
from apps.api.fields import KeyField
from apps.api.filters import Words, YesNo
from apps.api.problems import ConflictError, WrongFieldsError
from apps.api.resources.improve_data import Compared, UserNameField
from apps.insights import actions, measuring
from apps.insights.models import Action
from apps.integrations.models import Scope
from apps.touchpoints.models import Touchpoint

TAGS = ["insights"]
EXAMPLE = {
    "touchpoint": "order_received",
    "title": "Add a live chat to the contact page",
    "hypothesis": "Customers do not find us when something is wrong.",
    "due_on": "2026-04-30",
}
NO_WAY = "From “{old}” an action cannot become “{new}”."
NOT_YET = "This day is to come: an action is done once customers notice it."
NO_DAY = "Only an action that is done is in effect since a day."


class ActionSerializer(Compared):
    """What is tried so that it hurts less."""

    touchpoint = KeyField(rows=Touchpoint.objects.all())
    owner = UserNameField(required=False, allow_null=True, help_text="A user name; null: nobody.")
    status = serializers.ChoiceField(Action.Status.choices, required=False)
    done_on = serializers.DateField(
        required=False,
        allow_null=True,
        help_text="From this day on customers notice it; of one that is done, else today.",
    )

    class Meta:
        model = Action
        fields = (
            "id", "touchpoint", "title", "hypothesis", "owner", "status", "starts_on", "due_on", "done_on", "learned",
            "window", "control_touchpoint", "control_segment", "created_by", "created_at", "updated_at", "effect",
        )  # fmt: skip
        read_only_fields = ("created_at", "updated_at")

    @transaction.atomic
    def _save(self, row: Action, values: Mapping[str, Any]) -> Action:
        now, rest = timezone.now(), dict(values)
        to, on = rest.pop("status", row.status), rest.pop("done_on", None)
        if on is not None and to != Action.Status.DONE:
            raise WrongFieldsError([("done_on", NO_DAY)])
        for name, value in rest.items():
            setattr(row, name, value)
        try:
            actions.save(row=row, by=None, now=now, fields=rest)
            if to != row.status or on is not None:
                row = actions.move(action_id=row.pk, to=to, on=on, now=now)
        except ModelError as error:
            raise serializers.ValidationError(error.message_dict) from None
        except actions.ActionError as error:
            if error.code == "not_yet":
                raise WrongFieldsError([("done_on", NOT_YET)]) from None
            raise ConflictError(NO_WAY.format(old=row.status, new=to)) from None
        return row


class ActionFilter(django_filters.FilterSet):
    """Narrows the list of actions."""

    q = Words("title", lookup_expr="icontains", max_length=100, label="Part of the title.")
    touchpoint = Words("touchpoint__key", max_length=60, label="Key of a touchpoint.")
    owner = Words("owner__username", max_length=150, label="A user name.")
    status = django_filters.ChoiceFilter(choices=Action.Status.choices)
    overdue = YesNo(method="by_overdue", label="Open after the day it was to be done by, or not.")

    class Meta:
        model = Action
        fields = ()

    def by_overdue(self, rows: QuerySet[Action], _name: str, value: bool) -> QuerySet[Action]:
        today = actions.today_of(timezone.now())
        late = actions.overdue(Action.objects.all(), today=today)
        return actions.overdue(rows, today=today) if value else rows.exclude(pk__in=late.values("pk"))


@extend_schema_view(
    list=extend_schema(summary="List improvement actions", tags=TAGS),
    retrieve=extend_schema(summary="One improvement action", tags=TAGS),
    create=extend_schema(
        summary="Log an improvement action",
        tags=TAGS,
        examples=[OpenApiExample("Planned", EXAMPLE, request_only=True)],
    ),
    partial_update=extend_schema(
        summary="Change an improvement action, or say how far it is",
        tags=TAGS,
        examples=[OpenApiExample("In effect", {"status": "done", "done_on": "2026-03-01"}, request_only=True)],
    ),
)
class ActionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, ApiViewSet):
    """Improvement actions, newest first. What is in effect has its effect beside it."""

    queryset = Action.objects.select_related("touchpoint", "control_touchpoint", "owner", "created_by")
    serializer_class = ActionSerializer
    filterset_class = ActionFilter
    page_ordering = ("-created_at", "-pk")
    lookup_value_converter = "uuid"
    write_scope = Scope.INSIGHTS_WRITE
    http_method_names = ["get", "post", "patch", "head", "options"]

    def _shown(self, rows: Sequence[Action]) -> list[Any]:
        """With what came of them, all together; a key that may not read is told ids."""
        context = self.get_serializer_context()
        if not context["may_read"]:
            return [{"id": str(row.pk)} for row in rows]
        effects = measuring.of_actions(rows, now=timezone.now())
        return list(ActionSerializer(rows, many=True, context={**context, "effects": effects}).data)

    def list(self, request: Request) -> Response:
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self._shown(page))

    def retrieve(self, request: Request, pk: UUID) -> Response:
        return Response(self._shown([self.get_object()])[0])

    def create(self, request: Request) -> Response:
        """A key without the scope `read` is told the id only."""
        return self._saved(self.get_serializer(data=request.data), status=201)

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """409: it cannot go from its status to that one. A key without the scope `read` is told the id only."""
        return self._saved(self.get_serializer(self.get_object(), data=request.data, partial=True), status=200)

    def _saved(self, body: Any, *, status: int) -> Response:
        body.is_valid(raise_exception=True)
        row = get_object_or_404(self.get_queryset(), pk=body.save().pk)
        return Response(self._shown([row])[0], status=status)
