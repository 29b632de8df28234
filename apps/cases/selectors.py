"""Which cases there are: open ones, one contact's, and how many of whom."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from apps.cases.changing import CLOSED
from apps.cases.models import Case
from apps.contacts.models import Contact
from apps.responses.models import Response


def visible(found: QuerySet[Case] | None = None) -> QuerySet[Case]:
    """Without those that went into another case: they are in no list, count or figure."""
    return (Case.objects.all() if found is None else found).filter(merged_into=None)


def open_cases_of(contact: Contact) -> QuerySet[Case]:
    """A contact's open cases, the first due first."""
    return visible().filter(contact=contact, closed_at=None).order_by("due_at", "pk")


def overdue(found: QuerySet[Case], *, now: datetime) -> QuerySet[Case]:
    """Those that are open past their time, or whose contact should have heard from us."""
    unheard = Q(first_contact_at=None, contact_due_at__lt=now)
    return found.filter(Q(due_at__lt=now) | unheard, closed_at=None, merged_into=None)


def responses_of(case: Case) -> QuerySet[Response]:
    """The responses of a case and of those that went into it, in the order in which they were given."""
    found = Response.objects.filter(Q(case=case) | Q(case__merged_into=case))
    return found.order_by("answered_at", "pk")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many cases there are."""

    by_status: dict[str, int] = field(default_factory=dict)
    open_by_owner: dict[int | None, int] = field(default_factory=dict)
    """None: nobody's."""
    overdue_by_owner: dict[int | None, int] = field(default_factory=dict)

    @property
    def open(self) -> int:
        """All that are open."""
        return sum(self.open_by_owner.values())

    @property
    def overdue(self) -> int:
        """All that are overdue."""
        return sum(self.overdue_by_owner.values())


def counts(found: QuerySet[Case] | None = None, *, now: datetime) -> Counts:
    """How many cases there are by status, and open and overdue ones by owner. One query."""
    late = Q(due_at__lt=now) | Q(first_contact_at=None, contact_due_at__lt=now)
    rows = visible(found).order_by().values("status", "owner_id")
    told = Counts(dict.fromkeys(Case.Status.values, 0))
    for row in rows.annotate(number=Count("pk"), late=Count("pk", filter=late)):
        told.by_status[row["status"]] += row["number"]
        if row["status"] not in CLOSED:
            owner_id = row["owner_id"]
            told.open_by_owner[owner_id] = told.open_by_owner.get(owner_id, 0) + row["number"]
            told.overdue_by_owner[owner_id] = told.overdue_by_owner.get(owner_id, 0) + row["late"]
    return told


def where_it_went(case_id: UUID) -> UUID | None:
    """The case that this one went into; None if it is there itself, or nowhere."""
    return Case.objects.filter(pk=case_id).values_list("merged_into_id", flat=True).first()
