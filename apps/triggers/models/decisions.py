"""What was decided, and why."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7
from apps.contacts.models import Contact
from apps.surveys.models import Invitation
from apps.touchpoints.models import Event
from apps.triggers.models.cadences import Cadence
from apps.triggers.models.rules import RuleVersion, TriggerRule


class Decision(models.Model):
    """What a rule decided for one event, or a cadence for one contact, and why. Every event leaves at least one."""

    class Status(models.TextChoices):
        SCHEDULED = "scheduled", _("scheduled")
        DEFERRED = "deferred", _("deferred")
        SKIPPED = "skipped", _("skipped")
        BLOCKED = "blocked", _("blocked")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event = models.ForeignKey(Event, models.CASCADE, null=True, related_name="decisions", verbose_name=_("event"))
    rule = models.ForeignKey(
        TriggerRule, models.SET_NULL, null=True, related_name="decisions", verbose_name=_("trigger rule")
    )
    # The versions are few and never looked up by: an index over all decisions would cost more than it gives.
    rule_version = models.ForeignKey(
        RuleVersion, models.SET_NULL, null=True, db_index=False, related_name="+", verbose_name=_("version of the rule")
    )
    cadence = models.ForeignKey(
        Cadence, models.SET_NULL, null=True, db_index=False, related_name="decisions", verbose_name=_("cadence")
    )
    occurrence = models.CharField(_("turn"), max_length=40, blank=True)
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, db_index=False, related_name="decisions", verbose_name=_("contact")
    )
    invitation = models.OneToOneField(
        Invitation, models.SET_NULL, null=True, related_name="decision", verbose_name=_("invitation")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status)
    reason = models.CharField(_("reason"), max_length=40)
    details = models.JSONField(_("details"), default=dict)
    until = models.DateTimeField(_("planned for"), null=True)
    decided_at = models.DateTimeField(_("decided"))

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [models.UniqueConstraint(fields=["event", "rule"], name="decision_once_per_rule")]
        indexes = [
            models.Index(fields=["-decided_at", "-id"], name="decision_by_time"),
            models.Index(fields=["contact", "-decided_at"], name="decision_by_contact"),
            models.Index(
                fields=["cadence", "-decided_at"], name="decision_by_cadence",
                condition=models.Q(cadence__isnull=False),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_status_display()}: {self.reason}"
