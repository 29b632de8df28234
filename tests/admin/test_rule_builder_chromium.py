"""A rule is built in a browser by somebody who has never seen JSON: by mouse, by keyboard, on a phone."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_tenants.utils import tenant_context
from playwright.sync_api import Browser, Locator, Page, expect

from apps.accounts.models import User
from apps.contacts.models import Contact
from apps.tenants.models import Tenant
from apps.tenants.provisioning import create_tenant
from apps.touchpoints.models import Event
from apps.triggers.models import DryRun, Segment, TriggerRule
from tests import factories
from tests.admin.conftest import client_for
from tests.browsing import chromium_running, served

pytestmark = pytest.mark.chromium
HOST = "werkbank.localhost"
DESK = {"width": 1280, "height": 1000}
PHONE = {"width": 390, "height": 844}
TREE = {
    "all": [
        {"field": "event.total", "op": "ge", "value": 100},
        {"field": "contact.country", "op": "eq", "value": "DE"},
    ]
}
SENTENCE = (
    "3 days after Order received, if total ≥ 100 and country is DE, ask Order; at most 20%; pointless after 14 days."
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with chromium_running() as started:
        yield started


@pytest.fixture
def tenant(autocommit: None) -> Iterator[Tenant]:
    """A tenant of this test's own: what the server is to see must be committed."""
    row = create_tenant(schema_name="werkbank", name="Werkbank", host=HOST)
    with tenant_context(row):
        fill()
        yield row
    row.delete(force_drop=True)


def fill() -> None:
    """An order with two properties, some contacts, and what can be asked."""
    factories.SurveyFactory()
    order, refund = factories.TouchpointFactory(), factories.TouchpointFactory(key="refund", name={"en": "Refund"})
    for number in range(4):
        properties = {"total": 40.5 * number, "express": True, "shop": "Berlin", "paid_at": "2026-01-31"}
        Event.objects.create(
            touchpoint=[order, refund][number % 2],
            occurred_at=timezone.now() - timedelta(days=1),
            received_at=timezone.now(),
            properties=properties,
        )
        Contact.objects.create(email=f"c{number}@x.example", country=["DE", "AT"][number % 2])
    Segment.objects.create(key="vip", name="Regulars", condition={"field": "history.events", "op": "ge", "value": 3})


@pytest.fixture
def address(tenant: Tenant) -> Iterator[str]:
    """Where the tenant's pages are served, with a connection of the server's own."""
    with served() as port:
        yield f"http://{HOST}:{port}"


def open_page(browser: Browser, address: str, size: Any, **options: Any) -> tuple[Page, list[str]]:
    """A page of somebody signed in, and what the console complains about."""
    user = User.objects.filter(username="chief").first() or User.objects.create_superuser("chief", "c@x.example")
    cookie = client_for(user, HOST).cookies["sessionid"].value
    context = browser.new_context(viewport=size, locale="en-GB", **options)
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": address}])
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    loud = {"error", "warning"}
    page.on("console", lambda message: complaints.append(message.text) if message.type in loud else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A desk's page, on which nothing may be complained about: no error, no breach of the security policy."""
    opened, complaints = open_page(browser, address, DESK)
    opened.goto(f"{address}/admin/triggers/triggerrule/add/")
    yield opened
    opened.context.close()
    assert not complaints


def row(page: Page, number: int | str) -> Locator:
    return page.get_by_role("group", name=f"Comparison {number}", exact=True)


def told(page: Page) -> Locator:
    return page.locator("[data-told]")


def choose_in_list(page: Page, field: str, text: str) -> None:
    """Type into a searchable list and take what it finds."""
    box = page.locator(f".field-{field} .select2-selection")
    box.click()
    page.keyboard.type(text[:5])
    page.get_by_role("option", name=text).click()


def compare(page: Page, number: int, field: str, operator: str, value: str) -> None:
    """Fill in one comparison by mouse."""
    page.get_by_role("button", name="Add a comparison").first.click()
    one = row(page, number)
    one.get_by_label("What is compared").select_option(label=field)
    one.get_by_label("How it is compared").select_option(label=operator)
    one.get_by_label("Value").fill(value)


def save(page: Page) -> TriggerRule:
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile(r"/admin/triggers/triggerrule/(\?.*)?$"))
    return TriggerRule.objects.get()


def check(rule: TriggerRule) -> None:
    """It is the rule of the story."""
    assert rule.condition == TREE
    assert (rule.percent, rule.delay, rule.wait) == (20, timedelta(days=3), "duration")
    assert [touchpoint.key for touchpoint in rule.touchpoints.all()] == ["order_received"]


