"""Lists as files: all that the filters leave, not a page of it."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.contacts.models import Contact
from apps.responses.models import Response
from apps.transfers.export_contacts import contact_table
from apps.transfers.export_responses import response_table
from apps.transfers.exports import KINDS, download, note
from apps.workspace import lists
from apps.workspace.filters import ContactFilter, Filter, ResponseFilter

CONTACTS = "contacts.view_contact"
RESPONSES = "responses.view_response"
"""One page of a list is for everybody who signs in; all of it at once is for whoever was given the right."""


@login_required
@require_GET
def contacts(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The contacts that fit the filters, newest first."""
    user = may_export(request, kind, CONTACTS)
    form = ContactFilter(request.GET, segments=lists.segments())
    found = lists.contacts(form.values(), now=timezone.now()).order_by("-pk")
    table = contact_table(found, zone=timezone.get_current_timezone())
    note(Contact, user=user, kind=kind, filters=used(form))
    return download(table, kind=kind, name="contacts", today=timezone.localdate())


@login_required
@require_GET
def responses(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The responses that fit the filters, newest first."""
    user = may_export(request, kind, RESPONSES)
    form = ResponseFilter(request.GET, touchpoints=lists.touchpoints(), segments=lists.segments())
    values = form.values()
    found = lists.by_suspicion(lists.responses(values, now=timezone.now()), values["suspected"])
    table = response_table(found.order_by("-answered_at", "-pk"), zone=timezone.get_current_timezone())
    note(Response, user=user, kind=kind, filters=used(form))
    return download(table, kind=kind, name="responses", today=timezone.localdate())


def may_export(request: HttpRequest, kind: str, permission: str) -> AbstractUser:
    """Who asks, if they may and there is such a kind of file."""
    if not request.user.has_perm(permission) or not isinstance(request.user, AbstractUser):
        raise PermissionDenied
    if kind not in KINDS:
        raise Http404
    return request.user


def used(form: Filter) -> list[str]:
    """By what a list is narrowed, never by which words."""
    values: dict[str, Any] = form.values()
    return [name for name, value in values.items() if value]
