"""Who must not be written to: told by an integration, and listed for it."""

from datetime import timedelta
from typing import Any

from apps.api.delighted import finding
from apps.api.delighted.base import Call, Handler, endpoint
from apps.api.delighted.errors import BLANK, Invalid
from apps.api.delighted.paging import page_slice
from apps.api.delighted.shapes import unix
from apps.contacts.models import Contact
from apps.integrations.models import Scope
from apps.messaging import opt_in, suppressions
from apps.messaging.models import Suppression

SOURCE = "Delighted API"
Reason = Suppression.Reason


def create(call: Call) -> dict[str, Any]:
    """The person wants no more surveys: all their addresses are blocked. Twice is fine."""
    email = finding.email_of(call.params, "person_email")
    if not email:
        raise Invalid({"person_email": [BLANK]})
    contact = finding.find(email=email)
    if contact is None:
        suppressions.suppress(emails=[email], reason=Reason.UNSUBSCRIBED, source=SOURCE, now=call.now)
    else:
        opt_in.leave(contact=contact, source=SOURCE, now=call.now)
    return {"ok": True}


def unsubscribes(call: Call) -> list[dict[str, Any]]:
    """Addresses that left, complained, or were blocked by hand or import; oldest first."""
    return _listing(call, [Reason.UNSUBSCRIBED, Reason.COMPLAINED, Reason.MANUAL, Reason.IMPORTED], "unsubscribed_at")


def bounces(call: Call) -> list[dict[str, Any]]:
    """Addresses that do not exist (any more); oldest first."""
    return _listing(call, [Reason.BOUNCED], "bounced_at")


def _listing(call: Call, reasons: list[Reason], time_name: str) -> list[dict[str, Any]]:
    """A page of suppressions of mailboxes that hold and can be read. Two queries."""
    rows = Suppression.objects.filter(reason__in=reasons, lifted_at=None, email__contains="@")
    since, until = call.params.time("since"), call.params.time("until")
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    if until is not None:
        rows = rows.filter(created_at__lt=until + timedelta(seconds=1))
    page = list(rows.order_by("created_at", "id")[page_slice(call)])
    people = {row.email: row for row in Contact.objects.filter(email__in=[row.email.lower() for row in page])}
    return [_entry(row, people.get(row.email.lower()), time_name) for row in page]


def _entry(row: Suppression, contact: Contact | None, time_name: str) -> dict[str, Any]:
    """Clients want an id also of an address that is nobody's."""
    return {
        "person_id": str(contact.id) if contact else f"address-{row.pk}",
        "email": row.email,
        "name": (contact.name if contact else "") or None,
        time_name: unix(row.created_at),
    }


UNSUBSCRIBES = endpoint(get=Handler(unsubscribes, Scope.READ), post=Handler(create, Scope.SUPPRESSIONS_WRITE))
BOUNCES = endpoint(get=Handler(bounces, Scope.READ))
