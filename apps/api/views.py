"""REST API v1: events in, and what became of them."""

import logging
from typing import Any
from uuid import UUID

import msgspec
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.authentication import REALM, HasScope, key_of
from apps.api.problems import problem
from apps.integrations.models import Scope
from apps.touchpoints import services
from apps.touchpoints.intake import MAX_BYTES, MAX_EXTERNAL_ID, FieldError, InvalidEventError, parse_event
from apps.touchpoints.models import Event
from apps.triggers.reasons import sentence

IDEMPOTENCY_HEADER = "HTTP_IDEMPOTENCY_KEY"
logger = logging.getLogger(__name__)


# The hottest path of the platform: a plain view, no serializer, one statement.
@csrf_exempt
def events(request: HttpRequest) -> HttpResponse:
    """POST one event. 202 with its id; the same external id again gives the same answer."""
    if request.method != "POST":
        return problem(405, "Use POST to send an event.", headers={"Allow": "POST"})
    try:
        return _refusal(request) or _take(request)
    except InvalidEventError as error:
        status = 400 if error.malformed else 422
        return problem(status, "Correct the fields named below and send the event again.", error.errors)
    except OperationalError:
        logger.exception("An event could not be stored")
        detail = "The database does not answer. Send the event again in a moment; its external_id keeps it single."
        return problem(503, detail, headers={"Retry-After": "5"})


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """A problem if the request has no right to be read, or no body of a kind we read."""
    key = key_of(request)
    if key is None:
        detail = "Send “Authorization: Bearer <API key>” with a valid key of this tenant."
        return problem(401, detail, headers={"WWW-Authenticate": REALM})
    if not key.allows(Scope.EVENTS_WRITE):
        return problem(403, f"The key needs the scope “{Scope.EVENTS_WRITE}”.")
    if "CONTENT_LENGTH" not in request.META and request.META.get("HTTP_TRANSFER_ENCODING"):
        return problem(411, "Send the event with a Content-Length, not in chunks.")
    if _length(request) > MAX_BYTES:
        return problem(413, f"An event may have at most {MAX_BYTES // 1024} KB.")
    if request.content_type not in ("application/json", "", "text/plain"):
        return problem(415, "Send the event as application/json.")
    return None


def _length(request: HttpRequest) -> int:
    """The body's length as announced; without a number there, Django reads no body at all."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _take(request: HttpRequest) -> HttpResponse:
    """Read the event, store it, say its id."""
    now = timezone.now()
    event = parse_event(request.body, now)
    if event.external_id is None:
        event.external_id = _idempotency_key(request)
    event_id = services.record_event(event=event, now=now)
    body = {"id": str(event_id), "status": "accepted"}
    return HttpResponse(msgspec.json.encode(body), status=202, content_type="application/json")


def _idempotency_key(request: HttpRequest) -> str | None:
    """The header stands in for an external id. Raises InvalidEventError if it could not be one."""
    value = request.META.get(IDEMPOTENCY_HEADER) or None
    if value is not None and (len(value) > MAX_EXTERNAL_ID or not value.isprintable()):
        message = f"must have at most {MAX_EXTERNAL_ID} printable characters."
        raise InvalidEventError([FieldError("Idempotency-Key", message)])
    return value


class EventView(APIView):
    """What became of one event: its decisions, and what they led to."""

    permission_classes = [HasScope]
    scope = Scope.READ

    def get(self, request: Request, event_id: UUID) -> Response:
        """The event with its decisions."""
        event = Event.objects.select_related("touchpoint").filter(pk=event_id).first()
        if event is None:
            raise Http404
        decisions = event.decisions.select_related("rule", "rule_version", "invitation__email")
        return Response(
            {
                "id": event.id,
                "touchpoint": event.touchpoint.key,
                "source": event.source,
                "external_id": event.external_id,
                "occurred_at": event.occurred_at,
                "received_at": event.received_at,
                "status": event.status,
                "contact_id": event.contact_id,
                "properties": event.properties,
                "decisions": [_decision(d) for d in decisions],
            }
        )


def _decision(decision: Any) -> dict[str, Any]:
    invitation = decision.invitation
    email = invitation.email if invitation else None
    return {
        "rule": decision.rule.name if decision.rule else None,
        "rule_version": decision.rule_version.number if decision.rule_version else None,
        "status": decision.status,
        "reason": decision.reason,
        "sentence": str(sentence(decision.reason)),
        "details": decision.details,
        "planned_for": decision.until,
        "decided_at": decision.decided_at,
        "invitation": {"id": invitation.id, "status": invitation.status, "send_at": invitation.send_at}
        if invitation
        else None,
        "email_status": email.status if email else None,
    }
