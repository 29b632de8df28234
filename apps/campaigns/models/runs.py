"""Who runs through which campaign, and how far they are."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.campaigns.models.campaigns import Campaign, CampaignVersion
from apps.common.ids import uuid7
from apps.contacts.models import Contact
from apps.messaging.models import OutgoingEmail
from apps.responses.models import Response


class Launch(models.Model):
    """A campaign started by hand for responses there are; worked off in batches."""

    class Status(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="launches", verbose_name=_("campaign"))
    version = models.ForeignKey(CampaignVersion, models.PROTECT, related_name="+", verbose_name=_("version"))
    # What the responses are chosen by; read again for each batch, so that nothing has to be listed beforehand.
    criteria = models.JSONField(_("responses"), default=dict)
    # Responses answered later are not part of it.
    until = models.DateTimeField(_("answered until"))
    reached = models.UUIDField(null=True, editable=False)
    total = models.PositiveIntegerField(_("responses"), default=0)
    seen = models.PositiveIntegerField(_("looked at"), default=0)
    enrolled = models.PositiveIntegerField(_("enrolled"), default=0)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.RUNNING)
    error = models.CharField(_("error"), max_length=500, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("started by")
    )
    created_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("start by hand")
        verbose_name_plural = _("starts by hand")
        constraints = [
            models.UniqueConstraint(
                fields=["campaign"], name="launch_one_at_a_time", condition=models.Q(status="running")
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="launch_running", condition=models.Q(status="running"))]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.created_at:%Y-%m-%d}"


class Enrolment(models.Model):
    """One response's run through a version of a campaign."""

    class Arm(models.TextChoices):
        TREATED = "treated", _("followed up")
        HOLDOUT = "holdout", _("left out for comparison")

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        STOPPED = "stopped", _("stopped")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="enrolments", verbose_name=_("campaign"))
    version = models.ForeignKey(CampaignVersion, models.PROTECT, related_name="enrolments", verbose_name=_("version"))
    response = models.ForeignKey(Response, models.CASCADE, related_name="enrolments", verbose_name=_("response"))
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, related_name="enrolments", verbose_name=_("contact")
    )
    launch = models.ForeignKey(
        Launch, models.SET_NULL, null=True, db_index=False, related_name="enrolments", verbose_name=_("started by hand")
    )
    arm = models.CharField(_("part"), max_length=8, choices=Arm, default=Arm.TREATED, db_default="treated")
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.RUNNING, db_default="running")
    end_reason = models.CharField(_("because"), max_length=40, blank=True, default="", db_default="")
    # How often the campaign has asked its way to this response: what asks again must not go on for ever.
    round = models.PositiveSmallIntegerField(_("round"), default=1, db_default=1)
    # Whether the reason was known already: only who had not said why can do it later. Not noted counts as known.
    had_comment = models.BooleanField(default=True, db_default=True, editable=False)
    enrolled_at = models.DateTimeField(_("enrolled"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "response"], name="enrolment_once_per_response"),
            models.CheckConstraint(
                condition=models.Q(state="running", ended_at__isnull=True)
                | (~models.Q(state="running") & models.Q(ended_at__isnull=False)),
                name="enrolment_ended_with_time",
            ),
        ]
        indexes = [models.Index(fields=["campaign", "-enrolled_at"], name="enrolment_by_campaign")]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.response_id}"


class StepRun(models.Model):
    """One step of one enrolment. Only the next step is written, when the one before it has ended."""

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        DONE = "done", _("done")
        SKIPPED = "skipped", _("skipped")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    enrolment = models.ForeignKey(Enrolment, models.CASCADE, related_name="runs", verbose_name=_("enrolment"))
    step_key = models.CharField(_("step"), max_length=40)
    kind = models.CharField(_("kind"), max_length=10)
    position = models.PositiveSmallIntegerField(_("position"), default=1, db_default=1)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PENDING)
    reason = models.CharField(_("because"), max_length=40, blank=True)
    # When it should be; what holds it back moves due_at only.
    planned_at = models.DateTimeField(_("planned"), null=True)
    due_at = models.DateTimeField(_("due"))
    done_at = models.DateTimeField(_("done"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, db_default=0)
    last_error = models.CharField(_("last error"), max_length=500, blank=True, default="", db_default="")
    # What came of it, as keys and ids: {"way": "yes"}, {"voucher": …}, {"invitation": …}.
    result = models.JSONField(default=dict, db_default={})
    email = models.OneToOneField(
        OutgoingEmail, models.SET_NULL, null=True, related_name="step_run", verbose_name=_("e-mail")
    )

    class Meta:
        verbose_name = _("step run")
        verbose_name_plural = _("step runs")
        constraints = [
            # No step is taken twice, and one comes after the other.
            models.UniqueConstraint(fields=["enrolment", "step_key"], name="step_run_once_per_enrolment"),
            models.UniqueConstraint(
                fields=["enrolment"], name="step_run_one_at_a_time", condition=models.Q(status="pending")
            ),
        ]
        indexes = [models.Index(fields=["due_at"], name="step_run_due", condition=models.Q(status="pending"))]

    def __str__(self) -> str:
        return f"{self.step_key}: {self.get_status_display()}"
