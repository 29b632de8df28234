"""Posts to channels: one message at a time to each, many channels at once, and a dead one holds up nobody.

A channel is claimed under a lease in one short transaction, posted to outside any, and what came back is noted in
another. If the worker dies in between, the same notices are posted again under the same id: better twice than never.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Min, Q
from django.db.models.functions import Greatest
from django.utils import translation

from apps.alerts import bodies, due
from apps.alerts.grouping import Message, Recent, plan
from apps.alerts.mails import note_sent
from apps.alerts.models import Channel, Notice
from apps.alerts.words import named, told
from apps.common import sealed
from apps.integrations import outbound_http, signing
from apps.integrations.outbound_http import Answer

logger = logging.getLogger(__name__)

WIDTH = 20
"""So many channels at once."""
NOTICES = 500
"""So many notices of a channel are looked at for one message."""
SECONDS = 8.0
LEASE = timedelta(seconds=60)
BACKOFF = (10, 60, 300, 1800, 7200, 18_000, 36_000, 36_000)
"""Seconds a channel rests after each failure in a row; after the last one it is switched off."""
MAX_RETRY_AFTER = 3600
GONE = (404, 410)
REFUSED = (400, 413, 415, 422)


@dataclass(frozen=True, slots=True)
class Post:
    """All that a thread needs, so that threads stay away from the database."""

    channel_id: int
    lease_until: datetime
    kind: str
    url: str
    secret: str
    content: dict[str, Any]
    message: Message
    now: datetime
    allow_private: bool


def next_due() -> datetime | None:
    """When the next channel is to be posted to; None if nothing waits for one that is switched on."""
    rows = Notice.objects.filter(status=Notice.Status.PENDING, channel__is_active=True)
    at = Greatest("due_at", "lease_until", "channel__lease_until", "channel__rests_until")
    return rows.aggregate(at=Min(at))["at"]


def post_due(*, now: datetime, base_url: str) -> int:
    """Post one message to each channel that has one due, at most WIDTH; returns how many notices were looked at."""
    posts, looked_at = _claim(now, base_url)
    if posts:
        with ThreadPoolExecutor(max_workers=len(posts)) as pool:
            flying = {pool.submit(send, post): post for post in posts}
            for done in as_completed(flying):
                settle(flying[done], done.result())
    return looked_at


@transaction.atomic
def _claim(now: datetime, base_url: str) -> tuple[list[Post], int]:
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    rested = Q(rests_until__isnull=True) | Q(rests_until__lte=now)
    has_due = Q(pk__in=due.waiting(now).filter(channel__isnull=False).values("channel"))
    found = Channel.objects.filter(free, rested, has_due, is_active=True).order_by("rests_until", "last_at", "pk")
    channels = {row.pk: row for row in found.select_for_update(skip_locked=True, no_key=True)[:WIDTH]}
    if not channels:
        return [], 0
    rows = list(due.waiting(now).filter(channel__in=channels).order_by("due_at", "id")[: NOTICES * WIDTH])
    going = due.sift(rows, now)
    recent = due.recent_of(going, "channel_id", now)
    by_channel: dict[int, list[Notice]] = defaultdict(list)
    for row in going:
        by_channel[row.channel_id or 0].append(row)
    chosen: dict[int, Message] = {}
    later: list[Notice] = []
    for channel_id, own in by_channel.items():
        message = _next(own, recent.get(channel_id, Recent()), now, later)
        if message is not None:
            chosen[channel_id] = message
    Notice.objects.bulk_update(later, ["due_at"], batch_size=500)
    _lease(chosen, now)
    about = due.responses_of(row for message in chosen.values() for row in named(message))
    return [
        post
        for channel_id, message in chosen.items()
        if (post := _post(channels[channel_id], message, about, base_url, now)) is not None
    ], len(rows)


def _next(own: Sequence[Notice], recent: Recent, now: datetime, later: list[Notice]) -> Message | None:
    """What the channel gets now: first of all what was tried before, as it was."""
    tried = next((row.message for row in own if row.message is not None), None)
    if tried is not None:
        again = [row for row in own if row.message == tried]
        return Message(again, again[0].when)
    found = plan(own, recent, now)
    later += found.later
    return found.messages[0] if found.messages else None


def _lease(chosen: dict[int, Message], now: datetime) -> None:
    rows = []
    for message in chosen.values():
        for row in message.notices:
            row.message, row.lease_until = message.id, now + LEASE
            row.attempts += 1
            rows.append(row)
    Notice.objects.bulk_update(rows, ["message", "lease_until", "attempts"], batch_size=500)
    Channel.objects.filter(pk__in=chosen).update(lease_until=now + LEASE)


def _post(channel: Channel, message: Message, about: Any, base_url: str, now: datetime) -> Post | None:
    """The message in the channel's language and form; None if it breaks, which its notices then say."""
    try:
        with translation.override(channel.language):
            said = told(message, about, language=channel.language, base_url=base_url)
            is_slack = channel.kind == Channel.Kind.SLACK
            content = bodies.slack(said) if is_slack else bodies.signed(said, message_id=message.id)
    except Exception:
        logger.exception("A message to channel %s breaks", channel.pk)
        for row in message.notices:
            due.put_aside(row.pk, "error")
        Channel.objects.filter(pk=channel.pk).update(lease_until=None)
        return None
    return Post(
        channel.pk, now + LEASE, channel.kind, channel.url, channel.secret, content, message, now,
        settings.WEBHOOK_ALLOW_PRIVATE,
    )  # fmt: skip


