"""What a mail service reports, in our words. Anymail levels much, but not which failures are for good."""

import hashlib
import json
import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason

EARLY = timedelta(minutes=2)
"""So young a report may be ahead of our own note of the id: the service is asked to repeat it."""

_ENDED = {
    EventType.DELIVERED: "delivered",
    EventType.DEFERRED: "deferred",
    EventType.FAILED: "rejected",
    EventType.COMPLAINED: "complained",
    EventType.UNSUBSCRIBED: "unsubscribed",
    EventType.OPENED: "opened",
    EventType.CLICKED: "clicked",
}
# SparkPost's classes that say: no such mailbox.
_SPARKPOST_HARD = {"10", "30", "90"}
# A reply of the receiving server that says nothing for good about the mailbox: 4xx, 4.x.x, a mailbox that is full,
# or a refusal of the sender (5.1.7, 5.1.8) or by policy (5.7.x). The numbers of an IP address are no such code.
_TEMPORARY = re.compile(
    r"^\D{0,12}4\d\d[ -]|(?<![\d.])(?:4\.\d{1,3}\.\d{1,3}|5\.2\.2|5\.1\.[78]|5\.7\.\d{1,3})(?!\.?\d)"
)


@dataclass(slots=True)
class Posted:
    """The request that is being worked on: from which mail service (our key), when, and whether it came too early."""

    relay: str
    now: datetime
    is_early: bool = False


current: ContextVar[Posted | None] = ContextVar("posted", default=None)


@dataclass(frozen=True, slots=True)
class Report:
    """One report about one message. ``kind`` is one of messaging's DeliveryEvent.Kind."""

    esp_id: str
    kind: str
    at: datetime | None
    detail: str
    event_id: str


def report_of(event: AnymailTrackingEvent, esp_name: str) -> Report | None:
    """Anymail's event as a report; None if it says nothing about what became of the message."""
    kind = _kind(event, esp_name)
    if kind is None or not event.message_id:
        return None
    texts = [str(text) for text in (event.mta_response, event.description) if text]
    return Report(str(event.message_id), kind, event.timestamp, ": ".join(dict.fromkeys(texts)), _identity(event, kind))


def _kind(event: AnymailTrackingEvent, esp_name: str) -> str | None:
    raw = event.esp_event if isinstance(event.esp_event, Mapping) else {}
    if event.event_type == EventType.BOUNCED:
        return "soft_bounce" if _is_temporary(event, esp_name, raw) else "hard_bounce"
    if event.event_type == EventType.FAILED and esp_name == "Postal":  # Its HardFail.
        return "soft_bounce" if _is_temporary(event, esp_name, raw) else "hard_bounce"
    if event.event_type == EventType.REJECTED:
        # The service did not even try, because of what it knows of the address.
        if event.reject_reason in {RejectReason.BOUNCED, RejectReason.INVALID}:
            return "hard_bounce"
        return "unsubscribed" if event.reject_reason == RejectReason.UNSUBSCRIBED else "rejected"
    return _ENDED.get(event.event_type)


def _is_temporary(event: AnymailTrackingEvent, esp_name: str, raw: Mapping[str, Any]) -> bool:
    """Whether a later message may well arrive."""
    says = _SAYS.get(esp_name)
    verdict = says(raw) if says else None
    if verdict is None:
        verdict = bool(_TEMPORARY.search(str(event.mta_response or event.description or "")))
    return verdict


def _named(field: str, soft: str) -> Any:
    return lambda raw: str(raw.get(field, "")).endswith(soft)


def _bounce_type(bounce: Any) -> bool | None:
    kind = bounce.get("bounceType", bounce.get("type")) if isinstance(bounce, Mapping) else None
    return None if not kind else kind != "Permanent"


def _resend(raw: Mapping[str, Any]) -> bool | None:
    data = raw.get("data")
    return _bounce_type(data.get("bounce")) if isinstance(data, Mapping) else None


def _sparkpost(raw: Mapping[str, Any]) -> bool | None:
    wrapped = raw.get("msys")
    events = [event for event in wrapped.values() if isinstance(event, Mapping)] if isinstance(wrapped, Mapping) else []
    classes = {str(event["bounce_class"]) for event in events if "bounce_class" in event}
    return not classes & _SPARKPOST_HARD if classes else None


# By each service's own words: True temporary, False for good, None: look at the server's reply.
_SAYS: dict[str, Any] = {
    "Amazon SES": lambda raw: _bounce_type(raw.get("bounce")),
    "Brevo": _named("event", "soft_bounce"),
    "MailerSend": _named("type", "soft_bounced"),
    "Mailjet": lambda raw: None if "hard_bounce" not in raw else not raw["hard_bounce"],
    "Mandrill": _named("event", "soft_bounce"),
    "Postmark": _named("Type", "SoftBounce"),
    "Resend": _resend,
    "SendGrid": _named("type", "blocked"),
    "SparkPost": _sparkpost,
}


def _identity(event: AnymailTrackingEvent, kind: str) -> str:
    """The same for the same report, however often it comes: the service's id for it, else a hash of what it says."""
    if event.event_id and len(str(event.event_id)) <= 200:
        return str(event.event_id)
    said = json.dumps([kind, event.message_id, event.event_id, event.esp_event], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()
