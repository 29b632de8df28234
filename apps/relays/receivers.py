"""Keeps what the process remembers of mail services true when their rows change."""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from apps.relays import services
from apps.relays.models import Relay


@receiver([post_save, post_delete], sender=Relay, dispatch_uid="forget-relays")
def forget(**_: Any) -> None:
    """Now, for this transaction's own eyes, and again when it is through for everybody's."""
    services.forget()
    transaction.on_commit(services.forget)
