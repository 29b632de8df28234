"""Tells other systems (webhooks) of cases: opened, changed, closed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from apps.cases.models import Case
from apps.common.segments import segment_of
from apps.integrations import webhooks
from apps.integrations.models import EventType
from apps.integrations.webhooks import Occurrence


def publish(cases: Sequence[Case], event_type: EventType, *, now: datetime) -> None:
    """Tell what these cases say now; their responses are loaded. One query, none for none."""
    found = [Occurrence(f"case:{case.pk}:{event_type}:{case.revision}", payload(case)) for case in cases]
    webhooks.publish_many(event_type=event_type, occurrences=found, now=now)


def payload(case: Case) -> dict[str, Any]:
    """What is told of a case: no words of the contact, which come with the response."""
    answer = case.response
    return {
        "id": str(case.pk),
        "response_id": str(case.response_id),
        "contact_id": str(case.contact_id) if case.contact_id else None,
        "survey_id": answer.survey_id,
        "touchpoint_id": answer.touchpoint_id,
        "score": answer.score,
        "segment": None if answer.score is None else segment_of(answer.score),
        "rule_id": case.rule_id,
        "status": case.status,
        "is_urgent": case.is_urgent,
        "owner_id": case.owner_id,
        "outcome": case.outcome,
        "result_id": case.result_id,
        "root_cause_id": case.root_cause_id,
        "opened_at": case.opened_at.isoformat(),
        "contact_due_at": _moment(case.contact_due_at),
        "due_at": case.due_at.isoformat(),
        "first_contact_at": _moment(case.first_contact_at),
        "closed_at": _moment(case.closed_at),
        "merged_into_id": str(case.merged_into_id) if case.merged_into_id else None,
        "revision": case.revision,
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
