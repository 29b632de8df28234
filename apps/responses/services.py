"""Taking answers: one response per link, changes kept as revisions, figures kept exact."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Exists, Min, OuterRef

from apps.common import tokens
from apps.common.ids import uuid7
from apps.contacts import ledger
from apps.contacts.models import Outreach
from apps.responses import consent, keeping, listeners
from apps.responses.models import Response
from apps.responses.suspicion import BURST
from apps.surveys import reminders, versions
from apps.surveys.definition import Answers, Definition, fits, score_of
from apps.surveys.models import Invitation, Reminder, Survey, SurveyVersion
from apps.surveys.services import outreach_reason


class InvalidAnswerError(Exception):
    """The answer cannot be taken; nothing was stored. ``errors``: field → sentence code."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(str(errors))
        self.errors = errors


class AlreadyAnsweredError(Exception):
    """The link of an anonymous survey was used; whose answer it made is not known."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What was answered, by question key. ``cleared`` are questions whose words were taken out again."""

    answers: Answers
    cleared: Collection[str] = ()
    locale: str = ""
    is_partial: bool = False
    is_draft: bool = False
    """Saved by the page's script while the respondent is still there: it never makes a complete answer partial."""
    suspicions: Sequence[str] = ()
    page_made_at: datetime | None = None
    version_id: int | None = None
    """The version that the page showed; the current one if it is not known."""
    channel: str = Response.Channel.EMAIL


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an answer without a personal link comes from. ``token`` makes it one answer however often it is sent."""

    survey_id: int
    token: str
    touchpoint_id: int | None = None
    properties: Mapping[str, str] = field(default_factory=dict)


@transaction.atomic
def submit(*, invitation_id: UUID, submission: Submission, now: datetime, token: str = "") -> Response:
    """Store or change the response to an invitation.

    The invitation's row is locked, so that the same answer sent many times at once makes one response. ``token`` is
    the link that an anonymous answer gets for the rest of its questions. Raises InvalidAnswerError for values out of
    range or questions of another survey, AlreadyAnsweredError for the used link of an anonymous survey.
    """
    # Whether anything was planned to remind of it comes along: most surveys remind nobody, and pay nothing for it.
    with_reminders = Invitation.objects.annotate(
        has_reminders=Exists(Reminder.objects.filter(invitation=OuterRef("pk")))
    )
    invitation = with_reminders.select_for_update(of=("self",)).select_related("survey").get(pk=invitation_id)
    rows = Response.objects.filter(invitation=invitation).select_related("version")
    row = rows.select_for_update(of=("self",)).first()
    shown = submission.version_id or invitation.survey.current_version_id
    version = _version(row, invitation.survey_id, shown, now)
    definition = versions.definition_of(version)
    if row is None and definition.is_anonymous:
        if invitation.used_on:
            raise AlreadyAnsweredError
        if not submission.suspicions:  # A machine must not take the link from the human.
            invitation.used_on = now.date()
            invitation.save(update_fields=["used_on"])
        row = _new(version, submission, _day(now), token=token, touchpoint=invitation.touchpoint_id)
    elif row is None:
        row = _new(version, submission, now, invitation=invitation)
    if row._state.adding and not row.is_incentivised:
        row.is_incentivised = _was_promised(invitation, version)
    response = _store(row, definition, submission, now)
    if not response.is_suspected:
        _note_answered(invitation, _day(now) if definition.is_anonymous else now)
        if invitation.has_reminders:
            reminders.revoke(invitation_ids=[invitation.pk], reason="answered")
    return response


def _was_promised(invitation: Invitation, version: SurveyVersion) -> bool:
    """Whether the mail promised something that the page did not say any more. No query unless the survey changed."""
    if version.number == 1 or version.created_at <= invitation.send_at:
        return False
    return versions.promised_between(survey_id=version.survey_id, since=invitation.send_at, before=version.number)


def _note_answered(invitation: Invitation, at: datetime) -> None:
    """The contact budget's rest after an answer begins."""
    is_shown = invitation.status == Invitation.Status.SHOWN
    reason = invitation.reason if is_shown else outreach_reason(invitation.pk)
    ledger.note_outcome(reason=reason, outcome=Outreach.Outcome.ANSWERED, now=at)


