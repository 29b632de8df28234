"""REST API v1, and its description."""

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from apps.api import description, problems, segment
from apps.api.resources.actions import ActionViewSet
from apps.api.resources.annotations import AnnotationViewSet
from apps.api.resources.answer_metrics import FunnelView, QuestionsView
from apps.api.resources.campaigns import CampaignViewSet, EnrolmentViewSet
from apps.api.resources.case_metrics import CaseMetricsView, RecoveryView
from apps.api.resources.cases import CaseViewSet
from apps.api.resources.companies import CompanyViewSet
from apps.api.resources.contacts import ContactViewSet
from apps.api.resources.decisions import DecisionViewSet
from apps.api.resources.dry_runs import DryRunViewSet
from apps.api.resources.events import EventViewSet
from apps.api.resources.invitations import InvitationViewSet
from apps.api.resources.journey import JourneyView
from apps.api.resources.metrics import DistributionView, NpsView, TrendView
from apps.api.resources.people import AdvocateViewSet, AtRiskViewSet, SilentViewSet
from apps.api.resources.responses import ResponseViewSet
from apps.api.resources.rules import RuleViewSet
from apps.api.resources.segments import SegmentViewSet
from apps.api.resources.stages import StageViewSet
from apps.api.resources.suppressions import SuppressionViewSet
from apps.api.resources.surveys import SurveyViewSet
from apps.api.resources.targets import TargetViewSet
from apps.api.resources.touchpoints import TouchpointViewSet
from apps.api.resources.voucher_pools import VoucherPoolViewSet
from apps.api.resources.vouchers import VoucherViewSet
from apps.api.resources.webhooks import DeliveryViewSet, EndpointViewSet

app_name = "api"
router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("actions", ActionViewSet, basename="action")
router.register("annotations", AnnotationViewSet, basename="annotation")
router.register("enrolments", EnrolmentViewSet, basename="enrolment")
router.register("events", EventViewSet, basename="event")
router.register("cases", CaseViewSet, basename="case")
router.register("campaigns", CampaignViewSet, basename="campaign")
router.register("companies", CompanyViewSet, basename="company")
router.register("contacts", ContactViewSet, basename="contact")
router.register("contacts/at-risk", AtRiskViewSet, basename="contact-at-risk")
router.register("contacts/advocates", AdvocateViewSet, basename="contact-advocate")
router.register("contacts/silent", SilentViewSet, basename="contact-silent")
router.register("decisions", DecisionViewSet, basename="decision")
router.register("dry-runs", DryRunViewSet, basename="dry-run")
router.register("invitations", InvitationViewSet, basename="invitation")
router.register("responses", ResponseViewSet, basename="response")
router.register("rules", RuleViewSet, basename="rule")
router.register("segments", SegmentViewSet, basename="segment-of-contacts")
router.register("stages", StageViewSet, basename="stage")
router.register("suppressions", SuppressionViewSet, basename="suppression")
router.register("surveys", SurveyViewSet, basename="survey")
router.register("targets", TargetViewSet, basename="target")
router.register("touchpoints", TouchpointViewSet, basename="touchpoint")
router.register("voucher-pools", VoucherPoolViewSet, basename="voucher-pool")
router.register("vouchers", VoucherViewSet, basename="voucher")
router.register("webhooks", EndpointViewSet, basename="webhook")
router.register("deliveries", DeliveryViewSet, basename="delivery")

urlpatterns = [
    path("openapi.json", description.openapi, name="openapi"),
    path("docs", description.swagger, name="docs"),
    path("redoc", description.redoc, name="redoc"),
    path("segment/<str:endpoint>", segment.segment, name="segment"),
    path("exports/", include("apps.api.resources.exports")),
    path("", include("apps.api.resources.imports")),
    path("journey", JourneyView.as_view(), name="journey"),
    path("metrics/nps", NpsView.as_view(), name="nps"),
    path("metrics/nps/trend", TrendView.as_view(), name="nps_trend"),
    path("metrics/nps/distribution", DistributionView.as_view(), name="nps_distribution"),
    path("metrics/funnel", FunnelView.as_view(), name="funnel"),
    path("metrics/questions", QuestionsView.as_view(), name="questions"),
    path("metrics/cases", CaseMetricsView.as_view(), name="case_metrics"),
    path("metrics/recovery", RecoveryView.as_view(), name="recovery"),
    path("", include(router.urls)),
    re_path(r"^[\s\S]*$", problems.not_found),
]
