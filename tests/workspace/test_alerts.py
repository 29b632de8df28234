"""Pages about alerts: one's own subscriptions and settings, the team's channels, and what was told."""

from collections.abc import Callable, Iterator
from datetime import datetime, time
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.alerts.models import AlertSettings, Channel, Kind, Notice, Subscription
from apps.alerts.services import Occasion, tell
from apps.triggers.models import Segment
from tests.alerts.conftest import subscribe
from tests.integrations.receiver import Receiver, answer


def url(name: str, *args: Any) -> str:
    return reverse(f"workspace:{name}", args=args)


@pytest.fixture
def chief(client: Client, user: User) -> Client:
    """Somebody who may change channels as well."""
    rights = Permission.objects.filter(content_type__app_label="alerts", content_type__model="channel")
    user.user_permissions.add(*rights)
    return client


@pytest.fixture
def channel(tenant: Any) -> Channel:
    return Channel.objects.create(name="#voice", url="https://chat.example/secret-hook")


def form(**more: Any) -> dict[str, Any]:
    return {"name": "Mine", "kinds": ["response"], "when": "instant", "hour": "8", "weekday": "0", **more}


def test_a_subscription_is_made_changed_switched_and_deleted(client: Client, user: User) -> None:
    segment = Segment.objects.create(key="big", name="Big", condition={})
    posted = form(score_segments=["detractor"], keywords="cancel, refund\ncancel", segment=segment.pk, when="weekly")
    assert client.post(url("alert_new"), posted).status_code == 302
    row = Subscription.objects.get()
    assert (row.user, row.keywords, row.segment, row.when) == (user, ["cancel", "refund"], segment, "weekly")
    page = client.get(url("alerts")).content.decode()
    for part in ("Mine", "Detractors", "cancel, refund", "Monday, 8:00", "me, by e-mail"):
        assert part in page, part
    client.post(url("alert_edit", row.pk), form(name="Other"))
    client.post(url("alert_switch", row.pk), {"on": "0"})
    row.refresh_from_db()
    assert (row.name, row.is_active, row.score_segments) == ("Other", False, [])
    client.post(url("alert_delete", row.pk))
    assert not Subscription.objects.exists()


def test_what_was_typed_stays_and_each_mistake_is_named(client: Client) -> None:
    answered = client.post(url("alert_new"), form(kinds=[], keywords="x" * 90, name="Typed"))
    page = answered.content.decode()
    assert answered.status_code == 422
    for part in ("Typed", "x" * 90, "Choose at least one.", "none longer than 80 characters"):
        assert part in page, part


def test_nobody_reaches_anothers_subscription_nor_a_channel_without_the_right(client: Client, channel: Channel) -> None:
    theirs = subscribe(User.objects.create(username="other"), name="Theirs")
    assert "Theirs" not in client.get(url("alerts")).content.decode()
    for name in ("alert_edit", "alert_switch", "alert_delete"):
        assert client.post(url(name, theirs.pk), form(on="0")).status_code == 404
    client.post(url("alert_new"), form(channel=channel.pk))
    assert Subscription.objects.get(name="Mine").channel is None
    for name in ("alert_channels", "alert_channel_new"):
        assert client.get(url(name)).status_code == 403
    for name in ("alert_channel_test", "alert_channel_switch", "alert_channel_delete"):
        assert client.post(url(name, channel.pk)).status_code == 403


def test_the_quick_starts_make_what_they_say_once(client: Client, user: User) -> None:
    assert "important" in client.get(url("alerts")).content.decode()
    assert client.post(url("alert_start"), {"what": "important"}).status_code == 422
    segment = Segment.objects.create(key="big", name="Big", condition={})
    for _ in range(2):
        client.post(url("alert_start"), {"what": "important", "segment": segment.pk})
        client.post(url("alert_start"), {"what": "detractors"})
    found = set(Subscription.objects.filter(user=user, score_segments=["detractor"]).values_list("when", "segment"))
    assert found == {("daily", None), ("instant", None), ("instant", segment.pk)}
    assert Subscription.objects.count() == 3


