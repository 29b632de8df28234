"""Pages that show the mails filed by ``MaildirBackend``."""

import re
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from apps.messaging import maildir

PER_PAGE = 50
JSON_LIMIT = 200
# What the mail's own HTML may do: open links outside the frame, and nothing else.
SANDBOX = ["allow-popups", "allow-popups-to-escape-sandbox", "allow-top-navigation-by-user-activation"]
MAIL_CSP: dict[str, Any] = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": ["data:"],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [SELF],
    "sandbox": SANDBOX,
}
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_BASE = '<base target="_blank">'


@require_safe
@never_cache
def message_list(request: HttpRequest) -> HttpResponse:
    """Newest mails first, with a search over recipients and subjects."""
    words = request.GET.get("q", "").strip()[:200]
    page = Paginator(maildir.newest(words=words), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "mailbox/list.html", {"page": page, "words": words})


@require_safe
@never_cache
def message(request: HttpRequest, key: str) -> HttpResponse:
    """One mail: headers, text, and its HTML in a frame of its own."""
    return render(request, "mailbox/message.html", {"mail": _find(key), "sandbox": " ".join(SANDBOX)})


@require_safe
@never_cache
@xframe_options_sameorigin
@csp(MAIL_CSP)  # type: ignore[arg-type]
def message_html(request: HttpRequest, key: str) -> HttpResponse:
    """The mail's HTML as it is, apart from links opening outside the frame."""
    html = _find(key).html
    head = _HEAD.search(html)
    at = head.end() if head else 0
    return HttpResponse(html[:at] + _BASE + html[at:])


@require_safe
@never_cache
def messages_json(request: HttpRequest) -> JsonResponse:
    """The newest mails for scripts: ``?to=`` one address, ``?q=`` words in recipient or subject."""
    mails = maildir.newest(
        to=request.GET.get("to", "").strip()[:320], words=request.GET.get("q", "").strip()[:200], limit=JSON_LIMIT
    )
    return JsonResponse({"messages": [_as_json(mail) for mail in mails]})


def _find(key: str) -> maildir.Mail:
    mail = maildir.find(key)
    if mail is None:
        raise Http404
    return mail


def _as_json(mail: maildir.Mail) -> dict[str, Any]:
    return {
        "id": mail.id,
        "received_at": mail.received_at.isoformat(),
        "from": mail.sender,
        "to": list(mail.recipients),
        "subject": mail.subject,
        "headers": dict(mail.headers),
        "text": mail.text,
        "html": mail.html,
    }
