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
