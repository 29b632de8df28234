"""The contact budget's ledger and the legal basis of writing to a contact."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from apps.contacts.eligibility import Policy
from apps.contacts.models import Contact, ContactBudget, LegalBasis, Outreach


@dataclass(frozen=True, slots=True)
class Approach:
    """One approach to enter into the ledger. ``reason`` is unique, e.g. ``invitation:<id>``."""

    contact_id: UUID
    kind: Outreach.Kind
    reason: str
    at: datetime


def current_policy() -> Policy:
    """The tenant's contact budget; without one, the model's default."""
    budget = ContactBudget.objects.first() or ContactBudget()
    return Policy(min_gap=timedelta(days=budget.min_days_between))


def enter_approaches(*, approaches: Sequence[Approach], state: Outreach.State = Outreach.State.RESERVED) -> None:
    """Write approaches into the ledger; one that is there already stays as it is."""
    rows = [Outreach(contact_id=a.contact_id, kind=a.kind, reason=a.reason, at=a.at, state=state) for a in approaches]
    Outreach.objects.bulk_create(rows, ignore_conflicts=True)


def spend(*, reasons: Collection[str], now: datetime) -> None:
    """The approaches happened now."""
    Outreach.objects.filter(reason__in=reasons).update(state=Outreach.State.SPENT, at=now)


def release(*, reasons: Collection[str]) -> None:
    """The approaches will not happen; their place in the budget is free again."""
    Outreach.objects.filter(reason__in=reasons).exclude(state=Outreach.State.SPENT).update(
        state=Outreach.State.RELEASED
    )


def outreach_times(*, contact_ids: Collection[UUID], since: datetime) -> dict[UUID, dict[str, datetime]]:
    """Per contact: reason → time of every approach, reserved or made, since then."""
    times: dict[UUID, dict[str, datetime]] = defaultdict(dict)
    rows = Outreach.objects.filter(contact_id__in=contact_ids, at__gte=since).exclude(state=Outreach.State.RELEASED)
    for contact_id, reason, at in rows.values_list("contact_id", "reason", "at"):
        times[contact_id][reason] = at
    return times


def with_legal_basis(*, contact_ids: Collection[UUID]) -> set[UUID]:
    """Those of the contacts that we may write to."""
    rows = LegalBasis.objects.filter(contact_id__in=contact_ids, revoked_at__isnull=True)
    return set(rows.values_list("contact_id", flat=True))


def record_legal_bases(*, bases: Sequence[LegalBasis]) -> None:
    """Store why contacts may be written to. One that is known (also a revoked one) is not changed."""
    objected = set(
        LegalBasis.objects.filter(contact_id__in=[b.contact_id for b in bases], revoked_at__isnull=False).values_list(
            "contact_id", flat=True
        )
    )
    # Who objected is won back by a new consent only, not by the next purchase.
    fresh = [b for b in bases if b.kind == LegalBasis.Kind.CONSENT or b.contact_id not in objected]
    LegalBasis.objects.bulk_create(fresh, ignore_conflicts=True)


def object_to_mail(*, contact_id: UUID, now: datetime) -> None:
    """The person objects: every legal basis ends, also for addresses that become known later."""
    LegalBasis.objects.filter(contact_id=contact_id, revoked_at=None).update(revoked_at=now)


def lock(*, contact_ids: Sequence[UUID]) -> None:
    """Lock contacts in id order while their budget is looked at and spent (no deadlocks, no overspending)."""
    list(Contact.objects.filter(id__in=contact_ids).order_by("id").select_for_update().values_list("id"))


def move(*, approaches: Sequence[Approach]) -> None:
    """Move reserved approaches to another time."""
    reserved = {a.reason: a.at for a in approaches}
    rows = list(Outreach.objects.filter(reason__in=reserved, state=Outreach.State.RESERVED))
    for row in rows:
        row.at = reserved[row.reason]
    Outreach.objects.bulk_update(rows, ["at"], batch_size=500)
