"""Mails to users: what is due becomes rows in the outbox, in one transaction with the notices' own state."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Min
from django.template.loader import render_to_string
from django.utils import translation

from apps.alerts import due
from apps.alerts.grouping import Message, Recent, plan
from apps.alerts.models import Notice, When
from apps.alerts.rules import instant_at
from apps.alerts.subscribers import quiet_of, wishes_of
from apps.alerts.words import Told, named, told
from apps.common.batches import SINGLES, together_or_singly
from apps.contacts.ledger import home_calendar
from apps.messaging import services as messaging
from apps.messaging.frames import Words
from apps.messaging.models.outbox import TO_USERS
from apps.messaging.services import NewEmail
from apps.surveys.mail_parts import base_context, current_theme, place
from apps.surveys.mail_templates import wrapped
from apps.surveys.models import Theme

USERS_AT_ONCE = 50
SETTINGS = "/alerts/settings/"
_LANGUAGES = {code for code, _name in settings.LANGUAGES}


def mail_reason(message_id: UUID) -> str:
    """The reason that the outbox knows a message's mail by."""
    return f"alert:{message_id}"


def next_due() -> datetime | None:
    """When the next notice to a user is due; None if none waits."""
    rows = Notice.objects.filter(status=Notice.Status.PENDING, user__isnull=False)
    return rows.aggregate(at=Min("due_at"))["at"]


def deliver_due(*, now: datetime, base_url: str) -> int:
    """Write the mails of due notices; a notice that breaks the others fails with its error, and they go through."""
    waiting = due.waiting(now).filter(user__isnull=False).order_by("due_at")
    return together_or_singly(
        together=lambda: deliver(now=now, base_url=base_url),
        waiting=lambda: waiting.values_list("id", flat=True)[:SINGLES],
        single=lambda notice_id: deliver(now=now, base_url=base_url, only=notice_id),
        put_aside=lambda notice_id, _error: due.put_aside(notice_id, "error"),
    )


@transaction.atomic
def deliver(*, now: datetime, base_url: str, only: UUID | None = None) -> int:
    """Put the mails of due notices into the outbox; returns how many notices were looked at.

    One worker at a time has a user, so that a summary never falls into two. A bounded number of queries.
    """
    waiting = due.waiting(now).filter(user__isnull=False, **({"pk": only} if only else {}))
    ids = list(waiting.order_by("due_at").values_list("user", flat=True)[: USERS_AT_ONCE * 4])
    people = get_user_model()._default_manager.filter(pk__in=list(dict.fromkeys(ids))[:USERS_AT_ONCE])
    users: dict[int, Any] = {
        user.pk: user for user in people.order_by("pk").select_for_update(skip_locked=True, no_key=True)
    }
    if not users:
        return 0
    rows = list(waiting.filter(user__in=users).order_by("user", "due_at", "id"))
    later: list[Notice] = []
    going = _awake(_with_address(due.sift(rows, now), users), later, now)
    recent = due.recent_of(going, "user_id", now)
    messages: list[tuple[Any, Message]] = []
    for user_id, own in groupby(going, key=lambda row: row.user_id):
        found = plan(list(own), recent.get(user_id or 0, Recent()), now)
        messages += [(users[user_id or 0], message) for message in found.messages]
        later += found.later
    Notice.objects.bulk_update(later, ["due_at"], batch_size=500)
    _send(messages, base_url, now)
    return len(rows)


def _awake(rows: Sequence[Notice], later: list[Notice], now: datetime) -> list[Notice]:
    """Those whose users have no quiet hours now; what was delayed into them comes when they end. Two queries."""
    calendar, found = home_calendar(), list[Notice]()
    quiet = {pk: quiet_of(row) for pk, row in wishes_of({row.user_id for row in rows if row.user_id}).items()}
    for row in rows:
        hours = quiet.get(row.user_id or 0)
        at = instant_at(now, hours, calendar) if hours is not None and row.when == When.INSTANT else now
        if at > now:
            row.due_at = at
        (later if at > now else found).append(row)
    return found


def _with_address(rows: Sequence[Notice], users: Mapping[int, Any]) -> list[Notice]:
    """Those to users with an address; the others fail, so that somebody enters one."""
    bare = [row for row in rows if not users[row.user_id or 0].email]
    for row in bare:
        row.status, row.last_error = Notice.Status.FAILED, "no_address"
    Notice.objects.bulk_update(bare, ["status", "last_error"], batch_size=500)
    return [row for row in rows if row.status == Notice.Status.PENDING]


def _send(messages: Sequence[tuple[Any, Message]], base_url: str, now: datetime) -> None:
    """Into the outbox with them, and note it."""
    if not messages:
        return
    about = due.responses_of(row for _user, message in messages for row in named(message))
    theme = current_theme()
    frames: dict[str, Words] = {}
    mails = []
    for user, message in messages:
        language = user.language if user.language in _LANGUAGES else settings.LANGUAGE_CODE
        with translation.override(language):
            if language not in frames:
                frames[language] = frame(theme, language, base_url)
            said = told(message, about, language=language, base_url=base_url)
            mails.append(_mail(user, message, said, frames[language], theme, language))
    messaging.enqueue(mails=mails, now=now)
    note_sent([message for _user, message in messages], now)


def note_sent(messages: Iterable[Message], now: datetime) -> None:
    """They have left our hands; their words are not kept here."""
    rows = []
    for message in messages:
        for row in message.notices:
            row.status, row.sent_at, row.last_error, row.values = Notice.Status.SENT, now, "", {}
            row.in_digest, row.message, row.lease_until = message.is_together, message.id, None
            rows.append(row)
    fields = ["status", "sent_at", "last_error", "values", "in_digest", "message", "lease_until"]
    Notice.objects.bulk_update(rows, fields, batch_size=500)


def frame(theme: Theme, language: str, base_url: str) -> Words:
    """What all these mails share; the language must be active."""
    context = {
        **base_context(theme, language),
        "settings_url": base_url + SETTINGS,
        "body_html": place("body_html"),
        "text": place("text"),
    }
    html = render_to_string("mail/alerts.html", context)
    return Words(render_to_string("mail/alerts.txt", context), wrapped(html))


def _mail(user: Any, message: Message, said: Told, words: Words, theme: Theme, language: str) -> NewEmail:
    context = {**base_context(theme, language), "told": said}
    return NewEmail(
        reason=mail_reason(message.id),
        contact_id=None,
        to_email=user.email,
        to_name=user.get_full_name(),
        subject=said.subject,
        text=words.text,
        html=words.html,
        values={
            "text": render_to_string("mail/alerts_body.txt", context).strip(),
            "body_html": wrapped(render_to_string("mail/alerts_body.html", context)),
        },
        stream=TO_USERS,
        needs_legal_basis=False,
        language=language,
    )
