from typing import Any

import pytest
from django.test import Client

from apps.common import tokens
from apps.messaging.links import PURPOSE, unsubscribe_url
from apps.messaging.models import Suppression
from tests.factories import ContactFactory

pytestmark = pytest.mark.usefixtures("tenant")


@pytest.fixture
def client() -> Client:
    return Client(headers={"host": "nordwind.resonanz.test"}, enforce_csrf_checks=True)


def test_the_page_asks_and_only_posting_suppresses(client: Client) -> None:
    contact = ContactFactory(email="ada@x.example")
    address = unsubscribe_url(contact.id, "")
    for method in (client.get, client.head):
        assert method(address).status_code == 200
    assert not Suppression.objects.exists()
    answer = client.post(address, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert not answer.cookies
    row = Suppression.objects.get()
    assert (row.email, row.reason) == ("ada@x.example", "unsubscribed")
    assert bytes(row.address_hash) == tokens.keyed_hash("ada@x.example")


def test_asking_twice_is_fine(client: Client) -> None:
    address = unsubscribe_url(ContactFactory().id, "")
    assert [client.post(address).status_code for _ in range(2)] == [200, 200]
    assert Suppression.objects.count() == 1


def test_a_forged_link_changes_nothing(client: Client) -> None:
    contact = ContactFactory()
    good = unsubscribe_url(contact.id, "")
    for bad in (good[:-1] + ("A" if good[-1] != "A" else "B"), "/mail/u/x", f"/mail/u/{contact.id}"):
        assert client.post(bad).status_code == 404
    assert not Suppression.objects.exists()


def test_another_tenants_link_is_not_known(client: Client, other_tenant: Any) -> None:
    from django_tenants.utils import tenant_context

    contact = ContactFactory()
    with tenant_context(other_tenant):
        foreign = tokens.sign(PURPOSE, str(contact.id))
    assert client.post(f"/mail/u/{foreign}").status_code == 404
    assert not Suppression.objects.exists()
