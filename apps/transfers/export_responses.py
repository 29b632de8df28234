"""Responses as a table, with a column for each further question. Anonymous ones name nobody and no time of day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import get_language

from apps.common.segments import segment_of
from apps.common.spreadsheets import Cell
from apps.common.texts import FALLBACK, localized
from apps.responses.keeping import value_of
from apps.responses.models import Answer, Response
from apps.responses.selectors import visible, with_promise
from apps.surveys.definition import COMMENT, NPS
from apps.surveys.models import Question
from apps.transfers.export_rows import Properties, Table, joined, local, properties_of, table

MAX_QUESTIONS = 400
"""So many questions of all surveys together have a column."""
_WHO = {"contact_id": "contact_id", "contact_external_id": "contact__external_id", "contact_email": "contact__email",
        "contact_name": "contact__name"}  # fmt: skip
_WHAT = {"survey": "survey__key", "survey_version": "version__number", "touchpoint": "touchpoint__key",
         "channel": "channel", "language": "locale"}  # fmt: skip
_SAID = {"comment": "comment", "call_back": "call_back", "partial": "is_partial"}
_HEADER = ("id", *_WHO, *_WHAT, "score", "segment", *_SAID, "tags", "answered_at", "updated_at", "suspected",
           "suspected_because", "incentivised")  # fmt: skip
_UNNAMED: list[Cell] = [None] * len(_WHO)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which questions and properties have columns, and by which clock times are told."""

    questions: Mapping[int, Question]
    options: Mapping[int, Mapping[str, str]]
    properties: Properties
    zone: tzinfo


def response_table(found: QuerySet[Response], *, zone: tzinfo) -> Table:
    """Those of the responses that may be looked at, in the order given.

    Four queries for what may be seen and for the columns, then two for every part of the rows. Options are in the
    language of whoever asks.
    """
    found = visible(found)
    columns = _columns(found, zone)
    names = [f"answers.{question.survey.key}.{question.key}" for question in columns.questions.values()]
    header = [*_HEADER, *names, *columns.properties.header]
    return table(found, header=header, read=lambda ids: _read(ids, columns))


def _columns(found: QuerySet[Response], zone: tzinfo) -> _Columns:
    surveys = list(found.order_by().values_list("survey_id", flat=True).distinct())
    # The score and the comment are columns of the response itself.
    asked = Question.objects.filter(survey__in=surveys).exclude(kind__in=[NPS, COMMENT]).select_related("survey")
    questions = {row.pk: row for row in asked.order_by("survey__key", "position", "pk")[:MAX_QUESTIONS]}
    language = get_language() or FALLBACK
    options = {
        pk: {option["key"]: localized(option["text"], language) for option in row.options}
        for pk, row in questions.items()
    }
    return _Columns(questions, options, properties_of(found), zone)


def _read(ids: Sequence[UUID], columns: _Columns) -> dict[UUID, Sequence[Cell]]:
    answers = _answers(ids, columns)
    rows = with_promise(Response.objects.filter(pk__in=ids)).values_list(
        "is_promised", "id", *_WHO.values(), *_WHAT.values(), "score", *_SAID.values(), "tags", "answered_at",
        "updated_at", "is_suspected", "suspicions", "is_incentivised", "properties",
    )  # fmt: skip
    return {row[1]: _row(row, answers.get(row[1], {}), columns) for row in rows}


def _row(row: Sequence[Any], answers: Mapping[int, Cell], columns: _Columns) -> list[Cell]:
    is_promised, pk, *known = row
    who, known = known[: len(_WHO)], known[len(_WHO) :]
    what, (score, *said, tags) = known[: len(_WHAT)], known[len(_WHAT) : -6]
    answered, updated, is_suspected, suspicions, is_incentivised, properties = known[-6:]
    times: list[Cell]
    if is_promised:
        # Whatever stands in the row: nobody is named, and a time of day could be compared with other lists.
        who, times = _UNNAMED, [_day(answered), _day(updated)]
    else:
        who = [str(who[0]) if who[0] else None, *who[1:]]
        times = [local(answered, columns.zone), local(updated, columns.zone)]
    return [
        str(pk), *who, *what, score, None if score is None else segment_of(score), *said, joined(map(str, tags)),
        *times, is_suspected, joined(map(str, suspicions)), is_incentivised,
        *(answers.get(number) for number in columns.questions), *columns.properties.cells(properties),
    ]  # fmt: skip


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def _answers(ids: Sequence[UUID], columns: _Columns) -> dict[UUID, dict[int, Cell]]:
    """Response → question → answer as a cell."""
    found: dict[UUID, dict[int, Cell]] = {}
    rows = Answer.objects.filter(response_id__in=ids, question_id__in=list(columns.questions))
    for answer in rows:
        number = answer.question_id
        value = value_of(columns.questions[number].kind, answer)
        options = columns.options[number]
        if isinstance(value, list):
            cell: Cell = joined(options.get(key) or key for key in value)
        else:
            cell = options.get(value) or value if isinstance(value, str) and answer.choices else value
        found.setdefault(answer.response_id, {})[number] = cell
    return found
