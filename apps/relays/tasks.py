"""Forgets what is no longer needed of the mail services' ids."""

from itertools import islice

from celery import shared_task
from django.utils import timezone

from apps.relays import services
from apps.tenants.tasks import TenantTask

ROUNDS = 2000


@shared_task(name="relays.purge", base=TenantTask, public=True)
def purge() -> int:
    """Delete old ids, at most ten million a day."""
    return sum(islice(iter(lambda: services.purge_handles(now=timezone.now()), 0), ROUNDS))
