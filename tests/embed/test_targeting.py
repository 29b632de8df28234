"""When a placement is due: nothing is asked or stored before."""

from typing import Any

import pytest
from playwright.sync_api import expect

from apps.contacts.models import Contact, ContactBudget, Outreach
from apps.embed.models import EmbedSecret, Placement
from apps.embed.rules import signature
from apps.surveys.models import Invitation
from tests import factories
from tests.embed.browsing import DESKTOP, PHONE, Open, Shop
from tests.embed.conftest import place

pytestmark = pytest.mark.chromium
ONLY_THE_SCRIPT = ["/embed.js"]


def put(**values: Any) -> None:
    Placement.objects.update(**values)


def test_nothing_is_asked_or_stored_before_the_delay_is_over(
    home: str, shop: Shop, popover: Placement, opened: Open
) -> None:
    put(delay=2)
    tab = opened(shop.put(home))
    tab.script_is_there()
    tab.settle(500)
    assert tab.requests == ONLY_THE_SCRIPT
    expect(tab.box).to_be_visible()
    assert tab.page.context.cookies() == []
    assert tab.page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert not Contact.objects.exists()


def test_scrolling_makes_it_due(home: str, shop: Shop, popover: Placement, opened: Open) -> None:
    put(scroll=60)
    tab = opened(shop.put(home))
    tab.script_is_there()
    tab.page.evaluate("scrollTo(0, 10)")
    tab.settle()
    assert tab.requests == ONLY_THE_SCRIPT
    tab.page.evaluate("scrollTo(0, document.documentElement.scrollHeight * .6)")
    expect(tab.box).to_be_visible()
    tab.page.evaluate("scrollTo(0, 0)")
    tab.settle()
    assert tab.asked == 1


def test_a_page_that_needs_no_scrolling_has_been_seen(home: str, shop: Shop, popover: Placement, opened: Open) -> None:
    put(scroll=60)
    expect(opened(shop.put(home, body="<h1>Short</h1>")).box).to_be_visible()


def test_leaving_at_the_top_makes_it_due(home: str, shop: Shop, popover: Placement, opened: Open) -> None:
    put(on_exit=True)
    tab = opened(shop.put(home))
    tab.script_is_there()
    tab.page.mouse.move(400, 300)
    tab.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    tab.page.mouse.move(400, 200)
    tab.settle()
    assert tab.requests == ONLY_THE_SCRIPT
    leave = "document.body.dispatchEvent(new MouseEvent('mouseout', {bubbles: true, clientY: %d, relatedTarget: null}))"
    tab.page.evaluate(leave % 300)
    tab.settle()
    assert tab.requests == ONLY_THE_SCRIPT
    tab.page.evaluate(leave % -2)
    expect(tab.box).to_be_visible()


@pytest.mark.parametrize(
    ("values", "path", "lang", "size", "shows"),
    [
        ({"url_patterns": ["/products/*"]}, "/products/boots", "en", DESKTOP, True),
        ({"url_patterns": ["/products/*"]}, "/help", "en", DESKTOP, False),
        ({"languages": ["de"]}, "/x", "de-AT", DESKTOP, True),
        ({"languages": ["de"]}, "/x", "en", DESKTOP, False),
        ({"device": "phone"}, "/x", "en", PHONE, True),
        ({"device": "phone"}, "/x", "en", DESKTOP, False),
        ({"device": "desktop"}, "/x", "en", DESKTOP, True),
        ({"device": "desktop"}, "/x", "en", PHONE, False),
        ({"kind": "inline", "selector": "#nowhere"}, "/x", "en", DESKTOP, False),
        ({"is_active": False}, "/x", "en", DESKTOP, False),
        ({"on_track": True}, "/x", "en", DESKTOP, False),
    ],
)
def test_where_it_shows(
    home: str, shop: Shop, popover: Placement, opened: Open, values: Any, path: str, lang: str, size: Any, shows: bool
) -> None:
    put(**values)
    tab = opened(shop.put(home, path=path, lang=lang), size)
    if shows:
        expect(tab.box).to_be_visible()
        return
    tab.script_is_there()
    tab.settle()
    assert tab.requests == ONLY_THE_SCRIPT


def test_a_share_is_drawn_per_page_view(home: str, shop: Shop, popover: Placement, opened: Open) -> None:
    put(percent=50)
    url = shop.put(home)
    for dice, asked in ((0.01, 1), (0.99, 0)):
        # The number is shifted by the placement, so that several placements do not meet the same visitors.
        number = (dice * 100 - popover.pk * 37) % 100 / 100
        shop.put(home, before=f"<script>Math.random = () => {number}</script>")
        tab = opened(url)
        tab.script_is_there()
        tab.settle()
        assert tab.asked == asked


def test_with_consent_the_share_is_the_same_on_every_view(
    home: str, shop: Shop, popover: Placement, opened: Open
) -> None:
    put(percent=50)
    ContactBudget.objects.all().delete()
    url = shop.put(home, script="data-consent=granted")
    for number, asked in (((1 - popover.pk * 37) % 100, 1), ((99 - popover.pk * 37) % 100, 0)):
        visitor = f"{number}-456789-1-2"
        shop.pages["/plain"] = "<!doctype html><title>Plain</title>", {}
        tab = opened(f"{shop.origin}/plain")
        tab.page.evaluate("v => { localStorage.resonanz = JSON.stringify({v}) }", visitor)
        for _view in range(3):
            tab.page.goto(url)
            tab.script_is_there()
            tab.settle(250)
        assert (tab.asked > 0) == bool(asked)


