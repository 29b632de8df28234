from datetime import UTC, datetime, time
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import tenant_context

from apps.accounts.models import User
from apps.alerts.models import AlertSettings, Channel, Kind, Notice
from apps.alerts.services import Occasion, about_responses, tell
from apps.common.models import AgendaItem
from apps.contacts.models import BusinessCalendar, Company
from apps.surveys.models import Survey
from apps.triggers.models import Segment
from tests import factories
from tests.alerts.conftest import NOW, person, respond, subscribe


def told() -> list[tuple[str, str]]:
    """Who was told, and as what."""
    rows = Notice.objects.select_related("user", "channel").order_by("pk")
    return sorted((row.user.username if row.user else f"#{row.channel}", row.when) for row in rows)


def channel(name: str = "voice", **more: Any) -> Channel:
    return Channel.objects.create(name=name, url="https://chat.example/hook", **more)


def important() -> Segment:
    tree = {"field": "company.value", "op": "gt", "value": 50_000}
    return Segment.objects.create(key="important", name="Important companies", condition=tree)


def test_each_subscription_tells_of_what_fits_it(user: User) -> None:
    subscribe(user, score_segments=["detractor"])
    subscribe(person("night"), score_segments=["promoter"])
    subscribe(person("digest"), when="daily")
    subscribe(person("off"), is_active=False)
    subscribe(person("gone", is_active=False))
    subscribe(user, channel=channel(), keywords=["slow"])
    about_responses(responses=[respond(3, "So slow")], now=NOW)
    assert told() == [("#voice", "instant"), ("cx", "instant"), ("digest", "daily")]
    notice = Notice.objects.get(user=user)
    assert notice.values == {}, "the words are read when it is sent"
    assert (notice.due_at, notice.path) == (NOW, f"/responses/{notice.response_id}/")


def test_who_wants_detractors_of_important_companies_at_once_gets_the_others_in_the_summary(user: User) -> None:
    subscribe(user, score_segments=["detractor"], segment=important())
    subscribe(user, score_segments=["detractor"], when="daily")
    rich = Company.objects.create(name="Rich", properties={"value": 60_000})
    poor = Company.objects.create(name="Poor", properties={"value": 10})
    about_responses(responses=[respond(contact=factories.ContactFactory(company=one)) for one in (rich, poor)], now=NOW)
    assert told() == [("cx", "daily"), ("cx", "instant")]


def test_a_response_that_comes_again_is_told_once_more_only_if_its_segment_changed(user: User) -> None:
    subscribe(user)
    response = respond(3)
    about_responses(responses=[response], now=NOW)
    about_responses(responses=[response], now=NOW)
    type(response).objects.update(score=4)
    about_responses(responses=[response], now=NOW)
    assert Notice.objects.count() == 1
    type(response).objects.update(score=9)
    about_responses(responses=[response], now=NOW)
    assert Notice.objects.count() == 2


@pytest.mark.parametrize("few", [4, 5])
def test_nobody_is_told_of_anonymous_answers_while_they_are_too_few_nor_ever_by_segment(user: User, few: int) -> None:
    survey = Survey.objects.create(key="secret", name={"en": "Secret"}, is_anonymous=True)
    subscribe(user)
    subscribe(person("segment"), segment=Segment.objects.create(key="all", name="All", condition={}))
    rows = [respond(survey=survey) for _ in range(few)]
    about_responses(responses=rows, now=NOW)
    assert [name for name, _when in told()] == ["cx"] * (few if few >= 5 else 0)


def test_machines_answers_are_not_told(user: User) -> None:
    subscribe(user)
    about_responses(responses=[respond(is_suspected=True)], now=NOW)
    assert told() == []


def test_a_broken_segment_stops_nobody_else(user: User) -> None:
    subscribe(user, segment=Segment.objects.create(key="broken", name="Broken", condition={"op": "nonsense"}))
    subscribe(person("other"))
    about_responses(responses=[respond()], now=NOW)
    assert told() == [("other", "instant")]


