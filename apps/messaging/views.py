"""Pages that mails lead to: the way out, the contact's wishes, confirming a consent. GET shows, POST writes.

Link scanners and mail programs' previews open every link: that must change nothing. No page needs a cookie or a
script. Mail programs unsubscribe by themselves (RFC 8058).
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.common import limits
from apps.common.texts import base_language
from apps.contacts import preferences as wishes
from apps.contacts.models import Contact, OptIn, Preference
from apps.messaging import links, opt_in, suppressions
from apps.messaging.models import Suppression
from apps.messaging.opt_in import Ask

MAX_WRONG_LINKS = 30
MAX_POSTS = 30
"""So many writing requests an address sends in a minute before it is told to slow down; unsubscribing always works."""
_LANGUAGES = dict(settings.LANGUAGES)
_GAPS = {str(value): value for value in Preference.Gap.values}


# One-click unsubscribing comes without cookies; the signed token is the authority.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show the way out and the contact's wishes; on POST stop all mail to the contact. Asking twice is fine."""
    contact_id = links.contact_of(token)
    if contact_id is None:
        return _way_out_of_mailbox(request, token)
    contact = _contact(contact_id)
    if request.method == "POST" and contact is not None:
        opt_in.leave(contact=contact, source=_source(request), now=timezone.now())
    return _way_out(request, token, contact, saved="saved" in request.GET, asked_again="again" in request.GET)


def _way_out_of_mailbox(request: HttpRequest, token: str) -> HttpResponse:
    """The same for a mailbox that was asked and is not the contact's own: nothing of the contact's is shown there."""
    question_id = links.question_of(token)
    if question_id is None:
        return _wrong_link(request, "mail/unsubscribe.html")
    row = OptIn.objects.filter(pk=question_id).first()
    if request.method == "POST" and row is not None:
        opt_in.leave_mailbox(question=row, source=_source(request), now=timezone.now())
    is_out = row is None or bool(suppressions.suppressed(emails=[row.email]))
    context = {"state": "out" if is_out else "ask", "token": token}
    return _page(request, "mail/unsubscribe.html", context, row.language if row else "")


def _source(request: HttpRequest) -> str:
    # The body is looked at, not parsed: however it is wrapped, who posts here wants to leave.
    by_program = b"List-Unsubscribe" in request.body
    return "one-click, by the mail program" if by_program else "unsubscribe page"


