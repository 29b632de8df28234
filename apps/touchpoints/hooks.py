"""Hooks at work: made, found by their token, and what becomes of a message that comes in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qs
from uuid import UUID

import msgspec
from django.db import transaction

from apps.common.db import connection
from apps.common.tokens import TOKEN_LENGTH, hash_token, new_token
from apps.touchpoints.bulk import record_events
from apps.touchpoints.hook_mapping import Became, HookMapping, Problem, Reading, fingerprint, mapping_of
from apps.touchpoints.hook_signatures import is_genuine
from apps.touchpoints.intake import EventIn
from apps.touchpoints.lenient import is_too_deep
from apps.touchpoints.models import Event, Hook, HookPayload, HookTouchpoint, Touchpoint

MAX_BODY = 512 * 1024
KEPT_BODY = 64 * 1024
KEEP = 20
KEEP_WRONG = 100
KEEP_FOR = timedelta(days=30)
SAME_WITHIN = timedelta(hours=1)
"""A message without an id that says the same within this time is a repetition."""
MAX_PROBLEMS = 10
MAX_HEADERS, MAX_HEADER = 40, 300
MIN_SECRET = 8
"""A shorter text is found by chance."""
FORM = "application/x-www-form-urlencoded"
_SECRET_HEADERS = (
    "auth", "cookie", "token", "secret", "password", "signature", "hmac", "api-key", "apikey", "access-key",
    "subscription-key", "functions-key", "credential", "session", "jwt",
)  # fmt: skip
_DULL_HEADERS = ("host", "connection", "content-length", "accept", "forwarded", "x-real-ip", "via", "cf-", "x-csrf")

_TRIM = """
    DELETE FROM touchpoints_hookpayload WHERE hook_id = %(hook)s AND (received_at < %(old)s OR (
        id NOT IN (SELECT id FROM touchpoints_hookpayload WHERE hook_id = %(hook)s
                   ORDER BY received_at DESC, id DESC LIMIT %(keep)s)
        AND id NOT IN (SELECT id FROM touchpoints_hookpayload WHERE hook_id = %(hook)s AND outcome = 'wrong'
                       ORDER BY received_at DESC, id DESC LIMIT %(wrong)s)))
"""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request to a hook. Headers by lower-case name; ``url`` with scheme and host."""

    body: bytes
    content_type: str
    headers: Mapping[str, str]
    url: str


class Receipt(NamedTuple):
    """What became of a request. ``refused``: its signature is wrong, and nothing of it was kept."""

    outcome: str
    events: int = 0
    problems: Sequence[Problem] = ()
    refused: bool = False
    unreadable: bool = False


class UnreadableBodyError(Exception):
    """The body is neither JSON nor a form."""


def create_hook(*, hook: Hook, now: datetime) -> Hook:
    """Store a new hook with a token of its own. It listens only."""
    hook.state, hook.created_at = Hook.State.LISTENING, now
    _give_token(hook)
    hook.full_clean()
    hook.save()
    return hook


def rotate_token(*, hook: Hook) -> None:
    """A new address; the old one leads nowhere from now on."""
    _give_token(hook)
    hook.save(update_fields=["token", "token_hash"])


def _give_token(hook: Hook) -> None:
    hook.token = new_token()
    hook.token_hash = hash_token(hook.token)


def hook_of(*, token: str) -> Hook | None:
    """The hook with this token. One query, whatever the token looks like."""
    return Hook.objects.select_related("touchpoint").filter(token_hash=hash_token(token[: TOKEN_LENGTH + 1])).first()


def mapping_for(hook: Hook) -> HookMapping:
    """How the hook reads messages, as it is saved. Two queries."""
    rows = HookTouchpoint.objects.filter(hook=hook).values_list("value", "touchpoint__key")
    return mapping_of(hook, assigned=dict(rows), touchpoints=active_touchpoints())


def active_touchpoints() -> list[str]:
    """The keys of the tenant's touchpoints."""
    return list(Touchpoint.objects.filter(is_active=True).values_list("key", flat=True))


def receive(*, hook: Hook, incoming: Incoming, now: datetime) -> Receipt:
    """Take a request in: check its signature, keep it, and make events of it where the hook is on.

    A fixed number of queries for any number of messages in it. Events are stored first: if what follows fails,
    the tool sends the same again and no event is made twice.
    """
    genuine = is_genuine(
        kind=hook.signature, secret=str(hook.secret), header=hook.signature_header, body=incoming.body,
        headers=incoming.headers, url=incoming.url, now=now,
    )  # fmt: skip
    if not genuine:
        problem = Problem("signature", "forged")
        Hook.objects.filter(pk=hook.pk).update(last_error=[problem], last_error_at=now)
        return Receipt(HookPayload.Outcome.WRONG, problems=[problem], refused=True)
    headers = kept_headers(incoming.headers, hidden=[str(hook.token), str(hook.secret)])
    receipt = _process(hook, incoming.body, incoming.content_type, headers, at=now, now=now)
    with transaction.atomic():
        _keep(hook, incoming, headers, receipt, now)
    return receipt


