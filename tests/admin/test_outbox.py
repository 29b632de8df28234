"""What people do about messages in the admin."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.messaging.models import DeliveryEvent, MailPolicy, OutgoingEmail
from tests.factories import ContactFactory
from tests.workspace.conftest import mail

LIST = "/admin/messaging/outgoingemail/"


@pytest.fixture
def written(tenant: Any) -> OutgoingEmail:
    return mail(ContactFactory(name="Kim", email="kim@x.example"), "one", timezone.now(), "How was it?")


def act(client: Client, action: str, row: OutgoingEmail) -> str:
    """Choose an action in the list; returns where it leads to."""
    answer = client.post(LIST, {"action": action, "_selected_action": [str(row.pk)]})
    return str(answer.headers["Location"])


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [("have_left", "unknown", "sent"), ("send_now", "unknown", "queued"), ("send_again", "failed", "queued")],
)
def test_each_action_asks_once_more_and_keeps_who_did_it(
    client: Client, written: OutgoingEmail, action: str, before: str, after: str
) -> None:
    OutgoingEmail.objects.update(status=before)
    asked = act(client, action, written)
    page = client.get(asked).content.decode()
    assert "How was it?" in page
    written.refresh_from_db()
    assert written.status == before
    assert client.post(asked).status_code == 302
    written.refresh_from_db()
    assert written.status == after
    assert "by hand" in LogEntry.objects.get(object_id=str(written.pk)).change_message
    assert "left out" in client.get(asked).content.decode()


def test_a_page_offers_only_what_fits(client: Client, written: OutgoingEmail) -> None:
    url = f"{LIST}{written.pk}/change/"
    DeliveryEvent.objects.create(email=written, kind="deferred", at=timezone.now(), detail="<b>later</b>", event_id="1")
    page = client.get(url).content.decode()
    assert "send now" not in page
    assert "&lt;b&gt;later&lt;/b&gt;" in page
    OutgoingEmail.objects.update(status="unknown")
    page = client.get(url).content.decode()
    assert "It did not leave: send now" in page
    assert "Try again" not in page


def test_whoever_may_only_look_settles_nothing(client: Client, written: OutgoingEmail) -> None:
    looker = User.objects.create(username="looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_outgoingemail"))
    client.force_login(looker)
    OutgoingEmail.objects.update(status="unknown")
    assert client.get(f"{LIST}{written.pk}/change/").status_code == 200
    assert client.post(f"{LIST}by-hand/?what=left&ids={written.pk}").status_code == 403
    written.refresh_from_db()
    assert written.status == "unknown"


def test_the_mail_policy_is_one_row_that_says_how_far_words_are_deleted(client: Client, tenant: Any) -> None:
    MailPolicy.objects.create(pk=1, keep_bodies_days=30)
    url = client.get("/admin/messaging/mailpolicy/").headers["Location"]
    page = client.get(url).content.decode()
    assert "Keep what was written for days" in page
    assert "Words deleted up to" in page
    answer = client.post(url, {"keep_bodies_days": "0", "soft_bounces": "3", "sms_use": "never"})
    assert answer.status_code == 200  # with what is wrong
    client.post(url, {"keep_bodies_days": "60", "soft_bounces": "3", "sms_use": "never"})
    assert MailPolicy.objects.get().keep_bodies_days == 60
