"""Follow-up campaigns with their steps, and every contact's run through them."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from apps.campaigns.models import Campaign, Enrolment, Step, StepRun
from apps.campaigns.steps.email import VARIABLES
from apps.common.admin import BaseAdmin, BaseStacked, BaseTabular, FlowAdmin, ReadOnly
from apps.common.admin_site import tenant_admin
from apps.common.durations import DurationFormField
from apps.common.variables import unknown_variables
from apps.messaging.templating import FOLLOW_UP
from apps.surveys import mail_templates

TEXTS = ("subject", "body", "subject_no_comment", "body_no_comment")


class StepForm(forms.ModelForm):
    """A step; what a mail needs is asked for when the step is a mail."""

    class Meta:
        model = Step
        fields = (
            "kind", "delay", "position", "template", "subject", "body", "subject_no_comment", "body_no_comment",
        )  # fmt: skip
        help_texts = {
            "delay": _("After the answer: “10 minutes”, “2 hours”, “3 days”."),
            "body": _(
                "Variables, with what to write when there is nothing: {{ name|there }}, {{ score }}, {{ touchpoint }}."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        delay = self.fields.get("delay")
        if isinstance(delay, DurationFormField):
            delay.min_value, delay.max_value = timedelta(0), timedelta(days=730)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("kind") == Step.Kind.OPT_IN and "body" not in self.errors and not data.get("body"):
            self.add_error("body", _("Write what the person agrees to, in their words."))
        if data.get("kind") == Step.Kind.OPT_IN and any("{{" in text for text in (data.get("body") or {}).values()):
            # It is the proof of what was agreed to: the same for everybody.
            self.add_error("body", _("The text that is agreed to is the same for everybody: it takes no variables."))
        has_words = data.get("template") is not None or mail_templates.in_use([FOLLOW_UP])
        if data.get("kind") == Step.Kind.EMAIL and not has_words:
            for name in ("subject", "body"):
                if name not in self.errors and not data.get(name):
                    self.add_error(name, _("A mail needs this text."))
        for name in TEXTS:
            unknown = {one for text in (data.get(name) or {}).values() for one in unknown_variables(text, VARIABLES)}
            if unknown:
                params = {"unknown": ", ".join(sorted(unknown)), "known": ", ".join(sorted(VARIABLES))}
                self.add_error(
                    name, ValidationError(_("There is no variable %(unknown)s, only %(known)s."), params=params)
                )
        return data


class StepInline(BaseStacked):
    model = Step
    form = StepForm
    fieldsets = (
        (None, {"fields": ("kind", "delay", "template", "subject", "body", "position")}),
        (
            _("When the comment is missing"),
            {
                "classes": ("collapse",),
                "description": _("Empty: the text above."),
                "fields": ("subject_no_comment", "body_no_comment"),
            },
        ),
    )


@admin.register(Campaign, site=tenant_admin)
class CampaignAdmin(BaseAdmin):
    inlines = (StepInline,)
    list_display = ("name", "for_segment", "contact_segment", "survey", "touchpoint", "number_of_steps", "is_active")
    list_filter = ("is_active", "segment", "contact_segment", "survey", "touchpoint")
    list_select_related = ("contact_segment", "survey", "touchpoint")
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        return super().get_queryset(request).annotate(step_count=Count("steps"))

    @display(
        description=_("segment"),
        ordering="segment",
        label={"promoter": "success", "passive": "warning", "detractor": "danger"},
    )
    def for_segment(self, campaign: Campaign) -> tuple[str, str]:
        return campaign.segment, campaign.get_segment_display()

    @admin.display(description=_("steps"))
    def number_of_steps(self, campaign: Any) -> int:
        return campaign.step_count


class StepRunInline(ReadOnly, BaseTabular):
    model = StepRun
    fields = ("step", "status", "reason", "due_at", "done_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StepRun]:
        return super().get_queryset(request).select_related("step")


@admin.register(Enrolment, site=tenant_admin)
class EnrolmentAdmin(FlowAdmin):
    inlines = (StepRunInline,)
    list_display = ("enrolled_at", "campaign", "response", "contact")
    list_filter = ("campaign",)
    list_select_related = ("campaign", "response__contact")
    search_fields = ("response__contact__email", "response__contact__name", "campaign__name")
    date_hierarchy = "enrolled_at"
    ordering = ("-enrolled_at", "-id")
    paginator = InfinitePaginator

    @admin.display(description=_("contact"))
    def contact(self, enrolment: Enrolment) -> str:
        return str(enrolment.response.contact or "")


@admin.register(StepRun, site=tenant_admin)
class StepRunAdmin(FlowAdmin):
    list_display = ("due_at", "campaign", "step", "contact", "state", "reason", "done_at")
    list_filter = ("status", "reason", "enrolment__campaign")
    list_select_related = ("step", "enrolment__campaign", "enrolment__response__contact")
    search_fields = ("enrolment__response__contact__email", "enrolment__response__contact__name")
    date_hierarchy = "due_at"
    ordering = ("-due_at", "-id")
    paginator = InfinitePaginator

    @admin.display(description=_("campaign"))
    def campaign(self, run: StepRun) -> str:
        return str(run.enrolment.campaign)

    @admin.display(description=_("contact"))
    def contact(self, run: StepRun) -> str:
        return str(run.enrolment.response.contact or "")

    @display(
        description=_("status"),
        ordering="status",
        label={"pending": "info", "done": "success", "skipped": "warning", "failed": "danger"},
    )
    def state(self, run: StepRun) -> tuple[str, str]:
        return run.status, run.get_status_display()
