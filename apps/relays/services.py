"""Which mail service to use, whether it rests after faults, and whose message its reports are about.

All of it stands in the public schema and may be called from any tenant's.
"""

import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.common import sealed
from apps.common.db import connection
from apps.relays.models import TEXTS, Relay, RelayState, SentHandle

TTL_SECONDS = 10.0
MAX_ENTRIES = 1000
FAULTS_TO_OPEN = 5
SHORTEST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=15)
PROBE = timedelta(seconds=60)
KEEP_HANDLES = timedelta(days=120)
PURGE_BATCH = 5000
SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
SMTP_TIMEOUT_SECONDS = 30
ID_LENGTH = 200
_NUMBER = re.compile(r"\+\d{7,15}")
_LOCAL_PART = re.compile(r"[^\s<>\"'(),:;\[\]@]+@")
SMS = TEXTS
"""The key of the service for text messages (SMS_URL)."""

_routes: dict[str, tuple[float, "Route"]] = {}
# Services that rested and that this process may try now: key → the end of its turn.
_probes: dict[str, datetime] = {}


@dataclass(frozen=True, slots=True)
class Route:
    """A way to a mail service: ``get_connection(backend, **options)``.

    ``key`` is "" for the environment's service; ``kind`` is "smtp", "esp", "sms" (``options`` is what SMS_URL says,
    nothing if it is not set) or "django" (any other backend); ``esp`` names Anymail's module for an ESP.
    """

    key: str
    kind: str
    backend: str
    options: Mapping[str, Any] = field(repr=False)
    name: str
    esp: str = ""
    batch_size: int = 100


def route_of(key: str) -> Route:
    """The way to the active mail service of this key; else to the default one, else to the environment's.

    Remembered in the process for seconds. Raises :class:`apps.common.sealed.UnreadableError` where the service's
    settings cannot be decrypted: mails then wait, and do not leave by another way.
    """
    found = _routes.get(key)
    now = time.monotonic()
    if found is not None and found[0] > now:
        return found[1]
    route = _for_texts() if key == SMS else _find(key)
    if len(_routes) >= MAX_ENTRIES:  # Bounded, whatever keys are asked for.
        _routes.clear()
    _routes[key] = (now + TTL_SECONDS, route)
    return route


def key_of(name: str) -> str:
    """The key of the service that messages for ``name`` really leave by; its own where that cannot be told."""
    try:
        return route_of(name).key
    except sealed.UnreadableError:
        return name


def forget() -> None:
    """Drop what this process remembers of mail services."""
    _routes.clear()
    _probes.clear()


def choices() -> list[tuple[str, str]]:
    """(key, name) of what tenants may choose from."""
    rows = Relay.objects.filter(is_active=True, is_offered=True).order_by("name", "key")
    return list(rows.values_list("key", "name"))


def hints(key: str) -> Relay | None:
    """The active mail service that mails of this key leave by, with what it asks of senders' DNS; None: environment."""
    rows = Relay.objects.filter(is_active=True).defer("settings", "webhook_secret")
    return (rows.filter(key=key).first() if key else None) or rows.filter(is_default=True).first()


def route_to(relay: Relay) -> Route:
    """The way to one mail service, active or not."""
    values = sealed.readable(relay.settings)
    esp = relay.esp
    if esp is None:
        return Route(relay.key, "smtp", SMTP_BACKEND, _smtp_options(values), relay.name, "", relay.batch_size)
    return Route(relay.key, "esp", esp.backend, esp.options(values), relay.name, esp.name, relay.batch_size)


def _find(key: str) -> Route:
    rows = Relay.objects.filter(is_active=True)
    relay = (rows.filter(key=key).first() if key else None) or rows.filter(is_default=True).first()
    return route_to(relay) if relay is not None else environment()


def _for_texts() -> Route:
    options = settings.SMS
    return Route(SMS, "sms", "", options, str(options.get("provider", "")))


def environment() -> Route:
    """The way that EMAIL_URL names."""
    backend = settings.EMAIL_BACKEND
    if backend == SMTP_BACKEND:
        return Route("", "smtp", backend, {}, settings.EMAIL_HOST)
    if backend.startswith("anymail.backends."):
        esp = backend.split(".")[2]
        return Route("", "esp", backend, {}, esp, esp)
    return Route("", "django", backend, {}, backend.rpartition(".")[2])


def _smtp_options(values: Mapping[str, Any]) -> dict[str, Any]:
    security = values.get("security", "")
    return {
        "host": values.get("host", ""),
        "port": values.get("port") or (465 if security == "ssl" else 587),
        "username": values.get("user", ""),
        "password": values.get("password", ""),
        "use_tls": security == "tls",
        "use_ssl": security == "ssl",
        "timeout": SMTP_TIMEOUT_SECONDS,
    }


# --- the circuit breaker ------------------------------------------------------------------------