def test_a_rule_is_built_by_mouse_told_live_saved_and_found_again(page: Page) -> None:
    expect(page.locator("[data-missing]")).to_have_text(re.compile("Still missing: Name, Touchpoints, Survey"))
    page.locator("#id_name").fill("Big German orders")
    choose_in_list(page, "touchpoints", "Order received")
    page.locator("#id_survey").select_option(label="Order")
    compare(page, 1, "total", "≥", "100")
    compare(page, 2, "country", "is", "DE")
    page.locator("#id_percent").fill("20")
    expect(told(page)).to_have_text(SENTENCE)
    rule = save(page)
    check(rule)
    expect(page.locator("#result_list")).to_contain_text(SENTENCE)

    page.locator("#result_list").get_by_role("link", name="Big German orders").click()
    expect(told(page)).to_have_text(SENTENCE)
    expect(row(page, 1).get_by_label("What is compared")).to_have_value("event.total")
    expect(row(page, 1).get_by_label("Value")).to_have_value("100")
    expect(row(page, 2).get_by_label("How it is compared")).to_have_value("eq")
    expect(page.locator("#id_condition")).to_be_hidden()
    check(save(page))


def tab_to(page: Page, wanted: Locator) -> None:
    """Get there by the Tab key alone."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"Tab does not lead to {wanted}")


def test_a_rule_is_built_by_keyboard_alone(page: Page) -> None:
    keyboard = page.keyboard
    page.locator("#id_name").focus()
    keyboard.type("By keyboard")
    tab_to(page, page.locator(".field-touchpoints .select2-search__field"))
    keyboard.type("Order")
    expect(page.get_by_role("option", name="Order received")).to_be_visible()
    keyboard.press("Enter")
    for number, (field, downs, value) in enumerate([("total", 5, "100"), ("country", 0, "DE")], 1):
        tab_to(page, page.get_by_role("button", name="Add a comparison"))
        keyboard.press("Enter")
        expect(row(page, number).get_by_label("What is compared")).to_be_focused()
        keyboard.type(field)
        tab_to(page, row(page, number).get_by_label("How it is compared"))
        for _ in range(downs):
            keyboard.press("ArrowDown")
        expect(row(page, number).get_by_label("How it is compared")).to_be_focused()
        tab_to(page, row(page, number).get_by_label("Value"))
        keyboard.type(value)
    tab_to(page, page.locator("#id_survey"))
    keyboard.type("Order")
    tab_to(page, page.locator("#id_percent"))
    keyboard.press("Control+A")
    keyboard.type("20")
    expect(told(page)).to_have_text(SENTENCE)
    keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/admin/triggers/triggerrule/(\?.*)?$"))
    check(TriggerRule.objects.get())


def edit(page: Page, address: str, **values: Any) -> TriggerRule:
    rule: TriggerRule = factories.TriggerRuleFactory(**values)
    page.goto(f"{address}/admin/triggers/triggerrule/{rule.pk}/change/")
    return rule


def test_a_wrong_value_is_told_at_its_row_before_and_after_saving(page: Page, address: str) -> None:
    edit(page, address, condition=TREE)
    value = row(page, 1).get_by_label("Value")
    value.fill("a lot")
    expect(page.locator("[data-problems]")).to_have_text(
        "Condition: In the 1st comparison: The value must be a number."
    )
    value.blur()
    complaint = row(page, 1).locator(".b-error")
    expect(complaint).to_have_text("The value must be a number.")
    expect(value).to_have_attribute("aria-invalid", "true")
    expect(row(page, 1).get_by_label("How it is compared")).not_to_have_attribute("aria-invalid", "true")
    expect(row(page, 2).locator(".b-error")).to_be_hidden()
    page.get_by_role("button", name="Add a comparison").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".errorlist").first).to_contain_text("In the 3rd comparison: Choose what is compared.")
    expect(value).to_have_value("a lot")
    expect(complaint).to_have_text("The value must be a number.")
    expect(row(page, 3).locator(".b-error")).to_have_text("Choose what is compared.")
    row(page, 3).get_by_role("button", name="Remove comparison 3").click()
    value.fill("7")
    expect(complaint).to_be_hidden()
    save(page)
    assert TriggerRule.objects.get().condition["all"][0]["value"] == 7


DEEP = {"any": [{"all": [{"any": [{"all": [{"any": [{"field": "event.a", "op": "eq", "value": 1.5}]}]}]}]}]}
MANY = {
    "all": [
        {"not": {"field": "event.express", "op": "eq", "value": True}},
        {"not": {"any": [{"field": "segment", "op": "in_segment", "value": "vip"}]}},
        {"field": "event.touchpoint", "op": "in", "value": ["order_received", "refund"]},
        {"field": "event.total", "op": "between", "value": [10, 20.5]},
        {"field": "event.total", "op": "eq", "value": "12"},
        {"field": "contact.created_at", "op": "after", "value": "2026-01-01T10:00:00Z"},
        {"field": "history.last_response_at", "op": "within_days", "value": 30},
        {"field": "company.address.city", "op": "in", "value": ["a, b", "c"]},
        {"field": "event.shop", "op": "exists"},
    ]
}


TOTAL, COUNTRY = TREE["all"]


@pytest.mark.parametrize(
    ("tree", "more"),
    [
        (DEEP, {"any": [*DEEP["any"], COUNTRY]}),
        (MANY, {"all": [*MANY["all"], COUNTRY]}),
        ({"not": TOTAL}, {"not": {"any": [TOTAL, COUNTRY]}}),
        (TOTAL, {"all": [TOTAL, COUNTRY]}),
    ],
    ids=["deep", "many", "not", "leaf"],
)
def test_what_is_not_touched_is_kept_however_unusual(page: Page, address: str, tree: Any, more: Any) -> None:
    edit(page, address, condition=tree, name="Kept")
    assert save(page).condition == tree
    page.locator("#result_list").get_by_role("link", name="Kept").click()
    page.get_by_role("button", name="Add a comparison").last.click()
    last = page.locator(".b-row").last
    last.get_by_label("What is compared").select_option(label="country")
    last.get_by_label("Value").fill("DE")
    assert save(page).condition == more


def test_groups_lists_ranges_and_properties_nobody_has_seen_yet(page: Page, address: str) -> None:
    edit(page, address)
    expect(page.get_by_text("No condition: it always holds.")).to_be_visible()
    page.get_by_role("button", name="Add a comparison").click()
    one = row(page, 1)
    one.get_by_label("What is compared").select_option(label="total")
    one.get_by_label("How it is compared").select_option(label="is from … to")
    one.get_by_label("Lowest value").fill("10")
    one.get_by_label("Highest value").fill("99.5")
    page.get_by_role("button", name="Add a group").click()
    page.get_by_label("How the comparisons below are combined").nth(1).select_option(label="None of these holds")
    two = row(page, "2.1")
    two.get_by_label("What is compared").select_option(label="country")
    two.get_by_label("How it is compared").select_option(label="is one of")
    add = two.get_by_label("Add a value")
    add.fill("DE")
    add.press("Enter")
    add.fill("AT, CH,")
    add.press("Tab")
    two.get_by_role("button", name="Remove AT").click()
    page.get_by_role("button", name="Add a comparison").first.click()
    three = row(page, "2.2")
    three.get_by_label("What is compared").select_option(label="another property of the event …")
    three.get_by_label("Name of the property").fill("gift")
    three.get_by_label("Kind of the property").select_option(label="yes or no")
    three.get_by_label("Value").select_option(label="yes")
    expect(told(page)).to_contain_text(
        "if total is from 10 to 99.5 and not (country is one of DE or CH or gift is yes)"
    )
    assert save(page).condition == {
        "all": [
            {"field": "event.total", "op": "between", "value": [10, 99.5]},
            {
                "not": {
                    "any": [
                        {"field": "contact.country", "op": "in", "value": ["DE", "CH"]},
                        {"field": "event.gift", "op": "eq", "value": True},
                    ]
                }
            },
        ]
    }


def test_groups_nest_four_levels_deep_and_no_further(page: Page, address: str) -> None:
    edit(page, address)
    for level in range(1, 4):
        page.get_by_role("button", name="Add a group").first.click()
        expect(page.get_by_role("group", name="Group of comparisons")).to_have_count(level + 1)
    expect(page.get_by_role("button", name="Add a group")).to_have_count(3)
    edit(page, address, condition=DEEP)
    expect(page.get_by_role("group", name="Group of comparisons")).to_have_count(4)
    expect(page.locator(".b-kept")).to_contain_text("it is kept as it is")


def test_a_condition_that_is_no_json_stays_text(page: Page, address: str) -> None:
    edit(page, address, condition={"field": "event.id", "op": "eq", "value": 12345678901234567890})
    expect(page.locator("#id_condition")).to_be_visible()
    expect(page.get_by_text("This cannot be shown as rows; change it as text.").first).to_be_visible()


def test_only_what_the_chosen_wait_needs_is_shown(page: Page, address: str) -> None:
    edit(page, address)
    for choice, shown in (("working_days", "working_days"), ("morning", "morning_at"), ("duration", "delay")):
        page.locator("#id_wait").select_option(choice)
        for name in ("delay", "working_days", "morning_at"):
            expect(page.locator(f".field-{name}")).to_be_visible(visible=name == shown)
    page.locator("#id_wait").select_option("working_days")
    expect(told(page)).to_contain_text("3 working days after Order received")


def test_send_windows_are_rows_of_weekdays_and_times(page: Page, address: str) -> None:
    edit(page, address)
    page.get_by_role("button", name="Mon–Fri 9–18").click()
    expect(told(page)).to_contain_text("only Mon–Fri 09:00–18:00")
    page.get_by_role("button", name="Add a window").click()
    second = page.get_by_role("group", name="Send window 2", exact=True)
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"):
        second.get_by_label(day).press("Space")
    second.get_by_label("From").fill("20:00")
    expect(second.locator(".b-error")).to_contain_text("Choose at least one weekday.")
    second.get_by_label("Saturday").press("Space")
    expect(second.locator(".b-error")).to_have_text("The window must end after it begins.")
    second.get_by_label("To (").fill("00:00")
    expect(second.locator(".b-error")).to_be_hidden()
    assert save(page).windows == [
        {"days": [0, 1, 2, 3, 4], "from": "09:00", "to": "18:00"},
        {"days": [5], "from": "20:00", "to": "24:00"},
    ]


def test_a_rule_is_tried_against_the_past_without_being_saved(page: Page, address: str) -> None:
    edit(page, address)
    page.locator("#id_delay").fill("1 hour")
    page.get_by_label("How far back").select_option(label="last 90 days")
    page.get_by_role("button", name="Try it against the past").click()
    page.wait_for_url(re.compile(r"/dry-runs/[0-9a-f-]{36}/$"))
    run = DryRun.objects.get()
    assert run.draft is not None
    assert (run.days, run.draft["delay"]) == (90, 3600)
    assert TriggerRule.objects.get().delay == timedelta(days=3)


def test_a_segment_counts_while_it_is_written(page: Page, address: str) -> None:
    page.goto(f"{address}/admin/triggers/segment/add/")
    expect(told(page)).to_have_text("4 of 4 contacts fit.")
    compare(page, 1, "country", "is", "DE")
    expect(told(page)).to_have_text("2 of 4 contacts fit.")


def test_a_cadence_shows_what_its_kind_needs_and_fills_in_the_usual_days(page: Page, address: str) -> None:
    page.goto(f"{address}/admin/triggers/cadence/add/")
    expect(page.locator("#id_recurrence")).to_be_hidden()
    days = page.get_by_label("days", exact=True)
    expect(days).to_be_hidden()
    page.locator("[name=period_days]").select_option(label="another number of days")
    expect(days).to_be_visible()
    page.locator("#id_kind").select_option("calendar")
    expect(days).to_be_hidden()
    page.get_by_role("button", name="First Monday of each month").click()
    expect(page.locator("#id_recurrence")).to_have_value("FREQ=MONTHLY;BYDAY=1MO")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_of_it_without_moving_sideways(browser: Browser, address: str, scheme: str) -> None:
    phone, complaints = open_page(browser, address, PHONE, color_scheme=scheme)
    windows = [{"days": [0, 1, 2, 3, 4], "from": "09:00", "to": "18:00"}]
    edit(phone, address, condition=MANY, windows=windows)
    expect(told(phone)).to_contain_text("not (express is yes)")
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for element in phone.locator(".b-row :is(input, select, button):visible").all():
        box = element.bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= PHONE["width"]
    row(phone, 1).get_by_role("button", name="Remove comparison 1").click()
    assert save(phone).condition["all"] == MANY["all"][1:]
    phone.context.close()
    assert not complaints


def test_without_its_scripts_the_json_can_be_edited_and_saved(browser: Browser, address: str) -> None:
    plain, _complaints = open_page(browser, address, DESK)
    plain.route("**/static/triggers/*.js", lambda route: route.abort())
    edit(plain, address)
    plain.locator("#id_condition").fill('{"field": "event.total", "op": "ge", "value": 100}')
    plain.locator("#id_windows").fill('[{"days": [5], "from": "20:00", "to": "24:00"}]')
    rule = save(plain)
    assert (rule.condition, len(rule.windows)) == (TOTAL, 1)
    plain.context.close()
