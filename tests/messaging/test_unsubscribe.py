from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.common import tokens
from apps.contacts import services as contacts
from apps.contacts.models import Contact, LegalBasis
from apps.messaging.links import PURPOSE, unsubscribe_url
from apps.messaging.models import OutgoingEmail, Suppression
from apps.surveys.services import dispatch_due
from apps.triggers.models import Decision
from apps.triggers.services import evaluate_events
from tests import factories
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


def test_the_objection_is_the_persons_not_the_addresses(client: Client) -> None:
    factories.house(delay=timedelta(0))
    factories.EventFactory(contact_data={"external_id": "k1", "email": "old@x.example"})
    evaluate_events(now=timezone.now())
    client.post(unsubscribe_url(Contact.objects.get(external_id="k1").id, ""))
    another = factories.TouchpointFactory(key="support")
    factories.TriggerRuleFactory(touchpoints=[another], name="support", delay=timedelta(0))
    factories.EventFactory(touchpoint=another, contact_data={"external_id": "k1", "email": "new@x.example"})
    evaluate_events(now=timezone.now())
    dispatch_due(now=timezone.now() + timedelta(days=1), base_url="http://nordwind.resonanz.test")
    assert not OutgoingEmail.objects.exists()
    assert Decision.objects.filter(status="blocked", reason="no_legal_basis").exists()


def test_a_new_consent_counts_after_an_objection(client: Client) -> None:
    contact = ContactFactory()
    client.post(unsubscribe_url(contact.id, ""))
    bases = [LegalBasis(contact=contact, kind="consent", source="form", granted_at=timezone.now())]
    contacts.record_legal_bases(bases=bases)
    assert contacts.with_legal_basis(contact_ids=[contact.id]) == {contact.id}
