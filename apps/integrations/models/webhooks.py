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

TEST = "webhook.test"
"""What the test button sends: to the endpoint it was pressed for, whatever that is told about."""


class EventType(models.TextChoices):
    """What an endpoint can be told about."""

    RESPONSE_CREATED = "response.created", _("a response arrived")
    RESPONSE_UPDATED = "response.updated", _("a response changed")
    RESPONSE_SUSPECTED = "response.suspected", _("a response is probably a machine's")
    INVITATION_SENT = "invitation.sent", _("an invitation was sent")
    INVITATION_BOUNCED = "invitation.bounced", _("an invitation could not be delivered")
    CONTACT_UNSUBSCRIBED = "contact.unsubscribed", _("a contact unsubscribed or complained")
    CONTACT_ERASED = "contact.erased", _("a contact was erased")
    CASE_OPENED = "case.opened", _("a case was opened")
    CASE_UPDATED = "case.updated", _("a case changed")
    CASE_CLOSED = "case.closed", _("a case was closed")
    CAMPAIGN_STEP = "campaign.step", _("a campaign's step tells other systems")
    CAMPAIGN_TASK = "campaign.task", _("a campaign asks for a task in the CRM")
    VOUCHER_ISSUED = "voucher.issued", _("a voucher was issued")
    VOUCHER_REDEEMED = "voucher.redeemed", _("a voucher was redeemed")
    VOUCHERS_LOW = "vouchers.low", _("vouchers are running out")


DELIGHTED_EVENTS = {
    EventType.RESPONSE_CREATED.value: "survey_response.created",
    EventType.RESPONSE_UPDATED.value: "survey_response.updated",
    EventType.CONTACT_UNSUBSCRIBED.value: "unsubscribe.created",
}
"""What Delighted told its receivers about, by our names."""


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
        FAILING = "failing", _("nothing was taken for five days")

    name = models.CharField(
        _("name"),
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text=_("What it is for, e.g. “CRM”. Empty: its address."),
    )
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
    # Signs beside the new one until its time is over.
    old_secret = SealedField(
        _("secret before"),
        purpose="integrations.endpoint.old_secret",
        max_length=120,
        blank=True,
        default="",
        db_default="",
        editable=False,
    )
    old_secret_until = models.DateTimeField(_("secret before signs until"), null=True, editable=False)
    # Readable as well: receivers built for Delighted check an HMAC under the API key they know.
    delighted_key = SealedField(
        _("API key of a receiver built for Delighted"),
        purpose="integrations.endpoint.delighted_key",
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_(
            "Only for receivers that were built for Delighted's webhooks: the API key they check signatures with. "
            "Messages then have Delighted's form. Otherwise leave it empty."
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
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    # Slow ones have a queue of their own, so that nobody else waits for them.
    is_slow = models.BooleanField(_("slow"), default=False, db_default=False, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")

    def __str__(self) -> str:
        return self.name or self.url

    def clean(self) -> None:
        super().clean()
        if self.delighted_key:
            # Delighted told of nothing else, and its receivers know nothing else.
            chosen = [kind for kind in self.event_types if kind in DELIGHTED_EVENTS]
            self.event_types = chosen or list(DELIGHTED_EVENTS)


class Replay(models.Model):
    """What was sent to an endpoint within a span of time is sent to it once more."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="replays", verbose_name=_("endpoint"))
    since = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("to"))
    event_type = models.CharField(_("event type"), max_length=40, blank=True)
    status = models.CharField(_("status"), max_length=20, blank=True)
    total = models.PositiveIntegerField(_("deliveries"))
    queued = models.PositiveIntegerField(_("queued again"), default=0)
    # When the last delivery that was queued again was written: the next batch goes on there.
    reached = models.DateTimeField(null=True, editable=False)
    by = models.CharField(_("by"), max_length=150, blank=True)
    created_at = models.DateTimeField(_("created"))
    done_at = models.DateTimeField(_("done"), null=True)

    class Meta:
        verbose_name = _("webhook repetition")
        verbose_name_plural = _("webhook repetitions")
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"], name="replay_one_at_a_time", condition=models.Q(done_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M} – {self.until:%Y-%m-%d %H:%M}"


class Delivery(models.Model):
    """One message for one endpoint. Its id is what the receiver tells repetitions by; it tells the time as well."""

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
    replay = models.ForeignKey(
        Replay, models.SET_NULL, null=True, db_index=False, related_name="deliveries", verbose_name=_("repetition")
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [models.UniqueConstraint(fields=["endpoint", "reason"], name="delivery_once_per_reason")]
        indexes = [
            models.Index(fields=["endpoint", "due_at"], name="delivery_waiting", condition=models.Q(status="pending")),
            models.Index(fields=["endpoint"], name="delivery_leased", condition=models.Q(lease_until__isnull=False)),
            models.Index(fields=["endpoint", "-created_at", "-id"], name="delivery_log"),
            models.Index(
                fields=["endpoint", "-created_at", "-id"],
                name="delivery_log_failed",
                condition=models.Q(status="failed"),
            ),
            models.Index(fields=["replay"], name="delivery_replay", condition=models.Q(replay__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.id}"


class Attempt(models.Model):
    """One try to hand a delivery over: what was sent, and what came back. The body is the delivery's, each time."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts", verbose_name=_("delivery"))
    at = models.DateTimeField(_("at"))
    url = models.CharField(_("address"), max_length=1000, blank=True, default="", db_default="")
    request_headers = models.JSONField(_("headers sent"), default=dict, db_default={})
    status_code = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    duration_ms = models.PositiveIntegerField(_("duration (ms)"))
    error = models.CharField(_("error"), max_length=300, blank=True)
    response_headers = models.JSONField(_("headers of the answer"), default=dict, db_default={})
    response_excerpt = models.TextField(_("beginning of the answer"), max_length=2048, blank=True)

    class Meta:
        verbose_name = _("webhook attempt")
        verbose_name_plural = _("webhook attempts")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.status_code or self.error}"
