"""Does a due step still make sense? Everything is looked at again when its time has come."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from apps.campaigns.entry import segment_of_response
from apps.campaigns.facts import later_answers
from apps.campaigns.models import Enrolment, Segment
from apps.campaigns.runs import Run
from apps.campaigns.sequence import OUTREACH
from apps.cases.models import Case
from apps.messaging import suppressions
from apps.messaging.models import Suppression
from apps.surveys import recheck

LOOK_AGAIN = timedelta(hours=1)
LONGEST_REST = timedelta(days=90)
"""Who rests longer than this because of an open case is not followed up any more."""


@dataclass
class Known:
    """What a batch has to know. Four queries at most, whatever its size."""

    answered_again: Collection[UUID] = ()
    """Responses whose contacts have given a later one."""
    countered: Collection[UUID] = ()
    """Invitations whose cause was taken back."""
    in_case: Collection[UUID] = ()
    """Contacts with an open case."""
    left_at: Mapping[bytes, datetime] = field(default_factory=dict)
    """When the owner of an address (by its hash) unsubscribed or complained."""

    @classmethod
    def of(cls, runs: Sequence[Run]) -> "Known":
        """Read it."""
        stopping = [run.response.pk for run in runs if run.row.enrolment.campaign.stop_on_response]
        pausing = {run.response.contact_id for run in runs if run.row.enrolment.campaign.pause_while_case}
        invitations = [run.response.invitation_id for run in runs if run.response.invitation_id]
        addresses = {run.response.contact.email for run in runs if run.response.contact and run.response.contact.email}
        return cls(
            {pk for pk, _other, _score in later_answers(stopping)} if stopping else (),
            recheck.countered_invitations(invitation_ids=invitations) if invitations else (),
            _in_case([pk for pk in pausing if pk]),
            _left(addresses),
        )


def _in_case(contact_ids: Collection[UUID]) -> Collection[UUID]:
    if not contact_ids:
        return ()
    rows = Case.objects.filter(contact__in=contact_ids, closed_at=None, merged_into=None)
    return set(rows.values_list("contact_id", flat=True))


def _left(addresses: Collection[str]) -> dict[bytes, datetime]:
    if not addresses:
        return {}
    hashes = [suppressions.address_hash(address) for address in addresses]
    rows = Suppression.objects.filter(address_hash__in=hashes, lifted_at=None, reason__in=suppressions.BINDING)
    return {bytes(value): at for value, at in rows.values_list("address_hash", "created_at")}


def judge(runs: Sequence[Run], now: datetime) -> None:
    """Stop, hold or skip what must not run now; the others stay open."""
    if not runs:
        return
    known = Known.of(runs)
    for run in runs:
        enrolment = run.row.enrolment
        if enrolment.state != Enrolment.State.RUNNING:
            # It was ended at the very moment when this step began.
            run.skip(enrolment.end_reason or "by_hand")
            continue
        reason = _ending(run, known)
        if reason:
            run.stop(reason)
        elif run.step is None:
            run.skip("step_gone")
        elif run.step.kind in OUTREACH:
            _outreach(run, known, now)


def _ending(run: Run, known: Known) -> str:
    """Why the whole enrolment ends; "" if it goes on."""
    campaign, response = run.row.enrolment.campaign, run.response
    reasons = (
        ("suspected", response.is_suspected),
        ("campaign_inactive", not campaign.is_active),
        ("segment_changed", campaign.segment not in (Segment.ANY, segment_of_response(response))),
        ("counter_event", response.invitation_id in known.countered),
        ("new_response", campaign.stop_on_response and response.pk in known.answered_again),
        ("unsubscribed", _has_left(run, known)),
    )
    return next((reason for reason, ends in reasons if ends), "")


def _has_left(run: Run, known: Known) -> bool:
    """Who had left before gets no mails either, but perhaps a call: the sequence goes on without them."""
    contact = run.response.contact
    if contact is None or not contact.email:
        return False
    left_at = known.left_at.get(suppressions.address_hash(contact.email))
    return left_at is not None and left_at > run.row.enrolment.enrolled_at


def _outreach(run: Run, known: Known, now: datetime) -> None:
    """An approach may come too late, or have to wait for somebody who takes care of the contact."""
    assert run.step is not None  # noqa: S101 - asked before
    if now - run.row.due_at > run.step.too_late_after:
        run.skip("too_late")
    elif run.response.contact_id in known.in_case and not run.setting("also_while_case"):
        began = run.row.planned_at or run.row.due_at
        if now - began > LONGEST_REST:
            run.stop("case_open_long")
        else:
            run.hold("case_open", now + LOOK_AGAIN)
