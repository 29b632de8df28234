"""Idempotency-Key: who may hear the first answer again, and what becomes of it when something breaks in between."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from apps.api import limits
from apps.api.resources import touchpoints as resource
from apps.integrations import once
from apps.integrations import services as api_keys
from apps.integrations.models import ApiKey, IdempotentRequest, Scope
from apps.integrations.services import create_api_key
from apps.messaging import suppressions
from apps.messaging.models import Suppression
from apps.touchpoints import services
from apps.touchpoints.models import Event, Stage, Touchpoint
from tests.api.calling import call
from tests.api.sending import event, post, problem
from tests.environment import DATABASE_URL

ONCE = {"idempotency-key": "once"}
ADA = {"email": "ada@example.com", "name": "Ada"}


@pytest.fixture
def tidy(committed_key: str) -> Iterator[str]:
    """A key that commits for real; what it left is cleaned up."""
    yield committed_key
    connection.set_schema("nordwind")
    Event.objects.all().delete()
    IdempotentRequest.objects.all().delete()


def test_the_first_answer_again_counts_like_any_other_request(tenant: Any) -> None:
    limits.forget()
    key = create_api_key(name="slow", requests_per_minute=3)[1]
    answers = [call(key, "POST", "/contacts", ADA, **ONCE) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert [answer.get("Idempotent-Replayed") for answer in answers] == [None, "true", "true", None]


def test_a_key_that_may_not_any_more_does_not_hear_the_first_answer_again(tenant: Any) -> None:
    row, key = create_api_key(name="crm")
    assert call(key, "POST", "/contacts", ADA, **ONCE).status_code == 201
    ApiKey.objects.filter(pk=row.pk).update(scopes=[Scope.READ])
    api_keys.forget_keys()
    assert "contacts:write" in problem(call(key, "POST", "/contacts", ADA, **ONCE), 403)["detail"]


def test_an_answer_without_content_has_no_type_the_second_time_either(tenant: Any) -> None:
    key = create_api_key(name="crm")[1]
    suppressions.suppress(emails=["a@example.com"], reason="bounced", source="x", now=timezone.now())
    path = f"/suppressions/{Suppression.objects.get().pk}?because=mistake"
    answers = [call(key, "DELETE", path, **ONCE) for _ in range(2)]
    assert [(answer.status_code, answer.get("Content-Type")) for answer in answers] == [(204, None)] * 2


def test_an_event_is_answered_again_though_its_touchpoint_was_switched_off(key: str) -> None:
    first = post(key, **ONCE)
    Touchpoint.objects.update(is_active=False)
    services.forget_touchpoints()
    again = post(key, **ONCE)
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    problem(post(key, event(properties={"other": 1}), **ONCE), 422)
    problem(post(key, **{"idempotency-key": "another"}), 422)


def test_a_known_events_id_is_told_though_the_first_request_broke_off(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = post(key, event(external_id="o-1"))

    def break_off(**_kwargs: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(once, "correct", break_off)
    problem(post(key, event(external_id="o-1"), **ONCE), 503)
    assert post(key, event(external_id="o-1"), **ONCE).json() == first.json()


def test_many_events_of_a_touchpoint_deleted_a_moment_ago_are_refused(tidy: str) -> None:
    connection.set_schema("nordwind")
    gone = Touchpoint.objects.create(key="gone", name={"en": "Gone"}, stage=Stage.objects.get())
    assert services.touchpoint_id("gone")
    gone.delete()
    told = call(tidy, "POST", "/events/bulk", [event(touchpoint="gone"), event()], **ONCE)
    assert [one["status"] for one in told.json()["results"]] == ["refused", "accepted"]


def test_what_does_not_go_with_another_write_is_a_conflict(tidy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.set_schema("nordwind")
    Stage.objects.create(key="fleeting", name={"en": "Fleeting"})

    def meanwhile() -> None:
        with psycopg.connect(DATABASE_URL, autocommit=True) as other:
            other.execute("DELETE FROM nordwind.touchpoints_stage WHERE key = 'fleeting'")

    monkeypatch.setattr(resource, "forget_touchpoints", meanwhile)
    body = {"key": "new", "name": {"en": "New"}, "stage": "fleeting"}
    problem(call(tidy, "POST", "/touchpoints", body, **ONCE), 409)
    connection.set_schema("nordwind")
    assert not Touchpoint.objects.filter(key="new").exists()
    assert not IdempotentRequest.objects.exists()


def test_a_database_that_is_away_is_said_so(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_kwargs: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(once, "carry_out", fail)
    answer = call(key, "POST", "/contacts", ADA, **ONCE)
    problem(answer, 503)
    assert answer["Retry-After"]
