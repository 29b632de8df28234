"""Invitations: who was asked what, what became of it; taken back before they leave."""

from typing import Any
from uuid import UUID

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiViewSet, Expandable, expand_parameter
from apps.api.filters import Since, Until, Words
from apps.api.problems import ConflictError
from apps.api.resources.contact_data import ContactSerializer
from apps.contacts import services as contacts
from apps.surveys.models import Invitation
from apps.surveys.services import outreach_reason, revoke_unsent
from apps.triggers.reasons import sentence

TAGS = ["invitations"]
BECAUSE = "taken_back"
LEFT = "It has left already: what was sent or shown cannot be taken back."


class InvitationSerializer(Expandable, serializers.ModelSerializer[Invitation]):
    """One contact asked to answer one survey for one reason."""

    expandable = ("contact",)
    survey = serializers.CharField(source="survey.key")
    touchpoint = serializers.CharField(source="touchpoint.key", default=None, allow_null=True)
    contact_id = serializers.UUIDField(allow_null=True)
    contact = ContactSerializer(allow_null=True, required=False, help_text="With `expand=contact`.")
    event_id = serializers.UUIDField(allow_null=True)
    email_id = serializers.UUIDField(allow_null=True)
    email_status = serializers.CharField(source="email.status", default=None, allow_null=True)
    sentence = serializers.SerializerMethodField(help_text="The reason for the status in words.")

    class Meta:
        model = Invitation
        fields = (
            "id", "survey", "touchpoint", "contact_id", "contact", "event_id", "status", "status_reason", "sentence",
            "send_at", "give_up_at", "email_id", "email_status", "link_expires_at", "created_at",
        )  # fmt: skip

    def get_sentence(self, invitation: Invitation) -> str:
        return str(sentence(invitation.status_reason))


class InvitationFilter(django_filters.FilterSet):
    """Narrows the list of invitations."""

    status = django_filters.ChoiceFilter(choices=Invitation.Status.choices)
    contact = django_filters.UUIDFilter("contact_id", label="Id of a contact.")
    event = django_filters.UUIDFilter("event_id", label="Id of an event.")
    survey = Words("survey__key", max_length=60, label="Key of a survey.")
    touchpoint = Words("touchpoint__key", max_length=60, label="Key of a touchpoint.")
    since = Since("created_at", "Made at this time or later.")
    until = Until("created_at", "Made before this time.")

    class Meta:
        model = Invitation
        fields = ()


@extend_schema_view(
    list=extend_schema(summary="List invitations", tags=TAGS, parameters=[expand_parameter("contact")]),
    retrieve=extend_schema(summary="One invitation", tags=TAGS, parameters=[expand_parameter("contact")]),
)
class InvitationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Invitations, newest first. Events and cadences make them; the API makes events."""

    queryset = Invitation.objects.select_related("survey", "touchpoint", "email")
    serializer_class = InvitationSerializer
    filterset_class = InvitationFilter
    lookup_value_converter = "uuid"
    expandable = {"contact": ["contact"]}

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().defer("email__values", "email__headers", "properties")

    @extend_schema(
        summary="Take an invitation back",
        tags=TAGS,
        parameters=[expand_parameter("contact")],
        request=None,
        responses=InvitationSerializer,
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def revoke(self, request: Request, pk: UUID) -> Response:
        """One that is scheduled or waits for delivery does not leave any more, and the contact budget gets its place
        back. One that was taken back before stays so; one that has left is a conflict (409)."""
        row: Invitation = self.get_object()
        if row.status != Invitation.Status.REVOKED:
            _revoke(row)
        return Response(self.get_serializer(self.get_object()).data)


@transaction.atomic
def _revoke(row: Invitation) -> None:
    if row.contact_id is not None:
        contacts.lock(contact_ids=[row.contact_id])
    if row.pk not in revoke_unsent(reasons=[outreach_reason(row.pk)], reason=BECAUSE):
        raise ConflictError(LEFT)
