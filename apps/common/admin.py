"""Base classes of all admin pages."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.widgets import INPUT_CLASSES, TEXTAREA_CLASSES, UnfoldAdminTextInputWidget

from apps.common.durations import DurationFormField
from apps.common.fields import SealedField, TextsField, TextsWidget


def _dress(field: Any) -> None:
    """Give the inputs of a text in several languages the look of the admin's other inputs."""
    if field is None or not isinstance(field.widget, TextsWidget):
        return
    for widget in field.widget.widgets:
        multiline = "rows" in widget.attrs
        widget.attrs["class"] = " ".join(TEXTAREA_CLASSES if multiline else INPUT_CLASSES)


class FriendlyFields:
    """Mixin: form fields for texts in several languages and for time spans."""

    formfield_overrides: dict[Any, Any] = {
        models.DurationField: {"form_class": DurationFormField, "widget": UnfoldAdminTextInputWidget},
        models.URLField: {"assume_scheme": "https"},
        SealedField: {"widget": UnfoldAdminTextInputWidget},
    }

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(db_field, TextsField):
            _dress(field)
        return field


class BaseAdmin(FriendlyFields, ModelAdmin):
    """A page that configures something."""

    list_per_page = 50
    warn_unsaved_form = True
    compressed_fields = True

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """A year beyond all calendars is a wrong filter like any other: Django then shows the unfiltered list."""
        try:
            return super().get_changelist_instance(request)
        except OverflowError as error:
            raise IncorrectLookupParameters(error) from error


class BaseStacked(FriendlyFields, StackedInline):
    """Rows that belong to another, one below the other."""

    extra = 0


class BaseTabular(FriendlyFields, TabularInline):
    """Rows that belong to another, as a table."""

    extra = 0


class ReadOnly:
    """Mixin: may be looked at, and nothing else."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class FlowAdmin(ReadOnly, BaseAdmin):
    """Rows of the flow: written by services only."""

    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if self.fields is not None:
            return self.fields
        return [
            field.name for field in self.opts.fields if field.editable and not isinstance(field, models.BinaryField)
        ]


class SingletonAdmin(BaseAdmin):
    """A table of one row: its list leads straight to the row."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}"
        pk = self.model._default_manager.values_list("pk", flat=True).first()
        return HttpResponseRedirect(reverse(f"{name}_add") if pk is None else reverse(f"{name}_change", args=[pk]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not self.model._default_manager.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
