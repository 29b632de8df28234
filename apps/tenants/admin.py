"""The operator's pages: tenants, their host names, and what runs periodically."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_celery_beat.admin import PeriodicTaskAdmin as BeatPeriodicTaskAdmin
from django_celery_beat.admin import PeriodicTaskForm as BeatPeriodicTaskForm
from django_celery_beat.admin import TaskSelectWidget as BeatTaskSelectWidget
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.common.admin import BaseAdmin, BaseTabular
from apps.common.admin_site import operator_admin
from apps.tenants import registry
from apps.tenants.models import Domain, Tenant
from apps.tenants.names import is_valid_host
from apps.tenants.provisioning import create_tenant


class HostForm(forms.ModelForm):
    """A host name as browsers send it."""

    class Meta:
        model = Domain
        fields = ("domain", "tenant", "is_primary")
        labels = {"domain": _("Host name"), "is_primary": _("Used in links")}

    def clean_domain(self) -> str:
        domain: str = self.cleaned_data["domain"].strip().lower().rstrip(".")
        if not is_valid_host(domain) or domain == settings.PUBLIC_DOMAIN:
            raise ValidationError(_("Enter a host name such as nps.example.com, without port; not the platform's own."))
        return domain


class DomainInline(BaseTabular):
    model = Domain
    form = HostForm
    fields = ("domain", "is_primary")


class NewTenantForm(forms.ModelForm):
    """What making a tenant needs."""

    host = forms.CharField(
        label=_("Host name"),
        required=False,
        help_text=_("Empty: the schema's name below the platform's host."),
        widget=UnfoldAdminTextInputWidget,
    )

    class Meta:
        model = Tenant
        fields = ("name", "schema_name")

    def clean_schema_name(self) -> str:
        name: str = self.cleaned_data["schema_name"]
        if name == registry.PUBLIC:
            raise ValidationError(_("This name is the platform's own."))
        return name

    def clean_host(self) -> str:
        host: str = self.cleaned_data["host"].strip().lower()
        if not host:
            return ""
        if not is_valid_host(host) or host == settings.PUBLIC_DOMAIN:
            raise ValidationError(_("Enter a host name such as nps.example.com, without port; not the platform's own."))
        if Domain.objects.filter(domain=host).exists():
            raise ValidationError(_("This host name is taken."))
        return host


@admin.register(Tenant, site=operator_admin)
class TenantAdmin(BaseAdmin):
    """Tenants are made and switched off here; their data is never deleted from a web page."""

    inlines = (DomainInline,)
    list_display = ("name", "schema_name", "hosts", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name", "schema_name", "domains__domain")
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        rows: QuerySet[Tenant] = super().get_queryset(request).exclude(schema_name=registry.PUBLIC)
        return rows.prefetch_related("domains")

    def get_form(self, request: HttpRequest, obj: Tenant | None = None, **kwargs: Any) -> Any:
        return super().get_form(request, obj, **(kwargs if obj else {**kwargs, "form": NewTenantForm}))

    def get_fields(self, request: HttpRequest, obj: Tenant | None = None) -> tuple[str, ...]:
        return ("name", "schema_name", "host") if obj is None else ("name", "schema_name", "is_active", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> tuple[str, ...]:
        return () if obj is None else ("schema_name", "created_at")

    def get_inlines(self, request: HttpRequest, obj: Tenant | None) -> Any:
        return () if obj is None else self.inlines

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        made = create_tenant(schema_name=obj.schema_name, name=obj.name, host=form.cleaned_data["host"] or None)
        obj.__dict__.update(made.__dict__)

    @admin.display(description=_("host names"))
    def hosts(self, tenant: Tenant) -> str:
        return ", ".join(domain.domain for domain in tenant.domains.all())


@admin.register(Domain, site=operator_admin)
class DomainAdmin(BaseAdmin):
    form = HostForm
    list_display = ("domain", "tenant", "is_primary")
    list_filter = ("is_primary",)
    list_select_related = ("tenant",)
    search_fields = ("domain", "tenant__name", "tenant__schema_name")
    autocomplete_fields = ("tenant",)
    ordering = ("domain",)


class TaskSelectWidget(UnfoldAdminSelectWidget, BeatTaskSelectWidget):
    """The registered tasks, in the admin's look."""


class PeriodicTaskForm(BeatPeriodicTaskForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "task" in self.fields:
            self.fields["task"].widget = UnfoldAdminTextInputWidget()
        if "regtask" in self.fields:
            self.fields["regtask"].widget = TaskSelectWidget()


@admin.register(PeriodicTask, site=operator_admin)
class PeriodicTaskAdmin(BaseAdmin, BeatPeriodicTaskAdmin):
    form = PeriodicTaskForm
    change_form_template = None
    list_filter = ("enabled", "one_off")
    list_display = ("name", "task", "scheduler", "enabled", "last_run_at", "total_run_count")
    date_hierarchy = None


@admin.register(IntervalSchedule, ClockedSchedule, site=operator_admin)
class ScheduleAdmin(BaseAdmin):
    search_fields = ("id",)


@admin.register(CrontabSchedule, site=operator_admin)
class CrontabAdmin(BaseAdmin):
    list_display = ("__str__", "human_readable")
    search_fields = ("hour", "minute")


# Django's default site is served nowhere; what django-celery-beat put there would only confuse.
for _model in (PeriodicTask, IntervalSchedule, ClockedSchedule, CrontabSchedule, SolarSchedule):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)
