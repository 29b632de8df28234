import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tenants.utils import tenant_context

from apps.accounts.models import User
from apps.contacts.models import Contact
from apps.triggers import dry_runs, services, versions
from apps.triggers.models import DryRun
from apps.workspace import results
from tests import factories
from tests.workspace.test_why import words

pytestmark = pytest.mark.usefixtures("tenant")
BIG = {"field": "event.total", "op": "ge", "value": 100}


def house(now: datetime) -> Any:
    """A saved rule, and ten days with an event each: totals of 20, 40 … 200, every other one of the same contact."""
    rule = factories.TriggerRuleFactory(name="After the order", condition=BIG, delay=timedelta(hours=1))
    factories.TriggerRuleFactory(name="Others")
    for number in range(1, 11):
        at = now - timedelta(days=number)
        person = {"external_id": f"c-{number % 2 * number}", "email": f"c{number % 2 * number}@example.com"}
        factories.EventFactory(
            occurred_at=at, received_at=at, contact_data={**person, "name": f"Kim {number}"}, external_id=f"o-{number}",
            properties={"total": 20 * number},
        )  # fmt: skip
        services.evaluate_events(now=at)
    return rule


def start(now: datetime, **values: Any) -> DryRun:
    return dry_runs.start(**{"title": "Trial", "days": 30, "now": now, **values})


def draft_of(rule: Any) -> dict[str, Any]:
    return versions.snapshot(rule, segments={})


def carry_out(now: datetime) -> None:
    assert dry_runs.run_next(now=now, clock=timezone.now) == 1


def url(run: DryRun, name: str = "dry_run") -> str:
    return reverse(f"workspace:{name}", args=[run.pk])


