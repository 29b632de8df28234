"""API keys: made here, shown once, replaced and revoked here."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminIntegerFieldWidget

from apps.common.admin import BaseAdmin
from apps.common.admin_site import tenant_admin
from apps.integrations.models import INTAKE_SCOPES, ApiKey, Scope, default_scopes
from apps.integrations.services import OVERLAP, create_api_key, forget_keys, revoke_api_key, rotate_api_key

FACTS = ("ends_in", "last_used_at", "replaces", "created_at", "revoked_at")


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
        fields = ("name", "kind", "scopes", "expires_at", "requests_per_minute")
        help_texts = {"expires_at": _("Empty: never.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:
            self.fields["kind"].required = False  # nothing said: a server key

    def clean(self) -> dict[str, Any]:
        """A write key may do less: what is ticked beyond that is a mistake, not a wish."""
        data: dict[str, Any] = super().clean() or {}
        kind = data.get("kind") or self.instance.kind
        if kind == ApiKey.Kind.INTAKE and "scopes" in data and not set(data["scopes"]) <= set(INTAKE_SCOPES):
            self.add_error("scopes", _("A write key can only bring events and contacts in."))
        return data

    def clean_expires_at(self) -> Any:
        value = self.cleaned_data["expires_at"]
        if value is not None and "expires_at" in self.changed_data and value <= timezone.now():
            raise ValidationError(_("This is in the past."))
        return value


class ReplaceForm(forms.Form):
    """How long both keys work."""

    days = forms.IntegerField(
        label=_("Days that the old key goes on working"),
        min_value=0,
        max_value=90,
        initial=OVERLAP.days,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("Long enough to put the new one everywhere. 0: the old one ends at once."),
    )


@admin.register(ApiKey, site=tenant_admin)
class ApiKeyAdmin(BaseAdmin):
    """A revoked key stays in the list, as a record."""

    form = ApiKeyForm
    list_display = ("name", "kind", "ends_in", "state", "scope_names", "last_used_at", "created_at", "expires_at")
    list_filter = ("kind", ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "=hint")
    ordering = ("-created_at",)
    actions = ("revoke",)
    actions_detail = ("replace_this",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        fields = ("name", "kind", "scopes", "requests_per_minute", "expires_at")
        return fields if obj is None else (*fields, *FACTS)

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return () if obj is None else ("kind", *FACTS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        revoked = isinstance(obj, ApiKey) and obj.revoked_at is not None  # for a page's own actions it is an id
        return not revoked and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            # Only what the form has: the key may be revoked at this moment.
            obj.save(update_fields=form.changed_data)
            forget_keys()
            return
        row, key = create_api_key(
            name=obj.name,
            kind=obj.kind,
            scopes=obj.scopes,
            expires_at=obj.expires_at,
            requests_per_minute=obj.requests_per_minute,
        )
        obj.__dict__.update(row.__dict__)
        request.new_api_key = key  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """Shows the key in this one answer: no redirect, because it is stored nowhere to be read again."""
        return self._show(request, obj, request.new_api_key)  # type: ignore[attr-defined]

    def _show(self, request: HttpRequest, row: ApiKey, key: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Your new API key"),
            "opts": self.opts,
            "row": row,
            "key": key,
            "address": f"{request.scheme}://{request.get_host()}",
        }
        response = TemplateResponse(request, "admin/integrations/apikey/created.html", context)
        response.headers["Cache-Control"] = "no-store"
        return response

    @action(description=_("Replace this key …"), url_path="replace", permissions=["change"])
    def replace_this(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """A successor with the same rights, shown once. The old key goes on working for the days chosen."""
        row = get_object_or_404(ApiKey, pk=object_id)
        form = ReplaceForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                overlap = timedelta(days=form.cleaned_data["days"])
                new, key = rotate_api_key(key_id=row.pk, now=timezone.now(), overlap=overlap)
            except ApiKey.DoesNotExist:
                form.add_error(None, _("This key is not valid any more. Make a new one."))
            except ValidationError as error:
                form.add_error(None, error)
            else:
                self.log_addition(request, new, [{"added": {}}])
                self.log_change(request, row, [{"changed": {"fields": ["expires_at"]}}])
                return self._show(request, new, key)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Replace the API key “%(name)s”") % {"name": row.name},
            "opts": self.opts,
            "form": form,
            "row": row,
        }
        return TemplateResponse(request, "admin/integrations/apikey/replace.html", context)

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
