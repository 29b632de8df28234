"""The rows behind the lists and pages, with everything a row shows loaded along."""

from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Exists, F, Model, OuterRef, Prefetch, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from apps.campaigns.models import StepRun
from apps.common.conditions import ConditionError
from apps.contacts.models import Contact, LegalBasis
from apps.insights.nps import segment_of
from apps.messaging.models import DeliveryEvent, OutgoingEmail, Suppression
from apps.responses.models import Answer, Response
from apps.responses.selectors import visible, with_promise
from apps.touchpoints.models import Event, Touchpoint
from apps.transfers.models import Import
from apps.triggers.models import Cadence, Decision, DryRun, Segment, TriggerRule
from apps.triggers.segments import subquery
from apps.workspace.filters import INCENTIVES, NO_SCORE, NO_STREAM

HISTORY = 20
Row = TypeVar("Row", bound=Model)


def about_contact(words: str, path: str = "contact") -> Q:
    """What is at ``path`` is a contact with these words in name, address or id."""
    found = Q()
    for field in ("name", "email", "external_id"):
        found |= Q(**{f"{path}__{field}__icontains": words})
    return found


def touchpoints() -> list[Touchpoint]:
    """All touchpoints along the journey."""
    return list(Touchpoint.objects.select_related("stage"))


def responses(values: dict[str, Any], *, now: datetime) -> QuerySet[Response]:
    """Responses that fit a ResponseFilter, whether suspected or not. One query at once: what must stay hidden."""
    found = visible(with_promise(Response.objects.select_related("contact", "touchpoint")))
    if values["q"]:
        found = found.filter(Q(comment__icontains=values["q"]) | about_contact(values["q"]))
    if values["segment"] == NO_SCORE:
        found = found.filter(score__isnull=True)
    elif values["segment"]:
        found = found.filter(score__in=[score for score in range(11) if segment_of(score) == values["segment"]])
    if values["touchpoint"]:
        found = found.filter(touchpoint__key=values["touchpoint"])
    if values["days"]:
        found = found.filter(answered_at__gte=now - timedelta(days=int(values["days"])))
    if values["comment"]:
        found = found.exclude(comment="") if values["comment"] == "yes" else found.filter(comment="")
    if values["contacts"]:
        found = _of_segment(found, values["contacts"], now)
    return found.filter(**_circumstances(values))


def _circumstances(values: dict[str, Any]) -> dict[str, Any]:
    """What a ResponseFilter asks of how responses came about, as lookups."""
    wanted = {
        "channel": values["channel"],
        "is_partial": values["partial"] and values["partial"] == "yes",
        "is_incentivised": INCENTIVES.get(values["incentive"], ""),
    }
    return {name: value for name, value in wanted.items() if value != ""}


def by_suspicion(found: QuerySet[Response], wanted: str) -> QuerySet[Response]:
    """Those that humans gave, unless suspected ones, or all, are asked for."""
    return found if wanted == "all" else found.filter(is_suspected=wanted == "yes")


def contacts(values: dict[str, Any], *, now: datetime) -> QuerySet[Contact]:
    """Contacts that fit a ContactFilter."""
    found = Contact.objects.select_related("company")
    if values["q"]:
        named = Q(name__icontains=values["q"]) | Q(email__icontains=values["q"])
        found = found.filter(named | Q(external_id__icontains=values["q"]) | Q(phone__icontains=values["q"]))
    if values["company"]:
        words = values["company"]
        found = found.filter(Q(company__name__icontains=words) | Q(company__external_id__iexact=words))
    if values["segment"]:
        found = _of_segment(found, values["segment"], now, path="pk")
    if values["basis"]:
        held = Exists(LegalBasis.objects.filter(contact=OuterRef("pk"), revoked_at=None))
        found = found.filter(held if values["basis"] == "yes" else ~held)
    if values["blocked"]:
        # Not null, so that NOT IN means what it says; no address at all is not blocked.
        blocked = Suppression.objects.filter(lifted_at=None).exclude(email="").values("email")
        is_blocked = Q(address__in=blocked) | (Q(phone__in=blocked) & ~Q(phone=""))
        found = found.annotate(address=Coalesce("email", Value("")))
        found = found.filter(is_blocked if values["blocked"] == "yes" else ~is_blocked)
    return found


def with_bases(found: QuerySet[Contact]) -> QuerySet[Contact]:
    """Each with ``held_bases``: why we may write to it today. One query more."""
    held = LegalBasis.objects.filter(revoked_at=None).order_by("granted_at", "pk").defer("wording")
    return found.prefetch_related(Prefetch("legal_bases", held, to_attr="held_bases"))


def _of_segment(found: QuerySet[Row], key: str, now: datetime, path: str = "contact_id") -> QuerySet[Row]:
    """Rows of a segment's contacts, whose id is at ``path``; none if the segment is gone or broken."""
    condition = Segment.objects.filter(key=key).values_list("condition", flat=True).first()
    if condition is None:
        return found.none()
    try:
        return found.filter(**{f"{path}__in": subquery(condition=condition, now=now)})
    except ConditionError:
        return found.none()


