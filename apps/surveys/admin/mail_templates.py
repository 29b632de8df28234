"""Mail templates: written, looked at as a real contact would see them, and sent to oneself."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.admin_site import tenant_admin
from apps.messaging import mail_html, templating
from apps.messaging.models import MailTemplate
from apps.messaging.sms.segments import MOST_SEGMENTS, expected_segments
from apps.surveys import mail_previews
from apps.surveys.admin.mail_preview import PreviewPages
from apps.surveys.mail_starts import start

TEXTS = ("subject", "preheader", "html", "text", "sms")


class MailTemplateForm(forms.ModelForm):
    """A template; variables that its mails would not know are refused here, for nobody sees them later."""

    class Meta:
        model = MailTemplate
        fields = ("name", "purpose", "is_default", "layout", *TEXTS)
        help_texts = {
            "text": gettext_lazy(
                "Blank lines part paragraphs. Variables stand in double braces, with what to write when there is "
                "nothing: {{ contact.first_name|there }}."
            ),
            "layout": gettext_lazy("A whole page that has no way out or no imprint gets both at its end."),
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        purpose = data.get("purpose")
        if not purpose:
            return data
        for name in TEXTS:
            texts = data.get(name)
            for text in texts.values() if isinstance(texts, dict) and name not in self.errors else ():
                self._check(name, text, purpose)
        if purpose == templating.OPT_IN:
            self._check_consent(data)
        return data

    def _check(self, name: str, text: str, purpose: str) -> None:
        if unknown := templating.unknown(text, purpose):
            known = ", ".join([*templating.KNOWN[purpose], f"{templating.PROPERTY}…"])
            params = {"unknown": ", ".join(unknown[:5]), "known": known}
            self.add_error(name, ValidationError(_("There is no variable %(unknown)s, only %(known)s."), params=params))
        elif len(templating.VARIABLE.findall(text)) > templating.MAX_PLACES:
            message = _("At most %(limit)s variables.")
            self.add_error(name, ValidationError(message, params={"limit": templating.MAX_PLACES}))
        elif name == "sms" and expected_segments(text, needs_link=purpose != templating.FOLLOW_UP) > MOST_SEGMENTS:
            message = _("This would be sent as more than %(limit)s text messages, its link and the way out included.")
            self.add_error(name, ValidationError(message, params={"limit": MOST_SEGMENTS}))
        elif name == "html" and (problem := mail_html.problem(text)):
            self.add_error(name, mail_previews.problem_text(problem))

    def _check_consent(self, data: dict[str, Any]) -> None:
        """Who confirms must have read what they agree to; else the consent would prove nothing."""
        for name in ("html", "text"):
            for text in (data.get(name) or {}).values():
                if name not in self.errors and not {"wording", "link"} <= templating.used(text):
                    self.add_error(name, _("This mail needs {{ wording }}, the text to agree to, and {{ link }}."))


@admin.register(MailTemplate, site=tenant_admin)
class MailTemplateAdmin(PreviewPages):
    form = MailTemplateForm
    list_display = ("name", "purpose", "layout", "is_default", "updated_at")
    list_filter = ("purpose", "is_default", "layout")
    search_fields = ("name",)
    search_help_text = gettext_lazy("Name, subject or text")
    ordering = ("purpose", "name")
    fieldsets = (
        (None, {"fields": ("name", "purpose", "is_default")}),
        (gettext_lazy("What it says"), {"fields": ("subject", "preheader", "text")}),
        (gettext_lazy("As a text message"), {"classes": ("collapse",), "fields": ("sms",)}),
        (gettext_lazy("Your own HTML"), {"classes": ("collapse",), "fields": ("layout", "html")}),
    )

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> Any:
        """By name, or by a word in the texts, whatever the language. There are few templates."""
        term = search_term.replace("\x00", "").strip()
        if not term:
            return queryset, False
        words = Q(name__icontains=term) | Q(subject__icontains=term) | Q(text__icontains=term)
        return queryset.filter(words), False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the built-in mails for a purpose say, to start from."""
        return {**super().get_changeform_initial_data(request), **start(request.GET.get("start", ""))}