def test_consent_is_waited_for_and_can_be_taken_back(home: str, shop: Shop, popover: Placement, opened: Open) -> None:
    put(on_track=True)
    tab = opened(shop.put(home))
    tab.script_is_there()
    assert tab.page.evaluate("localStorage.length") == 0
    tab.page.evaluate("Resonanz.consent(true)")
    assert tab.page.evaluate("localStorage.length") == 0
    tab.page.evaluate("Resonanz.show('product_page')")
    expect(tab.box).to_be_visible()
    assert Contact.objects.get().external_id.startswith("visitor:")
    tab.page.evaluate("Resonanz.consent(false)")
    assert tab.page.evaluate("localStorage.length") == 0
    tab.page.evaluate("Resonanz.close()")
    expect(tab.page.locator("iframe")).to_have_count(0)
    assert tab.page.evaluate("localStorage.length") == 0
    assert tab.page.context.cookies() == []


def test_days_of_rest_are_kept_in_the_browser(home: str, shop: Shop, popover: Placement, opened: Open) -> None:
    ContactBudget.objects.update(min_days_between=0, days_after_decline=0)
    url = shop.put(home, script="data-consent=granted")
    tab = opened(url)
    expect(tab.box).to_be_visible()
    tab.page.keyboard.press("Escape")
    tab.page.reload()
    tab.script_is_there()
    tab.settle()
    assert tab.asked == 1
    tab.page.evaluate(
        "const m = JSON.parse(localStorage.resonanz);"
        f"m[{popover.pk}] -= 31 * 864e5; localStorage.resonanz = JSON.stringify(m)"
    )
    tab.page.reload()
    expect(tab.box).to_be_visible()
    assert tab.asked == 2


def test_track_makes_it_due_after_the_delay_and_carries_properties(
    home: str, shop: Shop, popover: Placement, opened: Open
) -> None:
    put(on_track=True, delay=1)
    calls = "['consent', true], ['track', 'product_page', {sku: 'B-1'}]"
    queue = f"<script>(window.Resonanz = window.Resonanz || []).push({calls})</script>"
    tab = opened(shop.put(home, before=queue, script='data-properties=\'{"shop": "Berlin"}\''))
    tab.script_is_there()
    tab.settle(300)
    assert tab.requests == ONLY_THE_SCRIPT
    expect(tab.box).to_be_visible()
    assert Invitation.objects.get().properties == {"path": "/products/boots", "shop": "Berlin", "sku": "B-1"}
    tab.page.evaluate("Resonanz.track('other'); Resonanz.track('product_page')")
    tab.settle(1300)
    assert tab.asked == 1


def test_show_ignores_the_targeting_but_not_the_budget(home: str, shop: Shop, popover: Placement, opened: Open) -> None:
    put(on_track=True, delay=60, device="phone", languages=["de"], percent=1)
    tab = opened(shop.put(home, script="data-consent=granted"))
    tab.script_is_there()
    assert tab.page.evaluate("Resonanz.show('product_page')") is True
    expect(tab.box).to_be_visible()
    tab.page.evaluate("Resonanz.close()")
    expect(tab.page.locator("iframe")).to_have_count(0)
    assert not tab.page.evaluate("Resonanz.show('product_page')")
    assert not tab.page.evaluate("Resonanz.show('unknown')")
    assert tab.page.locator("iframe").count() == 0
    assert tab.complaints == []


@pytest.mark.parametrize("by", ["attributes", "call"])
def test_a_signed_contact_is_asked_in_their_own_name(
    home: str, shop: Shop, popover: Placement, opened: Open, by: str
) -> None:
    signed = signature(EmbedSecret.objects.create().secret, "ada")
    if by == "attributes":
        url = shop.put(home, script=f"data-external-id=ada data-signature={signed}")
    else:
        call = f"Resonanz.push(['identify', {{external_id: 'ada', name: 'Ada', signature: '{signed}'}}])"
        url = shop.put(home, before=f"<script>window.Resonanz = []; {call}</script>")
    tab = opened(url)
    expect(tab.box).to_be_visible()
    assert Invitation.objects.get().contact.external_id == "ada"
    assert tab.page.evaluate("localStorage.length") == 0
    tab.page.reload()
    tab.script_is_there()
    tab.settle()
    assert Outreach.objects.count() == 1
    assert tab.page.locator("iframe").count() == 0


def test_one_question_floats_at_a_time_and_the_pages_touchpoint_counts(
    home: str, shop: Shop, popover: Placement, opened: Open
) -> None:
    other = factories.TouchpointFactory(key="help")
    factories.TriggerRuleFactory(name="Help", touchpoints=[other])
    place(other, kind="slide_in")
    tab = opened(shop.put(home))
    expect(tab.box).to_be_visible()
    tab.settle()
    assert (tab.asked, tab.page.locator("iframe").count()) == (1, 1)
    tab = opened(shop.put(home, path="/help", script="data-touchpoint=help"))
    expect(tab.box).to_be_visible()
    assert "k2" in (tab.box.get_attribute("class") or "")


def test_the_script_included_twice_works_once(home: str, shop: Shop, popover: Placement, opened: Open) -> None:
    tab = opened(shop.put(home, before=f"<script async src='{home}/embed.js'></script>"))
    expect(tab.box).to_be_visible()
    tab.settle()
    assert (tab.asked, tab.page.locator("iframe").count()) == (1, 1)


def test_a_platform_out_of_reach_leaves_the_page_alone(home: str, shop: Shop, popover: Placement, opened: Open) -> None:
    put(delay=1)
    tab = opened(shop.put(home))
    tab.page.route("**/embed/ask", lambda route: route.abort())
    tab.settle(1500)
    assert tab.page.locator("iframe").count() == 0
    assert not any("Uncaught" in text or "TypeError" in text for text in tab.complaints)
