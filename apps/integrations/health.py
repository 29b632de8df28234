"""How receivers do: who is gone, who has taken nothing for days, who takes long to answer."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from apps.integrations.models import Delivery, Endpoint
from apps.integrations.outbound_http import Answer

FAILING = timedelta(days=5)
SLOW_MS = 2000
STUBBORN = 4
"""So many tries in vain of one message (six minutes) end an endpoint's life, after five days; a hiccup does not."""
_GONE = 410

Reason = Endpoint.DisabledReason


def note_health(*, verdicts: Iterable[tuple[Delivery, Answer]], now: datetime) -> set[bool]:
    """Note what a batch's answers say about their endpoints, and switch off those that are gone or failed for days.

    Must run in a transaction, after the deliveries were locked: who deletes an endpoint goes that way. Returns which
    queues got somebody new: True for the slow one.
    """
    by_endpoint: dict[int, list[tuple[Delivery, Answer]]] = defaultdict(list)
    for delivery, answer in verdicts:
        by_endpoint[delivery.endpoint_id].append((delivery, answer))
    # In order, so that two workers do not wait for each other; new deliveries may be written meanwhile.
    rows = Endpoint.objects.filter(pk__in=by_endpoint).order_by("pk").select_for_update(no_key=True)
    changed, moved = [], set()
    for row in rows:
        before = (row.is_active, row.failing_since, row.is_slow)
        was_slow = row.is_slow
        _judge(row, by_endpoint[row.pk], now)
        if row.is_slow != was_slow:
            moved.add(row.is_slow)
        if (row.is_active, row.failing_since, row.is_slow) != before:
            changed.append(row)
    Endpoint.objects.bulk_update(changed, ["is_active", "disabled_reason", "failing_since", "is_slow"])
    return moved


def _judge(row: Endpoint, verdicts: list[tuple[Delivery, Answer]], now: datetime) -> None:
    answers = [answer for _delivery, answer in verdicts]
    row.is_slow = any(answer.duration_ms > SLOW_MS for answer in answers)
    if any(answer.is_taken for answer in answers):
        row.failing_since = None
    elif row.failing_since is None:
        row.failing_since = now
    if not row.is_active:
        return
    if any(answer.status == _GONE for answer in answers):
        row.is_active, row.disabled_reason = False, Reason.GONE
    elif row.failing_since is not None and now - row.failing_since >= FAILING:
        tries = max(delivery.attempt_count for delivery, _answer in verdicts)
        if tries >= STUBBORN:
            row.is_active, row.disabled_reason = False, Reason.FAILING
