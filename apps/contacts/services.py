"""The legal basis of writing to a contact, and locking contacts while they are decided about."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from apps.contacts.models import Contact, LegalBasis


def with_legal_basis(*, contact_ids: Collection[UUID]) -> set[UUID]:
    """Those of the contacts that we may write to."""
    rows = LegalBasis.objects.filter(contact_id__in=contact_ids, revoked_at__isnull=True)
    return set(rows.values_list("contact_id", flat=True))


def record_legal_bases(*, bases: Sequence[LegalBasis]) -> None:
    """Store why contacts may be written to. One that is known (also a revoked one) is not changed."""
    rows = LegalBasis.objects.filter(contact_id__in={b.contact_id for b in bases})
    known, objected = set(), set()
    for contact_id, kind, source, revoked_at in rows.values_list("contact_id", "kind", "source", "revoked_at"):
        known.add((contact_id, kind, source))
        if revoked_at is not None:
            objected.add(contact_id)
    fresh = [
        b
        for b in bases
        # Who objected is won back by a new consent only, not by the next purchase.
        if (b.contact_id, b.kind, b.source) not in known
        and (b.kind == LegalBasis.Kind.CONSENT or b.contact_id not in objected)
    ]
    if fresh:
        LegalBasis.objects.bulk_create(fresh, ignore_conflicts=True)


def object_to_mail(*, contact_id: UUID, now: datetime) -> None:
    """The person objects: every legal basis ends, also for addresses that become known later."""
    LegalBasis.objects.filter(contact_id=contact_id, revoked_at=None).update(revoked_at=now)


def lock(*, contact_ids: Sequence[UUID]) -> None:
    """Lock contacts in id order while their budget is looked at and spent (no deadlocks, no overspending)."""
    rows = Contact.objects.filter(id__in=contact_ids).order_by("id")
    # Not their keys: whoever answers a survey meanwhile does not have to wait.
    list(rows.select_for_update(no_key=True).values_list("id"))