@transaction.atomic
def submit_openly(*, origin: Origin, submission: Submission, now: datetime) -> Response:
    """Store or change an answer that no invitation led to. Raises InvalidAnswerError."""
    keeping.lock_token(origin.token)
    found = Response.objects.filter(token_hash=tokens.hash_token(origin.token)).select_related("version")
    row = found.select_for_update(of=("self",)).first()
    current = submission.version_id
    if row is None and current is None:
        current = Survey.objects.values_list("current_version_id", flat=True).get(pk=origin.survey_id)
    version = _version(row, origin.survey_id, current, now)
    definition = versions.definition_of(version)
    if row is None:
        at = _day(now) if definition.is_anonymous else now
        row = _new(version, submission, at, token=origin.token, touchpoint=origin.touchpoint_id)
        row.properties = dict(origin.properties)
    return _store(row, definition, submission, now)


@transaction.atomic
def change(*, response_id: UUID, submission: Submission, now: datetime) -> Response:
    """Change a contact's response that no invitation led to, by a link in a mail.

    Raises Response.DoesNotExist, also where there is no contact (any more), and InvalidAnswerError.
    """
    rows = Response.objects.filter(contact__isnull=False).select_related("version")
    row = rows.select_for_update(of=("self",)).get(pk=response_id)
    definition = versions.definition_of(_version(row, row.survey_id, submission.version_id, now))
    return _store(row, definition, submission, now)


def _version(row: Response | None, survey_id: int, current_id: int | None, now: datetime) -> SurveyVersion:
    """The version an answer is given to: the one that was begun with, else what is shown now."""
    if row is not None and row.version:
        return row.version
    if current_id is None:
        return versions.publish(survey_id=survey_id, now=now)
    return SurveyVersion.objects.get(pk=current_id, survey_id=survey_id)


def _new(
    version: SurveyVersion,
    submission: Submission,
    at: datetime,
    *,
    invitation: Invitation | None = None,
    token: str = "",
    touchpoint: int | None = None,
) -> Response:
    """A response that is not saved yet. An anonymous one shows neither contact nor time of day, not even in its id."""
    is_anonymous = version.definition["is_anonymous"]
    return Response(
        id=uuid4() if is_anonymous else uuid7(),
        invitation=invitation,
        survey_id=version.survey_id,
        version=version,
        touchpoint_id=invitation.touchpoint_id if invitation else touchpoint,
        contact_id=invitation.contact_id if invitation else None,
        token_hash=tokens.hash_token(token) if token else None,
        channel=submission.channel,
        is_incentivised=versions.definition_of(version).is_incentivised,
        locale=submission.locale,
        answered_at=at,
        updated_at=at,
        follow_up=Response.FollowUp.NONE if is_anonymous else Response.FollowUp.PENDING,
    )


def _day(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(UTC).date(), time(), UTC)


def _store(row: Response, definition: Definition, submission: Submission, now: datetime) -> Response:
    """Write what was said, unless it is a machine's and a human's stands already."""
    _check(submission, definition)
    at = _day(now) if definition.is_anonymous else now
    was, is_new = keeping.as_it_is(row, definition), row._state.adding
    then = _together(was.words, submission)
    flags = list(submission.suspicions)
    score, made = score_of(definition, then), submission.page_made_at
    is_burst = not is_new and then != was.words and keeping.is_burst(row, score, made, now)
    if is_burst:
        flags = list(dict.fromkeys([*flags, BURST]))
    if flags and not is_new and not row.is_suspected and _stands(row, flags, now):
        if is_burst and not row.judged_by:
            keeping.undo_burst(row, definition, now)
        if then != was.words:
            keeping.remember(row, definition, then, at, flags, made)
        return row
    if not is_new and then == was.words and row.is_partial == submission.is_partial and not row.is_suspected:
        return row
    _mark(row, flags)
    row.is_partial = submission.is_partial and (is_new or row.is_partial or not submission.is_draft)
    row.page_made_at = None if definition.is_anonymous else made
    keeping.write(row, definition, was=was, then=then, now=at)
    return row


