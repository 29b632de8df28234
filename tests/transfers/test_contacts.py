"""Contacts from a file: the same as the same people sent one by one, and much faster."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.contacts.identity import resolve_contacts
from apps.contacts.models import Company, Contact, LegalBasis
from apps.messaging import suppressions
from apps.transfers import people, runs, services, tables
from apps.transfers.models import BadRow, Import
from apps.transfers.reading import Record
from tests.factories import ContactFactory
from tests.transfers.importing import NOW, clock, counts, imported, uploaded, work

FILE = """Kundennummer;E-Mail;Vorname;Nachname;Telefon;Sprache;Land;Bundesland;Firma;Tarif;Leer
K-1;Ada@Example.com;Ada;Lovelace;0170 1234567;en-GB;DE;by;Acme;gold;
K-2;;Käthe;Müller;+41 44 668 18 00;de;Schweiz;;;"mit ""Zitat""; und Strich \\";
K-3;max@example.com;Max;;;;;;Acme;;
"""


@pytest.fixture
def _inside(tenant: Any) -> None:
    """In the tenant."""


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_inside")]


def test_a_german_file_becomes_contacts_with_companies_properties_and_legal_basis() -> None:
    basis = {"kind": "existing_customer", "source": "shop", "text_version": "2025-01", "granted_at": "2025-05-01"}
    source = imported(FILE, legal_basis=basis, country="DE")
    assert (source.status, counts(source), source.rows_total) == ("done", {"created": 3}, 3)
    ada, kaethe, max_ = Contact.objects.order_by("external_id").select_related("company")
    assert (ada.email, ada.name, ada.phone, ada.locale) == ("ada@example.com", "Ada Lovelace", "+491701234567", "en-GB")
    assert (ada.country, ada.region, ada.properties) == ("DE", "BY", {"tarif": "gold"})
    assert ada.company is not None
    assert (ada.company.external_id, ada.company.name, max_.company_id) == ("Acme", "Acme", ada.company_id)
    assert (kaethe.email, kaethe.country, kaethe.region) == (None, "CH", "")
    assert kaethe.properties == {"tarif": 'mit "Zitat"; und Strich \\'}
    bases = LegalBasis.objects.values_list("kind", "source", "text_version", "granted_at")
    assert set(bases) == {("existing_customer", "shop", "2025-01", datetime(2025, 5, 1, tzinfo=UTC))}
    assert len(bases) == 3


def test_languages_with_an_underscore_are_those_with_a_hyphen() -> None:
    known = ContactFactory(external_id="K-1", locale="en")
    imported("Kundennummer;Sprache\nK-1;de_AT\nK-2;de_CH\nK-3;de-DE\n")
    known.refresh_from_db()
    assert known.locale == "de-AT"
    assert list(Contact.objects.order_by("external_id").values_list("locale", flat=True)) == ["de-AT", "de-CH", "de-DE"]


def test_what_is_there_is_filled_up_and_empty_cells_change_nothing() -> None:
    known = ContactFactory(external_id="K-3", email="old@example.com", name="Old", properties={"tarif": "plus", "a": 1})
    holder = ContactFactory(external_id="other", email="max@example.com")
    source = imported(FILE)
    assert counts(source) == {"created": 2, "updated": 1}
    known.refresh_from_db()
    holder.refresh_from_db()
    assert (known.name, known.email, known.properties) == ("Max", "old@example.com", {"tarif": "plus", "a": 1})
    assert holder.email == "max@example.com", "an address that another contact holds stays with that one"
    again = imported(FILE)
    assert counts(again) == {"unchanged": 3}


def test_known_contacts_can_be_left_alone() -> None:
    known = ContactFactory(external_id="K-3", name="Old")
    source = imported(FILE, existing="skip")
    known.refresh_from_db()
    assert (counts(source), known.name) == ({"created": 2, "skipped": 1}, "Old")


def test_a_check_says_what_would_happen_and_writes_nothing() -> None:
    ContactFactory(external_id="K-3")
    source = uploaded(FILE + "K-1;;Again;;;;;;;;\nK-9;no address;;;;;;;;;\n")
    services.check(import_id=source.pk, now=clock())
    work(source)
    assert (source.status, counts(source)) == ("ready", {"created": 2, "updated": 2, "bad": 1})
    assert Contact.objects.count() == 1
    services.run(import_id=source.pk, now=clock())
    work(source)
    assert (source.status, counts(source)) == ("done", {"created": 2, "updated": 2, "bad": 1})


def test_an_import_asks_the_same_number_of_queries_for_ten_rows_and_for_a_thousand() -> None:
    def queries(tag: str, count: int) -> int:
        rows = "".join(f"{tag}-{n},{tag}{n}@example.com,Firma {n % 3}\n" for n in range(count))
        source = uploaded(f"id,email,company\n{rows}")
        services.run(import_id=source.pk, now=clock())
        with CaptureQueriesContext(
            connection,
        ) as captured:
            work(source)
        assert counts(source) == {"created": count}
        return len(captured)

    assert queries("a", 10) == queries("b", 1000)


def test_a_blocked_or_erased_address_stays_blocked_when_it_comes_again() -> None:
    suppressions.suppress(emails=["ada@example.com"], reason="unsubscribed", source="link", now=NOW)
    suppressions.Suppression.objects.update(email="")  # erased: only the keyed hash is left
    imported(FILE, legal_basis={"kind": "consent", "source": "list", "granted_at": "2025-05-01"})
    assert suppressions.suppressed(emails=["ada@example.com", "max@example.com"]) == {"ada@example.com"}


def test_who_objected_is_not_won_back_by_a_list_of_customers() -> None:
    contact = ContactFactory(external_id="K-1")
    LegalBasis.objects.create(contact=contact, kind="consent", source="form", granted_at=NOW, revoked_at=NOW)
    imported(FILE, legal_basis={"kind": "existing_customer", "source": "shop", "text_version": "1"})
    assert LegalBasis.objects.filter(contact=contact, revoked_at=None).count() == 0
    assert LegalBasis.objects.filter(revoked_at=None).count() == 2


def test_legal_bases_come_from_columns_too_and_need_their_source() -> None:
    source = imported(
        "email,legal basis,consent source,consent date,text version\n"
        "a@example.com,Einwilligung,Messe,31.01.2026 09:30,v2\n"
        "b@example.com,,,,\n"
        "c@example.com,consent,,,\n"
        "d@example.com,Bestandskunde,Shop,,\n"
        "e@example.com,consent,Messe,01.01.2030,\n"
    )
    basis = LegalBasis.objects.get()
    assert (basis.contact.email, basis.kind, basis.source) == ("a@example.com", "consent", "Messe")
    assert (basis.text_version, basis.granted_at) == ("v2", datetime(2026, 1, 31, 9, 30, tzinfo=UTC))
    codes = [row.problems for row in BadRow.objects.filter(source=source).order_by("number")]
    assert codes == [[[-1, "no_source"]], [[-1, "no_notice"]], [[3, "future"]]]


def test_somebody_who_makes_the_same_contact_meanwhile_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ContactFactory(external_id="K-1", name="")
    monkeypatch.setattr(people, "known_among", lambda *_: people.Known())
    source = imported(FILE)
    assert (source.created + source.updated, Contact.objects.count()) == (3, 3)
    assert Contact.objects.get(external_id="K-1").name == "Ada Lovelace"


def test_a_row_that_cannot_be_stored_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    take = people.take

    def picky(**kwargs: Any) -> Any:
        if "K-2" in kwargs["table"].column("external_id"):
            raise ValueError("nobody expected that")
        return take(**kwargs)

    monkeypatch.setattr(people, "take", picky)
    source = imported(FILE)
    assert (source.status, counts(source)) == ("done", {"created": 2, "bad": 1})
    assert list(BadRow.objects.values_list("number", "problems")) == [(3, [[-1, "refused"]])]


def test_an_import_touches_no_other_tenant(other_tenant: Any) -> None:
    from django_tenants.utils import tenant_context

    source = uploaded(FILE)
    services.run(import_id=source.pk, now=clock())
    with tenant_context(other_tenant):
        assert not Import.objects.filter(pk=source.pk).exists()
        with pytest.raises(services.TransferError):
            services.run(import_id=source.pk, now=clock())
        assert runs.run_next(now=clock(), clock=clock) == 0
    work(source)
    with tenant_context(other_tenant):
        assert not Contact.objects.exists()


# --- the rules of identity ----------------------------------------------------------------------
IDS = st.sampled_from(["", "1", "2", "3"])
MAILS = st.sampled_from(["", "a@example.com", "b@example.com", "c@example.com"])
PERSON = st.fixed_dictionaries(
    {
        "external_id": IDS,
        "email": MAILS,
        "name": st.sampled_from(["", "Ada", "Max"]),
        "country": st.sampled_from(["", "DE", "AT"]),
        "region": st.sampled_from(["", "BY", "9"]),
        "company_external_id": st.sampled_from(["", "acme", "globex"]),
        "property:plan": st.sampled_from(["", "gold"]),
    }
)
HEADERS = ["external_id", "email", "name", "country", "region", "company_external_id", "property:plan"]


def _state() -> list[tuple[Any, ...]]:
    names = ("external_id", "email", "name", "country", "region", "company__external_id", "properties")
    return sorted(Contact.objects.values_list(*names), key=str)


def _table(rows: list[dict[str, str]]) -> tables.Table:
    source = Import(kind="contacts", mapping=HEADERS, headers=HEADERS, options={})
    records = [Record(number, [row[header] for header in HEADERS]) for number, row in enumerate(rows, start=2)]
    return tables.table_of(records, tables.layout_of(source, now=NOW)).good()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(known=st.lists(PERSON, max_size=3), rows=st.lists(PERSON, min_size=1, max_size=6))
def test_a_batch_ends_as_the_same_people_sent_by_an_integration(
    known: list[dict[str, str]], rows: list[dict[str, str]]
) -> None:
    source = Import.objects.create(kind="contacts", status="running", file_name="x", created_at=NOW)
    ends = []
    for way in ("file", "rules"):
        Contact.objects.all().delete()
        Company.objects.all().delete()
        before = _table(known)
        resolve_contacts(people=[people.contact_data(before, row) for row in range(len(before.numbers))], now=clock())
        table = _table(rows)
        if way == "file":
            outcome, ids = people.take(table=table, source_id=source.pk, now=clock())
            assert outcome.created + outcome.updated + outcome.unchanged == len(table.numbers)
            assert all(ids)
            assert outcome.created == len(outcome.contacts)
        else:
            resolve_contacts(people=[people.contact_data(table, row) for row in range(len(table.numbers))], now=clock())
        ends.append(_state())
    source.delete()
    assert ends[0] == ends[1]
