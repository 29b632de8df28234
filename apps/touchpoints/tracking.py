"""Messages as customer data platforms send them (Segment's form): track becomes an event, identify a contact.

Such sources try anything but a good answer again for ever. So what cannot be taken is answered well too, and noted:
names without a touchpoint one by one, everything else by its reason, each with its last message.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from apps.common.db import connection
from apps.contacts.identity import ContactData, resolve_contacts
from apps.touchpoints.bulk import record_events
from apps.touchpoints.intake import EventIn, InvalidEventError
from apps.touchpoints.lenient import moment, not_ahead, read_event
from apps.touchpoints.models import Touchpoint, TrackedName, TrackingProblem
from apps.touchpoints.traits import contact_of

SOURCE = "segment"
KEY_IN_BODY = "writeKey"
MAX_MESSAGES = 100
MAX_BATCH_BYTES = 500 * 1024
MAX_NAMES = 1000
"""Different names without a touchpoint: more are counted, not listed."""
KEPT_PAYLOAD = 8 * 1024
Reason = TrackingProblem.Reason

_NOTE_NAMES = """
    INSERT INTO touchpoints_trackedname
        (name, is_ignored, first_seen_at, last_seen_at, unmapped_count, last_payload)
    SELECT n.name, false, %(now)s, %(now)s, n.times, n.payload
    FROM unnest(%(names)s::varchar[], %(times)s::bigint[], %(payloads)s::text[]) AS n(name, times, payload)
    ON CONFLICT (name) DO UPDATE SET last_seen_at = EXCLUDED.last_seen_at, last_payload = EXCLUDED.last_payload,
        unmapped_count = touchpoints_trackedname.unmapped_count + EXCLUDED.unmapped_count
"""
_NOTE_PROBLEMS = """
    INSERT INTO touchpoints_trackingproblem (reason, count, last_seen_at, detail, last_payload)
    SELECT n.reason, n.times, %(now)s, n.detail, n.payload
    FROM unnest(%(reasons)s::varchar[], %(times)s::bigint[], %(details)s::varchar[], %(payloads)s::text[])
        AS n(reason, times, detail, payload)
    ON CONFLICT (reason) DO UPDATE SET last_seen_at = EXCLUDED.last_seen_at, detail = EXCLUDED.detail,
        last_payload = EXCLUDED.last_payload, count = touchpoints_trackingproblem.count + EXCLUDED.count
"""


@dataclass(slots=True)
class _Noted:
    """What is noted under one name or reason."""

    times: int = 0
    payload: str = ""
    detail: str = ""


@dataclass(slots=True)
class Tracked:
    """What became of the messages of one request."""

    events: int = 0
    contacts: int = 0
    names: dict[str, _Noted] = field(default_factory=dict)
    problems: dict[str, _Noted] = field(default_factory=dict)

    def note(self, where: dict[str, _Noted], key: str, message: Any, detail: str = "") -> None:
        """Count a message under a name or reason, and keep it as the last one."""
        found = where.setdefault(key, _Noted())
        found.times += 1
        found.payload, found.detail = _kept(message), detail[:500].replace("\x00", "")


def take(*, messages: Sequence[Any], sent_at: Any, now: datetime) -> Tracked:
    """Take messages in, set-wise: a fixed number of queries for any number of them.

    ``sent_at``: of the whole batch, for messages that have none of their own. Events come first; a batch that
    comes again because something failed on the way makes none twice, as long as its messages have ids.
    """
    result = Tracked()
    known = _Names.read(messages)
    events: list[EventIn] = []
    people: list[ContactData] = []
    for message in messages:
        if not isinstance(message, dict):
            result.note(result.problems, Reason.WRONG, message, "is no object")
        elif message.get("type") == "track":
            _track(message, known, result, sent_at, now, events)
        elif message.get("type") == "identify":
            _identify(message, result, now, people)
        else:
            result.note(result.problems, Reason.OTHER_TYPE, message, str(message.get("type"))[:60])
    if events:
        result.events = sum(taken.is_new for taken in record_events(events=events, now=now))
    if people:
        with transaction.atomic():
            result.contacts = sum(contact is not None for contact in resolve_contacts(people=people, now=now))
    if result.names or result.problems:
        _note(result, known, now)
    return result


def _track(
    message: dict[str, Any], known: "_Names", result: Tracked, sent_at: Any, now: datetime, events: list[EventIn]
) -> None:
    name = name_of(message)
    if not name:
        result.note(result.problems, Reason.WRONG, message, "event: is required")
        return
    if name in known.ignored:
        return
    key = known.touchpoint(name)
    if key is None:
        result.note(result.names, name, message)
        return
    contact = contact_of(message)
    if not contact.get("external_id") and not contact.get("email"):
        result.note(result.problems, Reason.ANONYMOUS, message, name)
        return
    properties = message.get("properties")
    raw = {
        "touchpoint": key,
        "source": SOURCE,
        "external_id": _message_id(message),
        "occurred_at": occurred_at(message, sent_at=sent_at, now=now),
        "contact": contact,
        "properties": properties if isinstance(properties, dict) else {},
    }
    event = _read(raw, message, result, now)
    if event is not None:
        events.append(event)


def _identify(message: dict[str, Any], result: Tracked, now: datetime, people: list[ContactData]) -> None:
    contact = contact_of(message)
    if not contact.get("external_id") and not contact.get("email"):
        result.note(result.problems, Reason.ANONYMOUS, message)
        return
    # A contact is held to the same rules whether it comes with an event or alone.
    event = _read({"touchpoint": "identify", "contact": contact}, message, result, now)
    if event is not None:
        people.append(msgspec.to_builtins(event.contact))


def _read(raw: dict[str, Any], message: Any, result: Tracked, now: datetime) -> EventIn | None:
    try:
        event, dropped = read_event(raw, now)
    except InvalidEventError as error:
        result.note(result.problems, Reason.WRONG, message, str(error))
        return None
    if dropped:
        result.note(result.problems, Reason.DROPPED, message, "; ".join(f"{e.field}: {e.message}" for e in dropped))
    return event


def occurred_at(message: Mapping[str, Any], *, sent_at: Any, now: datetime) -> datetime:
    """When it happened, by our clock.

    A sender's clock may be wrong. How long ago it happened when it was sent is right even then: sent − happened.
    A message that has both ``timestamp`` and ``originalTimestamp`` was corrected like this on the way already.
    """
    stamp, original = moment(message.get("timestamp")), moment(message.get("originalTimestamp"))
    if stamp is not None and original is not None:
        return not_ahead(stamp, now)
    happened = stamp or original
    sent = moment(message.get("sentAt")) or moment(sent_at)
    if happened is None:
        return now
    if sent is None:
        return not_ahead(happened, now)
    try:
        return min(now - (sent - happened), now)
    except OverflowError:
        return happened


def name_of(message: Mapping[str, Any]) -> str:
    """The tracked event's name, as it is listed."""
    name = message.get("event")
    return name.replace("\x00", "").strip()[:200] if isinstance(name, str) else ""


