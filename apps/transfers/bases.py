"""Why the people of an import may be written to: said for the whole file, or by columns."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from apps.common.bulk import fetch_rows
from apps.transfers.tables import Table

# As apps.contacts.services.record_legal_bases: one that is known (also a revoked one) is not changed, and who objected
# is won back by a new consent only.
_INSERT = """
    INSERT INTO contacts_legalbasis (contact_id, kind, source, text_version, wording, granted_at)
    SELECT contact_id, kind, source, text_version, wording, granted_at
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
        AS t(contact_id, kind, source, text_version, wording, granted_at)
    WHERE kind = 'consent' OR NOT EXISTS (
        SELECT 1 FROM contacts_legalbasis o WHERE o.contact_id = t.contact_id AND o.revoked_at IS NOT NULL)
    ON CONFLICT DO NOTHING RETURNING id
"""


def record(*, table: Table, ids: Sequence[Any], told: Mapping[str, Any], at: datetime) -> list[int]:
    """Store the legal bases of rows; ``ids`` are their contacts (None: none), ``told`` is said for the whole file.

    ``at`` is when it was given where nothing says so. Returns the keys of those that are new. One query at most.
    """
    kinds = [kind or told.get("kind", "") for kind in table.column("basis_kind")]
    rows = [row for row, kind in enumerate(kinds) if kind and ids[row]]
    if not rows:
        return []

    def column(target: str, default: str) -> list[str]:
        values = table.column(target)
        return [values[row] or default for row in rows]

    params = [
        [ids[row] for row in rows],
        [kinds[row] for row in rows],
        column("basis_source", told.get("source", "")),
        column("basis_text_version", told.get("text_version", "")),
        [told.get("wording", "")] * len(rows),
        column("basis_granted_at", told.get("granted_at") or at.isoformat()),
    ]
    return [row[0] for row in fetch_rows(_INSERT, params)]
