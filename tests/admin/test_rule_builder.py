"""The forms of rules, segments, cadences and the contact budget: what they offer, tell, refuse and try."""

import json
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import User
from apps.common.conditions import CODES, Problem
from apps.common.recurrence import due_at
from apps.contacts.models import BusinessCalendar, Contact, ContactBudget
from apps.triggers import problems, versions
from apps.triggers.admin import vocabulary
from apps.triggers.admin.segments import how_many
from apps.triggers.cadences import offset_of
from apps.triggers.models import Cadence, Decision, DryRun, RuleVersion, Segment, TriggerRule
from apps.triggers.preview import preview
from apps.triggers.segments import bucket_of
from tests import factories
from tests.admin.conftest import TENANT, client_for

RULES = "/admin/triggers/triggerrule/"
SEGMENTS = "/admin/triggers/segment/"
CADENCES = "/admin/triggers/cadence/"
BUDGET = "/admin/contacts/contactbudget/"
TOTAL = {"field": "event.total", "op": "ge", "value": 100}
COUNTRY = {"field": "contact.country", "op": "eq", "value": "DE"}
TREE = {"all": [TOTAL, COUNTRY]}
VIP = {"field": "segment", "op": "in_segment", "value": "vip"}
SENTENCE = (
    "3 days after Order received, if total ≥ 100 and country is DE, ask Order; at most 20%; pointless after 14 days."
)
NOW = datetime(2026, 3, 27, 10, tzinfo=UTC)


def rule_data(**changes: Any) -> dict[str, Any]:
    """The form of the rule whose sentence is above."""
    data = {
        "name": "Big orders", "is_active": "on", "touchpoints": [factories.TouchpointFactory().pk],
        "condition": json.dumps(TREE), "survey": factories.SurveyFactory().pk, "wait": "duration", "delay": "3 days",
        "working_days": 3, "morning_at": "09:00", "windows": "[]", "percent": 20, "daily_cap": "",
        "expires_after": "14 days", "priority": 0, "revoke_match": "",
    }  # fmt: skip
    return {**data, **changes}


def tree_data(tree: Any) -> dict[str, Any]:
    return rule_data(condition=json.dumps(tree))


