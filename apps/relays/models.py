"""Mail services that the operator set up, how they fare, and which message of whom they took. Public schema only."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, validate_slug
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common import tokens
from apps.common.fields import SealedField, SealedJSONField
from apps.relays import esps
from apps.relays.mailboxes import IncomingMessage, IncomingWay, PendingMessage, PolledMailbox

__all__ = [
    "ENVIRONMENT",
    "TEXTS",
    "IncomingMessage",
    "IncomingWay",
    "PendingMessage",
    "PolledMailbox",
    "Relay",
    "RelayState",
    "SentHandle",
    "validate_key",
]

ENVIRONMENT = "env"
"""The address part under which the environment's own mail service reports; no relay may be called so."""

TEXTS = "sms"
"""The key that stands for the service for text messages."""


def validate_key(value: str) -> None:
    """Not the names that stand for the environment's services."""
    if value == TEXTS:
        raise ValidationError(_("“sms” stands for the service in SMS_URL; choose another key."))
    if value == ENVIRONMENT:
        raise ValidationError(_("“env” stands for the service in EMAIL_URL; choose another key."))


class Relay(models.Model):
    """One mail service: an SMTP server, or an ESP by its API."""

    class Kind(models.TextChoices):
        SMTP = "smtp", _("SMTP server")
        AMAZON_SES = "amazon_ses", "Amazon SES"
        BREVO = "brevo", "Brevo"
        MAILERSEND = "mailersend", "MailerSend"
        MAILGUN = "mailgun", "Mailgun"
        MAILJET = "mailjet", "Mailjet"
        MAILTRAP = "mailtrap", "Mailtrap"
        MANDRILL = "mandrill", "Mandrill"
        POSTAL = "postal", "Postal"
        POSTMARK = "postmark", "Postmark"
        RESEND = "resend", "Resend"
        SCALEWAY = "scaleway", "Scaleway"
        SENDGRID = "sendgrid", "SendGrid"
        SPARKPOST = "sparkpost", "SparkPost"
        UNISENDER_GO = "unisender_go", "Unisender Go"

    key = models.CharField(
        _("key"),
        max_length=40,
        unique=True,
        validators=[validate_slug, validate_key],
        help_text=_("Part of its webhook's address and of every message sent through it: never changes."),
    )
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind, default=Kind.SMTP)
    settings = SealedJSONField(_("settings"), purpose="relays.relay.settings")
    is_active = models.BooleanField(_("active"), default=True)
    is_default = models.BooleanField(
        _("default"), default=False, help_text=_("Used wherever a sender names no other. Without one: EMAIL_URL.")
    )
    is_offered = models.BooleanField(_("offered to tenants"), default=False)
    webhook_secret = SealedField(
        _("webhook secret"), purpose="relays.relay.webhook_secret", default=tokens.new_token, editable=False
    )
    spf_include = models.CharField(
        _("SPF include"), max_length=253, blank=True, help_text=_("What senders' SPF must include, e.g. mailgun.org.")
    )
    dkim_selector = models.CharField(
        _("DKIM selector"), max_length=63, blank=True, help_text=_("The part before ._domainkey.")
    )
    dkim_target = models.CharField(
        _("DKIM target"),
        max_length=253,
        blank=True,
        help_text=_("Where the senders' DKIM name points to (CNAME); {domain} stands for theirs."),
    )
    dkim_value = models.TextField(
        _("DKIM value"), blank=True, help_text=_("Instead of a target: the TXT record itself, v=DKIM1; …")
    )
    return_path_label = models.CharField(
        _("Return-Path host"),
        max_length=63,
        default="bounces",
        help_text=_("The name below the sender's domain that mails return to."),
    )
    return_path_target = models.CharField(
        _("Return-Path target"),
        max_length=253,
        blank=True,
        help_text=_("Where that host points to (CNAME)."),
    )
    batch_size = models.PositiveSmallIntegerField(
        _("messages at once"), default=100, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("mail service")
        verbose_name_plural = _("mail services")
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=models.Q(is_default=True),
                name="relay_one_default",
                violation_error_message=_("Another mail service is the default already."),
            ),
            models.CheckConstraint(condition=~models.Q(key=ENVIRONMENT), name="relay_key_not_environment"),
            # Whoever may post to an open webhook could block any tenant's contacts.
            models.CheckConstraint(
                condition=models.Q(kind="smtp") | ~models.Q(webhook_secret=""),
                name="relay_webhook_has_secret",
                violation_error_message=_("A mail service that reports back needs a webhook secret."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def esp(self) -> esps.Esp | None:
        """What Anymail needs to know of it; None for SMTP."""
        return esps.ESPS.get(self.kind)


class RelayState(models.Model):
    """How a mail service fared lately. The key "" is the environment's."""

    key = models.CharField(max_length=40, unique=True, blank=True)
    faults = models.PositiveIntegerField(_("faults in a row"), default=0)
    rests_until = models.DateTimeField(_("rests until"), null=True)
    last_error = models.CharField(_("last error"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("state of a mail service")
        verbose_name_plural = _("states of mail services")

    def __str__(self) -> str:
        return self.key or str(_("the environment's"))


class SentHandle(models.Model):
    """Whose message a mail service's id is. Holds nothing of the message or its recipient."""

    relay = models.CharField(max_length=40, blank=True)
    esp_id = models.CharField(max_length=200)
    schema_name = models.CharField(max_length=41)
    email_id = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["relay", "esp_id"], name="sent_handle_once")]
        indexes = [models.Index(fields=["at"], name="sent_handle_by_age")]

    def __str__(self) -> str:
        return f"{self.relay}/{self.esp_id}"
