"""Contacts, companies, legal bases and suppressions as integrators write them."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.contacts.models import BusinessCalendar, Company, Contact, LegalBasis
from apps.contacts.services import with_legal_basis
from apps.integrations.models import ApiKey
from apps.integrations.services import create_api_key
from apps.messaging import suppressions
from apps.messaging.models import Suppression
from apps.triggers.models import Segment
from tests import factories
from tests.api.calling import call, fields_of
from tests.api.sending import problem


@pytest.fixture
def key(tenant: Any) -> str:
    return create_api_key(name="crm")[1]


def names(answer: Any) -> list[str]:
    return sorted(row["name"] for row in answer.json()["results"])


def test_a_contact_is_made_once_and_found_again_by_either_identity(key: str) -> None:
    first = call(key, "POST", "/contacts?expand=company", {
        "external_id": "c-1", "email": "Ada@Example.com", "company": {"external_id": "k-1", "name": "Engines"},
        "properties": {"plan": "pro"},
    })  # fmt: skip
    assert first.status_code == 201
    told = first.json()
    assert (told["email"], told["company"]["name"], told["properties"]) == (
        "ada@example.com",
        "Engines",
        {"plan": "pro"},
    )
    for body in ({"external_id": "c-1", "name": "Ada"}, {"email": "ADA@example.com", "properties": {"seats": 3}}):
        again = call(key, "POST", "/contacts", body)
        assert (again.status_code, again.json()["id"]) == (200, told["id"])
    assert again.json()["name"] == "Ada"
    assert again.json()["properties"] == {"plan": "pro", "seats": 3}
    assert "company" not in again.json()
    assert again.json()["created_at"].endswith("Z")
    wrong = {"email": "x", "country": "ZZ", "company": {"external_id": ""}}
    assert fields_of(call(key, "POST", "/contacts", wrong)) == ["email", "country", "company.external_id"]


def test_what_a_change_gives_takes_the_place_of_what_was_there(key: str) -> None:
    BusinessCalendar.objects.create(country="DE")
    company = Company.objects.create(name="Engines", external_id="k-1")
    ada = factories.ContactFactory(company=company, properties={"a": 1}, country="DE", region="BY")
    other = factories.ContactFactory(email="taken@example.com")
    path = f"/contacts/{ada.pk}"
    changed = call(key, "PATCH", path, {"name": "", "phone": "0170 1234567", "properties": {"b": 2}, "company": None})
    assert changed.status_code == 200
    told = changed.json()
    assert (told["name"], told["phone"], told["properties"], told["company_id"]) == (
        "",
        "+491701234567",
        {"b": 2},
        None,
    )
    moved = call(key, "PATCH", path, {"country": "at", "company": {"external_id": "k-2", "name": "Difference"}}).json()
    assert (moved["country"], moved["region"]) == ("AT", "")
    assert moved["company_id"] == Company.objects.get(external_id="k-2").pk
    assert fields_of(call(key, "PATCH", path, {"email": "TAKEN@example.com"})) == ["email"]
    assert fields_of(call(key, "PATCH", path, {"phone": "12"})) == ["phone"]
    assert fields_of(call(key, "PATCH", path, {"email": None, "external_id": None})) == [""]
    assert fields_of(call(key, "PATCH", path, {"id": str(other.pk), "naem": "x"})) == ["id", "naem"]
    other.refresh_from_db()
    assert other.email == "taken@example.com"
    assert call(key, "DELETE", path).status_code == 405


def test_many_contacts_at_once_cost_as_many_queries_as_few_and_wrong_ones_keep_no_other_out(key: str) -> None:
    factories.ContactFactory(external_id="c-0")
    body = [{"external_id": f"c-{n}", "email": f"c{n}@example.com"} for n in range(300)]
    body[7] = {"email": "nobody"}
    call(key, "GET", "/companies")
    with CaptureQueriesContext(connection) as few:
        call(key, "POST", "/contacts/bulk", [{"external_id": "c-0", "name": "x"}, {"external_id": "other"}])
    with CaptureQueriesContext(connection) as many:
        answer = call(key, "POST", "/contacts/bulk", [*body, {"external_id": "c-299", "name": "Last"}])
    assert len(many) == len(few)
    told = answer.json()
    assert (told["created"], told["known"], told["refused"]) == (298, 2, 1)
    assert told["results"][0]["status"] == "known"
    assert told["results"][7] == {
        "index": 7, "status": "refused", "errors": [{"field": "email", "message": "is not an e-mail address."}],
    }  # fmt: skip
    assert told["results"][300]["id"] == told["results"][299]["id"]
    assert Contact.objects.get(external_id="c-299").name == "Last"
    assert fields_of(call(key, "POST", "/contacts/bulk", {"external_id": "c-1"})) == [""]
    assert fields_of(call(key, "POST", "/contacts/bulk", [{"external_id": "c"}] * 1001)) == [""]


def test_contacts_are_found_by_what_is_known_of_them(key: str) -> None:
    company = Company.objects.create(name="Engines", external_id="k-1")
    factories.ContactFactory(name="Ada", email="ada@example.com", company=company, properties={"plan": "pro"})
    late = factories.ContactFactory(name="Bo", external_id="b-7")
    now = timezone.now()
    Contact.objects.filter(pk=late.pk).update(created_at=now + timedelta(days=2))
    condition = {"field": "contact.plan", "op": "eq", "value": "pro"}
    Segment.objects.create(key="pro", name="Pro", condition=condition)
    tomorrow = (now + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for query, found in {
        "email=ADA@example.com": ["Ada"], "external_id=b-7": ["Bo"], f"company={company.pk}": ["Ada"],
        "company_external_id=k-1": ["Ada"], "segment=pro": ["Ada"], f"created_since={tomorrow}": ["Bo"],
        f"created_until={tomorrow}": ["Ada"], "q=b-": ["Bo"], "q=nobody": [],
    }.items():  # fmt: skip
        assert names(call(key, "GET", f"/contacts?{query}")) == found, query
    assert names(call(key, "GET", "/segments/pro/contacts")) == ["Ada"]
    assert fields_of(call(key, "GET", "/contacts?segment=none")) == ["segment"]


def test_a_consent_is_kept_as_it_was_given_and_an_objection_ends_all(key: str) -> None:
    ada = factories.ContactFactory()
    path = f"/contacts/{ada.pk}/legal-bases"
    consent = {
        "kind": "consent",
        "source": "form",
        "wording": "Yes, ask me.",
        "granted_at": "2026-01-02T03:04:05+01:00",
    }
    first = call(key, "POST", path, consent)
    assert (first.status_code, first.json()["granted_at"]) == (201, "2026-01-02T02:04:05Z")
    again = call(key, "POST", path, {**consent, "wording": "Another"})
    assert (again.status_code, again.json()["wording"]) == (200, "Yes, ask me.")
    assert with_legal_basis(contact_ids=[ada.pk]) == {ada.pk}
    assert call(key, "DELETE", path).status_code == 204
    assert with_legal_basis(contact_ids=[ada.pk]) == set()
    told = call(key, "GET", path).json()["results"]
    assert [row["revoked_at"] is not None for row in told] == [True]
    purchase = {"kind": "existing_customer", "source": "shop", "text_version": "2"}
    assert "objected" in problem(call(key, "POST", path, purchase), 409)["detail"]
    assert call(key, "POST", path, {**consent, "source": "new form"}).status_code == 201
    assert with_legal_basis(contact_ids=[ada.pk]) == {ada.pk}
    assert fields_of(call(key, "POST", path, {"kind": "existing_customer", "source": "s"})) == ["wording"]
    ahead = (timezone.now() + timedelta(days=1)).isoformat()
    assert fields_of(call(key, "POST", path, {**consent, "granted_at": ahead})) == ["granted_at"]
    assert LegalBasis.objects.count() == 2


def test_a_company_is_made_once_and_changed(key: str) -> None:
    first = call(key, "POST", "/companies", {"external_id": "k-1", "name": "Engines", "properties": {"size": 5}})
    again = call(key, "POST", "/companies", {"external_id": "k-1", "properties": {"since": 1843}})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["properties"] == {"size": 5, "since": 1843}
    assert again.json()["name"] == "Engines"
    path = f"/companies/{first.json()['id']}"
    assert call(key, "PATCH", path, {"properties": {}, "country": "DE"}).json()["properties"] == {}
    assert fields_of(call(key, "PATCH", path, {"time_zone": "Mars/Olympus"})) == ["time_zone"]
    assert names(call(key, "GET", "/companies?q=engi")) == ["Engines"]


def test_an_address_is_blocked_found_by_its_hash_and_lifted_with_a_reason(key: str) -> None:
    first = call(key, "POST", "/suppressions", {"address": "Ada@Example.com "})
    assert (first.status_code, first.json()["address"]) == (201, "ada@example.com")
    assert (first.json()["reason"], first.json()["source"]) == ("manual", "crm")
    assert suppressions.suppressed(emails=["ada@example.com"])
    Suppression.objects.update(email="")  # as erasing its contact leaves it
    found = call(key, "GET", "/suppressions?address=ADA@example.com").json()["results"]
    assert [(row["id"], row["address"]) for row in found] == [(first.json()["id"], "")]
    path = f"/suppressions/{first.json()['id']}"
    assert fields_of(call(key, "DELETE", path)) == ["because"]
    assert call(key, "DELETE", f"{path}?because=a+typing+mistake").status_code == 204
    assert not suppressions.suppressed(emails=["ada@example.com"])
    assert call(key, "GET", "/suppressions").json()["results"] == []
    (lifted,) = call(key, "GET", "/suppressions?state=lifted").json()["results"]
    assert (lifted["lifted_because"], lifted["lifted_by"]) == ("a typing mistake", "API: crm")
    assert fields_of(call(key, "POST", "/suppressions", {"address": "nobody"})) == ["address"]


def test_what_a_person_said_themselves_cannot_be_lifted_by_the_api(key: str) -> None:
    call(key, "POST", "/suppressions", {"address": "ada@example.com", "reason": "bounced"})
    again = call(key, "POST", "/suppressions", {"address": "ada@example.com", "reason": "unsubscribed"})
    assert (again.status_code, again.json()["reason"]) == (200, "unsubscribed")
    problem(call(key, "DELETE", f"/suppressions/{again.json()['id']}?because=please"), 409)
    assert suppressions.suppressed(emails=["ada@example.com"])


def test_a_key_that_only_brings_contacts_in_learns_nothing_of_them(key: str) -> None:
    company = Company.objects.create(name="Engines", external_id="k-1", properties={"secret": 1})
    ada = factories.ContactFactory(name="Ada", company=company)
    LegalBasis.objects.create(contact=ada, kind="consent", source="form", wording="Yes", granted_at=timezone.now())
    basis = {"kind": "consent", "source": "form"}
    calls = [
        ("POST", "/contacts?expand=company", {"email": ada.email}),
        ("PATCH", f"/contacts/{ada.pk}", {"locale": "de"}),
        ("POST", f"/contacts/{ada.pk}/legal-bases", basis),
        ("POST", "/companies", {"external_id": "k-1"}),
        ("PATCH", f"/companies/{company.pk}", {"country": "DE"}),
    ]
    bringing = create_api_key(name="form", scopes=["contacts:write"])[1]
    for method, path, body in calls:
        whole, told = (call(one, method, path, body).json() for one in (key, bringing))
        assert told == {"id": whole["id"]}, path
        assert len(whole) > 5, path


def test_a_write_key_brings_contacts_in_but_no_reason_to_write_to_them(tenant: Any) -> None:
    bringing = create_api_key(name="tag manager", kind=ApiKey.Kind.INTAKE)[1]
    made = call(bringing, "POST", "/contacts", {"email": "ada@example.com"})
    assert made.status_code == 201
    refused = call(
        bringing, "POST", f"/contacts/{made.json()['id']}/legal-bases", {"kind": "consent", "source": "form"}
    )
    assert "server key" in problem(refused, 403)["detail"]
    assert not LegalBasis.objects.exists()


def test_a_body_nested_nearly_too_deep_is_refused(key: str) -> None:
    """Between what can be read and what can be told to be wrong lie a few levels."""
    statuses = []
    for depth in range(820, 1000):
        body = b'{"address": "a@example.com", "reason": %s}' % (b"[" * depth + b"]" * depth)
        statuses.append(call(key, "POST", "/suppressions", body).status_code)
    assert set(statuses) == {400, 422}
