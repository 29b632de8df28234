"""Events: sent one by one or many at once, and what became of them."""

from typing import Any

import django_filters
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiRequest, extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request

from apps.api import events
from apps.api.base import ApiViewSet
from apps.api.fields import PropertiesField
from apps.api.filters import Since, Until, Words
from apps.integrations.models import Scope
from apps.touchpoints.models import Event
from apps.triggers.models import Decision
from apps.triggers.reasons import sentence


class CompanyInSerializer(serializers.Serializer):
    """The organisation the contact belongs to, by your own id."""

    external_id = serializers.CharField(max_length=200)
    name = serializers.CharField(max_length=200, required=False, allow_null=True)
    time_zone = serializers.CharField(required=False, allow_null=True, help_text="For example Europe/Berlin.")
    country = serializers.CharField(required=False, allow_null=True, help_text="Two letters, for example DE.")
    region = serializers.CharField(required=False, allow_null=True, help_text="Of the country, for example BY.")
    properties = PropertiesField(required=False)


class ContactInSerializer(serializers.Serializer):
    """Whom the event happened to: an external id, an e-mail address, or both. Unknown contacts are created."""

    external_id = serializers.CharField(max_length=200, required=False, allow_null=True)
    email = serializers.EmailField(max_length=254, required=False, allow_null=True)
    name = serializers.CharField(max_length=200, required=False, allow_null=True)
    phone = serializers.CharField(required=False, allow_null=True, help_text="For example +49 170 1234567.")
    locale = serializers.CharField(max_length=20, required=False, allow_null=True, help_text="For example de-DE.")
    time_zone = serializers.CharField(required=False, allow_null=True)
    country = serializers.CharField(required=False, allow_null=True)
    region = serializers.CharField(required=False, allow_null=True)
    company = CompanyInSerializer(required=False, allow_null=True)
    properties = PropertiesField(required=False)


class EventInSerializer(serializers.Serializer):
    """One occurrence of a touchpoint for one contact."""

    touchpoint = serializers.CharField(max_length=60, help_text="Key of an active touchpoint.")
    contact = ContactInSerializer()
    occurred_at = serializers.DateTimeField(required=False, allow_null=True, help_text="Default: now.")
    external_id = serializers.CharField(
        max_length=200, required=False, allow_null=True, help_text="Your id of the event: it is taken once per source."
    )
    source: Any = serializers.CharField(max_length=60, required=False, help_text="Default: api.")
    properties = PropertiesField(required=False)


class EventAcceptedSerializer(serializers.Serializer):
    """The event is stored and will be decided about."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(["accepted"])


class BulkErrorSerializer(serializers.Serializer):
    """What is wrong with one field of one event."""

    field = serializers.CharField(allow_blank=True)
    message = serializers.CharField()


class BulkResultSerializer(serializers.Serializer):
    """What became of one event of many."""

    index = serializers.IntegerField(help_text="Its place in the request, from 0.")
    status = serializers.ChoiceField(["accepted", "known", "refused"])
    id = serializers.UUIDField(required=False)
    errors: Any = BulkErrorSerializer(many=True, required=False)


class BulkAcceptedSerializer(serializers.Serializer):
    """What became of many events."""

    accepted = serializers.IntegerField()
    known = serializers.IntegerField(help_text="They were there before.")
    refused = serializers.IntegerField()
    results = BulkResultSerializer(many=True)


class EventInvitationSerializer(serializers.Serializer):
    """The invitation a decision led to."""

    id = serializers.UUIDField()
    status = serializers.CharField()
    send_at = serializers.DateTimeField(allow_null=True)


class EventDecisionSerializer(serializers.ModelSerializer[Decision]):
    """What a rule decided about the event, and why."""

    rule = serializers.CharField(source="rule.name", default=None, allow_null=True)
    rule_version = serializers.IntegerField(source="rule_version.number", default=None, allow_null=True)
    sentence = serializers.SerializerMethodField(help_text="The reason in words.")
    planned_for = serializers.DateTimeField(source="until", allow_null=True)
    details = serializers.JSONField()
    invitation = EventInvitationSerializer(allow_null=True)
    email_status = serializers.CharField(source="invitation.email.status", default=None, allow_null=True)

    class Meta:
        model = Decision
        fields = (
            "id", "rule", "rule_version", "status", "reason", "sentence", "details", "planned_for", "decided_at",
            "invitation", "email_status",
        )  # fmt: skip

    def get_sentence(self, decision: Decision) -> str:
        return str(sentence(decision.reason))


class EventSerializer(serializers.ModelSerializer[Event]):
    """An event, what is known of it, and what was decided about it."""

    touchpoint = serializers.CharField(source="touchpoint.key")
    external_id = serializers.CharField(allow_null=True)
    contact_id = serializers.UUIDField(allow_null=True)
    properties = PropertiesField()
    decisions = EventDecisionSerializer(many=True)

    class Meta:
        model = Event
        fields = (
            "id", "touchpoint", "source", "external_id", "occurred_at", "received_at", "status", "contact_id",
            "properties", "decisions",
        )  # fmt: skip


class EventFilter(django_filters.FilterSet):
    """Narrows the list of events."""

    touchpoint = Words("touchpoint__key", max_length=60, label="Key of a touchpoint.")
    status = django_filters.ChoiceFilter(choices=Event.Status.choices)
    contact = django_filters.UUIDFilter("contact_id", label="Id of a contact.")
    source = Words(max_length=60)
    external_id = Words()
    since = Since("occurred_at", "Occurred at this time or later.")
    until = Until("occurred_at", "Occurred before this time.")

    class Meta:
        model = Event
        fields = ()


ORDER = {
    "touchpoint": "order_received",
    "external_id": "order-1001",
    "contact": {"email": "anna@example.com", "name": "Anna Beck"},
    "properties": {"order_value": 129.9},
}


@extend_schema_view(
    list=extend_schema(summary="List events", tags=["events"]),
    retrieve=extend_schema(summary="What became of an event", tags=["events"]),
)
class EventViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Events, newest first, with what was decided about each."""

    queryset = Event.objects.all()
    serializer_class = EventSerializer
    filterset_class = EventFilter
    page_ordering = ("-occurred_at", "-pk")
    lookup_value_converter = "uuid"
    write_scope = Scope.EVENTS_WRITE

    def get_queryset(self) -> QuerySet[Any]:
        decisions = Decision.objects.select_related("rule", "rule_version", "invitation__email")
        return super().get_queryset().select_related("touchpoint").prefetch_related(Prefetch("decisions", decisions))

    @extend_schema(
        summary="Send an event",
        tags=["events"],
        request=EventInSerializer,
        responses={202: EventAcceptedSerializer},
        examples=[OpenApiExample("An order", ORDER, request_only=True)],
    )
    def create(self, request: Request) -> HttpResponse:
        """Stored before it is answered. The same source and external id again give the same id, and no second event."""
        return events.event(request._request)

    @extend_schema(
        summary="Send many events",
        tags=["events"],
        request={
            "application/json": OpenApiRequest(EventInSerializer(many=True)),
            "application/x-ndjson": {"type": "string", "description": "One event per line."},
        },
        responses={202: BulkAcceptedSerializer},
        examples=[OpenApiExample("Two orders", [ORDER, {**ORDER, "external_id": "order-1002"}], request_only=True)],
    )
    @action(detail=False, methods=["post"], filterset_class=None, pagination_class=None)
    def bulk(self, request: Request) -> HttpResponse:
        """Up to 1,000 at once, 8 MB. A wrong one keeps no other out; what became of each is told in order."""
        return events.events(request._request)
