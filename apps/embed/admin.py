"""Where surveys show themselves on the tenant's website: placements, websites, identity secrets, and how to begin."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

from apps.common.admin import BaseAdmin
from apps.common.admin_site import tenant_admin
from apps.embed.models import EmbedSecret, Placement
from apps.embed.snippets import snippets
from apps.embed.trial import TrialForm, try_out
from apps.surveys.models import Website

_FLOATING = "kind != 'inline'"
_INLINE = "kind == 'inline'"


class LinesField(forms.CharField):
    """A list of texts, one per line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(self.prepare_value(initial)) != self.to_python(data)


class PlacementForm(forms.ModelForm):
    """A placement; pages one per line, languages as boxes."""

    url_patterns = LinesField(
        label=_("Pages"), required=False, help_text=Placement._meta.get_field("url_patterns").help_text
    )
    languages = forms.MultipleChoiceField(
        label=_("Languages of the page"),
        choices=settings.LANGUAGES,
        required=False,
        help_text=Placement._meta.get_field("languages").help_text,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = Placement
        fields = (
            "name", "touchpoint", "is_active", "kind", "side", "selector", "place", "url_patterns", "languages",
            "device", "delay", "scroll", "on_exit", "on_track", "percent", "rest_days",
        )  # fmt: skip


@admin.register(Placement, site=tenant_admin)
class PlacementAdmin(BaseAdmin):
    form = PlacementForm
    fieldsets = (
        (None, {"fields": ("name", "touchpoint", "is_active")}),
        (_("How it looks"), {"fields": ("kind", "side", "selector", "place")}),
        (_("On which pages"), {"fields": ("url_patterns", "languages", "device")}),
        (_("When"), {"fields": ("delay", "scroll", "on_exit", "on_track")}),
        (_("For whom"), {"fields": ("percent", "rest_days")}),
    )
    conditional_fields = {"side": _FLOATING, "selector": _INLINE, "place": _INLINE}
    list_display = ("name", "touchpoint", "kind", "pages", "when", "is_active")
    list_filter = ("is_active", "kind", "device", "touchpoint")
    list_select_related = ("touchpoint",)
    search_fields = ("name", "touchpoint__key", "url_patterns")
    search_help_text = _("Name, touchpoint or address of a page")
    ordering = ("name",)
    list_before_template = "embed/list_hint.html"
    actions_list = ("put_on_website",)

    class Media:
        css = {"all": ["embed/admin.css"]}

    def has_try_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_view_permission(request))

    @action(description=_("Put it on your website"), url_path="website", permissions=["try"], icon="code")
    def put_on_website(self, request: HttpRequest) -> HttpResponse:
        """The script tag, the websites that may use it, and a form that tells why something does not show."""
        form = TrialForm(request.POST or None)
        result = try_out(form=form, now=timezone.now()) if form.is_bound and form.is_valid() else None
        websites = self.admin_site._registry[Website]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Put it on your website"),
            "opts": self.opts,
            "home": f"{request.scheme}://{request.get_host()}",
            "websites": Website.objects.all(),
            "may_add_website": websites.has_add_permission(request),
            "websites_url": reverse(f"{self.admin_site.name}:surveys_website_changelist"),
            "placements": Placement.objects.select_related("touchpoint"),
            "form": form,
            "result": result,
            "media": self.media + forms.Media(js=["embed/admin.js"]),
        }
        return TemplateResponse(request, "embed/website.html", context)

    @admin.display(description=_("pages"))
    def pages(self, placement: Placement) -> str:
        patterns = placement.url_patterns
        more = f" +{len(patterns) - 2}" if len(patterns) > 2 else ""
        return ", ".join(patterns[:2]) + more if patterns else str(_("every page"))

    @admin.display(description=_("when"))
    def when(self, placement: Placement) -> str:
        if placement.on_track:
            return str(_("when your page says so"))
        parts = [str(_("after %(count)d s") % {"count": placement.delay})]
        if placement.scroll:
            parts.append(str(_("scrolled %(percent)d %%") % {"percent": placement.scroll}))
        if placement.on_exit:
            parts.append(str(_("about to leave")))
        return ", ".join(parts)


@admin.register(Website, site=tenant_admin)
class WebsiteAdmin(BaseAdmin):
    list_display = ("origin",)
    search_fields = ("origin",)
    fields = ("origin",)

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        """What is copied from an address bar ends with a slash; that is no reason to refuse it."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "origin" and field is not None:
            told = field.to_python
            field.to_python = lambda value: told(value).lower().rstrip("/")
        return field


class EmbedSecretForm(forms.ModelForm):
    """What a secret is for. Two at most are valid at once."""

    class Meta:
        model = EmbedSecret
        fields = ("note",)


@admin.register(EmbedSecret, site=tenant_admin)
class EmbedSecretAdmin(BaseAdmin):
    """A secret is shown once, when it is made; deleted, its signatures are not believed any more."""

    form = EmbedSecretForm
    list_display = ("ends_in", "note", "created_at")
    search_fields = ("note", "=hint")
    ordering = ("-created_at", "-pk")
    list_before_template = "embed/secrets_hint.html"

    class Media:
        css = {"all": ["embed/admin.css"]}

    def get_fields(self, request: HttpRequest, obj: EmbedSecret | None = None) -> tuple[str, ...]:
        return ("note",) if obj is None else ("note", "ends_in", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: EmbedSecret | None = None) -> tuple[str, ...]:
        return () if obj is None else ("ends_in", "created_at")

    @admin.display(description=_("ends in"))
    def ends_in(self, secret: EmbedSecret) -> str:
        return f"…{secret.hint}"

    def response_add(
        self, request: HttpRequest, obj: EmbedSecret, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Shows the secret in this one answer: no redirect, so that it stands in no list and no address."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("Your new identity secret"),
            "opts": self.opts,
            "secret": obj.secret,
            "snippets": snippets(secret=obj.secret, home=f"{request.scheme}://{request.get_host()}"),
            "media": self.media + forms.Media(js=["embed/admin.js"]),
        }
        response = TemplateResponse(request, "embed/secret_created.html", context)
        response.headers["Cache-Control"] = "no-store"
        return response
