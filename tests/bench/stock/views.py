"""Event intake the way Django REST framework's tutorial would have it."""

from typing import Any

from django.utils import timezone
from rest_framework import generics, permissions, serializers
from rest_framework.request import Request

from apps.integrations.models import ApiKey
from apps.touchpoints.models import Event, Touchpoint


class HasKey(permissions.BasePermission):
    """Any valid key will do."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, ApiKey)


class EventSerializer(serializers.ModelSerializer):
    """The unique constraint on (source, external id) brings its validator along."""

    touchpoint = serializers.SlugRelatedField(slug_field="key", queryset=Touchpoint.objects.all())
    contact = serializers.JSONField(source="contact_data")

    class Meta:
        model = Event
        fields = ["id", "touchpoint", "source", "external_id", "occurred_at", "contact", "properties"]


class EventCreateView(generics.CreateAPIView):
    """POST one event."""

    queryset = Event.objects.all()
    serializer_class = EventSerializer
    permission_classes = [HasKey]

    def perform_create(self, serializer: serializers.BaseSerializer) -> None:
        serializer.save(received_at=timezone.now())


class ManySerializer(serializers.ListSerializer):
    """As the manual has it: https://www.django-rest-framework.org/api-guide/serializers/#customizing-listserializer-behavior."""

    def create(self, validated_data: list[dict[str, Any]]) -> list[Event]:
        now = timezone.now()
        rows = [Event(**{**data, "received_at": now}) for data in validated_data]
        return Event.objects.bulk_create(rows, ignore_conflicts=True)


class OneOfManySerializer(EventSerializer):
    """Without the validator that asks the database about every row: the insert leaves out what is there."""

    class Meta(EventSerializer.Meta):
        list_serializer_class = ManySerializer
        validators: list[Any] = []


class EventsCreateView(EventCreateView):
    """POST many events."""

    serializer_class = OneOfManySerializer

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        return super().get_serializer(*args, many=True, **kwargs)

    def perform_create(self, serializer: serializers.BaseSerializer) -> None:
        serializer.save()
