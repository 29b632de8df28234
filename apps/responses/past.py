"""Responses that were given elsewhere, some time ago: brought in by the thousand, and taken out again.

They count in the figures at their own time. Nothing follows from them: no campaign, no case, no webhook, no rest in
the contact budget. What the survey was when they were given nobody noted, so they name no version.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction

from apps.common import agenda, bulk
from apps.common.ids import uuid7
from apps.common.operators import is_storable
from apps.common.texts import hyphened
from apps.responses import keeping
from apps.responses.models import Answer, Response
from apps.surveys import versions
from apps.surveys.definition import COMMENT, MAX_WORDS, NPS, Definition, Value, fits
from apps.surveys.models import Question, Survey

MAX_ROWS = 10_000
"""Per call: what is stored of the figures is a small number."""
CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class PastResponse:
    """One response as it is known elsewhere. ``answers`` are those to further questions, by question key.

    ``external_id`` is what ``source`` calls it; with one, the same response is taken over once only.
    """

    survey_id: int
    answered_at: datetime
    score: int | None = None
    comment: str = ""
    contact_id: UUID | None = None
    updated_at: datetime | None = None
    touchpoint_id: int | None = None
    locale: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    tags: Sequence[str] = ()
    answers: Mapping[str, Value] = field(default_factory=dict)
    source: str = ""
    external_id: str | None = None
    is_incentivised: bool | None = None
    """Whether anything was promised for it; None: nobody noted that."""


class InvalidPastResponsesError(Exception):
    """Nothing was stored. ``problems``: number of the row (from 0) → field → code."""

    def __init__(self, problems: Mapping[int, Mapping[str, str]]) -> None:
        super().__init__(f"{len(problems)} rows cannot be taken over")
        self.problems = problems


# In the order of what _columns gives.
_INSERT = f"""
INSERT INTO responses_response (id, survey_id, touchpoint_id, contact_id, score, comment, properties, tags, source,
    external_id, locale, answered_at, updated_at, is_incentivised, channel, call_back, is_partial, suspicions,
    is_suspected, judged_by, follow_up)
SELECT id, survey_id, touchpoint_id, contact_id, score, comment, properties::jsonb, tags::jsonb, source, external_id,
    locale, answered_at, updated_at, is_incentivised, '{Response.Channel.IMPORT}', '', false, '[]', false, '', 'none'
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::uuid[], %s::smallint[], %s::text[], %s::text[], %s::text[],
    %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::bool[])
    AS t(id, survey_id, touchpoint_id, contact_id, score, comment, properties, tags, source, external_id, locale,
         answered_at, updated_at, is_incentivised)
