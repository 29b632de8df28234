"""Contacts at risk, advocates, and silent ones: with the reasons, and what to do next."""

from collections.abc import Iterable
from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request

from apps.api.base import ApiViewSet
from apps.api.filters import Whole, Words
from apps.api.problems import problem
from apps.api.resources.segments import contacts_of
from apps.contacts.models import Contact
from apps.insights import people
from apps.insights.people_finding import TooManyError, Wanted, narrowed, patience
from apps.insights.people_reasons import ACTIONS, READERS, UNANSWERED, Person
from apps.messaging.models import Suppression
from apps.responses.models import Response
from apps.surveys.models import Invitation

TAGS = ["contacts"]
TOO_LONG = "Looking through all contacts takes too long: hardly anybody fits, if anybody. Choose other filters."
RISKS = (people.LOW_SCORE, people.FELL, people.CASE_LOST, people.CASE_OVERDUE)
PRAISE = (people.TWICE_HIGH, people.HIGH_WITH_WORDS)
EVERY = (*RISKS, *PRAISE, UNANSWERED)


class ReasonSerializer(serializers.Serializer[Any]):
    """One sign, with its figure and its time."""

    code = serializers.ChoiceField(EVERY)
    at = serializers.DateTimeField(
        help_text="Of the answer, of the close, since when a case is overdue, or when they were asked last."
    )
    score = serializers.IntegerField(allow_null=True)
    score_before = serializers.IntegerField(source="before", allow_null=True)
    number = serializers.IntegerField(
        allow_null=True, help_text="Whole days a case is overdue, or invitations that were not answered."
    )
    touchpoint = serializers.CharField(source="touchpoint.key", default=None, allow_null=True)
    case_id = serializers.UUIDField(allow_null=True)


class ListedContactSerializer(serializers.ModelSerializer[Contact]):
    """The contact, without what only its own page tells."""

    company_id = serializers.IntegerField(allow_null=True)

    class Meta:
        model = Contact
        fields = ("id", "external_id", "email", "phone", "name", "locale", "company_id")


class PersonSerializer(serializers.Serializer[Person]):
    """A contact in one of these lists."""

    contact = ListedContactSerializer()
    at: Any = serializers.DateTimeField(help_text="Of the last score, or of the last invitation.")
    score = serializers.IntegerField(source="response.score", default=None, allow_null=True)
    response_id = serializers.UUIDField(source="response.pk", default=None, allow_null=True)
    case_id = serializers.UUIDField(
        source="case.pk", default=None, allow_null=True, help_text="At risk: the open case, else the last that counts."
    )
    reasons = ReasonSerializer(many=True)
    next_action = serializers.ChoiceField(ACTIONS, source="action")
    blocked = serializers.SerializerMethodField(help_text="Why they may not be written to; null if they may.")

    @extend_schema_field({"type": ["string", "null"], "enum": [*Suppression.Reason.values, None]})
    def get_blocked(self, person: Person) -> str | None:
        return person.blocked or None


class PeopleFilter(django_filters.FilterSet):
    """Narrows each of the lists."""

    q = Words(label="Part of the contact's name, address, telephone number or your id.", max_length=100)
    touchpoint = Words(max_length=60, label="Key of the touchpoint of the last score, or of the last invitation.")
    segment = Words(max_length=60, label="Key of a segment.")
    company = Whole(label="Id of a company.")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """All at once: how they are found depends on all that is asked for."""
        asked, now = self.form.cleaned_data, timezone.now()
        found = _found(self.Meta.standing, reason=asked.get("reason") or "", now=now)
        if asked["segment"]:
            found = found.filter(contact__in=contacts_of(key=asked["segment"], now=now))
        if asked["company"] is not None:
            found = found.filter(contact__company=asked["company"])
        return narrowed(found, Wanted(words=asked["q"], touchpoint=asked["touchpoint"]), now=now)

    class Meta:
        model = Response
        fields = ()
        standing = ""


class AtRiskFilter(PeopleFilter):
    """Contacts at risk."""

    reason = django_filters.ChoiceFilter(choices=[(code, code) for code in RISKS], label="Only with this sign.")

    class Meta(PeopleFilter.Meta):
        standing = people.AT_RISK


class AdvocateFilter(PeopleFilter):
    """Advocates."""

    reason = django_filters.ChoiceFilter(choices=[(code, code) for code in PRAISE], label="Only with this sign.")

    class Meta(PeopleFilter.Meta):
        standing = people.ADVOCATES


class SilentFilter(PeopleFilter):
    """Silent contacts."""

    class Meta(PeopleFilter.Meta):
        model = Invitation  # type: ignore[assignment]
        standing = people.SILENT


def _found(standing: str, *, reason: str, now: Any) -> QuerySet[Any]:
    if standing == people.AT_RISK:
        return people.at_risk(now=now, reason=reason)
    return people.advocates(now=now, reason=reason) if standing == people.ADVOCATES else people.silent(now=now)


class _PeopleViewSet(ApiViewSet):
    serializer_class = PersonSerializer
    standing: ClassVar[str]
    page_ordering: tuple[str, ...] = ("-answered_at", "-pk")

    def list(self, request: Request) -> HttpResponseBase:
        try:
            with patience():
                rows: Iterable[Any] = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
                told = READERS[self.standing](rows, now=timezone.now())
        except TooManyError:
            return problem(503, TOO_LONG)
        return self.get_paginated_response(self.get_serializer(told, many=True).data)


@extend_schema_view(list=extend_schema(summary="List contacts at risk", tags=TAGS))
class AtRiskViewSet(_PeopleViewSet):
    """Whose last score of the last 12 months is 0–6 or fell by 3 or more (to 8 at most), or whose case was lost or is
    overdue; those who answered last come first."""

    queryset = Response.objects.none()
    filterset_class = AtRiskFilter
    standing = people.AT_RISK


@extend_schema_view(list=extend_schema(summary="List advocates", tags=TAGS))
class AdvocateViewSet(_PeopleViewSet):
    """Who gave 9 or 10 twice in a row, or the last time with a comment, within the last 12 months, and has no case that
    is overdue or was lost since; those who answered last come first."""

    queryset = Response.objects.none()
    filterset_class = AdvocateFilter
    standing = people.ADVOCATES


@extend_schema_view(list=extend_schema(summary="List silent contacts", tags=TAGS))
class SilentViewSet(_PeopleViewSet):
    """Who got two or more invitations within the last 12 months, the last 7 days not counted, and has never answered
    anything; those who were asked last come first."""

    queryset = Invitation.objects.none()
    filterset_class = SilentFilter
    page_ordering = ("-pk",)
    standing = people.SILENT
