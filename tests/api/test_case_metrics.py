from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.cases.models import Case, Outcome, RootCause
from apps.integrations.models import Scope
from apps.integrations.services import create_api_key
from tests.api.calling import call, fields_of
from tests.cases import caring


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


def detractor(now: datetime, *, next_score: int, contacted: bool, **fields: Any) -> Case:
    at = now - timedelta(days=40)
    first = caring.response(3, at=at, touchpoint=fields.pop("touchpoint", None))
    caring.response(next_score, contact=first.contact, at=at + timedelta(days=20))
    return Case.objects.create(
        response=first, contact=first.contact, opened_at=at, due_at=at + timedelta(days=7), status="solved",
        first_contact_at=at + timedelta(hours=3 if contacted else 24 * 30), closed_at=at + timedelta(days=35), **fields,
    )  # fmt: skip


def test_recovery_comes_with_ranges_and_a_verdict(key: str, now: datetime) -> None:
    for number in range(30):
        detractor(now, next_score=9 if number < 24 else 4, contacted=True)
        detractor(now, next_score=9 if number < 9 else 3, contacted=False)
    told = call(key, "GET", "/metrics/recovery").json()
    assert told["within_days"] == 180
    assert told["total"]["detractors"] == 60
    assert told["by_person"] == told["contacted"]
    higher = {"n": 30, "hits": 30, "percent": 100.0, "low": 88.65, "high": 100.0}
    assert told["contacted"]["higher"] == higher
    assert told["contacted"]["no_longer_detractors"]["percent"] == 80.0
    assert told["contacted"]["answered_again"] == {"n": 0, "hits": 0, "percent": None, "low": None, "high": None}
    difference = {"points": 50.0, "low": 25.12, "high": 66.97, "verdict": "better"}
    assert told["no_longer_detractors_difference"] == difference
    told = call(key, "GET", "/metrics/recovery?within_days=10").json()
    assert (told["total"]["higher"]["n"], told["total"]["answered_again"]["n"]) == (0, 60)
    assert told["higher_difference"] == {"points": None, "low": None, "high": None, "verdict": "too_few"}


def test_cases_are_told_whole_and_per_owner_and_touchpoint(key: str, now: datetime) -> None:
    kim, place = User.objects.create(username="kim"), caring.touchpoint("counter")
    cause, result = RootCause.objects.create(name={"en": "Slow"}), Outcome.objects.create(name={"en": "Refund"})
    detractor(now, next_score=9, contacted=True, owner=kim, root_cause=cause, result=result)
    detractor(now, next_score=9, contacted=False, touchpoint=place)
    told = call(key, "GET", "/metrics/cases").json()
    assert (told["total"]["opened"], told["total"]["closed"], told["total"]["open"]) == (2, 2, 0)
    assert told["total"]["closed_in_time"]["n"] == 2
    assert told["total"]["hours_to_contact"]["median"] == (3 + 24 * 30) / 2
    assert [row["owner"] for row in told["owners"]] == [None, kim.pk]
    assert [row["touchpoint"] for row in told["touchpoints"]] == [None, "counter"]
    assert [(row["root_cause_id"], row["share"]["hits"]) for row in told["root_causes"]] == [(cause.pk, 1)]
    assert {"result_id": result.pk, "solved": 1, "lost": 0} in told["outcomes"]
    for path in ("/metrics/cases", "/metrics/recovery"):
        for query in (f"owner={kim.pk}", "touchpoint=counter"):
            total = call(key, "GET", f"{path}?{query}").json()["total"]
            assert total.get("opened", total.get("detractors")) == 1, (path, query)
        since = (now - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
        total = call(key, "GET", f"{path}?since={since}").json()["total"]
        assert total.get("opened", total.get("detractors")) == 0, path


def test_what_makes_no_sense_is_named_and_only_who_may_read_is_told(key: str) -> None:
    writer = create_api_key(name="till", scopes=[Scope.VOUCHERS_WRITE])[1]
    for path in ("/metrics/cases", "/metrics/recovery"):
        for query, field in {
            "owner=999": "owner", "owner=x": "owner", "touchpoint=none": "touchpoint", "since=x": "since",
            "since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z": "since", "nonsense=1": "nonsense",
        }.items():  # fmt: skip
            assert set(fields_of(call(key, "GET", f"{path}?{query}"))) == {field}, (path, query)
        assert call(writer, "GET", path).status_code == 403
        assert call(None, "GET", path).status_code == 401
    for days in (0, 731):
        assert set(fields_of(call(key, "GET", f"/metrics/recovery?within_days={days}"))) == {"within_days"}