def test_settings_are_saved_and_half_of_the_quiet_hours_is_refused(client: Client, user: User) -> None:
    posted = {
        "personal": "digest",
        "digest_hour": "7",
        "quiet_from": "20:00",
        "quiet_to": "07:30",
        "skip_weekends": "on",
    }
    assert client.get(url("alert_settings")).status_code == 200
    for _ in range(2):
        assert client.post(url("alert_settings"), posted).status_code == 302
    row = AlertSettings.objects.get(user=user)
    assert (row.personal, row.quiet_from, row.quiet_to, row.skip_weekends) == ("digest", time(20), time(7, 30), True)
    for wrong, words in (({"quiet_to": ""}, "both times"), ({"quiet_to": "20:00"}, "are the same")):
        answered = client.post(url("alert_settings"), {**posted, **wrong})
        assert (answered.status_code, words in answered.content.decode()) == (422, True)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with Receiver() as running:
        yield running


def test_a_channel_is_made_tried_and_its_address_never_shown_again(chief: Client, receiver: Receiver) -> None:
    posted = {"name": "#voice", "kind": "slack", "url": receiver.url, "language": "de"}
    assert chief.post(url("alert_channel_new"), {**posted, "url": "ftp://x"}).status_code == 422
    assert chief.post(url("alert_channel_new"), posted).status_code == 302
    row = Channel.objects.get()
    assert chief.post(url("alert_channel_new"), posted).status_code == 422, "the name is taken"
    page = chief.post(url("alert_channel_test", row.pk), follow=True).content.decode()
    assert "The channel took the test." in page
    assert len(receiver.received) == 1
    receiver.behaviour = answer(404, b"<b>no_service</b>")
    page = chief.post(url("alert_channel_test", row.pk), follow=True).content.decode()
    assert "404 &lt;b&gt;no_service&lt;/b&gt;" in page
    assert receiver.url not in page
    assert chief.post(url("alert_channel", row.pk), {**posted, "url": "", "name": "#other"}).status_code == 302
    row.refresh_from_db()
    assert (row.url, row.name) == (receiver.url, "#other")


def test_a_channel_that_is_gone_says_what_to_do_and_goes_on_when_it_is_switched_on(
    chief: Client, channel: Channel, user: User
) -> None:
    Channel.objects.update(is_active=False, disabled_reason="gone", failures=1)
    subscribe(user, channel=channel)
    assert "Make a new incoming webhook" in chief.get(url("alert_channel", channel.pk)).content.decode()
    assert "The channel is off." in chief.get(url("alerts")).content.decode()
    chief.post(url("alert_channel_switch", channel.pk), {"on": "1"})
    channel.refresh_from_db()
    assert (channel.is_active, channel.disabled_reason, channel.failures) == (True, "", 0)
    chief.post(url("alert_channel_delete", channel.pk))
    assert not Subscription.objects.exists()


def notice(user: User, number: int, **more: Any) -> Notice:
    now = timezone.now()
    tell(occasions=[Occasion(Kind.CASE_DUE, f"c:{number}", {user.pk}, {}, "/cases/")], now=now)
    Notice.objects.filter(reason=f"c:{number}").update(**more)
    return Notice.objects.get(reason=f"c:{number}", user=user)


def test_the_log_shows_ones_own_with_what_went_wrong_and_tries_again(client: Client, user: User) -> None:
    other = User.objects.create(username="someone-else")
    theirs = notice(other, 1, status="failed")
    mine = notice(user, 2, status="failed", last_error="no_address")
    page = client.get(url("alert_log")).content.decode()
    assert "Enter one in the configuration" in page
    assert "someone-else" not in page
    assert client.post(url("alert_again", theirs.pk)).status_code == 404
    client.post(url("alert_again", mine.pk))
    mine.refresh_from_db()
    assert mine.status == "pending"


@pytest.mark.parametrize("name", ["alerts", "alert_log", "alert_channels"])
def test_lists_are_empty_then_filtered_and_cost_the_same_however_long(
    chief: Client, user: User, queries_of: Callable[[str], int], now: datetime, name: str
) -> None:
    def fill(count: int) -> None:
        for number in range(count):
            row = Channel.objects.create(name=f"#{count}-{number}", url="https://x.example/")
            subscribe(user, name=f"S {count}-{number}", channel=row)
            notice(user, count * 100 + number)

    assert 'class="empty"' in chief.get(url(name)).content.decode()
    fill(1)
    few = queries_of(url(name))
    fill(30)
    assert queries_of(url(name)) == few
    assert 'rel="next"' in chief.get(url(name)).content.decode()
    assert 'class="empty"' in chief.get(url(name), {"q": "nothing-like-this"}).content.decode()
