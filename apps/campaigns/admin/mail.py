"""The mail of a step beside its form, and a test of it to whoever writes it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from apps.campaigns import mail_previews
from apps.campaigns.admin.live import LiveSequence
from apps.campaigns.mail_previews import Shown
from apps.common import limits
from apps.messaging import trials
from apps.responses.models import Response

TRIALS_AN_HOUR = 10
OFFERED = 10
MAY_SEE = "responses.view_response"
_LANGUAGES = [code for code, _name in settings.LANGUAGES]
# Mails are styled inline, so the frame needs its own policy: styles and embedded pictures, nothing else.
_POLICY = {
    "default-src": [NONE],
    "script-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": ["data:"],
    "form-action": [NONE],
    "base-uri": [NONE],
    "frame-ancestors": [SELF],
    "sandbox": ["allow-same-origin"],
}


def _framed(view: Callable[..., Any]) -> Callable[..., Any]:
    strict: Callable[..., Any] = csp_update({})(csp_replace(_POLICY)(xframe_options_sameorigin(view)))
    return strict


class MailPages(LiveSequence):
    """What the preview asks for: POST only, for the form as it stands is sent along."""

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., Any]] = {
            "mail": _framed(self.admin_site.admin_view(require_POST(self.mail_view))),
            "trial": self.admin_site.admin_view(require_POST(self.trial_view)),
        }
        own = [path(f"{word}/", view, name=f"campaigns_campaign_{word}") for word, view in views.items()]
        return [*own, *super().get_urls()]

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        context = super().page_context(request, obj)
        if self.may_write(request, obj):
            context["samples"] = _latest(request)
        return context

    def mail_view(self, request: HttpRequest) -> HttpResponse:
        """The HTML, for the frame; subject and text part for whoever asks for JSON."""
        shown = self._shown(request)
        if request.headers.get("accept") == "application/json":
            return JsonResponse({"subject": shown.subject if shown else "", "text": shown.text if shown else ""})
        if shown is None:
            return HttpResponse(format_html("<p>{}</p>", _("Write a subject and a text; then the mail is shown here.")))
        # Which of light and dark is shown is not chosen by the device: what is written is looked at in the light.
        return HttpResponse(shown.html.replace("@media (prefers-color-scheme: dark)", "@media not all"))

    def trial_view(self, request: HttpRequest) -> HttpResponse:
        """Send the mail to whoever is signed in, and to nobody else."""
        return JsonResponse({"said": _tried(self._shown(request), request)})

    def _shown(self, request: HttpRequest) -> Shown | None:
        _form, campaign = self.asked(request)
        step = _find(campaign.draft, request.POST.get("_key", ""))
        if step is None:
            return None
        language = request.POST.get("_language", "")
        language = language if language in _LANGUAGES else _LANGUAGES[0]
        chosen = request.POST.get("_response", "")
        response = mail_previews.real_response(chosen) if chosen and request.user.has_perm(MAY_SEE) else None
        return mail_previews.show(
            step,
            campaign=campaign,
            response=response or mail_previews.sample_response(language, segment=campaign.segment),
            language=language,
            with_comment=request.POST.get("_comment", "yes") == "yes",
            now=timezone.now(),
            base_url=f"{request.scheme}://{request.get_host()}",
        )


def _tried(shown: Shown | None, request: HttpRequest) -> str:
    address = getattr(request.user, "email", "")
    if shown is None:
        return _("Nothing was sent: write a subject and a text first.")
    try:
        validate_email(address)
    except ValidationError:
        return _("Nothing was sent: your user has no e-mail address. Somebody who manages users can add it.")
    if limits.count_for("mail-trial", str(request.user.pk), 3600) > TRIALS_AN_HOUR:
        return _("Nothing was sent: %(limit)d tests an hour are the limit. Try again later.") % {
            "limit": TRIALS_AN_HOUR
        }
    result = trials.send(to_email=address, subject=shown.subject, words=shown.words, values=shown.values)
    if result.has_left:
        return _("Sent to %(address)s.") % {"address": address}
    return _("It was not sent. The mail service says: %(detail)s") % {"detail": result.detail or "–"}


def _latest(request: HttpRequest) -> list[tuple[str, str]]:
    """The newest responses, to look as; none where responses may not be seen. One query."""
    if not request.user.has_perm(MAY_SEE):
        return []
    rows = Response.objects.filter(contact__isnull=False, score__isnull=False, is_suspected=False)
    rows = rows.select_related("contact").order_by("-answered_at")
    return [(str(row.pk), f"{row.score} · {row.contact} · {row.comment[:40]}") for row in rows[:OFFERED]]


def _find(document: Any, key: str) -> Mapping[str, Any] | None:
    """The mail step with this key."""
    steps = _mails(document.get("steps") if isinstance(document, dict) else None, 1)
    return next((step for step in steps if step.get("key") == key), None)


def _mails(steps: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    for step in steps if isinstance(steps, list) and depth < 20 else []:
        if isinstance(step, dict):
            if step.get("kind") == "email":
                yield step
            yield from _mails(step.get("yes"), depth + 1)
            yield from _mails(step.get("no"), depth + 1)
