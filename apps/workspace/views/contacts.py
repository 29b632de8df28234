"""One contact: what happened, what was decided, what was sent."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from apps.contacts.models import Contact
from apps.workspace import delivery, lists, mail_log
from apps.workspace.wording import what_next


@require_safe
@login_required
def contact(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The contact's history, newest first."""
    found = get_object_or_404(Contact.objects.select_related("company"), pk=pk)
    history = lists.contact_history(found)
    decided = [(decision, what_next(decision)) for decision in history.pop("decisions")]
    names = delivery.names_of(delivery.stream_groups()) if history["emails"] else {}
    written = [(row, mail_log.trouble_of(row), delivery.name_of(row.stream, names)) for row in history.pop("emails")]
    return render(
        request, "workspace/contact.html", {"contact": found, "decided": decided, "emails": written, **history}
    )