def take_again(*, payload_id: UUID, now: datetime) -> Receipt | None:
    """Try a kept message once more, with the hook as it is now; None if it is gone or was not kept as a whole."""
    rows = HookPayload.objects.select_related("hook__touchpoint").filter(is_cut=False)
    payload = rows.filter(pk=payload_id, hook__state=Hook.State.ON).first()
    if payload is None:
        return None
    hook = payload.hook
    at = payload.received_at
    receipt = _process(hook, payload.body.encode(), payload.content_type, payload.headers, at=at, now=now)
    # Newer messages may have made it go meanwhile.
    HookPayload.objects.filter(pk=payload.pk).update(
        outcome=receipt.outcome, event_count=receipt.events, problems=_storable(receipt.problems)
    )
    return receipt


def _process(
    hook: Hook, body: bytes, content_type: str, headers: Mapping[str, str], *, at: datetime, now: datetime
) -> Receipt:
    """What becomes of a message that came ``at`` some time, and is taken in ``now``."""
    try:
        message = decode(body, content_type)
    except UnreadableBodyError:
        return Receipt(HookPayload.Outcome.WRONG, problems=[Problem("body", "unreadable")], unreadable=True)
    if hook.state == Hook.State.LISTENING:
        return Receipt(HookPayload.Outcome.LISTENED)
    mapping = mapping_for(hook)
    items = mapping.items(message, headers)
    if isinstance(items, Problem):
        return Receipt(HookPayload.Outcome.WRONG, problems=[items], unreadable=items.code == "too_many")
    readings = [mapping.read(item, headers, at) for item in items]
    events = [(item, reading.event) for item, reading in zip(items, readings, strict=True) if reading.event]
    _name_unnamed(mapping.source, events, at)
    for _, event in events:
        event.occurred_at = event.occurred_at or at
    stored = record_events(events=[event for _, event in events], now=now)
    made = sum(taken.is_new for taken in stored)
    problems = list(dict.fromkeys(problem for reading in readings for problem in reading.problems))[:MAX_PROBLEMS]
    return Receipt(_outcome(readings), made, problems)


def _outcome(readings: Sequence[Reading]) -> str:
    became = {reading.became for reading in readings}
    if Became.WRONG in became:
        return HookPayload.Outcome.WRONG
    return HookPayload.Outcome.TAKEN if Became.EVENT in became else HookPayload.Outcome.LEFT_OUT


def _name_unnamed(source: str, events: Sequence[tuple[Any, EventIn]], at: datetime) -> None:
    """Give events whose messages have no id one made of their content and the hour.

    The same content an hour ago is a repetition too if that is no longer ago than SAME_WITHIN: one query.
    """
    unnamed = [(f"{event.touchpoint}/={fingerprint(item)}", event) for item, event in events if not event.external_id]
    if not unnamed:
        return
    hour = int(at.timestamp() // SAME_WITHIN.total_seconds())
    earlier = {f"{name}.{hour - 1}": name for name, _ in unnamed}
    rows = Event.objects.filter(source=source, external_id__in=earlier, received_at__gt=at - SAME_WITHIN)
    repeated = {earlier[found]: found for found in rows.values_list("external_id", flat=True) if found}
    for name, event in unnamed:
        event.external_id = repeated.get(name) or f"{name}.{hour}"


def _keep(hook: Hook, incoming: Incoming, headers: dict[str, str], receipt: Receipt, now: datetime) -> None:
    """Note the message and what became of it; let older ones go."""
    HookPayload.objects.create(
        hook=hook,
        received_at=now,
        content_type=incoming.content_type[:100].replace("\x00", ""),
        headers=headers,
        body=incoming.body[:KEPT_BODY].decode("utf-8", "replace").replace("\x00", "\ufffd"),
        is_cut=len(incoming.body) > KEPT_BODY,
        outcome=receipt.outcome,
        event_count=receipt.events,
        problems=_storable(receipt.problems),
    )
    values: dict[str, Any] = {"last_received_at": now}
    if receipt.outcome == HookPayload.Outcome.WRONG:
        values |= {"last_error": _storable(receipt.problems), "last_error_at": now}
    Hook.objects.filter(pk=hook.pk).update(**values)
    with connection.cursor() as cursor:
        cursor.execute(_TRIM, {"hook": hook.pk, "old": now - KEEP_FOR, "keep": KEEP, "wrong": KEEP_WRONG})


def _storable(problems: Sequence[Problem]) -> list[list[str]]:
    """Problems as PostgreSQL takes them: it knows no NUL."""
    return [[part.replace("\x00", "\ufffd") for part in problem] for problem in problems]


def decode(body: bytes, content_type: str) -> Any:
    """The message in a body: JSON, or a form as an object of texts. Raises UnreadableBodyError."""
    try:
        if content_type.partition(";")[0].strip().lower() == FORM:
            found = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=1000)
            return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
        found = msgspec.json.decode(body)
        if is_too_deep(body, found):
            raise UnreadableBodyError
        return found
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UnreadableBodyError from error


def kept_headers(headers: Mapping[str, str], *, hidden: Sequence[str] = ()) -> dict[str, str]:
    """The headers that say something about a message, without any that could open a door.

    ``hidden`` are texts of some length that none may have in it: a web server in front may well name the address it
    was asked for.
    """
    secrets = [text for text in hidden if len(text) >= MIN_SECRET]
    kept: dict[str, str] = {}
    for name, value in headers.items():
        told = name.lower()
        if any(part in told for part in _SECRET_HEADERS) or told.startswith(_DULL_HEADERS) or "forwarded" in told:
            continue
        if len(kept) < MAX_HEADERS and not any(secret in value for secret in secrets):
            kept[told[:80]] = value[:MAX_HEADER].replace("\x00", "")
    return kept
