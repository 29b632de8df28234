"""Reviews fall due once a year and when the business changed; who looks after the map is reminded, once."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from apps.accounts.models import User
from apps.alerts import mails
from apps.alerts.models import Channel, Kind, Notice, Subscription
from apps.common import queues
from apps.common.models import AgendaItem
from apps.insights import journey_reviews, tasks
from apps.insights.journey_reviews import ReviewError
from apps.insights.models import JourneyReview
from apps.messaging.models import OutgoingEmail, Sender
from apps.touchpoints.models import Stage

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
YEAR = timedelta(days=365)


@pytest.fixture
def drain(tenant: Any) -> queues.Drain:
    assert tasks.journey_reviews.QUEUE in queues.DRAINS
    return queues.DRAINS[journey_reviews.QUEUE]


def staff(name: str, *rights: str, is_staff: bool = True) -> User:
    user = User.objects.create(username=name, email=f"{name}@nordwind.example", is_staff=is_staff)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return user


def told() -> list[tuple[str, str]]:
    rows = Notice.objects.filter(kind=Kind.MAP_REVIEW).order_by("created_at", "pk")
    return [(row.user.username if row.user else "#team", row.reason) for row in rows.select_related("user")]


def test_a_map_is_due_a_year_after_it_was_made_and_a_year_after_each_review(drain: queues.Drain) -> None:
    assert drain.next_due() is None
    assert drain.step(NOW) == 0
    Stage.objects.create(key="buy", name={"en": "Buy"})
    assert drain.next_due() is not None
    assert [drain.step(NOW), drain.step(NOW)] == [1, 0]
    row = JourneyReview.objects.get()
    assert (row.reason, row.due_on) == ("yearly", date(2027, 3, 2))
    assert drain.next_due() == datetime(2027, 3, 2, tzinfo=UTC)
    assert journey_reviews.due_soon(now=NOW) is None
    soon = journey_reviews.due_soon(now=NOW + YEAR - timedelta(days=14))
    assert soon is not None
    assert (soon.days, soon.is_late) == (14, False)
    late = journey_reviews.due_soon(now=NOW + YEAR + timedelta(days=3))
    assert late is not None
    assert (late.days_late, late.is_late) == (3, True)
    done = NOW + YEAR + timedelta(days=5)
    journey_reviews.finish(review_id=row.pk, finding="All holds.", by=None, now=done)
    nextly = JourneyReview.objects.get(done_at=None)
    assert (nextly.reason, nextly.due_on) == ("yearly", (done + YEAR).date())
    assert drain.step(done) == 0
    with pytest.raises(ReviewError, match="done"):
        journey_reviews.finish(review_id=row.pk, finding="Again.", by=None, now=done)
    with pytest.raises(ReviewError, match="gone"):
        journey_reviews.finish(review_id=0, finding="?", by=None, now=done)


def test_a_changed_business_asks_for_one_review_that_counts_for_the_year(drain: queues.Drain) -> None:
    with pytest.raises(ReviewError, match="no_map"):
        journey_reviews.ask(note="New market.", by=None, now=NOW)
    Stage.objects.create(key="buy", name={"en": "Buy"})
    drain.step(NOW)
    chief = staff("chief")
    row = journey_reviews.ask(note="We sell in shops now.", by=chief, now=NOW)
    assert (row.due_on, row.asked_by, row.reason) == (date(2026, 3, 16), chief, "changed")
    assert drain.next_due() == datetime(2026, 3, 16, tzinfo=UTC)
    with pytest.raises(ReviewError, match="asked"):
        journey_reviews.ask(note="Once more.", by=chief, now=NOW)
    then = NOW + timedelta(days=20)
    journey_reviews.finish(review_id=row.pk, finding="Two touchpoints came.", by=chief, now=then)
    left = JourneyReview.objects.get(done_at=None)
    assert (left.reason, left.due_on) == ("yearly", (then + YEAR).date())
    journey_reviews.ask(note="And again.", by=chief, now=then)


def test_who_looks_after_the_map_is_reminded_when_it_is_due_and_every_thirty_days(
    drain: queues.Drain, django_capture_on_commit_callbacks: Any
) -> None:
    keeper = staff("keeper", "change_touchpoint")
    staff("other", "change_stage")
    staff("guest", "change_touchpoint", is_staff=False)
    Stage.objects.create(key="buy", name={"en": "Buy"})
    drain.step(NOW)
    with django_capture_on_commit_callbacks(execute=True):
        row = journey_reviews.ask(note="We sell in <b>shops</b> now.", by=None, now=NOW)
    agenda = AgendaItem.objects.get(queue=journey_reviews.QUEUE, schema_name="nordwind")
    assert agenda.due_at == datetime(2026, 3, 16, tzinfo=UTC)
    days = [NOW + timedelta(days=number) for number in (13, 14, 14, 15, 43, 44, 45, 74)]
    assert [drain.step(day) for day in days] == [0, 1, 0, 0, 0, 1, 0, 1]
    assert told() == [("keeper", f"map_review:{row.pk}:2026-{day}") for day in ("03-16", "04-15", "05-15")]
    journey_reviews.finish(review_id=row.pk, finding="Done.", by=keeper, now=days[-1])
    assert drain.step(days[-1] + timedelta(days=60)) == 0
    # It comes as a mail with the page to go to.
    Notice.objects.exclude(reason__endswith="03-16").delete()
    Sender.objects.create(name="N", email="n@nordwind.example", is_default=True)
    mails.deliver_due(now=NOW + timedelta(days=14), base_url="https://nordwind.example")
    sent = OutgoingEmail.objects.get()
    assert (sent.to_email, sent.subject) == ("keeper@nordwind.example", "The journey map is due for review")
    assert "https://nordwind.example/journey/review/" in str(sent.values)
    assert "2026-03-16" in str(sent.values)


def test_subscribers_are_told_instead_if_they_may_know(drain: queues.Drain) -> None:
    staff("keeper", "change_touchpoint")
    fan = staff("fan", "change_touchpoint", is_staff=False)
    stranger = staff("stranger", is_staff=False)
    Stage.objects.create(key="buy", name={"en": "Buy"})
    drain.step(NOW)
    row = journey_reviews.ask(note="x", by=None, now=NOW)
    # One who may not know of it is nobody who is told.
    Subscription.objects.create(user=stranger, name="Map", kinds=[Kind.MAP_REVIEW])
    drain.step(NOW + timedelta(days=14))
    assert "keeper" in {name for name, _reason in told()}
    Notice.objects.all().delete()
    Subscription.objects.create(user=fan, name="Map", kinds=[Kind.MAP_REVIEW])
    JourneyReview.objects.filter(pk=row.pk).update(reminded_on=None)
    drain.step(NOW + timedelta(days=14))
    assert {name for name, _reason in told()} == {"fan", "stranger"}  # the latter's is dropped when it is to be sent
    Notice.objects.all().delete()
    Subscription.objects.all().delete()
    team = Channel.objects.create(name="#team", url="https://chat.example/hook")
    Subscription.objects.create(user=fan, name="Map", kinds=[Kind.MAP_REVIEW], channel=team)
    JourneyReview.objects.filter(pk=row.pk).update(reminded_on=None)
    drain.step(NOW + timedelta(days=14))
    assert {name for name, _reason in told()} == {"#team"}
