"""A campaign tried on past responses: the same ways as live, and nothing is written or sent."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from apps.campaigns import trials
from apps.campaigns.criteria import Criteria
from apps.campaigns.models import Campaign, CampaignTrial, StepRun
from apps.campaigns.services import enrol, run_steps
from apps.campaigns.trials import MAX_ATTEMPTS, next_due, run_next, start
from apps.cases.models import Case
from apps.contacts.models import ContactBudget, LegalBasis, Outreach, Preference
from apps.incentives.models import Voucher, VoucherPool
from apps.integrations.models import Endpoint
from apps.messaging.suppressions import suppress
from apps.responses.models import Response
from tests import factories
from tests.campaigns.following import answered

pytestmark = pytest.mark.usefixtures("tenant")
NOW = datetime(2026, 6, 1, 10, tzinfo=UTC)
DAY = timedelta(days=1)
MAIL = {"key": "sorry", "kind": "email", **factories.MAIL, "also_while_case": False}
WEEK = {"key": "week", "kind": "wait", "seconds": 7 * 86_400}
TASK = {"key": "call", "kind": "task", "title": {"en": "Call"}}


def campaign(*steps: dict[str, Any], **values: Any) -> Campaign:
    values = {"segment": "", "stop_on_response": False, "pause_while_case": False, **values}
    made = factories.CampaignFactory(**values)
    made.draft = {"steps": list(steps)}
    made.save()
    return made


def said(days: float, *, score: int = 3, basis: bool = True, **values: Any) -> Response:
    at = NOW - days * DAY
    contact = factories.ContactFactory()
    if basis:
        LegalBasis.objects.create(contact=contact, kind="consent", source="shop", granted_at=at - DAY)
    return answered(contact, at, score, **values)


def tried(of: Campaign, days: int = 30, **values: Any) -> dict[str, Any]:
    run = start(campaign=of, days=days, now=NOW, **values)
    assert run_next(now=NOW, clock=lambda: NOW) == 1
    run.refresh_from_db()
    assert run.status == "done", run.error
    assert run.result is not None
    return run.result


def everything() -> dict[str, list[Any]]:
    models = [model for model in apps.get_models() if model.__module__.startswith("apps.")]
    models = [m for m in models if m._meta.app_label not in ("tenants", "common", "relays") and m is not CampaignTrial]
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


def test_who_would_have_entered_and_who_went_elsewhere() -> None:
    rival = factories.step(factories.CampaignFactory(name="First", segment="promoter", priority=5))
    of = campaign(MAIL, holdout_percent=50)
    for number in range(20):
        said(1 + number / 10)
    said(2, score=10)
    said(40)
    said(2, is_suspected=True)
    said(2, channel="import")
    before = everything()
    found = tried(of)
    assert everything() == before
    assert (found["looked_at"], found["entered"]) == (21, 20)
    assert found["others"] == [[rival.pk, "First", 1]]
    assert 0 < found["left_out"] < 20
    assert found["steps"]["sorry"]["came"] == 20 - found["left_out"]


def test_the_trial_takes_the_ways_that_were_taken_live() -> None:
    """What really happened to responses, and what the trial says of the same ones a moment later."""
    split = {"key": "split", "kind": "branch", "condition": {"field": "response.score", "op": "le", "value": 3},
             "yes": [{"key": "open", "kind": "case"}], "no": [TASK]}  # fmt: skip
    of = factories.publish(campaign(stop_on_response=True), [MAIL, split])
    factories.theme()
    now = timezone.now()
    for number in range(12):
        contact = factories.ContactFactory(email=None if number == 3 else f"kim{number}@example.com")
        if number % 3:
            LegalBasis.objects.create(contact=contact, kind="consent", source="shop", granted_at=now - DAY)
        if number == 4:
            Preference.objects.create(contact=contact, wants_surveys=True, wants_follow_ups=False, changed_at=now - DAY)
        if number == 5:
            suppress(emails=["kim5@example.com"], reason="bounced", source="test", now=now - DAY)
        answered(contact, now, score=number % 7, follow_up_at=now)
    Response.objects.update(follow_up="pending")
    enrol(now=now)
    for _step in range(4):
        run_steps(now=now + timedelta(seconds=1), base_url="https://nordwind.example")
    run = start(campaign=of, days=1, now=now + timedelta(seconds=2))
    run_next(now=now, clock=timezone.now)
    run.refresh_from_db()
    assert run.result is not None, run.error
    for key in ("sorry", "split", "open", "call"):
        rows = StepRun.objects.filter(step_key=key)
        found = run.result["steps"][key]
        assert found["came"] == rows.count() > 0, key
        skipped = {reason: rows.filter(reason=reason).count() for reason in found["skipped"]}
        assert found["skipped"] == skipped, key
        assert found["done"] == rows.filter(status="done").count(), key
        ways = {way: rows.filter(result__way=way).count() for way in found["ways"]}
        assert found["ways"] == ways, key
    assert run.result["mails"]["refused"].keys() == {"no_legal_basis", "no_address", "preference", "suppressed"}


def test_what_came_later_decides_only_from_its_time_on() -> None:
    again = {"field": "again.answered", "op": "eq", "value": True}
    split = {"key": "split", "kind": "branch", "condition": again, "yes": [TASK], "no": [MAIL]}
    early, late, waiting = said(20), said(20), said(3)
    answered(early.contact, NOW - 15 * DAY, 9, channel="import")
    answered(early.contact, NOW - 14 * DAY, 8)
    answered(late.contact, NOW - 12 * DAY, 8)
    Endpoint.objects.create(url="https://crm.example/")
    found = tried(campaign(WEEK, split))
    assert found["steps"]["week"] == {
        "came": 5, "done": 4, "skipped": {}, "waiting": {"": 1}, "ways": {}, "over_budget": 0,
    }  # fmt: skip
    assert found["steps"]["split"]["ways"] == {"yes": 1, "no": 3}
    path = next(one["path"] for one in found["examples"] if one["response"] == str(early.pk))
    assert [step[:3] for step in path] == [["week", "done", ""], ["split", "done", "yes"], ["call", "done", ""]]
    assert path[-1][3] == (early.answered_at + 7 * DAY).isoformat()
    assert any(one["response"] == str(waiting.pk) for one in found["examples"])
    # The campaign that ends by a new answer does so at its time, too.
    stopped = tried(campaign(WEEK, MAIL, stop_on_response=True))
    assert stopped["steps"]["week"]["skipped"] == {"new_response": 1}
    assert stopped["ends"] == {"new_response": 1, "done": 3, "waiting": 1}


def test_mails_wait_for_cases_as_long_as_these_were_open() -> None:
    for row, opened, closed in ((said(20), 19, 10), (said(20), 19, None), (said(120), 119, 10), (said(20), 1, None)):
        Case.objects.create(
            response=row, contact=row.contact, opened_at=NOW - opened * DAY, due_at=NOW,
            status="solved" if closed else "new", closed_at=NOW - closed * DAY if closed else None,
        )  # fmt: skip
    found = tried(campaign(WEEK, MAIL, pause_while_case=True), days=200)
    mail = found["steps"]["sorry"]
    assert (mail["came"], mail["done"]) == (4, 2)
    assert mail["waiting"] == {"case_open": 1}
    assert mail["skipped"] == {"case_open_long": 1}
    over = tried(campaign(WEEK, {**MAIL, "also_while_case": True}, pause_while_case=True), days=200)
    assert over["steps"]["sorry"]["done"] == 4


def test_refusals_are_those_of_that_time() -> None:
    late_basis, left, fine = said(10, basis=False), said(10), said(10)
    assert late_basis.contact
    assert left.contact
    assert left.contact.email
    LegalBasis.objects.create(contact=late_basis.contact, kind="consent", source="shop", granted_at=NOW - 5 * DAY)
    suppress(emails=[left.contact.email], reason="unsubscribed", source="test", now=NOW - 5 * DAY)
    found = tried(campaign(MAIL, WEEK, {**MAIL, "key": "again"}))
    assert found["steps"]["sorry"]["skipped"] == {"no_legal_basis": 1}
    assert found["steps"]["week"]["skipped"] == {"unsubscribed": 1}
    assert found["steps"]["again"]["done"] == 2
    assert found["mails"] == {"sent": 4, "over_budget": 0, "refused": {"no_legal_basis": 1}}
    assert fine.contact_id


def test_mails_that_would_have_met_the_budget_are_counted() -> None:
    budget = ContactBudget.objects.first() or ContactBudget()
    budget.min_days_between = 7
    budget.save()
    asked, fresh = said(10), said(10)
    Outreach.objects.create(
        contact=asked.contact, kind="invitation", reason="event:1", at=NOW - 11 * DAY, state="spent", plan={},
    )  # fmt: skip
    found = tried(campaign({**MAIL, "within_budget": True}))
    assert (found["mails"]["over_budget"], found["mails"]["sent"]) == (1, 2)
    assert fresh.contact_id


def test_vouchers_are_counted_against_the_stock_of_today() -> None:
    pool = VoucherPool.objects.create(name="Five", value={"en": "5 €"})
    Voucher.objects.bulk_create([Voucher(pool=pool, code=f"CODE-{number}") for number in range(2)])
    for number in range(4):
        said(1 + number)
    gone = {"key": "gone", "kind": "voucher", "pool": pool.pk + 1}
    found = tried(campaign({"key": "gift", "kind": "voucher", "pool": pool.pk}, gone, {"key": "open", "kind": "case"}))
    assert found["pools"] == [{"pool": pool.pk, "name": "Five", "wanted": 4, "given": 2, "left": 2}]
    assert found["steps"]["gift"]["skipped"] == {"pool_empty": 2}
    assert found["steps"]["gone"]["skipped"] == {"pool_gone": 4}
    assert found["cases"] == {"opened": 4, "there": 0}
    assert Voucher.objects.filter(status="free").count() == 2


def test_it_says_what_is_only_known_as_of_today() -> None:
    condition = {"any": [
        {"field": "voucher.redeemed", "op": "eq", "value": True},
        {"field": "contact.country", "op": "eq", "value": "DE"}, {"field": "again.answered", "op": "eq", "value": True},
    ]}  # fmt: skip
    said(1)
    found = tried(campaign({"key": "s", "kind": "branch", "condition": condition, "yes": [TASK], "no": []}))
    assert (found["unknown"], found["as_of_now"]) == (["voucher.redeemed"], ["contact.country"])


def test_a_campaign_by_hand_is_tried_as_if_it_were_started_now() -> None:
    of = campaign(WEEK, MAIL, entry="by_hand", segment="detractor")
    said(100, comment="Too slow"), said(100, score=9, comment="Slow, but fine"), said(100)
    found = tried(of, criteria=Criteria(words=("slow",)))
    assert (found["looked_at"], found["entered"], found["others"]) == (1, 1, [])
    assert found["steps"]["sorry"]["done"] == 1
    assert found["ends"] == {"done": 1}


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        said(1 + number % 3)
    of = campaign(MAIL)
    whole = tried(of)
    monkeypatch.setattr(trials._Trial.go, "__defaults__", (2,))
    assert tried(of) == whole


def test_a_trial_whose_worker_died_is_taken_again_and_then_given_up() -> None:
    run = start(campaign=campaign(MAIL), days=9999, now=NOW)
    assert (run.days, next_due()) == (366, NOW)
    for attempt in range(MAX_ATTEMPTS):
        claimed = trials._claim(NOW + attempt * trials.LEASE * 2)
        assert claimed is not None
        assert trials._claim(NOW + attempt * trials.LEASE * 2) is None
    assert run_next(now=NOW + 100 * trials.LEASE, clock=timezone.now) == 1
    run.refresh_from_db()
    assert (run.status, next_due()) == ("failed", None)
    assert "workers" in run.error


def test_a_trial_that_breaks_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    said(1)
    run = start(campaign=campaign(MAIL), days=30, now=NOW)
    monkeypatch.setattr(trials.Walk, "go", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run_next(now=NOW, clock=timezone.now)
    run.refresh_from_db()
    assert (run.status, run.error) == ("failed", "ZeroDivisionError: division by zero")
