"""A contact asks to be called: whoever has the case is told, and where nobody has one, one is opened."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.cases import changing, noting, opening, services, telling
from apps.cases.changing import Changed, Changes
from apps.cases.models import Case, CaseChange
from apps.responses import listeners
from apps.responses.models import Response


@transaction.atomic
def asked(response_id: UUID, now: datetime) -> None:
    """Note on the case that the contact of this response asked to be called, and tell the owner.

    A closed case is opened again, as by a mail. Without a case one is opened, unless the response still awaits its
    follow-up: then rules decide, and whoever gets the case sees the wish. What a machine probably gave opens none.
    """
    response = Response.objects.get(pk=response_id)
    if response.contact_id is None:
        return
    case_id = _case_of(response)
    if case_id is None and response.follow_up != Response.FollowUp.PENDING:
        opening.open_cases(responses=[response], now=now)
        case_id = _case_of(response)
    if case_id is None:
        return
    case = changing.locked([case_id]).get()
    if case.merged_into_id is not None:  # At this very moment.
        case = changing.locked([case.merged_into_id]).get()
    if case.is_closed:
        case = services.change(
            case_id=case.pk, revision=None, changes=Changes(status=Case.Status.CONTACTED), by=None, now=now
        )
    data = {"response": str(response.pk), "call_back": True}
    changing.write([Changed(case, [(CaseChange.Kind.ANSWERED, data)])], by=None, now=now)
    telling.answered([case], now=now)


def _case_of(response: Response) -> UUID | None:
    """The response's case, or the one that went into; else the open case of its contact."""
    own = Case.objects.filter(response=response).values_list("pk", "merged_into_id").first()
    if own is not None:
        return own[1] or own[0]
    return noting.open_case_ids({response.contact_id}).get(response.contact_id) if response.contact_id else None


listeners.register(asked)
