"""What all pages of a respondent share: language, headers, and how what was found becomes HTML."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from apps.common import limits
from apps.common.compression import compress
from apps.common.texts import base_language
from apps.responses.finding import Found
from apps.responses.forms import sentence
from apps.surveys.mails import current_theme
from apps.surveys.models import Theme
from apps.surveys.pages import render_message, render_page, render_thanks
from apps.surveys.sheets import Sheet

MAX_WRONG_LINKS = 30
_LANGUAGES = dict(settings.LANGUAGES)


def language_of(request: HttpRequest, found: Found | None) -> str:
    """The language that the address asks for, else the answer's, the contact's, the browser's."""
    asked = request.GET.get("lang", "")
    known = [asked, found.response.locale if found and found.response else "", found.locale if found else ""]
    for locale in known:
        if locale and base_language(locale) in _LANGUAGES:
            return base_language(locale)
    return base_language(translation.get_language_from_request(request))


def page(request: HttpRequest, found: Found, sheet: Sheet, status: int = 200) -> HttpResponse:
    """The page of questions as it is sent."""
    return send(request, render_page(sheet), sheet.language, status, found if sheet.is_embedded else None)


def thanks(request: HttpRequest, found: Found, sheet: Sheet, status: int = 200) -> HttpResponse:
    """The thanks as they are sent."""
    return send(request, render_thanks(sheet), sheet.language, status, found if sheet.is_embedded else None)


def sheet_of(
    request: HttpRequest,
    found: Found,
    *,
    number: int = 0,
    hidden: Mapping[str, str] | None = None,
    action: str = "",
    errors: Mapping[str, str] | None = None,
    kiosk_url: str = "",
    **addresses: str,
) -> Sheet:
    """What a page is made from. ``addresses`` are the sheet's trap, change_url and call_back_url."""
    language = language_of(request, found)
    return Sheet(
        definition=found.definition,
        theme=found.theme,
        language=language,
        page=number,
        answers=found.answers,
        facts={**found.facts, "response": {"language": language}},
        touchpoint=found.touchpoint,
        errors={name: sentence(code) for name, code in (errors or {}).items()},
        typed=_typed(request, found, number),
        hidden={**(hidden or {}), "p": str(number)},
        action=action,
        # What was posted has no address of its own to come back to.
        languages={} if request.method == "POST" else other_languages(request, found, language),
        call_back=found.response.call_back if found.response else "",
        kiosk_url=kiosk_url,
        is_embedded=is_framed(request),
        wants_address=not found.is_known,
        was_answered=found.response is not None and not found.response.is_partial,
        nonce=str(getattr(request, "csp_nonce", "")),
        **addresses,  # type: ignore[arg-type]
    )


def _typed(request: HttpRequest, found: Found, number: int) -> dict[str, Sequence[str]]:
    """What was posted, else the score of the link; what was answered before comes from the answers."""
    if request.method == "POST":
        return {name: request.POST.getlist(name) for name in request.POST}
    if number == 0 and found.definition.lead and "score" in request.GET:
        return {found.definition.lead.field_name: [request.GET["score"]]}
    return {}


def is_framed(request: HttpRequest) -> bool:
    """Whether the page is to be shown within another site's."""
    return "embed" in request.GET


def other_languages(request: HttpRequest, found: Found, language: str) -> dict[str, str]:
    """Where to read the survey in the other languages it is written in."""
    lead = found.definition.lead
    query = request.GET.copy()
    result = {}
    for code in _LANGUAGES:
        if lead and lead.text.get(code) and code != language:
            query["lang"] = code
            result[code] = f"?{query.urlencode()}"
    return result


def where(request: HttpRequest, name: str, token: str, **query: str) -> str:
    """An address of the same answer, in the same language and frame."""
    kept = {key: request.GET[key] for key in ("lang", "embed") if key in request.GET}
    together = {**kept, **query}
    return reverse(f"responses:{name}", args=[token]) + (f"?{urlencode(together)}" if together else "")


def closed(request: HttpRequest, status: int) -> HttpResponse:
    """The one answer to links that lead nowhere, whatever the reason."""
    language = language_of(request, None)
    with translation.override(language):
        heading = _("This link is not valid (any more)")
        text = _("Please open the link from the newest mail you got from us, and make sure that it is complete.")
    return _message(request, current_theme(), language, heading, text, status)


def over(request: HttpRequest, found: Found) -> HttpResponse:
    """The survey has been closed."""
    language = language_of(request, found)
    with translation.override(language):
        heading, text = _("This survey is closed"), _("Thank you for your interest. Answers are no longer collected.")
    return _message(request, found.theme, language, heading, text, 410, found)


def used(request: HttpRequest, found: Found) -> HttpResponse:
    """The link of an anonymous survey has made its answer."""
    language = language_of(request, found)
    with translation.override(language):
        heading = _("You have answered already")
        text = _("Your answer was stored without your name, so it cannot be found and changed any more. Thank you!")
    return _message(request, found.theme, language, heading, text, 200, found)


def _message(
    request: HttpRequest, theme: Theme, language: str, heading: str, text: str, status: int, found: Found | None = None
) -> HttpResponse:
    framed = is_framed(request)
    nonce = str(getattr(request, "csp_nonce", ""))
    html = render_message(theme=theme, language=language, heading=heading, text=text, nonce=nonce, is_embedded=framed)
    return send(request, html, language, status, found if framed else None)


def wrong_link(request: HttpRequest) -> HttpResponse:
    """The same 404 for every link that is not known; for guessers 429 after a while.

    Right links always work: guessers must not lock out those who share their address (a proxy, an office).
    """
    if limits.count(request, "wrong-link") > MAX_WRONG_LINKS:
        return too_many(request)
    return closed(request, 404)


def too_many(request: HttpRequest) -> HttpResponse:
    """Slow down."""
    with translation.override(language_of(request, None)):
        text = _("That was too often. Please try again in a minute.")
    return HttpResponse(text, status=429, content_type="text/plain; charset=utf-8", headers={"Retry-After": "60"})


def send(request: HttpRequest, html: str, language: str, status: int, framed_by: Found | None) -> HttpResponse:
    """Never stored, never indexed, no address passed on; in frames of the tenant's own websites only."""
    answer = HttpResponse(html, status=status)
    answer["Cache-Control"] = "private, no-store"
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    answer["Content-Language"] = language
    if framed_by is not None and framed_by.frame_ancestors:
        # What django-csp's decorator csp_replace sets; here it depends on what was found.
        answer._csp_replace = {"frame-ancestors": list(framed_by.frame_ancestors)}  # type: ignore[attr-defined]
        answer.xframe_options_exempt = True
    return compress(request, answer)


def is_readable(request: HttpRequest) -> bool:
    """Whether a posted page is in UTF-8, as ours are; nothing else is tried."""
    return str((request.content_params or {}).get("charset", "utf-8")).lower() in {"utf-8", "utf8"}


def unreadable() -> HttpResponse:
    """Not one of our pages."""
    return HttpResponse("Bad request.", status=400, content_type="text/plain")
