"""What was written goes after the tenant's time for keeping it; what became of it stays."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from apps.common import progress
from apps.common.models import Progress
from apps.messaging import frames, retention, tasks
from apps.messaging.frames import Words
from apps.messaging.models import DeliveryEvent, MailPolicy, OutgoingEmail
from apps.messaging.parcels import as_sent
from tests.factories import ContactFactory

pytestmark = pytest.mark.usefixtures("tenant")

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def mail(name: str, days: float, status: str = "sent") -> OutgoingEmail:
    words = Words("Dear {{ name }}", "<p>Dear {{ name }}</p>")
    at = NOW - timedelta(days=days)
    return OutgoingEmail.objects.create(
        reason=name, contact=ContactFactory(email=f"{name}@x.example"), to_email=f"{name}@x.example", to_name="Ada",
        from_header="N <n@example.com>", subject="Hello Ada", frame_id=frames.store([words])[words],
        values={"name": "Ada"}, headers={"X-Own": "Ada"}, message_id=f"<{name}@x.example>", status=status, due_at=at,
        queued_at=at, sent_at=at,
    )  # fmt: skip


def forget(now: datetime = NOW, limit: int = retention.BATCH) -> int:
    """What the drain does in a day."""
    count = 0
    while done := retention.forget_bodies(now=now, limit=limit):
        count += done
    return count


def kept() -> set[str]:
    return set(OutgoingEmail.objects.filter(frame__isnull=False).values_list("reason", flat=True))


def test_words_go_after_the_tenants_time_and_the_fact_stays() -> None:
    MailPolicy.objects.create(pk=1, keep_bodies_days=30)
    old = mail("old", 31)
    mail("young", 29)
    DeliveryEvent.objects.create(email=old, kind="delivered", at=NOW, event_id="1")
    assert forget() == 1
    old.refresh_from_db()
    assert (old.frame_id, old.values, old.headers) == (None, {}, {})
    assert as_sent(old) is None
    assert (old.subject, old.to_email, old.status, old.events.count()) == ("Hello Ada", "old@x.example", "sent", 1)
    assert kept() == {"young"}
    forget(NOW + timedelta(days=2))
    assert kept() == set()


def test_what_waits_keeps_its_words_and_what_nobody_knows_keeps_them_twice_as_long() -> None:
    MailPolicy.objects.create(pk=1, keep_bodies_days=30)
    for status in ("queued", "paused", "sending", "unknown", "failed"):
        mail(status, 31, status)
    forget()
    assert kept() == {"queued", "paused", "sending", "unknown"}
    OutgoingEmail.objects.filter(reason="sending").update(status="sent")
    forget(NOW + timedelta(days=30))
    # The pass that looks again waits with them: it passes only once.
    assert kept() == {"queued", "paused", "sending", "unknown"}
    OutgoingEmail.objects.filter(reason__in=["queued", "paused"]).update(status="sent")
    forget(NOW + timedelta(days=30, hours=1))
    assert kept() == set()


def test_batches_go_on_where_they_stopped_also_among_equal_times() -> None:
    for number in range(7):
        mail(f"m{number}", 100)
    mail("waits", 100, "queued")
    assert forget(limit=3) == 7
    assert kept() == {"waits"}
    policy = MailPolicy.objects.get()
    assert policy.bodies_deleted_until == NOW - timedelta(days=90)


def test_each_day_begins_where_the_last_one_ended_and_uses_the_index() -> None:
    MailPolicy.objects.create(pk=1, keep_bodies_days=30, bodies_deleted_until=NOW - timedelta(days=31))
    behind = mail("behind", 40)
    mail("next", 30.5)
    assert forget() == 1
    assert kept() == {behind.reason}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        params: dict[str, Any] = {"start": NOW, "end": NOW, "spared": ["queued"], "limit": 5000}
        cursor.execute("EXPLAIN " + retention._DELETE, params)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "email_by_time" in plan
    assert "Sort" not in plan.split("CTE old")[1].split("->  Hash")[0]


def test_it_is_due_once_a_day() -> None:
    assert retention.next_due() is None
    mail("old", 100)
    due = retention.next_due()
    assert due is not None
    assert due <= NOW
    forget()
    assert retention.next_due() == NOW + timedelta(days=1)


def test_another_tenants_words_stay(other_tenant: Any) -> None:
    from django_tenants.utils import tenant_context

    with tenant_context(other_tenant):
        mail("theirs", 100)
    mail("ours", 100)
    forget()
    assert kept() == set()
    with tenant_context(other_tenant):
        assert kept() == {"theirs"}


def test_notes_of_long_ago_are_forgotten() -> None:
    from uuid import uuid4

    from django.utils import timezone

    progress.start(batches=[uuid4()], now=timezone.now() - tasks.KEEP_PROGRESS - timedelta(days=1))
    progress.start(batches=[uuid4()], now=timezone.now())
    assert tasks.forget_progress.run() == 1
    assert Progress.objects.count() == 1
