"""The legal basis of writing to a contact, and locking contacts while they are decided about."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from apps.common.bulk import fetch_rows
from apps.common.db import connection
from apps.contacts.models import ConsentPolicy, Contact, LegalBasis, OptIn

_WITH_BASIS = """
    SELECT contact_id FROM contacts_legalbasis
    WHERE contact_id = ANY(%s) AND revoked_at IS NULL AND (confirmed_at IS NOT NULL OR kind <> 'consent'
        OR NOT EXISTS (SELECT 1 FROM contacts_consentpolicy WHERE requires_double_opt_in))
"""
_OBJECT = """
    WITH ended AS (
        UPDATE contacts_legalbasis SET revoked_at = %(now)s WHERE contact_id = %(contact)s AND revoked_at IS NULL
    )
    INSERT INTO contacts_legalbasis (contact_id, kind, source, text_version, wording, granted_at, revoked_at)
    SELECT %(contact)s, 'existing_customer', 'objection', '', '', %(now)s, %(now)s
    WHERE NOT EXISTS (SELECT FROM contacts_legalbasis WHERE contact_id = %(contact)s)
        AND EXISTS (SELECT FROM contacts_contact WHERE id = %(contact)s)
    ON CONFLICT DO NOTHING
"""
_STRICT = ConsentPolicy.objects.filter(requires_double_opt_in=True)


def with_legal_basis(*, contact_ids: Collection[UUID]) -> set[UUID]:
    """Those of the contacts that we may write to. One query.

    Where the tenant says so, a consent counts only when it was confirmed by the link in a mail.
    """
    return {row[0] for row in fetch_rows(_WITH_BASIS, [list(contact_ids)])} if contact_ids else set()


def needs_confirmation() -> bool:
    """Whether only confirmed consent counts."""
    return _STRICT.all().exists()


def with_confirmed_consent(*, contact_ids: Collection[UUID]) -> set[UUID]:
    """Those of the contacts that used the link in a confirmation mail, and did not object since."""
    rows = LegalBasis.objects.filter(contact_id__in=contact_ids, revoked_at=None, kind=LegalBasis.Kind.CONSENT)
    return set(rows.filter(confirmed_at__isnull=False).values_list("contact_id", flat=True))


def with_any_basis(*, contact_ids: Collection[UUID]) -> set[UUID]:
    """Those of the contacts that gave some reason to be asked for their consent, confirmed or not."""
    rows = LegalBasis.objects.filter(contact_id__in=contact_ids, revoked_at=None)
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


def confirmed_addresses(*, emails: Collection[str]) -> set[str]:
    """Those of the addresses whose contacts have a confirmed consent."""
    rows = LegalBasis.objects.filter(contact__email__in=emails, revoked_at=None, kind=LegalBasis.Kind.CONSENT)
    found = rows.filter(confirmed_at__isnull=False).values_list("contact__email", flat=True)
    return {email for email in found if email}


def record_confirmed(*, opt_in: OptIn, now: datetime) -> LegalBasis:
    """Store the consent that a request was answered with, with its proof. Must run in the answer's transaction.

    Always a row of its own: an older consent from the same source, also a revoked one, stays as it was given.
    """
    contact = _owner_of(opt_in)
    source = opt_in.source
    same = LegalBasis.objects.filter(contact=contact, kind=LegalBasis.Kind.CONSENT, source=source)
    if same.exists():
        source = f"{source[:100]} · {opt_in.id.hex[-12:]}"
    return LegalBasis.objects.create(
        contact=contact,
        kind=LegalBasis.Kind.CONSENT,
        source=source,
        text_version=opt_in.text_version,
        wording=opt_in.wording,
        granted_at=opt_in.requested_at,
        confirmed_at=now,
        opt_in=opt_in,
    )


def _owner_of(opt_in: OptIn) -> Contact:
    """The contact whose mailbox agreed: whoever has the address now, else the one it was asked for.

    A contact that has another address by now is somebody else's mailbox: the consent must not be about that one.
    """
    holder = Contact.objects.filter(email=opt_in.email).first()
    if holder is not None:
        return holder
    contact = opt_in.contact
    if contact is not None and not contact.email:
        contact.email = opt_in.email
        contact.save(update_fields=["email", "updated_at"])
        return contact
    return Contact.objects.get_or_create(email=opt_in.email, defaults={"locale": opt_in.language})[0]


def object_to_mail(*, contact_id: UUID, now: datetime) -> None:
    """The person objects: every legal basis ends, also for addresses that become known later.

    Where there is none to end, one that has ended already stands for the objection, so that the next purchase is none.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OBJECT, {"contact": contact_id, "now": now})


def lock(*, contact_ids: Sequence[UUID]) -> None:
    """Lock contacts in id order while their budget is looked at and spent (no deadlocks, no overspending)."""
    rows = Contact.objects.filter(id__in=contact_ids).order_by("id")
    # Not their keys: whoever answers a survey meanwhile does not have to wait.
    list(rows.select_for_update(no_key=True).values_list("id"))
