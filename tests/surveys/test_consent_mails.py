"""The question for consent at an address that its contact typed in: it may be a stranger's mailbox."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.contacts.models import Contact, LegalBasis, OptIn
from apps.contacts.services import with_legal_basis
from apps.messaging import opt_in
from apps.messaging.links import contact_of, unsubscribe_url
from apps.messaging.models import MailTemplate, OutgoingEmail
from apps.messaging.opt_in import Ask
from apps.messaging.parcels import Parcel, read
from apps.messaging.sending import send_batch
from apps.messaging.suppressions import suppressed
from apps.surveys.consent_mails import ask_due
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")
BASE = "http://nordwind.resonanz.test"
ENGLISH = {"accept-language": "en"}


@pytest.fixture
def client() -> Client:
    return Client(headers={"host": "nordwind.resonanz.test"}, enforce_csrf_checks=True)


@pytest.fixture
def ada() -> Contact:
    factories.theme()
    contact: Contact = factories.ContactFactory(
        email="ada@x.example", name="Ada Secret", properties={"tier": "platinum"}
    )
    LegalBasis.objects.create(contact=contact, kind="consent", source="t", granted_at=timezone.now())
    return contact


def asked(contact: Contact, email: str) -> Parcel:
    """The mail that asks this address, named by the contact."""
    now = timezone.now()
    opt_in.request(asks=[Ask(f"r:{email}", email, "survey:order", "May we?", contact.id, language="en")], now=now)
    ask_due(now=now, base_url=BASE)
    [parcel] = read([OutgoingEmail.objects.get(to_email=email).pk])
    return parcel


def way_out(parcel: Parcel) -> str:
    return parcel.values["unsubscribe_url"].removeprefix(BASE)


@pytest.mark.parametrize("has_template", [False, True])
def test_a_strangers_mailbox_learns_nothing_of_the_contact(ada: Contact, has_template: bool) -> None:
    if has_template:
        text = "{{ greeting }} {{ contact.name }} {{ contact.properties.tier }} {{ contact.email }} {{ link }}"
        words = {"subject": {"en": "{{ contact.first_name }}?"}, "text": {"en": text}}
        MailTemplate.objects.create(name="o", purpose="opt_in", is_default=True, **words)
    own, strange = asked(ada, "ada@x.example"), asked(ada, "bob@x.example")
    assert "Ada" in own.text
    whole = " ".join((strange.text, strange.html, strange.row.subject, strange.row.to_name, str(strange.values)))
    for secret in ("Ada", "Secret", "platinum", "ada@x.example", unsubscribe_url(ada.id, "")):
        assert secret not in whole
    assert contact_of(way_out(own).rpartition("/")[2]) == ada.id
    assert contact_of(way_out(strange).rpartition("/")[2]) is None


def test_its_way_out_is_about_that_mailbox_alone(ada: Contact, client: Client) -> None:
    strange = asked(ada, "bob@x.example")
    assert strange.headers["List-Unsubscribe"] == f"<{BASE}{way_out(strange)}>"
    page = client.get(way_out(strange), headers=ENGLISH).content.decode()
    assert "Unsubscribe from everything" in page
    assert "Or choose what you get" not in page
    assert not suppressed(emails=["bob@x.example"])
    answer = client.post(
        way_out(strange), "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded",
        headers=ENGLISH,
    )  # fmt: skip
    assert "You are unsubscribed" in answer.content.decode()
    assert suppressed(emails=["ada@x.example", "bob@x.example"]) == {"bob@x.example"}
    assert with_legal_basis(contact_ids=[ada.id]) == {ada.id}
    send_batch(now=timezone.now() + timedelta(seconds=1))
    assert OutgoingEmail.objects.get().status == "revoked"
    assert client.post(way_out(strange).replace("/mail/u/", "/mail/u/preferences/")).status_code == 404


def test_who_has_that_mailbox_leaves_altogether(ada: Contact, client: Client) -> None:
    bob = factories.ContactFactory(email="bob@x.example", phone="+491701234567")
    LegalBasis.objects.create(contact=bob, kind="consent", source="t", granted_at=timezone.now())
    client.post(way_out(asked(ada, "bob@x.example")))
    assert with_legal_basis(contact_ids=[ada.id, bob.id]) == {ada.id}
    assert suppressed(emails=["bob@x.example", "+491701234567"]) == {"bob@x.example", "+491701234567"}


def test_nobody_blocks_a_strangers_mailbox_by_naming_it_and_leaving(ada: Contact, client: Client) -> None:
    asked(ada, "bob@x.example")
    client.post(unsubscribe_url(ada.id, ""))
    assert suppressed(emails=["ada@x.example", "bob@x.example"]) == {"ada@x.example"}
    assert OutgoingEmail.objects.get().status == "revoked"


def test_who_leaves_gets_no_question_either_that_somebody_else_asked_for(ada: Contact, client: Client) -> None:
    bob = factories.ContactFactory(email="bob@x.example")
    asked(ada, "bob@x.example")
    client.post(unsubscribe_url(bob.id, ""))
    send_batch(now=timezone.now() + timedelta(seconds=1))
    assert OutgoingEmail.objects.get().status == "revoked"


def test_an_address_typed_in_anywhere_changes_nothing_of_the_contact_who_has_it(ada: Contact) -> None:
    Contact.objects.filter(pk=ada.pk).update(locale="de-AT")
    now = timezone.now()
    asks = [Ask(email, email, "survey:order", "Oui ?", language="fr") for email in ("ada@x.example", "new@x.example")]
    opt_in.request(asks=asks, now=now)
    assert ask_due(now=now, base_url=BASE) == 2
    assert dict(Contact.objects.values_list("email", "locale")) == {"ada@x.example": "de-AT", "new@x.example": "fr"}


def test_a_question_that_is_gone_leaves_a_page_that_says_so(ada: Contact, client: Client) -> None:
    address = way_out(asked(ada, "bob@x.example"))
    OptIn.objects.all().delete()
    assert "You are unsubscribed" in client.post(address, headers=ENGLISH).content.decode()
