"""The wire forms of the official clients and the public extractors, byte by byte; the quirks of Delighted's API."""

import base64
import json
from typing import Any

import pytest
from django.test import Client

from apps.api import limits
from apps.api.delighted import base
from apps.contacts.models import Contact
from apps.integrations.services import create_api_key
from apps.triggers.models import AutopilotMember
from tests import factories
from tests.api.delighted.conftest import PUBLIC_HOST, Caller, basic

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MEMBERS = "/v1/autopilot/email/memberships"


@pytest.fixture
def ada(caller: Caller) -> Contact:
    return factories.ContactFactory(email="ada@example.com")


def test_quirk_1_the_key_comes_with_or_without_a_colon(caller: Caller) -> None:
    for credentials in (caller.key, f"{caller.key}:", f"{caller.key}:x"):
        assert caller.raw("GET", "/v1/people", authorization=basic(credentials)).status_code == 200
    bare = base64.b64encode(caller.key.encode()).decode().rstrip("=")
    assert caller.raw("GET", "/v1/people", authorization=f"Bearer {caller.key}").status_code == 200
    for wrong in ("", "Basic", "Basic %%%", f"Basic {bare[:-9]}", basic("rk_nordwind_" + "x" * 43), basic("ÄÖ")):
        answer = caller.raw("GET", "/v1/people", authorization=wrong)
        assert (answer.status_code, answer.json()["status"]) == (401, 401), wrong
        assert answer.json()["message"] == "Unauthorized"


def test_quirk_2_a_get_with_a_body_and_no_content_type_is_fine(caller: Caller) -> None:
    assert caller.raw("GET", "/v1/people.json?per_page=5", b"{}").status_code == 200
    assert caller.raw("GET", "/v1/people", b"\xff{", JSON).status_code == 200


def test_quirk_3_forms_say_the_same_as_json(caller: Caller) -> None:
    told = {"Purchase Experience": "Mobile App", "State": "CA"}
    php = b"email=php%40example.com&send=false&properties%5BPurchase+Experience%5D=Mobile+App&properties%5BState%5D=CA"
    go = b"email=go@example.com&send=0&properties[Purchase Experience]=Mobile App&properties[State]=CA"
    curl = json.dumps({"email": "curl@example.com", "send": False, "properties": told}).encode()
    for body, kind in ((php, FORM), (go, None), (curl, FORM), (curl, None), (curl, "text/plain"), (php, JSON)):
        answer = caller.raw("POST", "/v1/people.json", body, kind)
        assert answer.status_code in (200, 201), answer.content
        assert answer.json()["properties"] == told
        assert Contact.objects.get(email=answer.json()["email"]).properties == told
        assert answer.json()["survey_scheduled_at"] is None
    # A plus that was not encoded is a space.
    answer = caller.raw("POST", "/v1/people", b"phone_number=+491701234567&send=false", FORM)
    assert answer.json()["phone_number"] == "+491701234567"
    assert len(caller.get("/v1/people?phone_number=+491701234567")) == 1


def test_quirk_4_autopilots_delete_takes_its_identifier_from_json_form_or_query(caller: Caller, ada: Contact) -> None:
    forms: list[tuple[str, bytes, str | None]] = [
        (MEMBERS, json.dumps({"person_email": ada.email}).encode(), JSON),
        (MEMBERS, b"person_email=ada%40example.com", FORM),
        (MEMBERS, b"person_email=ada@example.com", None),
        (f"{MEMBERS}.json?person_email=ada%40example.com", b"", None),
        (f"{MEMBERS}?person_id={ada.id}", b"{}", JSON),
    ]
    for path, body, kind in forms:
        assert caller.json("POST", MEMBERS, {"person_email": ada.email}).status_code == 200
        answer = caller.raw("DELETE", path, body, kind)
        assert answer.status_code == 200, answer.content
        assert answer.json()["person"]["id"] == str(ada.id)
        assert not AutopilotMember.objects.exists()
    both = f"{MEMBERS}?person_id={ada.id}&person_email=ada%40example.com"
    for path in (MEMBERS, both):
        assert caller.raw("DELETE", path).status_code == 422


