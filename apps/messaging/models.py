"""The outbox: every mail that leaves, who it is from, and whom we must not write to."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7
from apps.contacts.models import Contact


class Sender(models.Model):
    """Who a tenant's mails are from. The default one is used unless something names another."""

    name = models.CharField(_("name"), max_length=120)
    email = models.EmailField(_("e-mail"), unique=True)
    reply_to = models.EmailField(_("reply to"), blank=True)
    is_default = models.BooleanField(_("default"), default=False)

    class Meta:
        verbose_name = _("sender")
        verbose_name_plural = _("senders")
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=models.Q(is_default=True),
                name="sender_one_default",
                violation_error_message=_("Another sender is the default already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class Suppression(models.Model):
    """An address that must not be mailed. Kept as a keyed hash, so that it outlives the contact's erasure."""

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
        BOUNCED = "bounced", _("bounced")
        COMPLAINED = "complained", _("complained")
        MANUAL = "manual", _("entered by hand")

    address_hash = models.BinaryField(unique=True, editable=False, max_length=32)
    email = models.EmailField(_("e-mail"), blank=True, help_text=_("Empty after the contact was erased."))
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    source = models.CharField(_("source"), max_length=120, blank=True)
    created_at = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")

    def __str__(self) -> str:
        return f"{self.email or '…'} ({self.get_reason_display()})"


class OutgoingEmail(models.Model):
    """One mail to one contact for one reason, as sent."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")
        DELIVERED = "delivered", _("delivered")
        BOUNCED = "bounced", _("bounced")
        COMPLAINED = "complained", _("complained")
        UNKNOWN = "unknown", _("unknown")
        FAILED = "failed", _("failed")
        REVOKED = "revoked", _("revoked")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    reason = models.CharField(_("reason"), max_length=120, unique=True)
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, db_index=False, related_name="emails", verbose_name=_("contact")
    )
    to_email = models.EmailField(_("to"))
    to_name = models.CharField(_("recipient's name"), max_length=200, blank=True)
    from_header = models.CharField(_("from"), max_length=1000)
    reply_to = models.EmailField(_("reply to"), blank=True)
    subject = models.CharField(_("subject"), max_length=300)
    text = models.TextField(_("text"))
    html = models.TextField(_("HTML"))
    headers = models.JSONField(_("headers"), default=dict)
    message_id = models.CharField(_("message id"), max_length=300, unique=True)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.QUEUED)
    due_at = models.DateTimeField(_("due"))
    lease_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    queued_at = models.DateTimeField(_("queued"))
    sent_at = models.DateTimeField(_("sent"), null=True)
    last_error = models.CharField(_("last error"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        indexes = [
            models.Index(fields=["due_at"], name="email_due", condition=models.Q(status="queued")),
            models.Index(fields=["lease_until"], name="email_sending", condition=models.Q(status="sending")),
            models.Index(fields=["contact", "-queued_at"], name="email_by_contact"),
            models.Index(fields=["-queued_at", "-id"], name="email_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} → {self.to_email}"
