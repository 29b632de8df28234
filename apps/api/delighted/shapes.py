"""People as Delighted's clients know them. Times are whole seconds since 1970."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max, Min

from apps.contacts.models import Contact, Outreach
from apps.responses.models import Response
from apps.surveys.models import Invitation


def unix(at: datetime | None) -> int | None:
    """Seconds since 1970."""
    return int(at.timestamp()) if at is not None else None


def person_brief(contact: Contact) -> dict[str, Any]:
    """The person alone."""
    return {
        "id": str(contact.id),
        "name": contact.name or None,
        "email": contact.email,
        "phone_number": contact.phone or None,
        "created_at": unix(contact.created_at),
    }


def people(contacts: Collection[Contact]) -> list[dict[str, Any]]:
    """People with when they were asked, answered, and will be asked. Three queries for any number."""
    ids = [contact.id for contact in contacts]
    sent = dict(
        Outreach.objects.filter(contact_id__in=ids, kind=Outreach.Kind.INVITATION, state=Outreach.State.SPENT)
        .values_list("contact_id")
        .annotate(at=Max("at"))
    )
    answered = dict(
        Response.objects.filter(contact_id__in=ids).values_list("contact_id").annotate(at=Max("answered_at"))
    )
    planned = next_asked(ids)
    return [
        {
            **person_brief(contact),
            "last_sent_at": unix(sent.get(contact.id)),
            "last_responded_at": unix(answered.get(contact.id)),
            "next_survey_scheduled_at": unix(planned.get(contact.id)),
        }
        for contact in contacts
    ]


def next_asked(ids: Collection[UUID]) -> dict[UUID | None, datetime]:
    """When each contact's next invitation that is planned goes out. One query."""
    planned = Invitation.objects.filter(contact_id__in=ids, status=Invitation.Status.SCHEDULED)
    return dict(planned.values_list("contact_id").annotate(at=Min("send_at")))
