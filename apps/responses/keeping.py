"""How a response is written: its answers, what it said before, what it adds to the figures, who is told."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import connection

from apps.common import agenda
from apps.common.segments import segment_of
from apps.integrations import webhooks
from apps.responses import consent, suspicion
from apps.responses.models import Answer, Response, Revision, ScoreChange
from apps.surveys import definition as survey
from apps.surveys.definition import COMMENT, NPS, OPT_IN, YES_NO, Answers, Definition, Value, score_of
from apps.surveys.models import Question

FOLLOW_UP_QUEUE = "campaigns.enrol"
ROLL_UP_QUEUE = "insights.roll_up"
PATIENCE = timedelta(minutes=20)
"""So long we wait for the rest of an answer before we follow up on what there is."""
_BURST = timedelta(seconds=suspicion.BURST_SECONDS)


def lock_token(token: str) -> None:
    """Let only one transaction at a time store the answer of a token; it may not have a row yet."""
    number = int.from_bytes(sha256(f"response|{token}".encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def said(row: Response, definition: Definition) -> dict[str, Value]:
    """What a response says now, by question key. One query; none if it is not saved yet."""
    if row._state.adding:
        return {}
    stored = {answer.question_id: answer for answer in Answer.objects.filter(response=row)}
    found: dict[str, Value] = {}
    for question in definition.questions:
        if question.kind == NPS and row.score is not None:
            found[question.key] = row.score
        elif question.kind == COMMENT and row.comment:
            found[question.key] = row.comment
        elif question.id in stored:
            found[question.key] = value_of(question.kind, stored[question.id])
    return found


def value_of(kind: str, answer: Answer) -> Value:
    """A stored answer as the definition knows it."""
    if kind == OPT_IN and answer.text:
        return answer.text
    if answer.value is not None:
        return bool(answer.value) if kind in (YES_NO, OPT_IN) else answer.value
    if kind == "single":
        return str(answer.choices[0])
    return answer.text or list(answer.choices)


@dataclass(frozen=True, slots=True)
class Before:
    """A response as it was: its words, the score that the figures have of it, and why it was suspected."""

    words: Answers
    counted: int | None
    suspicions: Sequence[str]
    page_made_at: datetime | None


def as_it_is(row: Response, definition: Definition) -> Before:
    """What is to be remembered before a response is changed. One query; none if it is not saved yet."""
    return Before(said(row, definition), counted(row), list(row.suspicions), row.page_made_at)


def write(row: Response, definition: Definition, *, was: Before, then: Answers, now: datetime) -> None:
    """Save the response with what is said ``then``; keep what it said as a revision; tell the figures.

    What was imported is history: nobody is written to about it, also when it is corrected.
    """
    is_new, before = row._state.adding, was.words
    if any(then.get(key) != value for key, value in before.items()):  # What is added replaces nothing.
        remember(row, definition, before, now, was.suspicions, was.page_made_at)
    _say(row, definition, then)
    is_history = definition.is_anonymous or row.channel == Response.Channel.IMPORT
    if _segment(row.score) != _segment(score_of(definition, before)) and not is_history:
        row.follow_up = Response.FollowUp.PENDING
    if row.follow_up == Response.FollowUp.PENDING:
        row.follow_up_at = now + PATIENCE if row.is_partial else now
    row.updated_at = row.answered_at if is_new else now
    row.save(force_insert=is_new)
    _save_answers(row, definition.questions, before, then)
    _recount(row, was.counted, now)
    if row.follow_up == Response.FollowUp.PENDING and not row.is_suspected:
        wake_follow_up(row, now)
    consent.follow(row, definition, then, due_at=now + PATIENCE if row.is_partial else now, now=now)
    publish(row, _event_type(row, is_new), then, now)


def _say(row: Response, definition: Definition, then: Answers) -> None:
    row.score = score_of(definition, then)
    comments = [then.get(question.key, "") for question in definition.questions if question.kind == COMMENT]
    row.comment = str(comments[0]) if comments else ""


def _save_answers(row: Response, questions: Iterable[survey.Question], before: Answers, then: Answers) -> None:
    """Write the answers that changed, take out the ones that were taken back. Three queries at most."""
    own = [(q.id, q) for q in questions if q.kind not in (NPS, COMMENT) and q.id is not None]
    changed = [(number, q) for number, q in own if q.key in then and then[q.key] != before.get(q.key)]
    gone = [number for number, q in own if q.key in before and q.key not in then]
    if gone:
        Answer.objects.filter(response=row, question_id__in=gone).delete()
    # A question may have been deleted since its page was made: its answer has no place any more.
    asked = Question.objects.filter(pk__in=[number for number, _q in changed])
    there = set(asked.values_list("pk", flat=True)) if changed else set()
    changed = [(number, q) for number, q in changed if number in there]
    if changed:
        Answer.objects.bulk_create(
            [Answer(response=row, question_id=number, **columns_of(then[q.key], q.kind)) for number, q in changed],
            update_conflicts=True,
            update_fields=["value", "text", "choices"],
            unique_fields=["response", "question"],
        )


def columns_of(value: Value, kind: str) -> dict[str, Any]:
    """Where an answer's value is stored."""
    if isinstance(value, int):
        return {"value": int(value)}
    if kind == OPT_IN:
        return {"value": 1, "text": value}
    if isinstance(value, list):
        return {"choices": value}
    return {"choices": [value]} if kind == "single" else {"text": value}


