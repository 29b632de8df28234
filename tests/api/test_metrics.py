"""Metrics and the map in the API: what is refused, what they cost, whose they are, and what was answered besides."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from apps.cases.models import Case
from apps.insights.models import Action, Influence, Target
from apps.integrations.models import Scope
from apps.integrations.services import create_api_key
from apps.responses.models import Answer, Response, ScoreChange
from apps.surveys.models import Invitation, Question, Survey
from apps.touchpoints.models import Event, Stage, Touchpoint
from apps.triggers.models import Cadence, Segment
from tests.api.calling import call, fields_of

NOW = datetime.now(UTC)
NPS, TREND, MADE = "/metrics/nps", "/metrics/nps/trend", "/metrics/nps/distribution"
OF_DAYS = (TREND, MADE, "/metrics/funnel", "/metrics/questions", "/journey")
PATHS = (NPS, *OF_DAYS)


def place(key: str, stage: Stage, scores: list[int], survey: Survey) -> Touchpoint:
    """A touchpoint with answers of five days ago."""
    touchpoint = Touchpoint.objects.create(key=key, name={"en": key, "de": f"{key} (de)"}, stage=stage)
    at = NOW - timedelta(days=5)
    for score in scores:
        Response.objects.create(survey=survey, touchpoint=touchpoint, score=score, answered_at=at, updated_at=at)
        ScoreChange.objects.create(day=at.date(), survey=survey, touchpoint=touchpoint, score=score, weight=1)
    return touchpoint


def small_world(name: str = "") -> tuple[Stage, Survey]:
    stage = Stage.objects.create(key=f"use{name}", name={"en": "Use"})
    survey = Survey.objects.create(key=f"order{name}", name={"en": "Order"})
    Segment.objects.create(key=f"all{name}", name="All", condition={})
    return stage, survey


@pytest.fixture
def bi(tenant: Any) -> str:
    return create_api_key(name="bi", scopes=[Scope.READ])[1]


# What is wrong with it → the fields that the answer names.
EVERYWHERE = {
    "survey=none": "survey", "touchpoint=none": "touchpoint", "stage=none": "stage", "segment=none": "segment",
    "segment=broken": "segment", "company=999": "company", "company=x": "company", f"company={2**63}": "company",
    "channel=pigeon": "channel", "language=Deutsch1": "language", "language=%25": "language",
    "property=store": "property", "property=:": "property",
    "property=:x": "property", "property=store:": "property", f"property={'x' * 101}:1": "property",
    "incentivised=yes": "incentivised", "nonsense=1": "nonsense", "since=x": "since", "until=2026-13-01": "until",
    "since=2026-02-02&until=2026-02-01": "since", "since=": "since", "survey=a&survey=b": "survey",
}  # fmt: skip
BESIDE = {
    NPS: {
        "by=month": "by", "by=property:": "by", f"by=property:{'x' * 101}": "by", "compare=before": "compare",
        "compare=year": "since until", "compare=year&since=2026-01-01": "until",
        "compare=year&since=2026-01-01&until=2026-01-31&by=day": "by", "grain=day": "grain",
        "compare=previous&since=0001-01-01&until=2026-01-31": "since",
        "compare=year&since=0001-01-01&until=0001-01-31": "since",
        "since=2026-02-02T00:00:00Z&until=2026-02-02T00:00:00Z": "since",
    },
    TREND: {
        "grain=hour": "grain", "rolling=0": "rolling", "rolling=367": "rolling", "rolling=x": "rolling",
        "grain=day&since=2020-01-01&until=2026-01-01": "grain", "by=survey": "by", "compare=year": "compare",
    },
}  # fmt: skip


def test_what_makes_no_sense_is_named_with_what_to_do(bi: str) -> None:
    Segment.objects.create(key="broken", name="Broken", condition={"field": "segment"})
    for path in PATHS:
        days = {} if path == NPS else {"since=1999-12-31": "since", "until=2100-01-01": "until",
                                       "since=2026-01-01T00:00:00Z": "since", "since=2099-01-01": "since"}  # fmt: skip
        for query, fields in {**EVERYWHERE, **BESIDE.get(path, {}), **days}.items():
            answer = call(bi, "GET", f"{path}?{query}")
            assert sorted(set(fields_of(answer))) == fields.split(), (path, query, answer.content)
            assert all(len(error["message"]) > 8 for error in answer.json()["errors"]), (path, query)
        told = call(bi, "GET", f"{path}?stage=none").json()["errors"][0]["message"]
        assert told == "There is no stage with this key. GET /api/v1/stages lists them."
        assert call(bi, "GET", "/stages").status_code == 200
    # Strange, but with an answer: names that are numbers, quotes, wild cards; all times.
    for query in ("by=property:9999999999999999999", "by=property:%27%22%25", "property=0:1", "property=a.b:c%25",
                  "since=0001-01-01&until=9999-12-30", "by=language&compare=year&since=2024-02-29&until=2024-03-01",
                  "since=2026-01-01T00:00:00%2B02:00"):  # fmt: skip
        assert call(bi, "GET", f"{NPS}?{query}").status_code == 200, query
    assert call(bi, "GET", f"{NPS}?until=9999-12-31T23:59:59-14:00").status_code == 422


def test_they_take_as_many_queries_for_many_touchpoints_as_for_one(bi: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.integrations.services.CACHE_SECONDS", 600)
    stage, survey = small_world()
    days = f"since={NOW - timedelta(days=30):%Y-%m-%d}&until={NOW:%Y-%m-%d}"
    asked = {
        f"{NPS}?{days}&compare=year&by=touchpoint": 6, f"{NPS}?{days}&compare=year&by=property:store": 5,
        f"{NPS}?by=stage&survey=order&stage=use&segment=all": 13, f"{TREND}?grain=day&rolling=30": 4, MADE: 4,
        "/metrics/funnel": 4, "/metrics/questions": 6, f"/journey?until={NOW:%Y-%m-%d}&since=": 30,
    }  # fmt: skip

    def costs(more: str) -> dict[str, int]:
        found = {}
        for path, most in asked.items():
            url = (
                f"{path}{more}" if path.endswith("since=") else path
            )  # other days each time: the map keeps what it counted
            call(bi, "GET", "/companies")
            with CaptureQueriesContext(connection) as captured:
                answer = call(bi, "GET", url)
            assert answer.status_code == 200, (url, answer.content)
            assert len(captured) <= most, (url, len(captured))
            found[path] = len(captured)
        return found

    place("first", stage, [9, 3], survey)
    few = costs("2026-01-01")
    for number in range(6):
        step = Stage.objects.create(key=f"step{number}", name={"en": "Step"}, parent=stage, position=number + 1)
        place(f"more{number}", step, [9, 3, 8, 8, 8], survey)
    assert costs("2026-01-02") == few


def test_a_key_is_told_of_its_own_tenant_alone_and_has_to_be_allowed_to_read(bi: str, other_tenant: Any) -> None:
    with schema_context("klarwerk"):
        stage, survey = small_world("-theirs")
        place("theirs", stage, [9] * 8, survey)
        theirs = create_api_key(name="theirs")[1]
    writer = create_api_key(name="till", scopes=[scope for scope in Scope.values if scope != Scope.READ])[1]
    for path in PATHS:
        told = call(bi, "GET", path).json()
        assert "theirs" not in str(told), path
        for query in ("survey=order-theirs", "touchpoint=theirs", "stage=use-theirs", "segment=all-theirs"):
            assert fields_of(call(bi, "GET", f"{path}?{query}")) == [query.partition("=")[0]], (path, query)
        assert call(writer, "GET", path).status_code == 403
        assert call(None, "GET", path).status_code == 401
        assert call(theirs, "GET", path).status_code == 401  # on nordwind's address
    assert call(bi, "GET", NPS).json()["total"]["n"] == 0
    mine = call(theirs, "GET", f"{NPS}?stage=use-theirs&by=touchpoint", host="klarwerk.resonanz.test").json()
    assert [(group["key"], group["n"], group["score"]) for group in mine["groups"]] == [("theirs", 8, 100.0)]


def test_a_change_is_up_down_chance_or_not_to_be_told(bi: str) -> None:
    stage, survey = small_world()
    place("shop", stage, [9] * 60, survey)
    days = f"since={NOW - timedelta(days=9):%Y-%m-%d}&until={NOW:%Y-%m-%d}"

    def before(*scores: int) -> dict[str, Any]:
        day = (NOW - timedelta(days=12)).date()
        ScoreChange.objects.bulk_create(ScoreChange(day=day, survey=survey, score=score, weight=1) for score in scores)
        found: dict[str, Any] = call(bi, "GET", f"{NPS}?{days}&compare=previous").json()["total"]
        return found

    assert before()["change"] == {"points": None, "low": None, "high": None, "verdict": "too_few"}
    assert before(8, 8, 8)["change"]["verdict"] == "too_few"
    told = before(*[8] * 40)
    assert told["change"]["verdict"] == "up"
    assert (told["change"]["points"], told["before"]["n"], told["before"]["score"]) == (100.0, 43, 0.0)
    assert told["change"]["low"] < 100.0 <= told["change"]["high"]
    assert before(*[9] * 4000)["change"]["verdict"] == "chance"
    assert call(bi, "GET", f"{NPS}?{days}").json()["compared_with"] is None


def test_the_map_tells_all_that_is_known_of_a_touchpoint(bi: str) -> None:
    stage, survey = small_world()
    why = Question.objects.create(survey=survey, key="why", kind="single", text={"en": "Why?"},
                                  options=[{"key": "late", "text": {"en": "Too late"}}])  # fmt: skip
    shop = place("shop", stage, [2] * 12 + [9] * 8, survey)
    quiet = place("quiet", stage, [], survey)
    for row in Response.objects.filter(score=2):
        Answer.objects.create(response=row, question=why, choices=["late"])
    at = NOW - timedelta(days=5)
    Event.objects.create(touchpoint=quiet, occurred_at=at, received_at=at)
    for number in range(4):
        Invitation.objects.create(
            survey=survey, touchpoint=shop, reason=f"x{number}", status="shown", send_at=at, give_up_at=at,
            created_at=at, used_on=at.date() if number == 0 else None,
        )  # fmt: skip
    response = Response.objects.filter(score=2).first()
    Case.objects.create(response=response, opened_at=at, due_at=NOW)
    Action.objects.create(touchpoint=shop, title="Faster", status="running", created_at=at, updated_at=at)
    target = Target.objects.create(touchpoint=shop, goal=40, created_at=at)
    cadence = Cadence.objects.create(name="Monthly", survey=survey, touchpoint=shop)
    pairs = {"10,10": 40, "2,3": 30, "5,8": 10}
    Influence.objects.create(touchpoint=shop, pairs=pairs, since=at.date(), until=NOW.date(), computed_at=NOW)

    found = call(bi, "GET", "/journey").json()["stages"][0]
    told, other = found["touchpoints"]
    assert (told["nps"]["score"], told["change"]["verdict"], told["hurts"]) == (-20.0, "too_few", True)
    assert told["response_rate"] == {"n": 4, "hits": 1, "percent": 25.0, "low": 4.56, "high": 69.94}
    assert told["detractors"] == {"n": 20, "hits": 12, "percent": 60.0, "low": 38.66, "high": 78.12}
    assert (told["open_cases"], told["running_actions"], found["open_cases"]) == (1, 1, 1)
    assert [(one["reason"], one["share"]["hits"]) for one in told["reasons"]] == [("Too late", 12)]
    assert told["target"] == {"id": target.pk, "goal": 40, "standing": "below"}
    assert told["asked_by"] == [{"kind": "cadence", "id": cadence.pk, "name": "Monthly"}]
    weight = told["influence"]
    assert (weight["n"], weight["verdict"], weight["gap"]["verdict"]) == (80, "helps", "up")
    assert 0 < weight["low"] < weight["r"] <= 1
    assert (told["name"], len(told["months"]), sum(month["n"] for month in told["months"])) == (shop.name, 12, 20)
    assert (other["gap"], other["events"], other["influence"], other["target"]) == ("unasked", 1, None, None)
    assert other["nps"]["score"] is None

    (asked,) = call(bi, "GET", "/metrics/questions?touchpoint=shop").json()["questions"]
    assert (asked["survey"], asked["question"], asked["n"], asked["figure"]) == ("order", "why", 12, None)
    assert asked["choices"][0]["all"] == {"n": 12, "hits": 12, "percent": 100.0, "low": 75.75, "high": 100.0}
    assert asked["choices"][0]["promoters"] is None


def test_further_questions_are_told_with_their_ranges_and_by_promoters_and_detractors(bi: str) -> None:
    stage, survey = small_world()
    shop = place("shop", stage, [2] * 10 + [9] * 10 + [8] * 3, survey)
    values = {"csat": (5, 1), "ces": (7, 2), "yes_no": (1, 0), "rating": (4, 3)}
    for kind, (happy, sad) in values.items():
        question = Question.objects.create(survey=survey, key=kind, kind=kind, text={"en": kind})
        for row in Response.objects.filter(touchpoint=shop).exclude(score=8):
            Answer.objects.create(response=row, question=question, value=happy if row.score == 9 else sad)
    rare = Question.objects.create(survey=survey, key="rare", kind="rating", text={"en": "rare"})
    Answer.objects.create(response=Response.objects.filter(score=8)[0], question=rare, value=3)
    told = {one["question"]: one for one in call(bi, "GET", "/metrics/questions").json()["questions"]}
    figures = {key: (one["figure"]["unit"], one["figure"]["value"]) for key, one in told.items() if one["figure"]}
    assert figures == {
        "csat": ("percent", 50.0), "ces": ("mean", 4.5), "yes_no": ("percent", 50.0), "rating": ("mean", 3.5),
    }  # fmt: skip
    assert told["csat"]["figure"] == {
        "unit": "percent", "n": 20, "value": 50.0, "margin": 20.07, "low": 29.93, "high": 70.07,
    }  # fmt: skip
    assert told["yes_no"]["figure"] == told["csat"]["figure"]
    assert [told["ces"][side]["value"] for side in ("promoters", "detractors")] == [7.0, 2.0]
    assert told["ces"]["values"] == [{"value": 2, "n": 10}, {"value": 7, "n": 10}]
    assert (told["rare"]["too_few"], told["rare"]["figure"], told["rare"]["values"]) == (True, None, [])


@pytest.mark.parametrize("few", [True, False])
def test_an_influence_of_too_few_contacts_says_nothing_of_how_far_they_lie_apart(bi: str, few: bool) -> None:
    stage, survey = small_world()
    shop, today = place("shop", stage, [9], survey), NOW.date()
    pairs = {"10,10": 14, "0,0": 15 if few else 16}
    Influence.objects.create(touchpoint=shop, pairs=pairs, since=today, until=today, computed_at=NOW)
    (told,) = call(bi, "GET", "/journey").json()["stages"][0]["touchpoints"]
    weight = told["influence"]
    assert (weight["n"], weight["verdict"], weight["r"] is None) == (
        (29, "too_few", True) if few else (30, "helps", False)
    )
    assert weight["gap"]["verdict"] == ("too_few" if few else "up")
    assert [weight["gap"][name] is None for name in ("points", "low", "high")] == [few] * 3
