"""Imports by hand: upload, say what the columns mean, look, check, import, take back."""

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.contacts.models import Contact, LegalBasis
from apps.responses.models import Response
from apps.transfers import runs
from apps.transfers.models import Import
from apps.workspace.views import imports
from tests import factories

LIST, NEW = "/imports/", "/imports/new/"
FILE = 'E-Mail,Full name,Plan,Note\nada@x.example,Ada,pro,"=1+1"\nnobody,Bob,<b>free</b>,\ncy@x.example,Cy,free,hello\n'


@pytest.fixture
def user(tenant: Any) -> User:
    return User.objects.create_superuser("chief")


def upload(client: Client, text: str | bytes = FILE, kind: str = "contacts", name: str = "people.csv") -> Any:
    raw = text.encode() if isinstance(text, str) else text
    return client.post(NEW, {"kind": kind, "file": SimpleUploadedFile(name, raw)})


def work() -> None:
    while runs.run_next(now=timezone.now(), clock=timezone.now):
        pass


def uploaded(client: Client, *args: Any, **how: Any) -> tuple[Import, str]:
    """An uploaded file, and its page."""
    answer = upload(client, *args, **how)
    source = Import.objects.latest("created_at")
    assert answer["Location"] == reverse("workspace:import", args=[source.pk])
    return source, answer["Location"]


MEANING = {
    "column_0": "email", "column_1": "name", "column_2": "property", "key_2": "plan", "column_3": "",
    "existing": "update", "basis": "consent", "basis_source": "old shop",
}  # fmt: skip


def test_a_file_goes_all_the_way_and_back(client: Client) -> None:
    source, url = uploaded(client)
    page = client.get(url).content.decode()
    assert '<option value="email" selected>' in page, "guessed"
    assert "This is not an e-mail address." in page
    assert "<b>free</b>" not in page
    assert "&lt;b&gt;free&lt;/b&gt;" in page

    assert client.post(url, {**MEANING, "do": "check"})["Location"] == url
    assert "Waits for a worker." in client.get(url).content.decode()
    assert "Waits for a worker." in client.get(f"{url}progress/").content.decode()
    work()
    assert client.get(f"{url}progress/").status_code == 204
    page = client.get(url).content.decode()
    assert "Would be created" in page
    assert not Contact.objects.exists()
    for kept in ('value="plan"', 'value="old shop"', '<option value="consent" selected>'):
        assert kept in page

    client.post(url, {**MEANING, "do": "run"})
    work()
    page = client.get(url).content.decode()
    assert "What was taken" in page
    assert Contact.objects.get(email="ada@x.example").properties == {"plan": "pro"}
    assert LegalBasis.objects.filter(kind="consent", source="old shop").count() == 2
    answer = client.get(f"{url}bad-rows.csv")
    [_header, row] = csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))  # type: ignore[attr-defined]
    assert (row[0], row[2]) == ("3", "nobody")

    assert "Undo this import?" in client.get(f"{url}undo/").content.decode()
    assert Contact.objects.count() == 2, "only asked"
    client.post(f"{url}undo/")
    work()
    assert not Contact.objects.exists()
    page = client.get(url).content.decode()
    assert "What was taken back" in page
    source.refresh_from_db()
    assert source.status == "undone"


def test_what_cannot_be_is_said_and_what_was_chosen_is_kept(client: Client) -> None:
    source, url = uploaded(client)
    page = client.post(url, {**MEANING, "column_0": "", "key_2": "my_plan", "do": "run"}).content.decode()
    assert "Choose a column with the external id or the e-mail address." in page
    assert 'value="my_plan"' in page
    page = client.post(url, {**MEANING, "basis_source": "", "do": "run"}).content.decode()
    assert "Say where the consent or the address comes from." in page
    assert '<option value="consent" selected>' in page
    page = client.post(url, {**MEANING, "column_0": "password"}).content.decode()
    assert "password is not one of the available choices" in page
    source.refresh_from_db()
    assert source.status == "mapping"


