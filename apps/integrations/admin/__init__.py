"""How other systems reach us, and how we reach them."""

from apps.integrations.admin import keys, webhooks

__all__ = ["keys", "webhooks"]
