"""Many messages in one call to a mail service's API, each with its own words.

Messages of one frame are one message with the service's own variables where their values go. The values are what
:class:`apps.common.patterns.Pattern` would have written there: escaped, with fallbacks, by us. A message in which
something could be taken for one of the service's variables, whoever wrote it, goes alone.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from apps.common.patterns import Pattern, Place
from apps.messaging.mime import address, headers_of
from apps.messaging.models import OutgoingEmail
from apps.messaging.outcomes import Fault, Outcome
from apps.messaging.parcels import Parcel
from apps.relays.services import Route

SUBJECT = "s"
_PLACE = "\x00"
"""Stands for a place where a frame is looked at without values; no text of ours has it."""
_is_simple = re.compile(r"[A-Za-z0-9.!#$&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+").fullmatch


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a service's variables look. Services that ask for a stored template cannot send ours this way."""

    place: Callable[[str], str]
    own_syntax: re.Pattern[str]
    """What the service might expand, or take for one of our variables together with what stands beside it."""
    shares_id: bool = False
    """It gives one id to all messages of a call: its reports are told apart by the recipient."""
    max_values: int = 1_000_000
    """So many bytes of values per message."""
    extra: tuple[tuple[str, str], ...] = ()
    """What Anymail has to be told besides."""


DIALECTS = {
    "mailgun": Dialect(
        place=lambda name: f"%recipient.{name}%",
        own_syntax=re.compile(r"%\s*(?:recipient|unsubscribe|tag_unsubscribe|mailing_list)|%\x00|\x00%", re.IGNORECASE),
        shares_id=True,
    ),
    # The legacy substitutions; the dynamic ones need a stored template. 10,000 bytes are what they may have.
    "sendgrid": Dialect(
        place=lambda name: f"-rsz_{name}-",
        own_syntax=re.compile(r"-rsz_|\[%|<%|%>|\[(?:unsubscribe|weblink)", re.IGNORECASE),
        max_values=9_000,
        extra=(("merge_field_format", "-rsz_{}-"),),
    ),
    # Three braces: not escaped once more.
    "sparkpost": Dialect(
        place=lambda name: f"{{{{{{{name}}}}}}}",
        own_syntax=re.compile(r"\{\{|\{\x00|\x00\}"),
        shares_id=True,
    ),
}


class Call(NamedTuple):
    """Consecutive messages that leave together: where the first stands, and how many they are."""

    at: int
    size: int


def calls(parcels: Sequence[Parcel], route: Route) -> Iterator[Call]:
    """Which messages leave together. Their order stays; no address comes twice in a call."""
    at, key, addresses, frames = 0, None, set[str](), dict[int | None, bool]()
    dialect = DIALECTS[route.esp]
    for position, parcel in enumerate(parcels):
        if parcel.row.frame_id not in frames:
            frames[parcel.row.frame_id] = not any(dialect.own_syntax.search(text) for text in _literals(parcel))
        own = _key(parcel, dialect) if frames[parcel.row.frame_id] else None
        to = parcel.row.to_email.lower()
        is_next = own is not None and own == key and to not in addresses and position - at < route.batch_size
        if position > at and not is_next:
            yield Call(at, position - at)
        if not is_next:
            at, key, addresses = position, own, set()
        addresses.add(to)
    if parcels:
        yield Call(at, len(parcels) - at)


def _key(parcel: Parcel, dialect: Dialect) -> tuple[object, ...] | None:
    """What messages of one call have in common; None for one that must go alone."""
    row = parcel.row
    if parcel.frame is None or not _is_simple(row.to_email):
        return None
    headers = headers_of(parcel)
    # As it will be read: what stands in the frame and a value beside it may make something only together.
    whole = (parcel.text, parcel.html, row.subject, *headers.values(), row.to_name, row.to_email)
    if any(dialect.own_syntax.search(text) for text in (*whole, row.from_header, row.reply_to)):
        return None
    values = [*_variables(parcel).values(), *headers.values()]
    if sum(len(text.encode("utf-8", "replace")) + 10 for text in values) > dialect.max_values:
        return None
    return row.frame_id, row.from_header, row.reply_to, *headers


def _patterns(parcel: Parcel) -> list[tuple[str, Pattern]]:
    """The frame's text and HTML, each with what its variables' names begin with."""
    if parcel.frame is None:
        return []
    html = [("h", parcel.frame.html)] if parcel.frame.html is not None else []
    return [("t", parcel.frame.text), *html]


