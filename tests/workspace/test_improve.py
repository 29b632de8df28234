"""The pages about improvement actions, targets and annotations: what they say, who may do what, and what they cost."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.utils import timezone

from apps.accounts.models import User
from apps.insights import targets
from apps.insights.actions import today_of
from apps.insights.models import Action, Annotation, Target
from apps.responses.models import ScoreChange
from apps.touchpoints.models import Touchpoint
from apps.workspace import lists_improve
from tests import factories

LISTS = ("/actions/", "/targets/", "/annotations/")
VERBS = ("add", "change", "delete")


@pytest.fixture
def today() -> date:
    return datetime.now(UTC).date()


@pytest.fixture
def manager(client: Client, user: User) -> Client:
    """Who may do everything here."""
    allow(user, *(f"{verb}_{what}" for verb in VERBS for what in ("action", "target", "annotation")))
    return client


def allow(user: User, *names: str) -> None:
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="insights", codename__in=names))


def text_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, (answer.status_code, answer.content.decode()[-800:])
    return " ".join(str(answer.content.decode()).split())


def scores(touchpoint: Touchpoint | None, first: date, last: date, *given: int) -> None:
    survey = factories.SurveyFactory()
    ScoreChange.objects.bulk_create(
        ScoreChange(
            day=first + timedelta(days=n), survey=survey, touchpoint=touchpoint, score=score, weight=1,
        )
        for n in range((last - first).days + 1)
        for score in given
    )  # fmt: skip


def action(touchpoint: Touchpoint, **fields: Any) -> Action:
    now = timezone.now()
    return Action.objects.create(
        touchpoint=touchpoint, created_at=now, updated_at=now, **{"title": "Live chat", **fields}
    )


def annotation(day: date, **fields: Any) -> Annotation:
    return Annotation.objects.create(day=day, created_at=timezone.now(), **{"text": "New checkout", **fields})


def target(touchpoint: Touchpoint | None, goal: int = 40, **fields: Any) -> Target:
    return Target.objects.create(touchpoint=touchpoint, goal=goal, created_at=timezone.now(), **fields)


def test_who_is_signed_in_may_look_and_each_right_opens_its_own(
    client: Client, user: User, setup: SimpleNamespace, today: date
) -> None:
    rows = {
        "action": action(setup.touchpoint), "annotation": annotation(today),
        "target": target(setup.touchpoint),
    }  # fmt: skip
    for what, row in rows.items():
        own = f"/{what}s/{row.pk}/"
        assert "New" not in text_of(client.get(f"/{what}s/")).partition("<h1>")[2].partition("<form")[0]
        assert "Delete" not in text_of(client.get(own))
        doing = {("GET", f"/{what}s/new/"): "add", ("GET", f"{own}edit/"): "change"}
        if what != "annotation":
            doing["POST", f"{own}{'move' if what == 'action' else 'drop'}/"] = "change"
        doing["POST", f"{own}delete/"] = "delete"
        for (method, url), verb in doing.items():
            allow(user, *(f"{other}_{what}" for other in VERBS if other != verb))
            assert client.generic(method, url).status_code == 403, url
            allow(user, f"{verb}_{what}")
            assert client.generic(method, url).status_code in (200, 302, 422), url
    assert not Action.objects.exists()


def test_a_role_can_be_given_each_of_these_rights(client: Client, user: User) -> None:
    user.is_staff = user.is_superuser = True
    user.save()
    page = text_of(client.get("/admin/auth/group/add/"))
    for what in ("Improvement actions", "Targets", "Annotations"):
        assert [f"{what}: {verb}" in page for verb in ("view", *VERBS)] == [False, True, True, True], what


def test_one_entry_leads_to_all_three(manager: Client) -> None:
    for url in LISTS:
        page = text_of(manager.get(url))
        assert 'href="/actions/" aria-current="page"' in page.partition("</nav>")[0], url
        assert "There are no" in page
        assert f'href="{url}new/"' in page


@pytest.mark.parametrize(("url", "number"), [("/actions/", 10), ("/targets/", 7), ("/annotations/", 9)])
def test_a_list_costs_the_same_for_one_row_and_for_twenty(
    queries_of: Callable[[str], int], setup: SimpleNamespace, today: date, url: str, number: int
) -> None:
    # Session, user; touchpoints (and people), count, rows; days, what is hidden, (other annotations, other actions).
    # Rights are remembered.
    def one(place: Touchpoint, ago: int) -> None:
        day = today - timedelta(days=ago)
        action(place, status="done", done_on=day, owner=User.objects.create(username=place.key))
        annotation(day, touchpoint=place)
        target(place)

    one(setup.touchpoint, 20)
    assert queries_of(url) == number
    for ago in range(1, 20):
        one(factories.TouchpointFactory(key=f"p{ago}"), ago)
    assert queries_of(url) == number


def test_a_list_goes_on_over_pages_and_is_narrowed(manager: Client, setup: SimpleNamespace, today: date) -> None:
    other = factories.TouchpointFactory(key="help", name={"en": "Help page"})
    for number in range(30):
        annotation(today - timedelta(days=number // 3), text=f"Note {number:02}")
    first = manager.get("/annotations/")
    cursor = first.context["page"].next_cursor
    seen = [
        row.pk
        for page in (first, manager.get("/annotations/", {"cursor": cursor}))
        for row in page.context["page"].rows
    ]
    assert len(seen) == len(set(seen)) == 30
    for wrong in ("x", "2026-01-01", "2026-13-01~1", f"{today}~", "~"):
        assert manager.get("/annotations/", {"cursor": wrong}).context["page"].is_first
    action(setup.touchpoint, title="Mine", owner=User.objects.get(username="cx"))
    ada = User.objects.create(username="ada")
    action(other, title="Late", status="running", due_on=today - timedelta(days=1), owner=ada)
    action(setup.touchpoint, title="Gone", status="dropped")
    for query, found in {
        "q=mine": {"Mine"}, "owner=me": {"Mine"}, f"owner={ada.pk}": {"Late"},
        "status=overdue": {"Late"}, "status=open": {"Mine", "Late"},
        "status=dropped": {"Gone"}, "touchpoint=help": {"Late"}, "q=nothing": set(),
    }.items():  # fmt: skip
        assert {row.title for row in manager.get(f"/actions/?{query}").context["page"].rows} == found, query
    target(None, 30, due_on=today - timedelta(days=1))
    target(other, 50)
    for query, goals in {"touchpoint=-": {30}, "q=help": {50}, "status=overdue": {30}, "status=met": set()}.items():
        assert {row.goal for row in manager.get(f"/targets/?{query}").context["page"].rows} == goals, query
    assert "Show all" in text_of(manager.get("/targets/?status=met"))


class TestActions:
    def test_from_the_idea_to_the_verdict(
        self, manager: Client, setup: SimpleNamespace, user: User, today: date
    ) -> None:
        page = text_of(manager.get("/actions/new/?touchpoint=order_received"))
        assert f'value="{setup.touchpoint.pk}" selected' in page
        posted = {"title": "Live chat", "touchpoint": setup.touchpoint.pk, "owner": user.pk, "window": 30}
        answer = manager.post("/actions/new/", posted)
        row = Action.objects.get()
        assert answer.headers["Location"] == f"/actions/{row.pk}/"
        assert (row.status, row.owner, row.created_by) == ("planned", user, user)
        manager.post(f"/actions/{row.pk}/move/", {"to": "running"})
        row.refresh_from_db()
        assert (row.status, row.starts_on, row.done_on) == ("running", today_of(timezone.now()), None)
        tomorrow = today + timedelta(days=1)
        page = text_of(manager.post(f"/actions/{row.pk}/move/", {"to": "done", "on": tomorrow, "learned": "Kept"}), 422)
        assert "This day is to come" in page
        assert "Kept" in page
        since = today - timedelta(days=31)
        manager.post(f"/actions/{row.pk}/move/", {"to": "done", "on": since, "learned": "They chat."})
        scores(setup.touchpoint, since - timedelta(days=30), since - timedelta(days=1), 5, 8)
        scores(setup.touchpoint, since + timedelta(days=1), today, 10, 8)
        for url in ("/actions/", f"/actions/{row.pk}/"):
            page = text_of(manager.get(url))
            assert "up 100, likely real" in page, url
        assert "What was unusually bad" in page
        assert "They chat." in page
        assert "60 answers" in page

    def test_what_is_no_more_in_effect_has_no_day(self, manager: Client, setup: SimpleNamespace, today: date) -> None:
        began = today - timedelta(days=9)
        row = action(setup.touchpoint, status="done", done_on=today, starts_on=began)
        manager.post(f"/actions/{row.pk}/move/", {"to": "done", "on": today - timedelta(days=2)})
        row.refresh_from_db()
        assert row.done_on == today - timedelta(days=2)
        # The form sends the day that stands in it, which is not the one on which it began.
        manager.post(f"/actions/{row.pk}/move/", {"to": "running", "on": row.done_on})
        row.refresh_from_db()
        assert (row.status, row.done_on, row.starts_on) == ("running", None, began)
        dropped = action(setup.touchpoint, status="dropped")
        assert "Somebody moved it meanwhile" in text_of(
            manager.post(f"/actions/{dropped.pk}/move/", {"to": "done"}, follow=True)
        )

    def test_what_was_typed_stays_and_what_is_wrong_is_said(self, manager: Client, setup: SimpleNamespace) -> None:
        place = setup.touchpoint.pk
        posted = {
            "title": "<b>Chat</b>", "touchpoint": place, "window": "3", "control_touchpoint": place,
            "starts_on": "2026-03-02", "due_on": "2026-03-01", "hypothesis": "Too slow",
        }  # fmt: skip
        page = text_of(manager.post("/actions/new/", posted), 422)
        for part in ("&lt;b&gt;Chat&lt;/b&gt;", "Too slow", 'value="3"', "This is before it begins"):
            assert part in page, part
        assert "Choose another touchpoint" in text_of(
            manager.post("/actions/new/", {**posted, "window": 7, "due_on": ""}), 422
        )
        for wrong in ({"touchpoint": 10**30}, {"owner": "x"}, {"control_segment": "none"}, {"due_on": "9999-12-31"}):
            text_of(
                manager.post("/actions/new/", {**posted, "window": 7, "due_on": "", "control_touchpoint": "", **wrong}),
                422,
            )
        assert not Action.objects.exists()


class TestTargets:
    def test_set_change_meet_and_go_on(self, manager: Client, setup: SimpleNamespace, today: date) -> None:
        place = setup.touchpoint
        posted = {"touchpoint": place.pk, "goal": 40, "days": 90}
        assert "Target set." in text_of(manager.post("/targets/new/", posted, follow=True))
        row = Target.objects.get()
        assert "There is an open target already" in text_of(manager.post("/targets/new/", posted), 422)
        scores(place, today - timedelta(days=9), today, 10, 10, 10, 8, 5)
        page = text_of(manager.get(f"/targets/{row.pk}/"))
        assert "Reached, not sure yet" in page
        assert "its interval begins at +" in page
        page = text_of(manager.post(f"/targets/{row.pk}/edit/", {"goal": 0, "days": 90}), 422)
        assert "Aim higher" in page
        manager.post(f"/targets/{row.pk}/edit/", {"goal": 30, "days": 90})
        row.refresh_from_db()
        assert row.goal == 30
        scores(place, today - timedelta(days=9), today, *[10, 10, 10, 8, 5] * 40)
        assert "Met. The next target could be +45." in text_of(manager.get(f"/targets/{row.pk}/"))
        targets.check(now=timezone.now() + timedelta(days=1))
        row.refresh_from_db()
        assert row.status == "met"
        page = text_of(manager.get(f"/targets/new/?follows={row.pk}"))
        assert f'name="goal" value="{row.proposed}"' in page
        manager.post(f"/targets/new/?follows={row.pk}", {"goal": row.proposed, "days": 90})
        coming = Target.objects.get(follows=row)
        assert coming.touchpoint == place
        page = text_of(manager.get(f"/targets/{coming.pk}/"))
        assert "All targets here" in page
        assert "The next target" not in text_of(manager.get(f"/targets/{row.pk}/"))
        manager.post(f"/targets/{coming.pk}/drop/")
        assert "Dropped on" in text_of(manager.get("/targets/"))
        answer = manager.get(f"/targets/{coming.pk}/edit/")
        assert answer.headers["Location"] == f"/targets/{coming.pk}/"

    def test_the_next_one_can_be_done_without(self, manager: Client, setup: SimpleNamespace, today: date) -> None:
        row = target(setup.touchpoint, status="met", ended_on=today, end_score=50.0, end_n=100, proposed=55)
        assert "The next target could be +55" in text_of(manager.get(f"/targets/{row.pk}/"))
        manager.post(f"/targets/{row.pk}/drop/")
        assert "The next target could be" not in text_of(manager.get(f"/targets/{row.pk}/"))
        row.refresh_from_db()
        assert row.status == "met"

    @pytest.mark.parametrize("follows", ["x", "-1", "9" * 30, "999999"])
    def test_what_follows_nothing_is_a_target_like_any(self, manager: Client, follows: str) -> None:
        assert "New target" in text_of(manager.get("/targets/new/", {"follows": follows}))


def test_an_annotation_is_noted_changed_and_deleted(manager: Client, setup: SimpleNamespace, today: date) -> None:
    day = today - timedelta(days=3)
    manager.post("/annotations/new/", {"text": "New checkout", "day": day, "window": 30})
    row = Annotation.objects.get()
    assert (row.touchpoint, row.day) == (None, day)
    for url in ("/annotations/", f"/annotations/{row.pk}/"):
        assert "first figure in 5 days" in text_of(manager.get(url)), url
    posted = {"text": "Checkout", "day": day, "window": 30, "touchpoint": setup.touchpoint.pk}
    manager.post(f"/annotations/{row.pk}/edit/", posted)
    row.refresh_from_db()
    assert (row.text, row.touchpoint) == ("Checkout", setup.touchpoint)
    text_of(manager.post(f"/annotations/{row.pk}/edit/", {**posted, "day": "0001-01-01"}), 422)
    manager.post(f"/annotations/{row.pk}/delete/")
    assert not Annotation.objects.exists()


def test_all_of_it_is_there_in_german(manager: Client, setup: SimpleNamespace, today: date, user: User) -> None:
    user.language = "de"
    user.save()
    rows = [action(setup.touchpoint), target(setup.touchpoint), annotation(today - timedelta(days=20))]
    for url in [*LISTS, *(f"{url}{row.pk}/" for url, row in zip(LISTS, rows, strict=True)), "/actions/new/"]:
        assert '<html lang="de">' in text_of(manager.get(url)), url


def test_other_pages_show_the_actions_and_the_target_of_a_touchpoint(
    manager: Client, setup: SimpleNamespace, today: date, user: User
) -> None:
    now, request = timezone.now(), RequestFactory().get("/")
    request.user = user
    place = setup.touchpoint
    empty = render_to_string("workspace/_actions.html", {"touchpoint": place, "rows": []}, request)
    assert "/actions/new/?touchpoint=order_received" in empty
    assert "/targets/new/?touchpoint=" in render_to_string("workspace/_target.html", {"touchpoint": place}, request)
    action(place, status="done", done_on=today - timedelta(days=10))
    target(place, 40)
    scores(place, today - timedelta(days=40), today, 9, 5)
    shown = {
        "touchpoint": place,
        "rows": lists_improve.actions_at(place.pk, now=now),
        "state": lists_improve.target_at(place.pk, now=now),
    }
    assert "no difference seen, but up to ± " in render_to_string("workspace/_actions.html", shown, request)
    assert "40 points to go" in " ".join(render_to_string("workspace/_target.html", shown, request).split())
