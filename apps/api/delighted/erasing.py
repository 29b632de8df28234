"""Erasing a person at its integration's request: with all that is kept about it, children before parents."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from apps.campaigns.models import StepRun
from apps.cases.models import Case
from apps.contacts import services as contacts
from apps.contacts.models import Contact, OptIn
from apps.integrations.webhooks import publish_erased
from apps.messaging import suppressions
from apps.messaging.models import OutgoingEmail, Suppression
from apps.messaging.opt_in import addresses_of
from apps.responses import keeping
from apps.responses.models import Response
from apps.surveys import services as surveys
from apps.surveys.models import Invitation
from apps.touchpoints.models import Event
from apps.triggers.models import Decision

TRIES = 3


def erase(*, contact_id: UUID, now: datetime) -> bool:
    """Delete a contact with its responses, cases, invitations, messages, events, decisions and legal bases.

    False if there is no such contact. Suppressions stay as keyed hashes without the address; figures lose the scores.
    What was handed to others (webhooks sent, exports, mails delivered) is not ours to take back; webhooks tell them.
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
    contacts.lock(contact_ids=[contact_id])
    contact = Contact.objects.filter(pk=contact_id).first()
    if contact is None:
        return False
    own = Invitation.objects.filter(contact=contact)
    ids = list(own.values_list("id", flat=True))
    surveys.revoke_unsent(reasons=[surveys.outreach_reason(pk) for pk in ids], reason="contact_gone")
    _delete_answers(contact, now)
    OutgoingEmail.objects.filter(contact=contact).delete()
    Decision.objects.filter(Q(contact=contact) | Q(event__contact=contact)).delete()
    own.delete()
    Event.objects.filter(contact=contact).delete()
    _forget_addresses(contact)
    contact.delete()
    publish_erased(contact_ids=[contact_id], now=now)
    return True


def _delete_answers(contact: Contact, now: datetime) -> None:
    """Responses with cases and follow-ups; what counted is taken out of the figures."""
    rows = list(Response.objects.filter(contact=contact).order_by("id").select_for_update())
    for row in rows:
        if not row.is_suspected:
            keeping.count(row, weight=-1, now=now)
    Case.objects.filter(Q(contact=contact) | Q(response__in=rows)).delete()
    runs = StepRun.objects.filter(enrolment__response__in=rows)
    OutgoingEmail.objects.filter(step_run__in=runs).delete()
    Response.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _forget_addresses(contact: Contact) -> None:
    """Blocked addresses stay blocked, but can be read no more; questions whether they agree go."""
    addresses = addresses_of(contact)
    hashes = [suppressions.address_hash(address) for address in addresses]
    Suppression.objects.filter(address_hash__in=hashes).update(email="")
    OptIn.objects.filter(Q(contact=contact) | Q(email__in=addresses)).delete()
