"""Whom we must not write to."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Suppression(models.Model):
    """An address that must not be mailed. Kept as a keyed hash, so that it outlives the contact's erasure.

    One that was lifted stays as history and holds nothing back.
    """

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
        BOUNCED = "bounced", _("bounced")
        COMPLAINED = "complained", _("complained")
        MANUAL = "manual", _("entered by hand")
        IMPORTED = "imported", _("imported")

    address_hash = models.BinaryField(editable=False, max_length=32)
    email = models.CharField(
        _("address"), max_length=254, blank=True, help_text=_("Empty after the contact was erased.")
    )
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    source = models.CharField(_("source"), max_length=120, blank=True)
    created_at = models.DateTimeField(_("since"))
    lifted_at = models.DateTimeField(_("lifted"), null=True, editable=False)
    lifted_because = models.CharField(_("lifted because"), max_length=200, blank=True, editable=False)
    lifted_by = models.CharField(_("lifted by"), max_length=150, blank=True, editable=False)

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        constraints = [
            models.UniqueConstraint(
                fields=["address_hash"], condition=models.Q(lifted_at__isnull=True), name="suppression_once_per_address"
            ),
            models.CheckConstraint(
                condition=models.Q(lifted_at__isnull=True) | ~models.Q(lifted_because=""),
                name="suppression_lifted_with_reason",
                violation_error_message=_("Say why it is lifted."),
            ),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="suppression_by_time")]

    def __str__(self) -> str:
        return f"{self.email or '…'} ({self.get_reason_display()})"
