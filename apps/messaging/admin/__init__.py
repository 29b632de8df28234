"""Senders, the outbox, what holds for all messages, and addresses that must not be mailed."""

from apps.messaging.admin import outbox, policy, senders, suppressions

__all__ = ["outbox", "policy", "senders", "suppressions"]
