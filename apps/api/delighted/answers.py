"""Responses as Delighted shows them."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.urls import reverse

from apps.api.delighted import shapes
from apps.api.delighted.shapes import unix
from apps.common.db import connection
from apps.common.texts import FALLBACK, localized
from apps.responses.models import Answer, Response
from apps.responses.selectors import visible
from apps.surveys.definition import CHOICES, MULTIPLE, OPT_IN, WORDS, YES_NO
from apps.surveys.models import Question
from apps.triggers.rules import ASK_AFTER

# What Delighted calls the ways to answer; how a response came in from elsewhere it says itself.
_SOURCES = {"email": "Email", "link": "Link", "embed": "Web", "kiosk": "Kiosk"}
SOURCE = "Delighted Source"
_OWN = ("delightedsource", "delighteddevicetype", "delightedoperatingsystem", "delightedbrowser", "delightedlinkname")
"""Set by the platform, not by the caller; compared without case, spaces and underscores."""


def shown() -> QuerySet[Response]:
    """Responses that may be seen and have a score, with what their shape needs. One query at once, two more to read.

    Left out: what a machine probably gave, answers of anonymous surveys that are too few, and answers without a
    recommendation, which Delighted does not know.
    """
    return related(visible(Response.objects.filter(is_suspected=False, score__isnull=False)))


def related(found: QuerySet[Response]) -> QuerySet[Response]:
    """With what :func:`shape` needs. Two queries."""
    given = Answer.objects.select_related("question").order_by("question__position", "question_id")
    found = found.select_related("contact", "invitation__event", "case__owner")
    return found.prefetch_related(Prefetch("answers", given))


def shape(row: Response, expand: Collection[str] = ()) -> dict[str, Any]:
    """One response; ``expand`` may name ``person``. Notes are whole in any case."""
    return {
        "id": str(row.pk),
        "person": _person(row) if "person" in expand else person_id(row),
        "survey_type": "nps",
        "score": row.score,
        "comment": row.comment or None,
        "permalink": _permalink(row),
        "created_at": unix(row.answered_at),
        "updated_at": unix(row.updated_at),
        "person_properties": properties_of(row) or None,
        "notes": _notes(row),
        # Objects: of tags as bare texts the Singer tap makes an error.
        "tags": [{"name": tag} for tag in row.tags],
        "additional_answers": [_additional(answer, row.locale) for answer in row.answers.all()],
    }


def person_id(row: Response) -> str:
    """Never null, as clients expect; who answered by a public link or anonymously is known by the answer only."""
    return str(row.contact_id) if row.contact_id else f"response-{row.pk}"


def _person(row: Response) -> dict[str, Any]:
    if row.contact:
        return shapes.person_brief(row.contact)
    nobody = {"name": None, "email": None, "phone_number": None}
    return {"id": person_id(row), **nobody, "created_at": unix(row.answered_at)}


def properties_of(row: Response) -> dict[str, Any]:
    """What was known when it was asked, and what came with the answer; then how it came."""
    invitation = row.invitation
    event = invitation.event if invitation else None
    known: list[Any] = [event and event.properties, invitation and invitation.properties, row.properties]
    found = {str(key): _flat(value) for part in known if isinstance(part, Mapping) for key, value in part.items()}
    found.pop(ASK_AFTER, None)  # Our own note about when to ask.
    return {**found, SOURCE: _SOURCES[row.channel]} if row.channel in _SOURCES else found


def _flat(value: Any) -> Any:
    """Properties are texts, numbers, yes and no there; what has parts is written as JSON."""
    return value if value is None or isinstance(value, str | int | float) else msgspec.json.encode(value).decode()


def is_own(name: str) -> bool:
    """Whether the platform sets this property itself."""
    return name.lower().replace(" ", "").replace("_", "") in _OWN


def _permalink(row: Response) -> str:
    """The response's page in the workspace, on the tenant's own host."""
    host, port = getattr(connection.tenant, "host", ""), settings.PUBLIC_HOST.partition(":")[2]
    path = reverse("workspace:response", args=[row.pk], urlconf=settings.ROOT_URLCONF)
    return f"{settings.PUBLIC_SCHEME}://{host}{':' if port else ''}{port}{path}"


def _notes(row: Response) -> list[dict[str, Any]]:
    """What somebody wrote down when closing the response's case."""
    case = getattr(row, "case", None)
    if case is None or not case.outcome:
        return []
    email = case.owner.email if case.owner else None
    at = unix(case.closed_at or case.opened_at)
    return [{"id": str(case.pk), "text": case.outcome, "user_email": email, "created_at": at}]


def _additional(answer: Answer, language: str) -> dict[str, Any]:
    question = answer.question
    kind, value = _kind_and_value(answer, question, language)
    empty: dict[str, Any] = {"free_response": None, "scale": None, "select_one": None, "select_many": None}
    text = localized(question.text, language or FALLBACK) or question.key
    return {
        "id": str(answer.pk),
        "value": {**empty, kind: value},
        "question": {"id": question.key, "type": kind, "text": text},
    }


def _kind_and_value(answer: Answer, question: Question, language: str) -> tuple[str, Any]:
    """In Delighted's four kinds. Yes and no are two options; an address that was left is not passed on."""
    if question.kind in (YES_NO, OPT_IN):
        word = "yes" if answer.value else "no"
        return "select_one", {"id": word, "text": word.capitalize()}
    if question.kind in WORDS:
        return "free_response", answer.text
    if question.kind in CHOICES:
        texts = {o["key"]: localized(o["text"], language or FALLBACK) for o in question.options}
        chosen = [{"id": key, "text": texts.get(key) or key} for key in answer.choices]
        return ("select_many", chosen) if question.kind == MULTIPLE else ("select_one", chosen[0] if chosen else None)
    return "scale", answer.value
