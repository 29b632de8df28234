"""API keys: made, checked, replaced, revoked."""

import re
import secrets
import string
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.common.db import connection
from apps.common.tokens import hash_token
from apps.integrations.models import INTAKE_SCOPES, ApiKey, Scope

ALPHABET = string.ascii_letters + string.digits
SECRET_LENGTH = 43  # of 62 letters: 256 bits
KEY = re.compile(rf"(rk|wk)_([a-z][a-z0-9_]{{2,40}})_[A-Za-z0-9]{{{SECRET_LENGTH}}}")
CACHE_SECONDS = 5.0
CACHE_ENTRIES = 10_000
USED_EVERY = timedelta(minutes=1)
OVERLAP = timedelta(days=7)
"""How long a replaced key goes on working, unless somebody says otherwise."""


@dataclass(frozen=True, slots=True)
class KeyRef:
    """What a request needs to know of its key."""

    id: int
    name: str
    scopes: frozenset[str]
    expires_at: datetime | None
    requests_per_minute: int | None = None
    is_intake: bool = False

    def allows(self, scope: str) -> bool:
        """Whether the key may do what the scope names."""
        return scope in self.scopes


# (schema, hash of the key) → (until when to believe it, the key). Only good keys are kept, so that
# made-up ones cannot push them out.
_cache: dict[tuple[str, bytes], tuple[float, KeyRef]] = {}
_lock = threading.Lock()
_generation = 0


def create_api_key(
    *,
    name: str,
    kind: str = ApiKey.Kind.SERVER,
    scopes: Sequence[str] | None = None,
    expires_at: datetime | None = None,
    requests_per_minute: int | None = None,
    replaces: ApiKey | None = None,
) -> tuple[ApiKey, str]:
    """Make a key for the current tenant; returns the row and the key itself, which is not stored.

    Raises ValidationError for a missing name or a scope that is unknown or that a key of this kind may not have.
    No scopes given: all that the kind may have.
    """
    allowed = INTAKE_SCOPES if kind == ApiKey.Kind.INTAKE else Scope.values
    scopes = list(allowed if scopes is None else scopes)
    if set(scopes) <= set(Scope.values) and not set(scopes) <= set(allowed):
        raise ValidationError({"scopes": _("A write key can only bring events and contacts in.")})
    secret = "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))
    key = f"{kind}_{connection.schema_name}_{secret}"
    row = ApiKey(
        name=name,
        kind=kind,
        key_hash=hash_token(key),
        hint=key[-4:],
        scopes=scopes,
        expires_at=expires_at,
        requests_per_minute=requests_per_minute,
        replaces=replaces,
    )
    row.full_clean()
    row.save()
    return row, key


def rotate_api_key(*, key_id: int, now: datetime, overlap: timedelta = OVERLAP) -> tuple[ApiKey, str]:
    """A new key with the old one's rights; the old one ends after ``overlap``, or at its own time if that is sooner.

    Raises ApiKey.DoesNotExist if there is none that is valid, ValidationError if it was replaced before.
    """
    with transaction.atomic():
        alive = Q(expires_at=None) | Q(expires_at__gt=now)
        old = ApiKey.objects.select_for_update().filter(alive, revoked_at=None).get(pk=key_id)
        if ApiKey.objects.filter(replaces=old).exists():
            raise ValidationError(_("This key has a successor already. Replace that one."))
        new = create_api_key(
            name=old.name,
            kind=old.kind,
            scopes=old.scopes,
            expires_at=old.expires_at,
            requests_per_minute=old.requests_per_minute,
            replaces=old,
        )
        end = now + overlap
        old.expires_at = end if old.expires_at is None else min(old.expires_at, end)
        old.save(update_fields=["expires_at"])
        forget_keys()
    return new


def schema_of(*, key: str) -> str | None:
    """The schema that a key names, if it looks like one. Says nothing about whether the key is any good."""
    found = KEY.fullmatch(key)
    return found[2] if found else None


def authenticate(*, key: str, now: datetime) -> KeyRef | None:
    """The current tenant's key, if it is one and neither revoked nor expired.

    Revoking works at once in the process that does it and after five seconds in the others.
    """
    if schema_of(key=key) != connection.schema_name:
        return None
    entry = connection.schema_name, hash_token(key)
    found = _cache.get(entry)
    ref = found[1] if found is not None and found[0] > time.monotonic() else _look_up(entry, now)
    if ref is None or (ref.expires_at is not None and ref.expires_at <= now):
        return None
    return ref


def _look_up(entry: tuple[str, bytes], now: datetime) -> KeyRef | None:
    """The unrevoked key from the database; remembered, unless keys were forgotten meanwhile.

    Notes that it is used, at most once a minute: this is passed every five seconds by each process.
    """
    generation = _generation
    fields = "id", "name", "scopes", "expires_at", "requests_per_minute", "last_used_at", "kind"
    row = ApiKey.objects.filter(key_hash=entry[1], revoked_at=None).values_list(*fields).first()
    if row is None:
        return None
    ref = KeyRef(row[0], row[1], frozenset(row[2]), row[3], row[4], row[6] == ApiKey.Kind.INTAKE)
    if (row[3] is None or row[3] > now) and (row[5] is None or row[5] <= now - USED_EVERY):
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USED_EVERY)
        ApiKey.objects.filter(stale, pk=ref.id).update(last_used_at=now)
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
