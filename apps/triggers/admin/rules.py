"""Trigger rules, told as sentences."""

from typing import Any

from django.contrib import admin
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.admin_site import tenant_admin
from apps.common.jsontext import JSONText
from apps.common.windows import WindowsWidget
from apps.triggers import dry_runs, services, versions
from apps.triggers.admin.forms import TriggerRuleForm
from apps.triggers.admin.live import LivePage, TryPage
from apps.triggers.admin.widgets import ConditionWidget
from apps.triggers.models import DryRun, Segment, TriggerRule
from apps.triggers.rules import Snapshot
from apps.triggers.sentences import sentence

MAX_VERSIONS = 50
# What a rule's sentence says nothing about.
_UNTOLD = frozenset({"name", "is_active", "priority", "active_from", "active_until"})
_NAME_LENGTH = TriggerRule._meta.get_field("name").max_length


@admin.register(TriggerRule, site=tenant_admin)
class TriggerRuleAdmin(LivePage, TryPage):
    form = TriggerRuleForm
    fieldsets = (
        (None, {"fields": ("name", "is_active")}),
        (gettext_lazy("What happens"), {"fields": ("touchpoints", "condition")}),
        (gettext_lazy("What is asked, and when"), {
            "fields": (
                "survey", "wait", "delay", "working_days", "morning_at", "windows", "skip_holidays", "best_hour",
            ),
        }),
        (gettext_lazy("Limits"), {
            "fields": ("percent", "daily_cap", "expires_after", "priority", "active_from", "active_until"),
        }),
        (gettext_lazy("Taken back"), {"fields": ("revoked_by", "revoke_match")}),
    )  # fmt: skip
    autocomplete_fields = ("touchpoints", "revoked_by")
    list_display = ("name", "as_sentence", "priority", "is_active")
    list_filter = ("is_active", "touchpoints", "survey")
    list_select_related = ("survey",)
    search_fields = ("name", "touchpoints__key", "survey__key")
    actions = ("copy",)
    change_form_outer_after_template = "triggers/versions.html"
    shown = {name: ("wait", choice) for name, choice in TriggerRuleForm.belongs.items()}

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("touchpoints", "revoked_by")

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "condition":
            kwargs |= {"form_class": JSONText, "widget": ConditionWidget()}
        elif db_field.name == "windows":
            kwargs |= {"form_class": JSONText, "widget": WindowsWidget(), "empty": list}
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    # --- the list ---

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Each rule of the page with its sentence: one query for the segments of all."""
        changelist = super().get_changelist_instance(request)
        segments = _segments()
        for rule in changelist.result_list:
            rule.told = sentence(versions.snapshot(rule, segments=segments))
        return changelist

    @admin.display(description=gettext_lazy("rule"))
    def as_sentence(self, rule: Any) -> str:
        return str(rule.told)

    @admin.action(description=gettext_lazy("Copy (the copies are inactive)"), permissions=["add"])
    def copy(self, request: HttpRequest, rules: QuerySet[TriggerRule]) -> None:
        with transaction.atomic():
            copies = [_copy(rule) for rule in rules.select_related("survey")]
            versions.record(rules=copies, now=timezone.now(), by=request.user.get_username())
            for rule in copies:
                self.log_addition(request, rule, [{"added": {}}])
        text = ngettext("%(count)d rule copied.", "%(count)d rules copied.", len(copies)) % {"count": len(copies)}
        self.message_user(request, text)

    # --- one rule ---

    def page_context(self, request: HttpRequest, obj: TriggerRule | None) -> dict[str, Any]:
        context = super().page_context(request, obj)
        if obj is not None:
            context["told"] = sentence(versions.snapshot(obj, segments=_segments()))
            context["versions"] = [
                {"number": row.number, "at": row.created_at, "by": row.created_by, "told": sentence(row.snapshot)}
                for row in obj.versions.order_by("-number")[:MAX_VERSIONS]
            ]
        return context

    def blocking(self, form: Any) -> bool:
        return bool(set(form.errors) - _UNTOLD)

    def tell(self, form: Any) -> str:
        return sentence(_snapshot(form))

    def start_trial(self, request: HttpRequest, form: Any, days: int) -> DryRun:
        return dry_runs.start(
            title=_("Rule: %(name)s") % {"name": form.cleaned_data["name"]},
            days=days,
            now=timezone.now(),
            draft=_snapshot(form),
            replaces=form.instance.pk,
            user=request.user,
        )

    def delete_model(self, request: HttpRequest, rule: TriggerRule) -> None:
        """What it has planned goes with it."""
        services.withdraw(rule_ids=[rule.pk])
        super().delete_model(request, rule)

    def delete_queryset(self, request: HttpRequest, rules: QuerySet[TriggerRule]) -> None:
        services.withdraw(rule_ids=list(rules.values_list("pk", flat=True)))
        super().delete_queryset(request, rules)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Only now are the touchpoints known: note the new version, and take back what an inactive rule planned."""
        super().save_related(request, form, formsets, change)
        rule = TriggerRule.objects.select_related("survey").get(pk=form.instance.pk)
        versions.record(rules=[rule], now=timezone.now(), by=request.user.get_username())
        if change and not rule.is_active:
            count = services.withdraw(rule_ids=[rule.pk])
            if count:
                text = ngettext(
                    "%(count)d planned invitation taken back.", "%(count)d planned invitations taken back.", count
                )
                self.message_user(request, text % {"count": count})


def _segments() -> dict[str, Segment]:
    return {segment.key: segment for segment in Segment.objects.all()}


def _snapshot(form: Any) -> Snapshot:
    """The rule as the form says it, saved or not."""
    places = {name: form.cleaned_data[name] for name in ("touchpoints", "revoked_by")}
    return versions.snapshot(form.instance, segments=_segments(), **places)


def _copy(rule: TriggerRule) -> TriggerRule:
    """The same rule again, inactive."""
    touchpoints, revoked_by = list(rule.touchpoints.all()), list(rule.revoked_by.all())
    values = {
        field.attname: getattr(rule, field.attname) for field in rule._meta.concrete_fields if not field.primary_key
    }
    name = (_("Copy of %(name)s") % {"name": rule.name})[:_NAME_LENGTH]
    copy = TriggerRule.objects.create(**{**values, "name": name, "is_active": False})
    copy.touchpoints.set(touchpoints)
    copy.revoked_by.set(revoked_by)
    return copy
