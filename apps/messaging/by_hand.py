"""What people do about single messages: say what became of an unknown one, try a failed one again. Kept by name."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from apps.messaging import services
from apps.messaging.models import OutgoingEmail

PERMISSION = "messaging.change_outgoingemail"
MOST = 1000
"""So many messages at once."""
HAS_LEFT, SEND_NOW, RETRY = "left", "send", "retry"
NOTES = {
    HAS_LEFT: gettext_noop("Settled by hand: it arrived, or at least left."),
    SEND_NOW: gettext_noop("Settled by hand: it had not left, and was sent again."),
    RETRY: gettext_noop("Tried again by hand."),
}
"""What can be done, and what the history says of it."""


def open_to(*, email_ids: Collection[UUID], what: str) -> QuerySet[OutgoingEmail]:
    """Those of the messages that this can be done to, newest first; without their words."""
    found = OutgoingEmail.objects.filter(pk__in=list(email_ids)[:MOST]).defer("values", "headers")
    found = found.filter(status="failed" if what == RETRY else "unknown").order_by("-queued_at", "-pk")
    return found if what == HAS_LEFT else found.filter(frame__isnull=False)


@transaction.atomic
def act(*, email_ids: Collection[UUID], what: str, user: AbstractUser, now: datetime) -> int:
    """Do it, and keep who did where the admin keeps its history; returns how many messages it was done to."""
    rows = list(open_to(email_ids=email_ids, what=what).select_for_update(of=("self",)))
    ids = [row.pk for row in rows]
    if not rows:
        return 0
    if what == RETRY:
        services.requeue(email_ids=ids, now=now)
    else:
        services.settle_unknown(email_ids=ids, has_left=what == HAS_LEFT, by=user.get_username(), now=now)
    LogEntry.objects.log_actions(user.pk, rows, CHANGE, change_message=NOTES[what])
    return len(rows)
