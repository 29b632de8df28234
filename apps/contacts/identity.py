"""From what an integration tells us about people to contacts: found, updated or created, set-wise."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

import msgspec
from django.db.models import Q, QuerySet

from apps.common.db import connection
from apps.common.texts import hyphened
from apps.contacts import phones
from apps.contacts.ledger import home_calendar
from apps.contacts.models import Company, Contact

PLACE = ("time_zone", "country", "region")
FIELDS = ("external_id", "email", "phone", "name", "locale", *PLACE, "company_id", "properties", "updated_at")
"""All of a contact that may change."""
_UPDATE = """
    UPDATE contacts_contact c SET external_id = t.external_id, email = t.email, phone = t.phone, name = t.name,
        locale = t.locale, time_zone = t.time_zone, country = t.country, region = t.region,
        company_id = t.company_id, properties = t.properties::jsonb, updated_at = t.updated_at
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                %s::text[], %s::bigint[], %s::text[], %s::timestamptz[])
        AS t(id, external_id, email, phone, name, locale, time_zone, country, region, company_id, properties,
             updated_at)
    WHERE c.id = t.id
"""

Watch = Callable[[Contact, dict[str, Any] | None], None]
"""Told a contact that is new (None) or about to change (its FIELDS before)."""


class CompanyData(TypedDict, total=False):
    """A company as sent; the external id is required."""

    external_id: str
    name: str
    time_zone: str
    country: str
    region: str
    properties: dict[str, Any]


class ContactData(TypedDict, total=False):
    """A contact as sent: any of these; at least one of the first two."""

    external_id: str
    email: str
    phone: str
    name: str
    locale: str
    time_zone: str
    country: str
    region: str
    company: CompanyData
    properties: dict[str, Any]


class _Index:
    """Contacts at hand, by both identities; ``home`` is the country that a number without one belongs to."""

    def __init__(self, home: str = "") -> None:
        self.home = home
        self.by_external_id: dict[str, Contact] = {}
        self.by_email: dict[str, Contact] = {}

    def add(self, contact: Contact) -> None:
        if contact.external_id:
            self.by_external_id[contact.external_id] = contact
        if contact.email:
            self.by_email[contact.email] = contact

    def contacts(self) -> set[Contact]:
        """All that are at hand."""
        return {*self.by_external_id.values(), *self.by_email.values()}

    def find(self, data: ContactData) -> Contact | None:
        """By external id, else by address: the same mailbox is the same contact."""
        found = self.by_external_id.get(data.get("external_id") or "")
        return found or self.by_email.get(_address(data) or "")


def resolve_contacts(
    *, people: Sequence[ContactData], now: datetime, watch: Watch | None = None
) -> list[Contact | None]:
    """One contact per entry, in order, locked in id order; None where an entry names nobody.

    Must run in a transaction. A fixed number of queries for any number of entries (one more where telephone
    numbers come without their country): look who is missing,
    create them, read all, update. Nobody is locked while new ones are created: who waits there for another
    worker that creates the same contact must not hold what that one will want to lock.

    ``watch`` is told every contact that is new or changes, for whoever wants to take it back some day.
    """
    home = _home_country(people)
    fresh = _missing(people, _read(people, Contact.objects.only("external_id", "email"), home), now)
    if fresh:
        # In one order, so that two workers with the same new contacts do not wait for each other in a circle.
        fresh.sort(key=lambda contact: (contact.external_id or "", contact.email or ""))
        Contact.objects.bulk_create(fresh, ignore_conflicts=True)
    index = _read(people, Contact.objects.order_by("id").select_for_update(no_key=True), home)
    # After the contacts: whoever locks both locks them in this order.
    companies = resolve_companies(
        companies=[data["company"] for data in people if data.get("company")],
        also_lock={c.company_id for c in index.contacts() if c.company_id is not None},
    )
    before = {c.pk: {field: getattr(c, field) for field in FIELDS} for c in index.contacts()} if watch else {}
    changed: dict[Any, Contact] = {}
    result: list[Contact | None] = []
    for data in people:
        contact = index.find(data)
        if contact is not None and (_merge(contact, data, index) | _join(contact, data, companies)):
            contact.updated_at = now
            changed[contact.pk] = contact
        result.append(contact)
    if watch is not None:
        made = {contact.pk for contact in fresh}  # as far as nobody else was faster
        for contact in index.contacts():
            if contact.pk in made or contact.pk in changed:
                watch(contact, None if contact.pk in made else before[contact.pk])
    _update(list(changed.values()))
    return result


def _update(changed: Sequence[Contact]) -> None:
    """Write contacts back. One query."""
    if changed:
        rows = [[contact.pk, *(getattr(contact, field) for field in FIELDS)] for contact in changed]
        columns = [list(column) for column in zip(*rows, strict=True)]
        place = 1 + FIELDS.index("properties")
        columns[place] = [msgspec.json.encode(properties).decode() for properties in columns[place]]
        with connection.cursor() as cursor:
            cursor.execute(_UPDATE, columns)


def _address(data: ContactData) -> str | None:
    return (data.get("email") or "").strip().lower() or None


def _home_country(people: Sequence[ContactData]) -> str:
    """The tenant's own country, asked for only where a number needs it."""
    bare = any(data.get("phone") and not phones.is_international(data["phone"]) for data in people)
    return home_calendar().country if bare else ""


