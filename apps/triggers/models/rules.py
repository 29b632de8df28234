"""Which events lead to which survey, and how a rule looked at each time."""

from datetime import time, timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.conditions import ConditionError
from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint
from apps.triggers.models.asking import Asking
from apps.triggers.models.segments import Segment
from apps.triggers.problems import sentences
from apps.triggers.rules import parse_condition


class TriggerRule(Asking):
    """After an event at a touchpoint, ask a survey some time later."""

    class Wait(models.TextChoices):
        DURATION = "duration", _("a time span")
        WORKING_DAYS = "working_days", _("working days")
        MORNING = "morning", _("until the next morning")

    touchpoints = models.ManyToManyField(Touchpoint, related_name="rules", verbose_name=_("touchpoints"))
    survey = models.ForeignKey(Survey, models.PROTECT, related_name="rules", verbose_name=_("survey"))
    condition = models.JSONField(_("condition"), default=dict, blank=True)
    wait = models.CharField(_("wait for"), max_length=12, choices=Wait, default=Wait.DURATION)
    delay = models.DurationField(
        _("delay"), default=timedelta(days=3), help_text=_("After the event: “3 days”, “2 hours”, “90 minutes”.")
    )
    working_days = models.PositiveSmallIntegerField(
        _("number of working days"), default=3, help_text=_("Monday to Friday without public holidays.")
    )
    morning_at = models.TimeField(_("hour of the morning"), default=time(9))
    active_from = models.DateTimeField(_("active from"), null=True, blank=True)
    active_until = models.DateTimeField(_("active until"), null=True, blank=True)
    revoked_by = models.ManyToManyField(
        Touchpoint,
        related_name="revoked_rules",
        blank=True,
        verbose_name=_("taken back by"),
        help_text=_("Events here take back what is planned: a refund, a cancelled order, a reopened ticket."),
    )
    revoke_match = models.CharField(
        _("only with the same"),
        max_length=60,
        blank=True,
        help_text=_("A property that both events must share, such as order_id. Empty: any event of the contact."),
    )

    class Meta(Asking.Meta):
        verbose_name = _("trigger rule")
        verbose_name_plural = _("trigger rules")
        ordering = ["-priority", "pk"]
        constraints = [
            *Asking.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(delay__gte=timedelta(0), delay__lte=timedelta(days=730)),
                name="rule_delay_0_to_2_years",
                violation_error_message=_("The delay must be between nothing and two years."),
            ),
            models.CheckConstraint(
                condition=models.Q(working_days__lte=250),
                name="rule_working_days_up_to_250",
                violation_error_message=_("At most 250 working days."),
            ),
            models.CheckConstraint(
                condition=models.Q(active_from__isnull=True)
                | models.Q(active_until__isnull=True)
                | models.Q(active_until__gt=models.F("active_from")),
                name="rule_active_until_after_from",
                violation_error_message=_("The end must be after the beginning."),
            ),
        ]

    def clean(self) -> None:
        super().clean()
        try:
            self.condition = parse_condition(self.condition, Segment.trees()).tree
        except ConditionError as error:
            raise ValidationError({"condition": sentences(error)}) from error


class RuleVersion(models.Model):
    """A rule as it was, so that an old decision can be read with the rule that made it. Never changed."""

    rule = models.ForeignKey(
        TriggerRule, models.SET_NULL, null=True, related_name="versions", verbose_name=_("trigger rule")
    )
    number = models.PositiveIntegerField(_("version"))
    snapshot = models.JSONField(_("as it was"))
    created_at = models.DateTimeField(_("since"))
    created_by = models.CharField(_("changed by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("version of a rule")
        verbose_name_plural = _("versions of rules")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["rule", "number"], name="rule_version_once")]

    def __str__(self) -> str:
        return f"{self.snapshot.get('name', '')} ({self.number})"
