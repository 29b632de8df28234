"""Senders, the outbox, and addresses that must not be mailed."""

from apps.messaging.admin import outbox, senders, suppressions

__all__ = ["outbox", "senders", "suppressions"]
