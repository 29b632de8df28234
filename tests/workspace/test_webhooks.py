"""The pages about webhooks: who may see them, the log, and what the buttons do. Against a real receiver."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.integrations import attempts, endpoints, replays, signing, webhooks
from apps.integrations.models import Attempt, Delivery, Endpoint
from tests.integrations.receiver import Receiver, answer

LIST = "/webhooks/"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with Receiver() as running:
        yield running


@pytest.fixture
def manager(client: Client, user: User) -> Client:
    """Who may change endpoints."""
    names = ["add_endpoint", "change_endpoint"]
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))
    return client


@pytest.fixture
def endpoint(receiver: Receiver) -> Endpoint:
    return Endpoint.objects.create(name="CRM", url=receiver.url)


def publish(count: int, at: datetime, event_type: str = "response.created", **payload: Any) -> None:
    found = [webhooks.Occurrence(f"{event_type}:{at}:{number}", payload) for number in range(count)]
    webhooks.publish_many(event_type=event_type, occurrences=found, now=at)


def page(client: Client, url: str, status: int = 200) -> str:
    found = client.get(url)
    assert found.status_code == status
    return found.content.decode()


def test_only_who_may_change_endpoints_sees_or_does_anything(client: Client, endpoint: Endpoint, now: datetime) -> None:
    publish(1, now, comment="confidential")
    own = [f"{LIST}{endpoint.pk}/{rest}" for rest in ("", "edit/", f"deliveries/{Delivery.objects.get().pk}/")]
    gets = [LIST, f"{LIST}new/", *own]
    posts = [f"{own[0]}{rest}/" for rest in ("test", "rotate", "switch", "replay")] + [f"{own[2]}again/"]
    for url in gets:
        assert client.get(url).status_code == 403, url
    for url in posts:
        assert client.post(url).status_code == 403, url
        assert client.get(url).status_code == 403, url
    assert LIST not in page(client, "/cases/")
    client.logout()
    for answered in [client.get(url) for url in gets] + [client.post(url) for url in posts]:
        assert (answered.status_code, answered["Location"].split("?")[0]) == (302, "/login/")
    unchanged = Endpoint.objects.get()
    assert (unchanged.is_active, unchanged.secret) == (True, endpoint.secret)


def test_an_endpoint_is_made_found_changed_and_switched(manager: Client, receiver: Receiver) -> None:
    assert "Nobody is told yet." in page(manager, LIST)
    assert LIST in page(manager, "/cases/")
    wrong = manager.post(f"{LIST}new/", {"name": "<b>CRM</b>", "url": "ftp://x", "event_types": ["contact.erased"]})
    text = wrong.content.decode()
    assert wrong.status_code == 422
    assert "Enter an address that starts with https://." in text
    assert 'value="ftp://x"' in text
    assert "&lt;b&gt;CRM" in text
    assert re.search(r'value="contact.erased"[^>]*checked', text)
    made = manager.post(f"{LIST}new/", {"name": "CRM", "url": receiver.url, "event_types": ["contact.erased"]})
    row = Endpoint.objects.get()
    assert made["Location"] == f"{LIST}{row.pk}/"
    assert row.secret in page(manager, made["Location"])
    Endpoint.objects.filter(pk=row.pk).update(failing_since=row.created_at)
    manager.post(f"{LIST}{row.pk}/edit/", {"name": "Shop", "url": receiver.url})
    row.refresh_from_db()
    assert (row.name, row.event_types, row.failing_since) == ("Shop", [], row.created_at)
    manager.post(f"{LIST}{row.pk}/switch/", {"on": "0"})
    text = page(manager, f"{LIST}?q=shop&state=off")
    assert "Shop" in text
    assert not SECRET.search(text)
    assert "No endpoint fits these filters." in page(manager, f"{LIST}?state=on")
    manager.post(f"{LIST}{row.pk}/switch/", {"on": "1"})
    assert Endpoint.objects.get().is_active


def test_why_an_endpoint_was_switched_off_is_said_with_what_to_do(manager: Client, endpoint: Endpoint) -> None:
    for reason, said in {"gone": "gone for good (410)", "failing": "took nothing for five days"}.items():
        Endpoint.objects.update(is_active=False, disabled_reason=reason)
        assert said in page(manager, f"{LIST}{endpoint.pk}/")


def test_a_test_is_sent_at_once_and_its_answer_shown(manager: Client, endpoint: Endpoint, receiver: Receiver) -> None:
    receiver.behaviour = answer(500, b"<script>alert(1)</script> broken", X_Reason="<i>")
    shown = manager.post(f"{LIST}{endpoint.pk}/test/", follow=True)
    text = shown.content.decode()
    assert "The receiver did not take the test." in text
    assert "Answer 500" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; broken" in text
    assert "<script>alert" not in text
    assert "&quot;type&quot;: &quot;webhook.test&quot;" in text
    assert endpoint.secret not in text
    receiver.behaviour = answer(204)
    assert "The receiver took the test." in manager.post(f"{LIST}{endpoint.pk}/test/", follow=True).content.decode()
    assert [request.headers["webhook-signature"][:3] for request in receiver.received] == ["v1,"] * 2
    for _ in range(12):
        last = manager.post(f"{LIST}{endpoint.pk}/test/")
    assert last["Location"] == f"{LIST}{endpoint.pk}/"
    assert len(receiver.received) == 10


def test_the_secret_is_replaced_with_an_overlap(manager: Client, endpoint: Endpoint, now: datetime) -> None:
    manager.post(f"{LIST}{endpoint.pk}/rotate/", {"hours": "1"})
    row = Endpoint.objects.get()
    assert row.secret != endpoint.secret == row.old_secret
    assert row.old_secret_until is not None
    assert abs(row.old_secret_until - now - timedelta(hours=1)) < timedelta(minutes=1)
    text = page(manager, f"{LIST}{endpoint.pk}/")
    assert "The secret before signs along until" in text
    assert SECRET.findall(text) == [row.secret]
    manager.post(f"{LIST}{endpoint.pk}/rotate/", {"hours": "99999"})
    assert Endpoint.objects.get().secret == row.secret
    assert signing.is_secret(row.secret)


def test_the_log_is_filtered_paged_and_costs_the_same_for_few_and_many(
    manager: Client, endpoint: Endpoint, receiver: Receiver, now: datetime, queries_of: Callable[[str], int]
) -> None:
    url = f"{LIST}{endpoint.pk}/"
    publish(1, now - timedelta(hours=1), contact_id="019abf2e-6b00-7aaa-8bbb-0123456789ab")
    attempts.attempt_due(now=now)
    few, few_listed = queries_of(url), queries_of(LIST)
    receiver.behaviour = answer(500)
    publish(30, now, "invitation.sent")
    for _ in range(7):
        attempts.attempt_due(now=now)
    Delivery.objects.filter(event_type="invitation.sent").update(status="failed")
    Endpoint.objects.bulk_create(Endpoint(url=f"https://{n}.example/") for n in range(9))
    assert (queries_of(url), queries_of(LIST)) == (few, few_listed)
    assert few <= 10
    first = manager.get(url).context["page"]
    assert (len(first.rows), first.total, first.is_first) == (25, 31, True)
    assert len(manager.get(f"{url}?cursor={first.next_cursor.replace('+', '%2B')}").context["page"].rows) == 6
    expected = {
        "status=delivered": 1, "event_type=invitation.sent": 30, "days=1": 31, "status=nonsense": 31, "q=%27": 0,
        "q=019abf2e-6b00-7aaa-8bbb-0123456789ab": 1,
    }  # fmt: skip
    for query, count in expected.items():
        assert manager.get(f"{url}?{query}").context["page"].total == count, query
    assert "No delivery fits these filters." in page(manager, f"{url}?status=pending")
    one = Delivery.objects.get(status="delivered")
    assert manager.get(f"{url}?q={one.pk}").context["page"].rows == [one]
    assert "30 failed" in page(manager, LIST)


def test_one_delivery_is_sent_again_and_a_span_of_time_with_its_progress(
    manager: Client, endpoint: Endpoint, receiver: Receiver, now: datetime
) -> None:
    url = f"{LIST}{endpoint.pk}/"
    publish(3, now - timedelta(hours=2))
    receiver.behaviour = answer(400)
    attempts.attempt_due(now=now)
    Delivery.objects.update(status="failed")
    one = Delivery.objects.first()
    assert one is not None
    again = reverse("workspace:webhook_again", args=[endpoint.pk, one.pk])
    assert "It is being sent again." in manager.post(again, follow=True).content.decode()
    assert "It is still being tried." in manager.post(again, follow=True).content.decode()
    receiver.behaviour = answer(204)
    assert attempts.attempt_due(now=now + timedelta(minutes=1)) == 1

    typed = {"replay-since": "2026-01-01T10:00", "replay-until": "2025-01-01T10:00", "replay-status": "failed"}
    wrong = manager.post(f"{url}replay/", typed)
    assert wrong.status_code == 422
    assert "The beginning must lie before the end" in wrong.content.decode()
    assert 'value="2026-01-01T10:00"' in wrong.content.decode()
    typed |= {"replay-since": f"{now - timedelta(days=2):%Y-%m-%dT%H:%M}",
              "replay-until": f"{now + timedelta(days=2):%Y-%m-%dT%H:%M}"}  # fmt: skip
    assert manager.post(f"{url}replay/", typed)["Location"] == url
    replay = endpoint.replays.get()
    assert (replay.total, replay.by) == (2, "cx")
    assert 'value="0"' in page(manager, f"{url}replays/{replay.pk}/")
    assert "data-poll" in page(manager, url)
    replays.go_on(now=now + timedelta(minutes=2))
    attempts.attempt_due(now=now + timedelta(minutes=2))
    assert manager.get(f"{url}replays/{replay.pk}/").status_code == 204
    assert "2 of 2 deliveries taken" in page(manager, url)
    Endpoint.objects.update(is_active=False)
    assert "switched off. Switch it on first." in manager.post(f"{url}replay/", typed).content.decode()


def test_another_endpoints_delivery_is_not_found_here(manager: Client, endpoint: Endpoint, now: datetime) -> None:
    other = Endpoint.objects.create(url="https://other.example/")
    publish(1, now)
    theirs = Delivery.objects.get(endpoint=other)
    for name in ("webhook_delivery", "webhook_again"):
        url = reverse(f"workspace:{name}", args=[endpoint.pk, theirs.pk])
        assert (manager.get if name == "webhook_delivery" else manager.post)(url).status_code == 404
    assert manager.post(f"{LIST}99999/test/").status_code == 404


def test_the_admin_leads_to_the_pages_and_sends_failed_ones_again(
    manager: Client, user: User, endpoint: Endpoint, now: datetime
) -> None:
    User.objects.update(is_staff=True, is_superuser=True)
    publish(2, now)
    Delivery.objects.update(status="failed")
    Attempt.objects.create(delivery=Delivery.objects.first(), at=now, duration_ms=1, error="x")
    done = manager.post(
        "/admin/integrations/endpoint/", {"action": "repeat_failed", "_selected_action": [endpoint.pk]}, follow=True
    )
    assert "CRM: 2 deliveries will be sent again." in done.content.decode()
    assert endpoint.replays.get().total == 2
    assert manager.get(f"/admin/integrations/endpoint/{endpoint.pk}/look").status_code in {301, 302}
    for url in ("endpoint", f"endpoint/{endpoint.pk}/change", "delivery", "replay"):
        assert manager.get(f"/admin/integrations/{url}/").status_code == 200
    row = endpoints.switch(endpoint_id=endpoint.pk, on=False, now=now)
    posted = {"name": "CRM", "url": row.url, "secret": row.secret, "is_active": "on"}
    Endpoint.objects.update(disabled_reason="failing", failing_since=now)
    assert manager.post(f"/admin/integrations/endpoint/{endpoint.pk}/change/", posted).status_code == 302
    row.refresh_from_db()
    assert (row.is_active, row.disabled_reason, row.failing_since) == (True, "", None)
