"""API keys: made here, shown once, replaced and revoked here."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from apps.common.admin import BaseAdmin
from apps.common.admin_site import tenant_admin
from apps.integrations.models import ApiKey, Scope, default_scopes
from apps.integrations.services import create_api_key, forget_keys, revoke_api_key


class ApiKeyForm(forms.ModelForm):
    """What a key is called and may do."""

    scopes = forms.MultipleChoiceField(
        label=_("This key may"),
        choices=Scope.choices,
        initial=default_scopes,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "expires_at")
        help_texts = {"expires_at": _("Empty: never.")}

    def clean_expires_at(self) -> Any:
        value = self.cleaned_data["expires_at"]
        if value is not None and "expires_at" in self.changed_data and value <= timezone.now():
            raise ValidationError(_("This is in the past."))
        return value


@admin.register(ApiKey, site=tenant_admin)
class ApiKeyAdmin(BaseAdmin):
    """A revoked key stays in the list, as a record."""

    form = ApiKeyForm
    list_display = ("name", "ends_in", "state", "scope_names", "created_at", "expires_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("name", "=hint")
    ordering = ("-created_at",)
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        fields = ("name", "scopes", "expires_at")
        return fields if obj is None else (*fields, "ends_in", "created_at", "revoked_at")

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return () if obj is None else ("ends_in", "created_at", "revoked_at")

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return (obj is None or obj.revoked_at is None) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            forget_keys()
            return
        row, key = create_api_key(name=obj.name, scopes=obj.scopes, expires_at=obj.expires_at)
        obj.__dict__.update(row.__dict__)
        request.new_api_key = key  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """Shows the key in this one answer: no redirect, because it is stored nowhere to be read again."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("Your new API key"),
            "opts": self.opts,
            "row": obj,
            "key": request.new_api_key,  # type: ignore[attr-defined]
        }
        response = TemplateResponse(request, "admin/integrations/apikey/created.html", context)
        response.headers["Cache-Control"] = "no-store"
        return response

    @admin.action(description=_("Revoke selected API keys"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        now = timezone.now()
        revoked = [key for key in queryset if revoke_api_key(key_id=key.pk, now=now)]
        for key in revoked:
            self.log_change(request, key, [{"changed": {"fields": ["revoked_at"]}}])
        text = ngettext("%(count)d key revoked.", "%(count)d keys revoked.", len(revoked))
        self.message_user(request, text % {"count": len(revoked)}, messages.SUCCESS)

    @admin.display(description=_("ends in"))
    def ends_in(self, key: ApiKey) -> str:
        return f"…{key.hint}"

    @admin.display(description=_("scopes"))
    def scope_names(self, key: ApiKey) -> str:
        return ", ".join(str(Scope(scope).label) for scope in key.scopes)

    @display(description=_("status"), label={"valid": "success", "expired": "warning", "revoked": "danger"})
    def state(self, key: ApiKey) -> tuple[str, str]:
        if key.revoked_at is not None:
            return "revoked", str(_("revoked"))
        return ("valid", str(_("valid"))) if key.is_valid(timezone.now()) else ("expired", str(_("expired")))
