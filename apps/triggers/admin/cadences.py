"""Cadences, with what they will ask in the next 90 days and what came of the last runs."""

from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Count, Max, Min, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy

from apps.common.admin_site import tenant_admin
from apps.common.conditions import ConditionError
from apps.common.jsontext import JSONText
from apps.common.windows import WindowsWidget
from apps.triggers import cadences, problems
from apps.triggers.admin.forms import CadenceForm
from apps.triggers.admin.live import DraftPage
from apps.triggers.admin.widgets import PeriodWidget, RecurrenceWidget
from apps.triggers.models import Cadence, Decision
from apps.triggers.preview import preview

RUNS = 12
# What is older is of no use here, and would have to be counted each time the page is opened.
BACK = timedelta(days=400)
WIDTH, HEIGHT, BASE = 900, 150, 130


@admin.register(Cadence, site=tenant_admin)
class CadenceAdmin(DraftPage):
    form = CadenceForm
    fieldsets = (
        (None, {"fields": ("name", "is_active")}),
        (gettext_lazy("Who is asked what"), {"fields": ("segment", "survey", "touchpoint")}),
        (gettext_lazy("When"), {
            "fields": ("kind", "period_days", "recurrence", "starts_on", "at", "windows", "skip_holidays", "best_hour"),
        }),
        (gettext_lazy("Limits"), {"fields": ("percent", "daily_cap", "expires_after", "priority")}),
    )  # fmt: skip
    list_display = ("name", "survey", "segment", "kind", "next_run_at", "is_active")
    list_filter = ("is_active", "kind", "survey")
    list_select_related = ("survey", "segment")
    search_fields = ("name",)
    change_form_outer_before_template = "triggers/live.html"
    change_form_outer_after_template = "triggers/cadence.html"
    shown = {name: ("kind", choice) for name, choice in CadenceForm.belongs.items()}

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "windows":
            kwargs |= {"form_class": JSONText, "widget": WindowsWidget(), "empty": list}
        elif db_field.name == "period_days":
            kwargs["widget"] = PeriodWidget()
        elif db_field.name == "recurrence":
            kwargs["widget"] = RecurrenceWidget()
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def page_context(self, request: HttpRequest, obj: Cadence | None) -> dict[str, Any]:
        context = super().page_context(request, obj)
        if obj is None:
            return context
        now = timezone.now()
        return {**context, "preview": _chart(obj, now), "runs": last_runs(obj, now)}

    def save_model(self, request: HttpRequest, cadence: Cadence, form: Any, change: bool) -> None:
        cadences.keep(cadence=cadence, now=timezone.now())

    def delete_model(self, request: HttpRequest, cadence: Cadence) -> None:
        """What it has planned goes with it."""
        cadences.withdraw(cadence_ids=[cadence.pk])
        super().delete_model(request, cadence)

    def delete_queryset(self, request: HttpRequest, rows: models.QuerySet[Cadence]) -> None:
        cadences.withdraw(cadence_ids=list(rows.values_list("pk", flat=True)))
        super().delete_queryset(request, rows)


def last_runs(cadence: Cadence, now: datetime) -> Any:
    """What was decided, by turn; the latest first."""
    by_status = {status.value: Count("pk", filter=Q(status=status)) for status in Decision.Status}
    rows = Decision.objects.filter(cadence=cadence, decided_at__gte=now - BACK).values("occurrence")
    told = rows.annotate(all=Count("pk"), first=Min("decided_at"), last=Max("decided_at"), **by_status)
    return told.order_by("-last")[:RUNS]


def _chart(cadence: Cadence, now: datetime) -> dict[str, Any]:
    """The preview as bars; instead an error if the segment's condition is broken."""
    try:
        days = preview(cadence, now)
    except ConditionError as error:
        return {"error": " ".join(problems.sentences(error))}
    most = max(count for _day, count in days)
    return {
        "days": [(day, _grouped(count)) for day, count in days],
        "count": sum(count for _day, count in days),
        "total": _grouped(sum(count for _day, count in days)),
        "most": _grouped(most),
        "bars": _bars(days, most),
        "width": WIDTH,
        "height": HEIGHT,
        "base": BASE,
        "label_y": HEIGHT - 4,
    }


def _grouped(count: int) -> str:
    return str(number_format(count, force_grouping=True))


def _bars(days: list[tuple[date, int]], most: int) -> list[dict[str, Any]]:
    """A bar per day. Fractions are texts: SVG knows no decimal comma."""
    column = WIDTH / len(days)
    bars = []
    for number, (day, count) in enumerate(days):
        # However few they are, a day with turns can be told from one without.
        height = max(2, round(count * (BASE - 20) / most)) if count else 0
        place = {"x": f"{number * column:.1f}", "y": BASE - height, "width": f"{column * 0.7:.1f}", "height": height}
        bars.append({**place, "day": day, "count": _grouped(count), "labelled": number % 15 == 0})
    return bars
