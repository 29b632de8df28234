"""Taking an import back: what it made goes, what it changed becomes as it was, where nobody did anything since.

Batch by batch, the last one first; then the changed contacts, then the companies. Each step is one transaction.
"""

from collections import Counter
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.common.bulk import execute, fetch_rows
from apps.contacts.models import Company, Contact, LegalBasis
from apps.messaging.models import Suppression
from apps.messaging.suppressions import BINDING
from apps.responses.past import remove_past_responses
from apps.transfers.models import CompanyChange, ContactChange, Import, ImportBatch

SLICE = 5000
_LOCK = "SELECT id FROM contacts_contact WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
# Made by this import, perhaps changed by a later row of it, and as it left them.
_UNTOUCHED = """
    SELECT c.id FROM contacts_contact c LEFT JOIN transfers_contactchange h ON h.source_id = %s AND h.contact_id = c.id
    WHERE c.id = ANY(%s) AND (c.updated_at = %s OR (c.updated_at = h.at AND NOT h.is_mixed))
"""
_RESTORE = """
    UPDATE contacts_contact c SET external_id = b.external_id, email = b.email, phone = b.phone, name = b.name,
        locale = b.locale, time_zone = b.time_zone, country = b.country, region = b.region,
        company_id = (SELECT id FROM contacts_company WHERE id = b.company_id), properties = b.properties,
        updated_at = %s
    FROM transfers_contactchange h, LATERAL jsonb_populate_record(NULL::contacts_contact, h.before) b
    WHERE h.source_id = %s AND c.id = h.contact_id AND h.contact_id = ANY(%s) AND c.updated_at = h.at AND NOT h.is_mixed
        AND NOT EXISTS (SELECT 1 FROM contacts_contact o WHERE o.id <> c.id AND o.email = b.email)
        AND NOT EXISTS (SELECT 1 FROM contacts_contact o WHERE o.id <> c.id AND o.external_id = b.external_id)
"""
_RESTORE_COMPANIES = """
    UPDATE contacts_company c SET name = b.name, time_zone = b.time_zone, country = b.country, region = b.region,
        properties = b.properties
    FROM transfers_companychange h, LATERAL jsonb_populate_record(NULL::contacts_company, h.before) b
    WHERE h.id = ANY(%s) AND c.id = h.company_id
"""


@transaction.atomic
def step(*, source: Import, now: datetime, lease: timedelta) -> bool:
    """Take the next part back; False if nothing is left, or the import is not being undone any more."""
    row = Import.objects.select_for_update().filter(pk=source.pk, status=Import.Status.UNDOING).first()
    if row is None:
        return False
    kept: Counter[str] = Counter()
    deleted, restored, is_more = _next(row, now, kept)
    result = row.undo_result or {"deleted": 0, "restored": 0, "kept": {}}
    result["deleted"] += deleted
    result["restored"] += restored
    result["kept"] = dict(Counter(result["kept"]) + kept)
    row.undo_result, row.due_at, row.attempts = result, now + lease, 0
    row.save(update_fields=["undo_result", "due_at", "attempts"])
    return is_more


def _next(row: Import, now: datetime, kept: Counter[str]) -> tuple[int, int, bool]:
    batch = ImportBatch.objects.filter(source=row).order_by("-number").first()
    if batch is not None:
        deleted = _undo_batch(row, batch, now, kept)
        batch.delete()
        return deleted, 0, True
    if changes := list(
        ContactChange.objects.filter(source=row).order_by("-id").values_list("contact_id", flat=True)[:SLICE]
    ):
        return 0, _restore(row, changes, now, kept), True
    if companies := list(CompanyChange.objects.filter(source=row).order_by("-id")[:SLICE]):
        deleted, restored = _undo_companies(companies, kept)
        return deleted, restored, True
    return 0, 0, False


def _undo_batch(row: Import, batch: ImportBatch, now: datetime, kept: Counter[str]) -> int:
    deleted = 0
    if batch.responses:
        gone = remove_past_responses(ids=batch.responses, now=now)
        kept["gone"] += len(batch.responses) - gone
        deleted += gone
    if batch.suppressions:
        deleted += _undo_suppressions(batch, kept)
    # Proof stays where somebody objected or confirmed.
    bases = LegalBasis.objects.filter(pk__in=batch.legal_bases, revoked_at=None, confirmed_at=None)
    bases.delete()
    for start in range(0, len(batch.contacts), SLICE):
        deleted += _undo_contacts(row, batch.contacts[start : start + SLICE], batch.at, kept)
    return deleted


