"""An import is taken back: what nobody has touched since."""

from typing import Any

import pytest

from apps.contacts.models import Company, Contact, LegalBasis
from apps.messaging import suppressions
from apps.messaging.models import Suppression
from apps.transfers import runs, services
from apps.transfers.models import CompanyChange, ContactChange, Import, ImportBatch
from tests.factories import ContactFactory, EventFactory
from tests.transfers.importing import clock, counts, imported, work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tenant")]
BASIS = {"kind": "consent", "source": "list", "granted_at": "2025-05-01"}
HEADER = "external_id,email,name,company_external_id,company_name,plan\n"


def undone(source: Import) -> dict[str, Any]:
    services.undo(import_id=source.pk, now=clock())
    work(source)
    assert source.status == "undone"
    assert not any(
        model.objects.filter(source=source).exists() for model in (ImportBatch, ContactChange, CompanyChange)
    )
    return dict(source.undo_result or {})


def states() -> list[Any]:
    names = ("external_id", "email", "name", "company__external_id", "properties")
    return sorted(Contact.objects.values_list(*names), key=str)


@pytest.mark.parametrize("batch", [2, 1000])
def test_all_is_as_it_was_when_nobody_did_anything_since(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "BATCH", batch)
    acme = Company.objects.create(external_id="acme", name="Acme", properties={"a": "1"})
    ContactFactory(external_id="1", email="one@example.com", name="One", company=acme, properties={"plan": "plus"})
    ContactFactory(external_id="2", email="two@example.com", name="Two")
    before, companies = states(), list(Company.objects.order_by("pk").values())
    source = imported(
        HEADER
        + "1,uno@example.com,Uno,globex,Globex,gold\n"
        + "2,one@example.com,Zwei,acme,Acme Ltd,\n"
        + "3,three@example.com,Three,initech,Initech,gold\n"
        + "3,three@example.com,Drei,,,gold\n"
        + "4,four@example.com,Four,acme,,\n"
        + "1,eins@example.com,Eins,,,\n",
        legal_basis=BASIS,
    )
    assert counts(source) == {"created": 2, "updated": 4}
    assert Contact.objects.get(external_id="1").email == "eins@example.com"
    assert Company.objects.get(external_id="acme").name == "Acme Ltd"
    found = undone(source)
    assert found == {"deleted": 4, "restored": 3, "kept": {}}
    assert states() == before
    assert list(Company.objects.order_by("pk").values()) == companies
    assert not LegalBasis.objects.exists()


def test_what_somebody_touched_stays_and_is_counted_with_its_reason() -> None:
    known = ContactFactory(external_id="1", name="One")
    ContactFactory(external_id="9", name="Nine")
    rows = "".join(f"{n},c{n}@example.com,Name {n},,,\n" for n in (1, 2, 3, 4, 5, 6, 9))
    source = imported(HEADER + rows, legal_basis=BASIS)
    EventFactory(contact=Contact.objects.get(external_id="2"))
    LegalBasis.objects.filter(contact__external_id="3").update(revoked_at=clock())
    known.refresh_from_db()
    known.name = "By hand"
    known.save()
    Contact.objects.get(external_id="4").save()
    Contact.objects.get(external_id="5").delete()
    found = undone(source)
    assert found == {"deleted": 1, "restored": 1, "kept": {"in_use": 2, "changed": 2, "gone": 1}}
    assert dict(Contact.objects.values_list("external_id", "name")) == {
        "1": "By hand", "2": "Name 2", "3": "Name 3", "4": "Name 4", "9": "Nine",
    }  # fmt: skip
    assert [count for _text, count in services.undo_sentences(source=source)] == [2, 2, 1]
    assert LegalBasis.objects.get().contact.external_id == "3", "an objection is proof and stays"


def test_a_change_by_somebody_else_between_two_rows_of_a_file_is_not_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "BATCH", 1)
    contact = ContactFactory(external_id="1", name="One")
    table_of = runs.table_of

    def meddling(records: Any, layout: Any) -> Any:
        if records and records[0].number == 3:
            row = Contact.objects.get(pk=contact.pk)
            row.locale = "fr"
            row.save()
        return table_of(records, layout)

    monkeypatch.setattr(runs, "table_of", meddling)
    source = imported(HEADER + "1,,Two,,,\n1,,Three,,,\n")
    assert undone(source) == {"deleted": 0, "restored": 0, "kept": {"changed": 1}}
    contact.refresh_from_db()
    assert (contact.name, contact.locale) == ("Three", "fr")


def test_an_address_that_another_contact_got_since_is_not_taken_from_it() -> None:
    contact = ContactFactory(external_id="1", email="old@example.com")
    source = imported(HEADER + "1,new@example.com,,,,\n")
    ContactFactory(external_id="other", email="old@example.com")
    assert undone(source) == {"deleted": 0, "restored": 0, "kept": {"changed": 1}}
    contact.refresh_from_db()
    assert contact.email == "new@example.com"


def test_contacts_that_passed_their_addresses_on_get_them_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "BATCH", 1)
    ContactFactory(external_id="1", email="a@example.com", name="One")
    ContactFactory(external_id="2", email="b@example.com", name="Two")
    before = states()
    source = imported(HEADER + "1,c@example.com,,,,\n2,a@example.com,,,,\n")
    assert counts(source) == {"updated": 2}
    assert undone(source) == {"deleted": 0, "restored": 2, "kept": {}}
    assert states() == before


def test_suppressions_go_again_but_not_what_a_person_said_themselves() -> None:
    suppressions.suppress(emails=["before@example.com"], reason="bounced", source="smtp", now=clock())
    source = imported(
        "email,reason\nbefore@example.com,\nlist@example.com,\nleft@example.com,unsubscribed\nlater@example.com,\n",
        kind="suppressions",
    )
    assert counts(source) == {"created": 3, "unchanged": 1}
    suppressions.suppress(emails=["later@example.com"], reason="unsubscribed", source="link", now=clock())
    assert undone(source) == {"deleted": 1, "restored": 0, "kept": {"own_word": 2}}
    left = set(Suppression.objects.values_list("email", flat=True))
    assert left == {"before@example.com", "left@example.com", "later@example.com"}


def test_companies_are_imported_and_undone() -> None:
    acme = Company.objects.create(external_id="acme", name="Acme", country="DE", region="BY")
    rows = "acme;Acme AG;;;Handel\nglobex;Globex;AT;9;\n;ohne;;;\nglobex;;DE;;\nused;Used;;;\n"
    source = imported(f"ID;Firma;Land;Bundesland;Branche\n{rows}", kind="companies")
    assert counts(source) == {"created": 2, "updated": 1, "unchanged": 1, "bad": 1}
    assert Company.objects.values_list("name", "country", "region").get(external_id="globex") == ("Globex", "DE", "")
    ContactFactory(company=Company.objects.get(external_id="used"))
    assert undone(source) == {"deleted": 1, "restored": 1, "kept": {"in_use": 1}}
    acme.refresh_from_db()
    assert (acme.name, acme.region, acme.properties) == ("Acme", "BY", {})
    assert set(Company.objects.values_list("external_id", flat=True)) == {"acme", "used"}
