"""The mail services (ESPs) that Anymail speaks to: what each needs to send, and how it proves its reports.

Read while settings load: imports no models.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Proof(Enum):
    """How a service shows that a report is its own."""

    SECRET = "secret"  # noqa: S105  The secret in the webhook's address.
    EITHER = "either"
    """Its signature where the key for it is known, else the secret in the address."""
    SIGNATURE = "signature"
    NONE = "none"
    """It reports nothing."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that the operator enters; ``name`` is Anymail's."""

    name: str
    label: str | Promise
    is_secret: bool = True
    is_required: bool = True
    default: Any = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """How a mail service brings mails that it received: Anymail's view, and what it proves itself with.

    ``signing`` names the setting with which its signature is checked; "" for the secret in the address.
    """

    view: str
    signing: str = ""


@dataclass(frozen=True, slots=True)
class Esp:
    """A mail service. ``signing`` names the setting with which its reports are checked."""

    name: str
    title: str
    settings: tuple[Setting, ...]
    proof: Proof = Proof.SECRET
    signing: str = ""
    view: str = ""
    webhook_settings: tuple[Setting, ...] = field(default=())
    inbound: Inbound | None = None
    """None: it brings no mails, or none that we can take."""

    @property
    def backend(self) -> str:
        """Django's e-mail backend for it."""
        return f"anymail.backends.{self.name}.EmailBackend"

    def options(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of the backend. All are given, so that none is taken from the environment's ANYMAIL_…"""
        found = {setting.name: values.get(setting.name) or setting.default for setting in self.settings}
        if self.name == "amazon_ses":
            return {**_aws(found), "configuration_set_name": found["configuration_set_name"]}
        return {**found, **_UNSAID.get(self.name, {})}

    def view_options(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of the tracking view, without the secret in the address."""
        if self.name == "amazon_ses":
            return {**_aws(values), "auto_confirm_sns_subscriptions": bool(values.get("auto_confirm"))}
        if self.name == "sparkpost":
            return {"track_initial_open_as_opened": False}
        return {self.signing: values.get(self.signing) or None} if self.signing else {}

    def inbound_options(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of the view for incoming mails, without the secret in the address."""
        if self.name == "amazon_ses":
            return {**self.view_options(values), "inbound_kms_key_id": None}
        found = {name: values.get(name) for name in _TO_FETCH.get(self.name, ())}
        if self.name in _TO_FETCH:
            found["api_url"] = values.get("api_url") or _FETCHED_FROM[self.name]
        if self.inbound is not None and self.inbound.signing:
            found[self.inbound.signing] = values.get(self.inbound.signing) or None
        return found

    def is_signed(self, values: Mapping[str, Any]) -> bool:
        """Whether its signature is what counts, rather than the secret in the address."""
        return self.proof is Proof.SIGNATURE or (self.proof is Proof.EITHER and bool(values.get(self.signing)))


def _aws(values: Mapping[str, Any]) -> dict[str, Any]:
    names = ("aws_access_key_id", "aws_secret_access_key", "region_name")
    return {"session_params": {}, "client_params": {name: values[name] for name in names if values.get(name)}}


# What some views for incoming mails need to fetch what they were told of.
_TO_FETCH: dict[str, tuple[str, ...]] = {"brevo": ("api_key",), "mailtrap": ("api_token",), "resend": ("api_key",)}
_FETCHED_FROM = {
    "brevo": "https://api.brevo.com/v3/",
    "mailtrap": "https://mailtrap.io/api/",
    "resend": "https://api.resend.com/",
}
# What Anymail would otherwise look for among the environment's settings.
_UNSAID: dict[str, dict[str, Any]] = {
    "mailersend": {"batch_send_mode": None},
    "mailtrap": {"sandbox_id": None},
    "postmark": {"use_bulk_api": False, "generate_message_id": False},
    "scaleway": {"api_url": "https://api.scaleway.com/transactional-email/v1alpha1/regions/{region}/"},
    "sendgrid": {"generate_message_id": True, "merge_field_format": None},
    "unisender_go": {"generate_message_id": True},
}


def _key(name: str, label: str | Promise) -> Setting:
    return Setting(name, label)


def _optional(name: str, label: str | Promise, default: Any = None, *, is_secret: bool = False) -> Setting:
    return Setting(name, label, is_secret=is_secret, is_required=False, default=default)


def _url(default: str) -> Setting:
    return _optional("api_url", _("API address"), default)


_API_KEY = _key("api_key", _("API key"))
_API_TOKEN = _key("api_token", _("API token"))
_SIGNING = _("Webhook signing key")


def _signing(name: str, inbound: str = "") -> tuple[Setting, ...]:
    found = (_optional(name, _SIGNING, is_secret=True),)
    return (*found, _optional(inbound, _("Signing key for incoming mails"), is_secret=True)) if inbound else found


_ALL = (
    Esp(
        "amazon_ses",
        "Amazon SES",
        (
            _key("aws_access_key_id", _("Access key id")),
            _key("aws_secret_access_key", _("Secret access key")),
            Setting("region_name", _("Region"), is_secret=False),
            _optional("configuration_set_name", _("Configuration set")),
        ),
        view="AmazonSESTrackingWebhookView",
        inbound=Inbound("AmazonSESInboundWebhookView"),
        webhook_settings=(_optional("auto_confirm", _("Confirm the SNS subscription by itself"), default=False),),
    ),
    Esp(
        "brevo",
        "Brevo",
        (_API_KEY, _url("https://api.brevo.com/v3/")),
        view="BrevoTrackingWebhookView",
        inbound=Inbound("BrevoInboundWebhookView"),
    ),
    Esp(
        "mailersend",
        "MailerSend",
        (_API_TOKEN, _url("https://api.mailersend.com/v1/")),
        Proof.SIGNATURE,
        "signing_secret",
        "MailerSendTrackingWebhookView",
        _signing("signing_secret", "inbound_secret"),
        Inbound("MailerSendInboundWebhookView", "inbound_secret"),
    ),
    Esp(
        "mailgun",
        "Mailgun",
        (_API_KEY, _optional("sender_domain", _("Sending domain")), _url("https://api.mailgun.net/v3")),
        Proof.SIGNATURE,
        "webhook_signing_key",
        "MailgunTrackingWebhookView",
        _signing("webhook_signing_key"),
        Inbound("MailgunInboundWebhookView", "webhook_signing_key"),
    ),
    Esp(
        "mailjet",
        "Mailjet",
        (_API_KEY, _key("secret_key", _("Secret key")), _url("https://api.mailjet.com/v3.1/")),
        view="MailjetTrackingWebhookView",
        inbound=Inbound("MailjetInboundWebhookView"),
    ),
    Esp(
        "mailtrap",
        "Mailtrap",
        (_API_TOKEN, _url("https://send.api.mailtrap.io/api/")),
        Proof.EITHER,
        "tracking_secret",
        "MailtrapTrackingWebhookView",
        _signing("tracking_secret", "inbound_secret"),
        Inbound("MailtrapInboundWebhookView", "inbound_secret"),
    ),
    Esp(
        "mandrill",
        "Mandrill",
        (_API_KEY, _url("https://mandrillapp.com/api/1.0")),
        Proof.SIGNATURE,
        "webhook_key",
        "MandrillCombinedWebhookView",
        _signing("webhook_key"),
        Inbound("MandrillCombinedWebhookView", "webhook_key"),
    ),
    Esp(
        "postal",
        "Postal",
        (_API_KEY, Setting("api_url", _("API address"), is_secret=False)),
        Proof.SIGNATURE,
        "webhook_key",
        "PostalTrackingWebhookView",
        _signing("webhook_key"),
        Inbound("PostalInboundWebhookView", "webhook_key"),
    ),
    Esp(
        "postmark",
        "Postmark",
        (
            _key("server_token", _("Server token")),
            _optional("message_stream", _("Message stream")),
            _url("https://api.postmarkapp.com/"),
        ),
        view="PostmarkTrackingWebhookView",
        inbound=Inbound("PostmarkInboundWebhookView"),
    ),
    Esp(
        "resend",
        "Resend",
        (_API_KEY, _url("https://api.resend.com/")),
        Proof.EITHER,
        "signing_secret",
        "ResendTrackingWebhookView",
        _signing("signing_secret", "inbound_secret"),
        Inbound("ResendInboundWebhookView", "inbound_secret"),
    ),
    Esp(
        "scaleway",
        "Scaleway",
        (
            _key("secret_key", _("Secret key")),
            Setting("project_id", _("Project id"), is_secret=False),
            _optional("region", _("Region"), "fr-par"),
        ),
        Proof.NONE,
    ),
    Esp(
        "sendgrid",
        "SendGrid",
        (_API_KEY, _url("https://api.sendgrid.com/v3/")),
        Proof.EITHER,
        "tracking_webhook_verification_key",
        "SendGridTrackingWebhookView",
        _signing("tracking_webhook_verification_key"),
        Inbound("SendGridInboundWebhookView"),
    ),
    Esp(
        "sparkpost",
        "SparkPost",
        (_API_KEY, _optional("subaccount", _("Subaccount")), _url("https://api.sparkpost.com/api/v1/")),
        view="SparkPostTrackingWebhookView",
        inbound=Inbound("SparkPostInboundWebhookView"),
    ),
    # Its reports are signed with the API key.
    Esp(
        "unisender_go",
        "Unisender Go",
        (_API_KEY, _url("https://go1.unisender.ru/ru/transactional/api/v1/")),
        Proof.SIGNATURE,
        "api_key",
        "UnisenderGoTrackingWebhookView",
    ),
)
ESPS: dict[str, Esp] = {esp.name: esp for esp in _ALL}
