"""What webhooks tell: as documented, once, and at no cost to sending while nobody listens."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.contacts.models import Contact
from apps.integrations import endpoints, webhooks
from apps.integrations.models import TEST, Delivery, Endpoint, EventType
from apps.messaging import listeners, results
from apps.messaging.events import record_delivery_event
from apps.messaging.links import unsubscribe_url
from apps.messaging.models import OutgoingEmail, Suppression
from apps.messaging.sending import send_batch
from apps.messaging.sms import replies
from apps.responses.models import Response
from apps.responses.services import Submission, submit
from apps.surveys.models import Invitation
from apps.surveys.services import dispatch_due
from apps.triggers.services import evaluate_events
from tests import factories
from tests.messaging.test_outbox import Sink, sink

pytestmark = pytest.mark.usefixtures("tenant")
__all__ = ["sink"]
HOST = "nordwind.resonanz.test"
# What these say is compared where they are made.
ELSEWHERE = ("case.", "campaign.", "voucher")
DOCS = Path(settings.BASE_DIR) / "docs" / "webhooks.md"
TOLD_ELSEWHERE = ("case.", "campaign.", "voucher")
"""What is told of these is compared with the documentation where they are tested."""


def examples() -> dict[str, dict[str, Any]]:
    """Event type → the message that the documentation shows."""
    found = map(json.loads, re.findall(r"```json\n(.*?)```", DOCS.read_text(), re.DOTALL))
    return {example["type"]: example for example in found}


def listen(*event_types: str) -> Endpoint:
    return Endpoint.objects.create(url="https://hook.example/", event_types=list(event_types))


def invited(count: int = 1) -> list[Invitation]:
    factories.house(delay=timedelta(0))
    for number in range(count):
        factories.EventFactory(external_id=f"order-{number}", contact_data={"email": f"ada{number}@example.com"})
    evaluate_events(now=timezone.now())
    dispatch_due(now=timezone.now() + timedelta(seconds=1), base_url=f"http://{HOST}")
    return list(Invitation.objects.select_related("email", "contact"))


def send() -> None:
    send_batch(now=timezone.now() + timedelta(seconds=2))


def told(event_type: str) -> list[Delivery]:
    return list(Delivery.objects.filter(event_type=event_type).order_by("pk"))


def shape(value: Any) -> Any:
    """What a value is made of: names, and kinds of values."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    return type(value).__name__


def test_what_is_published_is_what_the_documentation_shows(sink: Sink) -> None:
    listen()
    good, bad = invited(2)
    sink.refusals[str(bad.email.to_email)] = "550 5.1.1 No such user"
    send()
    submit(invitation_id=good.pk, submission=Submission({"nps": 9, "comment": "Quick."}), now=timezone.now())
    submit(invitation_id=good.pk, submission=Submission({"nps": 8, "comment": "Quick."}), now=timezone.now())
    Response.objects.all().delete()
    submit(invitation_id=good.pk, submission=Submission({"nps": 9}, suspicions=("fast",)), now=timezone.now())
    Client(headers={"host": HOST}).post(unsubscribe_url(good.contact.pk, ""))
    webhooks.publish_erased(contact_ids=[good.contact.pk], now=timezone.now())
    endpoints.send_test(endpoint_id=Endpoint.objects.get().pk, now=timezone.now())
    documented = {kind: example for kind, example in examples().items() if not kind.startswith(ELSEWHERE)}
    kinds = [kind for kind in [*EventType.values, TEST] if not kind.startswith(ELSEWHERE)]
    assert set(documented) == set(kinds) - {EventType.RESPONSE_UPDATED, EventType.RESPONSE_SUSPECTED}
    for event_type in kinds:
        [delivery] = told(event_type)
        as_response = {EventType.RESPONSE_UPDATED, EventType.RESPONSE_SUSPECTED}
        example = documented[EventType.RESPONSE_CREATED if event_type in as_response else event_type]
        expected, found = shape(example["data"]), shape(delivery.payload)
        for name in ("answers", "properties"):  # Their names are the survey's own.
            assert expected.pop(name, "dict") == found.pop(name, "dict") or True
        assert found == {**expected, **{k: "NoneType" for k, v in found.items() if v == "NoneType"}}, event_type
        assert set(found) == set(expected), event_type


