"""Where Twilio reports what became of text messages, and passes on what people answer. On the public host."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.messaging.sms import replies, signals
from apps.messaging.sms.twilio_api import is_genuine, kinds_of


def _refusal(request: HttpRequest, name: str) -> HttpResponse | None:
    """Why the request is not heard; None if Twilio sent it."""
    if settings.SMS.get("provider") != "twilio":
        return HttpResponse("Not found.", status=404, content_type="text/plain")
    signature = request.headers.get("X-Twilio-Signature", "")
    if not is_genuine(token=settings.SMS["token"], name=name, posted=request.POST, signature=signature):
        return HttpResponse("The signature is missing or wrong.", status=403, content_type="text/plain")
    return None


# No cookies: the signature is the authority.
@csrf_exempt
@never_cache
@require_POST
def events(request: HttpRequest) -> HttpResponse:
    """A message's status changed."""
    refusal = _refusal(request, "events")
    if refusal is not None:
        return refusal
    sid, status = request.POST.get("MessageSid", ""), request.POST.get("MessageStatus", "")
    code = request.POST.get("ErrorCode", "")
    detail = " ".join(filter(None, (code, request.POST.get("ErrorMessage", ""))))
    for kind in kinds_of(status, code):
        signals.reported.send(
            sender=None, sid=sid, kind=kind, detail=detail, event_id=f"{sid}:{status}", now=timezone.now()
        )
    return HttpResponse(status=204)


@csrf_exempt
@never_cache
@require_POST
def inbound(request: HttpRequest) -> HttpResponse:
    """Somebody answered a text message. Only a wish to stop is acted upon; nothing is sent back."""
    refusal = _refusal(request, "inbound")
    if refusal is not None:
        return refusal
    if request.POST.get("OptOutType") == "STOP" or replies.is_stop(request.POST.get("Body", "")):
        signals.stopped.send(sender=None, number=request.POST.get("From", ""), now=timezone.now())
    return HttpResponse("<Response/>", content_type="text/xml")
