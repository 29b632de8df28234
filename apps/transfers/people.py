"""Rows that name people, into contacts: who is new goes in by COPY, everybody else through the rules of identity.

Most rows of a large import name somebody who was not known, and nobody else names the same person: these need none of
the rules, and are written as fast as PostgreSQL takes them. Rows that name a known contact, or the same one as another
row, go through :func:`apps.contacts.identity.resolve_contacts`, so that an import never means anything else than
the same people sent one by one.
"""

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction

from apps.common.bulk import fetch_rows
from apps.common.db import connection
from apps.contacts.identity import CompanyData, ContactData, resolve_companies, resolve_contacts
from apps.contacts.models import Contact
from apps.transfers import changes
from apps.transfers.outcomes import Outcome
from apps.transfers.tables import Table

_CUT = "\x1f"
# A list as one text: an array of ten thousand takes the driver longer to write than the server to look up.
_KNOWN = """
    SELECT external_id, email FROM contacts_contact
    WHERE external_id = ANY(string_to_array(%s, chr(31))) OR email = ANY(string_to_array(%s, chr(31)))
"""
_COPY = """
    COPY contacts_contact (id, external_id, email, phone, name, locale, time_zone, country, region, company_id,
                           properties, created_at, updated_at) FROM STDIN
"""
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NULL = "\\N"
_encode = msgspec.json.encode


@dataclass(slots=True)
class Known:
    """Which identities are contacts already."""

    external_ids: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Sorted:
    """The rows of a batch by how they are taken: ``fresh`` alone, ``ruled`` by the rules; ``skipped`` not at all."""

    fresh: list[int] = field(default_factory=list)
    ruled: list[int] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)


def known_among(external_ids: Sequence[str], emails: Sequence[str]) -> Known:
    """Those of the identities that are contacts. One query, and nobody is locked."""
    # An id that contains the cut is not found here: then the COPY finds it, and the rules decide.
    rows = fetch_rows(_KNOWN, [_CUT.join(filter(None, external_ids)), _CUT.join(filter(None, emails))])
    return Known({row[0] for row in rows if row[0]}, {row[1] for row in rows if row[1]})


def sort_rows(table: Table, known: Known, *, skip_known: bool) -> Sorted:
    """Tell the rows apart."""
    external_ids, emails = table.column("external_id"), table.column("email")
    again_ids = {value for value, count in Counter(external_ids).items() if count > 1 and value}
    again_mails = {value for value, count in Counter(emails).items() if count > 1 and value}
    found = Sorted()
    for row, (external_id, email) in enumerate(zip(external_ids, emails, strict=True)):
        if external_id in known.external_ids or email in known.emails:
            (found.skipped if skip_known else found.ruled).append(row)
        elif external_id in again_ids or email in again_mails:
            found.ruled.append(row)
        else:
            found.fresh.append(row)
    return found


def take(*, table: Table, source_id: UUID, now: datetime, skip_known: bool = False) -> tuple[Outcome, list[Any]]:
    """Store a batch; also the contact's id of every row, in order (None: skipped). Must run in a transaction."""
    known = known_among(table.column("external_id"), table.column("email"))
    found = sort_rows(table, known, skip_known=skip_known)
    outcome = Outcome(skipped=len(found.skipped))
    ids: list[Any] = [None] * len(table.numbers)
    named = changes.companies_named(table)
    before = changes.read_companies(named)
    # Before anybody is locked: see resolve_contacts.
    company_ids = changes.make_companies(table, found.fresh)
    try:
        with transaction.atomic():
            fresh_ids = _copy(table, found.fresh, company_ids, now)
    except IntegrityError:
        # Somebody made one of them meanwhile: then the rules decide.
        found.ruled, found.fresh, fresh_ids = sorted([*found.ruled, *found.fresh]), [], []
    for row, fresh_id in zip(found.fresh, fresh_ids, strict=True):
        ids[row] = fresh_id
    outcome.created += len(fresh_ids)
    outcome.contacts += fresh_ids
    if found.ruled:
        _by_rules(table, found.ruled, ids, source_id, outcome, now)
    if named:
        resolve_companies(companies=[company for row in found.fresh if (company := changes.company_of(table, row))])
        changes.note_companies(source_id=source_id, named=named, before=before)
    return outcome, ids


