from typing import Any

import pytest
from django.utils import timezone

from apps.contacts.changes import change_contact
from apps.contacts.identity import ContactData, resolve_contacts
from apps.contacts.models import Contact
from tests.factories import ContactFactory

pytestmark = pytest.mark.usefixtures("tenant")


def resolve(*people: ContactData) -> list[Contact | None]:
    return resolve_contacts(people=people, now=timezone.now())


def test_one_contact_is_made_for_many_events_of_one_person() -> None:
    first, second = resolve({"external_id": "a", "email": "A@x.example"}, {"email": "a@X.example", "name": "Ada"})
    assert first is second
    row = Contact.objects.get()
    assert (row.external_id, row.email, row.name) == ("a", "a@x.example", "Ada")


def test_an_address_that_belongs_to_another_contact_stays_there() -> None:
    holder = ContactFactory(external_id="holder", email="h@x.example")
    other = ContactFactory(external_id="other", email="o@x.example")
    assert resolve({"external_id": "other", "email": "h@x.example"}) == [other]
    other.refresh_from_db()
    holder.refresh_from_db()
    assert (holder.email, other.email) == ("h@x.example", "o@x.example")


def test_the_same_mailbox_is_the_same_contact() -> None:
    known = ContactFactory(external_id=None, email="k@x.example")
    assert resolve({"external_id": "new-id", "email": "k@x.example"}) == [known]
    known.refresh_from_db()
    assert known.external_id == "new-id"


def test_what_is_not_sent_is_kept_and_properties_are_merged() -> None:
    known = ContactFactory(external_id="a", name="Ada", locale="de", properties={"plan": "pro", "seats": 3})
    resolve({"external_id": "a", "properties": {"seats": 4}})
    known.refresh_from_db()
    assert (known.name, known.locale, known.properties) == ("Ada", "de", {"plan": "pro", "seats": 4})


def test_an_entry_without_identity_finds_nobody() -> None:
    assert resolve({"name": "Nobody"}) == [None]


def test_a_hundred_people_cost_as_many_queries_as_one(django_assert_num_queries: Any) -> None:
    people: list[ContactData] = [{"external_id": f"p{n}", "email": f"p{n}@x.example"} for n in range(100)]
    resolve({"external_id": "first"})
    with django_assert_num_queries(3):
        resolve(*people)
    for person in people:
        person["name"] = "Ada"
    with django_assert_num_queries(3):
        resolve(*people)


def test_properties_that_are_no_object_are_replaced() -> None:
    known = ContactFactory(external_id="a", properties=[])
    resolve({"external_id": "a", "properties": {"seats": 4}})
    known.refresh_from_db()
    assert known.properties == {"seats": 4}


def test_a_language_is_kept_with_a_hyphen_however_it_is_written() -> None:
    known = ContactFactory(external_id="b", locale="de_AT")
    for row in resolve({"external_id": "a", "locale": "de_AT"}, {"external_id": "b", "locale": "zh_Hant_TW"}):
        assert row is not None
        row.refresh_from_db()
        assert row.locale == ("zh-Hant-TW" if row == known else "de-AT")
    assert change_contact(contact_id=known.pk, values={"locale": "pt_BR"}, now=timezone.now()).locale == "pt-BR"
