"""Which events lead to which survey, and what was decided for each event."""

from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7
from apps.contacts.models import Contact
from apps.surveys.models import Invitation, Survey
from apps.touchpoints.models import Event, Touchpoint


class TriggerRule(models.Model):
    """After an event at a touchpoint, ask a survey some time later."""

    name = models.CharField(_("name"), max_length=120)
    touchpoint = models.ForeignKey(Touchpoint, models.PROTECT, related_name="rules", verbose_name=_("touchpoint"))
    survey = models.ForeignKey(Survey, models.PROTECT, related_name="rules", verbose_name=_("survey"))
    delay = models.DurationField(
        _("delay"), default=timedelta(days=3), help_text=_("After the event: “3 days”, “2 hours”, “90 minutes”.")
    )
    expires_after = models.DurationField(
        _("pointless after"), default=timedelta(days=14), help_text=_("Counted from when it should have been sent.")
    )
    priority = models.SmallIntegerField(_("priority"), default=0, help_text=_("Higher goes first."))
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("trigger rule")
        verbose_name_plural = _("trigger rules")
        ordering = ["-priority", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(delay__gte=timedelta(0), delay__lte=timedelta(days=730)),
                name="rule_delay_0_to_2_years",
                violation_error_message=_("The delay must be between nothing and two years."),
            ),
            models.CheckConstraint(
                condition=models.Q(expires_after__gt=timedelta(0), expires_after__lte=timedelta(days=730)),
                name="rule_expiry_up_to_2_years",
                violation_error_message=_("The expiry must be more than nothing and at most two years."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Decision(models.Model):
    """What a rule decided for one event, and why. Every event leaves at least one."""

    class Status(models.TextChoices):
        SCHEDULED = "scheduled", _("scheduled")
        DEFERRED = "deferred", _("deferred")
        SKIPPED = "skipped", _("skipped")
        BLOCKED = "blocked", _("blocked")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event = models.ForeignKey(Event, models.CASCADE, related_name="decisions", verbose_name=_("event"))
    rule = models.ForeignKey(
        TriggerRule, models.SET_NULL, null=True, related_name="decisions", verbose_name=_("trigger rule")
    )
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, db_index=False, related_name="decisions", verbose_name=_("contact")
    )
    invitation = models.OneToOneField(
        Invitation, models.SET_NULL, null=True, related_name="decision", verbose_name=_("invitation")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status)
    reason = models.CharField(_("reason"), max_length=40)
    until = models.DateTimeField(_("planned for"), null=True)
    decided_at = models.DateTimeField(_("decided"))

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [models.UniqueConstraint(fields=["event", "rule"], name="decision_once_per_rule")]
        indexes = [
            models.Index(fields=["-decided_at", "-id"], name="decision_by_time"),
            models.Index(fields=["contact", "-decided_at"], name="decision_by_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()}: {self.reason}"