def _undo_suppressions(batch: ImportBatch, kept: Counter[str]) -> int:
    rows = Suppression.objects.filter(pk__in=batch.suppressions)
    found = list(rows.values_list("pk", "reason", "created_at", "lifted_at"))
    wrong = [
        pk
        for pk, reason, created_at, lifted_at in found
        if reason not in BINDING and created_at == batch.at and lifted_at is None
    ]
    own_word = sum(reason in BINDING for _pk, reason, _created_at, _lifted_at in found)
    kept["own_word"] += own_word
    kept["changed"] += len(found) - len(wrong) - own_word
    kept["gone"] += len(batch.suppressions) - len(found)
    Suppression.objects.filter(pk__in=wrong).delete()
    return len(wrong)


def _undo_contacts(row: Import, ids: list[UUID], at: datetime, kept: Counter[str]) -> int:
    """Delete contacts that the import made. Locked first: who refers to one from now on waits, and then fails."""
    there = [found[0] for found in fetch_rows(_LOCK, [ids])]
    untouched = [found[0] for found in fetch_rows(_UNTOUCHED, [row.pk, there, at])]
    used = {found[0] for found in fetch_rows(_used(), [untouched])} if untouched else set()
    free = [pk for pk in untouched if pk not in used]
    kept["gone"] += len(ids) - len(there)
    kept["changed"] += len(there) - len(untouched)
    kept["in_use"] += len(used)
    execute("DELETE FROM transfers_contactchange WHERE contact_id = ANY(%s)", [free])
    execute("DELETE FROM contacts_contact WHERE id = ANY(%s)", [free])
    # These are no longer the import's to put back: they did not exist before it.
    execute("DELETE FROM transfers_contactchange WHERE source_id = %s AND contact_id = ANY(%s)", [row.pk, there])
    return len(free)


@cache
def _used() -> str:
    """Those of some contacts that anything refers to: from the models, so that whatever comes to do so counts."""
    relations = [r for r in Contact._meta.related_objects if r.related_model is not ContactChange]
    parts = [
        f'SELECT "{r.field.column}" FROM "{r.related_model._meta.db_table}" WHERE "{r.field.column}" = ANY(ids)'  # noqa: S608 - our own names
        for r in relations
    ]
    return f"SELECT u.* FROM (SELECT %s::uuid[] AS ids) given, LATERAL ({' UNION '.join(parts)}) u"  # noqa: S608


def _restore(row: Import, contact_ids: list[UUID], now: datetime, kept: Counter[str]) -> int:
    there = len(fetch_rows(_LOCK, [contact_ids]))
    restored = 0
    # One may have to wait for another one's address to become free again.
    while count := execute(_RESTORE, [now, row.pk, contact_ids]):
        restored += count
    kept["gone"] += len(contact_ids) - there
    kept["changed"] += there - restored
    ContactChange.objects.filter(source=row, contact_id__in=contact_ids).delete()
    return restored


def _undo_companies(changes: list[CompanyChange], kept: Counter[str]) -> tuple[int, int]:
    """Companies that are as the import left them."""
    ids = [change.company_id for change in changes]
    rows = {row.pk: row for row in Company.objects.filter(pk__in=ids).order_by("pk").select_for_update()}
    same = [
        change for change in changes if change.company_id in rows and _image(rows[change.company_id]) == change.after
    ]
    used = set(Contact.objects.filter(company_id__in=ids).values_list("company_id", flat=True))
    made = [change.company_id for change in same if change.before is None]
    free = [pk for pk in made if pk not in used]
    back = [change.pk for change in same if change.before is not None]
    restored = execute(_RESTORE_COMPANIES, [back]) if back else 0
    kept["gone"] += len(changes) - len(rows)
    kept["changed"] += len(rows) - len(same)
    kept["in_use"] += len(made) - len(free)
    CompanyChange.objects.filter(pk__in=[change.pk for change in changes]).delete()
    Company.objects.filter(pk__in=free).delete()
    return len(free), restored


def _image(company: Company) -> dict[str, Any]:
    names = ("name", "time_zone", "country", "region", "properties")
    return {name: getattr(company, name) for name in names}
