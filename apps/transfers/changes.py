"""How contacts and companies were before an import changed them, and the companies that its rows name."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from apps.common.bulk import execute, fetch_rows
from apps.contacts.identity import CompanyData
from apps.transfers.tables import Table

# The first image is the one to go back to. Where the contact was not as the import had left it, somebody else changed
# it in between.
_CONTACTS = """
    INSERT INTO transfers_contactchange AS c (source_id, contact_id, before, at, is_mixed)
    SELECT %s, contact_id, before::jsonb, %s, false FROM unnest(%s::uuid[], %s::text[]) AS t(contact_id, before)
    ON CONFLICT (source_id, contact_id) DO UPDATE SET at = excluded.at,
        is_mixed = c.is_mixed OR (excluded.before->>'updated_at')::timestamptz <> c.at
"""
_COMPANIES = """
    INSERT INTO transfers_companychange AS c (source_id, company_id, before, after)
    SELECT %s, company_id, before::jsonb, after::jsonb
    FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS t(company_id, before, after)
    ON CONFLICT (source_id, company_id) DO UPDATE SET after = excluded.after
"""
_COMPANY_ROWS = """
    SELECT external_id, id, jsonb_build_object('name', name, 'time_zone', time_zone, 'country', country,
           'region', region, 'properties', properties)::text
    FROM contacts_company WHERE external_id = ANY(%s)
"""
_MAKE_COMPANIES = """
    INSERT INTO contacts_company (external_id, name, time_zone, country, region, properties)
    SELECT external_id, name, '', '', '', '{}' FROM unnest(%s::text[], %s::text[]) AS t(external_id, name)
    ON CONFLICT DO NOTHING
"""
Companies = dict[str, tuple[int, str]]
"""External id → key, and all that an import may change, as JSON."""


def note_contacts(*, source_id: UUID, before: Mapping[UUID, Mapping[str, Any]], now: datetime) -> None:
    """Remember contacts as they were. One query."""
    if before:
        images = [msgspec.json.encode(image).decode() for image in before.values()]
        execute(_CONTACTS, [source_id, now, list(before), images])


def company_keys(table: Table) -> list[str]:
    """The company of each row, by its external id; where a file has only names, the name is the id."""
    keys, names = table.values.get("company_external_id"), table.values.get("company_name")
    if keys is None:
        return [name[:200] for name in names] if names else [""] * len(table.numbers)
    return keys


def company_of(table: Table, row: int) -> CompanyData | None:
    """What a row says about its contact's company."""
    key = company_keys_of(table, row)
    if not key:
        return None
    name = table.column("company_name")[row] if "company_name" in table.values else ""
    return CompanyData(external_id=key, name=name) if name else CompanyData(external_id=key)


def company_keys_of(table: Table, row: int) -> str:
    """As :func:`company_keys`, of one row."""
    values = table.values.get("company_external_id") or table.values.get("company_name")
    return values[row] if values else ""


def companies_named(table: Table) -> set[str]:
    """The external ids of all companies that the rows name."""
    if not {"company_external_id", "company_name"} & set(table.values):
        return set()
    return set(company_keys(table)) - {""}


def read_companies(external_ids: Collection[str]) -> Companies:
    """Companies as they are. One query, or none."""
    rows = fetch_rows(_COMPANY_ROWS, [list(external_ids)]) if external_ids else []
    return {key: (pk, image) for key, pk, image in rows}


def make_companies(table: Table, rows: Sequence[int]) -> dict[str, int]:
    """External id → key of the companies that these rows name; who is missing is made. Locks nobody."""
    keys = company_keys(table)
    names = {keys[row]: (company_of(table, row) or {}).get("name") or keys[row] for row in rows if keys[row]}
    known = read_companies(names)
    # In one order, so that two workers with the same new companies do not wait for each other in a circle.
    if missing := sorted(names.keys() - known.keys()):
        execute(_MAKE_COMPANIES, [missing, [names[key][:200] for key in missing]])
        known = read_companies(names)
    return {key: pk for key, (pk, _image) in known.items()}


def note_companies(*, source_id: UUID, named: Collection[str], before: Companies) -> tuple[int, int]:
    """Remember how companies were (none: they did not exist) and are now; returns how many are new, and changed."""
    after = read_companies(named)
    changed = {key: pair for key, pair in after.items() if key not in before or before[key][1] != pair[1]}
    if changed:
        images = [before[key][1] if key in before else None for key in changed]
        params = [source_id, [pk for pk, _now in changed.values()], images, [image for _pk, image in changed.values()]]
        execute(_COMPANIES, params)
    fresh = len(changed.keys() - before.keys())
    return fresh, len(changed) - fresh
