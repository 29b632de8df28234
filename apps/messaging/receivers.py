"""Hears what mail services report (Anymail's signal) and notes it with the tenant whose message it is."""

import logging
from datetime import datetime
from typing import Any
from uuid import UUID

from anymail.signals import AnymailTrackingEvent, tracking
from django.dispatch import receiver
from django_tenants.utils import tenant_context

from apps.messaging import esp_batches, events
from apps.messaging.sms import replies, signals
from apps.relays import reports, services
from apps.tenants import registry

logger = logging.getLogger(__name__)


@receiver(tracking, dispatch_uid="delivery-events")
def hear(event: AnymailTrackingEvent, esp_name: str, **_: Any) -> None:
    """Whose message it is follows from the id that we noted when this mail service took it, and from nothing else."""
    posted = reports.current.get()
    report = reports.report_of(event, esp_name)
    if posted is None or report is None:
        return
    owner = services.owner_of(relay=posted.relay, esp_id=report.esp_id) or services.owner_of(
        # One of many that left in one call, under one id.
        relay=posted.relay,
        esp_id=esp_batches.handle(report.esp_id, str(event.recipient or "")),
    )
    if owner is None:
        # Another system's message through the same account; or ours, a moment ago.
        posted.is_early |= report.at is not None and posted.now - report.at < reports.EARLY
        return
    at = report.at or posted.now
    _record(owner, kind=report.kind, at=at, detail=report.detail, event_id=report.event_id, now=posted.now)


@receiver(signals.reported, dispatch_uid="sms-events")
def hear_of_text(sid: str, now: datetime, **event: Any) -> None:
    """The same for a text message."""
    owner = services.owner_of(relay=services.SMS, esp_id=sid)
    if owner is not None:
        _record(owner, kind=event["kind"], at=now, detail=event["detail"], event_id=event["event_id"], now=now)


@receiver(signals.stopped, dispatch_uid="sms-stop")
def hear_stop(number: str, now: datetime, **_: Any) -> None:
    """Whom the number's owner answers is who wrote to it last, whatever else the answer says."""
    owner = replies.owner_of(number=number)
    tenant = registry.by_schema(owner[0]) if owner else None
    if owner is None or tenant is None:
        logger.warning("Somebody whom we did not write to lately wants no more text messages")
        return
    with tenant_context(tenant):
        replies.stop(number=number, message_id=owner[1], now=now)


def _record(owner: tuple[str, UUID], **report: Any) -> None:
    tenant = registry.by_schema(owner[0])
    if tenant is None:  # Switched off or gone.
        return
    with tenant_context(tenant):
        events.record_delivery_event(email_id=owner[1], **report)