def segments() -> list[Segment]:
    """All segments of contacts, by name."""
    return list(Segment.objects.all())


def response(pk: UUID) -> Response:
    """One response with what it belongs to. Raises Response.DoesNotExist, also if it must stay hidden."""
    related = ("contact__company", "touchpoint", "survey", "version", "invitation__email", "case__owner")
    return visible(Response.objects.select_related(*related)).get(pk=pk)


def answers(of: Response) -> list[Answer]:
    """The answers given along with score and comment."""
    return list(of.answers.select_related("question").order_by("question__position", "question_id"))


def step_runs(of: Response) -> list[StepRun]:
    """The follow-ups, in the order they are due."""
    found = StepRun.objects.filter(enrolment__response=of)
    return list(
        found.select_related("enrolment__campaign", "email").order_by("enrolment__enrolled_at", "position", "pk")
    )


def decisions(values: dict[str, Any]) -> QuerySet[Decision]:
    """Decisions that fit a DecisionFilter."""
    found = told_decisions()
    if values["q"]:
        found = found.filter(about_contact(values["q"]) | Q(event__external_id__icontains=values["q"]))
    if values["touchpoint"]:
        at = values["touchpoint"]
        found = found.filter(Q(event__touchpoint__key=at) | Q(cadence__touchpoint__key=at))
    if values["rule"]:
        kind, _colon, pk = values["rule"].partition(":")
        found = found.filter(**{kind: int(pk)})
    return found.filter(**{name: values[name] for name in ("status", "reason") if values[name]})


def told_decisions() -> QuerySet[Decision]:
    """All decisions with what a table row tells of them."""
    related = ("contact", "rule", "rule_version", "cadence__touchpoint", "event__touchpoint", "invitation__email")
    unread = ("event__properties", "event__contact_data", "contact__properties")
    mail = ("invitation__email__values", "invitation__email__headers")
    return Decision.objects.select_related(*related).defer(*unread, *mail)


def rules() -> list[TriggerRule]:
    """All trigger rules by name."""
    return list(TriggerRule.objects.only("name").order_by("name", "pk"))


def cadences() -> list[Cadence]:
    """All cadences by name."""
    return list(Cadence.objects.only("name"))


def undecided_events() -> int:
    """Events for which no decision was made yet."""
    return Event.objects.filter(status=Event.Status.PENDING).count()


def dry_runs(values: dict[str, Any]) -> QuerySet[DryRun]:
    """Dry runs that fit a DryRunFilter; of their results only how many would be asked."""
    found = DryRun.objects.select_related("created_by").defer("draft", "budget", "result")
    found = found.annotate(
        is_of_rule=Q(draft__isnull=False), asked=F("result__rule__asked"), asked_in_all=F("result__others__asked")
    )
    if values["q"]:
        found = found.filter(title__icontains=values["q"])
    return found.filter(status=values["status"]) if values["status"] else found


def imports(values: dict[str, Any]) -> QuerySet[Import]:
    """Imports that fit an ImportFilter; without what their columns are."""
    found = Import.objects.select_related("created_by").defer("headers", "mapping", "options", "undo_result")
    if values["q"]:
        found = found.filter(file_name__icontains=values["q"])
    return found.filter(**{name: values[name] for name in ("kind", "status") if values[name]})


def emails(values: dict[str, Any], *, now: datetime) -> QuerySet[OutgoingEmail]:
    """Messages that fit an EmailFilter; without their words."""
    found = OutgoingEmail.objects.defer("values", "headers")
    if values["contact"]:
        found = found.filter(contact=values["contact"])
    if values["q"]:
        words = values["q"]
        named = Q(to_email__icontains=words) | Q(to_name__icontains=words) | Q(subject__icontains=words)
        found = found.filter(named | about_contact(words))
    if values["days"]:
        found = found.filter(queued_at__gte=now - timedelta(days=int(values["days"])))
    if values["stream"]:
        found = found.filter(stream="" if values["stream"] == NO_STREAM else values["stream"])
    return found.filter(**{name: values[name] for name in ("status", "channel") if values[name]})


def with_events() -> Prefetch:
    """What mail services reported about messages, in the order of time."""
    return Prefetch("events", DeliveryEvent.objects.order_by("at", "pk"))


def contact_history(of: Contact) -> dict[str, list[Any]]:
    """What we know of a contact: the newest answers, decisions and messages, and why we may write. Five queries."""
    mails = of.emails.defer("values", "headers").order_by("-queued_at", "-pk").prefetch_related(with_events())
    return {
        "responses": list(of.responses.select_related("touchpoint").order_by("-answered_at", "-pk")[:HISTORY]),
        "decisions": list(told_decisions().filter(contact=of).order_by("-decided_at", "-pk")[:HISTORY]),
        "emails": list(mails[:HISTORY]),
        "legal_bases": list(of.legal_bases.order_by("granted_at")),
    }  # fmt: skip
