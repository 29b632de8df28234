"""Whom the layers above let know what respondents wish.

Responses know nothing of cases: who takes care of wishes registers here when the applications are loaded, and is told
in the transaction that writes them down.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

Listener = Callable[[UUID, datetime], None]
"""Takes the id of a response whose contact asks to be called, and the time."""

_listeners: list[Listener] = []


def register(listener: Listener) -> None:
    """Let somebody know from now on."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell_call_back(*, response_id: UUID, now: datetime) -> None:
    """A contact asks to be called, or wrote another number or time."""
    for listener in _listeners:
        listener(response_id, now)
