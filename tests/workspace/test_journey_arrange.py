"""The pages that arrange the map, with and without a script, and those that put a ready-made one on it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.accounts.models import User
from apps.touchpoints import arranging, industry_maps
from apps.touchpoints.industries import INDUSTRIES
from apps.touchpoints.models import Event, Stage, Touchpoint
from tests.workspace.test_pages import SCRIPT

RIGHTS = (
    "add_stage", "change_stage", "delete_stage", "add_touchpoint", "change_touchpoint", "delete_touchpoint",
)  # fmt: skip
URL = "/journey/arrange/"
JSON = {"accept": "application/json"}
BILL, AD = 'data-name="Bill"', 'data-name="Ad"'


@pytest.fixture
def manager(client: Client, user: User) -> Client:
    """A CX manager who may arrange the map."""
    user.user_permissions.set(Permission.objects.filter(codename__in=RIGHTS))
    return client


@pytest.fixture
def ids(tenant: Any) -> dict[str, int]:
    """Two stages, a sub-step, three touchpoints; the ids by key."""
    found = {key: arranging.add_stage(key=key, name={"en": key.title()}).pk for key in ("find", "buy")}
    found["pay"] = arranging.add_stage(key="pay", name={"en": "Pay"}, parent_id=found["buy"]).pk
    for key, on in (("ad", "find"), ("order", "buy"), ("bill", "pay")):
        found[key] = arranging.add_touchpoint(key=key, name={"en": key.title()}, stage_id=found[on]).pk
    return found


def order() -> str:
    return " ".join(f"{row.key}@{row.stage.key}" for row in Touchpoint.objects.select_related("stage"))


def move(client: Client, **values: Any) -> Any:
    """A move as a form sends it."""
    return client.post(f"{URL}move/", {"what": "touchpoint", "revision": arranging.read().revision, **values})


def test_each_page_and_act_needs_its_right(client: Client, user: User, ids: dict[str, int]) -> None:
    pages = [URL, f"{URL}stages/new/", f"{URL}stages/{ids['buy']}/", f"{URL}touchpoints/new/",
             f"{URL}touchpoints/{ids['ad']}/", "/journey/templates/", "/journey/review/"]  # fmt: skip
    acts = [f"{URL}move/", f"{URL}stages/{ids['buy']}/remove/", f"{URL}touchpoints/{ids['ad']}/remove/",
            "/journey/templates/", "/journey/versions/", "/journey/review/ask/"]  # fmt: skip
    assert {client.get(page).status_code for page in pages} == {403}
    assert {client.post(act, {"name": "x", "note": "x"}).status_code for act in acts} == {403}
    user.user_permissions.set(Permission.objects.filter(codename="change_touchpoint"))
    assert [client.get(page).status_code for page in pages] == [200, 403, 403, 403, 200, 403, 200]
    # Touchpoints may be moved, stages not: neither shown nor done.
    assert "Menu of Buy" not in client.get(URL).content.decode()
    assert move(client, what="stage", pk=ids["buy"], way="left").status_code == 403
    assert move(client, pk=ids["ad"], way="right").status_code == 302
    assert order() == "ad@buy order@buy bill@pay"


def test_without_a_script_menus_and_forms_move_everything(manager: Client, ids: dict[str, int]) -> None:
    answer = move(manager, pk=ids["order"], way="down")
    assert (answer.status_code, answer.headers["Location"]) == (302, URL)
    page = manager.get(URL).content.decode()
    assert "“Order” lies on “Buy › Pay”, 1 of 2." in page
    assert order() == "ad@find order@pay bill@pay"
    move(manager, what="stage", pk=ids["buy"], way="left")
    move(manager, what="stage", pk=ids["find"], way="in", stage=ids["buy"])
    assert list(Stage.objects.values_list("key", "parent__key")) == [("buy", None), ("pay", "buy"), ("find", "buy")]
    move(manager, what="stage", pk=ids["pay"], way="out")
    assert [row.key for row in Stage.objects.filter(parent=None)] == ["buy", "pay"]
    # Anywhere at once, on the touchpoint's own page.
    url = f"{URL}touchpoints/{ids['ad']}/"
    page = manager.get(url).content.decode()
    assert f'<option value="{ids["pay"]}:{ids["bill"]}">before “Bill”</option>' in page
    values = {"name_en": "Ad", "name_de": "Anzeige", "where": f"{ids['pay']}:{ids['bill']}", "is_active": "on"}
    values |= {"revision": arranging.read().revision, "legal_basis": "existing_customer"}
    assert manager.post(url, values).status_code == 302
    assert order() == "order@pay ad@pay bill@pay"
    row = Touchpoint.objects.get(key="ad")
    assert (row.name, row.legal_basis, row.is_active) == (
        {"en": "Ad", "de": "Anzeige"}, "existing_customer", True,
    )  # fmt: skip
    # A move that is refused, and one that nobody understands, say so.
    assert "It is at the edge already." in manager.get(move(manager, pk=ids["ad"], way="right").url).content.decode()
    assert "not understood" in manager.get(move(manager, pk="x").url).content.decode()


def test_a_script_gets_the_map_as_it_is_by_then(manager: Client, ids: dict[str, int]) -> None:
    seen = arranging.read().revision
    values = {"what": "touchpoint", "pk": ids["bill"], "stage": ids["find"], "before": ids["ad"], "revision": seen}
    answer = manager.post(f"{URL}move/", values, headers=JSON)
    told = answer.json()
    assert (answer.status_code, told["said"]) == (200, "“Bill” lies on “Find”, 1 of 2.")
    assert told["revision"] == arranging.read().revision != seen
    assert told["map"].index(BILL) < told["map"].index(AD)
    # Somebody else was faster: nothing moves, the page learns what is there now.
    stale = manager.post(f"{URL}move/", {**values, "pk": ids["order"]}, headers=JSON)
    assert (stale.status_code, stale.json()["revision"]) == (409, told["revision"])
    assert "Somebody else changed the map meanwhile." in stale.json()["said"]
    assert stale.json()["map"].index(BILL) < stale.json()["map"].index(AD)
    assert order() == "bill@find ad@find order@buy"
    for wrong in ({"way": "sideways"}, {"stage": ""}, {"pk": "0"}, {"what": "map"}, {"way": "in"}):
        assert manager.post(f"{URL}move/", {**values, **wrong}, headers=JSON).status_code == 422
    gone = {**values, "pk": 999, "revision": told["revision"]}
    assert manager.post(f"{URL}move/", gone, headers=JSON).status_code == 409


def test_a_form_that_is_out_of_date_keeps_what_was_typed_and_goes_through_then(
    manager: Client, ids: dict[str, int]
) -> None:
    seen = arranging.read().revision
    move(manager, pk=ids["ad"], way="right")
    for url, values in (
        (f"{URL}touchpoints/{ids['ad']}/", {"where": "stay", "is_active": "on"}),
        (f"{URL}stages/{ids['find']}/", {"parent": ""}),
    ):
        typed = {"name_en": "Typed name", "revision": seen, **values}
        answer = manager.post(url, typed)
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "Somebody else changed the map meanwhile." in page
        assert 'value="Typed name"' in page
        current = arranging.read().revision
        assert f'value="{current}"' in page
        assert manager.post(url, {**typed, "revision": current}).status_code == 302
    assert str(Touchpoint.objects.get(key="ad")) == str(Stage.objects.get(key="find")) == "Typed name"


def test_stages_and_touchpoints_are_added_and_removed(manager: Client, ids: dict[str, int]) -> None:
    new = f"{URL}stages/new/"
    assert manager.post(new, {"name_en": "After the sale", "parent": ""}).status_code == 302
    assert manager.post(new, {"name_de": "Rückfragen", "parent": ids["buy"]}).status_code == 302
    assert set(Stage.objects.values_list("key", flat=True)) == {"find", "buy", "pay", "after_the_sale", "ruckfragen"}
    new = f"{URL}touchpoints/new/"
    assert (
        f'<option value="{ids["pay"]}" selected>Buy › Pay</option>'
        in manager.get(f"{new}?on={ids['pay']}").content.decode()
    )
    assert manager.post(new, {"name_en": "Order", "where": ids["pay"]}).status_code == 302
    assert Touchpoint.objects.get(key="order_2").stage_id == ids["pay"]
    for wrong, said in (
        ({"name_en": "", "where": ids["pay"]}, "This field is required."),
        ({"name_en": "X", "where": "999"}, "Select a valid choice"),
        ({"name_en": "X", "where": ids["pay"], "key": "bill"}, "There is one with this key already."),
        ({"name_en": "X", "where": ids["pay"], "key": "ä b"}, "Letters without accents"),
    ):
        answer = manager.post(new, wrong)
        assert (answer.status_code, said in answer.content.decode()) == (422, True), said
    page = manager.post(f"{URL}stages/{ids['pay']}/remove/", follow=True).content.decode()
    assert "Not removed, for this still lies on it: Bill, Order." in page
    Event.objects.create(touchpoint_id=ids["bill"], occurred_at="2026-01-01T00:00Z", received_at="2026-01-01T00:00Z")
    page = manager.post(f"{URL}touchpoints/{ids['bill']}/remove/", follow=True).content.decode()
    assert "“Bill” is switched off." in page
    page = manager.post(f"{URL}touchpoints/{ids['ad']}/remove/", follow=True).content.decode()
    assert "“Ad” is off the map." in page
    assert manager.post(f"{URL}stages/{ids['find']}/remove/").status_code == 302
    assert not Stage.objects.filter(key="find").exists()
    assert manager.post(f"{URL}stages/{ids['find']}/remove/").status_code == 404


def test_names_are_text_and_the_page_costs_the_same_for_any_map(
    manager: Client, queries_of: Callable[[str], int], ids: dict[str, int]
) -> None:
    Touchpoint.objects.filter(pk=ids["ad"]).update(name={"en": SCRIPT})
    page = manager.get(URL).content.decode()
    assert SCRIPT not in page
    assert "style=" not in page
    before = queries_of(URL)
    industry = INDUSTRIES["telecom"]
    industry_maps.put_on(industry=industry, phases=[phase.key for phase in industry.phases])
    # Session, user, rights (two), stages, touchpoints.
    assert queries_of(URL) == before == 6


def test_a_ready_made_map_is_looked_at_and_taken_in_parts(manager: Client, tenant: Any) -> None:
    page = manager.get(URL).content.decode()
    assert "The map is empty." in page
    assert "journey_arrange.js" not in page
    url = "/journey/templates/"
    page = manager.get(url).content.decode()
    assert all(industry.name["en"] in page for industry in INDUSTRIES.values())
    page = manager.get(url, {"industry": "telecom"}).content.decode()
    assert page.count("checked>") == 7
    assert "Explanation" in page
    answer = manager.post(url, {"industry": "telecom"})
    assert (answer.status_code, "Choose one stage at least." in answer.content.decode()) == (422, True)
    answer = manager.post(url, {"industry": "telecom", "phases": ["billing", "service"]}, follow=True)
    assert "11 touchpoints came onto the map." in answer.content.decode()
    page = manager.get(url, {"industry": "telecom"}).content.decode()
    assert page.count("there already") == 11
    manager.post(url, {"industry": "telecom", "phases": [phase.key for phase in INDUSTRIES["telecom"].phases]})
    page = manager.get(url, {"industry": "telecom"}).content.decode()
    assert "You have all of this map already." in page
    assert Touchpoint.objects.count() == INDUSTRIES["telecom"].point_count
    assert manager.get(url, {"industry": "unknown"}).status_code == 200