def read(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return words(answer.content.decode())


def test_the_list_says_how_to_start_and_is_searched(client: Client, user: User, now: datetime) -> None:
    assert "press “Try it against the past” before you save it." in read(client, "/dry-runs/")
    start(now, title="Orders", draft=draft_of(factories.TriggerRuleFactory()), user=user)
    start(now, title="Budget", days=7, budget={"min_days_between": 3})
    page = read(client, "/dry-runs/")
    assert "Orders 30 days back" in page
    assert "Budget 7 days back" in page
    assert "cx" in page
    for query, titles in (
        ({"q": "ord"}, ["Orders"]),
        ({"status": "waiting"}, ["Budget", "Orders"]),
        ({"status": "done"}, []),
    ):
        rows = client.get("/dry-runs/", query).context["page"].rows
        assert sorted(row.title for row in rows) == titles
    assert "No dry run fits these filters." in read(client, "/dry-runs/?q=zzz")


def test_a_dry_run_of_a_rule_shows_its_figures(client: Client, now: datetime) -> None:
    rule = house(now)
    run = start(now, draft={**draft_of(rule), "percent": 100}, replaces=rule.pk)
    carry_out(now)
    run.refresh_from_db()
    assert run.result is not None
    part = results.read(run).rule
    assert part.asked == run.result["rule"]["asked"]
    assert part.decided == 10
    page = read(client, url(run))
    for text in (
        "Events looked at 10 10 for this rule",
        f"Would be asked {part.asked} {10 * part.asked} %",
        f"because of the budget {part.later}",
        f"Not asked {10 - part.asked}",
        "1 hour after Order received, if total ≥ 100, ask Order; pointless after 14 days. The draft, in place of",
        "Estimated mails per day",
        "The rule's condition does not hold. Skipped 4 40 %",
        "Run again",
    ):
        assert text in page, text
    listed = client.get("/dry-runs/").context["page"].rows[0]
    assert listed.asked == part.asked
    table = client.get(url(run)).context["result"].columns
    assert sum(column.lower for column in table) == sum(run.result["rule"]["days"].values())
    assert sum(column.upper for column in table) == sum(run.result["others"]["days"].values())


def test_examples_lead_to_their_why_pages_and_cost_two_queries(
    client: Client, queries_of: Callable[[str], int], now: datetime, django_assert_num_queries: Any
) -> None:
    rule = house(now)
    run = start(now, draft=draft_of(rule), replaces=rule.pk)
    carry_out(now)
    run.refresh_from_db()
    with django_assert_num_queries(2):
        examples = dict(results.read(run).examples)
    assert len(examples["condition"]) == 4
    assert [example.event.properties["total"] for example in examples["condition"]] == [80, 60, 40, 20]  # type: ignore[union-attr]
    assert queries_of(url(run)) == 5  # Session, user, run, events, contacts.
    html = client.get(url(run)).content.decode()
    for example in examples["condition"]:
        assert reverse("workspace:why_event", args=[example.event.pk]) in html  # type: ignore[union-attr]
    Contact.objects.all().delete()
    assert "deleted" in read(client, url(run))


def test_a_dry_run_of_a_budget_counts_all_rules(client: Client, now: datetime) -> None:
    house(now)
    run = start(now, budget={"min_days_between": 3, "days_after_decline": 0})
    carry_out(now)
    run.refresh_from_db()
    assert run.result is not None
    page = read(client, url(run))
    assert f"Would be asked {run.result['others']['asked']}" in page
    assert "At least 3 days between two approaches. The contact budget that was tried" in page
    assert "All rules" in page
    assert "This rule" not in page
    assert "Examples" not in page
    assert client.get("/dry-runs/").context["page"].rows[0].asked_in_all == run.result["others"]["asked"]


def test_a_dry_run_over_nothing_says_so(client: Client, now: datetime) -> None:
    run = start(now, draft=draft_of(factories.TriggerRuleFactory()))
    carry_out(now)
    page = read(client, url(run))
    assert "Events looked at 0" in page
    assert "Nothing happened at the rules' touchpoints in this time." in page
    assert "The draft, beside all active rules" in page


def test_progress_is_shown_until_it_is_done(client: Client, now: datetime) -> None:
    run = start(timezone.now(), draft=draft_of(factories.TriggerRuleFactory()))
    html = client.get(url(run)).content.decode()
    assert f'data-poll="{url(run, "dry_run_progress")}"' in html
    assert re.search(r'<noscript>\s*<meta http-equiv="refresh" content="2">', html)
    fragment = client.get(url(run, "dry_run_progress"))
    assert "<html" not in fragment.content.decode()
    assert "no-store" in fragment.headers["Cache-Control"]
    assert "Waits for a worker." in words(fragment.content.decode())
    assert " value=" not in fragment.content.decode()
    DryRun.objects.update(status="running", lease_until=now + timedelta(hours=1))
    assert "Counts the events." in read(client, url(run, "dry_run_progress"))
    DryRun.objects.update(events_total=12_000, events_done=4_999)
    fragment = client.get(url(run, "dry_run_progress"))
    assert 'value="41"' in fragment.content.decode()
    assert "41 % 4,999 of 12,000 events looked at" in words(fragment.content.decode())
    assert "Another one starts anew soon." not in fragment.content.decode()
    DryRun.objects.update(status="done", result={"events": 0, **dict.fromkeys(("rule", "others"), results._NOTHING)})
    assert client.get(url(run, "dry_run_progress")).status_code == 204


def test_it_is_said_when_no_worker_comes(client: Client, now: datetime) -> None:
    run = start(timezone.now() - timedelta(seconds=25))
    assert "No worker has taken it" not in read(client, url(run))
    DryRun.objects.update(created_at=timezone.now() - timedelta(seconds=31))
    assert "No worker has taken it for half a minute." in read(client, url(run))
    DryRun.objects.update(status="running", lease_until=timezone.now() - timedelta(seconds=1))
    page = read(client, url(run, "dry_run_progress"))
    assert "Another one starts anew soon." in page
    assert "No worker has taken it" not in page


def test_a_failure_says_what_to_do(client: Client, now: datetime) -> None:
    run = start(now, title="<script>title</script>")
    DryRun.objects.update(status="failed", error="ValueError: <script>", events_total=10, events_done=3)
    html = client.get(url(run)).content.decode()
    assert "<script>" not in html
    page = words(html)
    assert "Run it again, over fewer days if it took long." in page
    assert "ValueError: <script>" in page
    assert "3 of 10 events looked at" in page
    assert client.get(url(run, "dry_run_progress")).status_code == 204


def test_it_can_be_run_again_over_other_days(client: Client, user: User, now: datetime) -> None:
    rule = factories.TriggerRuleFactory()
    run = start(now, draft=draft_of(rule), replaces=rule.pk, budget={"min_days_between": 1})
    carry_out(now)
    answer = client.post(url(run, "dry_run_again"), {"days": "90"})
    fresh = DryRun.objects.exclude(pk=run.pk).get()
    assert answer.headers["Location"] == url(fresh)
    same = ("title", "draft", "rule_id_replaced", "budget")
    assert [getattr(fresh, name) for name in same] == [getattr(run, name) for name in same]
    assert (fresh.days, fresh.created_by, fresh.status) == (90, user, "waiting")
    for wrong in ("8", "", "x"):
        assert client.post(url(run, "dry_run_again"), {"days": wrong}).headers["Location"] == url(run)
    assert DryRun.objects.count() == 2
    assert client.get(url(run, "dry_run_again")).status_code == 405


def test_another_tenants_dry_run_is_not_found(client: Client, other_tenant: Any, now: datetime) -> None:
    with tenant_context(other_tenant):
        foreign = start(now, title="Secret")
    for name in ("dry_run", "dry_run_progress"):
        assert client.get(url(foreign, name)).status_code == 404
    assert client.post(url(foreign, "dry_run_again"), {"days": "7"}).status_code == 404
    assert "Secret" not in read(client, "/dry-runs/")


def test_the_list_costs_the_same_for_one_run_and_for_many(
    queries_of: Callable[[str], int], user: User, now: datetime
) -> None:
    start(now, user=user)
    assert queries_of("/dry-runs/") == 4  # Session, user, count, rows.
    for _number in range(5):
        start(now, user=User.objects.create(username=f"u{_number}"))
    assert queries_of("/dry-runs/") == 4


def test_what_came_to_nothing_is_not_listed() -> None:
    reasons = [
        ["scheduled", "ok", 5],
        ["deferred", "budget", 2],
        ["deferred", "daily_cap", 1],
        ["skipped", "outranked", 3],
    ]
    part = results._part({
        "reasons": [*reasons, ["blocked", "suppressed", 0]],
        "days": {"2026-11-01": 4, "2026-11-02": 0},
    })  # fmt: skip
    assert (part.decided, part.asked, part.later, part.not_asked) == (11, 8, 2, 3)
    assert part.days == {date(2026, 11, 1): 4}
    assert ("blocked", "suppressed") not in part.reasons