def send(post: Post) -> Answer:
    """Post once and say what happened. Runs in a thread: no database here."""
    headers = {"Content-Type": "application/json"}
    try:
        content = post.content
        if post.kind == Channel.Kind.WEBHOOK:
            content = {"type": "alert", "timestamp": post.now, "data": post.content}
        body = msgspec.json.encode(content)
        if post.kind == Channel.Kind.WEBHOOK:
            keys = [sealed.readable(post.secret)]
            headers |= signing.headers(keys=keys, message_id=str(post.message.id), body=body, now=post.now)
        return outbound_http.post(
            url=sealed.readable(post.url), body=body, headers=headers, allow_private=post.allow_private,
            seconds=SECONDS, now=post.now,
        )  # fmt: skip
    except sealed.UnreadableError as error:
        return Answer(None, 0, str(error))
    except Exception:
        logger.exception("Channel %s could not be posted to", post.channel_id)
        return Answer(None, 0, "Internal error.")


@transaction.atomic
def settle(post: Post, answer: Answer) -> None:
    """Note what came back. What was deleted or taken over meanwhile is left as it is."""
    channel = Channel.objects.select_for_update(no_key=True).filter(pk=post.channel_id).first()
    if channel is None:
        return
    ids = [row.pk for row in post.message.notices]
    mine = list(Notice.objects.filter(pk__in=ids, status=Notice.Status.PENDING, message=post.message.id))
    if channel.lease_until != post.lease_until and not answer.is_taken:
        return
    channel.lease_until, channel.last_at = None, post.now
    channel.last_result = said_by(answer)
    if answer.is_taken:
        channel.failures, channel.rests_until = 0, None
        note_sent([Message(mine, post.message.when)] if mine else [], post.now)
    elif answer.status in REFUSED:
        _fail(mine, "refused")
    else:
        _trouble(channel, answer, mine, post.now)
    channel.save(
        update_fields=[
            "lease_until", "last_at", "last_result", "failures", "rests_until", "is_active", "disabled_reason",
        ]
    )  # fmt: skip


def _trouble(channel: Channel, answer: Answer, rows: Sequence[Notice], now: datetime) -> None:
    """Let the channel rest, or switch it off: its notices wait until somebody has mended it."""
    channel.failures = min(channel.failures + 1, 1000)
    for row in rows:
        row.lease_until = None
    Notice.objects.bulk_update(rows, ["lease_until"], batch_size=500)
    if answer.status in GONE:
        channel.is_active, channel.disabled_reason = False, Channel.DisabledReason.GONE
    elif channel.failures > len(BACKOFF):
        channel.is_active, channel.disabled_reason = False, Channel.DisabledReason.FAILING
    else:
        rest = max(BACKOFF[channel.failures - 1], min(answer.retry_after or 0, MAX_RETRY_AFTER))
        channel.rests_until = now + timedelta(seconds=rest)


def _fail(rows: Sequence[Notice], why: str) -> None:
    for row in rows:
        row.status, row.last_error, row.lease_until = Notice.Status.FAILED, why, None
    Notice.objects.bulk_update(rows, ["status", "last_error", "lease_until"], batch_size=500)


def said_by(answer: Answer) -> str:
    """What came back, in a line; short enough to be stored."""
    words = " ".join(part for part in (str(answer.status or ""), answer.error or answer.excerpt.strip()) if part)
    return " ".join(words.split())[:300]