def remember(
    row: Response,
    definition: Definition,
    words: Answers,
    now: datetime,
    flags: Sequence[str],
    page_made_at: datetime | None = None,
) -> None:
    """Keep what was said before; or, with ``flags``, what was not taken over because a machine probably said it."""
    kinds = {question.key: question.kind for question in definition.questions}
    Revision.objects.create(
        response=row,
        score=score_of(definition, words),
        comment=next((str(words[key]) for key, kind in kinds.items() if kind == COMMENT and key in words), ""),
        answers={key: value for key, value in words.items() if kinds.get(key) not in (NPS, COMMENT)},
        suspicions=list(flags),
        page_made_at=page_made_at,
        replaced_at=now,
    )


def is_burst(row: Response, score: int | None, page_made_at: datetime | None, now: datetime) -> bool:
    """Whether too many different scores came within seconds, each from a page of its own.

    Who wavers on one page is human: of each page only the last score counts. What stood before does not count.
    """
    recent = _recent(row, now)
    if is_old(row, now):
        recent = recent[1:]  # The first one that was replaced had been there before.
    given = [(revision.page_made_at, revision.score) for revision in recent]
    if row.updated_at >= now - _BURST:
        given.append((row.page_made_at, row.score))
    return suspicion.is_burst(dict([*given, (page_made_at, score)]).values())


def is_old(row: Response, now: datetime) -> bool:
    """Whether the response was there before a burst that is going on now."""
    return row.answered_at < now - _BURST


def undo_burst(row: Response, definition: Definition, now: datetime) -> None:
    """Put back what was said before a machine tried its scores, and note what it tried."""
    recent = _recent(row, now)
    if not recent:
        return
    old, was = recent[0], as_it_is(row, definition)
    kinds = {question.kind: question.key for question in definition.questions}
    then: dict[str, Value] = dict(old.answers)
    if old.score is not None:
        then[kinds[NPS]] = old.score
    if old.comment:
        then[kinds[COMMENT]] = old.comment
    remember(row, definition, was.words, now, [suspicion.BURST], was.page_made_at)
    _say(row, definition, then)
    row.updated_at, row.page_made_at = now, old.page_made_at
    row.save(update_fields=["score", "comment", "updated_at", "page_made_at"])
    _save_answers(row, definition.questions, was.words, then)
    _recount(row, was.counted, now)
    publish(row, "response.updated", then, now)


def _recent(row: Response, now: datetime) -> list[Revision]:
    """What was replaced within the burst, oldest first; what was never taken over is not among it."""
    found = row.revisions.filter(replaced_at__gte=now - _BURST, suspicions=[])
    return list(found.order_by("replaced_at", "pk"))


def counted(row: Response) -> int | None:
    """The score that the figures have of this response; None if they have none."""
    return None if row.is_suspected or row._state.adding else row.score


def _recount(row: Response, before: int | None, now: datetime) -> None:
    after = counted(row)
    if before != after:
        _change_figures(row, [(-1, before), (1, after)], now)


def count(row: Response, *, weight: int, now: datetime) -> None:
    """Add the response to the figures (1), or take it out (-1)."""
    _change_figures(row, [(weight, row.score)], now)


def _change_figures(row: Response, changes: Iterable[tuple[int, int | None]], now: datetime) -> None:
    """(weight, score) on the day the response was first given, which is UTC's."""
    ScoreChange.objects.bulk_create(
        ScoreChange(
            day=row.answered_at.astimezone(UTC).date(),
            survey_id=row.survey_id,
            touchpoint_id=row.touchpoint_id,
            is_incentivised=row.is_incentivised,
            score=score,
            weight=weight,
        )
        for weight, score in changes
        if score is not None
    )
    agenda.wake(queue=ROLL_UP_QUEUE, due_at=now, now=now)


def wake_follow_up(row: Response, now: datetime) -> None:
    """Have somebody look at the response when it is due."""
    agenda.wake(queue=FOLLOW_UP_QUEUE, due_at=row.follow_up_at or now, now=now)


def _segment(score: int | None) -> str:
    return "" if score is None else segment_of(score)


def _event_type(row: Response, is_new: bool) -> str:
    if row.is_suspected:
        return "response.suspected"
    return "response.created" if is_new else "response.updated"


def publish(row: Response, event_type: str, answers: Answers, now: datetime) -> None:
    """Tell other systems what the response says, by question key."""
    payload: Mapping[str, Any] = {
        "id": str(row.id),
        "survey_id": row.survey_id,
        "touchpoint_id": row.touchpoint_id,
        "contact_id": str(row.contact_id) if row.contact_id else None,
        "channel": row.channel,
        "score": row.score,
        "segment": _segment(row.score) or None,
        "comment": row.comment,
        "answers": dict(answers),
        "properties": row.properties,
        "call_back": row.call_back,
        "is_partial": row.is_partial,
        "is_suspected": row.is_suspected,
        "suspicions": row.suspicions,
        "is_incentivised": row.is_incentivised,
        "answered_at": row.answered_at.isoformat(),
        "updated_at": row.updated_at.isoformat(),
    }
    webhooks.publish(
        event_type=event_type,
        reason=f"response:{row.id}:{event_type}:{_digest(payload)}",
        payload=dict(payload),
        now=now,
    )


def _digest(payload: Mapping[str, Any]) -> str:
    """What is told, in short: the times of anonymous answers are too coarse to tell two changes apart."""
    return sha256(json.dumps(payload, sort_keys=True, default=str).encode()).hexdigest()[:16]
