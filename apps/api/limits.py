"""Requests per API key and minute.

All processes count in the cache, but not one by one: each takes a share of the minute's requests from the common
counter and spends it by itself. So a request costs a round trip to the cache only once in a hundred, no key ever gets
more than its limit, and near the end of a minute it may be told to wait a few shares early.
"""

import threading
import time
from typing import NamedTuple

from django.conf import settings

from apps.common import limits
from apps.common.db import connection
from apps.integrations.services import KeyRef

WINDOW = 60
SHARES = 100
MAX_ENTRIES = 10_000


class Verdict(NamedTuple):
    """Whether a request may go on, and what the caller is told about its limit. ``reset`` is in whole seconds."""

    allowed: bool
    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """RateLimit headers (draft-ietf-httpapi-ratelimit-headers-07); Retry-After where it was refused."""
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
            "RateLimit-Policy": f"{self.limit};w={WINDOW}",
        }
        return told if self.allowed else {**told, "Retry-After": str(self.reset)}


class _Share:
    """What this process holds of a key's minute."""

    __slots__ = ("left", "taken", "window")

    def __init__(self, window: int) -> None:
        self.window, self.left, self.taken = window, 0, 0


_shares: dict[tuple[str, int], _Share] = {}
_lock = threading.Lock()


def spend(*, key: KeyRef) -> Verdict:
    """Count one request of a key of the current tenant."""
    limit = key.requests_per_minute or settings.API_REQUESTS_PER_MINUTE
    # Windows are minutes of the clock, so that all processes mean the same one.
    seconds = time.time()
    window = int(seconds // WINDOW)
    reset = int((window + 1) * WINDOW - seconds) + 1
    with _lock:
        share = _share_of((connection.schema_name, key.id), window)
        if not share.left and share.taken < limit:
            _take_share(share, key.id, limit)
        allowed = share.left > 0
        share.left -= allowed
        return Verdict(allowed, limit, max(0, limit - share.taken) + share.left, reset)


def _share_of(whose: tuple[str, int], window: int) -> _Share:
    share = _shares.get(whose)
    if share is None or share.window != window:
        if len(_shares) >= MAX_ENTRIES:
            _shares.clear()
        share = _shares[whose] = _Share(window)
    return share


def _take_share(share: _Share, key_id: int, limit: int) -> None:
    size = max(1, limit // SHARES)
    taken = limits.count_for("api", f"{key_id}:{share.window}", WINDOW * 2, size)
    share.left = max(0, size - max(0, taken - limit))
    # While the cache is away it knows of nobody: then each process keeps to the limit by itself.
    share.taken = max(taken, share.taken + size)


def forget() -> None:
    """Drop what this process holds."""
    with _lock:
        _shares.clear()
