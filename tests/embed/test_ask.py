"""A page asks whether a placement may show itself."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.apps import apps
from django.db.models import Model
from django.utils import timezone

from apps.contacts.models import Contact, Outreach
from apps.embed import views
from apps.embed.models import EmbedSecret, Placement
from apps.embed.rules import signature
from apps.responses import tickets
from apps.responses.models import Response
from apps.surveys.models import Invitation, Survey, Website
from apps.touchpoints.models import Touchpoint
from apps.triggers.models import TriggerRule
from tests import factories
from tests.embed.conftest import PAGE, SHOP, SHOWN, ask, post

VISITOR = "123-456-789-0"


def rows() -> dict[str, int]:
    """How many rows each table of the tenant has, but for the rules' own versions."""
    models: list[type[Model]] = [model for model in apps.get_models() if model.__module__.startswith("apps.")]
    return {
        m._meta.label: m._default_manager.count()
        for m in models
        if m._meta.app_label != "tenants" and m.__name__ != "RuleVersion"
    }


def signed(external_id: str, email: str = "", **more: Any) -> dict[str, Any]:
    secret = EmbedSecret.objects.order_by("pk").first() or EmbedSecret.objects.create()
    data = {"external_id": external_id, "signature": signature(secret.secret, external_id, email), **more}
    return {**data, "email": email} if email else data


def ticket_of(answer: Any) -> tickets.Ticket:
    from urllib.parse import parse_qs, urlsplit

    address = urlsplit(answer.json()["url"])
    assert address.path == "/s/open"
    ticket = tickets.read_ticket(parse_qs(address.query)["k"][0], now=timezone.now())
    assert ticket is not None
    return ticket


# --- nobody is known ---


@pytest.mark.parametrize(
    "stranger",
    [
        {},
        {"visitor": VISITOR},
        {"contact": {"external_id": "ada", "email": "ada@example.com"}},
        {"contact": {"external_id": "ada", "signature": "0" * 64}},
        {"contact": {"email": "ada@example.com", "signature": "0" * 64}, "consent": True},
    ],
)
def test_nothing_is_stored_about_a_visitor_without_consent(placement: Placement, stranger: dict[str, Any]) -> None:
    EmbedSecret.objects.create()
    before = rows()
    for _view in range(2):
        answer = ask(placement, **stranger)
        assert answer.json()["show"] is True
        assert answer.json()["token"] == ""
    assert rows() == before
    assert not answer.cookies


def test_a_strangers_page_is_in_its_ticket(placement: Placement) -> None:
    answer = ask(
        placement, properties={"sku": "B-42", "price": 129.9, "sale": True, "deep": {"a": 1}}, language="de-AT"
    )
    ticket = ticket_of(answer)
    rule = TriggerRule.objects.get()
    assert (ticket.survey_id, ticket.touchpoint_id, ticket.channel) == (
        rule.survey_id,
        placement.touchpoint_id,
        "embed",
    )
    assert ticket.properties == {"path": "/products/boots", "sku": "B-42", "price": "129.9", "sale": "true"}
    assert answer.json()["url"].endswith("&embed=1&lang=de")


# --- somebody is known ---


def test_a_visitor_who_agreed_is_asked_once(placement: Placement) -> None:
    answer = ask(placement, visitor=VISITOR, consent=True, properties={"sku": "B-42", "long": "x" * 300})
    row = Invitation.objects.get()
    now = timezone.now()
    assert (row.status, row.touchpoint_id) == (Invitation.Status.SHOWN, placement.touchpoint_id)
    assert row.contact == Contact.objects.get(external_id=f"visitor:{VISITOR}")
    assert row.reason == Outreach.objects.get().reason
    assert row.properties == {"path": "/products/boots", "sku": "B-42", "long": "x" * 200}
    assert now < row.link_expires_at <= now + timedelta(days=1)
    token = answer.json()["token"]
    assert answer.json()["url"] == f"/s/{token}?embed=1&lang=en"
    assert token not in str(Invitation.objects.values())
    assert ask(placement, visitor=VISITOR, consent=True).json() == {"show": False}
    assert Invitation.objects.count() == 1
    assert ask(placement, visitor="999-999-999", consent=True).json()["show"]