@pytest.mark.parametrize(
    ("raw", "name", "said"),
    [
        (b"", "a.csv", "The file is empty."),
        (b"%PDF-1.7 ...", "a.csv", "This is a PDF."),
        (b"\xd0\xcf\x11\xe0 old", "a.xls", "This is an old Excel file."),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_with_a_sentence(
    client: Client, raw: bytes, name: str, said: str
) -> None:
    answer = upload(client, raw, kind="companies", name=name)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert '<option value="companies" selected>' in answer.content.decode()
    assert not Import.objects.exists()


def test_a_file_that_is_too_large_is_refused_before_it_is_read(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MAX_BYTES", 10)
    monkeypatch.setattr(imports, "_FORM_BYTES", 10)
    answer = upload(client)
    assert answer.status_code == 413
    assert "The file may have at most 1 GB" in answer.content.decode()
    assert not answer.wsgi_request._read_started


def test_an_upload_needs_the_token_of_the_form(user: User) -> None:
    careful = Client(enforce_csrf_checks=True, headers={"host": "nordwind.resonanz.test"})
    careful.force_login(user)
    assert upload(careful).status_code == 403
    assert not Import.objects.exists()


def test_nobody_imports_without_the_right_to(client: Client, visitor: Client) -> None:
    _source, url = uploaded(client)
    _blocked, blocking = uploaded(client, "address\na@x.example\n", kind="suppressions")
    reader = Client(headers={"host": "nordwind.resonanz.test"})
    assert reader.get(LIST).status_code == 302
    person = User.objects.create(username="reader")
    reader.force_login(person)
    for address in (LIST, NEW, url, f"{url}progress/", f"{url}undo/", f"{url}bad-rows.csv"):
        assert reader.get(address).status_code == 403
    assert reader.post(f"{url}cancel/").status_code == 403
    assert upload(reader).status_code == 403
    assert LIST not in reader.get("/").content.decode()
    grant(person, "add_import")
    assert reader.get(url).status_code == 200
    assert LIST in reader.get("/").content.decode()
    # Blocking addresses is another right.
    assert reader.get(blocking).status_code == 403
    assert upload(reader, "address\na@x.example\n", kind="suppressions").status_code == 403
    grant(person, "change_suppression")
    assert reader.get(blocking).status_code == 200


def grant(person: User, codename: str) -> None:
    person.user_permissions.add(Permission.objects.get(codename=codename))
    cache.clear()  # Links are looked up once a minute.


def test_past_responses_are_counted_at_the_survey_that_was_chosen(client: Client) -> None:
    factories.SurveyFactory()
    _source, url = uploaded(
        client, "email,score,comment,created_at\nada@x.example,9,Great,2024-03-01\n", kind="responses"
    )
    given = {"column_0": "email", "column_1": "score", "column_2": "comment", "column_3": "answered_at", "do": "run"}
    assert "This field is required." in client.post(url, given).content.decode()
    client.post(url, {**given, "survey": "order", "tags": "old, shop"})
    work()
    assert [(row.score, row.survey.key) for row in Response.objects.all()] == [(9, "order")]


def test_an_import_that_is_not_wanted_is_cancelled(client: Client) -> None:
    source, url = uploaded(client)
    client.post(f"{url}cancel/")
    source.refresh_from_db()
    assert source.status == "cancelled"
    assert "Undo this import" not in client.get(url).content.decode()
    page = client.post(f"{url}cancel/", follow=True).content.decode()
    assert "That is not possible now" in page


def test_imports_are_found_and_more_of_them_cost_no_more_queries(
    client: Client, user: User, now: datetime, queries_of: Callable[[str], int]
) -> None:
    assert "Nothing has been imported yet." in client.get(LIST).content.decode()

    def make(number: int, **values: Any) -> Import:
        at = now - timedelta(minutes=number)
        given = {"kind": "contacts", "status": "done", "created_by": user, "rows_total": 5, "bad": 1, **values}
        return Import.objects.create(file_name=f"file-{number}.csv", created_at=at, **given)

    make(0)
    few = queries_of(LIST)
    for number in range(1, 30):
        make(number, status="failed" if number % 2 else "done", kind="companies" if number == 8 else "contacts")
    assert queries_of(LIST) == few

    def names(**query: str) -> list[str]:
        return [row.file_name for row in client.get(LIST, query).context["page"].rows]

    assert len(names()) == 25
    assert names(kind="companies") == ["file-8.csv"]
    assert names(q="file-17") == ["file-17.csv"]
    assert len(names(status="failed")) == 15
    assert names(q="nothing like it") == []


def test_a_page_costs_the_same_however_many_rows_and_columns_there_are(
    client: Client, queries_of: Callable[[str], int]
) -> None:
    _source, narrow = uploaded(client)
    few = queries_of(narrow)
    wide = ",".join(f"c{n}" for n in range(60))
    _source, url = uploaded(client, f"email,{wide}\n" + f"a@x.example,{wide}\n" * 30)
    assert queries_of(url) == few
