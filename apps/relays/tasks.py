"""Forgets what is no longer needed of the mail services' ids."""

from celery import shared_task
from django.utils import timezone

from apps.relays import services
from apps.tenants.tasks import TenantTask

ROUNDS = 200


@shared_task(name="relays.purge", base=TenantTask, public=True)
def purge() -> int:
    """Delete old ids, at most a million a day."""
    return sum(iter(lambda: services.purge_handles(now=timezone.now()), 0))