def _together(words: Answers, submission: Submission) -> dict[str, Any]:
    """What was said and is said now."""
    then = {**words, **submission.answers}
    return {key: value for key, value in then.items() if key not in submission.cleared}


def _stands(row: Response, flags: Sequence[str], now: datetime) -> bool:
    """Whether an unsuspected answer stays as it is: unless it came in the very burst that is seen now."""
    return bool(row.judged_by) or BURST not in flags or keeping.is_old(row, now)


def _mark(row: Response, flags: Sequence[str]) -> None:
    """Suspect the response, or believe it. A judgement is about the answer that was judged: a new one counts."""
    if not flags:
        row.judged_by = "" if row.is_suspected else row.judged_by
        row.suspicions, row.is_suspected = [], False
        return
    row.suspicions = list(dict.fromkeys([*row.suspicions, *flags]))
    if not row.judged_by:
        row.is_suspected = True


def _check(submission: Submission, definition: Definition) -> None:
    known = {question.key: question for question in definition.questions}
    errors = {key: "unknown_question" for key in [*submission.answers, *submission.cleared] if key not in known}
    errors |= {
        known[key].field_name: "out_of_range"
        for key, value in submission.answers.items()
        if key in known and not fits(known[key], value)
    }
    if errors:
        raise InvalidAnswerError(errors)


@transaction.atomic
def judge(*, response_id: UUID, is_genuine: bool, by: str, now: datetime) -> Response:
    """A human says whether a human answered; figures and follow-up go by that from now on.

    Raises Response.DoesNotExist.
    """
    found = Response.objects.select_for_update(of=("self",)).select_related("invitation")
    row = found.get(pk=response_id)
    if row.is_suspected == is_genuine:
        keeping.count(row, weight=1 if is_genuine else -1, now=now)
        row.is_suspected = not is_genuine
        if is_genuine and row.follow_up == Response.FollowUp.PENDING:
            row.follow_up_at = now
            keeping.wake_follow_up(row, now)
        if is_genuine and row.invitation:
            _note_answered(row.invitation, row.answered_at)
            reminders.revoke(invitation_ids=[row.invitation.pk], reason="answered")
    row.judged_by = by
    row.save(update_fields=["is_suspected", "judged_by", "follow_up_at"])
    event_type = "response.suspected" if row.is_suspected else "response.updated"
    definition = current_definition(row, now)
    answers = keeping.said(row, definition)
    consent.follow(row, definition, answers, due_at=now, now=now)
    keeping.publish(row, event_type, answers, now)
    return row


@transaction.atomic
def ask_for_call_back(*, response_id: UUID, call_back: str, now: datetime) -> None:
    """Note where and when the respondent wants to be called. Raises Response.DoesNotExist."""
    row = Response.objects.select_for_update(of=("self",)).select_related("version").get(pk=response_id)
    if row.call_back == call_back:
        return
    row.call_back = call_back
    row.save(update_fields=["call_back"])
    at = _day(now) if row.version and row.version.definition["is_anonymous"] else now
    keeping.publish(row, "response.updated", _answers(row, now), at)
    listeners.tell_call_back(response_id=row.pk, now=now)


def _answers(row: Response, now: datetime) -> Answers:
    return keeping.said(row, current_definition(row, now))


def current_definition(row: Response, now: datetime) -> Definition:
    """What the response was asked; where nobody noted that, the survey as it is now."""
    return versions.definition_of(_version(row, row.survey_id, None, now))


def next_follow_up_due() -> datetime | None:
    """When the next response is to be looked at for follow-up; None if there is none."""
    waiting = Response.objects.filter(follow_up=Response.FollowUp.PENDING, is_suspected=False)
    return waiting.aggregate(at=Min("follow_up_at"))["at"]  # type: ignore[no-any-return]
