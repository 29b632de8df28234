"""What mail services report moves a message forward, blocks who must be blocked, and is stored once."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest

from apps.contacts.models import Contact, LegalBasis
from apps.contacts.services import with_legal_basis
from apps.messaging.events import record_delivery_event
from apps.messaging.models import DeliveryEvent, MailPolicy, OutgoingEmail, Suppression
from apps.messaging.suppressions import suppressed

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def inside(tenant: Any) -> None:
    """All of it is a tenant's."""


@pytest.fixture
def ada() -> Contact:
    contact = Contact.objects.create(email="ada@example.com")
    LegalBasis.objects.create(contact=contact, kind="consent", source="form", granted_at=NOW - timedelta(days=9))
    return contact


def mail_to(contact: Contact, status: str = "sent", **more: Any) -> OutgoingEmail:
    return OutgoingEmail.objects.create(**{
        "reason": str(uuid4()), "contact": contact, "to_email": contact.email, "from_header": "x", "subject": "s",
        "message_id": str(uuid4()), "due_at": NOW, "queued_at": NOW, "status": status, **more,
    })  # fmt: skip


def report(
    mail: OutgoingEmail, kind: str, event_id: str = "", at: datetime = NOW, detail: str = "", **more: Any
) -> bool:
    new = record_delivery_event(
        email_id=mail.pk, kind=kind, at=at, detail=detail, event_id=event_id or str(uuid4()), **{"now": NOW, **more}
    )
    mail.refresh_from_db()
    return new


@pytest.mark.parametrize(
    ("status", "kind", "then"),
    [
        ("sent", "delivered", "delivered"),
        ("unknown", "delivered", "delivered"),
        ("sending", "delivered", "delivered"),
        ("queued", "delivered", "delivered"),
        ("failed", "delivered", "delivered"),
        ("bounced", "delivered", "bounced"),
        ("complained", "delivered", "complained"),
        ("revoked", "delivered", "revoked"),
        ("sent", "hard_bounce", "bounced"),
        ("delivered", "hard_bounce", "bounced"),
        ("complained", "hard_bounce", "complained"),
        ("delivered", "complained", "complained"),
        ("bounced", "complained", "complained"),
        ("sent", "rejected", "failed"),
        ("delivered", "rejected", "delivered"),
        ("sent", "deferred", "sent"),
        ("sent", "soft_bounce", "sent"),
        ("sent", "unsubscribed", "sent"),
    ],
)
def test_a_report_moves_a_message_forward_and_never_back(ada: Contact, status: str, kind: str, then: str) -> None:
    mail = mail_to(ada, status)
    assert report(mail, kind)
    assert mail.status == then


@pytest.mark.parametrize("order", list(permutations(["delivered", "hard_bounce", "complained", "deferred"])))
def test_reports_in_any_order_end_alike(ada: Contact, order: tuple[str, ...]) -> None:
    mail = mail_to(ada)
    for kind in order:
        report(mail, kind)
    assert mail.status == "complained"
    assert Suppression.objects.count() == 1
    assert with_legal_basis(contact_ids=[ada.pk]) == set()


def test_a_message_of_unknown_fate_that_arrived_is_delivered_and_sent_then(ada: Contact) -> None:
    mail = mail_to(ada, "unknown", last_error="interrupted while sending")
    report(mail, "delivered", at=NOW - timedelta(minutes=3))
    assert (mail.status, mail.sent_at, mail.last_error) == ("delivered", NOW - timedelta(minutes=3), "")


def test_the_same_report_counts_once(ada: Contact) -> None:
    mail = mail_to(ada)
    assert report(mail, "soft_bounce", "e1")
    assert not report(mail, "soft_bounce", "e1")
    assert report(mail, "deferred", "e1"), "another kind under one id is another report"
    assert DeliveryEvent.objects.count() == 2


def test_a_hard_bounce_blocks_the_address_and_leaves_the_consent(ada: Contact) -> None:
    report(mail_to(ada), "hard_bounce", detail="550 5.1.1 no such user")
    assert suppressed(emails=["ada@example.com"]) == {"ada@example.com"}
    assert Suppression.objects.get().reason == "bounced"
    assert with_legal_basis(contact_ids=[ada.pk]) == {ada.pk}


