"""API keys: made, checked, revoked."""

import secrets
import string
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.common.db import connection
from apps.common.tokens import hash_token
from apps.integrations.models import ApiKey, Scope

ALPHABET = string.ascii_letters + string.digits
SECRET_LENGTH = 43  # of 62 letters: 256 bits
CACHE_SECONDS = 5.0
CACHE_ENTRIES = 10_000


@dataclass(frozen=True, slots=True)
class KeyRef:
    """What a request needs to know of its key."""

    id: int
    name: str
    scopes: frozenset[str]
    expires_at: datetime | None

    def allows(self, scope: str) -> bool:
        """Whether the key may do what the scope names."""
        return scope in self.scopes


# (schema, hash of the key) → (until when to believe it, the key). Only good keys are kept, so that
# made-up ones cannot push them out.
_cache: dict[tuple[str, bytes], tuple[float, KeyRef]] = {}
_lock = threading.Lock()
_generation = 0


def create_api_key(
    *, name: str, scopes: Sequence[str] | None = None, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Make a key for the current tenant; returns the row and the key itself, which is not stored.

    Raises ValidationError for a missing name or an unknown scope. No scopes given: all of them.
    """
    secret = "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))
    key = f"rk_{connection.schema_name}_{secret}"
    row = ApiKey(
        name=name,
        key_hash=hash_token(key),
        hint=key[-4:],
        scopes=list(Scope.values if scopes is None else scopes),
        expires_at=expires_at,
    )
    row.full_clean()
    row.save()
    return row, key


def authenticate(*, key: str, now: datetime) -> KeyRef | None:
    """The current tenant's key, if it is one and neither revoked nor expired.

    Revoking works at once in the process that does it and after five seconds in the others.
    """
    prefix, _, _secret = key.rpartition("_")
    if prefix != f"rk_{connection.schema_name}":
        return None
    entry = connection.schema_name, hash_token(key)
    found = _cache.get(entry)
    ref = found[1] if found is not None and found[0] > time.monotonic() else _look_up(entry)
    if ref is None or (ref.expires_at is not None and ref.expires_at <= now):
        return None
    return ref


def _look_up(entry: tuple[str, bytes]) -> KeyRef | None:
    """The unrevoked key from the database; remembered, unless keys were forgotten meanwhile."""
    generation = _generation
    row = (
        ApiKey.objects.filter(key_hash=entry[1], revoked_at=None)
        .values_list("id", "name", "scopes", "expires_at")
        .first()
    )
    if row is None:
        return None
    ref = KeyRef(row[0], row[1], frozenset(row[2]), row[3])
    with _lock:
        if generation == _generation:
            if len(_cache) >= CACHE_ENTRIES:
                _cache.clear()
            _cache[entry] = time.monotonic() + CACHE_SECONDS, ref
    return ref


def revoke_api_key(*, key_id: int, now: datetime) -> bool:
    """End a key's life. False if there is none or it was revoked before."""
    changed = ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=now)
    forget_keys()
    return bool(changed)


def forget_keys() -> None:
    """Drop what this process remembers of keys: now, and again when the surrounding transaction is through."""
    _clear()
    transaction.on_commit(_clear)


def _clear() -> None:
    global _generation
    with _lock:
        _generation += 1
        _cache.clear()
