"""The list of contacts: found by each filter, with why we may write to them and why not."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.contacts.models import Company, Contact, LegalBasis
from apps.messaging import suppressions
from apps.triggers.models import Segment
from tests import factories

LIST = "/contacts/"


def names(client: Client, **query: str) -> list[str]:
    return [row.name for row in client.get(LIST, query).context["page"].rows]


@pytest.fixture
def three(user: User, now: datetime) -> None:
    company = Company.objects.create(name="Klarwerk GmbH", external_id="k-1")
    ada = factories.ContactFactory(name="Ada", email="ada@x.example", company=company)
    LegalBasis.objects.create(contact=ada, kind="consent", source="shop", granted_at=now)
    bob = factories.ContactFactory(name="Bob", email=None, external_id="b-7", phone="+491701234567")
    LegalBasis.objects.create(contact=bob, kind="consent", source="shop", granted_at=now, revoked_at=now)
    factories.ContactFactory(name="Cy", email="cy@x.example")
    for address in ("cy@x.example", "+491701234567", "stranger@x.example"):
        suppressions.suppress(emails=[address], reason="bounced", source="t", now=now)


@pytest.mark.usefixtures("three")
def test_contacts_are_found_by_each_filter(client: Client) -> None:
    Segment.objects.create(key="ada", name="Ada", condition={"field": "contact.name", "op": "eq", "value": "Ada"})
    Segment.objects.create(key="broken", name="Broken", condition={"field": "nowhere"})
    assert names(client) == ["Cy", "Bob", "Ada"]
    assert names(client, q="ADA@x") == ["Ada"]
    assert names(client, q="b-7") == ["Bob"]
    assert names(client, q="+49170") == ["Bob"]
    assert names(client, company="klarwerk") == names(client, company="K-1") == ["Ada"]
    assert names(client, segment="ada") == ["Ada"]
    assert names(client, segment="broken") == []
    assert names(client, basis="yes") == ["Ada"]
    assert names(client, basis="no") == ["Cy", "Bob"]
    assert names(client, blocked="yes") == ["Cy", "Bob"]
    assert names(client, blocked="no") == ["Ada"]
    page = client.get(LIST).content.decode()
    assert page.count("blocked: bounced") == 2
    assert "Consent" in page
    assert "No contact fits these filters." in client.get(LIST, {"q": "nobody"}).content.decode()


def test_an_empty_list_says_where_contacts_come_from(client: Client) -> None:
    assert "There is no contact yet." in client.get(LIST).content.decode()


def test_pages_show_each_contact_once_and_cost_the_same_queries(
    client: Client, queries_of: Callable[[str], int]
) -> None:
    factories.ContactFactory()
    few = queries_of(LIST)
    for number in range(30):
        factories.ContactFactory(name=f"Kim {number}")
    assert queries_of(LIST) == few
    first = client.get(LIST).context["page"]
    second = client.get(LIST, {"cursor": first.next_cursor}).context["page"]
    assert (len(first.rows), len(second.rows), second.next_cursor) == (25, 6, "")
    shown = [row.pk for row in (*first.rows, *second.rows)]
    assert shown == list(Contact.objects.order_by("-pk").values_list("pk", flat=True))
    assert client.get(LIST, {"cursor": "9' --"}).context["page"].is_first
