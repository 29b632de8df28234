"""What came of it: invitations, responses, metrics and decisions, to read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.contacts.models import Company, Outreach
from apps.insights.nps import Counts, nps
from apps.integrations.services import create_api_key
from apps.responses.models import Response, ScoreChange
from apps.surveys import versions
from apps.surveys.models import Invitation, Survey
from apps.triggers.models import Segment
from tests import factories
from tests.api.calling import call, fields_of
from tests.api.sending import problem
from tests.api.world import AT, fill


@pytest.fixture
def key(tenant: Any) -> str:
    return create_api_key(name="bi")[1]


def answer(survey: Survey, score: int | None, **values: Any) -> Response:
    defaults = {"answered_at": AT, "updated_at": AT, "follow_up": "none", "version": survey.current_version}
    row = Response.objects.create(survey=survey, score=score, **{**defaults, **values})
    if score is not None and not row.is_suspected:
        ScoreChange.objects.create(
            day=row.answered_at.date(), survey=survey, touchpoint=row.touchpoint, score=score, weight=1,
            is_incentivised=row.is_incentivised,
        )  # fmt: skip
    return row


def one_row() -> dict[str, Any]:
    """One row of everything, and nobody's responses and invitations beside it."""
    ids = fill("row")
    Response.objects.exclude(pk=ids["responses"]).delete()
    Invitation.objects.exclude(pk=ids["invitations"]).delete()
    return ids


def survey_of(key: str, **values: Any) -> Survey:
    survey = factories.SurveyFactory(key=key, **values)
    versions.publish(survey_id=survey.pk, now=AT)
    survey.refresh_from_db()
    return survey


def scores(found: Any) -> list[int]:
    return sorted(row["score"] for row in found.json()["results"])


def test_a_response_is_told_with_its_answers_and_what_is_asked_for_beside_it(key: str) -> None:
    ids = one_row()
    told = call(key, "GET", f"/responses/{ids['responses']}?expand=contact,survey").json()
    assert (told["score"], told["segment"], told["contact_id"]) == (9, "promoter", str(ids["contacts"]))
    assert told["answers"] == [{"question": "delivery", "kind": "rating", "value": 4}]
    assert told["contact"]["name"] == "row-0"
    assert told["survey_details"]["languages"] == ["de", "en"]
    plain = call(key, "GET", f"/responses/{ids['responses']}").json()
    assert not {"contact", "survey_details"} & set(plain)
    assert plain["answered_at"] == "2026-03-01T12:00:00Z"


def test_responses_are_narrowed_and_those_of_machines_left_out_unless_asked_for(key: str) -> None:
    ids = one_row()
    survey, other = Survey.objects.get(key=ids["surveys"]), survey_of("other")
    answer(survey, 3, comment="Late again", tags=["delivery", "urgent"], updated_at=AT + timedelta(hours=2))
    answer(survey, 8, is_suspected=True)
    answer(other, 10, channel="link", answered_at=AT + timedelta(days=1), updated_at=AT + timedelta(days=1))
    for query, found in {
        "": [3, 9, 10], "suspected=yes": [8], "suspected=all": [3, 8, 9, 10], "survey=other": [10],
        f"touchpoint={ids['touchpoints']}": [9], f"contact={ids['contacts']}": [9], "score_min=4&score_max=9": [9],
        "segment=detractor": [3], "segment=none": [], "channel=link": [10], "since=2026-03-02T00:00:00Z": [10],
        "until=2026-03-02T00:00:00Z": [3, 9], "tag=urgent": [3], "tag=urg": [], "q=late": [3], "is_partial=true": [],
    }.items():  # fmt: skip
        assert scores(call(key, "GET", f"/responses?{query}")) == found, query
    changed = call(key, "GET", "/responses?updated_since=2026-03-01T13:00:00Z").json()["results"]
    assert [row["score"] for row in changed] == [3, 10]
    suspected = Response.objects.get(score=8)
    assert call(key, "GET", f"/responses/{suspected.pk}").json()["is_suspected"] is True


def test_responses_that_were_promised_something_are_marked_and_can_be_told_apart_everywhere(key: str) -> None:
    survey = survey_of("order", incentive={"en": "€5"})
    for score, promised in {10: True, 9: True, 2: False}.items():
        answer(survey, score, is_incentivised=promised)
    assert call(key, "GET", "/surveys/order").json()["incentive"] == {"en": "€5"}
    for query, found in {"": [2, 9, 10], "incentivised=true": [9, 10], "incentivised=false": [2]}.items():
        listed = call(key, "GET", f"/responses?{query}")
        assert scores(listed) == found
        assert all(row["is_incentivised"] == (row["score"] > 2) for row in listed.json()["results"])
        told = call(key, "GET", f"/metrics/nps?by=survey&{query}").json()
        assert told["total"]["n"] == told["groups"][0]["n"] == len(found)
    for path in ("/responses", "/metrics/nps"):
        assert fields_of(call(key, "GET", f"{path}?incentivised=yes")) == ["incentivised"]


