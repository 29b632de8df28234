"""Whom the layers above let know what became of messages.

Delivery knows nothing of invitations or webhooks: who does registers here when the applications are loaded, and is
told in the transaction that writes it down, so that nothing is told that is not so, and nothing is left out. Sending
asks once per group whether anybody wants to know; if nobody does, that question is all it costs.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol
from uuid import UUID


class Listener(Protocol):
    """What a layer above wants to know."""

    def wants_sent(self) -> bool:
        """Whether anybody needs to know of messages that left. At most one query."""

    def sent(self, *, email_ids: Collection[UUID], now: datetime) -> None:
        """These messages have left; said of the same message more than once where its way was rough."""

    def bounced(self, *, email_id: UUID, detail: str, now: datetime) -> None:
        """The address did not take this message, in the other side's words."""

    def has_left(
        self, *, contact_ids: Collection[UUID], addresses: Collection[str], source: str, now: datetime
    ) -> None:
        """These contacts want no more messages, or complained; ``addresses`` are blocked for that."""


_listeners: list[Listener] = []


def register(listener: Listener) -> None:
    """Let somebody know from now on."""
    _listeners.append(listener)


def wants_sent() -> bool:
    """Whether anybody needs to know of messages that left."""
    return any(listener.wants_sent() for listener in _listeners)


def tell_sent(*, email_ids: Collection[UUID], now: datetime) -> None:
    """Messages have left."""
    for listener in _listeners if email_ids else ():
        listener.sent(email_ids=email_ids, now=now)


def tell_bounced(*, email_id: UUID, detail: str, now: datetime) -> None:
    """A message bounced."""
    for listener in _listeners:
        listener.bounced(email_id=email_id, detail=detail, now=now)


def tell_left(*, contact_ids: Collection[UUID], addresses: Collection[str], source: str, now: datetime) -> None:
    """Contacts left."""
    for listener in _listeners if contact_ids else ():
        listener.has_left(contact_ids=contact_ids, addresses=addresses, source=source, now=now)
