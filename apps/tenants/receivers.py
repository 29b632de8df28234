"""Keeps what we remember of tenants true when their rows or schemas change."""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django_tenants.signals import schema_migrated

from apps.common.models import AgendaItem
from apps.tenants import migration_state, registry
from apps.tenants.models import Domain, Tenant


@receiver([post_save, post_delete], sender=Tenant, dispatch_uid="forget-tenants")
@receiver([post_save, post_delete], sender=Domain, dispatch_uid="forget-domains")
def forget(**_: Any) -> None:
    """Now, for this transaction's own eyes, and again when it is through for everybody's."""
    registry.forget()
    transaction.on_commit(registry.forget)


@receiver(post_delete, sender=Tenant, dispatch_uid="clear-agenda")
def clear_agenda(instance: Tenant, **_: Any) -> None:
    """A tenant that is gone has no work: otherwise each tick would come by its queues again."""
    AgendaItem.objects.filter(schema_name=instance.schema_name).delete()


@receiver(schema_migrated, dispatch_uid="note-migrated")
def note_migrated(schema_name: str, **_: Any) -> None:
    """A tenant's schema says which state it was brought to."""
    if schema_name != registry.PUBLIC:
        migration_state.note_migrated(schema_name)
