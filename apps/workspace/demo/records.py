"""The rows of a history, field by field as in the database. Pure: no Django."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID


class ContactRow(NamedTuple):
    id: UUID
    external_id: str | None
    email: str | None
    name: str
    locale: str
    properties: dict[str, Any]
    company_id: int | None
    created_at: datetime
    updated_at: datetime


class LegalBasisRow(NamedTuple):
    contact_id: UUID
    kind: str
    source: str
    text_version: str
    granted_at: datetime


class OutreachRow(NamedTuple):
    contact_id: UUID
    kind: str
    reason: str
    at: datetime
    state: str


class SuppressionRow(NamedTuple):
    address_hash: bytes
    email: str
    reason: str
    source: str
    created_at: datetime


class EventRow(NamedTuple):
    id: UUID
    touchpoint_id: int
    external_id: str
    occurred_at: datetime
    received_at: datetime
    contact_data: dict[str, Any]
    properties: dict[str, Any]
    contact_id: UUID
    status: str


class EmailRow(NamedTuple):
    id: UUID
    reason: str
    stream: str
    contact_id: UUID
    to_email: str
    to_name: str
    from_header: str
    subject: str
    values: dict[str, str]
    domain: str
    frame_id: int
    message_id: str
    status: str
    due_at: datetime
    queued_at: datetime
    sent_at: datetime
    attempts: int
    last_error: str


class InvitationRow(NamedTuple):
    id: UUID
    survey_id: int
    contact_id: UUID
    touchpoint_id: int | None
    event_id: UUID | None
    reason: str
    status: str
    status_reason: str
    send_at: datetime
    give_up_at: datetime
    link_expires_at: datetime | None
    email_id: UUID | None
    created_at: datetime
    opened_on: date | None = None


class DecisionRow(NamedTuple):
    id: UUID
    event_id: UUID | None
    rule_id: int | None
    cadence_id: int | None
    occurrence: str
    contact_id: UUID
    invitation_id: UUID | None
    status: str
    reason: str
    until: datetime | None
    decided_at: datetime


class ResponseRow(NamedTuple):
    id: UUID
    invitation_id: UUID
    survey_id: int
    touchpoint_id: int | None
    contact_id: UUID
    score: int
    comment: str
    locale: str
    answered_at: datetime
    updated_at: datetime
    follow_up: str
    is_incentivised: bool


class AnswerRow(NamedTuple):
    response_id: UUID
    question_id: int
    value: int | None
    choices: list[str]


class RevisionRow(NamedTuple):
    response_id: UUID
    score: int
    comment: str
    replaced_at: datetime


class EnrolmentRow(NamedTuple):
    id: UUID
    campaign_id: int
    version_id: int
    response_id: UUID
    contact_id: UUID
    state: str
    enrolled_at: datetime
    ended_at: datetime


class StepRunRow(NamedTuple):
    id: UUID
    enrolment_id: UUID
    step_key: str
    kind: str
    position: int
    status: str
    reason: str
    planned_at: datetime
    due_at: datetime
    done_at: datetime
    email_id: UUID | None


class CaseRow(NamedTuple):
    id: UUID
    response_id: UUID
    contact_id: UUID
    owner_id: int | None
    rule_id: int | None
    status: str
    is_urgent: bool
    outcome: str
    result_id: int | None
    root_cause_id: int | None
    opened_at: datetime
    contact_due_at: datetime
    due_at: datetime
    first_contact_at: datetime | None
    closed_at: datetime | None
    updated_at: datetime
    revision: int


class CaseChangeRow(NamedTuple):
    case_id: UUID
    kind: str
    at: datetime
    by_id: int | None
    data: dict[str, Any]


@dataclass(slots=True)
class Records:
    """Everything that one tenant's history consists of. The address hashes are filled in by the writer."""

    contacts: list[ContactRow] = field(default_factory=list)
    legal_bases: list[LegalBasisRow] = field(default_factory=list)
    suppressions: list[SuppressionRow] = field(default_factory=list)
    outreaches: list[OutreachRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    emails: list[EmailRow] = field(default_factory=list)
    invitations: list[InvitationRow] = field(default_factory=list)
    decisions: list[DecisionRow] = field(default_factory=list)
    responses: list[ResponseRow] = field(default_factory=list)
    answers: list[AnswerRow] = field(default_factory=list)
    revisions: list[RevisionRow] = field(default_factory=list)
    enrolments: list[EnrolmentRow] = field(default_factory=list)
    step_runs: list[StepRunRow] = field(default_factory=list)
    cases: list[CaseRow] = field(default_factory=list)
    case_changes: list[CaseChangeRow] = field(default_factory=list)
    scores: Counter[tuple[date, int, int | None, bool, int]] = field(default_factory=Counter)
    """Responses by UTC day, survey, touchpoint, whether something was promised, and score."""


@dataclass(frozen=True, slots=True)
class SurveyIds:
    """Primary keys of a survey, of its rule or its cadence, and of its questions.

    ``questions``: the ratings by driver. ``reasons`` and ``satisfaction``: None if these are not asked.
    """

    survey: int
    rule: int | None
    questions: dict[str, int]
    reasons: int | None = None
    satisfaction: int | None = None
    cadence: int | None = None


@dataclass(frozen=True, slots=True)
class CampaignIds:
    """Primary keys of a campaign and its version, and whether it opens cases."""

    campaign: int
    version: int
    opens_case: bool


@dataclass(frozen=True, slots=True)
class CaseIds:
    """Primary keys of the rules for cases, and of the usual outcomes and root causes in their order."""

    rule: int | None = None
    urgent_rule: int | None = None
    outcomes: tuple[int, ...] = ()
    root_causes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Wiring:
    """Primary keys of the configuration, by the keys of the blueprint."""

    touchpoints: dict[str, int]
    surveys: dict[str, SurveyIds]
    campaigns: dict[str, CampaignIds]
    companies: tuple[tuple[int, str], ...]
    owners: tuple[int, ...]
    from_header: str
    cases: CaseIds = field(default_factory=CaseIds)
