"""Annotations, targets and improvement actions by the API: told with what came of them, and written once."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.insights.models import Action, Annotation, Target
from apps.integrations.models import Scope
from apps.integrations.services import create_api_key
from apps.responses.models import ScoreChange
from apps.touchpoints.models import Touchpoint
from apps.triggers.models import Segment
from tests import factories
from tests.api.calling import call, fields_of
from tests.api.sending import problem


@pytest.fixture
def key(tenant: Any) -> str:
    return create_api_key(name="everything")[1]


@pytest.fixture
def cart(tenant: Any) -> Touchpoint:
    row: Touchpoint = factories.TouchpointFactory(key="cart")
    return row


def ago(days: int) -> date:
    return datetime.now(UTC).date() - timedelta(days=days)


def scores(touchpoint: Touchpoint, first: int, last: int, *given: int) -> None:
    """On each day from so many days ago to so many."""
    survey = factories.SurveyFactory()
    ScoreChange.objects.bulk_create(
        ScoreChange(day=ago(days), survey=survey, touchpoint=touchpoint, score=score, weight=1)
        for days in range(last, first + 1)
        for score in given
    )


def test_a_deployment_is_marked_once_however_often_it_is_told(key: str, cart: Touchpoint) -> None:
    told = {"text": "New checkout live", "touchpoint": "cart", "day": ago(31).isoformat(), "external_id": "deploy-1"}
    scores(cart, 61, 32, 5, 8)
    scores(cart, 30, 1, 10, 8)
    first = call(key, "POST", "/annotations", told)
    assert first.status_code == 201
    again = call(key, "POST", "/annotations", {**told, "text": "Something else"})
    assert (again.status_code, again.json()) == (200, first.json())
    assert Annotation.objects.get().text == "New checkout live"
    effect = first.json()["effect"]
    assert effect["verdict"] == "up"
    assert effect["before"] == {
        "n": 60,
        "nps": -50.0,
        "low": pytest.approx(-61, abs=2),
        "high": pytest.approx(-35, abs=2),
    }
    assert (effect["delta"], effect["own_delta"], effect["days_after"], effect["days_left"]) == (100, 100, 30, 0)
    assert (effect["control_before"], effect["also"], effect["may_be_regression"]) == (None, [], True)
    pk = first.json()["id"]
    assert fields_of(call(key, "PATCH", f"/annotations/{pk}", {"external_id": "other"})) == ["external_id"]
    against = call(key, "PATCH", f"/annotations/{pk}", {"window": 20}).json()
    assert (against["effect"]["days_after"], against["effect"]["before"]["n"]) == (20, 40)
    assert call(key, "GET", "/annotations?touchpoint=cart&external_id=deploy-1").json()["results"] == [against]
    assert call(key, "GET", "/annotations?touchpoint=other").json()["results"] == []
    assert call(key, "DELETE", f"/annotations/{pk}").status_code == 204
    assert call(key, "GET", f"/annotations/{pk}").status_code == 404


def test_a_day_is_today_unless_one_is_given_and_what_cannot_be_is_named(key: str, cart: Touchpoint) -> None:
    Segment.objects.create(key="b2b", name="B2B", condition={})
    answer = call(key, "POST", "/annotations", {"text": "Now", "control_segment": "b2b"})
    assert answer.json()["day"] == ago(0).isoformat()
    assert answer.json()["effect"]["verdict"] == "measuring"
    for wrong, field in (
        ({"day": "1999-12-31"}, "day"), ({"day": "yesterday"}, "day"), ({"window": 6}, "window"),
        ({"text": ""}, "text"),
        ({"touchpoint": "none"}, "touchpoint"), ({"control_segment": "none"}, "control_segment"),
        ({"touchpoint": "cart", "control_touchpoint": "cart"}, "control_touchpoint"),
        ({"control_segment": "b2b", "control_touchpoint": "cart"}, "control_segment"),
    ):  # fmt: skip
        assert fields_of(call(key, "POST", "/annotations", {"text": "x", **wrong})) == [field], wrong


def test_an_action_goes_its_way_and_no_other(key: str, cart: Touchpoint) -> None:
    User.objects.create(username="ada")
    made = call(key, "POST", "/actions", {"title": "Live chat", "touchpoint": "cart", "owner": "ada"}).json()
    assert (made["status"], made["owner"], made["effect"], made["created_by"]) == ("planned", "ada", None, None)
    url = f"/actions/{made['id']}"
    assert fields_of(call(key, "PATCH", url, {"done_on": ago(3).isoformat()})) == ["done_on"]
    assert fields_of(call(key, "PATCH", url, {"status": "done", "done_on": ago(-1).isoformat()})) == ["done_on"]
    assert fields_of(call(key, "PATCH", url, {"owner": "nobody"})) == ["owner"]
    done = call(key, "PATCH", url, {"status": "done", "done_on": ago(3).isoformat(), "learned": "They chat."}).json()
    assert (done["done_on"], done["learned"], done["effect"]["verdict"]) == (
        ago(3).isoformat(),
        "They chat.",
        "measuring",
    )
    problem(call(key, "PATCH", url, {"status": "dropped", "title": "Gone"}), 409)
    assert Action.objects.get().title == "Live chat"
    assert call(key, "PATCH", url, {"status": "running"}).json()["done_on"] is None
    past = {"title": "FAQ", "touchpoint": "cart", "status": "done", "done_on": ago(40).isoformat(), "owner": None}
    assert call(key, "POST", "/actions", past).json()["done_on"] == ago(40).isoformat()
    assert Action.objects.count() == 2
    call(key, "PATCH", url, {"due_on": ago(1).isoformat()})
    for query, titles in {"overdue=true": ["Live chat"], "overdue=false": ["FAQ"], "owner=ada": ["Live chat"]}.items():
        assert [row["title"] for row in call(key, "GET", f"/actions?{query}").json()["results"]] == titles, query


def test_a_target_is_set_met_and_followed(key: str, cart: Touchpoint) -> None:
    made = call(key, "POST", "/targets", {"goal": 40, "touchpoint": "cart"}).json()
    assert (made["standing"], made["now"]["n"], made["next_goal"], made["days"]) == ("too_few", 0, None, 90)
    problem(call(key, "POST", "/targets", {"goal": 50, "touchpoint": "cart"}), 409)
    scores(cart, 30, 1, *[10, 10, 10, 10, 8, 5] * 4)
    told = call(key, "GET", f"/targets/{made['id']}").json()
    assert (told["standing"], told["now"]["nps"], told["next_goal"]) == ("met", 50.0, 55)
    assert fields_of(call(key, "PATCH", f"/targets/{made['id']}", {"goal": 30})) == ["goal"]
    following = {"goal": 60, "touchpoint": "cart", "follows": made["id"]}
    coming = call(key, "POST", "/targets", following)
    assert (coming.status_code, coming.json()["follows"], coming.json()["start_score"]) == (201, made["id"], 50)
    assert Target.objects.get(pk=made["id"]).status == "met"
    problem(call(key, "POST", "/targets", following), 409)
    dropped = call(key, "PATCH", f"/targets/{coming.json()['id']}", {"status": "dropped", "goal": 65}).json()
    assert (dropped["status"], dropped["goal"], dropped["end_score"], dropped["now"]) == ("dropped", 65, 50, None)
    problem(call(key, "PATCH", f"/targets/{dropped['id']}", {"goal": 70}), 409)


def test_who_may_only_write_is_told_ids(cart: Touchpoint) -> None:
    key = create_api_key(name="pipeline", scopes=[Scope.INSIGHTS_WRITE])[1]
    bodies: dict[str, dict[str, Any]] = {
        "annotations": {"text": "Live"}, "actions": {"title": "Chat", "touchpoint": "cart"}, "targets": {"goal": 40},
    }  # fmt: skip
    for name, body in bodies.items():
        made = call(key, "POST", f"/{name}", body)
        assert (made.status_code, list(made.json())) == (201, ["id"]), name
        assert call(key, "GET", f"/{name}").status_code == 403
