"""Segments, stages, touchpoints and rules as they are set up by a program."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.integrations.services import create_api_key
from apps.surveys.models import Invitation
from apps.touchpoints.models import Stage, Touchpoint
from apps.triggers import dry_runs
from apps.triggers.models import Cadence, Decision, DryRun, RuleVersion, Segment, TriggerRule
from tests import factories
from tests.api.calling import call, fields_of
from tests.api.sending import event, post, problem

RULE = {"name": "After the order", "touchpoints": ["order_received"], "survey": "order", "delay_seconds": 3600}


@pytest.fixture
def key(tenant: Any) -> str:
    factories.TouchpointFactory()
    factories.SurveyFactory()
    return create_api_key(name="terraform")[1]


def test_a_segment_is_checked_as_the_editor_does_and_stays_while_something_names_it(key: str) -> None:
    body = {"key": "pro", "name": "Pro", "condition": {"all": [{"field": "contact.plan", "op": "eq", "value": "pro"}]}}
    assert call(key, "POST", "/segments", body).status_code == 201
    assert fields_of(call(key, "POST", "/segments", body)) == ["key"]
    wrong = {
        "all": [{"field": "contact.plan", "op": "eq", "value": "pro"}, {"field": "event.x", "op": "eq", "value": 1}]
    }
    assert fields_of(call(key, "POST", "/segments", {**body, "key": "x", "condition": wrong})) == [
        "condition.all.1.field"
    ]
    assert fields_of(call(key, "PATCH", "/segments/pro", {"key": "team"})) == ["key"]
    assert call(key, "PATCH", "/segments/pro", {"key": "pro", "name": "Team"}).json()["name"] == "Team"
    rule = factories.TriggerRuleFactory(condition={"field": "segment", "op": "in_segment", "value": "pro"})
    problem(call(key, "DELETE", "/segments/pro"), 409)
    rule.delete()
    cadence = Cadence.objects.create(name="Quarterly", survey=rule.survey, segment=Segment.objects.get(key="pro"))
    problem(call(key, "DELETE", "/segments/pro"), 409)
    cadence.delete()
    assert call(key, "DELETE", "/segments/pro").status_code == 204
    assert not Segment.objects.exists()


def test_a_touchpoint_takes_events_at_once_and_stays_once_something_happened_there(key: str) -> None:
    assert call(key, "POST", "/stages", {"key": "use", "name": {"en": "Use", "de": "Nutzung"}}).status_code == 201
    assert fields_of(call(key, "POST", "/stages", {"key": "x", "name": {"fr": "?"}})) == ["name"]
    body = {"key": "renewal", "name": {"en": "Renewal"}, "stage": "use", "exception_days": 0}
    problem(post(key, event(touchpoint="renewal")), 422)
    made = call(key, "POST", "/touchpoints", body)
    assert (made.status_code, made.json()["stage"], made.json()["exception_days"]) == (201, "use", 0)
    assert fields_of(call(key, "POST", "/touchpoints", {**body, "key": "y", "stage": "none"})) == ["stage"]
    problem(call(key, "DELETE", "/stages/use"), 409)
    assert post(key, event(touchpoint="renewal")).status_code == 202
    problem(call(key, "DELETE", "/touchpoints/renewal"), 409)
    assert call(key, "PATCH", "/touchpoints/renewal", {"is_active": False}).json()["is_active"] is False
    problem(post(key, event(touchpoint="renewal")), 422)
    Touchpoint.objects.get(key="renewal").events.all().delete()
    assert call(key, "DELETE", "/touchpoints/renewal").status_code == 204
    assert call(key, "DELETE", "/stages/use").status_code == 204
    assert not Stage.objects.filter(key="use").exists()


def test_a_stage_is_a_sub_step_of_another_and_stands_after_it(key: str) -> None:
    for name, parent in (("buy", None), ("use", None), ("invoice", "buy"), ("payment", "buy")):
        made = call(key, "POST", "/stages", {"key": name, "name": {"en": name}, "parent": parent, "position": 9})
        assert (made.status_code, made.json()["parent"]) == (201, parent)
    listed = [(row["key"], row["parent"], row["position"]) for row in call(key, "GET", "/stages").json()["results"]]
    assert listed[1:] == [("buy", None, 2), ("invoice", "buy", 3), ("payment", "buy", 4), ("use", None, 5)]
    for path, parent in (("use", "invoice"), ("buy", "use"), ("buy", "buy"), ("use", "nothing")):
        answer = call(key, "PATCH", f"/stages/{path}", {"parent": parent})
        assert fields_of(answer) == ["parent"], path
    problem(call(key, "DELETE", "/stages/buy"), 409)
    assert call(key, "PATCH", "/stages/invoice", {"parent": None}).json()["parent"] is None
    assert list(Stage.objects.values_list("key", flat=True)) == ["delivery", "buy", "payment", "invoice", "use"]


def test_a_rule_is_checked_versioned_and_takes_back_what_it_planned_when_it_is_switched_off(key: str) -> None:
    made = call(key, "POST", "/rules", RULE)
    assert (made.status_code, made.json()["version"], made.json()["delay_seconds"]) == (201, 1, 3600)
    rule = TriggerRule.objects.get()
    assert RuleVersion.objects.get().created_by == "terraform"
    path = f"/rules/{rule.pk}"
    factories.TouchpointFactory(key="refund")
    changed = call(key, "PATCH", path, {"delay_seconds": 60, "revoked_by": ["refund"]}).json()
    assert (changed["version"], changed["revoked_by"], changed["touchpoints"]) == (2, ["refund"], ["order_received"])
    assert call(key, "PATCH", path, {"delay_seconds": 60}).json()["version"] == 2
    now = timezone.now()
    waiting = Invitation.objects.create(
        survey=rule.survey, reason="x", send_at=now, give_up_at=now + timedelta(days=1), created_at=now
    )
    Decision.objects.create(rule=rule, invitation=waiting, status="scheduled", reason="ok", decided_at=now)
    assert call(key, "PATCH", path, {"is_active": False}).json()["version"] == 3
    waiting.refresh_from_db()
    assert (waiting.status, waiting.status_reason) == ("revoked", "rule_inactive")
    assert call(key, "DELETE", path).status_code == 204
    assert not TriggerRule.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"touchpoints": []}, "touchpoints"),
        ({"touchpoints": ["order_received", "none"]}, "touchpoints.1"),
        ({"survey": "none"}, "survey"),
        ({"survey": {"key": "order"}}, "survey"),
        ({"condition": {"field": "event.x", "op": "eq"}}, "condition"),
        ({"condition": []}, "condition"),
        ({"windows": [{"days": [7], "from": "09:00", "to": "10:00"}]}, "windows.0.days"),
        ({"delay_seconds": -1}, "delay_seconds"),
        ({"delay_seconds": 10**9}, "delay_seconds"),
        ({"expires_after_seconds": 0}, "expires_after_seconds"),
        ({"percent": 101}, "percent"),
        ({"daily_cap": 2**31}, "daily_cap"),
        ({"name": "a\x00b"}, "name"),
        ({"active_from": "2026-02-01T00:00:00Z", "active_until": "2026-01-01T00:00:00Z"}, ""),
        ({"version": 7}, "version"),
    ],
    ids=str,
)
def test_a_wrong_field_of_a_rule_is_named_by_its_path_and_nothing_is_kept(key: str, change: Any, field: str) -> None:
    assert fields_of(call(key, "POST", "/rules", {**RULE, **change})) == [field]
    assert not TriggerRule.objects.exists()
    assert not RuleVersion.objects.exists()


def test_a_dry_run_of_changes_saves_nothing_and_tells_how_it_goes(key: str) -> None:
    rule = factories.TriggerRuleFactory()
    factories.EventFactory(status="decided", contact=factories.ContactFactory())
    path = f"/rules/{rule.pk}/dry-run"
    started = call(key, "POST", path, {"days": 30, "changes": {"delay_seconds": 0, "percent": 50}})
    assert started.status_code == 202
    told = started.json()
    assert (told["status"], told["progress"], told["rule_id"]) == ("waiting", 0, rule.pk)
    rule.refresh_from_db()
    assert (rule.delay, rule.percent) == (timedelta(days=3), 100)
    assert DryRun.objects.get().draft["percent"] == 50
    assert dry_runs.run_next(now=timezone.now(), clock=timezone.now) == 1
    done = call(key, "GET", f"/dry-runs/{told['id']}").json()
    assert (done["status"], done["progress"]) == ("done", 100)
    assert done["result"]
    (row,) = call(key, "GET", f"/dry-runs?rule={rule.pk}&status=done").json()["results"]
    assert "result" not in row
    assert fields_of(call(key, "POST", path, {"changes": {"percent": 0}})) == ["changes.percent"]
    wrong = {"touchpoints": ["none"], "active_until": "2020-01-01T00:00:00Z", "active_from": "2021-01-01T00:00:00Z"}
    assert fields_of(call(key, "POST", path, {"changes": wrong})) == ["changes.touchpoints.0"]
    del wrong["touchpoints"]
    assert fields_of(call(key, "POST", path, {"changes": wrong})) == ["changes"]
    assert fields_of(call(key, "POST", path, {"days": 400})) == ["days"]
