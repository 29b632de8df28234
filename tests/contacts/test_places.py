"""Clock, holidays and company of a contact, from what events tell."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from apps.common.schedule import Calendar
from apps.contacts.identity import resolve_contacts
from apps.contacts.ledger import choose_calendar, home_calendar
from apps.contacts.models import BusinessCalendar, Company, Contact
from apps.touchpoints.intake import InvalidEventError, parse_event

pytestmark = pytest.mark.usefixtures("tenant")
NOW = datetime(2026, 5, 4, tzinfo=UTC)


def test_a_contact_gets_its_clock_and_joins_its_company() -> None:
    person: dict[str, Any] = {"external_id": "ada", "time_zone": "Europe/Vienna", "country": "at", "region": "9"}
    acme: dict[str, Any] = {"external_id": "acme", "name": "Acme", "country": "DE", "properties": {"seats": 5}}
    for _ in range(2):
        resolve_contacts(people=[{**person, "company": acme}], now=NOW)  # type: ignore[typeddict-item]
    contact = Contact.objects.select_related("company").get()
    assert (contact.time_zone, contact.country, contact.region) == ("Europe/Vienna", "AT", "9")
    assert contact.company is not None
    assert (contact.company.name, contact.company.country, contact.company.properties) == ("Acme", "DE", {"seats": 5})


def test_a_new_country_ends_the_old_region_and_silence_changes_nothing() -> None:
    resolve_contacts(people=[{"external_id": "ada", "country": "DE", "region": "BY"}], now=NOW)
    resolve_contacts(people=[{"external_id": "ada"}], now=NOW)
    assert Contact.objects.get().region == "BY"
    resolve_contacts(people=[{"external_id": "ada", "country": "AT"}], now=NOW)
    assert (Contact.objects.get().country, Contact.objects.get().region) == ("AT", "")


def test_companies_are_made_once_and_changed_set_wise(django_assert_max_num_queries: Any) -> None:
    people: list[Any] = [
        {"external_id": f"p{n}", "company": {"external_id": f"c{n % 7}", "name": f"C{n % 7}"}} for n in range(60)
    ]
    with django_assert_max_num_queries(9):
        resolve_contacts(people=people, now=NOW)
    assert Company.objects.count() == 7
    assert Contact.objects.filter(company=None).count() == 0
    resolve_contacts(people=[{"external_id": "p1", "company": {"external_id": "c1", "name": "New name"}}], now=NOW)
    assert Company.objects.get(external_id="c1").name == "New name"


def test_the_narrowest_known_place_counts_and_a_region_only_with_its_country() -> None:
    home = Calendar("Europe/Berlin", "DE", "BE")
    none = ("", "", "")
    assert choose_calendar(none, none, home) == home
    assert choose_calendar(("Asia/Tokyo", "", ""), ("", "AT", "9"), home) == Calendar("Asia/Tokyo", "AT", "9")
    assert choose_calendar(("", "DE", ""), none, home) == Calendar("Europe/Berlin", "DE", "")


@pytest.mark.parametrize(
    ("contact", "field"),
    [
        ({"time_zone": "Europe/Berlln"}, "contact.time_zone"),
        ({"country": "Germany"}, "contact.country"),
        ({"country": "DE", "region": "XX"}, "contact.region"),
        ({"region": "BY"}, "contact.region"),
        ({"company": {"external_id": ""}}, "contact.company.external_id"),
        ({"company": {"external_id": "a", "time_zone": "x"}}, "contact.company.time_zone"),
        ({"company": {"name": "Acme"}}, "contact.company"),
        ({"company": {"external_id": "a", "name": "\x00"}}, "contact.company"),
    ],
)
def test_what_cannot_be_a_place_or_a_company_is_refused_by_name(contact: dict[str, Any], field: str) -> None:
    import json

    body = {"touchpoint": "order_received", "contact": {"external_id": "ada", **contact}}
    with pytest.raises(InvalidEventError) as caught:
        parse_event(json.dumps(body).encode(), NOW)
    assert [error.field for error in caught.value.errors] == [field]


def test_the_calendar_of_the_tenant_is_checked() -> None:
    for wrong in ({"time_zone": "Mars"}, {"country": "XX"}, {"country": "DE", "region": "ZZ"}):
        with pytest.raises(ValidationError):
            BusinessCalendar(**wrong).full_clean()
    row = BusinessCalendar(time_zone="Europe/Berlin", country="de", region="by")
    row.full_clean()
    row.save()
    assert home_calendar() == Calendar("Europe/Berlin", "DE", "BY")


def test_people_read_times_by_their_tenants_clock(client: Client, django_user_model: Any) -> None:
    from apps.responses.models import Response
    from tests import factories

    BusinessCalendar.objects.create(pk=1, time_zone="Pacific/Auckland")
    at = datetime(2026, 6, 1, 20, 15, tzinfo=UTC)
    Response.objects.create(survey=factories.SurveyFactory(), score=9, answered_at=at, updated_at=at)
    client.force_login(django_user_model.objects.create_user("kim"))
    page = client.get("/responses/", headers={"host": "nordwind.resonanz.test"})
    assert b"2 Jun 2026, 08:15" in page.content
    assert timezone.get_current_timezone_name() == "UTC"
