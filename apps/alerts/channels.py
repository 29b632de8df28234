"""What people do about team channels: switch them, try them, and have what failed sent again."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from apps.alerts import bodies, posting
from apps.alerts.grouping import Message
from apps.alerts.models import Channel, Notice
from apps.alerts.services import DELIVER_QUEUE, POST_QUEUE
from apps.alerts.words import Item, Told
from apps.common import agenda
from apps.common.ids import uuid7
from apps.integrations.outbound_http import Answer


@transaction.atomic
def switch(*, channel_id: int, on: bool, now: datetime) -> None:
    """Switch a channel on or off. What waits for it goes on when it is on again; what is a week late is dropped then.

    Raises Channel.DoesNotExist.
    """
    row = Channel.objects.select_for_update(no_key=True).get(pk=channel_id)
    row.is_active, row.disabled_reason = on, ""
    if on:
        row.failures, row.rests_until = 0, None
    row.save(update_fields=["is_active", "disabled_reason", "failures", "rests_until"])
    if on:
        agenda.wake(queue=POST_QUEUE, due_at=now, now=now)


def send_test(*, channel_id: int, base_url: str, now: datetime) -> Answer:
    """Post a test at once, switched on or not, and say what came back. Nothing is repeated.

    Takes as long as the receiver does (eight seconds at most) and must not run in a transaction.
    """
    row = Channel.objects.get(pk=channel_id)
    notice = Notice(id=uuid7(), channel=row, due_at=now, created_at=now)
    with translation.override(row.language):
        item = Item(
            "test", _("This is a test."), (), _("If you can read this, the channel works."), f"{base_url}/alerts/"
        )
        said = Told(_("A test from Resonanz"), ((_("Test"), (item,)),), 0, "", False)
        is_slack = row.kind == Channel.Kind.SLACK
        content = bodies.slack(said) if is_slack else bodies.signed(said, message_id=notice.id)
    post = posting.Post(
        channel_id=row.pk, lease_until=now, kind=row.kind, url=row.url, secret=row.secret, content=content,
        message=Message([notice], notice.when), now=now, allow_private=settings.WEBHOOK_ALLOW_PRIVATE,
    )  # fmt: skip
    answer = posting.send(post)
    Channel.objects.filter(pk=row.pk).update(last_at=now, last_result=posting.said_by(answer))
    return answer


@transaction.atomic
def send_again(*, notice_ids: Collection[UUID], now: datetime) -> int:
    """Have notices sent that failed; returns how many. Dropped ones stay dropped: there was a reason."""
    failed = Notice.objects.filter(pk__in=notice_ids, status=Notice.Status.FAILED)
    count = failed.filter(Q(channel=None) | Q(channel__is_active=True)).update(
        status=Notice.Status.PENDING, last_error="", due_at=now, lease_until=None, message=None
    )
    for queue in (DELIVER_QUEUE, POST_QUEUE) if count else ():
        agenda.wake(queue=queue, due_at=now, now=now)
    return count
