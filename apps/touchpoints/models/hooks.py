"""Hooks: addresses that other tools send their messages to, and how events are read from these."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.fields import SealedField
from apps.common.ids import uuid7
from apps.touchpoints import paths
from apps.touchpoints.models.journey import Touchpoint

PATH_FIELDS = (
    "items_path", "condition_path", "touchpoint_path", "external_id_path", "email_path", "phone_path", "name_path",
    "locale_path", "country_path", "time_path", "event_id_path",
)  # fmt: skip
MAX_PROPERTIES = 30


def validate_path(value: str) -> None:
    """Refuse what is no path into a message."""
    try:
        paths.parse(value)
    except paths.PathError as error:
        message = _("This is no path from its character %(at)d on. Write for example customer.email or lines[0].sku.")
        raise ValidationError(message, params={"at": error.at + 1}) from error


def validate_property_paths(value: object) -> None:
    """Names of properties and the paths to their values."""
    if not isinstance(value, dict) or len(value) > MAX_PROPERTIES:
        raise ValidationError(_("Take at most %(count)d properties."), params={"count": MAX_PROPERTIES})
    for name, path in value.items():
        if not 1 <= len(name) <= 60 or not name.isprintable() or not isinstance(path, str) or not path.strip():
            raise ValidationError(_("Write a name of at most 60 characters, “=”, and a path."))
        validate_path(path)


class PathField(models.CharField):
    """A path into a message; empty where it brings no such thing."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("max_length", paths.MAX_LENGTH)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", "")
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if validate_path not in self.validators:
            self.validators = [*self.validators, validate_path]


class Hook(models.Model):
    """An address that one tool sends messages to, and where in them stands what an event needs."""

    class Tool(models.TextChoices):
        PLAIN = "plain", _("Another tool")
        HUBSPOT = "hubspot", "HubSpot"
        SHOPIFY = "shopify", "Shopify"
        STRIPE = "stripe", "Stripe"
        ZENDESK = "zendesk", "Zendesk"
        N8N = "n8n", "n8n"

    class State(models.TextChoices):
        LISTENING = "listening", _("listening: keeps messages, makes no events")
        ON = "on", _("on: makes events")

    class Signature(models.TextChoices):
        NONE = "none", _("none: the address is the secret")
        SHOPIFY = "shopify", "Shopify (X-Shopify-Hmac-Sha256)"
        STRIPE = "stripe", "Stripe (Stripe-Signature)"
        HUBSPOT = "hubspot", "HubSpot v3 (X-HubSpot-Signature-v3)"
        ZENDESK = "zendesk", "Zendesk (X-Zendesk-Webhook-Signature)"
        HEX = "hex", _("HMAC-SHA256 of the body in hexadecimal, as GitHub sends it")

    name = models.CharField(_("name"), max_length=120)
    tool = models.CharField(_("tool"), max_length=20, choices=Tool, default=Tool.PLAIN)
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.LISTENING)
    token_hash = models.BinaryField(unique=True, editable=False, max_length=32)
    # Readable as well: whoever sets the tool up must be able to copy the address again.
    token = SealedField(_("token"), purpose="touchpoints.hook.token", max_length=64, editable=False)
    signature = models.CharField(_("signature"), max_length=20, choices=Signature, default=Signature.NONE)
    signature_header = models.CharField(
        _("header of the signature"),
        max_length=80,
        blank=True,
        default="",
        help_text=_("Only for the hexadecimal kind. Empty: X-Hub-Signature-256."),
    )
    secret = SealedField(
        _("secret"),
        purpose="touchpoints.hook.secret",
        max_length=200,
        blank=True,
        default="",
        help_text=_("The tool shows it beside its webhook; messages without a matching signature are refused."),
    )
    items_path = PathField(
        _("list of messages"),
        help_text=_("Where one request brings several. A request that is a list is taken element by element anyway."),
    )
    condition_path = PathField(_("only where"))
    condition_value = models.CharField(
        _("is"), max_length=200, blank=True, default="", help_text=_("Several values: with commas between them.")
    )
    touchpoint = models.ForeignKey(
        Touchpoint, models.PROTECT, null=True, blank=True, related_name="hooks", verbose_name=_("touchpoint"),
        help_text=_("Of every message, or of those that do not name one."),
    )  # fmt: skip
    touchpoint_path = PathField(
        _("what happened"), help_text=_("Its value is a touchpoint's key, or is assigned to a touchpoint below.")
    )
    external_id_path = PathField(_("contact's external id"))
    email_path = PathField(_("e-mail"))
    phone_path = PathField(_("telephone"))
    name_path = PathField(_("name"))
    locale_path = PathField(_("language"))
    country_path = PathField(_("country"))
    time_path = PathField(_("time"), help_text=_("ISO 8601, or seconds or milliseconds since 1970. Empty: of receipt."))
    event_id_path = PathField(
        _("id of the message"), help_text=_("The same id again makes no second event at the same touchpoint.")
    )
    properties = models.JSONField(_("properties"), default=dict, blank=True, validators=[validate_property_paths])
    created_at = models.DateTimeField(_("created"))
    last_received_at = models.DateTimeField(_("last message"), null=True, editable=False)
    last_error_at = models.DateTimeField(_("last error"), null=True, editable=False)
    last_error = models.JSONField(default=list, editable=False)

    class Meta:
        verbose_name = _("hook")
        verbose_name_plural = _("hooks")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="listening") | models.Q(state="on"), name="hook_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(signature="none") | ~models.Q(secret=""),
                name="hook_signature_has_secret",
                violation_error_message=_("Enter the secret that the signature is made with."),
            ),
            models.CheckConstraint(
                condition=~models.Q(state="on")
                | (
                    (models.Q(touchpoint__isnull=False) | ~models.Q(touchpoint_path=""))
                    & (~models.Q(external_id_path="") | ~models.Q(email_path=""))
                ),
                name="hook_on_knows_what_and_who",
                violation_error_message=_(
                    "Before it is switched on, say at which touchpoint, and where the contact's e-mail or id stands."
                ),
            ),
        ]
        indexes = [models.Index(fields=["-created_at"], name="hook_by_time")]

    def __str__(self) -> str:
        return self.name


