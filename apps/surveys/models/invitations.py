"""Who was invited to answer."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7
from apps.contacts.models import Contact
from apps.messaging.models import OutgoingEmail
from apps.surveys.models.surveys import Survey
from apps.touchpoints.models import Event, Touchpoint


class Invitation(models.Model):
    """One contact asked to answer one survey for one reason."""

    class Status(models.TextChoices):
        SCHEDULED = "scheduled", _("scheduled")
        QUEUED = "queued", _("handed to delivery")
        SHOWN = "shown", _("shown on a page")
        REVOKED = "revoked", _("revoked")
        EXPIRED = "expired", _("expired")

    class HourArm(models.TextChoices):
        """Whether it was sent at the hour that was learnt, or at the usual time for comparison."""

        LEARNED = "learned", _("learnt hour")
        CONTROL = "control", _("usual time, for comparison")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    survey = models.ForeignKey(Survey, models.PROTECT, related_name="invitations", verbose_name=_("survey"))
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, db_index=False, related_name="invitations", verbose_name=_("contact")
    )
    touchpoint = models.ForeignKey(Touchpoint, models.PROTECT, null=True, verbose_name=_("touchpoint"))
    event = models.ForeignKey(Event, models.SET_NULL, null=True, related_name="invitations", verbose_name=_("event"))
    reason = models.CharField(_("reason"), max_length=120, unique=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.SCHEDULED)
    status_reason = models.CharField(_("because"), max_length=40, blank=True)
    send_at = models.DateTimeField(_("send at"))
    give_up_at = models.DateTimeField(_("pointless after"))
    token_hash = models.BinaryField(unique=True, null=True, editable=False, max_length=32)
    link_expires_at = models.DateTimeField(_("link expires"), null=True)
    hour_arm = models.CharField(
        _("hour of sending"), max_length=8, choices=HourArm, blank=True, default="", db_default="", editable=False
    )
    properties = models.JSONField(_("properties of the page"), default=dict, blank=True)
    used_on = models.DateField(
        _("used"), null=True, help_text=_("The day an anonymous answer was given: which one is not known.")
    )
    # A day, no time: beside the answers of an anonymous survey a time could tell whose is whose.
    opened_on = models.DateField(
        _("opened"), null=True, editable=False, help_text=_("The first day its survey page was seen by a human.")
    )
    email = models.OneToOneField(
        OutgoingEmail, models.SET_NULL, null=True, related_name="invitation", verbose_name=_("e-mail")
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        indexes = [
            models.Index(fields=["send_at"], name="invitation_due", condition=models.Q(status="scheduled")),
            models.Index(fields=["contact", "-created_at"], name="invitation_by_contact"),
            models.Index(fields=["send_at"], name="invitation_hour_arm", condition=~models.Q(hour_arm="")),
        ]

    def __str__(self) -> str:
        return f"{self.survey_id} → {self.contact_id}"
