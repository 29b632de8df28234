"""Responses and metrics in Delighted's shape, and what integrations may do with them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.insights.figures import score
from apps.insights.slices import Period, Slice
from apps.integrations.models import Delivery, Endpoint, Scope
from apps.integrations.services import create_api_key
from apps.responses.models import Response, Revision, ScoreChange
from apps.responses.past import PastResponse, record_past_responses
from apps.surveys.models import Question
from tests import factories
from tests.api.delighted.conftest import Caller
from tests.responses.asking import browser, human, invited

pytestmark = pytest.mark.usefixtures("connection")
LONG_AGO = datetime(2024, 5, 6, 12, 0, 0, 250_000, tzinfo=UTC)
PATH = "/v1/survey_responses"
KEYS = {
    "id", "person", "survey_type", "score", "comment", "permalink", "created_at", "updated_at", "person_properties",
    "notes", "tags", "additional_answers",
}  # fmt: skip


def past(number: int, score: int = 9, **changes: Any) -> PastResponse:
    row = {"survey_id": factories.SurveyFactory().pk, "answered_at": LONG_AGO + timedelta(days=number), "score": score}
    return PastResponse(**{**row, **changes})


def unix(at: datetime) -> int:
    return int(at.timestamp())


def test_a_response_has_delighteds_shape_to_the_letter(caller: Caller) -> None:
    survey, contact = factories.SurveyFactory(), factories.ContactFactory(name="Ada")
    options = [{"key": "fast", "text": {"en": "Fast"}}, {"key": "kind", "text": {"en": "Kind"}}]
    for key, kind in (("liked", "multiple"), ("best", "single"), ("more", "text"), ("again", "yes_no")):
        Question.objects.create(survey=survey, key=key, kind=kind, text={"en": key}, options=options, position=9)
    answers = {"delivery": 4, "liked": ["fast", "kind"], "best": "kind", "more": "No", "again": True}
    row = past(0, 3, contact_id=contact.pk, comment="Slow", tags=["late"], answers=answers, properties={"plan": "Pro"})
    (pk,) = record_past_responses(rows=[row], now=timezone.now())
    found = caller.get(f"{PATH}/{pk}.json")
    assert found.keys() == KEYS
    extra = found.pop("additional_answers")
    empty = {"free_response": None, "scale": None, "select_one": None, "select_many": None}
    fast, kind = {"id": "fast", "text": "Fast"}, {"id": "kind", "text": "Kind"}
    assert [(a["question"], a["value"]) for a in extra] == [
        ({"id": "delivery", "type": "scale", "text": "Delivery time"}, {**empty, "scale": 4}),
        ({"id": "liked", "type": "select_many", "text": "liked"}, {**empty, "select_many": [fast, kind]}),
        ({"id": "best", "type": "select_one", "text": "best"}, {**empty, "select_one": kind}),
        ({"id": "more", "type": "free_response", "text": "more"}, {**empty, "free_response": "No"}),
        ({"id": "again", "type": "select_one", "text": "again"}, {**empty, "select_one": {"id": "yes", "text": "Yes"}}),
    ]
    assert found == {
        "id": str(pk), "person": str(contact.pk), "survey_type": "nps", "score": 3, "comment": "Slow",
        "permalink": f"http://nordwind.resonanz.test/responses/{pk}/", "created_at": unix(LONG_AGO),
        "updated_at": unix(LONG_AGO), "person_properties": {"plan": "Pro"}, "notes": [], "tags": [{"name": "late"}],
    }  # fmt: skip
    (pk,) = record_past_responses(rows=[past(0)], now=timezone.now())
    nobody = caller.get(f"{PATH}/{pk}?expand[]=person")
    assert (nobody["person"]["id"], nobody["person"]["email"]) == (f"response-{pk}", None)
    assert caller.json("PUT", f"{PATH}/{pk}", nobody).json()["person"] == f"response-{pk}"
    assert nobody["person_properties"] is None
    pk = found["id"]
    for wish in ("expand[]=person", "expand=person", "expand[]=notes&expand[]=person"):
        assert caller.get(f"{PATH}/{pk}?{wish}")["person"]["name"] == "Ada"
    assert caller.raw("GET", f"{PATH}/10").status_code == 404
    on_public_host = Caller(caller.key, host="resonanz.test")
    assert on_public_host.get(f"{PATH}/{pk}")["permalink"] == found["permalink"]


def test_the_list_is_filtered_ordered_and_paged(caller: Caller, django_assert_max_num_queries: Any) -> None:
    contact, other = factories.ContactFactory(), factories.TouchpointFactory(key="other")
    rows = [past(n, n, answers={"delivery": 1}) for n in range(5)]
    rows += [past(5, 5, contact_id=contact.pk, touchpoint_id=other.pk, updated_at=LONG_AGO + timedelta(days=60))]
    ids = [str(pk) for pk in record_past_responses(rows=rows, now=timezone.now())]
    Response.objects.filter(pk=ids[4]).update(is_suspected=True)
    Response.objects.filter(pk=ids[3]).update(score=None)
    at = [unix(LONG_AGO + timedelta(days=n)) for n in range(6)]
    wanted = {
        "": [0, 1, 2, 5],
        "order=desc": [5, 2, 1, 0],
        "order=desc:updated_at&per_page=1": [5],
        f"since={at[1]}&until={at[2]}": [1, 2],
        f"since={at[1]}.25&until={at[2]}.0": [1, 2],  # from a clock that tells more than seconds
        f"updated_since={at[5]}": [5],
        f"updated_until={at[1]}": [0, 1],
        "per_page=3&page=1": [0, 1, 2],
        "per_page=3&page=2": [5],
        "per_page=100&page=2": [],
        "page=99999999999999": [],
        f"person_id={contact.pk}": [5],
        "person_id=10": [],
        f"person_email={(contact.email or '').upper()}": [5],
        f"trend={other.pk}": [5],
        "trend=other": [5],
        "unheard_of=1": [0, 1, 2, 5],
    }
    for query, numbers in wanted.items():
        assert [ids.index(row["id"]) for row in caller.get(f"{PATH}.json?{query}")] == numbers, query
    for query, name in (("order=up", "order"), ("since=x", "since"), ("trend=nowhere", "trend")):
        answer = caller.raw("GET", f"{PATH}?{query}")
        assert (answer.status_code, list(answer.json()["errors"])) == (422, [name])
    with django_assert_max_num_queries(6):
        caller.get(f"{PATH}?expand[]=person")


def test_an_answer_of_today_is_new_and_an_old_one_is_history(caller: Caller) -> None:
    contact = factories.ContactFactory()
    Endpoint.objects.create(url="https://example.com/hook")
    body = {"person": str(contact.pk), "score": 2, "comment": "Meh", "person_properties": {"plan": "Pro"}}
    answer = caller.json("POST", f"{PATH}.json", body)
    assert answer.status_code == 201
    new = Response.objects.get(pk=answer.json()["id"])
    assert (new.channel, new.follow_up, new.contact, new.touchpoint.key) == ("api", "pending", contact, "delighted")
    assert answer.json()["person_properties"] == {"plan": "Pro"}
    assert Delivery.objects.get().event_type == "response.created"
    form = f"person={contact.pk}&score=10&created_at={unix(LONG_AGO)}&person_properties[plan]=Pro".encode()
    answer = caller.raw("POST", PATH, form)  # as the Go client does, without a content type
    old = Response.objects.get(pk=answer.json()["id"])
    assert (old.follow_up, unix(old.answered_at), old.properties) == ("none", unix(LONG_AGO), {"plan": "Pro"})
    assert Delivery.objects.count() == 1
    assert sorted(ScoreChange.objects.values_list("day", "score", "weight")) == [
        (LONG_AGO.date(), 10, 1), (timezone.now().date(), 2, 1),
    ]  # fmt: skip


def test_what_is_missing_or_wrong_is_named(caller: Caller) -> None:
    person = str(factories.ContactFactory().pk)
    wrong: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["person", "score"]),
        ({"person": "10", "score": 9}, ["person"]),
        ({"person": person, "score": 11}, ["score"]),
        ({"person": person, "score": "many"}, ["score"]),
        ({"person": person, "score": 1, "comment": "x" * 5001}, ["comment"]),
        ({"person": person, "score": 1, "created_at": unix(timezone.now()) + 3600}, ["created_at"]),
    ]
    for body, fields in wrong:
        answer = caller.json("POST", PATH, body)
        assert (answer.status_code, sorted(answer.json()["errors"])) == (422, fields), body
    assert not Response.objects.exists()
    reader = Caller(create_api_key(name="reader", scopes=[Scope.READ])[1])
    assert reader.json("POST", PATH, {"person": person, "score": 1}).status_code == 403


def test_a_changed_answer_keeps_what_it_said_and_moves_the_figures(caller: Caller) -> None:
    contact, other = factories.ContactFactory(), factories.ContactFactory()
    (pk,) = record_past_responses(rows=[past(0, 3, contact_id=contact.pk, comment="Slow")], now=timezone.now())
    whole = caller.get(f"{PATH}/{pk}?expand[]=person")
    assert caller.json("PUT", f"{PATH}/{pk}", whole).json() == {**whole, "person": str(contact.pk)}
    assert not Revision.objects.exists()  # the same once more is no change
    later = LONG_AGO + timedelta(days=3)
    changed = {
        **whole, "score": 10, "person": {"id": str(other.pk)}, "created_at": unix(later), "tags": [{"name": "mine"}],
        "permalink": "x", "updated_at": 1, "person_properties": {"plan": "Pro", "Delighted Source": "Email"},
    }  # fmt: skip
    found = caller.json("PUT", PATH, changed).json()  # the Node client: the id is in the body only
    assert (found["id"], found["score"], found["comment"]) == (whole["id"], 10, "Slow")
    assert (found["person"], found["created_at"], found["tags"]) == (str(other.pk), unix(later), [])
    assert found["person_properties"] == {"plan": "Pro"}
    assert found["updated_at"] > whole["updated_at"]
    assert (Revision.objects.get().score, Revision.objects.get().comment) == (3, "Slow")
    figures = score(wanted=Slice(), period=Period.last(2, today=later.date() + timedelta(days=1)), now=later)
    assert (figures.score, figures.n) == (100, 1)
    assert sum(ScoreChange.objects.values_list("weight", flat=True)) == 1
    assert caller.json("PUT", f"{PATH}/{pk}", {"comment": None}).json()["comment"] is None
    assert Response.objects.get().follow_up == "none"  # it was imported: nobody is written to about it


def test_an_invited_answer_shows_what_it_was_asked_with(caller: Caller) -> None:
    contact = factories.ContactFactory()
    event = factories.EventFactory(
        contact=contact, properties={"plan": "Pro", "ask_after_seconds": 60, "deep": {"a": 1}}
    )
    path = invited(contact=contact, event=event)
    browser().post(path, human(score=9))
    (found,) = caller.get(PATH)
    assert found["person"] == str(contact.pk)
    assert found["person_properties"].items() >= {"plan": "Pro", "deep": '{"a":1}', "Delighted Source": "Email"}.items()
    assert "ask_after_seconds" not in found["person_properties"]
    other = factories.ContactFactory()
    answer = caller.json("PUT", f"{PATH}/{found['id']}", {"person": str(other.pk)})
    assert list(answer.json()["errors"]) == ["person"]


def test_metrics_are_whole_numbers_of_the_thirty_days_up_to_the_latest_answer(caller: Caller) -> None:
    assert caller.get("/v1/metrics.json")["response_count"] == 0
    scores = {0: 10, 30: 0, 31: 0, 40: 9, 50: 9, 60: 7, 61: 0}
    rows = [past(day, score) for day, score in scores.items()]
    record_past_responses(rows=rows, now=timezone.now())
    Response.objects.create(
        survey=factories.SurveyFactory(), score=0, is_suspected=True, answered_at=LONG_AGO, updated_at=LONG_AGO
    )
    assert caller.get("/v1/metrics.json") == {
        "nps": 0, "promoter_count": 2, "promoter_percent": 40, "passive_count": 1, "passive_percent": 20,
        "detractor_count": 2, "detractor_percent": 40, "response_count": 5,
    }  # fmt: skip
    at = unix(LONG_AGO)
    for query, number in ((f"since={at}", 7), (f"until={at}", 1), (f"since={at + 1}&until={at + 41 * 86_400}", 3)):
        assert caller.get(f"/v1/metrics?{query}&groups[]=core")["response_count"] == number, query
    assert caller.get("/v1/metrics?trend=delighted")["response_count"] == 0
    assert caller.raw("GET", "/v1/metrics?groups[]=postal").status_code == 422
    assert {type(value) for value in caller.get("/v1/metrics").values()} == {int}
