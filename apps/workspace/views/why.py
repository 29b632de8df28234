"""Why was a contact asked, or not: the search, one event, one contact."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from apps.contacts.models import Contact
from apps.touchpoints.models import Event
from apps.workspace import why
from apps.workspace.explaining import budget_in_words
from apps.workspace.filters import Filter
from apps.workspace.paging import Total, page, total

CONTACTS, EVENTS = "contacts", "events"


@require_safe
@login_required
def search(request: HttpRequest) -> HttpResponse:
    """Contacts and events that fit the words, one kind at a time; without words the latest events."""
    form = Filter(request.GET)
    words = form.values()["q"]
    wanted, cursor = request.GET.get("kind", ""), request.GET.get("cursor", "")
    found = {CONTACTS: why.contacts(words), EVENTS: why.events(words)}
    totals = {kind: total(queryset) for kind, queryset in found.items()}
    shown = wanted if wanted in found else _likely(words, totals)
    field = "created_at" if shown == CONTACTS else "occurred_at"
    labels = {CONTACTS: _("Contacts"), EVENTS: _("Events")}
    context = {
        "filter": form,
        "shown": shown,
        "kinds": [(kind, labels[kind], totals[kind]) for kind in found],
        "page": page(found[shown], field=field, cursor=cursor, counted=totals[shown]),
    }
    return render(request, "workspace/why.html", context)


def _likely(words: str, totals: dict[str, Total]) -> str:
    """What is probably meant: people look for contacts by words; an id that no contact has is an event's."""
    if not words:
        return EVENTS
    return CONTACTS if totals[CONTACTS].total or not totals[EVENTS].total else EVENTS


@require_safe
@login_required
def event(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What each rule decided for an event, and what it would decide now."""
    try:
        found = why.event(pk)
    except Event.DoesNotExist as error:
        raise Http404 from error
    return render(request, "workspace/why_event.html", {"event": found, "now": timezone.now()})


@require_safe
@login_required
def contact(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What speaks for and against asking a contact now."""
    found = get_object_or_404(Contact.objects.select_related("company"), pk=pk)
    about = why.about_contact(found)
    context = {"contact": found, "about": about, "budget": budget_in_words(about.budget), "now": timezone.now()}
    return render(request, "workspace/why_contact.html", context)