def _by_rules(
    table: Table, rows: Sequence[int], ids: list[Any], source_id: UUID, outcome: Outcome, now: datetime
) -> None:
    changed: dict[UUID, dict[str, Any]] = {}
    made: set[UUID] = set()

    def watch(contact: Contact, was: dict[str, Any] | None) -> None:
        if was is None:
            made.add(contact.pk)
        else:
            changed[contact.pk] = was

    contacts = resolve_contacts(people=[contact_data(table, row) for row in rows], now=now, watch=watch)
    counted: set[UUID] = set()
    for row, contact in zip(rows, contacts, strict=True):
        if contact is None:
            continue
        ids[row] = contact.pk
        if contact.pk in made and contact.pk not in counted:
            counted.add(contact.pk)
            outcome.created += 1
        elif contact.pk in changed or contact.pk in made:
            outcome.updated += 1
        else:
            outcome.unchanged += 1
    if made:
        # By their time it is seen later whether anybody has changed them since.
        Contact.objects.filter(pk__in=made).update(created_at=now, updated_at=now)
    outcome.contacts += map(str, made)
    changes.note_contacts(source_id=source_id, before=changed, now=now)


def contact_data(table: Table, row: int) -> ContactData:
    """A row as an integration would have sent it."""
    found: dict[str, Any] = {
        target: values[row]
        for target in ("external_id", "email", "phone", "name", "locale", "time_zone", "country", "region")
        if (values := table.values.get(target)) and values[row]
    }
    company: CompanyData | None = changes.company_of(table, row)
    if company:
        found["company"] = company
    if table.properties[row]:
        found["properties"] = table.properties[row]
    return cast("ContactData", found)


def _copy(table: Table, rows: Sequence[int], company_ids: dict[str, int], now: datetime) -> list[str]:
    """Write contacts that nobody knew, in the order of ``rows``; returns their ids in that order."""
    if not rows:
        return []
    external_ids, emails = table.column("external_id"), table.column("email")
    # In one order, so that two workers with the same new contacts do not wait for each other in a circle.
    ordered = sorted(rows, key=lambda row: (external_ids[row], emails[row]))
    at = [now.isoformat()] * len(rows)
    ids = new_ids(len(rows))
    columns = [
        ids,
        [value or _NULL for value in _cells(external_ids, ordered)],
        [value or _NULL for value in _cells(emails, ordered)],
        *(
            _cells(table.column(target), ordered)
            for target in ("phone", "name", "locale", "time_zone", "country", "region")
        ),
        [str(company_ids.get(key, _NULL)) if key else _NULL for key in _picked(changes.company_keys(table), ordered)],
        _properties(table, ordered),
        at,
        at,
    ]
    text = "\n".join(map("\t".join, zip(*columns, strict=True)))
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(_COPY) as copy:
        copy.write(text)
    by_row = dict(zip(ordered, ids, strict=True))
    return [by_row[row] for row in rows]


def _picked(column: Sequence[str], rows: Sequence[int]) -> list[str]:
    return [column[row] for row in rows]


def _cells(column: Sequence[str], rows: Sequence[int]) -> list[str]:
    """The rows' texts as COPY wants them. Special characters are rare: they are looked for once per column."""
    picked = [column[row] for row in rows]
    joined = "".join(picked)
    if any(sign in joined for sign in "\\\t\n\r"):
        return [text.translate(_ESCAPES) for text in picked]
    return picked


def _properties(table: Table, rows: Sequence[int]) -> list[str]:
    encoded = [_encode(table.properties[row]).decode() for row in rows]
    return _cells(encoded, range(len(encoded)))


def new_ids(count: int) -> list[str]:
    """Version 7 UUIDs as apps.common.ids makes them, as texts: many at once cost little."""
    millis = f"{time.time_ns() // 1_000_000:012x}"
    random = os.urandom(10 * count).hex()
    return [
        f"{millis}7{random[at : at + 3]}{'89ab'[int(random[at + 3], 16) & 3]}{random[at + 4 : at + 19]}"
        for at in range(0, 20 * count, 20)
    ]
