"""When an endpoint is given up, and when it is not."""

from datetime import UTC, datetime, timedelta

from apps.integrations import attempts, endpoints, webhooks
from apps.integrations.health import FAILING, STUBBORN
from apps.integrations.models import Delivery, Endpoint
from tests.integrations.receiver import Receiver, answer

NOW = datetime.now(tz=UTC)


def publish(reason: str, at: datetime) -> None:
    webhooks.publish(event_type="response.created", reason=reason, payload={}, now=at)


def until_failed(reason: str, at: datetime) -> datetime:
    """A message that is tried until it is given up, or its endpoint is; returns when that was."""
    publish(reason, at)
    row = Delivery.objects.get(reason=reason)
    while row.status == "pending" and attempts.attempt_due(now=at):
        row.refresh_from_db()
        at = max(at, row.due_at)
    return at


def test_an_endpoint_that_took_nothing_for_five_days_is_switched_off_and_says_why(
    endpoint: Endpoint, receiver: Receiver
) -> None:
    receiver.behaviour = answer(500)
    until_failed("first", NOW)
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.failing_since) == (True, NOW)
    later = NOW + FAILING - timedelta(hours=1)
    until_failed("almost five days", later)  # Its seventh and eighth try are beyond.
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.disabled_reason) == (False, "failing")
    assert endpoint.get_disabled_reason_display() == "nothing was taken for five days"
    waiting = Delivery.objects.get(reason="almost five days")
    assert (waiting.status, waiting.attempt_count >= STUBBORN) == ("pending", True)
    assert attempts.attempt_due(now=NOW + timedelta(days=9)) == 0
    receiver.behaviour = answer(200)
    row = endpoints.switch(endpoint_id=endpoint.pk, on=True, now=NOW + timedelta(days=9))
    assert (row.disabled_reason, row.failing_since) == ("", None)
    assert attempts.attempt_due(now=NOW + timedelta(days=9)) == 1


def test_one_success_begins_the_five_days_anew_and_a_hiccup_after_a_quiet_week_ends_nothing(
    endpoint: Endpoint, receiver: Receiver
) -> None:
    receiver.behaviour = answer(500)
    until_failed("first", NOW)
    at = NOW + timedelta(days=7)
    publish("a hiccup", at)
    for _try in range(STUBBORN - 1):
        assert attempts.attempt_due(now=at) == 1
        at = Delivery.objects.get(reason="a hiccup").due_at
    endpoint.refresh_from_db()
    assert endpoint.is_active
    receiver.behaviour = answer(204)
    assert attempts.attempt_due(now=at) == 1
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.failing_since) == (True, None)
