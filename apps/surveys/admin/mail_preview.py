"""A mail template beside its form as somebody would get it, and a test of it to whoever writes it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace, csp_update
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.validators import validate_email
from django.db.models import Q
from django.forms import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from apps.common import limits
from apps.common.admin import BaseAdmin
from apps.common.texts import FALLBACK, base_language
from apps.contacts.models import Contact
from apps.messaging import templating, trials
from apps.messaging.models import MailTemplate
from apps.surveys import mail_previews
from apps.surveys.admin.mail_words import describe
from apps.surveys.mail_previews import Shown

TRIALS_AN_HOUR = 10
MOST_FOUND = 10
_LANGUAGES = [code for code, _name in settings.LANGUAGES]
# Mails are styled inline, so the frame needs its own policy: styles and embedded pictures, nothing else. What is
# loaded from elsewhere stays away, as in a mail program that does not show pictures.
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
_DARK = "(prefers-color-scheme: dark)"


def _framed(view: Callable[..., Any]) -> Callable[..., Any]:
    # The admin widens the policy for its own scripts: not here.
    strict: Callable[..., Any] = csp_update({})(csp_replace(_POLICY)(xframe_options_sameorigin(view)))
    return strict


class PreviewPages(BaseAdmin):
    """A preview beside the form."""

    change_form_outer_before_template = "admin/messaging/mailtemplate/starts.html"
    change_form_outer_after_template = "admin/messaging/mailtemplate/preview.html"
    change_list_outer_before_template = "admin/messaging/mailtemplate/starts.html"

    class Media:
        css = {"all": ["surveys/builder.css", "messaging/templates.css"]}
        js = [forms.Script(f"{name}.js", defer=True) for name in ("surveys/preview", "messaging/templates")]

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., Any]] = {
            "preview": _framed(self.admin_site.admin_view(require_POST(self.preview_view))),
            "about": self.admin_site.admin_view(require_POST(self.about_view)),
            "trial": self.admin_site.admin_view(require_POST(self.trial_view)),
            "people": self.admin_site.admin_view(self.people_view),
        }
        own = [path(f"{word}/", view, name=f"messaging_mailtemplate_{word}") for word, view in views.items()]
        return [*own, *super().get_urls()]

    def may_write(self, request: HttpRequest, obj: Any) -> bool:
        """Whether the form could be saved."""
        allowed = self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)
        return bool(allowed)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """With the built-in words to start from, for whoever may add a template."""
        starts = MailTemplate.Purpose.choices if self.has_add_permission(request) else []
        return super().changelist_view(request, {**(extra_context or {}), "starts": starts})

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """What the preview beside the form needs."""
        obj = context.get("original")
        if self.may_write(request, obj):
            base = f"{self.admin_site.name}:messaging_mailtemplate_"
            query = f"?id={obj.pk}" if obj else ""
            urls = {f"{word}_url": reverse(base + word) + query for word in ("preview", "about", "trial", "people")}
            context |= {
                **urls,
                "own_address": getattr(request.user, "email", ""),
                "may_see_contacts": request.user.has_perm("contacts.view_contact"),
                "variables": [(purpose, label, describe(purpose)) for purpose, label in MailTemplate.Purpose.choices],
                "preview_languages": settings.LANGUAGES,
                "preview_language": base_language(get_language() or FALLBACK),
                "starts": [] if obj else MailTemplate.Purpose.choices,
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Say what could be better, in each language."""
        super().save_model(request, obj, form, change)
        seen = dict.fromkeys(
            warning for code in _LANGUAGES if obj.text.get(code) for warning in self._warnings(request, obj, code)
        )
        for warning in seen:
            self.message_user(request, warning, messages.WARNING)

    def _warnings(self, request: HttpRequest, obj: MailTemplate, code: str) -> list[str]:
        shown = mail_previews.show(obj, contact=None, language=code, base_url=_base(request))
        return shown.warnings if shown else []

    # --- what the editor asks for: POST only, for the form as it stands is sent along ---

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """The HTML, for the frame."""
        shown = self._shown(request)
        if shown is None:
            return HttpResponse(format_html("<p>{}</p>", _("Write a subject and a text; then the mail is shown here.")))
        # Which of light and dark is shown is chosen here, not by the device.
        scheme = "all" if request.POST.get("_scheme") == "dark" else "not all"
        return HttpResponse(shown.html.replace(f"@media {_DARK}", f"@media {scheme}"))

    def about_view(self, request: HttpRequest) -> HttpResponse:
        """Subject, preheader, text part and warnings."""
        shown = self._shown(request)
        if shown is None:
            return JsonResponse({"subject": "", "preheader": "", "text": "", "warnings": [], "size": 0})
        said = {name: getattr(shown, name) for name in ("subject", "preheader", "text", "warnings")}
        return JsonResponse({**said, "size": round(len(shown.html.encode()) / 1024, 1)})

    def trial_view(self, request: HttpRequest) -> HttpResponse:
        """Send the mail to whoever is signed in, and to nobody else."""
        shown = self._shown(request)
        address = getattr(request.user, "email", "")
        text = self._trial(shown, address, request)
        if request.headers.get("accept") == "application/json":
            return JsonResponse({"said": text})
        return HttpResponse(text, content_type="text/plain; charset=utf-8")

    def _trial(self, shown: Shown | None, address: str, request: HttpRequest) -> str:
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

    def people_view(self, request: HttpRequest) -> HttpResponse:
        """Contacts to preview for, by a part of the name or the beginning of the address."""
        if not request.user.has_perm("contacts.view_contact"):
            raise PermissionDenied
        term = request.GET.get("q", "").replace("\x00", "").strip()[:100]
        if len(term) < 2:
            return JsonResponse({"found": []})
        rows = Contact.objects.filter(Q(email__istartswith=term) | Q(name__icontains=term))
        found = [{"value": row.email or str(row.pk), "label": str(row)} for row in rows.order_by("name")[:MOST_FOUND]]
        return JsonResponse({"found": found})

    def _shown(self, request: HttpRequest) -> Shown | None:
        """The posted form as a mail. Whoever may not save it may not ask either."""
        pk = request.GET.get("id")
        obj = self.get_object(request, pk) if pk else None
        if pk and obj is None:
            raise Http404
        if not self.may_write(request, obj):
            raise PermissionDenied
        language = request.POST.get("_language", "")
        return mail_previews.show(
            self._template(request, obj),
            contact=_contact(request),
            language=language if language in _LANGUAGES else _LANGUAGES[0],
            base_url=_base(request),
        )

    def _template(self, request: HttpRequest, obj: Any) -> MailTemplate:
        """The template as the posted form says it; what is not valid yet is empty or as it was."""
        form = self.get_form(request, obj, change=obj is not None)(request.POST, instance=obj)
        form.is_valid()
        template: MailTemplate = form.instance
        for name in ("subject", "preheader", "html", "text"):
            written = form.fields[name].widget.value_from_datadict(request.POST, request.FILES, name)
            texts = {code: text for code, text in zip(_LANGUAGES, written, strict=True) if text}
            setattr(template, name, texts)
        if template.purpose not in templating.KNOWN:
            template.purpose = templating.INVITATION
        return template


def _contact(request: HttpRequest) -> Contact | None:
    """Whom the preview is for; nobody where contacts may not be seen."""
    wanted = request.POST.get("_contact", "").replace("\x00", "").strip()[:254]
    if not wanted or not request.user.has_perm("contacts.view_contact"):
        return None
    rows = Contact.objects.select_related("company")
    try:
        return rows.filter(pk=UUID(wanted)).first()
    except ValueError:
        return rows.filter(email=wanted.lower()).first()


def _base(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"
