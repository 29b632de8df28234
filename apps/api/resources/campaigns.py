"""Campaigns, what came of them, and the enrolments in them."""

from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiViewSet
from apps.api.filters import Since, Until, Whole, YesNo
from apps.api.problems import ConflictError
from apps.api.resources.campaign_data import (
    CampaignDetailSerializer,
    CampaignFiguresSerializer,
    CampaignSerializer,
    EnrolmentDetailSerializer,
    EnrolmentSerializer,
    figures_of,
)
from apps.campaigns import services
from apps.campaigns.models import Campaign, Enrolment, Segment

TAGS = ["campaigns"]
OVER = "It is over already."


class CampaignFilter(django_filters.FilterSet):
    """Narrows the list of campaigns."""

    is_active = YesNo()
    entry = django_filters.ChoiceFilter(choices=Campaign.Entry.choices)
    segment = django_filters.ChoiceFilter(choices=[pair for pair in Segment.choices if pair[0]])

    class Meta:
        model = Campaign
        fields = ()


@extend_schema_view(
    list=extend_schema(summary="List campaigns", tags=TAGS, responses=CampaignSerializer(many=True)),
    retrieve=extend_schema(
        summary="A campaign with its steps and figures", tags=TAGS, responses=CampaignDetailSerializer
    ),
)
class CampaignViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Campaigns, the newest first; they are made in the configuration."""

    queryset = Campaign.objects.select_related("current_version", "survey", "touchpoint", "goal_touchpoint")
    filterset_class = CampaignFilter
    lookup_value_converter = "bigid"

    def get_serializer_class(self) -> Any:
        return CampaignSerializer if self.is_list else CampaignDetailSerializer

    def get_queryset(self) -> QuerySet[Any]:
        unread = ("draft", "current_version__document") if self.is_list else ("draft",)
        return super().get_queryset().select_related("contact_segment").defer(*unread)

    @extend_schema(summary="What came of a campaign", tags=TAGS, responses=CampaignFiguresSerializer)
    @action(detail=True, filterset_class=None)
    def figures(self, request: Request, pk: int) -> Response:
        """Enrolments by state, how many reached the goal, what came of each step, and whether following up helped
        compared with the contacts that were left out. Over all versions."""
        return Response(CampaignFiguresSerializer(figures_of(self.get_object(), timezone.now())).data)


class EnrolmentFilter(django_filters.FilterSet):
    """Narrows the list of enrolments."""

    campaign = Whole("campaign_id", label="Id of a campaign.")
    contact = django_filters.UUIDFilter("contact_id", label="Id of a contact.")
    response = django_filters.UUIDFilter("response_id", label="Id of a response.")
    state = django_filters.ChoiceFilter(choices=Enrolment.State.choices)
    arm = django_filters.ChoiceFilter(choices=Enrolment.Arm.choices)
    since = Since("enrolled_at", "Enrolled at this time or later.")
    until = Until("enrolled_at", "Enrolled before this time.")

    class Meta:
        model = Enrolment
        fields = ()


@extend_schema_view(
    list=extend_schema(summary="List enrolments", tags=TAGS, responses=EnrolmentSerializer(many=True)),
    retrieve=extend_schema(summary="One enrolment, step by step", tags=TAGS, responses=EnrolmentDetailSerializer),
)
class EnrolmentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Responses on their way through campaigns, newest first."""

    queryset = Enrolment.objects.select_related("version").defer("version__document")
    filterset_class = EnrolmentFilter
    lookup_value_converter = "uuid"

    def get_serializer_class(self) -> Any:
        return EnrolmentSerializer if self.is_list else EnrolmentDetailSerializer

    @extend_schema(summary="Stop an enrolment", tags=TAGS, request=None, responses=EnrolmentDetailSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def stop(self, request: Request, pk: UUID) -> Response:
        """No step comes any more; what was sent stays sent. One that is over is a conflict (409). A key without the
        scope `read` is told the id only."""
        row: Enrolment = self.get_object()
        if not services.stop(enrolment_ids=[row.pk], reason="by_hand", now=timezone.now()):
            raise ConflictError(OVER)
        context = self.get_serializer_context()
        if not context["may_read"]:
            return Response({"id": str(row.pk)})
        return Response(EnrolmentDetailSerializer(self.get_object(), context=context).data)
