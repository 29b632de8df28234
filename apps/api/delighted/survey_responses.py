"""``survey_responses``: listed, read, added, changed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse

from apps.api.delighted import answers
from apps.api.delighted.base import Call, Handler, endpoint
from apps.api.delighted.errors import BLANK, INVALID, Invalid, Refused, as_json
from apps.api.delighted.paging import page_slice
from apps.api.delighted.shapes import unix
from apps.contacts.models import Contact
from apps.integrations.models import Scope
from apps.responses.models import Response
from apps.responses.past import PastResponse
from apps.responses.recording import Changes, PromisedError, record_response, revise_response
from apps.responses.services import InvalidAnswerError
from apps.touchpoints.models import Touchpoint
from apps.triggers.models import DelightedConnection

SECOND = timedelta(seconds=1)
MAX_COMMENT = 5_000
ORDERS = {
    "asc": ("answered_at", "id"),
    "desc": ("-answered_at", "-id"),
    "asc:created_at": ("answered_at", "id"),
    "desc:created_at": ("-answered_at", "-id"),
    "asc:updated_at": ("updated_at", "id"),
    "desc:updated_at": ("-updated_at", "-id"),
}
_FIELDS = {"contact_id": "person", "answered_at": "created_at", "survey_id": "base", "properties": "person_properties"}
_SENTENCES = {
    "out_of_range": INVALID,
    "in_the_future": "can't be in the future",
    "says_nothing": BLANK,
    "too_long": f"is too long (maximum is {MAX_COMMENT} characters)",
    "was_invited": "can't be changed: this person was invited to answer",
    "no_score_question": "is not asked in this survey",
    "no_comment_question": "is not asked in this survey",
    "anonymous_survey": "the survey is anonymous: answers cannot be added to it",
}


def listed(call: Call) -> list[dict[str, Any]]:
    """Oldest first unless told otherwise; a page past the end is empty."""
    found = _filtered(call, answers.shown())
    order = call.params.text("order") or "asc"
    if order not in ORDERS:
        raise Invalid({"order": [INVALID]})
    expand = call.params.texts("expand")
    return [answers.shape(row, expand) for row in found.order_by(*ORDERS[order])[page_slice(call)]]


def _filtered(call: Call, found: QuerySet[Response]) -> QuerySet[Response]:
    given = call.params
    for name, field in (("since", "answered_at"), ("updated_since", "updated_at")):
        if at := given.time(name):
            found = found.filter(**{f"{field}__gte": at})
    for name, field in (("until", "answered_at"), ("updated_until", "updated_at")):
        if at := given.time(name):
            # What is shown as this second lies within it.
            found = found.filter(**{f"{field}__lt": at + SECOND})
    if trend := given.text("trend"):
        found = found.filter(touchpoint=touchpoint_of(trend))
    if person := given.text("person_id"):
        pk = _uuid(person)
        found = found.filter(contact=pk) if pk else found.none()
    if email := given.text("person_email"):
        found = found.filter(contact__email=email.lower())
    return found


def touchpoint_of(trend: str) -> int:
    """Our touchpoints are what trends are there: slices of all responses. Raises Invalid."""
    by = {"pk": int(trend)} if trend.isdecimal() and len(trend) < 10 else {"key": trend[:60]}
    pk = Touchpoint.objects.filter(**by).values_list("pk", flat=True).first()
    if pk is None:
        raise Invalid({"trend": ["is not the id or the key of a touchpoint"]})
    return pk


def one(call: Call, number: str) -> dict[str, Any]:
    """One response; 404 also for what may not be seen."""
    return answers.shape(_find(number), call.params.texts("expand"))


def _find(number: Any) -> Response:
    pk = _uuid(number)
    row = answers.shown().filter(pk=pk).first() if pk else None
    if row is None:
        raise Refused(404)
    return row


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


def add(call: Call) -> HttpResponse:
    """An answer that was given elsewhere; followed up if it is of the last day."""
    given = call.params
    missing = {name: [BLANK] for name in ("person", "score") if not given.given(name)}
    if missing:
        raise Invalid(missing)
    connection = DelightedConnection.objects.first()
    if connection is None:
        raise Invalid({"base": ["Choose the survey first: in the workspace, under “Delighted connection”."]})
    row = PastResponse(
        survey_id=connection.survey_id,
        touchpoint_id=connection.touchpoint_id,
        contact_id=_contact(given["person"]),
        score=_score(call),
        comment=given.text("comment", MAX_COMMENT) or "",
        properties=_own_properties(given.mapping("person_properties")),
        answered_at=given.time("created_at") or call.now,
    )
    try:
        made = record_response(row=row, now=call.now)
    except InvalidAnswerError as error:
        raise _told(error) from error
    return as_json(answers.shape(_find(made.pk), given.texts("expand")), 201)


def change(call: Call, number: str = "") -> dict[str, Any]:
    """The whole object or a part of it; what is read only is passed over. The id may stand in the body only."""
    given = call.params
    row = _find(number or given.get("id"))
    person = _identifier(given.get("person"))
    wanted = Changes(
        contact_id=None if person in (None, answers.person_id(row)) else _contact(person),
        score=_score(call) if given.given("score") else None,
        comment=(given.text("comment", MAX_COMMENT) or "") if "comment" in given else None,
        properties=_changed_properties(row, given.mapping("person_properties")) if _has_properties(call) else None,
        answered_at=_moved(row, given.time("created_at")),
    )
    try:
        revise_response(response_id=row.pk, changes=wanted, now=call.now)
    except InvalidAnswerError as error:
        raise _told(error) from error
    except PromisedError:
        raise Invalid({"base": ["the survey is anonymous: its answers cannot be changed"]}) from None
    return answers.shape(_find(row.pk), given.texts("expand"))


def _has_properties(call: Call) -> bool:
    return "person_properties" in call.params


def _changed_properties(row: Response, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """The properties to store; None where they are what is shown anyway."""
    was = {key: value for key, value in answers.properties_of(row).items() if not answers.is_own(key)}
    then = _own_properties(wanted)
    return None if {key: str(value) for key, value in then.items()} == {k: str(v) for k, v in was.items()} else then


def _own_properties(given: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in given.items() if not answers.is_own(str(key))}


def _moved(row: Response, at: datetime | None) -> datetime | None:
    """Another time only where it is another second: that is all that was told of it."""
    return None if at is None or unix(row.answered_at) == unix(at) else at


def _score(call: Call) -> int:
    score = call.params.whole("score")
    if score is None or not 0 <= score <= 10:
        raise Invalid({"score": ["must be a whole number from 0 to 10"]})
    return score


def _identifier(value: Any) -> str | None:
    """A person as a text, a number, or the object that an expanded response carries."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return None if value in (None, "") else str(value)


def _contact(value: Any) -> UUID:
    pk = _uuid(_identifier(value))
    if pk is None or not Contact.objects.filter(pk=pk).exists():
        raise Invalid({"person": ["is not the id of a person"]})
    return pk


def _told(error: InvalidAnswerError) -> Invalid:
    """The same in this API's words."""
    return Invalid({_FIELDS.get(name, name): [_SENTENCES.get(code, INVALID)] for name, code in error.errors.items()})


RESPONSES = endpoint(
    get=Handler(listed, Scope.READ),
    post=Handler(add, Scope.RESPONSES_WRITE),
    put=Handler(change, Scope.RESPONSES_WRITE),
)
RESPONSE = endpoint(get=Handler(one, Scope.READ), put=Handler(change, Scope.RESPONSES_WRITE))
