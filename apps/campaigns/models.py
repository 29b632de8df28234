"""Follow-up sequences: what happens after an answer, by segment."""

from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.fields import TextsField
from apps.common.ids import uuid7
from apps.messaging.models import MailTemplate, OutgoingEmail
from apps.responses.models import Response
from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint
from apps.triggers.models import Segment as ContactSegment


class Segment(models.TextChoices):
    """Who the answer came from."""

    PROMOTER = "promoter", _("promoters")
    PASSIVE = "passive", _("passives")
    DETRACTOR = "detractor", _("detractors")


class Campaign(models.Model):
    """A follow-up sequence for one segment, for all surveys and touchpoints or for some."""

    name = models.CharField(_("name"), max_length=120)
    segment = models.CharField(_("segment"), max_length=10, choices=Segment)
    contact_segment = models.ForeignKey(
        ContactSegment,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="campaigns",
        verbose_name=_("segment of contacts"),
        help_text=_("Empty: all contacts."),
    )
    survey = models.ForeignKey(
        Survey, models.PROTECT, null=True, blank=True, verbose_name=_("survey"), help_text=_("Empty: all.")
    )
    touchpoint = models.ForeignKey(
        Touchpoint, models.PROTECT, null=True, blank=True, verbose_name=_("touchpoint"), help_text=_("Empty: all.")
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")

    def __str__(self) -> str:
        return self.name


class Step(models.Model):
    """One part of a campaign."""

    class Kind(models.TextChoices):
        EMAIL = "email", _("e-mail")
        CASE = "case", _("case")
        OPT_IN = "opt_in", _("request for consent")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="steps", verbose_name=_("campaign"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.EMAIL)
    delay = models.DurationField(_("delay"), default=timedelta(minutes=10), help_text=_("After the answer."))
    template = models.ForeignKey(
        MailTemplate,
        models.PROTECT,
        null=True,
        blank=True,
        limit_choices_to={"purpose": MailTemplate.Purpose.FOLLOW_UP},
        related_name="steps",
        verbose_name=_("template"),
        help_text=_("Instead of the texts below."),
    )
    subject = TextsField(_("subject"), blank=True)
    body = TextsField(_("text"), blank=True, multiline=True)
    subject_no_comment = TextsField(_("subject when the comment is missing"), blank=True)
    body_no_comment = TextsField(_("text when the comment is missing"), blank=True, multiline=True)

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(delay__gte=timedelta(0), delay__lte=timedelta(days=730)),
                name="step_delay_0_to_2_years",
                violation_error_message=_("The delay must be between nothing and two years."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.position}"


class Enrolment(models.Model):
    """One response's run through a campaign."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="enrolments", verbose_name=_("campaign"))
    response = models.ForeignKey(Response, models.CASCADE, related_name="enrolments", verbose_name=_("response"))
    enrolled_at = models.DateTimeField(_("enrolled"))

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        constraints = [models.UniqueConstraint(fields=["campaign", "response"], name="enrolment_once_per_response")]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.response_id}"


class StepRun(models.Model):
    """One step of one enrolment."""

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        DONE = "done", _("done")
        SKIPPED = "skipped", _("skipped")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    enrolment = models.ForeignKey(Enrolment, models.CASCADE, related_name="runs", verbose_name=_("enrolment"))
    step = models.ForeignKey(Step, models.PROTECT, related_name="runs", verbose_name=_("step"))
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PENDING)
    reason = models.CharField(_("because"), max_length=40, blank=True)
    due_at = models.DateTimeField(_("due"))
    done_at = models.DateTimeField(_("done"), null=True)
    email = models.OneToOneField(
        OutgoingEmail, models.SET_NULL, null=True, related_name="step_run", verbose_name=_("e-mail")
    )

    class Meta:
        verbose_name = _("step run")
        verbose_name_plural = _("step runs")
        constraints = [models.UniqueConstraint(fields=["enrolment", "step"], name="step_run_once_per_enrolment")]
        indexes = [models.Index(fields=["due_at"], name="step_run_due", condition=models.Q(status="pending"))]

    def __str__(self) -> str:
        return f"{self.step_id}: {self.get_status_display()}"
