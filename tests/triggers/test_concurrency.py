"""Two workers with connections of their own cannot overspend a contact's budget."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_tenants.utils import tenant_context

from apps.contacts.models import Contact, ContactBudget, Outreach
from apps.tenants.models import Tenant
from apps.tenants.provisioning import create_tenant
from apps.triggers.models import Decision
from apps.triggers.services import evaluate_events
from tests import factories

GAP = timedelta(days=14)


@pytest.fixture
def race(autocommit: None) -> Iterator[Tenant]:
    """A tenant of its own with committed rows, dropped afterwards."""
    tenant = create_tenant(schema_name="race", name="Race")
    with tenant_context(tenant):
        factories.TriggerRuleFactory(delay=timedelta(0), expires_after=timedelta(days=700))
        ContactBudget.objects.create(pk=1, min_days_between=GAP.days)
        people = [{"external_id": f"p{n % 3}", "email": f"p{n % 3}@x.example"} for n in range(24)]
        for person in people:
            factories.EventFactory(contact_data=person)
    yield tenant
    connection.set_schema_to_public()
    tenant.delete(force_drop=True)


def work(tenant: Any) -> int:
    try:
        with tenant_context(tenant):
            handled = 0
            while count := evaluate_events(now=timezone.now(), limit=2):
                handled += count
            return handled
    finally:
        connection.close()


def test_two_workers_on_one_contact_never_come_closer_than_the_budget_allows(race: Tenant) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, [race] * 4)) == 24
    with tenant_context(race):
        assert Contact.objects.count() == 3
        assert Decision.objects.count() == 24
        for contact in Contact.objects.all():
            times = list(Outreach.objects.filter(contact=contact).order_by("at").values_list("at", flat=True))
            assert len(times) == 8
            assert all(later - earlier >= GAP for earlier, later in pairwise(times))
