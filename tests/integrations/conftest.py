"""A receiver on loopback, and an endpoint that leads to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from apps.integrations.models import Endpoint
from tests.integrations.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def endpoint(tenant: Any, settings: Any, receiver: Receiver) -> Endpoint:
    """An endpoint of nordwind; private addresses are allowed meanwhile."""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    return Endpoint.objects.create(url=receiver.url)