def resting_until(*, key: str, now: datetime) -> datetime | None:
    """When the mail service may be used again; None: now.

    When its rest is over, one process gets the turn to try it; to the others it rests a minute longer, or until
    that process has noted what came of it. Asking again keeps the turn.
    """
    row = RelayState.objects.filter(key=key, rests_until__isnull=False).values_list("rests_until").first()
    if row is None or row[0] is None:
        return None
    until: datetime = row[0]
    if until > now:
        return None if _probes.get(key) == until else until
    turn = now + PROBE
    if RelayState.objects.filter(key=key, rests_until=until).update(rests_until=turn):
        _probes[key] = turn
        return None
    return turn


def rests(*, now: datetime) -> dict[str, datetime]:
    """The mail services that rest now, and until when. Only looks: nobody's turn is taken."""
    rows = RelayState.objects.filter(rests_until__gt=now).values_list("key", "rests_until")
    return {key: until for key, until in rows if until is not None}


def note_fault(*, key: str, error: str, now: datetime) -> datetime | None:
    """A connection failed: after five in a row the service rests, then twice as long each time.

    Returns the rest's end if it begins now. Faults of mails that were on their way when it began count as one.
    """
    with transaction.atomic():
        RelayState.objects.bulk_create([RelayState(key=key)], ignore_conflicts=True)
        state = RelayState.objects.select_for_update().get(key=key)
        is_probe = state.rests_until is not None and _probes.pop(key, None) == state.rests_until
        state.last_error = _without_addresses(error)[:500]
        if state.rests_until is not None and state.rests_until > now and not is_probe:
            state.save(update_fields=["last_error"])
            return None
        state.faults += 1
        state.rests_until = now + _rest(state.faults) if state.faults >= FAULTS_TO_OPEN else None
        state.save()
    return state.rests_until


def note_success(*, key: str) -> None:
    """A connection worked: the next fault is the first again. Writes nothing where nothing was wrong."""
    _probes.pop(key, None)
    if RelayState.objects.filter(key=key, faults__gt=0).exists():
        RelayState.objects.filter(key=key).update(faults=0, rests_until=None, last_error="")


def _without_addresses(error: str) -> str:
    """What a service said, without whose mail it was about: it is kept in public, for the operator to read."""
    text = error[:2000].replace("\x00", "").encode("utf-8", "replace").decode()
    return _NUMBER.sub("+…", _LOCAL_PART.sub("…@", text))


def _rest(faults: int) -> timedelta:
    """Doubling from 30 seconds to a quarter of an hour, with jitter so that services are not tried in a crowd."""
    doubled: timedelta = SHORTEST_REST * 2 ** min(faults - FAULTS_TO_OPEN, 10)
    return min(doubled * random.uniform(0.8, 1.2), LONGEST_REST)  # noqa: S311


# --- whose message is it ------------------------------------------------------------------------


def remember(*, relay: str, schema_name: str, handles: Mapping[str, UUID], now: datetime) -> None:
    """Note whose messages a mail service's ids are (its id → ours). The first note of an id counts."""
    kept = {esp_id: email_id for esp_id, email_id in handles.items() if esp_id and len(esp_id) <= ID_LENGTH}
    if not kept:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO public.relays_senthandle (relay, esp_id, schema_name, email_id, at)
            SELECT %s, handle, %s, message, %s FROM unnest(%s::text[], %s::uuid[]) AS sent (handle, message)
            ON CONFLICT (relay, esp_id) DO NOTHING
            """,
            [relay, schema_name, now, list(kept), list(kept.values())],
        )


def remember_last(*, relay: str, esp_id: str, schema_name: str, email_id: UUID, now: datetime) -> None:
    """Note whose message this id stands for now; a later note replaces it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO public.relays_senthandle AS h (relay, esp_id, schema_name, email_id, at)
            VALUES (%s, %s, %s, %s, %s) ON CONFLICT (relay, esp_id) DO UPDATE
            SET schema_name = excluded.schema_name, email_id = excluded.email_id, at = excluded.at
            WHERE h.at <= excluded.at
            """,
            [relay, esp_id, schema_name, email_id, now],
        )


def owner_of(*, relay: str, esp_id: str) -> tuple[str, UUID] | None:
    """The schema and our id of the message that this mail service calls ``esp_id``; None if it is none of ours."""
    if not esp_id or len(esp_id) > ID_LENGTH or "\x00" in esp_id:
        return None
    rows = SentHandle.objects.filter(relay=relay, esp_id=esp_id)
    return rows.values_list("schema_name", "email_id").first()


def purge_handles(*, now: datetime, limit: int = PURGE_BATCH) -> int:
    """Forget up to ``limit`` ids of messages sent long ago; returns how many."""
    old = SentHandle.objects.filter(at__lt=now - KEEP_HANDLES).order_by("at").values("pk")[:limit]
    deleted, _tables = SentHandle.objects.filter(pk__in=old).delete()
    return deleted
