"""Contacts: the list, and of one what happened, what was decided, what was sent."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.contacts.models import Contact
from apps.messaging.models import Suppression
from apps.messaging.suppressions import reasons_of
from apps.workspace import delivery, lists, lists_cases, mail_log
from apps.workspace.filters import ContactFilter
from apps.workspace.paging import page_by_id
from apps.workspace.wording import what_next


@login_required
@require_safe
def contacts(request: HttpRequest) -> HttpResponse:
    """Newest first, filtered; with why we may write to them, and why not."""
    form = ContactFilter(request.GET, segments=lists.segments())
    found = lists.with_bases(lists.contacts(form.values(), now=timezone.now()))
    rows = page_by_id(found, cursor=request.GET.get("cursor", ""))
    addresses = {address for row in rows.rows for address in (row.email, row.phone) if address}
    blocked = {address: str(Suppression.Reason(code).label) for address, code in reasons_of(emails=addresses).items()}
    context = {
        "filter": form,
        "page": rows,
        "contacts": [(row, blocked.get(row.email or "") or blocked.get(row.phone, "")) for row in rows.rows],
    }
    return render(request, "workspace/contacts.html", context)


@login_required
@require_safe
def contact(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The contact's history, newest first."""
    found = get_object_or_404(Contact.objects.select_related("company"), pk=pk)
    history = lists.contact_history(found)
    decided = [(decision, what_next(decision)) for decision in history.pop("decisions")]
    names = delivery.names_of(delivery.stream_groups()) if history["emails"] else {}
    written = [(row, mail_log.trouble_of(row), delivery.name_of(row.stream, names)) for row in history.pop("emails")]
    context = {
        "contact": found,
        "decided": decided,
        "emails": written,
        "cases": lists_cases.cases_of(found),
        "now": timezone.now(),
        **history,
    }
    return render(request, "workspace/contact.html", context)
