import re
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
from apps.messaging.parcels import read
from apps.messaging.sending import send_batch
from apps.messaging.suppressions import suppressed
from apps.messaging.views import MAX_WRONG_LINKS
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


def test_who_only_has_a_telephone_number_leaves_by_the_same_page(client: Client) -> None:
    contact = ContactFactory(email=None, phone="+491701234567")
    address = unsubscribe_url(contact.id, "")
    assert "Unsubscribe from everything" in client.get(address, headers={"accept-language": "en"}).content.decode()
    assert "You are unsubscribed" in client.post(address, headers={"accept-language": "en"}).content.decode()
    assert Suppression.objects.get().email == "+491701234567"


def test_who_leaves_gets_no_text_messages_either(client: Client) -> None:
    contact = ContactFactory(email="ada@x.example", phone="+491701234567")
    client.post(unsubscribe_url(contact.id, ""))
    assert suppressed(emails=["ada@x.example", "+491701234567"]) == {"ada@x.example", "+491701234567"}


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


# --- the mail that leads there, and the ways to use it ---


def mailed(**contact: Any) -> OutgoingEmail:
    """An invitation in the outbox."""
    factories.house(delay=timedelta(0))
    data = {"external_id": "k1", "email": "ada@x.example", "name": "Ada", **contact}
    factories.EventFactory(contact_data=data)
    evaluate_events(now=timezone.now())
    dispatch_due(now=timezone.now() + timedelta(seconds=1), base_url="http://nordwind.resonanz.test")
    return OutgoingEmail.objects.latest("queued_at")


@pytest.mark.parametrize(("locale", "words"), [("en", "You may object"), ("de", "widersprechen")])
def test_5_each_mail_has_its_own_way_out_the_objection_and_nothing_that_spies(locale: str, words: str) -> None:
    [parcel] = read([mailed(locale=locale).pk])
    contact = Contact.objects.get(external_id="k1")
    own = unsubscribe_url(contact.id, "http://nordwind.resonanz.test")
    assert parcel.headers["List-Unsubscribe"] == f"<{own}>"
    assert parcel.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for text in (parcel.text, parcel.html):
        assert words in text
        assert own in text
    # No pixel, no picture from elsewhere, and every link is ours, a survey's, or the tenant's own, as it stands.
    assert not re.search(r"<img|background=|url\(", parcel.html)
    links = re.findall(r'href="([^"]+)"', parcel.html)
    assert {re.match(r"https?://[^/]+", link)[0] for link in links} == {  # type: ignore[index]
        "http://nordwind.resonanz.test", "https://nordwind.example",
    }  # fmt: skip
    assert all(re.search(r"/s/[\w-]+(\?score=\d+)?$|/mail/u/|/imprint$", link) for link in links), links


def test_5_the_way_out_is_the_recipients_own() -> None:
    one, two = (unsubscribe_url(ContactFactory().id, "") for _ in range(2))
    assert one != two


@pytest.mark.parametrize("by", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_6_a_mail_program_unsubscribes_by_itself_without_cookies_as_often_as_it_likes(client: Client, by: str) -> None:
    contact = ContactFactory(email="ada@x.example")
    body = "List-Unsubscribe=One-Click"
    if "multipart" in by:
        body = '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
    for _ in range(3):
        answer = client.post(unsubscribe_url(contact.id, ""), body, content_type=by)
        assert answer.status_code == 200
        assert not answer.cookies
    row = Suppression.objects.get()
    assert (row.email, row.source) == ("ada@x.example", "one-click, by the mail program")


def test_6_a_forged_link_is_refused_and_guessers_are_slowed_down(client: Client) -> None:
    good = unsubscribe_url(ContactFactory().id, "")
    bad = good[:-1] + ("A" if good[-1] != "A" else "B")
    codes = [client.post(bad, {"List-Unsubscribe": "One-Click"}).status_code for _ in range(MAX_WRONG_LINKS + 1)]
    assert (codes[0], codes[-1]) == (404, 429)
    assert not Suppression.objects.exists()
    assert client.post(good).status_code == 200


def test_7_who_unsubscribes_between_queue_and_send_gets_nothing(client: Client) -> None:
    mail = mailed()
    client.post(unsubscribe_url(Contact.objects.get(external_id="k1").id, ""))
    send_batch(now=timezone.now() + timedelta(seconds=2))
    mail.refresh_from_db()
    assert (mail.status, mail.last_error) == ("revoked", "suppressed")


def test_the_pages_form_notes_that_it_was_used_and_says_that_it_is_done(client: Client) -> None:
    contact = ContactFactory(locale="de")
    page = client.post(unsubscribe_url(contact.id, ""), headers={"accept-language": "en"}).content.decode()
    assert "Sie sind abgemeldet" in page
    assert "<h1>" in page
    assert Suppression.objects.get().source == "unsubscribe page"
    assert client.get(unsubscribe_url(contact.id, ""))["Cache-Control"] == "private, no-store"
