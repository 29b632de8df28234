"""The step that asks again: a new survey, within the contact budget like every other."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import cast
from uuid import UUID

from apps.campaigns.runs import Run
from apps.common.ids import uuid7
from apps.contacts import services as contacts
from apps.contacts.budget import Entry
from apps.contacts.eligibility import BLOCKED, SKIPPED, Verdict
from apps.surveys import recheck
from apps.surveys import services as surveys
from apps.surveys.models import Survey
from apps.surveys.recheck import Candidate
from apps.surveys.services import InvitationRequest

GIVE_UP_AFTER = timedelta(days=45)
"""So long a place in the contact budget is looked for."""
MAX_ROUNDS = 3
"""So often a campaign asks its way to itself: then its contacts are left alone."""


def run(runs: Sequence[Run]) -> None:
    """Plan an invitation per run where the contact budget has a place for it; else the run is skipped, with why."""
    now = runs[0].now
    wanted = {one.row.pk: cast("int", one.setting("survey")) for one in runs}
    active = set(Survey.objects.filter(pk__in=wanted.values(), is_active=True).values_list("pk", flat=True))
    people = sorted({one.response.contact_id for one in runs if one.response.contact_id})
    contacts.lock(contact_ids=people)
    ids: dict[UUID, UUID] = {one.row.pk: uuid7() for one in runs}
    candidates = [
        Candidate(
            one.row.pk,
            one.response.contact,
            Entry(
                reason=surveys.outreach_reason(ids[one.row.pk]),
                at=now,
                topic=f"survey:{wanted[one.row.pk]}",
                give_up_at=now + GIVE_UP_AFTER,
            ),
            _objection(one, active, wanted[one.row.pk]),
        )
        for one in runs
    ]
    checked = recheck.weigh_again(candidates, now)
    requests = []
    for one in runs:
        verdict = checked.verdicts[one.row.pk]
        if verdict.at is None:
            one.skip(verdict.reason)
            continue
        entry = replace(checked.own[one.row.pk], at=verdict.at)
        requests.append(_request(one, ids[one.row.pk], wanted[one.row.pk], entry))
        one.row.result = {"invitation": str(ids[one.row.pk])}
        one.done()
    surveys.schedule_invitations(requests=requests, now=now)


def _objection(run: Run, active: set[int], survey_id: int) -> Verdict | None:
    if run.response.contact is None:
        return Verdict(BLOCKED, "contact_gone")
    if survey_id not in active:
        return Verdict(SKIPPED, "survey_inactive")
    return Verdict(SKIPPED, "asked_often_enough") if run.row.enrolment.round >= MAX_ROUNDS else None


def _request(run: Run, invitation_id: UUID, survey_id: int, entry: Entry) -> InvitationRequest:
    assert run.response.contact_id is not None  # noqa: S101 - objected to before
    return InvitationRequest(
        contact_id=run.response.contact_id,
        survey_id=survey_id,
        touchpoint_id=run.response.touchpoint_id,
        event_id=None,
        reason=f"step:{run.row.pk}",
        entry=entry,
        id=invitation_id,
    )