def test_a_signed_contact_is_believed(placement: Placement) -> None:
    answer = ask(placement, contact=signed("ada", name="Ada", locale="de", properties={"plan": "gold"}))
    contact = Contact.objects.get()
    assert (contact.external_id, contact.name, contact.locale) == ("ada", "Ada", "de")
    assert contact.properties == {"plan": "gold"}
    assert Invitation.objects.get().contact == contact
    assert answer.json()["token"]


def test_an_address_needs_a_signature_of_its_own(placement: Placement) -> None:
    victim = factories.ContactFactory(external_id=None, email="victim@example.com")
    ask(placement, contact=signed("mallory") | {"email": "victim@example.com"})
    mallory = Contact.objects.get(external_id="mallory")
    assert mallory != victim
    assert mallory.email is None
    ask(placement, contact=signed("ada", "ada@example.com"))
    assert Contact.objects.get(external_id="ada").email == "ada@example.com"


def test_two_secrets_are_valid_at_once_and_a_deleted_one_is_not(placement: Placement) -> None:
    old, new = EmbedSecret.objects.create(), EmbedSecret.objects.create()
    for number, secret in enumerate((old, new)):
        who = {"external_id": f"c{number}", "signature": signature(secret.secret, f"c{number}")}
        assert ask(placement, contact=who).json()["token"]
    old.delete()
    who = {"external_id": "c9", "signature": signature(old.secret, "c9")}
    assert ask(placement, contact=who).json()["token"] == ""
    assert Contact.objects.count() == 2


def test_another_tenants_secret_proves_nothing(placement: Placement, other_tenant: Any) -> None:
    from django_tenants.utils import tenant_context

    with tenant_context(other_tenant):
        secret = EmbedSecret.objects.create().secret
    assert ask(placement, contact={"external_id": "a", "signature": signature(secret, "a")}).json()["token"] == ""


# --- closed ---


def test_a_closed_question_gives_rest(placement: Placement) -> None:
    token = ask(placement, visitor=VISITOR, consent=True).json()["token"]
    assert post("closed", msgspec.json.encode({"token": token})).status_code == 204
    assert Outreach.objects.get().outcome == Outreach.Outcome.DECLINED


@pytest.mark.parametrize("token", ["", "x", "x" * 32, "\ud83d"])
def test_a_wrong_token_closes_nothing_and_says_so_to_nobody(placement: Placement, token: str) -> None:
    ask(placement, visitor=VISITOR, consent=True)
    answer = post("closed", msgspec.json.encode({"token": token.encode("utf-8", "replace").decode()}))
    assert answer.status_code == 204
    assert Outreach.objects.get().outcome == ""


def test_who_has_answered_does_not_refuse_by_closing(placement: Placement) -> None:
    token = ask(placement, visitor=VISITOR, consent=True).json()["token"]
    row = Invitation.objects.get()
    now = timezone.now()
    Response.objects.create(
        invitation=row, survey_id=row.survey_id, contact_id=row.contact_id, score=9, answered_at=now, updated_at=now
    )
    post("closed", msgspec.json.encode({"token": token}))
    assert Outreach.objects.get().outcome == ""


# --- what decides ---


def test_the_rules_decide_which_survey(placement: Placement) -> None:
    shoes = factories.SurveyFactory(key="shoes", name={"en": "Shoes"})
    factories.TriggerRuleFactory(
        name="Shoes", survey=shoes, priority=10, touchpoints=[placement.touchpoint],
        condition={"field": "event.path", "op": "eq", "value": "/products/boots"},
    )  # fmt: skip
    assert ticket_of(ask(placement)).survey_id == shoes.pk
    assert ticket_of(ask(placement, url=f"{SHOP}/products/hats")).survey_id != shoes.pk


def test_a_survey_that_is_switched_off_is_not_shown(placement: Placement) -> None:
    Survey.objects.update(is_active=False)
    assert ask(placement).json() == {"show": False}


def test_a_placement_that_is_off_or_not_for_this_page_shows_nothing(placement: Placement) -> None:
    assert ask(placement, touchpoint="product_page").json()["show"]
    assert ask(placement, touchpoint="other").json() == {"show": False}
    Placement.objects.update(url_patterns=["/help/*"])
    assert ask(placement).json() == {"show": False}
    Placement.objects.update(url_patterns=[], is_active=False)
    assert ask(placement).json() == {"show": False}
    Placement.objects.update(is_active=True)
    Touchpoint.objects.update(is_active=False)
    assert ask(placement).json() == {"show": False}
    assert ask(placement, placement=placement.pk + 1000).json() == {"show": False}


