"""Campaigns over the API: their steps and figures, the enrolments in them, and stopping one."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.campaigns.models import Enrolment
from apps.integrations.services import create_api_key
from tests import factories
from tests.api.calling import call
from tests.campaigns.following import answered, campaign, enrolled, ran


@pytest.fixture
def key(tenant: Any) -> str:
    return create_api_key(name="everything")[1]


def test_a_campaign_tells_its_steps_and_what_came_of_them(key: str) -> None:
    now = timezone.now()
    made = campaign("answered", name="Sorry", goal_days=30, holdout_percent=10)
    for number in range(4):
        row = answered(factories.ContactFactory(), now - timedelta(days=40), 3)
        one = enrolled(made, row, row.answered_at, arm="holdout" if number == 3 else "treated")
        if number < 3:
            status, reason = ("skipped", "no_legal_basis") if number == 2 else ("done", "")
            ran(one, "sorry", "email", row.answered_at, status, reason=reason)
        if number == 0:
            answered(row.contact, row.answered_at + timedelta(days=1), 9)
    assert call(key, "GET", "/campaigns?segment=detractor").json()["results"] == []
    [listed] = call(key, "GET", "/campaigns?is_active=true").json()["results"]
    assert (listed["name"], listed["version"], "document" in listed) == ("Sorry", 1, False)
    one = call(key, "GET", f"/campaigns/{made.pk}").json()
    assert [step["key"] for step in one["document"]["steps"]] == ["sorry", "pause", "call"]
    found = call(key, "GET", f"/campaigns/{made.pk}/figures").json()
    assert found == one["figures"]
    assert (found["enrolled"], found["left_out"], found["states"], found["undecided"]) == (3, 1, {"done": 3}, 0)
    assert found["conversion"] == {"total": 3, "reached": 1, "share": pytest.approx(1 / 3)}
    step = found["steps"]["sorry"]
    assert (step["came"], step["done"], step["skipped"]) == (3, 2, {"no_legal_basis": 1})
    assert step["after"] == {"total": 2, "reached": 1, "share": 0.5}
    assert (found["effect"]["verdict"], found["effect"]["left_out"]["total"]) == ("too_few", 1)


def test_an_enrolment_is_told_step_by_step_and_stopped_once(key: str) -> None:
    now = timezone.now()
    made = campaign()
    running = enrolled(made, answered(factories.ContactFactory(), now, 3), now, state="running")
    ran(running, "sorry", "email", now)
    ran(running, "pause", "wait", now + timedelta(days=1), "pending")
    done = enrolled(made, answered(factories.ContactFactory(), now, 3), now)
    path = f"/enrolments/{running.pk}"
    for query, expected in (
        ("", {running.pk, done.pk}),
        ("?state=running", {running.pk}),
        (f"?campaign={made.pk}&contact={done.contact_id}", {done.pk}),
        (f"?response={done.response_id}", {done.pk}),
        ("?arm=holdout", set()),
    ):
        found = call(key, "GET", f"/enrolments{query}").json()["results"]
        assert {row["id"] for row in found} == {str(pk) for pk in expected}, query
    one = call(key, "GET", path).json()
    assert [(run["step"], run["status"]) for run in one["steps"]] == [("sorry", "done"), ("pause", "pending")]
    told = call(key, "POST", f"{path}/stop").json()
    assert (told["state"], told["end_reason"], told["sentence"]) == ("stopped", "by_hand", "Somebody stopped it.")
    assert call(key, "POST", f"{path}/stop").status_code == 409
    assert Enrolment.objects.get(pk=running.pk).state == "stopped"
    writer = create_api_key(name="writer", scopes=["setup:write"])[1]
    again = enrolled(made, answered(factories.ContactFactory(), now, 3), now, state="running")
    told = call(writer, "POST", f"/enrolments/{again.pk}/stop")
    assert (told.status_code, told.json()) == (200, {"id": str(again.pk)}), "who may not read is told no contact"
    reader = create_api_key(name="reader", scopes=["read"])[1]
    assert call(reader, "POST", f"/enrolments/{done.pk}/stop").status_code == 403
