"""Which rows whose time has come a worker gets: several share the work, and what others hold is passed over."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.contacts.models import Contact

LOOKS = 3  # That others finish in the very moment of a look is rare; twice in a row hardly happens.


def lock_due(
    rows: QuerySet[Any], *, due: Mapping[str, object], contact: str, path: str, limit: int, of: tuple[str, ...]
) -> list[Any]:
    """Due rows, locked after their contacts: deciding holds contacts when it moves or revokes what is planned.

    ``due`` says which rows are, ``contact`` leads from a row to its contact, ``path`` from a contact to its rows. All
    that is due for a contact comes together, so that the highest priority gets the place in the budget.
    """
    rows = rows.filter(**due).order_by("send_at").select_for_update(skip_locked=True, of=of)
    held: set[UUID] = set()
    for _look in range(LOOKS):
        fresh = lock_free_contacts(due, path, limit, held)
        found = list(rows.filter(**{f"{contact}__in": fresh})) if fresh else []
        if len(fresh) < limit:
            found += rows.filter(**{contact: None})[: limit - len(fresh)]
        # Contacts without anything due: whoever held them has dispatched it since our statement began.
        if found or not fresh:
            return found
        held.update(fresh)
    return []


def lock_free_contacts(due: Mapping[str, object], path: str, limit: int, held: Collection[UUID]) -> list[UUID]:
    """Contacts of the first due rows, locked as ``contacts.lock`` does, without those that others hold.

    Nobody waits here, so the order does not matter: they are locked as the index on the due time has them. An order
    by id would have to read everything that is due first.
    """
    concerned = Contact.objects.filter(**{f"{path}__{name}": value for name, value in due.items()})
    rows = concerned.exclude(id__in=held).order_by(f"{path}__send_at").only("id")
    return [row.id for row in rows.select_for_update(no_key=True, skip_locked=True, of=("self",))[:limit]]
