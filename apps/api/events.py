"""Event intake: one event, as fast as it goes, or many at once."""

import logging
from typing import Any

import msgspec
from django.db import IntegrityError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from apps.api import limits, repeats
from apps.api.authentication import NO_KEY, REALM, key_of
from apps.api.parsing import unreadable
from apps.api.problems import SLOW_DOWN, problem
from apps.integrations import once
from apps.integrations.models import Scope
from apps.integrations.services import KeyRef
from apps.touchpoints import bulk, services
from apps.touchpoints.intake import MAX_BYTES, InvalidEventError, parse_event

JSON = ("application/json", "", "text/plain")
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
AGAIN = "The database does not answer. Send the same again in a moment; external_id keeps every event single."
logger = logging.getLogger(__name__)


# The hottest path of the platform: a plain view, no serializer, one statement.
@csrf_exempt
def event(request: HttpRequest) -> HttpResponse:
    """POST one event. 202 with its id; the same external id again gives the same answer."""
    return _answer(request, MAX_BYTES, JSON, _take)


@csrf_exempt
def events(request: HttpRequest) -> HttpResponse:
    """POST many events as a JSON array or in lines of JSON. 202 and what became of each."""
    return _answer(request, bulk.MAX_BULK_BYTES, (*JSON, *NDJSON), _take_many)


def _answer(request: HttpRequest, most: int, types: tuple[str, ...], take: Any) -> HttpResponse:
    try:
        key = key_of(request)
        refusal = _refusal(request, key, most, types)
        if key is None or refusal is not None:
            return refusal or problem(401, NO_KEY)
        verdict = limits.spend(key=key)
        answer = _taken(request, key, take) if verdict.allowed else problem(429, SLOW_DOWN)
        for name, value in verdict.headers().items():
            answer.headers[name] = value
        return answer
    except OperationalError:
        logger.exception("An event could not be stored")
        return problem(503, AGAIN, headers={"Retry-After": "5"})


def _taken(request: HttpRequest, key: KeyRef, take: Any) -> HttpResponse:
    try:
        answer: HttpResponse = take(request, key)
    except InvalidEventError as error:
        status = 400 if error.malformed else 422
        return problem(status, "Correct the fields named below and send the event again.", error.errors)
    return answer


def _refusal(request: HttpRequest, key: KeyRef | None, most: int, types: tuple[str, ...]) -> HttpResponse | None:
    """A problem if the request has no right to be read, or no body of a kind we read."""
    if key is None:
        return problem(401, NO_KEY, headers={"WWW-Authenticate": REALM})
    if not key.allows(Scope.EVENTS_WRITE):
        return problem(403, f"The key needs the scope “{Scope.EVENTS_WRITE}”.")
    refusal = unreadable(request, most)
    if refusal is None and request.content_type not in types:
        return problem(415, f"Send it as {types[0]}.")
    return refusal


def _take(request: HttpRequest, key: KeyRef) -> HttpResponse:
    """Read the event, store it, say its id."""
    now = timezone.now()
    found = parse_event(request.body, now)
    try:
        named = repeats.once_of(request, key, request.body)
        recorded = services.record_event(event=found, now=now, request=named)
    except repeats.InvalidKeyError:
        return repeats.invalid_key()
    except once.OtherRequestError:
        return repeats.other_request()
    headers = repeats.REPLAYED if recorded.replayed else {}
    body = services.answer_of(recorded.id)
    return HttpResponse(body, status=202, content_type="application/json", headers=headers)


def _take_many(request: HttpRequest, key: KeyRef) -> HttpResponse:
    # Read here: request.body would refuse what is larger than a form may be.
    body = request.read(int(request.META.get("CONTENT_LENGTH") or 0))
    request._body = body  # what request.body gives from now on

    def once_only() -> Any:
        return repeats.once_only(request, key, lambda: _store(request, body), timezone.now())

    try:
        answer: HttpResponse = once_only()
    except IntegrityError:
        # A touchpoint was deleted within the last seconds. With an Idempotency-Key that is seen only at the end.
        services.forget_touchpoints()
        answer = once_only()
    return answer


def _store(request: HttpRequest, body: bytes) -> HttpResponse:
    now = timezone.now()
    try:
        found = bulk.parse_events(body, now, lines=request.content_type in NDJSON)
    except bulk.TooManyEventsError:
        return problem(413, f"Send at most {bulk.MAX_EVENTS} events at once.")
    taken = bulk.record_events(events=found, now=now)
    if taken and not any(one.id for one in taken):
        wrong = [(f"{place}.{e.field}".rstrip("."), e.message) for place, one in enumerate(taken) for e in one.errors]
        return problem(422, "No event could be taken. Correct the fields named below.", wrong[:1000])
    return HttpResponse(msgspec.json.encode(_told(taken)), status=202, content_type="application/json")


def _told(taken: list[bulk.Taken]) -> dict[str, Any]:
    results = [_told_one(place, one) for place, one in enumerate(taken)]
    count = [one["status"] for one in results]
    return {
        "accepted": count.count("accepted"),
        "known": count.count("known"),
        "refused": count.count("refused"),
        "results": results,
    }


def _told_one(place: int, one: bulk.Taken) -> dict[str, Any]:
    if one.id is None:
        errors = [{"field": error.field, "message": error.message} for error in one.errors]
        return {"index": place, "status": "refused", "errors": errors}
    return {"index": place, "status": "accepted" if one.is_new else "known", "id": str(one.id)}
