"""How other systems reach us (API keys) and how we reach them (webhooks)."""

from apps.integrations.models.keys import INTAKE_SCOPES, ApiKey, IdempotentRequest, Scope, default_scopes
from apps.integrations.models.webhooks import (
    DELIGHTED_EVENTS,
    TEST,
    Attempt,
    Delivery,
    Endpoint,
    EventType,
    Replay,
    validate_webhook_secret,
    validate_webhook_url,
)

__all__ = [
    "DELIGHTED_EVENTS",
    "INTAKE_SCOPES",
    "TEST",
    "ApiKey",
    "Attempt",
    "Delivery",
    "Endpoint",
    "EventType",
    "IdempotentRequest",
    "Replay",
    "Scope",
    "default_scopes",
    "validate_webhook_secret",
    "validate_webhook_url",
]
