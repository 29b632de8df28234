"""People who want to be told, and responses to tell of."""

from datetime import UTC, datetime
from typing import Any

import pytest

from apps.accounts.models import User
from apps.alerts.models import Subscription
from apps.common.ids import uuid7
from apps.responses.models import Response
from tests import factories

BASE = "http://nordwind.resonanz.test"
NOW = datetime(2026, 3, 25, 10, 0, tzinfo=UTC)
"""A Wednesday."""


@pytest.fixture
def user(tenant: Any) -> User:
    return person("cx")


def person(name: str, **more: Any) -> User:
    return User.objects.create(username=name, email=f"{name}@nordwind.example", first_name=name.title(), **more)


def respond(score: int | None = 3, comment: str = "", *, at: datetime = NOW, **more: Any) -> Response:
    """A contact's answer, as it waits for what follows."""
    contact = more.pop("contact", None) or factories.ContactFactory()
    more = {"survey": factories.SurveyFactory(), "touchpoint": factories.TouchpointFactory(), **more}
    return Response.objects.create(
        id=uuid7(),
        contact=contact,
        score=score,
        comment=comment,
        answered_at=at,
        updated_at=at,
        follow_up_at=at,
        **more,
    )


def subscribe(user: User, **more: Any) -> Subscription:
    """Told of responses at once, unless said otherwise."""
    touchpoints = more.pop("touchpoints", [])
    row = Subscription.objects.create(user=user, **{"name": "Mine", **more})
    row.touchpoints.set(touchpoints)
    return row
