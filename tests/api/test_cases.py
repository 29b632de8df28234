"""Cases by the API: found, opened, changed, noted."""

from typing import Any

import pytest

from apps.cases import services
from apps.cases.models import Case, CaseNote
from apps.integrations.models import Scope
from apps.integrations.services import create_api_key
from tests.api.calling import call, fields_of
from tests.cases.caring import NOW, case, contact, response, rule, touchpoint, worker

pytestmark = pytest.mark.usefixtures("tenant")


@pytest.fixture
def key(tenant: Any) -> str:
    return create_api_key(name="crm")[1]


def patch(key: str, row: Case, **body: Any) -> Any:
    return call(key, "PATCH", f"/cases/{row.pk}", body)


def found(key: str, query: str) -> list[str]:
    answer = call(key, "GET", f"/cases?{query}")
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_a_case_is_opened_once_by_the_rules_and_changed(key: str) -> None:
    ada = worker("ada")
    rule(ada, name="All", score="")
    row = response(score=9)
    first = call(key, "POST", "/cases", {"response_id": str(row.pk)})
    again = call(key, "POST", "/cases", {"response_id": str(row.pk)})
    assert (first.status_code, again.status_code) == (201, 200)
    told = first.json()
    assert (told["owner"], told["rule"], told["status"], told["segment"]) == ("ada", "All", "new", "promoter")
    made = Case.objects.get()
    done = patch(key, made, status="solved", outcome="Paid back.", owner=None, is_urgent=True, revision=0)
    assert done.status_code == 200
    told = done.json()
    assert (told["status"], told["outcome"], told["owner"], told["revision"]) == ("solved", "Paid back.", None, 1)
    assert told["closed_at"] is not None
    assert made.changes.last().by is None  # type: ignore[union-attr]


def test_what_is_wrong_is_named(key: str) -> None:
    row = case()
    assert fields_of(call(key, "POST", "/cases", {"response_id": str(row.pk)})) == ["response_id"]
    for body, field in (
        ({"status": "burnt"}, "status"), ({"status": "lost"}, "outcome"), ({"owner": "nobody"}, "owner"),
        ({"owner_id": 99_999}, "owner_id"), ({"owner": None, "owner_id": None}, "owner"),
        ({"result_id": 99_999}, "result_id"), ({"root_cause_id": 99_999}, "root_cause_id"), ({"due": "x"}, "due"),
    ):  # fmt: skip
        assert fields_of(patch(key, row, **body)) == [field], body
    row.refresh_from_db()
    assert row.revision == 0


def test_a_case_that_was_changed_or_merged_meanwhile_is_left_and_says_so(key: str) -> None:
    row, other = case(contact=contact("kim", "Acme")), case(contact=contact("jo", "Acme"))
    services.change(case_id=row.pk, revision=None, changes=services.Changes(is_urgent=True), by=None, now=NOW)
    stale = patch(key, row, revision=0, status="contacted")
    assert (stale.status_code, "revision 1" in stale.json()["detail"]) == (409, True)
    services.merge(into=row.pk, others=[other.pk], by=None, now=NOW)
    for answer in (patch(key, other, is_urgent=True), call(key, "POST", f"/cases/{other.pk}/notes", {"text": "x"})):
        assert (answer.status_code, str(row.pk) in answer.json()["detail"]) == (409, True)
    assert call(key, "GET", f"/cases/{other.pk}").json()["merged_into_id"] == str(row.pk)
    assert found(key, "") == [str(row.pk)]


def test_cases_are_found_by_what_they_are(key: str) -> None:
    ada, kim = worker("ada"), contact("kim")
    late, done, mine = case(touchpoint=touchpoint("shop")), case(), case(contact=kim)
    Case.objects.filter(pk=mine.pk).update(owner=ada, is_urgent=True, due_at="2099-01-01T00:00Z", contact_due_at=None)
    services.change(
        case_id=done.pk, revision=None, changes=services.Changes(status="lost", outcome="Left"), by=None, now=NOW
    )
    for query, rows in (
        ("status=lost", [done]), ("open=true", [mine, late]), ("open=false", [done]), ("overdue=true", [late]),
        ("overdue=false", [mine, done]), ("urgent=true", [mine]), ("owner=ada", [mine]), ("owned=true", [mine]),
        ("owned=false", [done, late]), ("touchpoint=shop", [late]), ("survey=order&urgent=true", [mine]),
        (f"contact={kim.pk}", [mine]), (f"response={late.response_id}", [late]),
        ("closed_since=2026-11-23T10:00:00Z", [done]), ("closed_until=2026-11-23T10:00:00Z", []),
        ("opened_since=2026-11-23T10:00:01Z", []), ("opened_until=2026-11-24T00:00:00Z&open=false", [done]),
        ("updated_since=2026-11-23T10:00:00Z", [late, done, mine]),
    ):  # fmt: skip
        assert found(key, query) == [str(row.pk) for row in rows], query


def test_contact_and_response_are_told_along_when_asked_for(key: str) -> None:
    case(comment="Too late", contact=contact("kim"))
    plain = call(key, "GET", "/cases").json()["results"][0]
    told = call(key, "GET", "/cases?expand=contact,response").json()["results"][0]
    assert {"contact", "response"} & plain.keys() == set()
    assert (told["contact"]["name"], told["response"]["comment"]) == ("Kim", "Too late")
    assert told["response"]["id"] == told["response_id"]


def test_notes_are_read_in_order_and_mention_people(key: str) -> None:
    row, ada = case(), worker("ada")
    services.add_note(case_id=row.pk, text="First", by=ada, now=NOW)
    made = call(key, "POST", f"/cases/{row.pk}/notes", {"text": "@ada please"})
    assert (made.status_code, made.json()["mentions"], made.json()["author"]) == (201, ["ada"], None)
    notes = call(key, "GET", f"/cases/{row.pk}/notes").json()["results"]
    assert [(note["text"], note["author"]) for note in notes] == [("First", "ada"), ("@ada please", None)]
    assert fields_of(call(key, "POST", f"/cases/{row.pk}/notes", {"text": " "})) == ["text"]
    assert CaseNote.objects.count() == 2


def test_who_may_not_read_is_told_ids_only(key: str) -> None:
    writer = create_api_key(name="writer", scopes=[Scope.CASES_WRITE])[1]
    row = response()
    opened = call(writer, "POST", "/cases", {"response_id": str(row.pk)})
    assert opened.json() == {"id": str(Case.objects.get().pk)}
    assert patch(writer, Case.objects.get(), is_urgent=True).json() == opened.json()
    assert call(writer, "GET", "/cases").status_code == 403


def test_a_note_of_who_may_not_read_tells_its_id_and_nobody(key: str) -> None:
    row = case()
    worker("ada", first_name="Ada", last_name="Byron")
    writer = create_api_key(name="writer", scopes=[Scope.CASES_WRITE])[1]
    told = call(writer, "POST", f"/cases/{row.pk}/notes", {"text": "@Ada Byron, please"}).json()
    assert told == {"id": str(CaseNote.objects.get().pk)}


@pytest.mark.parametrize("due", ["0001-01-01T00:30:00Z", "9999-12-31T23:30:00Z"])
def test_a_time_that_pages_could_not_show_by_every_clock_is_refused(key: str, due: str) -> None:
    assert fields_of(patch(key, case(), due_at=due)) == ["due_at"]
