"""Mails of the past, as they were sent. Pure: no Django."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from html import escape
from uuid import UUID

from apps.common.texts import localized
from apps.common.variables import fill
from apps.workspace.demo.blueprint import Letter
from apps.workspace.demo.records import EmailRow

OPENED = 22
"""Of a hundred who do not answer, so many look at the page."""


@dataclass(slots=True)
class Person:
    """A contact while its history is being told."""

    id: UUID
    external_id: str
    email: str | None
    name: str
    language: str
    locale: str
    plan: str
    mood: float
    """How friendly this contact rates in general, in points of the score."""
    memories: dict[str, float] = field(default_factory=dict)
    """How much better or worse than usual it was lastly at a touchpoint, in points of the score."""
    has_basis: bool = False
    blocked_from: datetime | None = None
    outreaches: list[datetime] = field(default_factory=list)

    def is_blocked(self, at: datetime) -> bool:
        """Unsubscribed or bounced by then."""
        return self.blocked_from is not None and self.blocked_from <= at


def write_letter(person: Person, letter: Letter, values: Mapping[str, str]) -> tuple[str, str]:
    """Subject and text in the contact's language, with the variables filled in."""
    values = {"name": person.name, **values}
    subject, body = (fill(localized(texts, person.locale), values) for texts in (letter.subject, letter.body))
    return subject, body


@dataclass(frozen=True, slots=True)
class Post:
    """Sends the mails of the past."""

    from_header: str
    domain: str

    def sent(
        self, *, mail_id: UUID, reason: str, stream: str, person: Person, words: tuple[str, str], at: datetime
    ) -> EmailRow:
        """A mail that left at that time. It carries no link: old links lead nowhere."""
        subject, text = words
        return EmailRow(
            id=mail_id,
            reason=reason,
            stream=stream,
            contact_id=person.id,
            to_email=person.email or "",
            to_name=person.name,
            from_header=self.from_header,
            subject=subject,
            values={
                "text": text,
                "body_html": "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n")),
            },
            domain=(person.email or "").rpartition("@")[2],
            frame_id=0,  # known when it is written
            message_id=f"<{mail_id}@{self.domain}>",
            status="sent",
            due_at=at,
            queued_at=at,
            sent_at=at + timedelta(seconds=2),
            attempts=1,
            last_error="",
        )


def opened_on(invitation_id: UUID, sent_at: datetime, answered_at: datetime | None, end: datetime) -> date | None:
    """The day the page of an invitation was first seen: before the answer, or by some who gave none.

    By its id, not by chance: what happens next in the tale does not depend on it.
    """
    lot = int.from_bytes(sha256(invitation_id.bytes).digest()[:4], "big") % 100
    if answered_at is not None:
        return answered_at.date()
    opened_at = sent_at + timedelta(hours=2 * lot)
    return opened_at.date() if lot < OPENED and opened_at < end else None
