"""E-mails as they were sent."""

from uuid import UUID

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from apps.messaging.models import OutgoingEmail
from apps.messaging.parcels import as_sent
from apps.workspace import lists
from apps.workspace.filters import EmailFilter
from apps.workspace.paging import page


@require_safe
@login_required
def emails(request: HttpRequest) -> HttpResponse:
    """Newest first, filtered."""
    form = EmailFilter(request.GET)
    found = lists.emails(form.values())
    context = {"filter": form, "page": page(found, field="queued_at", cursor=request.GET.get("cursor", ""))}
    return render(request, "workspace/emails.html", context)


@require_safe
@login_required
def email(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One e-mail: head, text, and the HTML in a frame that can do nothing."""
    found = get_object_or_404(OutgoingEmail.objects.select_related("contact"), pk=pk)
    return render(request, "workspace/email.html", {"email": found, "sent": as_sent(found)})


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
    """The HTML part on its own, for the frame."""
    sent = as_sent(get_object_or_404(OutgoingEmail, pk=pk))
    return HttpResponse(sent.html if sent else "")
