"""Telephone numbers: stored international, understood as people write them, taken in with events."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.contacts.identity import resolve_contacts
from apps.contacts.models import BusinessCalendar, Contact
from apps.contacts.phones import e164
from tests import factories


@pytest.mark.parametrize(
    ("typed", "region", "stored"),
    [
        ("+49 170 1234567", "", "+491701234567"),
        ("+49 (0)170 123-45 67", "", "+491701234567"),
        ("0049 170 1234567", "", "+491701234567"),
        ("tel:+49-170-1234567", "AT", "+491701234567"),
        ("0170/1234567", "de", "+491701234567"),
        ("0664 1234567", "AT", "+436641234567"),
        ("0170 1234567", "", ""),
        ("+49 1", "", ""),
        ("170-FLOWERS", "US", ""),
        ("+491701234567;ext=1", "", ""),
        ("٠١٧٠ ١٢٣٤٥٦٧", "DE", ""),
        ("", "DE", ""),
        ("+" * 40, "DE", ""),
        ("9" * 10_000, "DE", ""),
    ],
)
def test_a_number_is_understood_by_its_own_country_or_the_given_one(typed: str, region: str, stored: str) -> None:
    assert e164(typed, region) == stored


def resolve(**data: Any) -> Contact:
    [found] = resolve_contacts(people=[{"external_id": "k1", **data}], now=timezone.now())  # type: ignore[list-item,typeddict-item]
    assert found is not None
    found.refresh_from_db()
    return found


@pytest.mark.usefixtures("tenant")
class TestTakenIn:
    def test_a_number_comes_with_an_event_and_is_changed_by_the_next(self) -> None:
        assert resolve(phone="+49 170 1234567").phone == "+491701234567"
        assert resolve(phone="+49 170 7654321").phone == "+491707654321"
        assert resolve(name="Ada").phone == "+491707654321"

    def test_without_its_country_it_is_the_contacts_else_the_tenants(self) -> None:
        BusinessCalendar.objects.create(pk=1, country="DE")
        assert resolve(phone="0170 1234567").phone == "+491701234567"
        assert resolve(phone="0664 1234567", country="AT").phone == "+436641234567"

    def test_what_cannot_be_understood_changes_nothing(self) -> None:
        resolve(phone="+49 170 1234567")
        assert resolve(phone="0170 1234567").phone == "+491701234567"

    def test_numbers_with_their_country_cost_no_query(self, django_assert_num_queries: Any) -> None:
        people: list[Any] = [{"external_id": f"k{n}", "phone": f"+49170123456{n}"} for n in range(9)]
        resolve_contacts(people=people, now=timezone.now())
        with django_assert_num_queries(2):
            resolve_contacts(people=people, now=timezone.now())

    def test_the_database_refuses_any_other_form(self) -> None:
        contact = factories.ContactFactory()
        for wrong in ("0170", "+0170123456", "+49 170 1234567", "491701234567"):
            with pytest.raises(IntegrityError, match="contact_phone_international"), transaction.atomic():
                Contact.objects.filter(pk=contact.pk).update(phone=wrong)
