"""Enrolments for tests of figures: many at once, with what happened after them."""

from datetime import datetime, timedelta
from typing import Any

from apps.campaigns.models import Campaign, Enrolment, StepRun
from apps.contacts.models import Contact
from apps.responses.models import Response
from tests import factories


def campaign(goal: str = "", **values: Any) -> Campaign:
    """Active, published, with a mail and a wait."""
    made = factories.CampaignFactory(goal=goal, segment="", **values)
    return factories.publish(
        made,
        [
            {"key": "sorry", "kind": "email", **factories.MAIL},
            {"key": "pause", "kind": "wait", "seconds": 86_400},
            {"key": "call", "kind": "task", "title": {"en": "Call"}},
        ],
    )


def answered(contact: Contact | None, at: datetime, score: int | None = 3, **values: Any) -> Response:
    """A response that nobody waits for."""
    values = {"survey": factories.SurveyFactory(), "follow_up": "none", "updated_at": at, **values}
    return Response.objects.create(contact=contact, score=score, answered_at=at, **values)


def enrolled(of: Campaign, response: Response, at: datetime, **values: Any) -> Enrolment:
    """An enrolment that is done with; ``values`` say what is different."""
    values = {"version": of.current_version, "state": "done", "had_comment": False, **values}
    ended = None if values["state"] == "running" else at + timedelta(hours=1)
    return Enrolment.objects.create(
        campaign=of, response=response, contact=response.contact, enrolled_at=at, ended_at=ended, **values
    )


def ran(enrolment: Enrolment, key: str, kind: str, at: datetime, status: str = "done", **values: Any) -> StepRun:
    """A step that was taken, or waits."""
    return StepRun.objects.create(
        enrolment=enrolment, step_key=key, kind=kind, status=status, due_at=at, planned_at=at,
        done_at=None if status == "pending" else at, position=enrolment.runs.count() + 1, **values,
    )  # fmt: skip
