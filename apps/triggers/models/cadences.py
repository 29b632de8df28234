"""Asking regularly, without an event."""

from datetime import date, time

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.recurrence import RecurrenceError, parse_rule
from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint
from apps.triggers.models.asking import Asking
from apps.triggers.models.segments import Segment


class Cadence(Asking):
    """Ask a segment regularly: each contact at its own time of the period, or all on days of the calendar."""

    class Kind(models.TextChoices):
        PER_CONTACT = "per_contact", _("each contact every so many days, spread evenly")
        CALENDAR = "calendar", _("everybody on days of the calendar")

    survey = models.ForeignKey(Survey, models.PROTECT, related_name="cadences", verbose_name=_("survey"))
    segment = models.ForeignKey(
        Segment, models.PROTECT, null=True, blank=True, related_name="cadences", verbose_name=_("segment"),
        help_text=_("Empty: all contacts."),
    )  # fmt: skip
    touchpoint = models.ForeignKey(
        Touchpoint, models.PROTECT, null=True, blank=True, related_name="cadences", verbose_name=_("touchpoint"),
        help_text=_("Where on the journey the answers count."),
    )  # fmt: skip
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.PER_CONTACT)
    period_days = models.PositiveSmallIntegerField(
        _("every so many days"), default=91, validators=[MinValueValidator(1), MaxValueValidator(1830)],
        help_text=_("91 is quarterly, 182 half-yearly, 365 yearly."),
    )  # fmt: skip
    recurrence = models.CharField(
        _("recurrence"), max_length=200, blank=True,
        help_text=_("As in RFC 5545: FREQ=MONTHLY;BYDAY=1MO is the first Monday of each month."),
    )  # fmt: skip
    starts_on = models.DateField(_("from"), default=date.today)
    at = models.TimeField(_("at"), default=time(9), help_text=_("In your own time zone."))
    # Only whom an integration put on that list (see AutopilotMember); empty: everybody of the segment.
    members_of = models.CharField(
        _("only members of"), max_length=5, blank=True, default="", db_default="", editable=False
    )
    # --- where it stands: written by the service only ---
    next_run_at = models.DateTimeField(_("next run"), null=True, editable=False)
    covered_until = models.DateTimeField(_("done until"), null=True, editable=False)
    running_until = models.DateTimeField(null=True, editable=False)
    cursor = models.UUIDField(null=True, editable=False)
    last_error = models.CharField(_("last error"), max_length=500, blank=True, editable=False)

    class Meta(Asking.Meta):
        verbose_name = _("cadence")
        verbose_name_plural = _("cadences")
        ordering = ["name", "pk"]
        constraints = [
            *Asking.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(period_days__gte=1, period_days__lte=1830), name="cadence_period_1_to_1830"
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="calendar", recurrence=""), name="cadence_calendar_has_recurrence",
                violation_error_message=_("Say on which days: give a recurrence."),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["next_run_at"], name="cadence_due", condition=models.Q(next_run_at__isnull=False))
        ]

    def clean(self) -> None:
        super().clean()
        if self.starts_on and not 2000 <= self.starts_on.year <= 2200:
            raise ValidationError({"starts_on": _("Choose a day between the years 2000 and 2200.")})
        if self.kind == self.Kind.CALENDAR:
            try:
                self.recurrence = parse_rule(self.recurrence).text
            except RecurrenceError as error:
                raise ValidationError(
                    {"recurrence": _("Not understood: write for example FREQ=MONTHLY;BYDAY=1MO.")}
                ) from error