def script(page: str, kind: str, name: str) -> Any:
    """What the server tells one of the page's builders."""
    after = page[page.index(f'data-builder="{kind}"') :]
    found = re.search(rf'data-name="{name}" hidden>\s*<script type="application/json">(.*?)</script>', after, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def text_of(page: str, name: str) -> str:
    """What is in a text area."""
    found = re.search(rf'<textarea name="{name}"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return unescape(found[1])


def page_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.headers
    return str(answer.content.decode())


def client_with(*rights: str) -> Client:
    """Somebody of nordwind with these rights only."""
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return client_for(user, TENANT)


# --- the condition's text area ---


def test_a_condition_comes_back_as_it_was_saved(client: Client) -> None:
    tree = {"any": [TREE, {"not": {"field": "event.colour", "op": "in", "value": ["a, b", "c"]}}]}
    rule = factories.TriggerRuleFactory(condition=tree)
    page = page_of(client.get(f"{RULES}{rule.pk}/change/"))
    assert json.loads(text_of(page, "condition")) == tree
    client.post(f"{RULES}{rule.pk}/change/", rule_data(condition=text_of(page, "condition")))
    rule.refresh_from_db()
    assert rule.condition == tree


@pytest.mark.parametrize("nothing", ["", "  ", "{}", "null"])
def test_nothing_as_a_condition_is_one_that_always_holds(client: Client, nothing: str) -> None:
    client.post(f"{RULES}add/", rule_data(condition=nothing, windows=nothing.replace("{}", "[]")))
    assert (TriggerRule.objects.get().condition, TriggerRule.objects.get().windows) == ({}, [])


@pytest.mark.parametrize(
    "broken", ["{", "[" * 100_000, '{"field": "event.x", "op": "eq", "value": NaN}', "7", '"\\u0000"']
)
def test_what_is_no_condition_is_refused_and_kept_for_correction(client: Client, broken: str) -> None:
    answer = client.post(f"{RULES}add/", rule_data(condition=broken))
    assert text_of(page_of(answer), "condition").strip()[:1] == broken[:1]
    assert answer.context["adminform"].form.errors["condition"]
    assert not TriggerRule.objects.exists()


def test_what_is_wrong_is_told_in_words_and_at_its_row(client: Client) -> None:
    tree = {"all": [TOTAL, {"any": [COUNTRY, {**TOTAL, "value": "much"}]}, {"field": "", "op": ""}]}
    answer = client.post(f"{RULES}add/", tree_data(tree))
    page = page_of(answer)
    assert list(answer.context["adminform"].form.errors["condition"]) == [
        "In comparison 2.2: The value must be a number.",
        "In the 3rd comparison: Choose what is compared.",
    ]
    assert script(page, "conditions", "places") == {
        "all.1.any.1.value": "The value must be a number.",
        "all.2.field": "Choose what is compared.",
    }
    assert json.loads(text_of(page, "condition")) == tree


def test_a_segment_that_is_gone_is_told_once(client: Client) -> None:
    rule = factories.TriggerRuleFactory(condition=VIP)
    answer = client.post(f"{RULES}{rule.pk}/change/", tree_data(VIP))
    assert list(answer.context["adminform"].form.errors["condition"]) == ["There is no segment “vip”."]


def test_all_that_was_typed_is_kept_when_something_is_wrong(client: Client) -> None:
    windows = [{"days": [5], "from": "08:00", "to": "10:00"}]
    data = rule_data(name="", percent=37, delay="5 hours", windows=json.dumps(windows), revoke_match="order_id")
    page = page_of(client.post(f"{RULES}add/", data))
    for kept in ('value="37"', 'value="5 hours"', 'value="order_id"', ">Order received</option>"):
        assert kept in page
    assert json.loads(text_of(page, "windows")) == windows
    assert json.loads(text_of(page, "condition")) == TREE


# --- what the builder offers ---


def seen(**properties: Any) -> None:
    factories.EventFactory(properties=properties)


def fields(page: str) -> dict[str, dict[str, Any]]:
    groups = script(page, "conditions", "vocabulary")["groups"]
    return {field["name"]: field for group in groups for field in group["fields"]}


def test_the_builder_offers_what_events_and_contacts_lately_had(client: Client) -> None:
    seen(total=12.5, express=True, paid_at="2026-01-31T10:00:00Z", shop="Berlin", items=[1], deep={"a": 1}, none=None)
    seen(total=12.5, express=False, paid_at="2026-02-01", shop="Berlin")
    seen(**{"no such.name": 1, "total": "12", "sku": "20260131"})
    factories.ContactFactory(properties={"plan": "gold"}, country="DE")
    factories.ContactFactory(properties={"plan": "gold"}, country="DE")
    factories.ContactFactory(properties={"plan": "0170 1234567"}, country="AT")
    found = fields(page_of(client.get(f"{RULES}add/")))
    kinds = {name: field["kind"] for name, field in found.items() if name.startswith("event.")}
    assert kinds == {
        "event.touchpoint": "text", "event.source": "text", "event.total": "number", "event.express": "bool",
        "event.paid_at": "time", "event.shop": "text", "event.sku": "text",
    }  # fmt: skip
    assert found["event.touchpoint"]["choices"] == [["order_received", "Order received"]]
    assert (found["event.total"]["examples"], found["event.shop"]["examples"]) == (["12.5"], ["Berlin"])
    assert (found["contact.plan"]["examples"], found["contact.country"]["examples"]) == (["gold"], ["DE"])
    assert found["history.last_score"]["label"] == "last score"


def test_a_segments_builder_knows_neither_events_nor_segments(client: Client) -> None:
    seen(total=12.5)
    Segment.objects.create(key="vip", name="VIP")
    names = fields(page_of(client.get(f"{SEGMENTS}add/")))
    assert not [name for name in names if name.startswith(("event.", "segment"))]
    assert "history.events" in names
    assert fields(page_of(client.get(f"{RULES}add/")))["segment"]["choices"] == [["vip", "VIP"]]


def test_every_operator_that_is_offered_has_its_words(tenant: Any) -> None:
    ops = vocabulary.vocabulary(for_segment=False)["ops"]
    assert ops["number"][:3] == [["eq", "is"], ["ne", "is not"], ["lt", "<"]]
    assert ["within_days", "lies within the last … days"] in ops["time"]
    assert ops["segment"] == [["in_segment", "belongs to"], ["not_in_segment", "does not belong to"]]


def test_the_vocabulary_costs_the_same_however_much_there_is(tenant: Any) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            vocabulary.vocabulary(for_segment=False)
        return len(captured)

    count()  # The first one also says in which schema the connection stands.
    before = count()
    for number in range(20):
        seen(**{f"p{number}": number})
        factories.ContactFactory()
        Segment.objects.create(key=f"s{number}", name="S")
    assert count() == before


# --- the sentence while it is written ---


def test_the_form_is_told_in_words_without_being_saved(client: Client) -> None:
    answer = client.post(f"{RULES}preview/", rule_data(name="")).json()
    assert answer == {
        "told": SENTENCE, "missing": "Still missing: Name.", "problems": [], "places": {"condition": {}, "windows": {}},
    }  # fmt: skip
    assert not TriggerRule.objects.exists()


def test_a_form_that_cannot_be_told_says_what_is_missing_and_what_is_wrong(client: Client) -> None:
    windows = [{"days": [], "from": "18:00", "to": "09:00"}]
    data = rule_data(touchpoints=[], delay="soon", condition='{"all": [{}, 7]}', windows=json.dumps(windows))
    answer = client.post(f"{RULES}preview/", data).json()
    assert (answer["told"], answer["missing"]) == ("", "Still missing: Touchpoints.")
    assert "Condition: In part 2: This is neither a comparison nor a group of comparisons." in answer["problems"]
    assert any(problem.startswith("Delay: Write a number and a unit") for problem in answer["problems"])
    assert answer["places"]["windows"] == {
        "0.days": "Choose at least one weekday.", "0.to": "The window must end after it begins.",
    }  # fmt: skip


def test_a_changed_rule_is_told_with_its_changes(client: Client) -> None:
    rule = factories.TriggerRuleFactory()
    answer = client.post(f"{RULES}preview/?id={rule.pk}", rule_data(delay="1 hour")).json()
    assert answer["told"].startswith("1 hour after Order received")
    rule.refresh_from_db()
    assert rule.delay == timedelta(days=3)
    assert SENTENCE.partition(",")[0] in unescape(page_of(client.get(f"{RULES}{rule.pk}/change/")))


def test_only_who_may_save_the_rule_may_have_it_told(tenant: Any) -> None:
    rule = factories.TriggerRuleFactory()
    assert Client(headers={"host": TENANT}).post(f"{RULES}preview/", rule_data()).status_code == 302
    adding = client_with("add_triggerrule")
    assert adding.post(f"{RULES}preview/", rule_data()).status_code == 200
    assert adding.post(f"{RULES}preview/?id={rule.pk}", rule_data()).status_code == 403
    User.objects.all().delete()
    looking = client_with("view_triggerrule")
    assert looking.post(f"{RULES}preview/", rule_data()).status_code == 403
    page = page_of(looking.get(f"{RULES}{rule.pk}/change/"))
    assert "3 days after Order received" in page
    assert "preview/" not in page
    assert "Try it against the past" not in page


def test_the_sentence_needs_a_token_and_a_post(admin_user: User) -> None:
    strict = Client(headers={"host": TENANT}, enforce_csrf_checks=True)
    strict.force_login(admin_user, backend="django.contrib.auth.backends.ModelBackend")
    assert strict.get(f"{RULES}preview/").status_code == 405
    assert strict.post(f"{RULES}preview/", rule_data()).status_code == 403
    page_of(strict.get(f"{RULES}add/"))
    data = rule_data(csrfmiddlewaretoken=strict.cookies["csrftoken"].value)
    assert strict.post(f"{RULES}preview/", data).json()["told"] == SENTENCE


@pytest.mark.parametrize("pk", ["9999", "x", "\x00"])
def test_a_rule_that_does_not_exist_is_not_told(client: Client, pk: str) -> None:
    assert client.post(f"{RULES}preview/", rule_data(), query_params={"id": pk}).status_code in {400, 404}


@pytest.mark.parametrize(
    ("wait", "ignored"), [("working_days", {"delay": "soon"}), ("morning", {"delay": "", "working_days": 999})]
)
def test_what_the_chosen_wait_does_not_need_is_not_looked_at(client: Client, wait: str, ignored: Any) -> None:
    client.post(f"{RULES}add/", rule_data(wait=wait, **ignored))
    rule = TriggerRule.objects.get()
    assert (rule.wait, rule.delay, rule.working_days) == (wait, timedelta(days=3), 3)


# --- trying without saving ---


def test_a_new_rule_is_tried_without_being_saved(client: Client, admin_user: User) -> None:
    answer = client.post(f"{RULES}add/", rule_data(_try="1", _days="90"))
    run = DryRun.objects.get()
    assert answer.headers["Location"] == f"/dry-runs/{run.pk}/"
    assert (run.days, run.rule_id_replaced, run.created_by, run.title) == (90, None, admin_user, "Rule: Big orders")
    assert run.draft is not None
    assert run.draft["condition"] == TREE
    assert [touchpoint["key"] for touchpoint in run.draft["touchpoints"]] == ["order_received"]
    assert not TriggerRule.objects.exists()


def test_a_changed_rule_is_tried_in_place_of_the_saved_one(client: Client) -> None:
    rule = factories.TriggerRuleFactory()
    refund = factories.TouchpointFactory(key="refund", name={"en": "Refund"})
    data = rule_data(touchpoints=[refund.pk], _try="1", _days="5000")
    assert client.post(f"{RULES}{rule.pk}/change/", data).status_code == 302
    run = DryRun.objects.get()
    assert (run.days, run.rule_id_replaced) == (30, rule.pk)
    assert run.draft is not None
    assert [touchpoint["key"] for touchpoint in run.draft["touchpoints"]] == ["refund"]
    rule.refresh_from_db()
    assert (rule.name, rule.condition) == ("After the order", {})
    assert [touchpoint.key for touchpoint in rule.touchpoints.all()] == ["order_received"]
    assert not RuleVersion.objects.exists()


def test_a_broken_rule_is_not_tried_but_shown_again(client: Client) -> None:
    page = page_of(client.post(f"{RULES}add/", rule_data(_try="1", name="", percent=300)))
    assert "This field is required" in page
    assert not DryRun.objects.exists()
    assert not TriggerRule.objects.exists()


def test_only_who_may_save_may_try(tenant: Any) -> None:
    rule = factories.TriggerRuleFactory()
    ContactBudget.objects.create(pk=1)
    looking = client_with("view_triggerrule", "view_contactbudget")
    assert looking.post(f"{RULES}{rule.pk}/change/", rule_data(_try="1")).status_code == 403
    assert looking.post(f"{BUDGET}1/change/", {"_try": "1"}).status_code == 403
    assert not DryRun.objects.exists()


BUDGET_DATA = {"min_days_between": 7, "max_per_90_days": 3, "company_days": 30, "days_after_response": 0,
               "days_after_decline": 30}  # fmt: skip


def test_a_changed_contact_budget_is_tried_without_being_saved(client: Client) -> None:
    ContactBudget.objects.create(pk=1)
    client.post(f"{BUDGET}1/change/", {**BUDGET_DATA, "_try": "1", "_days": "365"})
    run = DryRun.objects.get()
    assert (run.draft, run.days) == (None, 365)
    assert run.budget == {**BUDGET_DATA, "max_per_365_days": None, "max_per_company": None}
    assert ContactBudget(**run.budget).min_days_between == 7
    assert ContactBudget.objects.get().min_days_between == 14
    client.post(f"{BUDGET}1/change/", BUDGET_DATA)
    assert ContactBudget.objects.get().min_days_between == 7


def test_the_contact_budget_lists_the_touchpoints_with_exceptions(client: Client) -> None:
    ContactBudget.objects.create(pk=1)
    factories.TouchpointFactory()
    factories.TouchpointFactory(key="bye", name={"en": "Cancelled"}, exception_days=0)
    page = page_of(client.get(f"{BUDGET}1/change/"))
    assert "none: at once" in page
    assert "Cancelled" in page
    assert "Order received" not in page


# --- the list, versions and copies ---


def list_queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as captured:
        page_of(client.get(RULES))
    return len([query for query in captured if not query["sql"].startswith("SET ") and "tenants_" not in query["sql"]])


def test_the_list_tells_fifty_rules_with_as_many_queries_as_one(client: Client) -> None:
    Segment.objects.create(key="vip", name="Regulars", condition=COUNTRY)
    factories.TriggerRuleFactory(condition=VIP)
    list_queries(client)  # The first one also looks for the tenant.
    one = list_queries(client)
    for number in range(49):
        place = factories.TouchpointFactory(key=f"t{number}", name={"en": f"Place {number}"})
        survey = factories.SurveyFactory(key=f"s{number}")
        factories.TriggerRuleFactory(name=f"Rule {number}", touchpoints=[place], survey=survey, condition=VIP)
    assert list_queries(client) == one
    page = page_of(client.get(RULES))
    assert page.count("if belongs to Regulars, ask") == 50
    assert "3 days after Place 48" in page


def test_a_rules_page_tells_its_versions(client: Client) -> None:
    client.post(f"{RULES}add/", rule_data())
    rule = TriggerRule.objects.get()
    client.post(f"{RULES}{rule.pk}/change/", rule_data(delay="1 day", condition="{}"))
    page = page_of(client.get(f"{RULES}{rule.pk}/change/"))
    told = page[page.index('id="versions-title"') :]
    assert told.index("1 day after Order received, ask Order") < told.index(SENTENCE)
    assert told.count("<td>chief</td>") == 2


def test_a_copy_is_inactive_and_otherwise_the_same(client: Client) -> None:
    segment = Segment.objects.create(key="vip", name="VIP", condition=COUNTRY)
    refund = factories.TouchpointFactory(key="refund", name={"en": "Refund"})
    rule = factories.TriggerRuleFactory(name="x" * 120, condition=VIP, percent=20)
    rule.revoked_by.add(refund)
    client.post(RULES, {"action": "copy", "_selected_action": [rule.pk]})
    copy = TriggerRule.objects.exclude(pk=rule.pk).get()
    before, after = (versions.snapshot(one, segments={"vip": segment}) for one in (rule, copy))
    assert (copy.is_active, copy.name[:9], len(copy.name)) == (False, "Copy of x", 120)
    assert {**after, "name": "", "is_active": True} == {**before, "name": ""}
    assert rule.is_active
    assert RuleVersion.objects.get(rule=copy).created_by == "chief"


# --- segments ---


def test_a_segment_tells_how_many_contacts_fit(client: Client) -> None:
    for country in ("DE", "DE", "AT"):
        factories.ContactFactory(country=country)
    answer = client.post(f"{SEGMENTS}preview/", {"name": "", "key": "", "condition": json.dumps(COUNTRY)}).json()
    assert (answer["told"], answer["missing"]) == ("2 of 3 contacts fit.", "Still missing: Name, Key.")
    wrong = client.post(f"{SEGMENTS}preview/", {"name": "A", "key": "a", "condition": json.dumps(VIP)}).json()
    assert (wrong["told"], wrong["problems"]) == ("", ["Condition: A segment cannot be part of this condition."])
    assert not Segment.objects.exists()


def test_counting_gives_up_rather_than_keeping_the_database_busy(tenant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(**_: Any) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        return 0

    monkeypatch.setattr("apps.triggers.admin.segments.PATIENCE_MS", 50)
    monkeypatch.setattr("apps.triggers.segments.size", slow)
    assert how_many({}) == "These are too many contacts to count them while you write."


def test_a_segment_is_made_with_its_condition_told_in_the_list(client: Client) -> None:
    client.post(f"{SEGMENTS}add/", {"name": "Germany", "key": "germany", "condition": json.dumps(COUNTRY)})
    assert Segment.objects.get().condition == COUNTRY
    assert "country is DE" in page_of(client.get(SEGMENTS))


def test_a_segment_that_a_rule_needs_keeps_its_key_and_is_not_deleted(client: Client) -> None:
    used = Segment.objects.create(key="vip", name="VIP")
    free = Segment.objects.create(key="free", name="Free")
    factories.TriggerRuleFactory(condition={"all": [TOTAL, {"not": VIP}]})
    client.post(f"{SEGMENTS}{used.pk}/change/", {"name": "Regulars", "key": "other", "condition": "{}"})
    used.refresh_from_db()
    assert (used.name, used.key) == ("Regulars", "vip")
    assert client.post(f"{SEGMENTS}{used.pk}/delete/", {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [used.pk, free.pk], "post": "yes"}
    client.post(SEGMENTS, data)
    assert Segment.objects.count() == 2
    client.post(f"{SEGMENTS}{free.pk}/delete/", {"post": "yes"})
    assert Segment.objects.get() == used


# --- cadences ---


def cadence_data(**changes: Any) -> dict[str, Any]:
    data = {
        "name": "Quarterly", "is_active": "on", "survey": factories.SurveyFactory().pk, "kind": "per_contact",
        "period_days": "91", "period_days_days": "7", "recurrence": "", "starts_on": "2026-01-01", "at": "09:00",
        "windows": "[]", "percent": 100, "expires_after": "14 days", "priority": 0,
    }  # fmt: skip
    return {**data, **changes}


@pytest.mark.parametrize(
    ("changes", "days"),
    [({}, 91), ({"period_days": "182"}, 182), ({"period_days": ""}, 7), ({"recurrence": "nonsense"}, 91)],
)
def test_a_cadences_period_is_chosen_or_a_number_of_days(client: Client, changes: Any, days: int) -> None:
    client.post(f"{CADENCES}add/", cadence_data(**changes))
    cadence = Cadence.objects.get()
    assert (cadence.period_days, cadence.recurrence) == (days, "")
    page = page_of(client.get(f"{CADENCES}{cadence.pk}/change/"))
    chosen = re.search(r'<select name="period_days".*?<option value="(\d*)" selected', page, re.DOTALL)
    assert chosen is not None
    assert chosen[1] == (str(days) if days != 7 else "")


def test_a_cadence_of_the_calendar_needs_a_recurrence_and_no_period(client: Client) -> None:
    data = cadence_data(kind="calendar", period_days="", period_days_days="")
    answer = client.post(f"{CADENCES}add/", data)
    assert "recurrence" in answer.context["adminform"].form.errors
    client.post(f"{CADENCES}add/", {**data, "recurrence": "freq=monthly;byday=1mo"})
    assert Cadence.objects.get().recurrence == "FREQ=MONTHLY;BYDAY=1MO"
    assert 'data-text="FREQ=MONTHLY;BYDAY=1MO"' in page_of(client.get(f"{CADENCES}add/"))


def berlin() -> None:
    BusinessCalendar.objects.create(pk=1, time_zone="Europe/Berlin", country="DE")


@pytest.mark.parametrize("starts_on", [date(2026, 1, 1), date(2026, 4, 10)])
def test_the_preview_counts_each_contact_on_the_local_day_of_its_turn(tenant: Any, starts_on: date) -> None:
    """Over the night in which Berlin's clocks change, and for a segment of the contacts."""
    berlin()
    segment = Segment.objects.create(key="de", name="DE", condition=COUNTRY)
    for number in range(120):
        factories.ContactFactory(country=["DE", "AT"][number % 2])
    cadence = Cadence.objects.create(
        name="C", survey=factories.SurveyFactory(), segment=segment, period_days=40, starts_on=starts_on
    )
    zone = timezone.zoneinfo.ZoneInfo("Europe/Berlin")
    begins = max(NOW, datetime(starts_on.year, starts_on.month, starts_on.day, tzinfo=zone))
    last = NOW.astimezone(zone).date() + timedelta(days=89)
    expected: Counter[date] = Counter()
    for contact in Contact.objects.filter(country="DE"):
        for turn in range(50, 70):
            at = due_at(bucket_of(contact.id), turn, 40, offset_of(cadence.pk))
            if at > begins and at.astimezone(zone).date() <= last:
                expected[at.astimezone(zone).date()] += 1
    found = preview(cadence, NOW)
    assert len(found) == 90
    assert found[0][0] == date(2026, 3, 27)
    assert {day: count for day, count in found if count} == dict(expected)
    assert sum(expected.values()) > 80


def test_the_preview_of_the_calendar_asks_the_whole_segment_on_its_days(tenant: Any) -> None:
    berlin()
    for _ in range(3):
        factories.ContactFactory()
    cadence = Cadence.objects.create(
        name="C", survey=factories.SurveyFactory(), kind="calendar", recurrence="FREQ=MONTHLY;BYDAY=1MO",
        starts_on=date(2026, 1, 1),
    )  # fmt: skip
    found = {day: count for day, count in preview(cadence, NOW) if count}
    assert found == {date(2026, 4, 6): 3, date(2026, 5, 4): 3, date(2026, 6, 1): 3}


def test_the_preview_costs_no_query_per_day(tenant: Any) -> None:
    cadence = Cadence.objects.create(name="C", survey=factories.SurveyFactory(), starts_on=date(2026, 1, 1))
    factories.ContactFactory()
    for days in (1, 90):
        with CaptureQueriesContext(connection) as captured:
            preview(cadence, NOW, days=days)
        assert len([query for query in captured if not query["sql"].startswith("SET ")]) <= 2


def test_a_cadences_page_shows_what_comes_and_what_was(client: Client) -> None:
    cadence = Cadence.objects.create(name="C", survey=factories.SurveyFactory(), period_days=1)
    contact = factories.ContactFactory()
    for status in ("scheduled", "scheduled", "blocked"):
        Decision.objects.create(
            cadence=cadence, occurrence="cadence:1:5", contact=contact, status=status, reason="ok",
            decided_at=timezone.now(),
        )  # fmt: skip
    page = page_of(client.get(f"{CADENCES}{cadence.pk}/change/", headers={"accept-language": "de"}))
    assert 'lang="de"' in page
    bars = re.findall(r'<rect x="([^"]*)" y="(\d+)" width="([^"]*)" height="(\d+)"', page)
    assert len(bars) == 90
    assert all(re.fullmatch(r"\d+\.\d", value) for bar in bars for value in (bar[0], bar[2]))
    runs = page[page.index('id="runs-title"') :]
    assert re.findall(r'<td class="number">(\d+)</td>', runs) == ["3", "2", "0", "0", "1"]


def test_a_cadence_whose_segment_is_broken_still_opens(client: Client) -> None:
    segment = Segment.objects.create(key="x", name="X", condition={"field": "event.total", "op": "eq", "value": 1})
    cadence = Cadence.objects.create(name="C", survey=factories.SurveyFactory(), segment=segment)
    page = page_of(client.get(f"{CADENCES}{cadence.pk}/change/"))
    assert "“total” is not known" in page


# --- sentences about what is wrong ---

EXAMPLES: dict[str, Any] = {
    "key": "x", "limit": 6, "field": "contact.x", "op": "ge", "kind": "text", "expected": "number", "low": 1,
    "high": 3660, "max_length": 100, "max_stars": 8, "segment": "vip",
}  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_every_problem_of_a_condition_has_its_sentence(code: str) -> None:
    problem = Problem("all.1.value", code, {name: EXAMPLES[name] for name in CODES[code]})
    text = problems.text_of(problem)
    assert text.endswith(".")
    assert "%" not in text
    assert "means nothing (" not in text


@pytest.mark.parametrize("expected", ["text", "number", "bool", "scalar", "list", "range", "days", "time"])
def test_every_type_that_is_expected_has_its_words(expected: str) -> None:
    text = problems.text_of(Problem("value", "wrong_type", {"expected": expected}))
    assert re.fullmatch(r"The value must be \w+ .*\.", text)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("value", ""),
        ("all.0.value", "In the 1st comparison: "),
        ("any.1", "In the 2nd comparison: "),
        ("all.10.value", "In the 11th comparison: "),
        ("all.22.op", "In the 23rd comparison: "),
        ("all.1.not.any.2.field", "In comparison 2.3: "),
    ],
)
def test_the_place_is_named_in_words(path: str, place: str) -> None:
    error = problems.ConditionError([Problem(path, "empty_value", {})])
    assert problems.sentences(error) == [f"{place}The value is missing."]


def test_one_of_several_values_is_named() -> None:
    error = problems.ConditionError([Problem("all.0.value.2", "wrong_type", {"expected": "number"})])
    assert problems.sentences(error) == ["In the 1st comparison: Value 3: The value must be a number."]
