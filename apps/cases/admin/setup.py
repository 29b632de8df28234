"""What opens cases and whose they are, hours and patience, and the lists that cases end with."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.cases import usual
from apps.cases.models import CasePolicy, CaseRule, CaseRuleMember, Outcome, Responsibility, RootCause
from apps.common.admin import BaseAdmin, BaseTabular, SingletonAdmin
from apps.common.admin_site import tenant_admin
from apps.common.fields import check_windows
from apps.common.jsontext import JSONText
from apps.common.schedule import ScheduleError, parse_windows
from apps.common.windows import WindowsWidget
from apps.triggers.problems import by_place

MAX_WORDS, MAX_WORD = 50, 60


class WordsField(forms.CharField):
    """Words and phrases, separated by commas."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        parts = str(value or "").replace("\n", ",").split(",")
        return list(dict.fromkeys(" ".join(part.split()) for part in parts if part.strip()))

    def validate(self, value: Any) -> None:
        super().validate(value)
        if len(value) > MAX_WORDS:
            raise forms.ValidationError(_("At most %(limit)d words."), params={"limit": MAX_WORDS})
        for word in value:
            if len(word) > MAX_WORD:
                raise forms.ValidationError(_("“%(word)s…” is too long."), params={"word": word[:20]})
            if not word.strip("* "):
                raise forms.ValidationError(_("“%(word)s” is no word."), params={"word": word})

    def run_validators(self, value: Any) -> None:
        """Of a list there is no more to ask than above."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(data) != list(initial or [])


class CaseRuleForm(forms.ModelForm):
    """A rule, with its words in one line."""

    keywords = WordsField(
        label=_("words"),
        required=False,
        help_text=_(
            "The comment says one of them, whatever the capitals: “cancel, lawyer, my contract”. They are whole words; "
            "“cancel*” is also in “cancellation”. Empty: whatever it says."
        ),
    )


def only_those_who_work_here(db_field: models.Field, kwargs: dict[str, Any]) -> None:
    """Of users only those who can sign in are offered."""
    if db_field.related_model is get_user_model():
        kwargs["queryset"] = get_user_model()._default_manager.filter(is_active=True).order_by("username")


class MemberInline(BaseTabular):
    """Whose turn it can be."""

    model = CaseRuleMember
    fields = ("user", "last_at")
    readonly_fields = ("last_at",)
    verbose_name_plural = _("in turn")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        only_those_who_work_here(db_field, kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("user")


@admin.register(CaseRule, site=tenant_admin)
class CaseRuleAdmin(BaseAdmin):
    form = CaseRuleForm
    fieldsets = (
        (None, {"fields": ("name", "position", "is_active")}),
        (_("Which responses"), {"fields": ("score", "keywords", "contact_segment", "survey", "touchpoint")}),
        (_("The case"), {"fields": ("is_urgent", "owner", "contact_within", "close_within")}),
    )
    inlines = (MemberInline,)
    list_display = ("position", "name", "score", "owner", "is_urgent", "is_active")
    list_display_links = ("name",)
    list_filter = ("is_active", "is_urgent", "owner")
    search_fields = ("name",)
    ordering = ("position", "pk")


class CasePolicyForm(forms.ModelForm):
    """Hours that are none are told at their row."""

    class Meta:
        model = CasePolicy
        fields = (
            "hours", "skip_holidays", "contact_within", "close_within", "remind_before", "escalate_after",
            "escalate_to",
        )  # fmt: skip
        help_texts = {"contact_within": _("Working time, e.g. “8 hours”. 0: no time of its own for the first contact.")}

    def clean_hours(self) -> Any:
        value = self.cleaned_data["hours"]
        try:
            parse_windows(value)
        except ScheduleError as error:
            self.fields["hours"].widget.places = by_place(error)
            check_windows(value)
        return value


@admin.register(CasePolicy, site=tenant_admin)
class CasePolicyAdmin(SingletonAdmin):
    """One row. What is changed holds for cases that are opened from now on, reminders for all."""

    form = CasePolicyForm
    fieldsets = (
        (_("Working hours"), {"fields": ("hours", "skip_holidays")}),
        (_("Until when"), {"fields": ("contact_within", "close_within")}),
        (_("Reminders and escalation"), {"fields": ("remind_before", "escalate_after", "escalate_to")}),
    )

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "hours":
            kwargs |= {"form_class": JSONText, "widget": WindowsWidget(), "empty": list}
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        only_those_who_work_here(db_field, kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @property
    def media(self) -> forms.Media:
        return super().media + WindowsWidget().media


@admin.register(Responsibility, site=tenant_admin)
class ResponsibilityAdmin(BaseAdmin):
    fields = ("user", "company", "touchpoint")
    autocomplete_fields = ("company", "touchpoint")
    list_display = ("user", "company", "touchpoint")
    list_filter = ("user",)
    list_select_related = ("user", "company", "touchpoint")
    search_fields = ("user__username", "user__last_name", "company__name", "=company__external_id", "touchpoint__key")
    ordering = ("user__username", "pk")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        only_those_who_work_here(db_field, kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class EntryAdmin(BaseAdmin):
    """A list that cases end with. What was used is switched off rather than deleted."""

    fields = ("name", "position", "is_active")
    list_display = ("position", "name_in_words", "is_active")
    list_display_links = ("name_in_words",)
    list_filter = ("is_active",)
    search_fields = ("name",)
    ordering = ("position", "pk")
    actions_list = ("take_over",)

    @admin.display(description=_("name"), ordering="position")
    def name_in_words(self, entry: Any) -> str:
        return str(entry)

    def has_take_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    @action(description=_("Take over the usual list"), url_path="usual", permissions=["take"], icon="playlist_add")
    def take_over(self, request: HttpRequest) -> HttpResponse:
        """Show what would be added; POST adds it."""
        if not self.has_take_permission(request):
            raise PermissionDenied
        back = reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_changelist")
        if request.method == "POST":
            count = usual.take_over(self.model)
            text = ngettext("%(count)d entry was added.", "%(count)d entries were added.", count) % {"count": count}
            self.message_user(request, text)
            return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Take over the usual list"),
            "subtitle": capfirst(self.opts.verbose_name_plural),
            "opts": self.opts,
            "entries": [self.model(name=name) for name in usual.missing(self.model)],
            "back": back,
        }
        return TemplateResponse(request, "admin/cases/usual.html", context)


tenant_admin.register(Outcome, EntryAdmin)
tenant_admin.register(RootCause, EntryAdmin)
