"""Messages: what was sent to whom, as it was sent, what became of it, and what people do about it by hand."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from apps.contacts.models import Contact
from apps.messaging import by_hand as hands
from apps.messaging.links import masked, unlinked
from apps.messaging.models import MailPolicy, OutgoingEmail
from apps.messaging.parcels import as_sent
from apps.relays import services as relays
from apps.workspace import delivery, lists, mail_log
from apps.workspace.filters import EmailFilter
from apps.workspace.paging import PAGE_SIZE, page


@require_safe
@login_required
def emails(request: HttpRequest) -> HttpResponse:
    """Newest first, filtered."""
    groups = delivery.stream_groups()
    form = EmailFilter(request.GET, streams=groups)
    values = form.values()
    found = page(lists.emails(values, now=timezone.now()), field="queued_at", cursor=request.GET.get("cursor", ""))
    context = {
        "filter": form,
        "page": found,
        "emails": described(found.rows, delivery.names_of(groups)),
        "of_contact": Contact.objects.filter(pk=values["contact"]).first() if values["contact"] else None,
        "hands": _hands(request, values["status"]),
    }
    return render(request, "workspace/emails.html", context)


def described(rows: Iterable[OutgoingEmail], names: dict[str, str]) -> list[tuple[OutgoingEmail, Any, str]]:
    """Messages, each with what went wrong and the name of what it belongs to."""
    return [(row, mail_log.trouble_of(row), delivery.name_of(row.stream, names)) for row in rows]


def _hands(request: HttpRequest, status: str) -> tuple[str, ...]:
    """What the person may do about messages of this status."""
    found = {"unknown": (hands.HAS_LEFT, hands.SEND_NOW), "failed": (hands.RETRY,)}.get(status, ())
    return found if found and request.user.has_perm(hands.PERMISSION) else ()


@require_safe
@login_required
def email(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One message: as it was sent, what became of it, and the HTML in a frame that can do nothing."""
    related = lists.with_events()
    found = get_object_or_404(OutgoingEmail.objects.select_related("contact").prefetch_related(related), pk=pk)
    sent = as_sent(found)
    context = {
        "email": found,
        "is_kept": sent is not None,
        "has_html": sent is not None and bool(sent.html),
        "text": masked(sent.text) if sent else "",
        "keep_days": None if sent else (MailPolicy.objects.first() or MailPolicy()).keep_bodies_days,
        "story": mail_log.story(found, found.events.all(), mail_log.notes_of(found)),
        "trouble": mail_log.trouble_of(found),
        "pause": mail_log.pause_of(found),
        "stream_name": delivery.name_of(found.stream, delivery.names_of(delivery.stream_groups())),
        "service": dict(relays.choices()).get(found.relay, found.relay) if found.relay else delivery.PLATFORM,
        # Without its words nothing can be sent again.
        "hands": [what for what in _hands(request, found.status) if sent or what == hands.HAS_LEFT],
    }
    return render(request, "workspace/email.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def by_hand(request: HttpRequest) -> HttpResponse:
    """Ask once more, then do it: settle messages of unknown fate, or try failed ones again."""
    if not request.user.has_perm(hands.PERMISSION) or not isinstance(request.user, AbstractUser):
        raise PermissionDenied
    given = request.POST if request.method == "POST" else request.GET
    what = given.get("what", "")
    ids = _ids(given.getlist("id"))
    if what not in hands.NOTES:
        return redirect("workspace:emails")
    if not ids:
        messages.warning(request, _("Choose at least one message first."))
        return redirect(_list_of(what))
    back = reverse("workspace:email", args=ids) if len(ids) == 1 else _list_of(what)
    if request.method == "POST":
        count = hands.act(email_ids=ids, what=what, user=request.user, now=timezone.now())
        _say(request, what, count)
        return redirect(back)
    rows = list(hands.open_to(email_ids=ids, what=what))
    context = {"what": what, "rows": rows, "left_out": len(ids) - len(rows), "back": back}
    return render(request, "workspace/emails_by_hand.html", context)


def _ids(given: Iterable[str]) -> list[UUID]:
    """The ids that are ids, not more than a page of the list has."""
    found = []
    for text in list(given)[:PAGE_SIZE]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def _list_of(what: str) -> str:
    return reverse("workspace:emails") + ("?status=failed" if what == hands.RETRY else "?status=unknown")


def _say(request: HttpRequest, what: str, count: int) -> None:
    if what == hands.HAS_LEFT:
        text = ngettext("%(count)d message counts as sent now.", "%(count)d messages count as sent now.", count)
    else:
        text = ngettext("%(count)d message is sent now.", "%(count)d messages are sent now.", count)
    messages.success(request, text % {"count": count})


# Mails are styled inline, so the frame needs its own policy: styles and embedded pictures, nothing else.
@require_safe
@login_required
@xframe_options_sameorigin
@csp_replace(  # type: ignore[arg-type]  # typed for views without arguments
    {
        "default-src": [NONE],
        "script-src": [NONE],
        "style-src": [UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "form-action": [NONE],
        "frame-ancestors": [SELF],
        "sandbox": True,
    }
)
def html(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The HTML part on its own, for the frame; its links are personal and lead nowhere here."""
    sent = as_sent(get_object_or_404(OutgoingEmail, pk=pk))
    return HttpResponse(unlinked(sent.html) if sent else "")
