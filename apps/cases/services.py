"""Opening cases and moving them on."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from apps.cases.models import Case
from apps.common.ids import uuid7
from apps.responses.models import Response

DUE_AFTER = timedelta(days=2)
CLOSED = frozenset({Case.Status.SOLVED, Case.Status.LOST})


class UnknownStatusError(ValueError):
    """A case cannot have this status."""


class OutcomeMissingError(ValueError):
    """A case is closed with a sentence on how it ended."""


def open_cases(*, responses: Sequence[Response], now: datetime) -> None:
    """Open a case per response, due in two days; a response that has one keeps it."""
    Case.objects.bulk_create(
        [
            Case(id=uuid7(), response=r, contact_id=r.contact_id, opened_at=now, due_at=now + DUE_AFTER)
            for r in responses
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def change_status(*, case_id: UUID, status: str, outcome: str, owner: AbstractBaseUser | None, now: datetime) -> Case:
    """Set status, outcome and owner. Closing stamps the time, reopening takes it away.

    Raises Case.DoesNotExist, UnknownStatusError, or OutcomeMissingError when a case is closed without words.
    """
    if status not in Case.Status.values:
        raise UnknownStatusError(status)
    case = Case.objects.select_for_update().get(pk=case_id)
    outcome = outcome.strip()
    if status in CLOSED and not outcome:
        raise OutcomeMissingError
    if status not in CLOSED:
        case.closed_at = None
    elif case.closed_at is None:
        case.closed_at = now
    case.status = status
    case.outcome = outcome
    case.owner_id = owner.pk if owner else None
    case.save(update_fields=["status", "outcome", "owner", "closed_at"])
    return case
