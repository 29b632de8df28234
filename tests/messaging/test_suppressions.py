"""Whom we must not write to: lifted with a reason, never against the person's word; read from and written to files."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.common import tokens
from apps.contacts.models import BusinessCalendar, Contact, LegalBasis
from apps.messaging import suppression_files
from apps.messaging.models import Suppression
from apps.messaging.suppression_files import FileError, Result, take_in, write_out
from apps.messaging.suppressions import add, address_hash, lift, suppress, suppressed
from apps.triggers.models import Decision
from apps.triggers.services import evaluate_events
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")
ADDRESS = "ada@x.example"
LIST = "/admin/messaging/suppression/"


@pytest.fixture
def client() -> Client:
    client = Client(headers={"host": "nordwind.resonanz.test", "accept-language": "en"})
    client.force_login(
        User.objects.create_superuser("chief", "chief@example.com"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def block(reason: str, address: str = ADDRESS) -> Suppression:
    suppress(emails=[address], reason=reason, source="t", now=timezone.now())
    return Suppression.objects.get(address_hash=address_hash(address), lifted_at=None)


def load(text: str | bytes, encoding: str = "utf-8", *, region: str = "") -> Result:
    raw = text if isinstance(text, bytes) else text.encode(encoding)
    return take_in(file=io.BytesIO(raw), size=len(raw), source="old system", region=region, now=timezone.now())


# --- lifting ---


@pytest.mark.parametrize("reason", ["bounced", "manual", "imported"])
def test_what_may_have_been_a_mistake_is_lifted_and_stays_as_history(reason: str) -> None:
    row, now = block(reason), timezone.now()
    assert lift(ids=[row.pk], because="  mailbox works again ", by="chief", now=now).done == [row]
    row.refresh_from_db()
    assert (row.lifted_at, row.lifted_because, row.lifted_by) == (now, "mailbox works again", "chief")
    assert not suppressed(emails=[ADDRESS])
    again = block("bounced")
    assert again.pk != row.pk
    assert suppressed(emails=[ADDRESS]) == {ADDRESS}


@pytest.mark.parametrize("reason", ["unsubscribed", "complained"])
def test_what_the_person_said_is_lifted_only_after_their_own_new_confirmed_consent(reason: str) -> None:
    contact = factories.ContactFactory(email=ADDRESS)
    old = {"contact": contact, "kind": "consent", "granted_at": timezone.now() - timedelta(days=9)}
    LegalBasis.objects.create(**old, source="before", confirmed_at=timezone.now() - timedelta(days=9))
    row = block(reason)
    LegalBasis.objects.create(**old, source="unconfirmed")

    def try_it() -> bool:
        return bool(lift(ids=[row.pk], because="she called", by="chief", now=timezone.now()).done)

    assert not try_it()
    assert suppressed(emails=[ADDRESS])
    LegalBasis.objects.create(**old, source="anew", confirmed_at=timezone.now() + timedelta(seconds=1))
    assert try_it()


def test_nothing_is_lifted_without_a_reason() -> None:
    row = block("manual")
    with pytest.raises(ValueError, match="why"):
        lift(ids=[row.pk], because=" \n", by="chief", now=timezone.now())
    assert suppressed(emails=[ADDRESS])


# --- the block outlives the contact ---


def test_8_an_erased_or_imported_address_stays_blocked_by_its_keyed_hash() -> None:
    factories.house(delay=timedelta(0))
    contact = factories.ContactFactory(external_id="k1", email=ADDRESS)
    row = block("unsubscribed")
    contact.delete()
    Suppression.objects.update(email="")
    assert ADDRESS.encode() not in bytes(row.address_hash)
    assert bytes(row.address_hash) == tokens.keyed_hash(ADDRESS)
    factories.EventFactory(contact_data={"external_id": "new", "email": "ADA@x.example"})
    evaluate_events(now=timezone.now())
    assert Contact.objects.get().email == ADDRESS
    assert Decision.objects.get().reason == "suppressed"
    load(f"address,reason\n{ADDRESS},bounced\n")
    assert Suppression.objects.get().reason == "unsubscribed"


def test_8_the_hash_is_another_in_another_tenant(other_tenant: Any) -> None:
    from django_tenants.utils import tenant_context

    with tenant_context(other_tenant):
        foreign = address_hash(ADDRESS)
    assert foreign != address_hash(ADDRESS)


def test_a_telephone_number_is_remembered_in_international_form() -> None:
    block("manual", "+491701234567")
    assert suppressed(emails=["+49 170 1234567", "0049-170-1234567", "0170 1234567"]) == {
        "+49 170 1234567", "0049-170-1234567",
    }  # fmt: skip


# --- taking a file over ---


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_list_is_read_in_whatever_form_it_was_saved(encoding: str, delimiter: str) -> None:
    rows = [("E-Mail", "Reason", "Source"), ("Ada@X.example", "bounced", "Käse"), ("bob@x.example", "", "")]
    result = load("\r\n".join(delimiter.join(row) for row in rows), encoding)
    assert (result.added, result.known, result.problems) == (2, 0, [])
    found = set(Suppression.objects.values_list("email", "reason", "source"))
    assert found == {(ADDRESS, "bounced", "Käse"), ("bob@x.example", "imported", "old system")}


def test_a_plain_column_of_addresses_is_a_list_too() -> None:
    result = load(f"{ADDRESS}\n\nbob@x.example\n{ADDRESS}\n0170 1234567\n", region="DE")
    assert (result.added, result.known, result.wrong) == (3, 1, 0)
    assert suppressed(emails=["+491701234567"])


def test_each_wrong_row_is_told_by_its_number_and_the_others_are_taken() -> None:
    rows = ["address,reason", "no address", ",bounced", f"{ADDRESS},because", "x\x00y@x.example,", "bob@x.example,"]
    result = load("\n".join(rows))
    assert [problem.row for problem in result.problems] == [2, 3, 4, 5]
    assert "neither an e-mail address" in str(result.problems[0].sentence)
    assert result.problems[2].text == "because"
    assert list(Suppression.objects.values_list("email", flat=True)) == ["bob@x.example"]


def test_what_is_blocked_already_keeps_its_first_reason() -> None:
    block("complained")
    assert load(f"{ADDRESS}\n").known == 1
    assert Suppression.objects.get().reason == "complained"


@pytest.mark.parametrize("said", ["unsubscribed", "complained"])
def test_what_the_person_said_goes_before_what_may_have_been_a_mistake(said: str) -> None:
    block("bounced")
    assert block(said).reason == said
    bob = block("manual", "bob@x.example")
    assert load(f"address,reason\nbob@x.example,{said}\n").known == 1
    bob.refresh_from_db()
    assert (bob.reason, bob.source) == (said, "old system")
    assert not lift(ids=[bob.pk], because="mistake", by="chief", now=timezone.now()).done
    assert block("bounced").reason == said, "and is not replaced itself"


@pytest.mark.parametrize("text", ["+", "+hello", "+49", f"+{'9' * 300}"])
def test_not_everything_with_a_plus_is_a_telephone_number(text: str) -> None:
    result = load(f"{text}\nbob@x.example\n")
    assert (result.added, [problem.row for problem in result.problems]) == (1, [1])


def test_a_file_that_is_too_large_is_refused_and_rows_beyond_the_limit_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(FileError):
        take_in(file=io.BytesIO(), size=10 * 1024 * 1024 + 1, source="t", region="", now=timezone.now())
    monkeypatch.setattr(suppression_files, "MAX_ROWS", 3)
    result = load("\n".join(f"a{n}@x.example" for n in range(9)))
    assert (result.added, [problem.row for problem in result.problems]) == (3, [4])


def test_odd_files_break_nothing() -> None:
    for raw in (b"", b"\x00" * 50, b"\xff\xfe", b"\xff\xfe\x00", b'"' + b"x" * 200_000, b"a," * 10_000, b"\xd8" * 999):
        load(raw)
    assert not Suppression.objects.exists()


def test_a_large_list_costs_two_queries_per_thousand(django_assert_num_queries: Any) -> None:
    load("first@x.example")
    text = "\n".join(f"a{n}@x.example" for n in range(2500))
    with django_assert_num_queries(6):
        assert load(text).added == 2500


def test_of_the_same_address_twice_the_first_row_counts() -> None:
    entries = [suppression_files.Entry(ADDRESS, reason, "t") for reason in ("bounced", "manual")]
    assert add(entries=entries, now=timezone.now()) == 1
    assert Suppression.objects.get().reason == "bounced"


# --- handing out ---


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_an_export_is_a_formula(start: str) -> None:
    Suppression.objects.create(
        address_hash=b"x" * 32, email=f"{start}cmd|' /C calc'!A0@x.example", reason="manual", source=f"{start}1+1",
        created_at=timezone.now(),
    )  # fmt: skip
    file = io.StringIO(newline="")
    write_out(file=file)
    file.seek(0)
    [_names, row] = list(csv.reader(file))
    assert row[0] == f"'{start}cmd|' /C calc'!A0@x.example"
    assert row[2] == f"'{start}1+1"


def test_an_export_can_be_taken_over_again() -> None:
    block("bounced", "+491701234567")
    block("unsubscribed")
    file = io.StringIO(newline="")
    assert write_out(file=file) == 2
    Suppression.objects.all().delete()
    assert load(file.getvalue()).added == 2
    assert set(Suppression.objects.values_list("email", "reason")) == {
        ("+491701234567", "bounced"), (ADDRESS, "unsubscribed"),
    }  # fmt: skip


# --- the pages ---


def test_the_list_shows_what_holds_and_on_request_what_was_lifted(client: Client) -> None:
    row = block("manual")
    block("bounced", "bob@x.example")
    lift(ids=[row.pk], because="mistake", by="chief", now=timezone.now())
    here, lifted = client.get(LIST).content.decode(), client.get(LIST, {"state": "lifted"}).content.decode()
    assert (ADDRESS in here, "bob@x.example" in here) == (False, True)
    assert (ADDRESS in lifted, "bob@x.example" in lifted, "mistake" in lifted) == (True, False, True)


def test_a_list_is_uploaded_and_its_wrong_rows_shown_escaped(client: Client) -> None:
    BusinessCalendar.objects.create(pk=1, country="DE")
    raw = b"address;reason\n<script>alert(1)</script>;\n0170 1234567;bounced\n"
    page = client.post(f"{LIST}import/", {"file": SimpleUploadedFile("a.csv", raw), "source": "CRM"}, follow=True)
    text = page.content.decode()
    assert "1 address is blocked now" in text
    assert "&lt;script&gt;alert(1)" in text
    assert Suppression.objects.get().email == "+491701234567"
    kept = client.post(f"{LIST}import/", {"source": "CRM"}, follow=True).content.decode()
    assert 'value="CRM"' in kept


def test_the_export_is_a_file_and_needs_the_right_to_see_the_list(client: Client) -> None:
    block("manual")
    answer = client.get(f"{LIST}export/", follow=True)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert ADDRESS in b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    stranger = Client(headers={"host": "nordwind.resonanz.test"})
    stranger.force_login(
        User.objects.create_user("reader", is_staff=True), backend="django.contrib.auth.backends.ModelBackend"
    )
    for path in ("export/", "import/", "lift/?ids=1"):
        assert stranger.get(f"{LIST}{path}", follow=True).status_code == 403
