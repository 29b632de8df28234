"""Pages about campaigns: what they do, what came of it, who is in them, starting by hand, and trials."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tenants.utils import tenant_context

from apps.accounts.models import User
from apps.campaigns import launches, trials
from apps.campaigns.models import Campaign, CampaignTrial, Enrolment, Launch, StepRun
from apps.campaigns.wording import reason_in_words
from apps.contacts.models import LegalBasis
from tests import factories
from tests.campaigns.following import answered, campaign, enrolled, ran
from tests.workspace.test_why import words

pytestmark = pytest.mark.usefixtures("tenant")
DAY = timedelta(days=1)
SCRIPT = "<script>alert('x')</script>"


def permit(user: User, *names: str) -> None:
    user.user_permissions.add(*Permission.objects.filter(content_type__app_label="campaigns", codename__in=names))


@pytest.fixture
def viewer(client: Client, user: User) -> Client:
    """Who may see campaigns."""
    permit(user, "view_campaign")
    return client


@pytest.fixture
def manager(viewer: Client, user: User) -> Client:
    """Who may start and stop them, too."""
    permit(user, "change_campaign")
    return viewer


def read(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return words(answer.content.decode())


def url(name: str, *args: Any) -> str:
    return reverse(f"workspace:{name}", args=args)


def filled(at: datetime, count: int = 3, **values: Any) -> Campaign:
    """A campaign with contacts at each place; all scores are low."""
    made = campaign("answered", name="Sorry", **values)
    for number in range(count):
        row = answered(factories.ContactFactory(name=f"Kim {number}"), at, score=3, comment=f"Slow {number}")
        state = ("running", "done", "failed")[number % 3]
        one = enrolled(made, row, at, state=state)
        ran(one, "sorry", "email", at)
        status = {"running": "pending", "done": "done", "failed": "failed"}[state]
        ran(one, "pause", "wait", at + DAY, status, last_error="KeyError: 'x'" if state == "failed" else "")
    return made


def test_campaigns_are_for_those_who_may_see_them(client: Client, user: User, now: datetime) -> None:
    made = filled(now - DAY)
    row = Enrolment.objects.filter(state="running").get()
    broken = Enrolment.objects.filter(state="failed").get()
    answered(factories.ContactFactory(), now, 3)
    pages = [url("campaigns"), url("campaign", made.pk), url("enrolments", made.pk), url("enrolment", row.pk),
             url("campaign_trials", made.pk)]  # fmt: skip
    acts = [url("launch_new", made.pk) + "?words=x", url("enrolment_stop", row.pk), url("enrolment_retry", broken.pk),
            url("enrolments_retry", made.pk)]  # fmt: skip
    for page in [*pages, *acts]:
        assert client.get(page).status_code in (403, 405), page
        assert client.post(page).status_code in (403, 405), page
    assert "Campaigns" not in read(client, "/contacts/")
    permit(user, "view_campaign")
    for page in pages:
        read(client, page)
    for act in acts:
        assert client.post(act).status_code == 403, act
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"running", "done", "failed"}
    page = read(client, url("campaign", made.pk))
    assert "Start by hand" not in page
    assert "Try all again" not in page


def test_the_list_shows_figures_and_is_searched(viewer: Client, now: datetime) -> None:
    assert "There are no campaigns yet." in read(viewer, "/campaigns/")
    made = filled(now - DAY, count=6)
    factories.CampaignFactory(name="Thanks", segment="promoter")
    off = campaign(name="Old")
    Campaign.objects.filter(pk=off.pk).update(is_active=False)
    page = read(viewer, "/campaigns/")
    assert "Active Sorry Everybody 2 2 2 0.0 % 0 of 6" in page
    for query, names in (
        ({"q": "sor"}, ["Sorry"]),
        ({"state": "draft"}, ["Thanks"]),
        ({"state": "off"}, ["Old"]),
        ({"state": "active"}, ["Sorry"]),
        ({"segment": "promoter"}, ["Thanks"]),
        ({"q": "zzz"}, []),
    ):
        rows = viewer.get("/campaigns/", query).context["rows"]
        assert [row.name for row, _states, _part in rows] == names, query
    assert "No campaign fits these filters." in read(viewer, "/campaigns/?q=zzz")
    assert url("campaign", made.pk) in viewer.get("/campaigns/").content.decode()


def test_lists_and_pages_cost_the_same_for_few_and_for_many(
    viewer: Client, queries_of: Callable[[str], int], now: datetime
) -> None:
    made = filled(now - DAY, count=3)
    row = Enrolment.objects.filter(campaign=made, state="done").get()
    pages = [url("campaigns"), url("campaign", made.pk), url("enrolments", made.pk), url("enrolment", row.pk)]
    few = [queries_of(page) for page in pages]
    filled(now - DAY, count=9)
    for number in range(3, 12):
        enrolled(made, answered(factories.ContactFactory(), now - DAY, 3), now - DAY)
        factories.CampaignFactory(name=str(number))
    assert [queries_of(page) for page in pages] == few
    # Session, user, rights (two); campaigns (two) and what is called by its name (five), rows, their steps, … ; the
    # figures' own queries are not seen here.
    assert max(few) <= 17, few


def test_a_campaign_shows_its_steps_with_what_came_of_them(viewer: Client, now: datetime) -> None:
    made = filled(now - DAY, count=9)
    other = answered(factories.ContactFactory(), now - DAY, 3)
    row = enrolled(made, other, now - DAY)
    ran(row, "sorry", "email", now, "skipped", reason="no_legal_basis")
    ran(row, "earlier", "tag", now)
    page = read(viewer, url("campaign", made.pk))
    for text in (
        "When somebody answers",
        "Goal: the contact answers again within 30 days",
        "Enrolled 10 Running 3 Finished 4 Reached the goal 0.0 % 0 of 10; 10 still have time",
        "1. E-mail",
        "came to it 10 done 9 skipped 1 reached the goal after it 0.0 % 0 of 9",
        "There is no legal basis",
        "came to it 9 done 3 waiting 3 failed 3",
        "Steps of earlier versions Tag earlier came to it 1 done 1",
        "A step failed",
        "KeyError: 'x'",
    ):
        assert text in page, (text, page)


def test_versions_are_looked_at_apart(viewer: Client, now: datetime) -> None:
    made = filled(now - DAY)
    factories.publish(made, [{"key": "call", "kind": "case"}])
    enrolled(made, answered(factories.ContactFactory(), now, 3), now)
    assert "Enrolled 4" in read(viewer, url("campaign", made.pk))
    second = read(viewer, url("campaign", made.pk) + "?version=2")
    assert "Enrolled 1" in second
    assert "Steps of version 2 1. Case" in second
    first = read(viewer, url("campaign", made.pk) + "?version=1")
    assert "Enrolled 3" in first
    assert "Steps of version 1 1. E-mail" in first
    assert "Enrolled 4" in read(viewer, url("campaign", made.pk) + "?version=99")


@pytest.mark.parametrize(
    ("again", "text"),
    [
        (
            (20, 4),
            "It likely helps. Followed up 50.0 % 20 of 40 Left out 10.0 % 4 of 40 Difference +40.0 percentage points",
        ),
        ((4, 20), "It likely harms: contacts that were left alone reached the goal more often."),
        ((10, 8), "The difference could be chance."),
    ],
)
def test_whether_it_helps_is_said_plainly(viewer: Client, now: datetime, again: tuple[int, int], text: str) -> None:
    made = campaign("answered", goal_days=10, holdout_percent=50)
    for arm, count in zip(("treated", "holdout"), again, strict=True):
        for number in range(40):
            contact = factories.ContactFactory()
            at = now - 20 * DAY
            enrolled(made, answered(contact, at), at, arm=arm)
            if number < count:
                answered(contact, at + DAY, 9)
    assert text in read(viewer, url("campaign", made.pk))


def test_too_few_are_too_few(viewer: Client, now: datetime) -> None:
    made = filled(now - 60 * DAY, holdout_percent=10)
    left = answered(factories.ContactFactory(), now - 60 * DAY, 3)
    enrolled(made, left, now - 60 * DAY, arm="holdout")
    page = read(viewer, url("campaign", made.pk))
    assert "Too few for a statement. 3 contacts were followed up and 1 left out" in page


def test_enrolments_are_found_by_contact_state_place_and_version(viewer: Client, now: datetime) -> None:
    made = filled(now - DAY, count=6)
    left = enrolled(
        made, answered(factories.ContactFactory(name="Zoe"), now, 3), now, arm="holdout", end_reason="holdout"
    )
    address = url("enrolments", made.pk)
    page = read(viewer, address)
    assert "A step failed" in page
    assert "Left out" in page
    assert "Kim 0 Slow 0 Running 2. wait until" in page
    for query, count in (
        ({"q": "zoe"}, 1),
        ({"q": "kim"}, 6),
        ({"state": "failed"}, 2),
        ({"arm": "holdout"}, 1),
        ({"step": "pause"}, 4),
        ({"step": "sorry"}, 0),
        ({"version": str(made.current_version_id)}, 7),
        ({"version": "999999"}, 7),  # makes no sense, asks for nothing
    ):
        assert len(viewer.get(address, query).context["page"].rows) == count, query
    assert "No enrolment fits these filters." in read(viewer, address + "?q=zzz")
    assert "Nobody has entered this campaign yet." in read(viewer, url("enrolments", campaign(name="New").pk))
    assert "Left out, for comparison: nothing is done." in read(viewer, url("enrolment", left.pk))


def test_an_enrolments_way_is_told_with_its_reasons(viewer: Client, now: datetime) -> None:
    made = campaign()
    row = enrolled(
        made, answered(factories.ContactFactory(name=SCRIPT), now - DAY, 3, comment=SCRIPT), now, state="running"
    )
    ran(row, "sorry", "email", now, "skipped", reason="suppressed")
    ran(row, "pause", "wait", now)
    ran(row, "call", "task", now, "pending", reason="", attempts=2, last_error="Timeout")
    raw = viewer.get(url("enrolment", row.pk)).content.decode()
    assert SCRIPT not in raw
    page = words(raw)
    for text in ("Enrolled: the response fits", "Failed 2 times, is tried again. Timeout", "Skipped"):
        assert text in page, (text, page)
    assert str(reason_in_words("suppressed")) in page


def test_stopping_and_trying_again(manager: Client, now: datetime) -> None:
    filled(now - DAY, count=6)
    running = Enrolment.objects.filter(state="running").first()
    assert running is not None
    manager.post(url("enrolment_stop", running.pk))
    running.refresh_from_db()
    assert (running.state, running.end_reason) == ("stopped", "by_hand")
    assert "Somebody stopped it." in read(manager, url("enrolment", running.pk))
    assert not running.runs.filter(status="pending").exists()
    first, second = Enrolment.objects.filter(state="failed").order_by("pk")
    assert "KeyError: 'x'" in read(manager, url("enrolment", first.pk))
    manager.post(url("enrolment_retry", first.pk))
    assert StepRun.objects.filter(enrolment=first, status="pending").exists()
    manager.post(url("enrolments_retry", first.campaign_id))
    second.refresh_from_db()
    assert second.state == "running"
    # Once more changes nothing.
    for name in ("enrolment_stop", "enrolment_retry"):
        assert manager.post(url(name, running.pk), follow=True).status_code == 200


def by_hand() -> Campaign:
    made = factories.CampaignFactory(name="You said, we did", entry="by_hand", segment="")
    return factories.publish(made, [{"key": "did", "kind": "email", **factories.MAIL}])


def test_a_campaign_is_started_for_what_was_looked_at(manager: Client, now: datetime) -> None:
    made = by_hand()
    for comment in ("Too slow", "so SLOW", "Great"):
        answered(factories.ContactFactory(name=comment), now - DAY, 3, comment=comment)
    address = url("launch_new", made.pk) + "?words=slow,late"
    page = read(manager, address)
    assert "Start for 2 responses" in page
    assert "Too slow" in page
    assert "Great" not in page
    # Somebody answered in between: look again.
    answered(factories.ContactFactory(), now - DAY, 3, comment="slow")
    answer = manager.post(address, {"count": "2"})
    assert answer.status_code == 422
    assert "Meanwhile there are others." in words(answer.content.decode())
    assert "Start for 3 responses" in words(answer.content.decode())
    assert 'value="slow,late"' in answer.content.decode()
    answer = manager.post(address, {"count": "3"})
    launch = Launch.objects.get()
    assert answer.headers["Location"] == url("launch", launch.pk)
    assert "0 of 3 responses looked at" in read(manager, url("launch", launch.pk))
    assert "0 of 3 responses looked at" in read(manager, url("launch_progress", launch.pk))
    assert "The campaign is being started already." in read(manager, address)
    while launches.run_next(now=timezone.now()):
        pass
    assert manager.get(url("launch_progress", launch.pk)).status_code == 204
    assert "3 of 3 responses looked at, 3 enrolled" in read(manager, url("launch", launch.pk))
    assert len(manager.get(url("enrolments", made.pk), {"launch": launch.pk}).context["page"].rows) == 3
    assert "No response fits. Ask for less." in read(manager, address)


@pytest.mark.parametrize(
    "query", ["words=" + "x" * 401, "touchpoint=gone", "days=x", "choice=why:gone", "tags=" + "y" * 401]
)
def test_a_filter_that_means_nothing_starts_nothing_for_everybody(manager: Client, now: datetime, query: str) -> None:
    made = by_hand()
    answered(factories.ContactFactory(), now - DAY, 3, comment="Great")
    address = f"{url('launch_new', made.pk)}?{query}"
    page = read(manager, address)
    assert "One of the filters means nothing any more. Choose again." in page
    assert "Start for" not in page
    assert manager.post(address, {"count": "1"}).status_code == 422
    assert manager.post(f"{url('campaign_trials', made.pk)}?{query}", {"days": "365"}).status_code == 422
    assert not Launch.objects.exists()
    assert not CampaignTrial.objects.exists()


def test_a_launch_is_cancelled_and_goes_on(manager: Client, now: datetime) -> None:
    answered(factories.ContactFactory(), now - DAY, 3)
    made = by_hand()
    manager.post(url("launch_new", made.pk), {"count": "1"})
    launch = Launch.objects.get()
    assert "Cancelled." in words(manager.post(url("launch_cancel", launch.pk), follow=True).content.decode())
    assert "It was over already." in words(manager.post(url("launch_cancel", launch.pk), follow=True).content.decode())
    manager.post(url("launch_resume", launch.pk))
    launch.refresh_from_db()
    assert launch.status == "running"
    Launch.objects.update(status="failed", error="KeyError: 'x'")
    assert "KeyError: 'x'" in read(manager, url("launch", launch.pk))


def test_a_campaign_that_cannot_be_started_says_what_to_do(manager: Client, now: datetime) -> None:
    answered(factories.ContactFactory(), now - DAY, 3)
    draft = factories.CampaignFactory(name="Draft", segment="")
    address = url("launch_new", draft.pk)
    assert "Publish it in the configuration first." in read(manager, address)
    answer = manager.post(address, {"count": "1"})
    assert (answer.status_code, Launch.objects.count()) == (422, 0)


def test_a_trial_from_the_form_to_its_result(viewer: Client, now: datetime) -> None:
    made = campaign("answered", name="Sorry", stop_on_response=False)
    address = url("campaign_trials", made.pk)
    assert "Nothing has been tried yet." in read(viewer, address)
    for number in range(3):
        contact = factories.ContactFactory(name=f"Kim {number}")
        row = answered(contact, now - 5 * DAY, number)
        if number:
            LegalBasis.objects.create(contact=contact, kind="consent", source="x", granted_at=row.answered_at - DAY)
    assert viewer.post(address, {"days": "1"}).status_code == 422
    answer = viewer.post(address, {"days": "30", "version": str(made.current_version_id)})
    run = CampaignTrial.objects.get()
    assert answer.headers["Location"] == url("campaign_trial", run.pk)
    assert "Waits for a worker." in read(viewer, url("campaign_trial", run.pk))
    assert "Waits for a worker." in read(viewer, url("campaign_trial_progress", run.pk))
    trials.run_next(now=timezone.now(), clock=timezone.now)
    assert viewer.get(url("campaign_trial_progress", run.pk)).status_code == 204
    page = read(viewer, url("campaign_trial", run.pk))
    for text in (
        "Responses looked at 3 Would have entered 3 Mails that would have gone out 2 Mails refused 1",
        "1. E-mail",
        "came to it 3 done 2 skipped 1",
        "3. Task in the CRM",
        "No webhook wants to be told about it.",
        "Kim 0",
        "The contact budget is estimated",
    ):
        assert text in page, (text, page)
    assert "Done Version 1 30 days back 3" in read(viewer, address)
    assert viewer.post(url("campaign_trial_again", run.pk)).status_code == 302
    assert CampaignTrial.objects.count() == 2


def test_a_draft_that_is_not_right_is_not_tried(viewer: Client) -> None:
    made = factories.CampaignFactory(draft={"steps": [{"key": "x", "kind": "nothing"}]})
    answer = viewer.post(url("campaign_trials", made.pk), {"days": "30"})
    assert answer.status_code == 422
    assert "The draft is not right yet." in words(answer.content.decode())
    assert not CampaignTrial.objects.exists()
    CampaignTrial.objects.create(
        campaign=made, document={"steps": []}, status="failed", error="KeyError: 'x'", created_at=timezone.now()
    )
    assert "KeyError: 'x'" in read(viewer, url("campaign_trial", CampaignTrial.objects.get().pk))


def test_a_campaign_by_hand_is_tried_for_the_responses_that_were_chosen(manager: Client, now: datetime) -> None:
    made = by_hand()
    for comment in ("Too slow", "Great"):
        answered(factories.ContactFactory(), now - DAY, 3, comment=comment)
    assert "Try it first" in read(manager, url("launch_new", made.pk) + "?words=slow")
    manager.post(url("campaign_trials", made.pk) + "?words=slow", {"days": "365"})
    run = CampaignTrial.objects.get()
    assert run.criteria == {"words": ["slow"]}
    trials.run_next(now=timezone.now(), clock=timezone.now)
    assert "Would have entered 1" in read(manager, url("campaign_trial", run.pk))
    assert "as if it were started by hand now" in read(manager, url("campaign_trial", run.pk))


def test_nothing_of_another_tenant_is_seen_or_started(
    manager: Client, tenant: Any, other_tenant: Any, now: datetime
) -> None:
    with tenant_context(other_tenant):
        theirs = filled(now - DAY)
        row = Enrolment.objects.filter(state="running").get()
    for name, pk in (
        ("campaign", theirs.pk),
        ("enrolments", theirs.pk),
        ("launch_new", theirs.pk),
        ("enrolment", row.pk),
    ):
        assert manager.get(url(name, pk)).status_code == 404, name
    assert manager.post(url("enrolment_stop", row.pk)).status_code == 404
    assert manager.post(url("enrolments_retry", theirs.pk)).status_code == 404
    assert "Sorry" not in read(manager, url("campaigns"))
    with tenant_context(other_tenant):
        assert set(Enrolment.objects.values_list("state", flat=True)) == {"running", "done", "failed"}