@csrf_exempt
@require_http_methods(["POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Keep what the contact wishes to get, and how often."""
    contact = _known(token)
    if contact is None:
        return _wrong_link(request, "mail/unsubscribe.html")
    if limits.count(request, "wishes") > MAX_POSTS:
        return _too_many(request, contact.locale)
    every = request.POST.get("every", "")
    row = Preference(
        contact=contact,
        wants_surveys="surveys" in request.POST,
        wants_follow_ups="follow_ups" in request.POST,
        min_days_between=_GAPS.get(every),
    )
    if every and every not in _GAPS:
        return _way_out(request, token, contact, row=row, status=422)
    wishes.change(
        contact_id=contact.id,
        wants_surveys=row.wants_surveys,
        wants_follow_ups=row.wants_follow_ups,
        min_days_between=row.min_days_between,
        now=timezone.now(),
    )
    return HttpResponseRedirect(f"{reverse('messaging:unsubscribe', args=[token])}?saved", status=303)


@csrf_exempt
@require_http_methods(["POST"])
def again(request: HttpRequest, token: str) -> HttpResponse:
    """Who left and has changed their mind is asked anew, by a mail with a link; nothing else brings them back."""
    contact = _known(token)
    if contact is None:
        return _wrong_link(request, "mail/unsubscribe.html")
    if limits.count(request, "wishes") > MAX_POSTS:
        return _too_many(request, contact.locale)
    if contact.email and _may_return(contact):
        _ask_again(contact, contact.email, _language(request, contact.locale), timezone.now())
    return HttpResponseRedirect(f"{reverse('messaging:unsubscribe', args=[token])}?again", status=303)


def _ask_again(contact: Contact, email: str, language: str, now: datetime) -> None:
    with translation.override(language):
        wording = _(
            "Yes, please write to me again: short surveys about what I experienced with you, and mails that follow my"
            " answers. I can object at any time."
        )
    asked = Ask(
        # Once a day is enough, however often the button is pressed.
        reason=f"again:{contact.id}:{now:%Y-%m-%d}",
        email=email,
        contact_id=contact.id,
        source="unsubscribe page",
        text_version="again 1",
        wording=wording,
        language=language,
        is_own_wish=True,
    )
    opt_in.request(asks=[asked], now=now)


# The token in the address is the authority, as with unsubscribing.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Show what is agreed to; on POST note that it was confirmed. Twice is fine."""
    row = opt_in.find(token=token)
    if row is None:
        return _wrong_link(request, "mail/confirm.html")
    now = timezone.now()
    if request.method == "POST":
        if limits.count(request, "confirm") > MAX_POSTS:
            return _too_many(request, row.language)
        opt_in.confirm(request_id=row.id, now=now)
        row.refresh_from_db()
    context = {"row": row, "state": _state_of(row, now), "token": token}
    return _page(request, "mail/confirm.html", context, row.language)


def _state_of(row: OptIn, now: datetime) -> str:
    if row.confirmed_at is not None:
        # Who objected since then reads no thanks for what does not hold any more.
        return "confirmed" if row.legal_bases.filter(revoked_at=None).exists() else "unknown"
    return "ask" if row.expires_at is not None and row.expires_at >= now else "expired"


def _contact(contact_id: UUID) -> Contact | None:
    return Contact.objects.filter(pk=contact_id).only("id", "email", "phone", "locale").first()


def _known(token: str) -> Contact | None:
    contact_id = links.contact_of(token)
    return _contact(contact_id) if contact_id else None


def _may_return(contact: Contact) -> bool:
    """Whether the person themself left: only that can be taken back by asking them anew."""
    email = contact.email
    return bool(email) and suppressions.reasons_of(emails=[email or ""]) == {email: Suppression.Reason.UNSUBSCRIBED}


def _way_out(
    request: HttpRequest, token: str, contact: Contact | None, *, row: Preference | None = None, status: int = 200,
    **shown: Any,
) -> HttpResponse:  # fmt: skip
    """The page in its state: the contact still gets mails, or is out. ``row`` is what was posted in vain."""
    addresses = opt_in.addresses_of(contact) if contact else set()
    is_out = addresses <= suppressions.suppressed(emails=addresses)
    language = _language(request, contact.locale if contact else "")
    context = {"state": "out" if is_out else "ask", "token": token, **shown}
    if contact is not None and is_out:
        context["may_return"] = _may_return(contact)
    elif contact is not None:
        kept = row or Preference.objects.filter(contact=contact).first() or Preference(contact=contact)
        with translation.override(language):
            context |= {
                "wishes": kept,
                "gaps": [("", _("as usual")), *((str(value), str(label)) for value, label in Preference.Gap.choices)],
                "chosen": str(kept.min_days_between or ""),
                "problem": _("Please choose one of the times below.") if row else "",
            }
    return _page(request, "mail/unsubscribe.html", context, language, status)


def _language(request: HttpRequest, locale: str) -> str:
    """The person's own language if we have it, else the browser's."""
    own = base_language(locale)
    return own if own in _LANGUAGES else base_language(translation.get_language_from_request(request))


def _page(request: HttpRequest, template: str, context: dict[str, Any], locale: str, status: int = 200) -> HttpResponse:
    """A page that is never stored, never indexed, and passes its address on to nobody."""
    language = _language(request, locale)
    with translation.override(language):
        answer = render(request, template, context, status=status)
    answer["Content-Language"] = language
    answer["Cache-Control"] = "private, no-store"
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _wrong_link(request: HttpRequest, template: str) -> HttpResponse:
    """The same 404 for every link that is not known; for guessers 429 after a while. Right links always work."""
    if limits.count(request, "wrong-link") > MAX_WRONG_LINKS:
        return _too_many(request, "")
    return _page(request, template, {"state": "unknown"}, "", 404)


def _too_many(request: HttpRequest, locale: str) -> HttpResponse:
    with translation.override(_language(request, locale)):
        text = _("That was too often. Please try again in a minute.")
    return HttpResponse(text, status=429, content_type="text/plain; charset=utf-8", headers={"Retry-After": "60"})
