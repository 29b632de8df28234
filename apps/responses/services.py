"""Taking answers: one response per invitation, changes kept as revisions, figures kept exact."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Min

from apps.common import agenda, tokens
from apps.common.ids import uuid7
from apps.common.segments import segment_of
from apps.contacts import ledger
from apps.contacts.models import Outreach
from apps.integrations import webhooks
from apps.responses.models import Answer, Response, Revision, ScoreChange
from apps.surveys.models import Invitation, Question
from apps.surveys.services import outreach_reason

FOLLOW_UP_QUEUE = "campaigns.enrol"
ROLL_UP_QUEUE = "insights.roll_up"
MAX_COMMENT = 5_000


class InvalidAnswerError(Exception):
    """The answer cannot be taken; nothing was stored. ``errors``: field → sentence code."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(str(errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Submission:
    """One answer as given: score 0–10, comment, rating (1–5) per question key."""

    score: int
    comment: str
    ratings: Mapping[str, int]
    locale: str = ""


def invitation_for(*, token: str) -> Invitation | None:
    """The invitation a personal link belongs to, with survey and contact; None if there is none."""
    return (
        Invitation.objects.filter(token_hash=tokens.hash_token(token))
        .select_related("survey", "contact", "touchpoint", "response")
        .first()
    )


@transaction.atomic
def submit(*, invitation_id: UUID, submission: Submission, now: datetime) -> Response:
    """Store or change the response to an invitation.

    The invitation's row is locked, so that the same answer sent many times at once makes one
    response. Raises InvalidAnswerError for values out of range or questions of another survey.
    """
    invitation = Invitation.objects.select_for_update().get(pk=invitation_id)
    questions = {q.key: q for q in Question.objects.filter(survey_id=invitation.survey_id, kind=Question.Kind.RATING)}
    _validate(submission, questions)
    response = Response.objects.filter(invitation=invitation).first()
    if response is None:
        response = _create(invitation, submission, now)
    elif not _change(response, submission, questions, now):
        return response
    Answer.objects.bulk_create(
        [Answer(response=response, question=questions[key], value=value) for key, value in submission.ratings.items()],
        update_conflicts=True,
        update_fields=["value"],
        unique_fields=["response", "question"],
    )
    ledger.note_outcome(reason=outreach_reason(invitation_id), outcome=Outreach.Outcome.ANSWERED, now=now)
    if response.follow_up == Response.FollowUp.PENDING:
        agenda.wake(queue=FOLLOW_UP_QUEUE, due_at=now, now=now)
    _publish(response, now)
    return response


def _validate(submission: Submission, questions: Mapping[str, Question]) -> None:
    errors = {}
    if not 0 <= submission.score <= 10:
        errors["score"] = "out_of_range"
    if len(submission.comment) > MAX_COMMENT:
        errors["comment"] = "too_long"
    if "\x00" in submission.comment:
        errors["comment"] = "unreadable"
    for key, value in submission.ratings.items():
        if key not in questions:
            errors[key] = "unknown_question"
        elif not 1 <= value <= 5:
            errors[key] = "out_of_range"
    if errors:
        raise InvalidAnswerError(errors)


def _create(invitation: Invitation, submission: Submission, now: datetime) -> Response:
    response = Response.objects.create(
        id=uuid7(),
        invitation=invitation,
        survey_id=invitation.survey_id,
        touchpoint_id=invitation.touchpoint_id,
        contact_id=invitation.contact_id,
        score=submission.score,
        comment=submission.comment,
        locale=submission.locale,
        answered_at=now,
        updated_at=now,
    )
    _count(response, (1, submission.score), now=now)
    return response


def _change(response: Response, submission: Submission, questions: Mapping[str, Question], now: datetime) -> bool:
    """Replace what was said and keep the old as a revision; False if nothing differs."""
    before = {a.question.key: a.value for a in response.answers.select_related("question")}
    same_words = (response.score, response.comment) == (submission.score, submission.comment)
    if same_words and {**before, **submission.ratings} == before:
        return False
    if not same_words:
        Revision.objects.create(response=response, score=response.score, comment=response.comment, replaced_at=now)
    if response.score != submission.score:
        _count(response, (-1, response.score), (1, submission.score), now=now)
    if segment_of(response.score) != segment_of(submission.score):
        response.follow_up = Response.FollowUp.PENDING
    response.score, response.comment, response.updated_at = submission.score, submission.comment, now
    response.save(update_fields=["score", "comment", "updated_at", "follow_up"])
    return True


def _count(response: Response, *changes: tuple[int, int], now: datetime) -> None:
    """Tell the figures: (weight, score) on the day the response was first given."""
    ScoreChange.objects.bulk_create(
        [
            ScoreChange(
                day=response.answered_at.date(),
                survey_id=response.survey_id,
                touchpoint_id=response.touchpoint_id,
                score=score,
                weight=weight,
            )
            for weight, score in changes
        ]
    )
    agenda.wake(queue=ROLL_UP_QUEUE, due_at=now, now=now)


def _publish(response: Response, now: datetime) -> None:
    """Tell other systems."""
    is_new = response.updated_at == response.answered_at
    payload: dict[str, Any] = {
        "id": str(response.id),
        "survey_id": response.survey_id,
        "touchpoint_id": response.touchpoint_id,
        "contact_id": str(response.contact_id) if response.contact_id else None,
        "score": response.score,
        "segment": segment_of(response.score),
        "comment": response.comment,
        "answered_at": response.answered_at.isoformat(),
        "updated_at": response.updated_at.isoformat(),
    }
    webhooks.publish(
        event_type="response.created" if is_new else "response.updated",
        reason=f"response:{response.id}:{response.updated_at.timestamp():.6f}",
        payload=payload,
        now=now,
    )


def next_follow_up_due() -> datetime | None:
    """When the oldest response that nobody looked at for follow-up was given; None if there is none."""
    found = Response.objects.filter(follow_up=Response.FollowUp.PENDING).aggregate(at=Min("answered_at"))
    return found["at"]  # type: ignore[no-any-return]