def _literals(parcel: Parcel) -> list[str]:
    """What stands in the frame between its places."""
    return [pattern.in_words_of(lambda _place: _PLACE) for _prefix, pattern in _patterns(parcel)]


def _names(prefix: str, pattern: Pattern) -> dict[Place, str]:
    """The service's variables for the frame's places. Their names are ours: the frame's may be anything."""
    places = pattern.values_of({})
    return {place: f"{prefix}{number}" for number, place in enumerate(places)}


def _variables(parcel: Parcel) -> dict[str, str]:
    """What the message has for each of the service's variables."""
    found = {SUBJECT: parcel.row.subject}
    for prefix, pattern in _patterns(parcel):
        names = _names(prefix, pattern)
        found.update({names[place]: value for place, value in pattern.values_of(parcel.values).items()})
    return found


def build(parcels: Sequence[Parcel], esp: str, connection: object) -> EmailMultiAlternatives:
    """One message for all of them, for Anymail."""
    dialect, first = DIALECTS[esp], parcels[0]
    bodies = []
    for prefix, pattern in _patterns(first):
        names = _names(prefix, pattern)
        bodies.append(pattern.in_words_of(lambda place, names=names: dialect.place(names[place])))  # type: ignore[misc]
    message: Any = EmailMultiAlternatives(
        subject=dialect.place(SUBJECT),
        body=bodies[0],
        from_email=first.row.from_header,
        to=[address(parcel.row.to_name, parcel.row.to_email) for parcel in parcels],
        reply_to=[first.row.reply_to] if first.row.reply_to else None,
        connection=connection,
    )
    if len(bodies) > 1:
        message.attach_alternative(bodies[1], "text/html")
    message.merge_data = {parcel.row.to_email: _variables(parcel) for parcel in parcels}
    message.merge_headers = {parcel.row.to_email: headers_of(parcel) for parcel in parcels}
    if dialect.extra:
        message.esp_extra = dict(dialect.extra)
    built: EmailMultiAlternatives = message
    return built


def outcomes(parcels: Sequence[Parcel], message: EmailMultiAlternatives, esp: str) -> list[Outcome]:
    """What the service said about each of the messages."""
    status = getattr(message, "anymail_status", None)
    recipients = status.recipients if status is not None else {}
    return [_outcome(parcel, recipients.get(parcel.row.to_email), DIALECTS[esp]) for parcel in parcels]


def _outcome(parcel: Parcel, said: Any, dialect: Dialect) -> Outcome:
    if said is None:
        return Outcome(OutgoingEmail.Status.UNKNOWN, "the mail service did not mention it")
    esp_id = id_of(said.message_id)
    also: tuple[str, ...] = ()
    if esp_id and dialect.shares_id:
        # Reports name the call's id or the message's own.
        esp_id, also = handle(esp_id, parcel.row.to_email), (parcel.row.message_id,)
    if said.status in {"sent", "queued"}:
        return Outcome(OutgoingEmail.Status.SENT, esp_id=esp_id, also=also)
    if said.status in {"rejected", "invalid"}:
        return Outcome(OutgoingEmail.Status.BOUNCED, f"{said.status} by the mail service", Fault.RECIPIENT)
    if said.status == "failed":
        return Outcome(OutgoingEmail.Status.FAILED, "failed at the mail service")
    why = "the mail service took some of a call's messages and did not say which"
    return Outcome(OutgoingEmail.Status.UNKNOWN, why, esp_id=esp_id, also=also)


def id_of(said: object) -> str:
    """A service's id as text: Postal's are numbers. "" for anything that is no single id."""
    return str(said) if isinstance(said, str | int) and not isinstance(said, bool) else ""


def handle(esp_id: str, recipient: str) -> str:
    """By what a report about one message of a call is found whose messages share an id."""
    # The public schema knows no addresses: a hash under a key, the same for all tenants.
    key = hashlib.sha256(f"{settings.ADDRESS_KEY}|batch".encode()).digest()
    told = hmac.digest(key, f"{esp_id}|{recipient.strip().lower()}".encode("utf-8", "replace"), "sha256")
    return f"{esp_id[:160]}#{told.hex()[:32]}"