class HookTouchpoint(models.Model):
    """What a value of “what happened” means: this touchpoint."""

    hook = models.ForeignKey(Hook, models.CASCADE, related_name="assignments", db_index=False)
    value = models.CharField(_("value"), max_length=200)
    touchpoint = models.ForeignKey(Touchpoint, models.CASCADE, related_name="+", verbose_name=_("touchpoint"))

    class Meta:
        verbose_name = _("assigned value")
        verbose_name_plural = _("assigned values")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["hook", "value"], name="hook_value_once")]

    def __str__(self) -> str:
        return self.value


class HookPayload(models.Model):
    """A message as it came, and what became of it. Only the newest are kept."""

    class Outcome(models.TextChoices):
        LISTENED = "listened", _("only kept")
        TAKEN = "taken", _("events made")
        LEFT_OUT = "left_out", _("left out")
        WRONG = "wrong", _("not understood")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    hook = models.ForeignKey(Hook, models.CASCADE, related_name="payloads", db_index=False, verbose_name=_("hook"))
    received_at = models.DateTimeField(_("received"))
    content_type = models.CharField(max_length=100, blank=True)
    headers = models.JSONField(default=dict)
    body = models.TextField(_("body"))
    is_cut = models.BooleanField(_("cut off"), default=False)
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome)
    event_count = models.PositiveSmallIntegerField(_("events"), default=0)
    problems = models.JSONField(default=list)

    class Meta:
        verbose_name = _("message to a hook")
        verbose_name_plural = _("messages to hooks")
        indexes = [models.Index(fields=["hook", "-received_at"], name="hook_payload_newest")]

    def __str__(self) -> str:
        return f"{self.received_at:%Y-%m-%d %H:%M} {self.outcome}"
