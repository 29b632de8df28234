"""The way out: GET shows, POST suppresses. Mail programs post here by themselves (RFC 8058)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.contacts import services as contacts
from apps.contacts.models import Contact
from apps.messaging import links, services
from apps.messaging.models import Suppression


# One-click unsubscribing comes without cookies; the signed token is the authority.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show the button; on POST stop all mail to the contact. Asking twice is fine."""
    contact_id = links.contact_of(token)
    if contact_id is None:
        return render(request, "mail/unsubscribe.html", {"state": "unknown"}, status=404)
    contact = Contact.objects.filter(pk=contact_id).only("email").first()
    email = contact.email if contact else None
    if request.method == "POST" and email:
        now = timezone.now()
        services.suppress(emails=[email], reason=Suppression.Reason.UNSUBSCRIBED, source="unsubscribe link", now=now)
        contacts.object_to_mail(contact_id=contact_id, now=now)
    is_out = email is None or email in services.suppressed(emails=[email])
    return render(request, "mail/unsubscribe.html", {"state": "out" if is_out else "ask"})