# --- who may ask ---


@pytest.mark.parametrize("origin", [None, "", "null", "https://evil.example", "http://shop.example"])
@pytest.mark.parametrize("path", ["ask", "closed"])
def test_an_unknown_origin_is_refused_without_cors(placement: Placement, origin: str | None, path: str) -> None:
    answer = post(path, b"{}", origin)
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_known_origin_gets_its_headers(placement: Placement) -> None:
    from django.test import Client

    headers = {"host": "nordwind.resonanz.test", "origin": SHOP, "access-control-request-method": "POST"}
    preflight = Client().options("/embed/ask", headers=headers)
    assert preflight.status_code == 204
    assert preflight["Access-Control-Allow-Methods"] == "POST"
    for answer in (preflight, ask(placement)):
        assert answer["Access-Control-Allow-Origin"] == SHOP
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Origin" in answer["Vary"]
        assert answer["Cache-Control"] == "no-store"
    assert Client().get("/embed/ask", headers=headers).status_code == 405


def test_a_wildcard_lets_all_subdomains_ask(placement: Placement) -> None:
    Website.objects.create(origin="https://*.brand.example")
    page = {"origin": "https://de.brand.example", "url": "https://de.brand.example/x"}
    assert ask(placement, **page)["Access-Control-Allow-Origin"] == "https://de.brand.example"
    assert ask(placement, origin="https://brand.example", url="https://brand.example/x").status_code == 403


def test_another_tenants_website_may_not_ask_here(placement: Placement, other_tenant: Any) -> None:
    from django_tenants.utils import tenant_context

    with tenant_context(other_tenant):
        Website.objects.create(origin="https://klarwerk.example")
    assert ask(placement, origin="https://klarwerk.example", url="https://klarwerk.example/").status_code == 403


# --- what is refused ---


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "https://other.example/"},
        {"url": "no address"},
        {"url": PAGE + "x" * 2000},
        {"placement": 0},
        {"placement": 2**63},
        {"placement": "1"},
        {"visitor": "short"},
        {"visitor": "x" * 65},
        {"visitor": "a b c d e f"},
        {"language": "x" * 300},
        {"unknown": 1},
        {"properties": []},
        {"properties": {"a": "\x00"}},
        {"properties": {"a": 10**301}},
        {"contact": {"external_id": "x" * 201}},
        {"contact": {"external_id": "a", "email": "nonsense"}},
        {"contact": {"external_id": "a", "locale": "not a language"}},
        {"contact": {"external_id": "a\x00"}},
        {"contact": {"external_id": "a", "time_zone": "Mars"}},
    ],
)
def test_what_an_event_may_not_say_a_page_may_not_either(placement: Placement, fields: dict[str, Any]) -> None:
    import json

    body = {"placement": placement.pk, "url": PAGE, **fields}
    answer = post("ask", json.dumps(body))
    assert answer.status_code == 422, answer.content
    assert SHOWN not in answer.content
    assert not Contact.objects.exists()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 5000, b"null"])
def test_what_is_no_json_is_refused(placement: Placement, body: bytes) -> None:
    assert post("ask", body).status_code == 422
    assert post("closed", body).status_code == 422


def test_a_large_body_is_not_read(placement: Placement) -> None:
    assert ask(placement, properties={"a": "x" * 9000}).status_code == 413


def test_deep_properties_are_refused(placement: Placement) -> None:
    deep: Any = 1
    for _level in range(40):
        deep = [deep]
    assert ask(placement, properties={"a": deep}).status_code == 422


def test_only_twenty_short_scalars_are_kept(placement: Placement) -> None:
    many = {f"p{number}": number for number in range(30)} | {"list": [1], "nothing": None}
    ask(placement, visitor=VISITOR, consent=True, properties=many)
    kept = Invitation.objects.get().properties
    assert len(kept) == 20
    assert "list" not in kept


def test_too_many_questions_of_one_address_wait(placement: Placement, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MAX_PER_ADDRESS", 2)
    assert [ask(placement).status_code for _ in range(3)] == [200, 200, 429]
    assert ask(placement)["Retry-After"] == "60"


def test_too_many_questions_to_one_tenant_wait(placement: Placement, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MAX_PER_TENANT", 2)
    assert [ask(placement).status_code for _ in range(3)] == [200, 200, 429]