def slug_of(name: str) -> str:
    """What "Order Received", "orderReceived" and order_received have in common."""
    return "".join(char for char in name.casefold() if char.isalnum())


def _message_id(message: Mapping[str, Any]) -> str | None:
    found = message.get("messageId")
    return found if isinstance(found, str) and found else None


class _Names:
    """What the names in a request mean. Two queries, none where nothing is tracked."""

    def __init__(self, touchpoints: Iterable[str], rows: Iterable[tuple[str, str | None, bool]]) -> None:
        self.by_slug: dict[str, list[str]] = {}
        self.active = set(touchpoints)
        for key in self.active:
            self.by_slug.setdefault(slug_of(key), []).append(key)
        self.assigned: dict[str, str | None] = {}
        self.ignored: set[str] = set()
        for name, assigned, is_ignored in rows:
            self.assigned[name] = assigned
            if is_ignored:
                self.ignored.add(name)

    @classmethod
    def read(cls, messages: Sequence[Any]) -> "_Names":
        """Look up the names of the messages."""
        tracks = (m for m in messages if isinstance(m, dict) and m.get("type") == "track")
        names = {name for message in tracks if (name := name_of(message))}
        if not names:
            return cls((), ())
        rows = TrackedName.objects.filter(name__in=names).values_list("name", "touchpoint__key", "is_ignored")
        return cls(Touchpoint.objects.filter(is_active=True).values_list("key", flat=True), rows)

    def touchpoint(self, name: str) -> str | None:
        """The touchpoint of a name: as assigned, else the only one whose key reads the same."""
        assigned = self.assigned.get(name)
        if assigned:
            return assigned if assigned in self.active else None
        found = self.by_slug.get(slug_of(name), ())
        return found[0] if len(found) == 1 else None


@transaction.atomic
def _note(result: Tracked, known: _Names, now: datetime) -> None:
    """Write down what was not taken, in one order, so that two batches never wait for each other in a circle."""
    fresh = [name for name in result.names if name not in known.assigned]
    if fresh and TrackedName.objects.filter(touchpoint=None, is_ignored=False).count() + len(fresh) > MAX_NAMES:
        for name in fresh:
            gone = result.names.pop(name)
            found = result.problems.setdefault(Reason.TOO_MANY_NAMES, _Noted())
            found.times, found.payload, found.detail = found.times + gone.times, gone.payload, name
    names, problems = sorted(result.names.items()), sorted(result.problems.items())
    with connection.cursor() as cursor:
        if names:
            cursor.execute(_NOTE_NAMES, {"now": now, "names": [name for name, _ in names], **_columns(names)})
        if problems:
            details = [noted.detail for _, noted in problems]
            reasons = [reason for reason, _ in problems]
            cursor.execute(_NOTE_PROBLEMS, {"now": now, "reasons": reasons, "details": details, **_columns(problems)})


def _columns(noted: Sequence[tuple[str, _Noted]]) -> dict[str, list[Any]]:
    return {"times": [n.times for _, n in noted], "payloads": [n.payload for _, n in noted]}


def _kept(message: Any) -> str:
    """The message to look at later, not longer than is kept, and without the key that some sources put into each."""
    if isinstance(message, dict) and KEY_IN_BODY in message:
        message = {name: value for name, value in message.items() if name != KEY_IN_BODY}
    text = msgspec.json.format(msgspec.json.encode(message), indent=2).decode()
    return text[:KEPT_PAYLOAD].replace("\x00", "")
