"""What holds for all cases: hours of work, patience, and what cases can end with."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.common.fields import TextsField
from apps.common.texts import localized

LONGEST = timedelta(days=365)


def working_week() -> list[dict[str, Any]]:
    """Monday to Friday, nine to five."""
    return [{"days": [0, 1, 2, 3, 4], "from": "09:00", "to": "17:00"}]


class CasePolicy(models.Model):
    """Hours of work, due times, reminders and escalation. One row per tenant; without it the defaults hold."""

    hours = models.JSONField(
        _("working hours"),
        default=working_week,
        blank=True,
        help_text=_("Due times count these hours only, by the clock of the calendar. Empty: around the clock."),
    )
    skip_holidays = models.BooleanField(_("public holidays are free"), default=True)
    contact_within = models.DurationField(
        _("first contact within"), default=timedelta(hours=8), help_text=_("Working time, e.g. “8 hours”.")
    )
    close_within = models.DurationField(
        _("closed within"), default=timedelta(hours=40), help_text=_("Working time, e.g. “40 hours”: a week.")
    )
    remind_before = models.DurationField(
        _("remind before"),
        default=timedelta(hours=2),
        help_text=_("So much working time before a case is due its owner is reminded. 0: not."),
    )
    escalate_after = models.DurationField(
        _("escalate after"),
        default=timedelta(hours=8),
        help_text=_("So much working time after it was due somebody else is told. 0: at once."),
    )
    escalate_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("escalate to"),
        help_text=_("Empty: nobody."),
    )

    class Meta:
        verbose_name = _("rules for cases")
        verbose_name_plural = _("rules for cases")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="case_policy_single_row"),
            models.CheckConstraint(
                condition=models.Q(
                    contact_within__gte=timedelta(0),
                    contact_within__lte=LONGEST,
                    close_within__gt=timedelta(0),
                    close_within__lte=LONGEST,
                    remind_before__gte=timedelta(0),
                    remind_before__lte=LONGEST,
                    escalate_after__gte=timedelta(0),
                    escalate_after__lte=LONGEST,
                ),
                name="case_policy_times",
                violation_error_message=_("Times must be between nothing and a year."),
            ),
        ]

    def __str__(self) -> str:
        return str(_("Rules for cases"))

    def clean(self) -> None:
        super().clean()
        if self._state.adding and CasePolicy.objects.exists():
            raise ValidationError(_("There is one set of rules for cases; change it instead."))
        self.pk = 1


class ListEntry(models.Model):
    """One entry of a list that the tenant edits. What was used is switched off, not deleted."""

    name = TextsField(_("name"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("offered"), default=True)

    class Meta:
        abstract = True
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return localized(self.name, get_language() or "")


class Outcome(ListEntry):
    """How a case may end, e.g. refunded, explained, nothing could be done."""

    class Meta(ListEntry.Meta):
        verbose_name = _("outcome")
        verbose_name_plural = _("outcomes")


class RootCause(ListEntry):
    """What was behind it, e.g. delivery too late, product broken."""

    class Meta(ListEntry.Meta):
        verbose_name = _("root cause")
        verbose_name_plural = _("root causes")
