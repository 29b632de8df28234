"""Whom the layers above let know what became of cases.

Cases know nothing of campaigns: who waits for the end of a case registers here when the applications are loaded, and
is told in the transaction that writes it down.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

Listener = Callable[[Collection[UUID], datetime], None]
"""Takes the ids of cases that were just closed or merged, and the time."""

_listeners: list[Listener] = []


def register(listener: Listener) -> None:
    """Let somebody know from now on."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell_closed(*, case_ids: Collection[UUID], now: datetime) -> None:
    """These cases are closed, or went into another."""
    if case_ids:
        for listener in _listeners:
            listener(case_ids, now)
