"""Reminders: when a survey asks once more, and each one on its way."""

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.fields import TextsField, check_windows
from apps.common.ids import uuid7
from apps.messaging.models import OutgoingEmail
from apps.surveys.models.invitations import Invitation
from apps.surveys.models.surveys import Survey

MOST = 3
LONGEST = timedelta(days=45)
"""A reminder later than this would come to a link that is about to expire."""


class SurveyReminder(models.Model):
    """When and in which words a survey asks those once more who have not answered."""

    survey = models.ForeignKey(Survey, models.CASCADE, related_name="reminders", verbose_name=_("survey"))
    position = models.PositiveSmallIntegerField(
        _("number"), default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST)],
        help_text=_("The first reminder is 1; at most three."),
    )  # fmt: skip
    delay = models.DurationField(
        _("delay"),
        default=timedelta(days=4),
        help_text=_("After the invitation, or after the reminder before: “4 days”, “36 hours”."),
    )
    windows = models.JSONField(
        _("send windows"),
        default=list,
        blank=True,
        validators=[check_windows],
        help_text=_("In the contact's own time zone. None: at any hour."),
    )
    skip_holidays = models.BooleanField(
        _("not on public holidays"), default=False, help_text=_("Of the contact's country and region.")
    )
    subject = TextsField(_("subject"), blank=True, help_text=_("Empty: a friendly one of ours."))
    text = TextsField(
        _("text"),
        multiline=True,
        blank=True,
        help_text=_(
            "What is said above the question; {{ name }}, {{ touchpoint }} and {{ brand }} are filled in. "
            "Empty: a sentence of ours."
        ),
    )

    class Meta:
        verbose_name = _("reminder of a survey")
        verbose_name_plural = _("reminders of a survey")
        ordering = ["survey", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["survey", "position"],
                name="survey_reminder_once_per_number",
                violation_error_message=_("There is a reminder with this number already."),
            ),
            models.CheckConstraint(
                condition=models.Q(position__gte=1, position__lte=MOST),
                name="survey_reminder_three_at_most",
                violation_error_message=_("A survey has at most three reminders: number 1 to 3."),
            ),
            models.CheckConstraint(
                condition=models.Q(delay__gte=timedelta(hours=1), delay__lte=LONGEST),
                name="survey_reminder_delay_in_bounds",
                violation_error_message=_("The delay must be at least an hour and at most 45 days."),
            ),
        ]

    def __str__(self) -> str:
        return str(_("Reminder %(number)d") % {"number": self.position})


class Reminder(models.Model):
    """One contact reminded of one invitation. Only the next one is planned: the others follow when it has gone out."""

    class Status(models.TextChoices):
        SCHEDULED = "scheduled", _("scheduled")
        QUEUED = "queued", _("handed to delivery")
        REVOKED = "revoked", _("revoked")
        EXPIRED = "expired", _("expired")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    invitation = models.ForeignKey(
        Invitation, models.CASCADE, db_index=False, related_name="reminders", verbose_name=_("invitation")
    )
    position = models.PositiveSmallIntegerField(_("number"))
    send_at = models.DateTimeField(_("send at"))
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.SCHEDULED)
    status_reason = models.CharField(_("because"), max_length=40, blank=True)
    email = models.OneToOneField(
        OutgoingEmail, models.SET_NULL, null=True, related_name="reminder", verbose_name=_("e-mail")
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        constraints = [
            models.UniqueConstraint(fields=["invitation", "position"], name="reminder_once_per_number"),
            models.CheckConstraint(condition=models.Q(position__gte=1, position__lte=MOST), name="reminder_1_to_3"),
        ]
        indexes = [models.Index(fields=["send_at"], name="reminder_due", condition=models.Q(status="scheduled"))]

    def __str__(self) -> str:
        return f"{self.invitation_id} ({self.position})"

    @property
    def reason(self) -> str:
        """What it is called in the contact budget's ledger and in the outbox."""
        return f"reminder:{self.invitation_id}:{self.position}"
