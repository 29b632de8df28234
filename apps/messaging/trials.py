"""A mail to whoever writes it: by the same way as all others, but past the outbox, for it is to no contact."""

from collections.abc import Mapping
from typing import NamedTuple

from apps.common.ids import uuid7
from apps.common.patterns import Pattern
from apps.common.sealed import UnreadableError
from apps.common.variables import one_line
from apps.messaging import identities
from apps.messaging.frames import Frame, Words
from apps.messaging.models import OutgoingEmail
from apps.messaging.parcels import Parcel, Row
from apps.messaging.transport import line_for
from apps.relays import services as relays


class Result(NamedTuple):
    """Whether the mail left, and what the mail service said."""

    has_left: bool
    detail: str = ""


def send(*, to_email: str, subject: str, words: Words, values: Mapping[str, str]) -> Result:
    """Send one mail now and say what became of it. Nothing is stored."""
    identity = identities.current()
    mail_id = uuid7()
    row = Row(
        id=mail_id, contact_id=None, channel="email", needs_legal_basis=False, to_email=to_email, to_name="",
        domain=to_email.rpartition("@")[2].lower(), from_header=identity.from_header, reply_to=identity.reply_to,
        relay=identity.relay, stream="", subject=one_line(f"[Test] {subject}")[:300], frame_id=None, values="{}",
        headers="{}", message_id=f"<{mail_id}@{identity.domain}>", attempts=0,
    )  # fmt: skip
    parcel = _Trial(row, Frame(Pattern(words.text), Pattern(words.html, is_html=True)), values)
    try:
        line = line_for(relays.route_of(identity.relay))
    except UnreadableError as error:
        return Result(False, str(error))
    try:
        for _position, outcome in line.deliver([parcel], lambda _position: True):
            return Result(outcome.status == OutgoingEmail.Status.SENT, outcome.error)
    finally:
        line.close()
    return Result(False)


class _Trial(Parcel):
    """A message whose values need not be stored. Without the way out in its head: nobody can be unsubscribed by it."""

    def __init__(self, row: Row, frame: Frame, values: Mapping[str, str]) -> None:
        super().__init__(row, frame)
        self.__dict__["values"] = {"subject": row.subject, **values}

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Auto-Response-Suppress": "All"}
