"""What Twilio reports and what people answer, through the real pages: believed only with its signature."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_tenants.utils import schema_context, tenant_context

from apps.contacts.models import Contact, LegalBasis
from apps.messaging.models import DeliveryEvent, OutgoingEmail, Suppression
from apps.messaging.sms import replies
from apps.relays import services as relays
from tests.messaging.texting import NUMBER, TWILIO, fates, queue, signed

HOST = "resonanz.test"


@pytest.fixture(autouse=True)
def _by_twilio(settings: Any) -> None:
    settings.SMS = TWILIO


@pytest.fixture
def sent(tenant: Any) -> Any:
    """A text message of nordwind that Twilio took."""
    queue(NUMBER)
    return left("nordwind")


def left(schema: str) -> Any:
    """The message as it stands in the outbox once it was sent."""
    row = OutgoingEmail.objects.get()
    OutgoingEmail.objects.update(status="sent", sent_at=timezone.now(), esp_id="SM1")
    relays.remember(relay="sms", schema_name=schema, handles={f"SM-{schema}": row.pk}, now=timezone.now())
    replies.remember(number=NUMBER, schema_name=schema, message_id=row.pk, now=timezone.now())
    return row


def post(page: str, headers: Any = None, **posted: str) -> Any:
    url = f"http://{HOST}/sms/{page}/"
    with schema_context("public"):
        return Client().post(
            f"/sms/{page}/",
            data=posted,
            headers={"host": HOST, **(signed(url, **posted) if headers is None else headers)},
        )


def report(status: str, code: str = "", sid: str = "SM-nordwind") -> int:
    more = {"ErrorCode": code} if code else {}
    return int(post("events", MessageSid=sid, MessageStatus=status, **more).status_code)


def test_a_report_moves_the_message_it_is_about(sent: Any) -> None:
    assert report("sent") == 204
    assert fates()[NUMBER][0] == "sent"
    assert report("delivered") == 204
    assert report("delivered") == 204
    assert fates()[NUMBER][0] == "delivered"
    assert DeliveryEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("code", "status", "blocked"),
    [
        ("30005", "bounced", ["bounced"]),
        ("21610", "failed", ["unsubscribed"]),
        ("30007", "failed", []),
        ("30003", "sent", []),
        ("", "failed", []),
    ],
)
def test_what_did_not_arrive_has_the_consequences_of_its_code(
    code: str, status: str, blocked: list[str], sent: Any
) -> None:
    report("undelivered", code)
    assert fates()[NUMBER][0] == status
    assert list(Suppression.objects.values_list("reason", flat=True)) == blocked


def test_a_message_of_nobody_changes_nothing(sent: Any) -> None:
    assert report("delivered", sid="SM-unknown") == 204
    assert fates()[NUMBER][0] == "sent"


@pytest.mark.parametrize("page", ["events", "inbound"])
@pytest.mark.parametrize("signature", [{}, {"x-twilio-signature": "forged"}])
def test_what_twilio_did_not_sign_is_refused(page: str, signature: dict[str, str], sent: Any) -> None:
    posted = {
        "MessageSid": "SM-nordwind",
        "MessageStatus": "undelivered",
        "ErrorCode": "21610",
        "Body": "STOP",
        "From": NUMBER,
    }
    assert post(page, headers=signature, **posted).status_code == 403
    # One for another page, or for other words, is none either.
    other = signed(f"http://{HOST}/sms/other/", **posted)
    assert post(page, headers=other, **posted).status_code == 403
    changed = signed(f"http://{HOST}/sms/{page}/", **{**posted, "From": "+491701234568"})
    assert post(page, headers=changed, **posted).status_code == 403
    assert not Suppression.objects.exists()
    assert LegalBasis.objects.get().revoked_at is None


def test_without_twilio_there_are_no_such_pages(settings: Any, sent: Any) -> None:
    settings.SMS = {}
    assert post("inbound", headers={}, Body="STOP", From=NUMBER).status_code == 404


def test_only_posts_are_heard(sent: Any) -> None:
    with schema_context("public"):
        assert Client().get("/sms/inbound/", headers={"host": HOST}).status_code == 405


@pytest.mark.parametrize("word", ["STOP", " stopp! ", "Ende.", "quit", "Stop\n"])
def test_stop_blocks_the_number_and_ends_the_legal_basis(word: str, sent: Any) -> None:
    answer = post("inbound", Body=word, From=NUMBER, MessageSid="SM9")
    assert (answer.status_code, answer["content-type"]) == (200, "text/xml")
    assert list(Suppression.objects.values_list("email", "reason", "source")) == [(NUMBER, "unsubscribed", "STOP")]
    assert LegalBasis.objects.get().revoked_at is not None


@pytest.mark.parametrize("word", ["Please do not stop", "Danke, das war ein Ende mit Freude", "9", ""])
def test_other_answers_stop_nothing(word: str, sent: Any) -> None:
    assert post("inbound", Body=word, From=NUMBER).status_code == 200
    assert not Suppression.objects.exists()


def test_a_word_that_twilio_knows_as_stop_counts_in_any_language(sent: Any) -> None:
    post("inbound", Body="ARRET", OptOutType="STOP", From=NUMBER)
    assert Suppression.objects.get().email == NUMBER


def test_stop_reaches_the_tenant_who_wrote_last_and_nobody_else(sent: Any, other_tenant: Any) -> None:
    with tenant_context(other_tenant):
        queue(NUMBER)
        left("klarwerk")
    post("inbound", Body="STOP", From=NUMBER)
    assert not Suppression.objects.exists()
    assert LegalBasis.objects.get().revoked_at is None
    with tenant_context(other_tenant):
        assert Suppression.objects.get().email == NUMBER
        assert LegalBasis.objects.get().revoked_at is not None


def test_stop_from_a_number_that_we_never_wrote_to_changes_nothing(sent: Any) -> None:
    stranger = "+491701234568"
    Contact.objects.create(external_id="s", phone=stranger)
    assert post("inbound", Body="STOP", From=stranger).status_code == 200
    assert not Suppression.objects.exists()