def test_the_cost_does_not_grow_with_the_responses(user: User) -> None:
    segment = important()
    for number in range(6):
        subscribe(person(f"u{number}"), segment=segment if number % 2 else None, touchpoints=[])

    def cost(count: int) -> int:
        rows = [respond() for _ in range(count)]
        with CaptureQueriesContext(connection) as captured:
            about_responses(responses=rows, now=NOW)
        return len(captured)

    first = cost(1)
    assert cost(40) == first <= 14


def occasion(kind: str = Kind.CASE_ASSIGNED, *users: User, reason: str = "case:1", **values: str) -> Occasion:
    return Occasion(kind, reason, {user.pk for user in users}, {"contact": "Ada", **values}, "/cases/1/")


def wishes(user: User, **more: Any) -> AlertSettings:
    return AlertSettings.objects.create(user=user, **more)


def test_what_concerns_somebody_comes_without_any_subscription_once_and_as_they_wish(user: User) -> None:
    wishes(off := person("off"), personal="off")
    wishes(daily := person("daily"), personal="digest")
    gone = person("gone", is_active=False)
    for _ in range(2):
        tell(occasions=[occasion(Kind.CASE_ASSIGNED, user, off, daily, gone)], now=NOW)
    assert told() == [("cx", "instant"), ("daily", "daily")]
    assert Notice.objects.get(user=user).values == {"contact": "Ada"}


def test_what_concerns_nobody_in_particular_is_told_to_those_who_subscribed_to_it(user: User) -> None:
    subscribe(user, kinds=["vouchers_low", "response"])
    subscribe(user, kinds=["case_escalated"], channel=channel())
    subscribe(person("other"))
    tell(occasions=[occasion(Kind.VOUCHERS_LOW, reason="pool:1"), occasion(Kind.CASE_ESCALATED, reason="c:1")], now=NOW)
    assert told() == [("#voice", "instant"), ("cx", "instant")]


def test_quiet_hours_move_a_notice_and_a_due_case_waits_for_work_to_begin(user: User) -> None:
    AgendaItem.objects.all().delete()  # Other tests may have left some in the shared schema.
    BusinessCalendar.objects.create(pk=1, time_zone="Europe/Berlin", country="DE")
    night = datetime(2026, 3, 25, 21, tzinfo=UTC)
    tell(
        occasions=[occasion(Kind.CASE_MENTION, user, reason="a"), occasion(Kind.CASE_DUE, user, reason="b")], now=night
    )
    assert [row.due_at for row in Notice.objects.order_by("reason")] == [night, datetime(2026, 3, 26, 7, tzinfo=UTC)]
    wishes(quiet := person("quiet"), quiet_from=time(20), quiet_to=time(9))
    tell(occasions=[occasion(Kind.CASE_MENTION, quiet)], now=night)
    subscribe(quiet)
    about_responses(responses=[respond()], now=night)
    assert {row.due_at for row in Notice.objects.filter(user=quiet)} == {datetime(2026, 3, 26, 8, tzinfo=UTC)}
    assert AgendaItem.objects.count() == 0, "nobody is woken before the rows are visible"


def test_a_response_that_is_gone_already_is_told_to_nobody(user: User) -> None:
    response = respond()
    told_of = Occasion(Kind.CASE_ASSIGNED, "case:1", {user.pk}, {"contact": "Ada"}, "/cases/1/", response.pk)
    response.delete()
    tell(occasions=[told_of], now=NOW)
    assert told() == []


def test_erasing_a_response_takes_its_notices_along(user: User) -> None:
    subscribe(user)
    response = respond()
    about_responses(responses=[response], now=NOW)
    response.delete()
    assert told() == []


def test_another_tenants_subscriptions_hear_nothing(user: User, other_tenant: Any) -> None:
    with tenant_context(other_tenant):
        subscribe(person("stranger"))
        tell_before = Notice.objects.count()
    subscribe(user)
    about_responses(responses=[respond()], now=NOW)
    with tenant_context(other_tenant):
        assert Notice.objects.count() == tell_before == 0


def test_a_subscription_that_is_about_nothing_is_refused_by_the_database(user: User) -> None:
    with pytest.raises(IntegrityError):
        subscribe(user, kinds=[])
