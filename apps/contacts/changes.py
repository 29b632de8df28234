"""Contacts, companies and legal bases as other systems write them, one by one or many at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.contacts import phones
from apps.contacts.identity import CompanyData, ContactData, resolve_companies, resolve_contacts
from apps.contacts.ledger import home_calendar
from apps.contacts.models import Company, Contact, LegalBasis
from apps.contacts.services import lock, record_legal_bases


class Kept(NamedTuple):
    """A row that was written, and whether it was not there before."""

    row: Any
    is_new: bool


@transaction.atomic
def upsert_contacts(*, people: Sequence[ContactData], now: datetime) -> list[Kept | None]:
    """One contact per entry, in order, found or made and updated; None where an entry names nobody.

    One query more than :func:`resolve_contacts`. The first entry that names a new contact made it.
    """
    external_ids = {data["external_id"] for data in people if data.get("external_id")}
    emails = {data["email"].strip().lower() for data in people if data.get("email")}
    known: set[UUID] = set()
    if people:
        told = Q(external_id__in=external_ids) | Q(email__in=emails)
        known = set(Contact.objects.filter(told).values_list("pk", flat=True))
    found: list[Kept | None] = []
    for contact in resolve_contacts(people=people, now=now):
        found.append(None if contact is None else Kept(contact, contact.pk not in known))
        known |= {contact.pk} if contact else set()
    return found


@transaction.atomic
def upsert_company(*, data: CompanyData, now: datetime) -> Kept:
    """The company with this external id, made or updated; what is empty changes nothing."""
    is_new = not Company.objects.filter(external_id=data["external_id"]).exists()
    pk = resolve_companies(companies=[data])[data["external_id"]]
    return Kept(Company.objects.get(pk=pk), is_new)


@transaction.atomic
def change_contact(
    *, contact_id: UUID, values: Mapping[str, Any], company: CompanyData | None = None, now: datetime
) -> Contact:
    """Give a contact's fields these values, empty ones too; ``company`` is found or made by its external id.

    ``values`` may hold ``company_id`` None: the contact leaves its company. Raises Contact.DoesNotExist,
    ValidationError by field.
    """
    row = Contact.objects.select_for_update(no_key=True).get(pk=contact_id)
    given = dict(values)
    if company is not None:
        # After the contact: whoever locks both locks them in this order.
        known = {row.company_id} if row.company_id is not None else set()
        given["company_id"] = resolve_companies(companies=[company], also_lock=known)[company["external_id"]]
    for name, value in given.items():
        setattr(row, name, value)
    if given.get("phone"):
        row.phone = _international(row)
    if "country" in given and "region" not in given:
        row.region = ""
    row.full_clean()
    row.updated_at = now
    row.save()
    return row


def _international(row: Contact) -> str:
    region = row.country or (row.company.country if row.company else "") or home_calendar().country
    found = phones.e164(row.phone, region)
    if not found:
        raise ValidationError({"phone": _("Write the number with its country, for example +49 170 1234567.")})
    return found


@transaction.atomic
def change_company(*, company_id: int, values: Mapping[str, Any]) -> Company:
    """Give a company's fields these values, empty ones too. Raises Company.DoesNotExist, ValidationError by field."""
    row = Company.objects.select_for_update(no_key=True).get(pk=company_id)
    for name, value in values.items():
        setattr(row, name, value)
    if "country" in values and "region" not in values:
        row.region = ""
    row.full_clean()
    row.save()
    return row


class ObjectedError(Exception):
    """The contact objected: only a new consent, not the next purchase, lets us write again."""


@transaction.atomic
def record_basis(*, basis: LegalBasis) -> Kept:
    """Store why a contact may be written to; one of the same kind and source stays as it was given.

    Raises Contact.DoesNotExist, ValidationError by field, ObjectedError.
    """
    Contact.objects.only("pk").get(pk=basis.contact_id)
    basis.clean_fields(exclude=["contact"])
    basis.clean()
    lock(contact_ids=[basis.contact_id])
    same = LegalBasis.objects.filter(contact_id=basis.contact_id, kind=basis.kind, source=basis.source)
    known = same.first()
    if known is not None:
        return Kept(known, False)
    record_legal_bases(bases=[basis])
    row = same.first()
    if row is None:
        raise ObjectedError
    return Kept(row, True)
