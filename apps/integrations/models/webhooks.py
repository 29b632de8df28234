"""How we tell other systems (webhooks)."""

from urllib.parse import urlsplit

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.fields import SealedField
from apps.common.ids import uuid7
from apps.integrations import signing


class EventType(models.TextChoices):
    """What an endpoint can be told about."""

    RESPONSE_CREATED = "response.created", _("a response arrived")
    RESPONSE_UPDATED = "response.updated", _("a response changed")
    RESPONSE_SUSPECTED = "response.suspected", _("a response is probably a machine's")


def validate_webhook_url(value: str) -> None:
    """http(s), a host, no sign-in data. Which addresses may be reached is decided when the name is resolved."""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(char.isspace() or not char.isprintable() for char in value):
        raise ValidationError(_("Enter an address that starts with https://."))
    if parts.username is not None or parts.password is not None:
        raise ValidationError(_("Leave user name and password out of the address; requests are signed."))


def validate_webhook_secret(value: str) -> None:
    """The form that Standard Webhooks libraries accept."""
    if not signing.is_secret(value):
        raise ValidationError(_("A secret is “whsec_” and 24 to 64 random bytes in base64."))


class Endpoint(models.Model):
    """A receiver in another system that wants to be told."""

    class DisabledReason(models.TextChoices):
        GONE = "gone", _("the receiver answered 410 Gone")

    url = models.CharField(_("address"), max_length=1000, validators=[validate_webhook_url])
    # Readable, not hashed: every request is signed with it.
    secret = SealedField(
        _("signing secret"),
        purpose="integrations.endpoint.secret",
        max_length=120,
        default=signing.new_secret,
        validators=[validate_webhook_secret],
        help_text=_(
            "The receiver checks with it that a request comes from here. Keep it secret; replace it if it leaks."
        ),
    )
    event_types = ArrayField(
        models.CharField(max_length=40, choices=EventType),
        verbose_name=_("told about"),
        default=list,
        blank=True,
        help_text=_("Nothing chosen means everything."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    disabled_reason = models.CharField(
        _("switched off because"), max_length=20, choices=DisabledReason, blank=True, editable=False
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """One message for one endpoint. Its id is what the receiver tells repetitions by."""

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # The unique constraint's index serves the foreign key as well.
    endpoint = models.ForeignKey(
        Endpoint, models.CASCADE, related_name="deliveries", verbose_name=_("endpoint"), db_index=False
    )
    event_type = models.CharField(_("event type"), max_length=40)
    reason = models.CharField(_("reason"), max_length=200)
    payload = models.JSONField(_("content"), encoder=DjangoJSONEncoder)
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.PENDING)
    due_at = models.DateTimeField(_("due"))
    lease_until = models.DateTimeField(_("being sent until"), null=True)
    attempt_count = models.PositiveSmallIntegerField(_("tries"), default=0)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [models.UniqueConstraint(fields=["endpoint", "reason"], name="delivery_once_per_reason")]
        indexes = [models.Index(fields=["due_at"], name="delivery_due", condition=models.Q(status="pending"))]

    def __str__(self) -> str:
        return f"{self.event_type} {self.id}"


class Attempt(models.Model):
    """One try to hand a delivery over, and what came back."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts", verbose_name=_("delivery"))
    at = models.DateTimeField(_("at"))
    status_code = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    duration_ms = models.PositiveIntegerField(_("duration (ms)"))
    error = models.CharField(_("error"), max_length=300, blank=True)
    response_excerpt = models.TextField(_("beginning of the answer"), max_length=2048, blank=True)

    class Meta:
        verbose_name = _("webhook attempt")
        verbose_name_plural = _("webhook attempts")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.status_code or self.error}"
