"""Contacts as a table, with why we may write to them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from uuid import UUID

from django.db.models import QuerySet

from apps.common.spreadsheets import Cell
from apps.contacts.models import Contact, LegalBasis
from apps.transfers.export_rows import Properties, Table, joined, local, properties_of, table

_FIELDS = {
    "id": "id", "external_id": "external_id", "email": "email", "phone": "phone", "name": "name", "locale": "locale",
    "time_zone": "time_zone", "country": "country", "region": "region", "company": "company__name",
    "company_external_id": "company__external_id",
}  # fmt: skip
_BASIS = ("legal_basis", "legal_basis_source", "legal_basis_since")
_TIMES = ("created_at", "updated_at")


def contact_table(found: QuerySet[Contact], *, zone: tzinfo) -> Table:
    """The contacts in the order given. One query for their columns, then two for every part of them."""
    properties = properties_of(found)
    header = [*_FIELDS, *_BASIS, *_TIMES, *properties.header]
    return table(found, header=header, read=lambda ids: _read(ids, properties, zone))


def _read(ids: Sequence[UUID], properties: Properties, zone: tzinfo) -> dict[UUID, Sequence[Cell]]:
    bases = _bases(ids, zone)
    rows = Contact.objects.filter(pk__in=ids).values_list(*_FIELDS.values(), *_TIMES, "properties")
    return {
        pk: [str(pk), *known, *bases.get(pk, [None] * len(_BASIS)), local(created, zone), local(updated, zone),
             *properties.cells(own)]
        for pk, *known, created, updated, own in rows
    }  # fmt: skip


def _bases(ids: Iterable[UUID], zone: tzinfo) -> Mapping[UUID, Sequence[Cell]]:
    """What holds today, oldest first; several stand in one cell."""
    found: dict[UUID, list[tuple[str, str, str]]] = {}
    rows = LegalBasis.objects.filter(contact_id__in=ids, revoked_at=None).order_by("granted_at", "pk")
    for pk, kind, source, since in rows.values_list("contact_id", "kind", "source", "granted_at"):
        found.setdefault(pk, []).append((kind, source, since.astimezone(zone).isoformat(timespec="seconds")))
    return {pk: [joined(column) for column in zip(*parts, strict=True)] for pk, parts in found.items()}
