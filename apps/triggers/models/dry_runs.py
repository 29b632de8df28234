"""Rules and budgets tried against the past."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7


class DryRun(models.Model):
    """What a draft of a rule, or a changed contact budget, would have done with the events of the last days."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    title = models.CharField(_("title"), max_length=200)
    draft = models.JSONField(_("draft"), null=True)
    rule_id_replaced = models.BigIntegerField(null=True, editable=False)
    budget = models.JSONField(_("contact budget"), null=True)
    days = models.PositiveSmallIntegerField(
        _("days back"), default=30, validators=[MinValueValidator(1), MaxValueValidator(366)]
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.WAITING)
    events_total = models.PositiveIntegerField(_("events"), default=0)
    events_done = models.PositiveIntegerField(_("events looked at"), default=0)
    result = models.JSONField(_("result"), null=True)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    error = models.CharField(_("error"), max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"))
    lease_until = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("dry run")
        verbose_name_plural = _("dry runs")
        indexes = [
            models.Index(
                fields=["created_at"], name="dry_run_waiting", condition=models.Q(status__in=["waiting", "running"])
            ),
            models.Index(fields=["-created_at", "-id"], name="dry_run_by_time"),
        ]

    def __str__(self) -> str:
        return self.title
