"""What is due: looked at once more before it leaves, for much can have happened since it was written."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import models
from django.db.models import Count, Min, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.alerts.grouping import PERIODS, WITHIN, Recent
from apps.alerts.models import Notice, When
from apps.alerts.subscribers import allowed
from apps.responses.models import Response
from apps.responses.selectors import visible, with_promise

TOO_OLD = timedelta(days=7)
"""So long after its time a notice is of no use any more: a channel was switched off, a service was down."""
REASONS: dict[str, Promise] = {
    "not_allowed": _("The user is not active any more, or lost the right to see this."),
    "no_address": _("The user has no e-mail address. Enter one in the configuration, then try again."),
    "suspected": _("The response is probably a machine's. Whoever judges it to be human makes it count."),
    "hidden": _("The survey is anonymous and has too few answers to show one."),
    "too_old": _("It could not be sent for a week. Nothing to do: look at the page itself."),
    "refused": _("The receiver does not take messages like this one. Send a test to see its answer."),
    "tried_too_often": _("The receiver took nothing for about a day. Mend the channel, then try again."),
    "error": _("It broke while it was written. Tell whoever runs the platform."),
}
"""Why a notice was not sent, as sentences that say what to do."""


def waiting(now: datetime) -> QuerySet[Notice]:
    """What is due and in nobody's hands."""
    free = models.Q(lease_until__isnull=True) | models.Q(lease_until__lte=now)
    return Notice.objects.filter(free, status=Notice.Status.PENDING, due_at__lte=now)


def responses_of(rows: Iterable[Notice]) -> dict[UUID, Response]:
    """The responses that notices are about, as far as they may be shown; each with ``is_promised``. Two queries."""
    ids = {row.response_id for row in rows if row.response_id is not None}
    if not ids:
        return {}
    found = with_promise(visible(Response.objects.filter(pk__in=ids)))
    return {row.pk: row for row in found.select_related("contact__company", "touchpoint", "survey")}


def sift(rows: Sequence[Notice], now: datetime) -> list[Notice]:
    """Those that may still be told; the others are dropped with the reason. Two queries, and one per right at most."""
    shown = _shown(rows)
    by_kind: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        if row.user_id is not None:
            by_kind[row.kind].add(row.user_id)
    may = {kind: allowed(kind, user_ids) for kind, user_ids in by_kind.items()}
    going = []
    for row in rows:
        row.last_error = _objection(row, shown, may.get(row.kind, ()), now)
        if row.last_error:
            row.status, row.values = Notice.Status.DROPPED, {}
        else:
            going.append(row)
    dropped = [row for row in rows if row.last_error]
    Notice.objects.bulk_update(dropped, ["status", "last_error", "values"], batch_size=500)
    return going


def _shown(rows: Iterable[Notice]) -> dict[UUID, bool]:
    """Of the responses that may be shown, whether a machine probably gave them. A summary may be about very many."""
    ids = {row.response_id for row in rows if row.response_id is not None}
    found = visible(Response.objects.filter(pk__in=ids)) if ids else Response.objects.none()
    return dict(found.values_list("pk", "is_suspected"))


def _objection(row: Notice, shown: Mapping[UUID, bool], may: Collection[int], now: datetime) -> str:
    if now - row.due_at > TOO_OLD:
        return "too_old"
    if row.user_id is not None and row.user_id not in may:
        return "not_allowed"
    if row.response_id is None:
        return ""
    if row.response_id not in shown:
        return "hidden"
    return "suspected" if shown[row.response_id] else ""


def recent_of(rows: Sequence[Notice], receiver: str, now: datetime) -> dict[int, Recent]:
    """What these notices' receivers (``user_id`` or ``channel_id``) got lately. Two queries."""
    ids = {getattr(row, receiver) for row in rows}
    sent = Notice.objects.filter(status=Notice.Status.SENT, **{f"{receiver}__in": ids}).order_by()
    instant = sent.filter(when=When.INSTANT, sent_at__gt=now - WITHIN).values_list(receiver)
    counts = {
        pk: (count, since) for pk, count, since in instant.annotate(Count("message", distinct=True), Min("sent_at"))
    }
    turns: dict[int, set[tuple[str, datetime]]] = defaultdict(set)
    due = {row.due_at for row in rows if row.when in PERIODS}
    if due:
        told = sent.filter(due_at__in=due).exclude(when=When.INSTANT).values_list(receiver, "when", "due_at").distinct()
        for pk, when, at in told:
            turns[pk].add((when, at))
    return {pk: Recent(*counts.get(pk, (0, None)), frozenset(turns[pk])) for pk in ids}


def put_aside(notice_id: UUID, error: str) -> None:
    """This one breaks the others: it is not sent, and says so."""
    Notice.objects.filter(pk=notice_id, status=Notice.Status.PENDING).update(
        status=Notice.Status.FAILED, last_error=error, lease_until=None
    )
