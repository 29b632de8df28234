"""What a batch comes to: collected while it is decided, written down at its end with a handful of statements."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from json import dumps
from typing import Any
from uuid import UUID

from apps.common.bulk import copy_rows
from apps.common.ids import uuid7
from apps.contacts.book import Move
from apps.contacts.budget import CounterEvent, Entry
from apps.contacts.eligibility import DEFERRED, SKIPPED, Verdict
from apps.surveys import reminders
from apps.surveys import services as surveys
from apps.surveys.services import InvitationRequest
from apps.touchpoints.claims import PendingEvent
from apps.triggers.eligibility import Occasion, hour_arm
from apps.triggers.facts import Known
from apps.triggers.models import Decision
from apps.triggers.rules import Rule

_COLUMNS = (
    "id", "event_id", "rule_id", "rule_version_id", "cadence_id", "occurrence", "contact_id", "invitation_id", "status",
    "reason", "details", "until", "decided_at",
)  # fmt: skip
_OUTRANKED = Verdict(SKIPPED, "outranked")
_COUNTERED = Verdict(SKIPPED, "counter_event")


@dataclass(slots=True)
class Ruling:
    """One decision to be."""

    event_id: UUID | None
    contact_id: UUID | None
    rule: Rule | None
    verdict: Verdict
    entry: Entry | None = None
    moves: Sequence[Move] = ()
    details: dict[str, Any] | None = None
    touchpoint_id: int | None = None
    occurrence: str = ""
    hour_arm: str = ""
    invitation_id: UUID | None = None


@dataclass(slots=True)
class Rulings:
    """Decisions of one batch, and what they do to invitations planned before."""

    now: datetime
    cadence_id: int | None = None
    made: list[Ruling] = field(default_factory=list)
    by_reason: dict[str, Ruling] = field(default_factory=dict)
    moved: dict[str, datetime] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)

    def add(self, ruling: Ruling, occasion: Occasion | None = None) -> None:
        """Collect one decision and whom it pushes back."""
        self.made.append(ruling)
        if ruling.entry is not None:
            ruling.touchpoint_id = occasion.touchpoint_id if occasion else None
            ruling.hour_arm = hour_arm(ruling.rule, occasion) if ruling.rule and occasion else ""
            self.by_reason[ruling.entry.reason] = ruling
        for move in ruling.moves:
            self._push_back(move)

    def _push_back(self, move: Move) -> None:
        """Somebody made way: planned earlier, or decided in this very batch."""
        reason = move.entry.reason
        own = self.by_reason.get(reason)
        if own is not None:
            own.verdict = Verdict(DEFERRED, "outranked", move.at) if move.at else _OUTRANKED
            if move.at is None:
                own.entry = None
                del self.by_reason[reason]
        elif move.at is None:
            self.dropped.add(reason)
            self.moved.pop(reason, None)
        else:
            self.moved[reason] = move.at

    def revoke(self, event: PendingEvent, known: Known, contact_id: UUID) -> None:
        """Take back what this event revokes: planned, decided in this batch, or waiting in the outbox."""
        held = known.book.entries.get(contact_id)
        if not held:
            return
        counter = CounterEvent(event.touchpoint_id, event.occurred_at, event.properties)
        for entry in [e for e in held if e.plan.revoked_by and counter.revokes(e.plan)]:
            if not entry.is_spent:
                known.book.drop(known.people[contact_id], entry)
            own = self.by_reason.pop(entry.reason, None)
            if own is not None:
                own.verdict, own.entry = _COUNTERED, None
            else:
                self.revoked.add(entry.reason)

    def store(self) -> None:
        """Write everything down. Must run in the batch's transaction."""
        requests = [self._request(ruling) for ruling in self.by_reason.values()]
        surveys.schedule_invitations(requests=requests, now=self.now)
        copy_rows("triggers_decision", _COLUMNS, map(self._row, self.made))
        self._change_planned()

    def _request(self, ruling: Ruling) -> InvitationRequest:
        entry, rule = ruling.entry, ruling.rule
        if entry is None or rule is None or ruling.contact_id is None:
            raise ValueError("only what has a place in the book becomes an invitation")
        ruling.invitation_id = UUID(entry.reason.removeprefix("invitation:"))
        cause = f"event:{ruling.event_id}" if ruling.event_id else f"turn:{ruling.occurrence}:{ruling.contact_id}"
        return InvitationRequest(
            id=ruling.invitation_id,
            contact_id=ruling.contact_id,
            survey_id=rule.survey_id,
            touchpoint_id=ruling.touchpoint_id,
            event_id=ruling.event_id,
            reason=f"{cause}:{rule.origin}",
            entry=entry,
            hour_arm=ruling.hour_arm,
        )

    def _row(self, ruling: Ruling) -> tuple[Any, ...]:
        rule, verdict = ruling.rule, ruling.verdict
        return (
            uuid7(), ruling.event_id, rule.rule_id if rule else None, rule.version_id if rule else None,
            self.cadence_id, ruling.occurrence, ruling.contact_id, ruling.invitation_id, verdict.status,
            verdict.reason, dumps(ruling.details) if ruling.details else "{}", verdict.at, self.now,
        )  # fmt: skip

    def _change_planned(self) -> None:
        """Invitations planned before this batch: pushed back, pushed out, or revoked."""
        if self.moved:
            times = {
                UUID(reason.removeprefix("invitation:")): at
                for reason, at in self.moved.items()
                if reason.startswith("invitation:")
            }
            reminded = {reason: at for reason, at in self.moved.items() if reason.startswith("reminder:")}
            reminders.move(times=reminded, reason="outranked", now=self.now)
            surveys.move_scheduled(times=times, reason="outranked", now=self.now)
            for row in (rows := list(Decision.objects.filter(invitation_id__in=times).only("id", "invitation_id"))):
                row.status, row.reason = Decision.Status.DEFERRED, "outranked"
                row.until = times[row.invitation_id]  # type: ignore[index]
            Decision.objects.bulk_update(rows, ["status", "reason", "until"], batch_size=500)
        for reasons, why in ((self.dropped, "outranked"), (self.revoked, "counter_event")):
            if reasons:
                gone = surveys.revoke_unsent(reasons=reasons, reason=why)
                decisions = Decision.objects.filter(invitation_id__in=gone)
                decisions.update(status=Decision.Status.SKIPPED, reason=why, until=None)
