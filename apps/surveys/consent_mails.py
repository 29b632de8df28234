"""The mails that ask for consent: they carry the tenant's name, the text to agree to, and one link. No advertising."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import translation

from apps.common.batches import SINGLES, together_or_singly
from apps.common.texts import base_language
from apps.contacts.models import Contact, OptIn
from apps.messaging import opt_in
from apps.messaging import services as messaging
from apps.messaging.links import mailbox_url
from apps.messaging.opt_in import Question
from apps.messaging.templating import OPT_IN
from apps.surveys.mail_templates import Templates
from apps.surveys.mails import Letter, current_theme, language_of, place, render_letters, worded

STREAM = "opt-in"
_LANGUAGES = {code for code, _name in settings.LANGUAGES}


def ask_due(*, now: datetime, base_url: str) -> int:
    """Write the mails of due requests; one that breaks the others is put aside with its error."""
    return together_or_singly(
        together=lambda: ask(now=now, base_url=base_url),
        waiting=lambda: OptIn.objects.filter(due_at__lte=now).order_by("due_at").values_list("id", flat=True)[:SINGLES],
        single=lambda request_id: ask(now=now, base_url=base_url, only=request_id),
        put_aside=lambda request_id, _error: opt_in.put_aside(request_id=request_id, now=now),
    )


@transaction.atomic
def ask(*, now: datetime, base_url: str, limit: int = 200, only: UUID | None = None) -> int:
    """Put the mails of due requests into the outbox; returns how many requests were looked at.

    They need no legal basis, for they ask for it; the row that asks, its link and its mail are one transaction.
    """
    going, looked_at = opt_in.take(now=now, limit=limit, only=only)
    asked = [question for question in going if question.row.contact is not None]
    if asked:
        theme = current_theme()
        templates = Templates.of(OPT_IN, theme)
        letters = [_letter(question, theme.brand_name, base_url) for question in asked]
        facts: dict[str, str] = {}  # All that these mails are about is in the letters' values.
        own = [(letter, templates.compiled(letter.language), facts) for letter in letters]
        messaging.enqueue(mails=render_letters(worded(own, theme), base_url=base_url, theme=theme), now=now)
    return looked_at


def _letter(question: Question, brand: str, base_url: str) -> Letter:
    row = question.row
    assert row.contact is not None  # noqa: S101 - the caller looked
    own = base_language(row.language)
    language = own if own in _LANGUAGES else language_of(row.contact)
    contact, way_out = row.contact, dict[str, str]()
    if (contact.email or "") != row.email:
        # Mistyped, it is a stranger's mailbox: no name, no properties, and no way to the contact's own page.
        contact = Contact(id=contact.id, email=row.email, locale=contact.locale)
        way_out = {"unsubscribe_url": mailbox_url(row.id, base_url)}
    with translation.override(language):
        subject = translation.gettext("Please confirm: may %(brand)s write to you?") % {"brand": brand}
    return Letter(
        reason=opt_in.mail_reason(row),
        contact=contact,
        template="opt_in",
        subject=subject,
        language=language,
        context={name: place(name) for name in ("wording", "link", "email")},
        # Values, not words of the frame: what stands in braces in the wording is nobody's variable.
        values={"wording": row.wording, "link": f"{base_url}/mail/confirm/{question.token}", "email": row.email}
        | way_out,
        key=STREAM,
        stream=STREAM,
        needs_legal_basis=False,
    )