ON CONFLICT (source, external_id) WHERE external_id IS NOT NULL DO NOTHING RETURNING id
"""  # noqa: S608 - a constant
_COUNT = """
INSERT INTO responses_scorechange (day, survey_id, touchpoint_id, is_incentivised, score, weight)
SELECT (answered_at AT TIME ZONE 'UTC')::date, survey_id, touchpoint_id, is_incentivised, score, %s::int * count(*)
FROM responses_response WHERE id = ANY(%s) AND score IS NOT NULL AND NOT is_suspected
GROUP BY 1, 2, 3, 4, 5
"""


@transaction.atomic
def record_past_responses(*, rows: Sequence[PastResponse], now: datetime) -> list[UUID | None]:
    """Store responses; per row its new id, or None if its source's response was taken over before.

    At most ``MAX_ROWS``; seven queries for any number of them. Raises InvalidPastResponsesError, see :func:`problems`.
    """
    definitions = _definitions(rows)
    if found := _problems(rows, definitions, now):
        raise InvalidPastResponsesError(found)
    # In one order, so that two who bring the same responses do not wait for each other in a circle.
    named = sorted(((uuid7(), number) for number in range(len(rows))), key=lambda pair: _name(rows[pair[1]]))
    stored = bulk.fetch_rows(_INSERT, _columns([(pk, rows[number]) for pk, number in named])) if rows else []
    fresh = {row[0] for row in stored}
    ids: list[UUID | None] = [None] * len(rows)
    for pk, number in named:
        ids[number] = pk if pk in fresh else None
    _store_answers([(pk, rows[number]) for pk, number in named if pk in fresh], definitions)
    _count(list(fresh), weight=1, now=now)
    return ids


@transaction.atomic
def remove_past_responses(*, ids: Sequence[UUID], now: datetime) -> int:
    """Take imported responses out again, with all that belongs to them; returns how many there were.

    At most ``MAX_ROWS`` ids. Responses that came another way are left alone.
    """
    _check_number(ids)
    imported = Response.objects.filter(pk__in=ids, channel=Response.Channel.IMPORT)
    found = list(imported.order_by("pk").select_for_update().values_list("pk", flat=True))
    _count(found, weight=-1, now=now)
    Response.objects.filter(pk__in=found).delete()
    return len(found)


def problems(*, rows: Sequence[PastResponse], now: datetime) -> dict[int, dict[str, str]]:
    """What keeps rows from being stored: number of the row (from 0) → field → code. Two queries at most.

    Codes: ``unknown_survey``, ``anonymous_survey`` (who answered was promised to stay unknown), ``no_score_question``,
    ``no_comment_question``, ``says_nothing``, ``out_of_range``, ``too_long``, ``in_the_future``, ``unknown_question``.
    """
    return _problems(rows, _definitions(rows), now)


def _definitions(rows: Sequence[PastResponse]) -> dict[int, Definition]:
    """The surveys as they are now, by id."""
    _check_number(rows)
    surveys = Survey.objects.filter(pk__in={row.survey_id for row in rows})
    questions: dict[int, list[Question]] = {survey.pk: [] for survey in surveys}
    for question in Question.objects.filter(survey_id__in=questions, is_retired=False):
        questions[question.survey_id].append(question)
    return {
        survey.pk: versions.read(msgspec.json.encode(versions.document_of(survey, questions[survey.pk], ())).decode())
        for survey in surveys
    }


def _check_number(rows: Sequence[object]) -> None:
    if len(rows) > MAX_ROWS:
        raise ValueError(f"at most {MAX_ROWS} responses at once, not {len(rows)}")


def _problems(
    rows: Sequence[PastResponse], definitions: Mapping[int, Definition], now: datetime
) -> dict[int, dict[str, str]]:
    found = ((number, _row_problems(row, definitions.get(row.survey_id), now)) for number, row in enumerate(rows))
    return {number: codes for number, codes in found if codes}


def _row_problems(row: PastResponse, definition: Definition | None, now: datetime) -> dict[str, str]:
    if definition is None:
        return {"survey_id": "unknown_survey"}
    if definition.is_anonymous:
        return {"survey_id": "anonymous_survey"}
    kinds = {question.kind for question in definition.questions}
    checks = {
        ("score", "no_score_question"): row.score is not None and NPS not in kinds,
        ("score", "out_of_range"): row.score is not None and not 0 <= row.score <= 10,
        ("score", "says_nothing"): row.score is None and not row.comment and not row.answers,
        ("comment", "no_comment_question"): bool(row.comment) and COMMENT not in kinds,
        ("comment", "too_long"): len(row.comment) > MAX_WORDS,
        ("comment", "out_of_range"): not is_storable(row.comment),
        ("answered_at", "in_the_future"): row.answered_at > now + CLOCKS_DIFFER,
        ("external_id", "too_long"): len(row.external_id or "") > 200,
        ("source", "too_long"): len(row.source) > 60,
    }
    found = {place: code for (place, code), is_wrong in checks.items() if is_wrong}
    for key, value in row.answers.items():
        question = definition.question(key)
        if question is None or question.kind in (NPS, COMMENT):
            found[key] = "unknown_question"
        elif not fits(question, value):
            found[key] = "out_of_range"
    return found


def _name(row: PastResponse) -> tuple[str, str]:
    return row.source, row.external_id or ""


def _columns(named: Sequence[tuple[UUID, PastResponse]]) -> list[list[Any]]:
    values = [
        (
            pk, row.survey_id, row.touchpoint_id, row.contact_id, row.score, row.comment,
            msgspec.json.encode(dict(row.properties)).decode(), msgspec.json.encode(list(row.tags)).decode(),
            row.source, row.external_id or None, hyphened(row.locale[:20]), row.answered_at.astimezone(UTC),
            max(row.answered_at, row.updated_at or row.answered_at).astimezone(UTC),
            bool(row.is_incentivised),
        )
        for pk, row in named
    ]  # fmt: skip
    return [list(column) for column in zip(*values, strict=True)]


def _store_answers(stored: Sequence[tuple[UUID, PastResponse]], definitions: Mapping[int, Definition]) -> None:
    """The answers to further questions. One query."""
    rows = []
    for pk, row in stored:
        for key, value in row.answers.items():
            question = definitions[row.survey_id].question(key)
            if question is not None and question.id is not None:
                found = keeping.columns_of(value, question.kind)
                choices = msgspec.json.encode(found.get("choices", [])).decode()
                rows.append((pk, question.id, found.get("value"), found.get("text", ""), choices))
    if rows:
        columns = ("response_id", "question_id", "value", "text", "choices")
        bulk.copy_rows(Answer._meta.db_table, columns, rows)


def _count(ids: Sequence[UUID], *, weight: int, now: datetime) -> None:
    """Add the responses to the figures (1), or take them out (-1), each on the day it was given."""
    if ids:
        bulk.execute(_COUNT, [weight, list(ids)])
        agenda.wake(queue=keeping.ROLL_UP_QUEUE, due_at=now, now=now)
