"""The rows behind the pages about alerts."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.alerts.models import Channel, Notice, Subscription


def subscriptions(user_id: int, values: dict[str, Any]) -> QuerySet[Subscription]:
    """A user's subscriptions that fit a SubscriptionFilter."""
    found = Subscription.objects.filter(user=user_id).select_related("segment", "survey", "channel")
    found = found.defer("channel__url", "channel__secret").prefetch_related("touchpoints")
    if values["q"]:
        found = found.filter(Q(name__icontains=values["q"]) | Q(channel__name__icontains=values["q"]))
    if values["state"]:
        found = found.filter(is_active=values["state"] == "on")
    return found.filter(when=values["when"]) if values["when"] else found


def channels(values: dict[str, Any]) -> QuerySet[Channel]:
    """Channels that fit a ChannelFilter, without their addresses; each with its subscriptions and what waits for it."""
    told_of = Subscription.objects.filter(channel=OuterRef("pk"), is_active=True)
    waiting = Notice.objects.filter(channel=OuterRef("pk"), status=Notice.Status.PENDING)
    found = Channel.objects.defer("url", "secret").annotate(told_of=_count(told_of), waiting=_count(waiting))
    if values["q"]:
        found = found.filter(name__icontains=values["q"])
    if values["kind"]:
        found = found.filter(kind=values["kind"])
    if values["state"] == "failing":
        return found.filter(is_active=True, failures__gt=0)
    return found.filter(is_active=values["state"] == "on") if values["state"] else found


def _count(rows: QuerySet[Any]) -> Coalesce:
    """How many rows, as part of another query."""
    counted = rows.order_by().values("channel").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)


def notices(user_id: int, values: dict[str, Any], *, of_channels: bool, now: datetime) -> QuerySet[Notice]:
    """Notices to a user, and with ``of_channels`` to the teams' channels, that fit a NoticeFilter."""
    mine = Q(user=user_id)
    found = Notice.objects.filter(mine | Q(channel__isnull=False) if of_channels else mine)
    found = found.select_related("user", "channel").defer("values", "channel__url", "channel__secret")
    if values["q"]:
        found = found.filter(Q(user__username__icontains=values["q"]) | Q(channel__name__icontains=values["q"]))
    if values["days"]:
        found = found.filter(created_at__gte=now - timedelta(days=int(values["days"])))
    return found.filter(**{name: values[name] for name in ("status", "kind") if values[name]})