def test_of_an_anonymous_response_nobody_learns_whose_it_is(key: str) -> None:
    survey = survey_of("secret", is_anonymous=True)
    contact = factories.ContactFactory()
    invitation = Invitation.objects.create(
        survey=survey, contact=contact, reason="x", send_at=AT, give_up_at=AT, created_at=AT
    )
    # As a mistake elsewhere would leave it: the promise holds all the same.
    first = answer(survey, 2, contact=contact, invitation=invitation)
    for score in (5, 6, 7):
        answer(survey, score)
    assert call(key, "GET", "/responses").json()["results"] == []
    assert call(key, "GET", f"/responses/{first.pk}").status_code == 404
    assert call(key, "PATCH", f"/responses/{first.pk}", {"tags": ["x"]}).status_code == 404
    assert call(key, "GET", "/metrics/nps").json()["total"]["n"] == 0
    answer(survey, 8)
    told = call(key, "GET", f"/responses/{first.pk}?expand=contact").json()
    assert (told["contact_id"], told["contact"], told["invitation_id"], told["is_anonymous"]) == (
        None,
        None,
        None,
        True,
    )
    assert call(key, "GET", f"/responses?contact={contact.pk}").json()["results"] == []
    assert call(key, "GET", "/metrics/nps").json()["total"]["n"] == 5
    problem(call(key, "PATCH", f"/responses/{first.pk}", {"tags": ["x"]}), 409)
    listed = call(key, "GET", "/invitations?expand=contact").json()["results"]
    assert "used_on" not in listed[0]


def test_tags_take_the_place_of_tags_and_nothing_else_of_a_response_can_be_changed(key: str) -> None:
    ids = one_row()
    path = f"/responses/{ids['responses']}"
    assert call(key, "PATCH", path, {"tags": ["new", "new", "späti"]}).json()["tags"] == ["new", "späti"]
    assert Response.objects.get().updated_at > AT
    assert fields_of(call(key, "PATCH", path, {"tags": [], "score": 10})) == ["score"]
    assert fields_of(call(key, "PATCH", path, {"tags": ["a\x00"]})) == ["tags.0"]
    assert fields_of(call(key, "PATCH", path, {"tags": ["x"] * 51})) == ["tags"]
    assert Response.objects.get().score == 9


def test_an_invitation_that_has_not_left_is_taken_back_with_its_place_in_the_budget(key: str) -> None:
    ids = one_row()
    row = Invitation.objects.get()
    place = Outreach.objects.create(
        contact_id=row.contact_id, kind="invitation", reason=f"invitation:{row.pk}", at=AT, state="reserved"
    )
    path = f"/invitations/{ids['invitations']}/revoke"
    told = call(key, "POST", path).json()
    assert (told["status"], told["sentence"]) == ("revoked", "Another system took it back.")
    place.refresh_from_db()
    assert place.state == "released"
    assert call(key, "POST", path).status_code == 200
    Invitation.objects.update(status="queued", status_reason="")
    problem(call(key, "POST", path), 409)
    assert Invitation.objects.get().status == "queued"
    for query, count in {
        "status=queued": 1,
        "status=shown": 0,
        f"contact={row.contact_id}": 1,
        "survey=none": 0,
    }.items():
        assert len(call(key, "GET", f"/invitations?{query}").json()["results"]) == count, query


def test_a_decision_says_why(key: str) -> None:
    ids = one_row()
    (told,) = call(key, "GET", f"/decisions?event={ids['events']}&rule={ids['rules']}&reason=ok").json()["results"]
    assert (told["sentence"], told["rule"], told["rule_version"]) == ("Nothing speaks against asking.", "row-0", 1)
    assert told["touchpoint"] == ids["touchpoints"]
    assert call(key, "GET", "/decisions?status=skipped").json()["results"] == []


def test_the_score_comes_with_what_is_needed_to_judge_it_whole_and_cut(key: str) -> None:
    one, two = survey_of("one"), survey_of("two")
    place = factories.TouchpointFactory(key="place")
    company = Company.objects.create(name="Engines", external_id="k-1")
    ada = factories.ContactFactory(company=company, properties={"plan": "pro"})
    Segment.objects.create(key="pro", name="Pro", condition={"field": "contact.plan", "op": "eq", "value": "pro"})
    for _each in range(3):
        answer(one, 10, contact=ada, touchpoint=place)
        answer(one, 9, answered_at=datetime(2026, 3, 2, 0, 0, tzinfo=UTC))
        answer(two, 8, contact=ada)
        answer(two, 0, answered_at=datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC))
        answer(two, 0, is_suspected=True)
        answer(two, None, comment="no score")
    expected = nps(Counts(6, 3, 3))
    total = call(key, "GET", "/metrics/nps").json()["total"]
    assert (total["n"], total["score"], total["promoters"], total["too_few"]) == (12, 25.0, 6, False)
    assert (total["low"], total["margin"]) == (round(expected.low or 0, 2), round(expected.margin or 0, 2))
    assert (total["promoter_percent"], total["detractor_percent"]) == (50.0, 25.0)
    for by, groups in {
        "survey": [("one", 6, 100.0), ("two", 6, -50.0)],
        "touchpoint": [("place", 3, None), (None, 9, 0.0)],
        "company": [(company.pk, 6, 50.0), (None, 6, 0.0)],
        "segment": [("pro", 6, 50.0)],
        "day": [("2026-03-01", 6, 50.0), ("2026-03-02", 6, 0.0)],
    }.items():
        told = call(key, "GET", f"/metrics/nps?by={by}").json()["groups"]
        assert [(g["key"], g["n"], g["score"]) for g in told] == groups, by
    for query, count in {
        "since=2026-03-02T00:00:00Z": 6, "until=2026-03-02T00:00:00Z": 6, "until=2026-03-01T12:00:01Z": 6,
        "until=2026-03-01T12:00:00Z": 0, "since=2026-03-02": 6, "until=2026-03-01": 6, "until=2026-03-02": 12,
        "survey=one": 6, "touchpoint=place": 3, f"company={company.pk}": 6, "segment=pro": 6,
    }.items():  # fmt: skip
        assert call(key, "GET", f"/metrics/nps?{query}").json()["total"]["n"] == count, query
    empty = call(key, "GET", "/metrics/nps?since=2027-01-01").json()["total"]
    assert (empty["n"], empty["score"], empty["low"], empty["too_few"]) == (0, None, None, True)
