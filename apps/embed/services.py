"""May this page ask this visitor now? What is shown is written down; about visitors without consent nothing is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import quote, urlsplit

import msgspec
from django.conf import settings
from django.db import transaction

from apps.common import tokens
from apps.common.texts import base_language
from apps.contacts.identity import ContactData
from apps.embed.asking import Ask, Contact, scalars
from apps.embed.models import EmbedSecret, Placement
from apps.embed.rules import is_signed, origin_allowed, url_matches
from apps.embed.script import Script, script_for
from apps.responses import tickets
from apps.responses.models import Response
from apps.surveys.models import Invitation, Website
from apps.triggers import prompts

LINK_LIFETIME = timedelta(days=1)
_LANGUAGES = {code for code, _name in settings.LANGUAGES}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page is told; ``why`` is for the tenant's staff only."""

    show: bool
    why: str
    url: str = ""
    token: str = ""
    """With it the page tells that the question was closed; empty if nobody is known."""


def current_script() -> Script:
    """The script with the tenant's placements that are switched on. One query."""
    rows = Placement.objects.filter(is_active=True, touchpoint__is_active=True)
    return script_for(rows.select_related("touchpoint").order_by("pk"))


def may_embed(*, origin: str) -> bool:
    """Whether the pages of an origin may ask and show surveys."""
    return origin_allowed(origin, list(Website.objects.values_list("origin", flat=True)))


def ask(*, question: Ask, now: datetime) -> Answer:
    """Decide whether the placement shows itself; if it does, the survey's address."""
    placement = Placement.objects.select_related("touchpoint").filter(pk=question.placement, is_active=True).first()
    if placement is None:
        return Answer(False, "placement_inactive")
    if question.touchpoint not in (None, placement.touchpoint.key):
        return Answer(False, "other_touchpoint")
    if not url_matches(placement.url_patterns, question.url):
        return Answer(False, "url")
    return decide(
        placement=placement,
        url=question.url,
        properties=question.properties,
        contact=trusted(question.contact),
        visitor_id=question.visitor or "" if question.consent is True else "",
        language=question.language,
        now=now,
    )


@transaction.atomic
def decide(
    *,
    placement: Placement,
    url: str,
    now: datetime,
    contact: ContactData,
    properties: dict[str, Any] | None = None,
    visitor_id: str = "",
    language: str = "",
) -> Answer:
    """Let the trigger rules decide. ``contact`` is believed, ``visitor_id`` was agreed to."""
    visitor = prompts.Visitor(contact=contact, visitor_id=visitor_id, consent=bool(visitor_id))
    about_page = {"path": urlsplit(url).path, **(properties or {})}
    prompt = prompts.may_show(touchpoint=placement.touchpoint, visitor=visitor, properties=about_page, now=now)
    if not prompt.show or prompt.survey_id is None:
        return Answer(False, prompt.why)
    kept, spoken = scalars(about_page), language_of(language)
    if prompt.contact_id is None:
        return Answer(True, "ok", _ticket_url(prompt.survey_id, placement, kept, spoken, now))
    token = _invite(prompt, prompt.survey_id, placement, kept, now)
    return Answer(True, "ok", f"/s/{token}?embed=1&lang={spoken}", token)


def trusted(contact: Contact | None) -> ContactData:
    """What of the contact that a page names may be believed: nothing without a signature of the tenant's server.

    The signature of the external id alone proves nothing about an e-mail address: whoever signs in at the shop could
    name another person's. Such an address is left out.
    """
    if contact is None or not contact.external_id or not contact.signature:
        return ContactData()
    secrets = list(EmbedSecret.objects.values_list("secret", flat=True))
    data = msgspec.to_builtins(contact)
    given = data.pop("signature")
    if not (contact.email and is_signed(given, secrets, contact.external_id, contact.email)):
        data.pop("email", None)
        if not is_signed(given, secrets, contact.external_id):
            return ContactData()
    return cast("ContactData", data)


def language_of(asked: str) -> str:
    """The page's language if surveys speak it, else the usual one."""
    base = base_language(asked) if asked else ""
    return base if base in _LANGUAGES else settings.LANGUAGE_CODE


def _ticket_url(survey_id: int, placement: Placement, kept: dict[str, Any], language: str, now: datetime) -> str:
    """The page for somebody whom nobody knows: what it is about is in the address, and stored nowhere."""
    texts = {key: _as_text(value) for key, value in kept.items()}
    ticket = tickets.Ticket(survey_id, placement.touchpoint_id, texts, Response.Channel.EMBED.value, now)
    return f"/s/open?k={quote(tickets.write_ticket(ticket), safe='')}&embed=1&lang={language}"


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _invite(prompt: prompts.Prompt, survey_id: int, placement: Placement, kept: dict[str, Any], now: datetime) -> str:
    """Write down that the contact was asked; returns the link's token, of which only the hash is stored."""
    token = tokens.new_token()
    Invitation.objects.create(
        survey_id=survey_id,
        contact_id=prompt.contact_id,
        touchpoint_id=placement.touchpoint_id,
        reason=prompt.reason,
        status=Invitation.Status.SHOWN,
        send_at=now,
        give_up_at=now + LINK_LIFETIME,
        link_expires_at=now + LINK_LIFETIME,
        token_hash=tokens.hash_token(token),
        properties=kept,
        created_at=now,
    )
    return token


def close(*, token: str, now: datetime) -> None:
    """The question was closed. Unless it was answered, the contact budget's rest after a refusal begins."""
    row = Invitation.objects.filter(token_hash=tokens.hash_token(token), status=Invitation.Status.SHOWN).first()
    if row is not None and not hasattr(row, "response"):
        prompts.decline(reason=row.reason, now=now)