def test_quirk_5_lists_come_in_brackets_in_json_or_plain(caller: Caller) -> None:
    from apps.api.delighted.params import Params, nested

    for pairs in (
        [("expand[]", "person"), ("expand[]", "notes")],
        [("expand", "person,notes")],
        [("expand", "person"), ("expand", "notes")],  # Node
        [("expand[0]", "person"), ("expand[1]", "notes")],  # PHP
        [("expand", '["person", "notes"]')],
    ):
        assert Params(nested(pairs)).texts("expand") == ["person", "notes"]
    assert Params({"expand": ["person", "notes"]}).texts("expand") == ["person", "notes"]
    assert Params(nested([("expand", "person")])).texts("expand") == ["person"]
    assert caller.get("/v1/metrics?groups[0]=core") == caller.get("/v1/metrics?groups=core&groups=")


def test_quirk_7_every_answer_is_json(caller: Caller, ada: Contact, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {}
    for method, path, status in (
        ("GET", "/v1/", 404),
        ("GET", "/v1/nothing/here.json", 404),
        ("POST", "/v1/people/", 404),
        ("PATCH", "/v1/people", 405),
        ("DELETE", "/v1/people/email:nobody@example.com", 404),
        ("DELETE", "/v1/people/email:%00", 404),
        ("GET", "/v1/people.xml", 406),
        ("GET", "/v1/people?since=%00", 400),
        ("GET", "/v1/people?since=%FF", 400),
        ("GET", "/v1/people?since=tomorrow", 422),
        ("GET", f"/v1/people?since={'9' * 40}", 422),
        ("GET", "/v1/people?cursor=x", 422),
        ("GET", f"/v1/people?{'a' + '[b]' * 40}=1", 400),
        ("DELETE", f"/v1/people/email:{ada.email}/survey_requests/pending", 200),
        ("DELETE", f"/v1/people/{ada.id}", 202),
    ):
        answer = caller.raw(method, path)
        told[path] = answer.json()
        assert answer.status_code == status, (path, answer.content)
        assert answer["Content-Type"].startswith("application/json")
        assert not answer.cookies
        assert "Location" not in answer
    assert told["/v1/nothing/here.json"] == {"status": 404, "message": "Not Found"}

    def break_down(*args: Any) -> None:
        raise RuntimeError("made for this test")

    monkeypatch.setattr(base.params, "read", break_down)
    answer = caller.raw("GET", "/v1/people")
    assert (answer.status_code, answer.json()["message"]) == (500, "Internal Server Error")


UNREADABLE: tuple[tuple[bytes, str | None, int], ...] = (
    (b'{"email": ', JSON, 400),
    (b"\xff\xfe", JSON, 400),
    (b"email=%FF", FORM, 400),
    (b"email=\xff", None, 400),
    (b'["a"]', JSON, 400),
    (b"[" * 100_000, JSON, 400),
    (b'{"email": "a@b.com", "properties": ' + b'{"a": ' * 40 + b"1" + b"}" * 41, JSON, 422),
    (b'{"email": "a@b.com", "name": "A\\u0000"}', JSON, 422),
    (b"email=a@b.com&name=%00", FORM, 422),
    (b'{"email": "a@b.com", "properties": {"\\u0000": 1}}', JSON, 422),
    (b'{"email": "a@b.com", "properties": {"n": ' + b"9" * 500 + b"}}", JSON, 422),
    (b'{"email": "a@b.com", "delay": 1e400}', JSON, 400),
    (b'{"email": "a@b.com", "delay": 1e300}', JSON, 422),
    (b'{"email": "a@b.com", "delay": "soon"}', JSON, 422),
    (b'{"email": ["a@b.com"]}', JSON, 422),
    (b'{"email": "a@b.com", "properties": "x"}', JSON, 422),
    (b'{"email": "a@b.com", "send": "maybe"}', JSON, 422),
    (b'{"email": "a@b.com", "channel": "pigeon"}', JSON, 422),
    (b'{"email": "no address"}', JSON, 422),
    (b'{"phone_number": "12"}', JSON, 422),
    (b'{"email": "' + b"a" * 300 + b'@b.com"}', JSON, 422),
    (b"x" * (300 * 1024), FORM, 413),
    (b"&".join([b"a=1"] * 2500), FORM, 400),
    (b"--x--", "multipart/form-data; boundary=x", 415),
    (b"", None, 422),
)


def test_a_body_that_cannot_be_read_is_refused_in_delighteds_shape(caller: Caller) -> None:
    for body, kind, status in UNREADABLE:
        answer = caller.raw("POST", "/v1/people", body, kind)
        assert answer.status_code == status, (body[:80], answer.content)
        assert answer.json()["status"] == status
    assert not Contact.objects.exists()


def test_a_missing_address_is_told_in_delighteds_words(caller: Caller) -> None:
    answer = caller.raw("POST", "/v1/people.json", b"{}", JSON, accept_language="de")
    errors = {"email": ["can't be blank"]}
    assert answer.json() == {"status": 422, "message": "Unprocessable Entity", "errors": errors}
    assert caller.json("POST", "/v1/unsubscribes", {}).json()["errors"] == {"person_email": ["can't be blank"]}


def test_only_json_is_spoken(caller: Caller) -> None:
    for accept, status in (("text/csv", 406), ("application/json", 200), ("*/*", 200), ("", 200)):
        assert caller.raw("GET", "/v1/people", accept=accept).status_code == status


def test_quirk_8_nothing_redirects(caller: Caller) -> None:
    for path in ("/v1/people", "/v1/people.json", "/v1/people/", "/v1/", "/v1//people", "/v1/unsubscribes.json"):
        assert caller.raw("GET", path).status_code in (200, 404)


def test_quirk_9_a_list_goes_on_at_the_link_which_the_last_page_lacks(caller: Caller) -> None:
    made = [factories.ContactFactory() for _ in range(5)]
    path = "/v1/people.json?per_page=100&per_page=2&since=1&since=2&until=9999999999&surprise=1"
    seen, links = [], 0
    while path:
        answer = caller.raw("GET", path)
        seen += [person["id"] for person in answer.json()]
        link, path = answer.headers.get("Link"), ""
        if link:
            links += 1
            assert link.startswith("<http://nordwind.resonanz.test/v1/people.json?")
            assert link.endswith('>; rel="next"')
            path = link[1:].partition(">")[0].removeprefix("http://nordwind.resonanz.test")
            assert (path.count("per_page="), path.count("since="), path.count("surprise")) == (1, 1, 0)
            assert "per_page=2&" in path
    assert seen == sorted(str(contact.id) for contact in made)
    assert links == 2
    for contact in made:
        caller.json("POST", MEMBERS, {"person_id": str(contact.id)})
    answer = caller.raw("GET", f"{MEMBERS}?per_page=3")
    assert len(answer.json()) == 3
    rest = caller.get(answer["Link"][1:].partition(">")[0].removeprefix("http://nordwind.resonanz.test"))
    assert len(rest) == 2


def test_quirk_10_a_page_past_the_end_is_empty_and_a_hundred_is_a_hundred(caller: Caller) -> None:
    for number in range(103):
        caller.json("POST", "/v1/unsubscribes", {"person_email": f"p{number:03}@example.com"})
    pages = [caller.get(f"/v1/unsubscribes?per_page=100&page={page}") for page in (1, 2, 3, 10**12)]
    assert [len(page) for page in pages] == [100, 3, 0, 0]
    assert [row["email"] for row in pages[0][:2]] == ["p000@example.com", "p001@example.com"]
    assert len(caller.get("/v1/unsubscribes")) == 20
    assert len(caller.get("/v1/unsubscribes?per_page=1000")) == 100


def test_quirk_11_too_many_requests_say_in_whole_seconds_how_long_to_wait(tenant: Any) -> None:
    row, key = create_api_key(name="slow")
    row.requests_per_minute = 2
    row.save()
    limits.forget()
    answers = [Caller(key).raw("GET", "/v1/people") for _ in range(4)]
    assert [answer.status_code for answer in answers][:2] == [200, 200]
    assert answers[-1].status_code == 429
    assert answers[-1].json()["status"] == 429
    assert 1 <= int(answers[-1]["Retry-After"]) <= 61


def test_quirk_12_a_membership_has_its_times_and_its_next_request_always(caller: Caller, ada: Contact) -> None:
    caller.json("POST", MEMBERS, {"person_id": str(ada.id), "properties": {"State": "CA"}})
    [row] = caller.get(MEMBERS)
    assert isinstance(row["updated_at"], int)
    assert row["next_survey_request"]["properties"] == {"State": "CA"}
    assert row["next_survey_request"]["id"]
    assert row["person"]["id"] == str(ada.id)


def test_quirk_13_only_a_literal_json_is_cut_off(caller: Caller) -> None:
    for email, path in (
        ("a@b.com", "/v1/people/email:a@b.com"),
        ("a.json@b.com", "/v1/people/email:a.json@b.com"),
        ("c+d@b.com", "/v1/people/email%3Ac%2Bd%40b.com.json"),
    ):
        factories.ContactFactory(email=email)
        assert caller.raw("DELETE", path.replace("%3A", ":").replace("%2B", "+").replace("%40", "@")).status_code == 202
        assert not Contact.objects.exists(), email
    factories.ContactFactory(phone="+491701234567")
    assert caller.raw("DELETE", "/v1/people/phone_number:+491701234567.json").status_code == 202
    assert not Contact.objects.exists()


def test_quirk_14_unknown_parameters_are_ignored(caller: Caller) -> None:
    assert caller.raw("GET", "/v1/people?foo=bar&person[x]=1&expand[]=y").status_code == 200
    assert caller.json("POST", "/v1/people?z=1", {"email": "a@b.com", "send": False, "q": [1]}).status_code == 201


def test_quirk_15_the_key_names_the_tenant_and_opens_no_other(caller: Caller, other_tenant: Any) -> None:
    factories.ContactFactory(email="ada@example.com")
    on_public = Caller(caller.key, PUBLIC_HOST)
    assert [row["email"] for row in on_public.get("/v1/people")] == ["ada@example.com"]
    assert on_public.raw("GET", "/v1/people", authorization=basic(caller.key)).status_code == 200
    for host in ("klarwerk.resonanz.test", "nobody.resonanz.test"):
        answer = Caller(caller.key, host).raw("GET", "/v1/people")
        assert answer.status_code == (401 if host.startswith("klarwerk") else 404)
        assert answer.json()["status"] == answer.status_code
    stranger = Caller("rk_klarwerk_" + "a" * 43, PUBLIC_HOST)
    assert stranger.raw("GET", "/v1/people").status_code == 401
    assert Caller("rk_nobody_" + "a" * 43, PUBLIC_HOST).raw("GET", "/v1/people").status_code == 401
    assert Client(headers={"host": PUBLIC_HOST}).get("/v1/people").status_code == 401


def test_a_key_does_only_what_its_scopes_allow(tenant: Any) -> None:
    reads = Caller(create_api_key(name="reads", scopes=["read"])[1])
    assert reads.raw("GET", "/v1/people").status_code == 200
    for method, path in (
        ("POST", "/v1/people"),
        ("DELETE", "/v1/people/email:a@b.com"),
        ("POST", "/v1/unsubscribes"),
        ("POST", MEMBERS),
        ("DELETE", MEMBERS),
    ):
        assert reads.raw(method, path).status_code == 403, (method, path)
    writes = Caller(create_api_key(name="writes", scopes=["contacts:write"])[1])
    assert writes.json("POST", "/v1/people", {"email": "a@b.com", "send": False}).status_code == 201
    assert writes.json("POST", "/v1/people", {"email": "a@b.com"}).status_code == 403
    assert writes.raw("GET", "/v1/people").status_code == 403
