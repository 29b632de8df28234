"""Segments of contacts, with how many fit while the condition is written."""

from typing import Any

from django.contrib import admin
from django.db import OperationalError, models, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.admin_site import tenant_admin
from apps.common.db import connection
from apps.common.jsontext import JSONText
from apps.contacts.models import Contact
from apps.triggers import segments
from apps.triggers.admin.forms import SegmentForm
from apps.triggers.admin.live import LivePage
from apps.triggers.admin.widgets import ConditionWidget
from apps.triggers.models import Segment
from apps.triggers.sentences import condition_in_words

PATIENCE_MS = 3000


@admin.register(Segment, site=tenant_admin)
class SegmentAdmin(LivePage):
    form = SegmentForm
    fields = ("name", "key", "condition")
    list_display = ("name", "key", "in_words")
    search_fields = ("name", "key")

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "condition":
            kwargs |= {"form_class": JSONText, "widget": ConditionWidget(for_segment=True)}
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"key": ("name",)}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Conditions call a segment by its key: under another one they would not find it."""
        return ("key",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Segment | None = None) -> bool:
        """A rule whose segment is gone could not be decided any more."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not segments.is_named_by_rules(key=obj.key))

    @admin.display(description=gettext_lazy("condition"))
    def in_words(self, segment: Segment) -> str:
        return condition_in_words(segment.condition, {}) or _("all contacts")

    def page_context(self, request: HttpRequest, obj: Segment | None) -> dict[str, Any]:
        context = super().page_context(request, obj)
        return context if obj is None else {**context, "told": self.in_words(obj)}

    def blocking(self, form: Any) -> bool:
        return "condition" in form.errors

    def tell(self, form: Any) -> str:
        return how_many(form.cleaned_data["condition"])


def how_many(condition: object) -> str:
    """“1,234 of 5,678 contacts fit.” Counting goes on for seconds only: it is done again after every change."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(PATIENCE_MS)])
            total = Contact.objects.count()
            count = segments.size(condition=condition, now=timezone.now())
    except OperationalError:
        return _("These are too many contacts to count them while you write.")
    values = {"count": number_format(count, force_grouping=True), "total": number_format(total, force_grouping=True)}
    return ngettext("%(count)s of %(total)s contact fits.", "%(count)s of %(total)s contacts fit.", total) % values