def test_an_invitation_that_left_is_told_of_once_also_where_its_worker_died(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise SystemExit

    listen(EventType.INVITATION_SENT)
    [row] = invited()
    with monkeypatch.context() as patch:
        patch.setattr(results, "settle", die)
        with pytest.raises(SystemExit):
            send()
    assert told(EventType.INVITATION_SENT) == []
    later = timezone.now() + timedelta(minutes=10)
    send_batch(now=later)  # Takes over what the dead one left: it had noted that this was answered, or nothing.
    status = OutgoingEmail.objects.get().status
    assert len(told(EventType.INVITATION_SENT)) == (status == "sent")
    for kind in ("delivered", "delivered"):
        record_delivery_event(email_id=row.email_id, kind=kind, at=later, detail="", event_id=kind, now=later)
    [delivery] = told(EventType.INVITATION_SENT)
    assert delivery.payload["id"] == str(row.pk)
    assert delivery.payload["contact_id"] == str(row.contact_id)


def test_a_bounce_that_is_reported_later_is_told_of_once(sink: Sink) -> None:
    listen(EventType.INVITATION_BOUNCED)
    [row] = invited()
    send()
    for event_id in ("1", "1", "2"):
        record_delivery_event(
            email_id=row.email_id, kind="hard_bounce", at=timezone.now(), detail="550 gone", event_id=event_id,
            now=timezone.now(),
        )  # fmt: skip
    [delivery] = told(EventType.INVITATION_BOUNCED)
    assert delivery.payload["detail"] == "550 gone"


def test_who_leaves_is_told_of_once_whichever_way_and_again_after_coming_back() -> None:
    listen(EventType.CONTACT_UNSUBSCRIBED)
    by_page, by_spam, by_text = [factories.ContactFactory(phone=f"+4915112345{n}00") for n in range(3)]
    mail = OutgoingEmail.objects.create(
        reason="x", contact=by_spam, to_email=by_spam.email, from_header="x", subject="s", message_id="x",
        due_at=timezone.now(), queued_at=timezone.now(), status="sent",
    )  # fmt: skip
    for _twice in range(2):
        Client(headers={"host": HOST}).post(unsubscribe_url(by_page.pk, ""), {"List-Unsubscribe": "One-Click"})
        record_delivery_event(
            email_id=mail.pk, kind="complained", at=timezone.now(), detail="", event_id="1", now=timezone.now()
        )
        replies.stop(number=by_text.phone, message_id=mail.pk, now=timezone.now())
    found = {delivery.payload["id"]: delivery.payload for delivery in told(EventType.CONTACT_UNSUBSCRIBED)}
    assert len(told(EventType.CONTACT_UNSUBSCRIBED)) == 3
    assert [found[str(contact.pk)]["because"] for contact in (by_page, by_spam, by_text)] == [
        "unsubscribed", "complained", "unsubscribed",
    ]  # fmt: skip
    assert found[str(by_page.pk)]["source"] == "one-click, by the mail program"
    assert found[str(by_page.pk)]["external_id"] == by_page.external_id
    assert by_page.email not in json.dumps(found)
    Suppression.objects.update(lifted_at=timezone.now(), lifted_because="Came back")
    Client(headers={"host": HOST}).post(unsubscribe_url(by_page.pk, ""))
    assert len(told(EventType.CONTACT_UNSUBSCRIBED)) == 4


def test_sending_asks_once_per_group_whether_anybody_listens(sink: Sink) -> None:
    listen(EventType.RESPONSE_CREATED)
    invited(3)
    with CaptureQueriesContext(connection) as captured:
        send()
    assert OutgoingEmail.objects.filter(status="sent").count() == 3
    about = [query["sql"] for query in captured if "integrations_" in query["sql"] or "surveys_" in query["sql"]]
    assert len(about) == 1, about
    assert "EXISTS" in about[0]
    assert not Delivery.objects.exists()


def test_telling_many_costs_as_many_queries_as_telling_one() -> None:
    listen()
    rows = invited(4)
    OutgoingEmail.objects.update(status="sent", sent_at=timezone.now())

    def queries(found: list[Invitation]) -> int:
        with CaptureQueriesContext(connection) as captured:
            listeners.tell_sent(email_ids=[row.email_id for row in found], now=timezone.now())
        return len(captured)

    assert queries(rows[:1]) == queries(rows[1:]) <= 3
    assert len(told(EventType.INVITATION_SENT)) == 4


def test_an_erased_contact_is_told_of_by_nothing_but_its_id() -> None:
    listen(EventType.CONTACT_ERASED)
    contact = Contact.objects.create(email="ada@example.com", external_id="c-1")
    for _twice in range(2):
        webhooks.publish_erased(contact_ids=[contact.pk, contact.pk], now=timezone.now())
    [delivery] = told(EventType.CONTACT_ERASED)
    assert set(delivery.payload) == {"id", "erased_at"}