@pytest.mark.parametrize(("kind", "reason"), [("complained", "complained"), ("unsubscribed", "unsubscribed")])
def test_a_complaint_or_a_wish_to_leave_blocks_and_ends_the_legal_basis(ada: Contact, kind: str, reason: str) -> None:
    report(mail_to(ada), kind)
    assert Suppression.objects.get().reason == reason
    assert with_legal_basis(contact_ids=[ada.pk]) == set()


def test_so_many_different_mails_in_a_row_not_taken_block_the_address(ada: Contact) -> None:
    MailPolicy.objects.create(pk=1, soft_bounces=3)
    first = mail_to(ada)
    for number in range(5):
        report(first, "soft_bounce", f"again-{number}")
    assert not Suppression.objects.exists(), "one mail that is tried often is one mail"
    report(mail_to(ada), "soft_bounce")
    assert not Suppression.objects.exists()
    report(mail_to(ada), "soft_bounce")
    assert Suppression.objects.get().reason == "bounced"


def test_a_mail_that_arrived_in_between_begins_the_count_anew(ada: Contact) -> None:
    MailPolicy.objects.create(pk=1, soft_bounces=2)
    report(mail_to(ada), "soft_bounce", at=NOW - timedelta(days=3))
    report(mail_to(ada), "delivered", at=NOW - timedelta(days=2))
    report(mail_to(ada), "soft_bounce", at=NOW - timedelta(days=1))
    assert not Suppression.objects.exists()
    report(mail_to(ada), "soft_bounce")
    assert Suppression.objects.count() == 1


def test_what_is_older_than_30_days_or_of_another_address_does_not_count(ada: Contact) -> None:
    MailPolicy.objects.create(pk=1, soft_bounces=2)
    report(mail_to(ada), "soft_bounce", at=NOW - timedelta(days=31))
    report(mail_to(ada, to_email="old@example.com"), "soft_bounce")
    report(mail_to(ada), "soft_bounce")
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("kind", ["opened", "clicked"])
def test_opens_and_clicks_are_dropped_unless_the_tenant_learns_from_them(ada: Contact, kind: str) -> None:
    mail = mail_to(ada)
    assert not report(mail, kind)
    assert not DeliveryEvent.objects.exists()
    MailPolicy.objects.create(pk=1, learns_from_opens=True)
    assert report(mail, kind)
    assert mail.status == "sent"


def test_the_other_side_s_text_is_cleaned_and_cut(ada: Contact) -> None:
    mail = mail_to(ada)
    report(mail, "hard_bounce", detail="<script>alert(1)</script>\r\nX-Evil: 1\x00\x1b[31m" + "ö" * 900)
    for text in (mail.last_error, DeliveryEvent.objects.get().detail):
        assert len(text) == 500
        assert text.isprintable()
        assert text.startswith("<script>"), "escaped where it is shown, not here"


def test_half_a_character_in_the_other_side_s_text_is_no_error(ada: Contact) -> None:
    assert report(mail_to(ada), "delivered", detail="cut \ud83d", event_id="e\udc00\x00")
    assert (DeliveryEvent.objects.get().detail, DeliveryEvent.objects.get().event_id) == ("cut ?", "e?")


def test_a_report_from_the_future_is_as_of_now(ada: Contact) -> None:
    report(mail_to(ada), "delivered", at=NOW + timedelta(days=400))
    assert DeliveryEvent.objects.get().at == NOW


def test_an_unknown_message_changes_nothing(ada: Contact) -> None:
    gone = OutgoingEmail(pk=uuid4())
    assert not record_delivery_event(email_id=gone.pk, kind="complained", at=NOW, detail="", event_id="e", now=NOW)
    assert not DeliveryEvent.objects.exists()


def test_a_contact_who_was_erased_is_not_looked_for(ada: Contact) -> None:
    mail = mail_to(ada)
    OutgoingEmail.objects.filter(pk=mail.pk).update(contact=None, to_email="")
    for kind in ("soft_bounce", "hard_bounce", "complained"):
        assert report(mail, kind)
    assert not Suppression.objects.exists()


def test_a_report_costs_few_queries(ada: Contact, django_assert_max_num_queries: Any) -> None:
    mail = mail_to(ada)
    with django_assert_max_num_queries(16):
        record_delivery_event(email_id=mail.pk, kind="complained", at=NOW, detail="", event_id="e", now=NOW)
