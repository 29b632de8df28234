"""By which channel a contact is written to, as the tenant's policy says."""

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.contacts.models import Contact
from apps.messaging.channels import Person, reachable, ways
from apps.messaging.models import MailPolicy, OutgoingEmail
from apps.messaging.parcels import as_sent
from apps.messaging.services import NewEmail, enqueue
from apps.messaging.suppressions import suppress

pytestmark = pytest.mark.usefixtures("tenant")

NUMBER = "+491701234567"
BOTH, MAIL, PHONE, NOTHING = (
    Person("ada@x.example", NUMBER), Person("ada@x.example", ""), Person("", NUMBER), Person("", ""),
)  # fmt: skip


def policy(use: str) -> None:
    MailPolicy.objects.create(pk=1, sms_use=use)


def block(address: str) -> None:
    suppress(emails=[address], reason="bounced", source="test", now=timezone.now())


def way(person: Person) -> tuple[str, str]:
    found = ways({1: person})[1]
    return found.channel, found.address


@pytest.mark.parametrize(
    ("use", "person", "expected"),
    [
        ("never", BOTH, ("email", "ada@x.example")),
        ("never", PHONE, ("email", "")),
        ("without_email", BOTH, ("email", "ada@x.example")),
        ("without_email", PHONE, ("sms", NUMBER)),
        ("without_email", MAIL, ("email", "ada@x.example")),
        ("preferred", BOTH, ("sms", NUMBER)),
        ("preferred", PHONE, ("sms", NUMBER)),
        ("preferred", MAIL, ("email", "ada@x.example")),
        ("preferred", NOTHING, ("email", "")),
    ],
)
def test_the_policy_chooses_the_channel(use: str, person: Person, expected: tuple[str, str]) -> None:
    policy(use)
    assert way(person) == expected


def test_without_a_policy_nobody_gets_text_messages() -> None:
    assert way(BOTH) == ("email", "ada@x.example")


def test_a_number_that_is_blocked_gives_way_to_the_mailbox() -> None:
    policy("preferred")
    block(NUMBER)
    assert way(BOTH) == ("email", "ada@x.example")
    assert way(PHONE) == ("sms", NUMBER), "there is no other; sending will say that it is blocked"


def test_a_contact_with_a_number_only_is_reachable_where_text_messages_are_used() -> None:
    contact = Contact.objects.create(external_id="7", phone=NUMBER)
    assert contact.id not in reachable([contact]).addresses
    policy("without_email")
    assert reachable([contact]).addresses == {contact.id: NUMBER}
    block(NUMBER)
    assert reachable([contact]).blocked == {NUMBER}


def test_looking_takes_two_queries_for_any_number_of_contacts(django_assert_max_num_queries: Any) -> None:
    policy("preferred")
    rows = [Contact.objects.create(external_id=str(n), phone=f"+49170123456{n}") for n in range(5)]
    with django_assert_max_num_queries(2):
        assert len(reachable(rows).addresses) == 5
    with django_assert_max_num_queries(1):  # Nobody has a number: the policy is not asked.
        reachable([Contact(id=uuid4(), email="x@x.example")])


def mail(contact: Contact, **changes: Any) -> NewEmail:
    values = {"link": "https://x.example/s/1", "unsubscribe_url": "https://x.example/mail/u/1"}
    return NewEmail(
        **{
            "reason": "test", "contact_id": contact.id, "to_email": contact.email or "", "to_name": "Ada",
            "subject": "How was it?", "text": "Hello {{ name }}", "html": "<p>Hello</p>", "values": values,
            "phone": contact.phone, **changes,
        }
    )  # fmt: skip


def queued(**changes: Any) -> Any:
    contact = Contact.objects.create(email="ada@x.example", phone=NUMBER)
    enqueue(mails=[mail(contact, **changes)], now=timezone.now())
    row = OutgoingEmail.objects.get()
    return row, as_sent(row)


def test_a_text_message_has_subject_link_and_a_way_out_but_no_html(settings: Any) -> None:
    settings.SMS = {"provider": "sink", "folder": "/nowhere", "sender": "+4930123456"}
    policy("preferred")
    row, sent = queued()
    assert (row.channel, row.to_email, row.relay, row.domain, row.reply_to) == ("sms", NUMBER, "sms", "", "")
    assert row.from_header == "+4930123456"
    assert sent.html == ""
    assert sent.text == "How was it?\nhttps://x.example/s/1\nReply STOP to opt out."


def test_a_sender_that_cannot_be_answered_offers_the_page_instead(settings: Any) -> None:
    settings.SMS = {"provider": "sink", "folder": "/nowhere", "sender": "Nordwind"}
    policy("preferred")
    _row, sent = queued()
    assert "STOP" not in sent.text
    assert sent.text.endswith("https://x.example/mail/u/1")


@pytest.mark.parametrize("words", ["Hi {{ name }}, how was it?", "Hi {{ name }}, how was it?\n{{ link }}"])
def test_the_tenants_own_short_words_are_used_and_never_lack_the_link(words: str, settings: Any) -> None:
    settings.SMS = {"provider": "sink", "folder": "/nowhere", "sender": "+4930123456"}
    policy("preferred")
    _row, sent = queued(sms=words, values={"name": "Ada", "link": "https://x.example/s/1"})
    assert sent.text == "Hi Ada, how was it?\nhttps://x.example/s/1\nReply STOP to opt out."


def test_the_question_whether_we_may_write_always_goes_to_the_mailbox() -> None:
    policy("preferred")
    row, _sent = queued(needs_legal_basis=False)
    assert (row.channel, row.to_email) == ("email", "ada@x.example")
