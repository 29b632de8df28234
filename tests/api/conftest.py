"""Keys to call the API with."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from apps.common import agenda
from apps.common.models import AgendaItem
from apps.integrations import services as api_keys
from apps.integrations.services import create_api_key
from apps.tenants import registry
from apps.touchpoints import services
from apps.touchpoints.models import Event, Stage, Touchpoint
from tests import factories


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_keys", {})
    monkeypatch.setattr(agenda, "_broker_down_until", 0.0)


@pytest.fixture
def long_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a process remembers of tenants, keys and touchpoints does not expire during the test."""
    monkeypatch.setattr(registry, "TTL_SECONDS", 600)
    monkeypatch.setattr(api_keys, "CACHE_SECONDS", 600)
    monkeypatch.setattr(services, "_KEYS_TTL_SECONDS", 600)
    registry.forget()
    yield
    registry.forget()


@pytest.fixture
def key(tenant: Any) -> str:
    """A key of nordwind, which has one touchpoint."""
    factories.TouchpointFactory()
    return create_api_key(name="shop")[1]


@pytest.fixture
def committed_key(autocommit: None) -> Iterator[str]:
    """Like ``key``, but committed for real, and cleaned up afterwards."""
    connection.set_schema("nordwind")
    touchpoint = factories.TouchpointFactory()
    row, key = create_api_key(name="shop")
    yield key
    connection.set_schema("nordwind")
    for rows in (Event.objects, Touchpoint.objects, Stage.objects.filter(pk=touchpoint.stage_id)):
        rows.all().delete()
    row.delete()
    AgendaItem.objects.all().delete()