def _read(people: Sequence[ContactData], rows: QuerySet[Contact], home: str) -> _Index:
    external_ids = {data["external_id"] for data in people if data.get("external_id")}
    emails = {address for data in people if (address := _address(data))}
    index = _Index(home)
    for contact in rows.filter(Q(external_id__in=external_ids) | Q(email__in=emails)):
        index.add(contact)
    return index


def _missing(people: Sequence[ContactData], index: _Index, now: datetime) -> list[Contact]:
    fresh: list[Contact] = []
    for data in people:
        external_id, email = data.get("external_id") or None, _address(data)
        if (external_id or email) and index.find(data) is None:
            contact = Contact(external_id=external_id, email=email, created_at=now, updated_at=now)
            _merge(contact, data, index)
            index.add(contact)
            fresh.append(contact)
    return fresh


def _merge(contact: Contact, data: ContactData, index: _Index) -> bool:
    """Take over what the entry says; True if that changed the contact. What is empty changes nothing."""
    before = _values(contact)
    if data.get("external_id") and not contact.external_id:
        contact.external_id = data["external_id"]
    email = _address(data)
    # An address that another contact holds stays with that contact.
    if email and index.by_email.get(email, contact) is contact:
        contact.email = email
    contact.name = data.get("name") or contact.name
    contact.locale = hyphened(data.get("locale") or "") or contact.locale
    extra: Mapping[str, Any] = data.get("properties") or {}
    known = contact.properties if isinstance(contact.properties, dict) else {}  # the admin takes any JSON
    contact.properties = {**known, **extra}
    _place(contact, data)
    if data.get("phone"):
        # One that cannot be understood changes nothing.
        contact.phone = phones.e164(data["phone"], contact.country or index.home) or contact.phone
    index.add(contact)
    return before != _values(contact)


def _values(contact: Contact) -> tuple[Any, ...]:
    place = (contact.time_zone, contact.country, contact.region)
    names = (contact.external_id, contact.email, contact.phone, contact.name, contact.locale)
    return (*names, *place, contact.properties)


def _place(row: Contact | Company, data: ContactData | CompanyData) -> None:
    """Take over clock and holidays. A new country without a region ends the old region."""
    country, region = (data.get("country") or "").upper(), (data.get("region") or "").upper()
    row.time_zone = data.get("time_zone") or row.time_zone
    if country:
        row.region = region if region or country != row.country else row.region
        row.country = country


def _join(contact: Contact, data: ContactData, companies: Mapping[str, int]) -> bool:
    """Note the company the contact belongs to; True if that changed it."""
    company_id = companies.get((data.get("company") or {}).get("external_id", ""))
    if company_id is None or contact.company_id == company_id:
        return False
    contact.company_id = company_id
    return True


def resolve_companies(*, companies: Sequence[CompanyData], also_lock: Collection[int] = ()) -> dict[str, int]:
    """External id → primary key, created or updated. Must run in a transaction; at most four queries.

    ``also_lock``: companies that the caller will need; all are locked at once, in id order, so that two batches
    never wait for each other in a circle.
    """
    told: dict[str, list[CompanyData]] = {}
    for data in companies:
        told.setdefault(data["external_id"], []).append(data)
    if not told:
        return {}
    known_ids = set(Company.objects.filter(external_id__in=told).values_list("external_id", flat=True))
    # In one order, so that two batches with the same new companies do not wait for each other in a circle.
    fresh = [Company(external_id=key, name=key[:200]) for key in sorted(told.keys() - known_ids)]
    if fresh:
        Company.objects.bulk_create(fresh, ignore_conflicts=True)
    wanted = Q(external_id__in=told) | Q(pk__in=also_lock)
    locked = Company.objects.filter(wanted).order_by("pk").select_for_update(no_key=True)
    rows = [row for row in locked if row.external_id in told]
    changed = []
    for row in rows:
        before = (row.name, row.time_zone, row.country, row.region, row.properties)
        for data in told[row.external_id or ""]:
            row.name = data.get("name") or row.name
            known = row.properties if isinstance(row.properties, dict) else {}
            row.properties = {**known, **(data.get("properties") or {})}
            _place(row, data)
        if before != (row.name, row.time_zone, row.country, row.region, row.properties):
            changed.append(row)
    if changed:
        Company.objects.bulk_update(changed, ["name", *PLACE, "properties"], batch_size=500)
    return {row.external_id or "": row.pk for row in rows}
