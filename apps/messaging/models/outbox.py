"""Every message that leaves, as sent, with what became of it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7
from apps.contacts.models import Contact

TO_USERS = "users"
"""The stream of mails to people who work here: the only ones that go to no contact."""

ANSWERS, ANSWERS_WANTED = "cases", "cases.wanted"
"""The streams of personal answers: to anybody who may be written to, and to who asked for one.

They need no legal basis. A blocked address stops the first like all others; the second also goes to who wants no
mailings, or complained about one, but never to a mailbox that bounced.
"""


class MailFrame(models.Model):
    """What many messages share: their text and HTML with the places where each one's own values go.

    Never changed, so that a message can be shown as it was sent. Found by its content.
    """

    digest = models.BinaryField(unique=True, max_length=32, editable=False)
    text = models.TextField(_("text"))
    html = models.TextField(_("HTML"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.pk}"


class OutgoingEmail(models.Model):
    """One message to one contact for one reason: a mail, or a text message where ``channel`` says so."""

    class Channel(models.TextChoices):
        EMAIL = "email", _("e-mail")
        SMS = "sms", _("text message")

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        PAUSED = "paused", _("paused")
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
    stream = models.CharField(
        _("belongs to"), max_length=60, blank=True, help_text=_("What may be paused as one, e.g. survey:3")
    )
    channel = models.CharField(_("channel"), max_length=5, choices=Channel, default=Channel.EMAIL)
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, db_index=False, related_name="emails", verbose_name=_("contact")
    )
    needs_legal_basis = models.BooleanField(
        _("needs a legal basis"), default=True, help_text=_("Only the question whether we may write needs none.")
    )
    to_email = models.CharField(_("to"), max_length=254)
    to_name = models.CharField(_("recipient's name"), max_length=200, blank=True)
    domain = models.CharField(_("recipient's domain"), max_length=253, blank=True)
    from_header = models.CharField(_("from"), max_length=1000)
    reply_to = models.EmailField(_("reply to"), blank=True)
    relay = models.SlugField(_("sent through"), max_length=40, blank=True, db_index=False)
    subject = models.CharField(_("subject"), max_length=300)
    # Frames are never deleted, and nobody looks a frame's messages up: an index would only slow the outbox down.
    frame = models.ForeignKey(MailFrame, models.PROTECT, null=True, db_index=False, related_name="+")
    values = models.JSONField(_("values"), default=dict)
    headers = models.JSONField(_("headers"), default=dict)
    message_id = models.CharField(_("message id"), max_length=300, unique=True)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.QUEUED)
    due_at = models.DateTimeField(_("due"))
    lease_until = models.DateTimeField(null=True, editable=False)
    batch = models.UUIDField(null=True, editable=False)
    position = models.PositiveSmallIntegerField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    queued_at = models.DateTimeField(_("queued"))
    sent_at = models.DateTimeField(_("sent"), null=True)
    esp_id = models.CharField(_("id at the mail service"), max_length=200, blank=True)
    last_error = models.CharField(_("last error"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index(fields=["due_at"], name="email_due", condition=models.Q(status="queued")),
            models.Index(fields=["lease_until"], name="email_sending", condition=models.Q(status="sending")),
            models.Index(fields=["contact", "-queued_at"], name="email_by_contact"),
            models.Index(fields=["-queued_at", "-id"], name="email_by_time"),
            models.Index(
                fields=["stream", "status"],
                name="email_waiting",
                condition=models.Q(status__in=["queued", "paused", "sending"]),
            ),
            models.Index(fields=["stream", "-queued_at"], name="email_by_stream"),
            models.Index(fields=["batch"], name="email_batch", condition=models.Q(status="sending")),
            # What went wrong is rare, and looked for.
            models.Index(
                fields=["status", "-queued_at", "-id"],
                name="email_in_trouble",
                condition=models.Q(status__in=["bounced", "complained", "unknown", "failed", "revoked"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} → {self.to_email}"


class DeliveryEvent(models.Model):
    """What a mail service reported about a message. The same report twice is stored once."""

    class Kind(models.TextChoices):
        DELIVERED = "delivered", _("delivered")
        DEFERRED = "deferred", _("deferred")
        SOFT_BOUNCE = "soft_bounce", _("temporary failure")
        HARD_BOUNCE = "hard_bounce", _("bounced")
        COMPLAINED = "complained", _("complained")
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
        REJECTED = "rejected", _("rejected")
        OPENED = "opened", _("opened")
        CLICKED = "clicked", _("clicked")

    email = models.ForeignKey(OutgoingEmail, models.CASCADE, related_name="events", verbose_name=_("message"))
    kind = models.CharField(_("what"), max_length=12, choices=Kind)
    at = models.DateTimeField(_("at"))
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    event_id = models.CharField(max_length=200)

    class Meta:
        verbose_name = _("delivery event")
        verbose_name_plural = _("delivery events")
        constraints = [models.UniqueConstraint(fields=["email", "kind", "event_id"], name="delivery_event_once")]
        indexes = [models.Index(fields=["email", "at"], name="delivery_event_by_email")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M}"
