"""The connection for integrations built for Delighted: set up once; then people sent in are decided about at once."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, transaction

from apps.contacts import services as contacts
from apps.contacts.models import Contact, LegalBasis
from apps.messaging import suppressions
from apps.surveys.models import Survey
from apps.touchpoints.intake import ContactIn, EventIn, InvalidEventError
from apps.touchpoints.models import Stage, Touchpoint
from apps.touchpoints.services import record_event
from apps.triggers import cadences
from apps.triggers.models import AutopilotMember, Cadence, Decision, DelightedConnection, TriggerRule
from apps.triggers.rules import ASK_AFTER
from apps.triggers.services import evaluate_events

KEY = "delighted"
SOURCE = "delighted"
# What cannot go within this time does not go at all: whoever was asked lately is passed over, not asked later.
EXPIRES_AFTER = timedelta(days=3)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user decides. ``email_days`` and ``sms_days``: Autopilot's periods; None: nobody is asked by itself."""

    survey: Survey
    legal_basis: str = ""
    legal_source: str = ""
    email_days: int | None = None
    sms_days: int | None = None
    is_active: bool = True


def current() -> DelightedConnection | None:
    """The tenant's connection, if one was set up. One query."""
    rows = DelightedConnection.objects.select_related("survey", "touchpoint", "rule", "email_cadence", "sms_cadence")
    return rows.first()


@transaction.atomic
def connect(*, choices: Choices, now: datetime) -> DelightedConnection:
    """Set the connection up, or change it: its touchpoint, its rule and Autopilot's cadences come along.

    Raises ValidationError. What else was changed at rule and cadences (windows, share, limits) stays.
    """
    row = DelightedConnection.objects.select_for_update().first() or DelightedConnection(pk=1, created_at=now)
    row.survey, row.is_active, row.updated_at = choices.survey, choices.is_active, now
    row.legal_basis, row.legal_source = choices.legal_basis, choices.legal_source
    row.full_clean(exclude=["touchpoint", "rule"], validate_unique=False, validate_constraints=False)
    row.touchpoint = row.touchpoint if row.touchpoint_id else _touchpoint()
    row.rule = _rule(row)
    for platform in AutopilotMember.Platform.values:
        field = f"{platform}_cadence"
        setattr(row, field, _cadence(row, getattr(row, field), platform, getattr(choices, f"{platform}_days"), now))
    row.save()
    return row


def _touchpoint() -> Touchpoint:
    stage = Stage.objects.first() or Stage.objects.create(key=KEY, name={"en": "Delighted"})
    made = {"name": {"en": "Delighted"}, "stage": stage}
    return Touchpoint.objects.get_or_create(key=KEY, defaults=made)[0]


def _rule(row: DelightedConnection) -> TriggerRule:
    rule = row.rule if row.rule_id else TriggerRule(name="Delighted", delay=timedelta(0), expires_after=EXPIRES_AFTER)
    rule.survey, rule.is_active = row.survey, row.is_active
    is_new = rule.pk is None
    rule.save()
    if is_new:
        rule.touchpoints.set([row.touchpoint])
    return rule


def _cadence(
    row: DelightedConnection, cadence: Cadence | None, platform: str, days: int | None, now: datetime
) -> Cadence | None:
    """One of Autopilot's two lists; without a period it is switched off and forgets nobody."""
    if cadence is None and days is None:
        return None
    cadence = cadence or Cadence(name=f"Autopilot ({platform})", starts_on=now.date(), members_of=platform)
    cadence.survey, cadence.touchpoint = row.survey, row.touchpoint
    cadence.is_active = row.is_active and days is not None
    cadence.period_days = days or cadence.period_days
    cadence.full_clean()
    cadences.keep(cadence=cadence, now=now)
    return cadence


def prove(*, contact: Contact, connection: DelightedConnection, now: datetime) -> None:
    """Note why the contact may be written to, as the user said of everybody who is sent in.

    Not where the contact has objected before: no integration's word wins anybody back.
    """
    if not connection.legal_basis or _has_objected(contact):
        return
    basis = LegalBasis(
        contact=contact,
        kind=connection.legal_basis,
        source=SOURCE,
        wording=connection.legal_source,
        granted_at=now,
    )
    contacts.record_legal_bases(bases=[basis])


def _has_objected(contact: Contact) -> bool:
    """Whether a legal basis ended, or the person left before there was one that could end. Two queries at most."""
    ended = LegalBasis.objects.filter(contact=contact, revoked_at__isnull=False)
    return ended.exists() or bool(own_word(contact))


def own_word(contact: Contact) -> str:
    """How the person said that they want no messages: the reason that blocks their address, "" if none does.

    A number beside an address says nothing: several people may share it. One query.
    """
    reasons = suppressions.reasons_of(emails=[contact.email or contact.phone])
    return next((reason for reason in reasons.values() if reason in suppressions.BINDING), "")


def ask(
    *,
    contact: Contact,
    connection: DelightedConnection,
    properties: dict[str, Any],
    delay: timedelta,
    now: datetime,
) -> datetime | None:
    """Let the rules decide about a contact that was sent in; returns when it will be asked, None if it will not.

    An ordinary event at the connection's touchpoint, decided at once: budget, legal basis and suppressions hold. One
    that cannot be decided now is left to the workers, and the answer is None as well.
    """
    prove(contact=contact, connection=connection, now=now)
    extra = {ASK_AFTER: int(delay.total_seconds())} if delay else {}
    event = EventIn(
        touchpoint=connection.touchpoint.key,
        contact=ContactIn(external_id=contact.external_id, email=contact.email),
        source=SOURCE,
        properties={**properties, **extra},
    )
    try:
        # Stored and decided in one transaction, so that no worker takes the event in between.
        with transaction.atomic():
            event_id = record_event(event=event, now=now).id
            _decide(event_id, now)
    except InvalidEventError:  # The touchpoint was switched off.
        return None
    found = Decision.objects.filter(event_id=event_id, rule_id=connection.rule_id, invitation__status="scheduled")
    return found.values_list("until", flat=True).first()


def _decide(event_id: Any, now: datetime) -> None:
    try:
        with transaction.atomic():
            evaluate_events(now=now, only=event_id)
    except OperationalError:
        raise
    except Exception:
        logger.exception("Event %s could not be decided at once; the workers will try", event_id)
