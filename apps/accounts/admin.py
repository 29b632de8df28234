"""Who may sign in: a tenant's people with roles, and the platform's operators."""

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission
from django.db import models
from django.db.models import Case, Q, When
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from apps.accounts.models import User
from apps.common.admin import BaseAdmin
from apps.common.admin_site import operator_admin, tenant_admin

VERBS: dict[str, Any] = {"view": _("view"), "add": _("add"), "change": _("change"), "delete": _("delete")}
_PERSON = (_("Person"), {"fields": ("first_name", "last_name", "email", "language")})
_TIMES = (_("Times"), {"fields": ("last_login", "date_joined")})


class PermissionField(forms.ModelMultipleChoiceField):
    """Permissions by the names that the pages use: “Surveys: change”."""

    def label_from_instance(self, obj: Any) -> str:
        model = obj.content_type.model_class()
        verb = VERBS.get(obj.codename.partition("_")[0], obj.name)
        return f"{capfirst(model._meta.verbose_name_plural)}: {verb}"


class UserAdmin(BaseAdmin, DjangoUserAdmin):
    """Django's user pages in Unfold's clothes."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    add_fieldsets = DjangoUserAdmin.add_fieldsets  # Unfold's base class has an empty one
    readonly_fields = ("last_login", "date_joined")
    list_display = ("username", "email", "first_name", "last_name", "is_staff", "is_active", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("username", "email", "first_name", "last_name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only a superuser makes superusers and hands out permissions; nobody else may climb by editing users."""
        fields = super().get_readonly_fields(request, obj)
        if getattr(request.user, "is_superuser", False):
            return fields
        return (*fields, "is_superuser", "groups", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._below(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._below(request, obj) and super().has_delete_permission(request, obj)

    @staticmethod
    def _below(request: HttpRequest, obj: Any) -> bool:
        """Whoever may change a superuser could set that one's password and become it."""
        return obj is None or not obj.is_superuser or bool(getattr(request.user, "is_superuser", False))


@admin.register(User, site=tenant_admin)
class TenantUserAdmin(UserAdmin):
    list_filter = (*UserAdmin.list_filter, "groups")
    filter_horizontal = ()
    autocomplete_fields = ("groups",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        _PERSON,
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        _TIMES,
    )


@admin.register(User, site=operator_admin)
class OperatorAdmin(UserAdmin):
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        _PERSON,
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        _TIMES,
    )


@admin.register(Group, site=tenant_admin)
class GroupAdmin(BaseAdmin, DjangoGroupAdmin):
    """Roles: what their members may see and change in this admin, and on the pages of models that have their own."""

    def formfield_for_manytomany(self, db_field: models.ManyToManyField, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name != "permissions":
            return super().formfield_for_manytomany(db_field, request, **kwargs)
        shown = Q()
        for model in self.admin_site._registry:
            shown |= Q(content_type__app_label=model._meta.app_label, content_type__model=model._meta.model_name)
        for model in apps.get_models():
            # Whoever is signed in may look at these.
            if getattr(model, "has_own_pages", False):
                about = Q(content_type__app_label=model._meta.app_label, content_type__model=model._meta.model_name)
                shown |= about & ~Q(codename__startswith="view_")
        rights = [When(codename__startswith=f"{verb}_", then=place) for place, verb in enumerate(VERBS)]
        rows = Permission.objects.filter(shown).select_related("content_type")
        return PermissionField(
            queryset=rows.order_by("content_type__app_label", "content_type__model", Case(*rights, default=9)),
            required=False,
            label=_("Rights"),
            widget=UnfoldAdminCheckboxSelectMultipleWidget,
        )
