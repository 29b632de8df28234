"""Answers that another system took and tells us of by the API, and what it says of them later."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.common.ids import uuid7
from apps.responses import keeping
from apps.responses.models import Response
from apps.responses.past import InvalidPastResponsesError, PastResponse, problems, record_past_responses
from apps.responses.services import InvalidAnswerError, current_definition
from apps.surveys import versions
from apps.surveys.definition import COMMENT, NPS, Definition, Value, fits
from apps.surveys.models import Survey

FRESH = timedelta(days=1)
"""An answer older than this is history: nobody is written to about it."""


class PromisedError(Exception):
    """Who answered was promised to stay unknown, and what was said to stay as it is."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be different; None leaves as it is. An empty comment takes the comment away."""

    score: int | None = None
    comment: str | None = None
    properties: dict[str, Any] | None = None
    tags: Sequence[str] | None = None
    contact_id: UUID | None = None
    answered_at: datetime | None = None


@transaction.atomic
def record_response(*, row: PastResponse, now: datetime) -> Response:
    """Store an answer that was given elsewhere. Raises InvalidAnswerError.

    One of the last day is new: it is followed up and other systems are told, as if it had been given here. An older
    one is a past response (see apps.responses.past): it counts at its own time, and nothing follows from it.
    """
    try:
        if row.answered_at < now - FRESH:
            (pk,) = record_past_responses(rows=[row], now=now)
            return Response.objects.get(pk=pk) if pk else _known(row)
        if found := problems(rows=[row], now=now):
            raise InvalidAnswerError(found[0])
    except InvalidPastResponsesError as error:
        raise InvalidAnswerError(dict(error.problems[0])) from error
    return _store(row, now)


def _known(row: PastResponse) -> Response:
    return Response.objects.get(source=row.source, external_id=row.external_id)


def _store(row: PastResponse, now: datetime) -> Response:
    survey = Survey.objects.select_related("current_version").get(pk=row.survey_id)
    version = survey.current_version or versions.publish(survey_id=survey.pk, now=now)
    definition = versions.definition_of(version)
    response = Response(
        id=uuid7(),
        survey_id=row.survey_id,
        version=version,
        touchpoint_id=row.touchpoint_id,
        contact_id=row.contact_id,
        channel=Response.Channel.API,
        is_incentivised=definition.is_incentivised if row.is_incentivised is None else row.is_incentivised,
        properties=dict(row.properties),
        tags=list(row.tags),
        source=row.source,
        external_id=row.external_id,
        locale=row.locale,
        answered_at=row.answered_at,
        updated_at=row.answered_at,
    )
    then = {**row.answers, **_words(definition, row.score, row.comment)}
    keeping.write(response, definition, was=keeping.as_it_is(response, definition), then=then, now=now)
    return response


def _words(definition: Definition, score: int | None, comment: str | None) -> dict[str, Value]:
    """Score and comment by the keys of their questions; what is missing is left out."""
    values: dict[str, Value | None] = {NPS: score, COMMENT: comment or None}
    found = ((question.key, values.get(question.kind)) for question in definition.questions)
    return {key: value for key, value in found if value is not None}


@transaction.atomic
def revise_response(*, response_id: UUID, changes: Changes, now: datetime) -> Response:
    """Change what a response says; what it said before is kept as a revision. Nothing new writes nothing.

    Raises Response.DoesNotExist, InvalidAnswerError, PromisedError for answers of anonymous surveys.
    """
    found = Response.objects.select_for_update(of=("self",)).select_related("version", "invitation", "contact")
    row = found.get(pk=response_id)
    definition = current_definition(row, now)
    was = keeping.as_it_is(row, definition)
    then = _then(was.words, definition, changes)
    is_changed = _take_over(row, changes, now) or then != was.words
    if is_changed and definition.is_anonymous:
        raise PromisedError
    if is_changed:
        if changes.answered_at is not None and changes.answered_at != row.answered_at:
            _move(row, was.counted, changes.answered_at, now)
        keeping.write(row, definition, was=was, then=then, now=now)
    return row


def _then(words: Any, definition: Definition, changes: Changes) -> dict[str, Value]:
    """What is said from now on."""
    score = {} if changes.score is None else _words(definition, changes.score, None)
    comment = {} if not changes.comment else _words(definition, None, changes.comment)
    if changes.score is not None and not score:
        raise InvalidAnswerError({"score": "no_score_question"})
    if changes.comment and not comment:
        raise InvalidAnswerError({"comment": "no_comment_question"})
    new = {**score, **comment}
    for question in definition.questions:
        if question.key in new and not fits(question, new[question.key]):
            raise InvalidAnswerError({question.field_name: "out_of_range"})
    gone = {question.key for question in definition.questions if question.kind == COMMENT and changes.comment == ""}
    return {key: value for key, value in {**words, **new}.items() if key not in gone}


def _take_over(row: Response, changes: Changes, now: datetime) -> bool:
    """Put what is not an answer into the row; True if that changed it, or its time is to change."""
    before = (row.properties, row.tags, row.contact_id)
    if changes.contact_id is not None and changes.contact_id != row.contact_id:
        if row.invitation_id is not None:  # Whom we asked is who answered.
            raise InvalidAnswerError({"contact_id": "was_invited"})
        row.contact_id = changes.contact_id
    if changes.properties is not None:
        row.properties = changes.properties
    if changes.tags is not None:
        row.tags = list(changes.tags)
    if changes.answered_at is not None and changes.answered_at > now + timedelta(minutes=5):
        raise InvalidAnswerError({"answered_at": "in_the_future"})
    moves = changes.answered_at is not None and changes.answered_at != row.answered_at
    return moves or before != (row.properties, row.tags, row.contact_id)


def _move(row: Response, counted: int | None, to: datetime, now: datetime) -> None:
    """Give the response another time; what the figures have of it moves to that day."""
    if counted is not None:
        keeping.count(row, weight=-1, now=now)
    row.answered_at = to
    if counted is not None:
        keeping.count(row, weight=1, now=now)
