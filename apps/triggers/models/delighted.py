"""What integrations built for Delighted lead to: whom they ask, what, and why that is allowed."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.contacts.models import Contact, LegalBasis
from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint
from apps.triggers.models.cadences import Cadence
from apps.triggers.models.rules import TriggerRule


class DelightedConnection(models.Model):
    """The survey that people sent in are asked, through an ordinary touchpoint and rule. One row per tenant."""

    survey = models.ForeignKey(Survey, models.PROTECT, related_name="+", verbose_name=_("survey"))
    touchpoint = models.ForeignKey(
        Touchpoint, models.PROTECT, related_name="+", verbose_name=_("touchpoint"), editable=False
    )
    rule = models.ForeignKey(
        TriggerRule, models.PROTECT, related_name="+", verbose_name=_("trigger rule"), editable=False
    )
    email_cadence = models.ForeignKey(
        Cadence, models.SET_NULL, null=True, related_name="+", verbose_name=_("Autopilot by e-mail"), editable=False
    )
    sms_cadence = models.ForeignKey(
        Cadence, models.SET_NULL, null=True, related_name="+", verbose_name=_("Autopilot by text message"),
        editable=False,
    )  # fmt: skip
    legal_basis = models.CharField(
        _("why they may be written to"),
        max_length=20,
        choices=LegalBasis.Kind,
        blank=True,
        help_text=_("What you know of everybody whom your integration sends in. Without a choice nobody is asked."),
    )
    legal_source = models.TextField(
        _("notice or consent"),
        max_length=2000,
        blank=True,
        help_text=_("The text they were given or agreed to, and where: it is kept with each contact as the proof."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"))
    updated_at = models.DateTimeField(_("changed"))

    class Meta:
        verbose_name = _("Delighted connection")
        verbose_name_plural = _("Delighted connection")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="delighted_connection_single_row"),
            models.CheckConstraint(
                condition=models.Q(legal_basis="") | ~models.Q(legal_source=""), name="delighted_basis_has_source"
            ),
        ]

    def __str__(self) -> str:
        return str(_("Delighted connection"))

    def clean(self) -> None:
        self.legal_source = self.legal_source.strip()
        if self.legal_basis and not self.legal_source:
            raise ValidationError(
                {"legal_source": _("Say what they were told or agreed to, and where: without it nothing is proven.")}
            )


class AutopilotMember(models.Model):
    """A contact that an integration put on the list of those who are asked regularly."""

    class Platform(models.TextChoices):
        EMAIL = "email", _("e-mail")
        SMS = "sms", _("text message")

    platform = models.CharField(_("list"), max_length=5, choices=Platform)
    contact = models.ForeignKey(
        Contact, models.CASCADE, related_name="autopilot_memberships", verbose_name=_("contact")
    )
    properties = models.JSONField(_("properties"), default=dict, blank=True)
    created_at = models.DateTimeField(_("since"))
    updated_at = models.DateTimeField(_("changed"))

    class Meta:
        verbose_name = _("Autopilot member")
        verbose_name_plural = _("Autopilot members")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(platform="email") | models.Q(platform="sms"), name="autopilot_platform_known"
            ),
            models.UniqueConstraint(fields=["contact", "platform"], name="autopilot_member_once"),
        ]
        indexes = [models.Index(fields=["platform", "id"], name="autopilot_by_platform")]

    def __str__(self) -> str:
        return f"{self.platform}: {self.contact_id}"
