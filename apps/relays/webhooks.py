"""Anymail's tracking views, each with the secrets of one mail service."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from anymail.exceptions import AnymailError, AnymailWebhookValidationFailure
from anymail.inbound import AnymailInboundMessage
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.http import HttpRequest
from django.views import View

from apps.common import sealed
from apps.relays import services
from apps.relays.esps import ESPS, Esp, Proof
from apps.relays.models import ENVIRONMENT, Relay

USER = "resonanz"
# What parsing a wrong request may end in. Trouble with storing what was parsed is raised elsewhere.
_UNREADABLE = (
    ValueError, LookupError, TypeError, AttributeError, AssertionError, OverflowError,
    AnymailError, ImproperlyConfigured,
)  # fmt: skip


class UnknownServiceError(Exception):
    """No mail service of this key reports to us."""


class NotSetUpError(Exception):
    """The key that its signatures are checked with is missing: nothing it sends can be believed."""


def view_for(key: str) -> View:
    """The view that answers reports under ``/mail/events/<key>/``; also for a service that is switched off.

    Raises :class:`UnknownServiceError`, :class:`NotSetUpError` or :class:`apps.common.sealed.UnreadableError`.
    """
    if key == ENVIRONMENT:
        return _environment_view()
    relay = Relay.objects.filter(key=key).first()
    if relay is None or relay.esp is None or relay.esp.proof is Proof.NONE:
        raise UnknownServiceError(key)
    esp, values = relay.esp, sealed.readable(relay.settings)
    if esp.proof is Proof.SIGNATURE and not values.get(esp.signing):
        raise NotSetUpError(relay.name)
    # Where it signs, the signature counts; not every such service can put a password into the address.
    secret = [] if esp.is_signed(values) else [credentials(sealed.readable(relay.webhook_secret))]
    options: dict[str, Any] = {**esp.view_options(values), "webhook_secret": secret}
    if esp.name == "mandrill":  # It signs the address as well.
        options["webhook_url"] = address(relay.key)
    return _build(esp, options)


def credentials(secret: str) -> str:
    """User and password of the webhook's address."""
    return f"{USER}:{secret}"


def address(key: str, secret: str = "") -> str:
    """Where a mail service reports; with the secret in it where it proves itself that way."""
    who = f"{credentials(secret)}@" if secret else ""
    return f"{settings.PUBLIC_SCHEME}://{who}{settings.PUBLIC_HOST}/mail/events/{key}/"


def inbound_view_for(key: str) -> View:
    """The view that takes mails under ``/mail/inbound/<key>/``. Raises as :func:`view_for`.

    Nothing is taken without a proof: NotSetUpError where there is neither a key for its signature nor a secret.
    """
    if key == ENVIRONMENT:
        return _environment_inbound_view()
    relay = Relay.objects.filter(key=key).first()
    inbound = relay.esp.inbound if relay is not None and relay.esp is not None else None
    if relay is None or relay.esp is None or inbound is None:
        raise UnknownServiceError(key)
    values = sealed.readable(relay.settings)
    if inbound.signing and not values.get(inbound.signing):
        raise NotSetUpError(relay.name)
    secret = [] if inbound.signing else [credentials(sealed.readable(relay.webhook_secret))]
    options: dict[str, Any] = {**relay.esp.inbound_options(values), "webhook_secret": secret}
    if relay.esp.name == "mandrill":
        options["webhook_url"] = inbound_address(relay.key)
    return _build(relay.esp, options, inbound.view)


def inbound_address(key: str, secret: str = "") -> str:
    """Where a mail service brings mails; with the secret in it where it proves itself that way."""
    return address(key, secret).replace("/mail/events/", "/mail/inbound/")


def _environment_inbound_view() -> View:
    esp = ESPS.get(services.environment().esp)
    if esp is None or esp.inbound is None:
        raise UnknownServiceError(ENVIRONMENT)
    signing = f"{esp.name}_{esp.inbound.signing}".upper() if esp.inbound.signing else "WEBHOOK_SECRET"
    if not settings.ANYMAIL.get(signing):
        raise NotSetUpError(esp.title)
    return _build(esp, {}, esp.inbound.view)


def _environment_view() -> View:
    esp = ESPS.get(services.environment().esp)
    if esp is None or esp.proof is Proof.NONE:
        raise UnknownServiceError(ENVIRONMENT)
    # Anymail takes the rest from ANYMAIL_…; config/env.py has seen to it that there is a secret or a signing key.
    if esp.name != "amazon_ses":
        return _build(esp, {})
    confirm = str(settings.ANYMAIL.get("AMAZON_SES_AUTO_CONFIRM_SNS_SUBSCRIPTIONS", "")).lower()
    return _build(esp, {"auto_confirm_sns_subscriptions": confirm in {"1", "true", "yes", "on"}})


def _build(esp: Esp, options: Mapping[str, Any], name: str = "") -> View:
    base = getattr(import_module(f"anymail.webhooks.{esp.name}"), name or esp.view)
    view = type(f"Believing{base.__name__}", (_Believing, base), {})
    try:
        found: View = view(**options)
    except _UNREADABLE as error:  # A signing key that is none.
        raise NotSetUpError(esp.title) from error
    return found


class _Believing:
    """Mixin: what cannot be read is refused like what is not signed, and believes nobody without any proof."""

    basic_auth: Any
    esp_name: str

    def run_validators(self, request: HttpRequest) -> None:
        _attempt(super().run_validators, request)  # type: ignore[misc]

    def parse_events(self, request: HttpRequest) -> Any:
        return list(_attempt(super().parse_events, request))  # type: ignore[misc]

    def _fetch_attachment(self, attachment: Any) -> Any:
        """Brevo's: attachments are not kept, so there is nothing to fetch but their names."""
        return AnymailInboundMessage.construct_attachment(
            content_type=str(attachment.get("ContentType") or "application/octet-stream"), content=b"",
            filename=str(attachment.get("Name") or ""),
        )  # fmt: skip


def _attempt(step: Any, request: HttpRequest) -> Any:
    try:
        return step(request)
    except SuspiciousOperation:
        raise
    except _UNREADABLE as error:
        raise AnymailWebhookValidationFailure("A report of a mail service cannot be read") from error
