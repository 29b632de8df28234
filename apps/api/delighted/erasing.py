"""Erasing a person at its integration's request: with all that is kept about it, children before parents."""

from datetime import datetime
from urllib.parse import quote_plus
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Lower, Trim

from apps.alerts.keeping import forget_responses
from apps.campaigns.models import StepRun
from apps.cases.models import Case
from apps.contacts import services as contacts
from apps.contacts.models import Contact, OptIn
from apps.incentives import redemption
from apps.integrations.log import forget_contacts
from apps.integrations.webhooks import publish_erased
from apps.messaging import suppressions
from apps.messaging.models import OutgoingEmail, Suppression
from apps.messaging.opt_in import addresses_of
from apps.responses import keeping
from apps.responses.models import Response
from apps.surveys import services as surveys
from apps.surveys.models import Invitation
from apps.touchpoints.models import Event, HookPayload, TrackedName, TrackingProblem
from apps.triggers.models import Decision

TRIES = 3


def erase(*, contact_id: UUID, now: datetime) -> bool:
    """Delete a contact with its responses, cases, invitations, messages, events, decisions and legal bases.

    False if there is no such contact. Suppressions stay as keyed hashes without the address; figures lose the scores.
    Vouchers stay to be counted, without the contact, its response and its orders.
    What other systems said and were told of it goes as well: samples of messages to hooks, deliveries of webhooks.
    What they took is not ours to take back; ``contact.erased`` tells them. Files of imports and answers kept for
    repeated requests go by themselves, after days.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            return _erase(contact_id, now)
        except IntegrityError:
            # Somebody answered, or was asked, between two of the statements: now that is there to be deleted as well.
            if not tries_left:
                raise
    return False


@transaction.atomic
def _erase(contact_id: UUID, now: datetime) -> bool:
    told = Contact.objects.filter(pk=contact_id).first()
    if told is None:
        return False
    # Before the contact, as who decides events locks them: these would make the person anew.
    list(_undecided(told).select_for_update().values_list("pk"))
    # So do the workers with the steps that they have in hand.
    steps = StepRun.objects.filter(enrolment__response__contact=told, status=StepRun.Status.PENDING)
    list(steps.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    contacts.lock(contact_ids=[contact_id])
    contact = Contact.objects.filter(pk=contact_id).first()
    if contact is None:
        return False
    own = Invitation.objects.filter(contact=contact)
    ids = list(own.values_list("id", flat=True))
    redemption.forget(contact_id=contact_id)
    surveys.revoke_unsent(reasons=[surveys.outreach_reason(pk) for pk in ids], reason="contact_gone")
    _delete_answers(contact, now)
    _delete_messages(contact)
    Decision.objects.filter(Q(contact=contact) | Q(event__contact=contact)).delete()
    own.delete()
    Event.objects.filter(contact=contact).delete()
    _undecided(contact).delete()
    _forget_addresses(contact)
    contact.delete()
    forget_contacts(contact_ids=[contact_id])
    publish_erased(contact_ids=[contact_id], now=now)
    return True


def _undecided(contact: Contact) -> QuerySet[Event]:
    """Events that belong to nobody so far, and name this person."""
    named = Q(pk__in=[])
    if contact.external_id:
        named |= Q(contact_data__external_id=contact.external_id)
    if contact.email:
        named |= Q(address=contact.email)
    return Event.objects.annotate(address=Trim(Lower(KT("contact_data__email")))).filter(named, contact=None)


def _delete_answers(contact: Contact, now: datetime) -> None:
    """Responses with cases and follow-ups; what counted is taken out of the figures."""
    rows = list(Response.objects.filter(contact=contact).order_by("id").select_for_update())
    for row in rows:
        if not row.is_suspected:
            keeping.count(row, weight=-1, now=now)
    Case.objects.filter(Q(contact=contact) | Q(response__in=rows)).delete()
    runs = StepRun.objects.filter(enrolment__response__in=rows)
    OutgoingEmail.objects.filter(step_run__in=runs).delete()
    forget_responses(response_ids=[row.pk for row in rows])
    Response.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _delete_messages(contact: Contact) -> None:
    """Those to the contact, and to its addresses when nobody knew yet whose they were."""
    to_nobody = Q(contact=None, to_email__in=addresses_of(contact))
    OutgoingEmail.objects.filter(Q(contact=contact) | to_nobody).delete()


def _forget_addresses(contact: Contact) -> None:
    """Blocked addresses stay blocked, but can be read no more; questions whether they agree go, and samples."""
    addresses = addresses_of(contact)
    hashes = [suppressions.address_hash(address) for address in addresses]
    Suppression.objects.filter(address_hash__in=hashes).update(email="")
    OptIn.objects.filter(Q(contact=contact) | Q(email__in=addresses)).delete()
    for written in addresses | {quote_plus(address) for address in addresses}:
        HookPayload.objects.filter(body__icontains=written).delete()
        TrackedName.objects.filter(last_payload__icontains=written).update(last_payload="")
        TrackingProblem.objects.filter(last_payload__icontains=written).update(last_payload="", detail="")
        noted = Q(object_repr__icontains=written) | Q(object_id=str(contact.pk))
        LogEntry.objects.filter(noted).update(object_repr=str(contact.pk))
