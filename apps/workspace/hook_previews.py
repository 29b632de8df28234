"""What a hook, as it stands in the form, would make of the messages that it kept."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.touchpoints import paths
from apps.touchpoints.hook_mapping import MAX_ITEMS, Became, HookMapping, Problem, Reading, mapping_of
from apps.touchpoints.hooks import KEEP, UnreadableBodyError, decode
from apps.touchpoints.models import Hook, HookPayload, Touchpoint

SHOWN_ITEMS = 3
SHOWN_VALUES = 20
SHOWN_BODY = 200_000

FIELDS: Mapping[str, Promise] = {
    "body": _("Message"),
    "items": _("List of messages"),
    "touchpoint": _("Touchpoint"),
    "contact": _("Contact"),
    "occurred_at": _("Time"),
    "external_id": _("Id of the message"),
    "properties": _("Properties"),
    "signature": _("Signature"),
    "contact.external_id": _("Contact's external id"),
    "contact.email": _("E-mail"),
    "contact.phone": _("Telephone"),
    "contact.name": _("Name"),
    "contact.locale": _("Language"),
    "contact.country": _("Country"),
}
SENTENCES: Mapping[tuple[str, str], Promise] = {
    ("body", "unreadable"): _("The message is neither JSON nor a form."),
    ("body", "too_much"): _("The message is too large to be looked through along these paths: make them shorter."),
    ("items", "no_list"): _("There is no list at this path."),
    ("items", "too_many"): _("The list has %(value)s messages; 200 are taken at once."),
    ("items", "no_object"): _("The message is no object with named parts."),
    ("touchpoint", "missing"): _("The message does not say what happened, and no touchpoint is chosen for that."),
    ("touchpoint", "unassigned"): _("“%(value)s” is assigned to no touchpoint."),
    ("touchpoint", "inactive"): _("“%(value)s” is not an active touchpoint."),
    ("contact", "nobody"): _("Neither an e-mail address nor an id is there."),
    ("occurred_at", "unreadable"): _("“%(value)s” is no time."),
    ("occurred_at", "invalid"): _("The time is in the future, or before the year 2000."),
    ("signature", "forged"): _("The signature did not fit the secret, or was older than five minutes: refused."),
    ("contact.email", "invalid"): _("This is no e-mail address."),
    ("contact.external_id", "invalid"): _("The id has more than 200 characters."),
    ("contact.email", "dropped"): _("This is no e-mail address; taken without it."),
    ("contact.phone", "dropped"): _("This is no telephone number; taken without it."),
    ("contact.name", "dropped"): _("The name has more than 200 characters; taken without it."),
    ("contact.locale", "dropped"): _("This is no language such as de or en-GB; taken without it."),
    ("contact.country", "dropped"): _("This is no country of two letters such as DE; taken without it."),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A problem in words: the part it is about, a sentence, and whether the event came all the same."""

    field: str | Promise
    sentence: str
    is_harmless: bool


@dataclass(frozen=True, slots=True)
class Item:
    """One message: what would come of it."""

    became: Became
    touchpoint: str
    contact: Sequence[str]
    occurred_at: datetime | None
    external_id: str
    properties: Mapping[str, Any]
    problems: Sequence[Told]


@dataclass(frozen=True, slots=True)
class Preview:
    """One kept request: its messages as the form reads them, and itself to look at."""

    payload: HookPayload
    items: Sequence[Item]
    more: int
    problem: Told | None
    body: str
    then: Sequence[Told]


def previews(hook: Hook, *, assigned: Mapping[str, str], touchpoints: Mapping[str, Touchpoint]) -> list[Preview]:
    """The newest requests as this hook would read them. One query."""
    mapping = mapping_of(hook, assigned=assigned, touchpoints=touchpoints)
    rows = HookPayload.objects.filter(hook_id=hook.pk).order_by("-received_at", "-pk")[:KEEP]
    return [_preview(payload, mapping, touchpoints) for payload in rows]


def _preview(payload: HookPayload, mapping: HookMapping, touchpoints: Mapping[str, Touchpoint]) -> Preview:
    then = in_words(payload.problems)
    try:
        message = decode(payload.body.encode(), payload.content_type)
    except UnreadableBodyError:
        problem = None if payload.is_cut else _told(Problem("body", "unreadable"))
        return Preview(payload, (), 0, problem, payload.body, then)
    body = json.dumps(message, indent=2, ensure_ascii=False)
    if len(body) > SHOWN_BODY:  # Indenting makes much of deep lists.
        body = payload.body
    items = mapping.items(message, payload.headers)
    if isinstance(items, Problem):
        return Preview(payload, (), 0, _told(items), body, then)
    read = [
        _item(mapping.read(item, payload.headers, payload.received_at), touchpoints) for item in items[:SHOWN_ITEMS]
    ]
    return Preview(payload, read, len(items) - len(read), None, body, then)


def _item(reading: Reading, touchpoints: Mapping[str, Touchpoint]) -> Item:
    problems = [_told(problem) for problem in reading.problems]
    event = reading.event
    if event is None:
        return Item(reading.became, "", (), None, "", {}, problems)
    contact = event.contact
    who = [text for text in (contact.name, contact.email, contact.external_id, contact.phone) if text]
    return Item(
        became=reading.became,
        touchpoint=str(touchpoints[event.touchpoint]),
        contact=who,
        occurred_at=event.occurred_at,
        external_id=(event.external_id or "").partition("/")[2],
        properties=event.properties,
        problems=problems,
    )


def in_words(stored: Iterable[Any]) -> list[Told]:
    """Problems as they were stored, in the reader's language."""
    return [_told(Problem(*(str(part) for part in entry[:3]))) for entry in stored if len(entry) >= 2]


def _told(problem: Problem) -> Told:
    sentence = SENTENCES.get((problem.field, problem.code))
    text = str(sentence) % {"value": problem.value} if sentence else problem.value
    return Told(FIELDS.get(problem.field, problem.field), text, problem.code == "dropped")


def values_that_came(hook: Hook, kept: Iterable[Preview]) -> list[str]:
    """What the kept messages say happened: to be assigned."""
    try:
        path, items_path = paths.parse(hook.touchpoint_path), paths.parse(hook.items_path)
    except paths.PathError:
        return []
    found: dict[str, None] = {}
    budget = paths.Budget()
    for preview in kept:
        try:
            message = decode(preview.payload.body.encode(), preview.payload.content_type)
        except UnreadableBodyError:
            continue
        inner = paths.find(items_path, message, preview.payload.headers, budget) if items_path else message
        for item in inner[:MAX_ITEMS] if isinstance(inner, list) else [inner]:
            value = paths.find_text(path, item, preview.payload.headers, budget)
            if value and len(value) <= 200:
                found[value] = None
    return list(found)[:SHOWN_VALUES]
