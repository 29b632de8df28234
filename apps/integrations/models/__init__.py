"""How other systems reach us (API keys) and how we reach them (webhooks)."""

from apps.integrations.models.keys import INTAKE_SCOPES, ApiKey, IdempotentRequest, Scope, default_scopes
from apps.integrations.models.webhooks import (
    Attempt,
    Delivery,
    Endpoint,
    EventType,
    validate_webhook_secret,
    validate_webhook_url,
)

__all__ = [
    "INTAKE_SCOPES",
    "ApiKey",
    "Attempt",
    "Delivery",
    "Endpoint",
    "EventType",
    "IdempotentRequest",
    "Scope",
    "default_scopes",
    "validate_webhook_secret",
    "validate_webhook_url",
]
