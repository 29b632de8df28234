"""Starting a campaign by hand: the right responses, each once, whatever happens between the batches."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from apps.campaigns import launches, versions
from apps.campaigns.criteria import Criteria
from apps.campaigns.launches import LaunchError, cancel, next_due, preview, resume, run_next, start
from apps.campaigns.models import Campaign, Enrolment, Launch, StepRun
from apps.campaigns.services import enrol
from apps.responses.models import Answer, Response
from apps.surveys.models import Question
from apps.triggers.models import Segment
from tests import factories
from tests.campaigns.following import answered, enrolled

pytestmark = pytest.mark.usefixtures("tenant")
NOW = datetime(2026, 6, 1, 10, tzinfo=UTC)


def by_hand(**values: Any) -> Campaign:
    made = factories.CampaignFactory(entry="by_hand", segment=values.pop("segment", ""), **values)
    return factories.publish(made, [{"key": "sorry", "kind": "email", **factories.MAIL}])


def said(comment: str = "", *, score: int | None = 3, days: int = 1, **values: Any) -> Response:
    return answered(factories.ContactFactory(), NOW - timedelta(days=days), score, comment=comment, **values)


def work_off() -> None:
    while run_next(now=NOW):
        pass


def who(launch: Launch) -> set[UUID]:
    return set(Enrolment.objects.filter(launch=launch).values_list("response_id", flat=True))


def people() -> dict[str, Response]:
    """Responses of which each differs from the others in one thing."""
    place = factories.TouchpointFactory()
    other = factories.SurveyFactory(key="other", name={"en": "Other"})
    choice = Question.objects.create(survey=other, key="why", kind="single", text={"en": "Why?"}, options=[
        {"key": "price", "text": {"en": "Price"}}, {"key": "time", "text": {"en": "Time"}},
    ])  # fmt: skip
    found = {
        "slow": said("Far too SLOW"),
        "late": said("It came late"),
        "tagged": said("", tags=["delivery", "vip"]),
        "happy": said("Great", score=10),
        "place": said("", touchpoint=place),
        "old": said("", days=100),
        "other": said("", survey=other),
        "named": said(""),
    }
    Answer.objects.create(response=found["other"], question=choice, choices=["price"])
    contact = found["named"].contact
    assert contact is not None
    contact.name = "Zoe"
    contact.save()
    Segment.objects.create(key="zoes", name="Zoes", condition={"field": "contact.name", "op": "eq", "value": "Zoe"})
    # Nobody asks these, whatever is looked for.
    said("Far too slow", is_suspected=True)
    said("Far too slow", score=None)
    said("Far too slow, says tomorrow", days=-1)
    return found


ALL = {"slow", "late", "tagged", "happy", "place", "old", "other", "named"}


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        (Criteria(), ALL),
        (Criteria(words=("slow", "LATE")), {"slow", "late"}),
        (Criteria(words=("too%slow",)), set()),
        (Criteria(tags=("vip", "gone")), {"tagged"}),
        (Criteria(segment="promoter"), {"happy"}),
        (Criteria(touchpoint="order_received"), {"place"}),
        (Criteria(days=90), ALL - {"old"}),
        (Criteria(survey="other"), {"other"}),
        (Criteria(survey="order"), ALL - {"other"}),
        (Criteria(question="why", choice="price"), {"other"}),
        (Criteria(question="why", choice="time"), set()),
        (Criteria(contacts="zoes"), {"named"}),
        (Criteria(contacts="gone"), set()),
        (Criteria(comment="yes"), {"slow", "late", "happy"}),
        (Criteria(comment="no", days=90), {"tagged", "place", "other", "named"}),
    ],
)
def test_whom_the_criteria_choose(criteria: Criteria, expected: set[str]) -> None:
    rows = people()
    campaign = by_hand()
    found = preview(campaign=campaign, criteria=criteria, now=NOW)
    assert (found.entering, found.is_bound) == (len(expected), False)
    assert len(found.examples) == min(len(expected), launches.EXAMPLES)
    assert Criteria.of(criteria.as_json()) == criteria
    if not expected:
        with pytest.raises(LaunchError, match="nobody"):
            start(campaign_id=campaign.pk, criteria=criteria, now=NOW)
        return
    launch = start(campaign_id=campaign.pk, criteria=criteria, now=NOW)
    work_off()
    assert who(launch) == {rows[name].pk for name in expected}
    launch.refresh_from_db()
    assert (launch.status, launch.total, launch.seen, launch.enrolled) == ("done", *[len(expected)] * 3)
    assert StepRun.objects.filter(enrolment__launch=launch, status="pending", due_at=NOW).count() == len(expected)


def test_only_whom_the_campaign_is_for_and_nobody_twice() -> None:
    campaign = by_hand(segment="detractor", condition={"field": "response.has_comment", "op": "eq", "value": True})
    said("Fine", score=9)
    said("")
    there, new = said("Slow"), said("Late")
    enrolled(campaign, there, NOW - timedelta(days=1))
    found = preview(campaign=campaign, criteria=Criteria(), now=NOW)
    assert (found.found, found.entering, found.examples) == (4, 1, [new])
    launch = start(campaign_id=campaign.pk, criteria=Criteria(), now=NOW)
    work_off()
    again = Launch.objects.get(pk=launch.pk)
    assert (who(launch), again.seen, again.enrolled) == ({new.pk}, 2, 1)
    with pytest.raises(LaunchError, match="nobody"):
        start(campaign_id=by_hand(segment="passive").pk, criteria=Criteria(), now=NOW)


def test_of_very_many_a_preview_with_a_condition_tells_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launches, "EXACT_UP_TO", 2)
    campaign = by_hand(condition={"field": "response.has_comment", "op": "eq", "value": True})
    for comment in ("", "Slow", "Late"):
        said(comment)
    found = preview(campaign=campaign, criteria=Criteria(), now=NOW)
    assert (found.entering, found.is_bound, len(found.examples)) == (3, True, 2)


def test_new_responses_do_not_enter_by_themselves() -> None:
    by_hand()
    row = said("Slow", follow_up_at=NOW)
    Response.objects.filter(pk=row.pk).update(follow_up="pending")
    assert enrol(now=NOW) == 1
    assert not Enrolment.objects.exists()


def test_a_launch_goes_on_where_it_stopped_and_takes_nobody_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launches, "BATCH", 2)
    campaign = by_hand()
    rows = [said(str(number)) for number in range(5)]
    launch = start(campaign_id=campaign.pk, criteria=Criteria(), now=NOW)
    assert next_due() == NOW
    assert run_next(now=NOW) == 2
    # The worker dies in the middle of a batch: nothing of it is left, and the next worker takes the same ones.
    monkeypatch.setattr(launches, "enter", lambda *args, **values: 1 / 0)
    assert run_next(now=NOW) == 1
    monkeypatch.undo()
    monkeypatch.setattr(launches, "BATCH", 2)
    launch.refresh_from_db()
    assert (launch.status, launch.seen, launch.enrolled) == ("failed", 2, 2)
    assert "ZeroDivisionError" in launch.error
    assert next_due() is None
    assert resume(launch_id=launch.pk, now=NOW)
    work_off()
    launch.refresh_from_db()
    assert (launch.status, launch.seen, launch.enrolled, launch.error) == ("done", 5, 5, "")
    assert who(launch) == {row.pk for row in rows}
    assert not resume(launch_id=launch.pk, now=NOW)


def test_cancelling_keeps_who_is_in_and_takes_nobody_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launches, "BATCH", 2)
    for number in range(3):
        said(str(number))
    launch = start(campaign_id=by_hand().pk, criteria=Criteria(), now=NOW)
    run_next(now=NOW)
    assert cancel(launch_id=launch.pk, now=NOW)
    work_off()
    launch.refresh_from_db()
    assert (launch.status, launch.finished_at, len(who(launch))) == ("cancelled", NOW, 2)
    assert not cancel(launch_id=launch.pk, now=NOW)


def test_one_launch_at_a_time_of_a_campaign_that_runs() -> None:
    said("Slow")
    campaign = by_hand()
    start(campaign_id=campaign.pk, criteria=Criteria(), now=NOW)
    for change, code in (
        ({}, "running"),
        ({"is_active": False}, "inactive"),
        ({"current_version": None}, "not_published"),
    ):
        Campaign.objects.filter(pk=campaign.pk).update(**change)
        with pytest.raises(LaunchError, match=code):
            start(campaign_id=campaign.pk, criteria=Criteria(), now=NOW)
    work_off()
    assert Launch.objects.get().status == "cancelled"
    assert not Enrolment.objects.exists()


def test_all_of_a_launch_go_through_the_version_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launches, "BATCH", 1)
    campaign = by_hand()
    said("Slow"), said("Late")
    launch = start(campaign_id=campaign.pk, criteria=Criteria(), now=NOW)
    run_next(now=NOW)
    campaign.draft = {"steps": [{"key": "call", "kind": "case"}]}
    campaign.save(update_fields=["draft"])
    versions.publish(campaign_id=campaign.pk, now=NOW)
    work_off()
    assert set(Enrolment.objects.values_list("version_id", flat=True)) == {launch.version_id}
    assert set(StepRun.objects.values_list("step_key", flat=True)) == {"sorry"}


def test_a_contact_that_is_erased_while_a_batch_is_at_it_costs_nobody_else_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said(), said()
    launch = launches.start(campaign_id=by_hand().pk, criteria=Criteria(), now=NOW)
    look, seen = launches._fitting, []

    def erased_after_the_first_look(campaign: Campaign, rows: Any, now: datetime) -> list[Response]:
        seen.append(len(rows))
        found = look(campaign, rows, now)
        if len(seen) == 1:
            Response.objects.filter(pk=rows[0].pk).delete()
        return found

    monkeypatch.setattr(launches, "_fitting", erased_after_the_first_look)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # As at the end of a transaction.
    work_off()
    launch.refresh_from_db()
    assert (launch.status, launch.error, len(seen)) == ("done", "", 2)
