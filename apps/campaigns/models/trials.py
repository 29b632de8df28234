"""Campaigns tried against the past."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.campaigns.models.campaigns import Campaign, CampaignVersion
from apps.common.ids import uuid7


class CampaignTrial(models.Model):
    """What a campaign's draft, or one of its versions, would have done with the responses of the last days."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="trials", verbose_name=_("campaign"))
    version = models.ForeignKey(
        CampaignVersion,
        models.SET_NULL,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("version"),
        help_text=_("Empty: the draft."),
    )
    # The steps as they were then: the draft goes on being written.
    document = models.JSONField(_("steps"))
    days = models.PositiveSmallIntegerField(
        _("days back"), default=30, validators=[MinValueValidator(1), MaxValueValidator(366)]
    )
    # Of campaigns that are started by hand: which responses. Null: whoever enters by the campaign's own rules.
    criteria = models.JSONField(_("responses"), null=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.WAITING)
    total = models.PositiveIntegerField(_("responses"), default=0)
    done = models.PositiveIntegerField(_("responses looked at"), default=0)
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
        verbose_name = _("trial of a campaign")
        verbose_name_plural = _("trials of campaigns")
        indexes = [
            models.Index(
                fields=["created_at"],
                name="campaign_trial_waiting",
                condition=models.Q(status="waiting") | models.Q(status="running"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.created_at:%Y-%m-%d}"
