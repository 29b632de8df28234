import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tenants.utils import tenant_context

from apps.accounts.models import User
from apps.alerts import due, keeping, mails, tasks
from apps.alerts.models import AlertSettings, Kind, Notice
from apps.alerts.services import DELIVER_QUEUE, Occasion, about_responses, tell
from apps.alerts.words import MAX_LINES
from apps.common import agenda, queues
from apps.contacts.models import Company
from apps.messaging import sending
from apps.messaging.models import OutgoingEmail, Suppression
from apps.messaging.parcels import as_sent
from apps.messaging.suppressions import suppress
from apps.responses.models import Response
from apps.surveys.models import Survey
from apps.tenants.models import Tenant
from tests import factories
from tests.alerts.conftest import BASE, NOW, person, respond, subscribe

EVIL = "<script>alert(1)</script> {{ link }} <!channel>"


def deliver(now: datetime = NOW) -> list[OutgoingEmail]:
    """Work the queue off; returns all mails so far."""
    while mails.deliver_due(now=now, base_url=BASE):
        pass
    return list(OutgoingEmail.objects.order_by("id"))


def say(
    *users: User, kind: str = Kind.CASE_ASSIGNED, reason: str = "case:1", now: datetime = NOW, **values: str
) -> None:
    given = Occasion(kind, reason, {user.pk for user in users}, {"contact": "Ada", **values}, "/cases/1/")
    tell(occasions=[given], now=now)


def words(mail: OutgoingEmail) -> tuple[str, str]:
    parcel = as_sent(mail)
    assert parcel is not None
    return parcel.text, parcel.html


def reasons() -> list[str]:
    return [row.last_error or row.status for row in Notice.objects.order_by("id")]


def test_a_detractor_is_told_by_mail_with_what_one_needs_to_act(user: User) -> None:
    subscribe(user)
    contact = factories.ContactFactory(name="Ada", company=Company.objects.create(name="Lovelace & Sons"))
    response = respond(3, "Too slow", contact=contact, call_back="0123")
    about_responses(responses=[response], now=NOW)
    (mail,) = deliver()
    assert (mail.to_email, mail.subject, mail.contact_id) == ("cx@nordwind.example", "Detractor: 3 from Ada", None)
    text, html = words(mail)
    for part in (
        "Too slow",
        "Company: Lovelace & Sons",
        "0123",
        f"{BASE}/responses/{response.pk}/",
        "/alerts/settings/",
    ):
        assert part in text
    assert "Lovelace &amp; Sons" in html
    assert "nsubscribe" not in text + html, "the way out is the settings"
    notice = Notice.objects.get()
    assert (notice.status, notice.sent_at, notice.in_digest) == ("sent", NOW, False)


def test_the_mail_leaves_though_it_is_to_no_contact_and_the_address_left_our_surveys(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    suppress(emails=[user.email], reason=Suppression.Reason.UNSUBSCRIBED, source="test", now=NOW)
    bounced = person("bounced")
    suppress(emails=[bounced.email], reason=Suppression.Reason.BOUNCED, source="test", now=NOW)
    say(user, bounced)
    deliver()
    mails_out = sending.parcels.read(list(OutgoingEmail.objects.values_list("id", flat=True)))
    objections = {parcel.row.to_email: why for parcel in mails_out for why in sending._objections([parcel]).values()}
    assert objections == {user.email: "", bounced.email: "suppressed"}
    OutgoingEmail.objects.update(stream="survey:1")
    (mine, _other) = sending.parcels.read(list(OutgoingEmail.objects.order_by("id").values_list("id", flat=True)))
    assert "contact_gone" in sending._objections([mine]).values(), "anybody else without a contact still gets nothing"


def test_what_others_wrote_is_shown_and_does_nothing(user: User) -> None:
    subscribe(user)
    about_responses(responses=[respond(2, EVIL, contact=factories.ContactFactory(name=EVIL))], now=NOW)
    say(user, kind=Kind.CASE_REPLY, contact=f"{EVIL}\r\nBcc: x@x.example")
    for mail in deliver():
        text, html = words(mail)
        assert "<script>" not in html
        assert "&lt;script&gt;" in html
        assert "{{ link }}" in text
        assert "\n" not in mail.subject


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda user, response: User.objects.update(is_active=False), "not_allowed"),
        (lambda user, response: Response.objects.update(is_suspected=True), "suspected"),
        (lambda user, response: Survey.objects.update(is_anonymous=True), "hidden"),
        (lambda user, response: User.objects.update(email=""), "no_address"),
    ],
)
def test_it_is_looked_again_before_a_notice_leaves(
    user: User, change: Callable[[User, Response], Any], why: str
) -> None:
    subscribe(user)
    response = respond()
    about_responses(responses=[response], now=NOW)
    change(user, response)
    assert deliver() == []
    assert reasons() == [why]


def test_who_lost_the_right_is_told_nothing(user: User) -> None:
    allowed = person("allowed")
    allowed.user_permissions.add(Permission.objects.get(codename="view_campaign"))
    subscribe(user, kinds=[Kind.CAMPAIGN_FAILED])
    subscribe(allowed, kinds=[Kind.CAMPAIGN_FAILED])
    tell(occasions=[Occasion(Kind.CAMPAIGN_FAILED, "step:1", (), {"campaign": "Sorry"}, "/")], now=NOW)
    assert [mail.to_email for mail in deliver()] == [allowed.email]


def test_an_erased_contacts_name_is_not_told_any_more(user: User) -> None:
    response = respond(contact=factories.ContactFactory(name="Ada"))
    given = Occasion(Kind.CASE_OVERDUE, "case:1", {user.pk}, {"contact": "Ada", "company": "X"}, "/", response.pk)
    tell(occasions=[given], now=NOW)
    Response.objects.update(contact=None)
    (mail,) = deliver()
    assert "Ada" not in mail.subject + "".join(words(mail))


def test_a_summary_is_one_mail_per_period_with_at_most_fifty_lines(user: User) -> None:
    subscribe(user, when="daily")
    about_responses(responses=[respond(n % 11, f"Comment {n}") for n in range(53)], now=NOW)
    (due,) = set(Notice.objects.values_list("due_at", flat=True))
    assert deliver() == []
    (mail,) = deliver(due)
    text, _html = words(mail)
    assert mail.subject == "Your day: 53 notices"
    assert (text.count("/responses/"), "and 3 more" in text) == (50, True)
    late = respond(1, "Late")
    Notice.objects.create(
        user=user, kind="response", reason="late", response=late, path="/", when="daily", due_at=due, created_at=due
    )
    assert len(deliver(due)) == 1, "what comes too late waits for the next turn"
    assert len(deliver(due + timedelta(days=1))) == 2
    assert len(deliver(due + timedelta(days=2))) == 2, "an empty summary is not sent"


def test_a_flood_comes_as_one_mail_and_then_the_receiver_has_the_rest_of_the_hour(user: User) -> None:
    subscribe(user)
    about_responses(responses=[respond() for _ in range(15)], now=NOW)
    assert len(deliver()) == 15
    about_responses(responses=[respond() for _ in range(15)], now=NOW)
    found = deliver()
    assert (len(found), found[-1].subject) == (16, "15 notices at once")
    for _ in range(4):
        about_responses(responses=[respond()], now=NOW)
        deliver()
    about_responses(responses=[respond() for _ in range(3)], now=NOW)
    assert len(deliver(NOW + timedelta(minutes=30))) == 20
    assert len(deliver(NOW + timedelta(minutes=61))) == 23


def test_what_a_flood_or_an_outage_delays_does_not_come_in_quiet_hours(user: User) -> None:
    AlertSettings.objects.create(user=user, quiet_from="22:00", quiet_to="07:00")
    subscribe(user)
    evening = NOW.replace(hour=21, minute=30)
    about_responses(responses=[respond() for _ in range(20)], now=evening)
    assert len(deliver(evening)) == 20
    about_responses(responses=[respond()], now=evening)
    deliver(evening)
    assert len(deliver(evening + timedelta(minutes=61))) == 20
    assert set(Notice.objects.filter(status="pending").values_list("due_at", flat=True)) == {
        datetime(2026, 3, 26, 7, 0, tzinfo=UTC)
    }
    assert len(deliver(datetime(2026, 3, 26, 7, 0, tzinfo=UTC))) == 21


def test_a_summary_reads_only_the_responses_that_it_names(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    subscribe(user, when="daily")
    about_responses(responses=[respond() for _ in range(60)], now=NOW)
    read, honest = [], due.responses_of

    def reading(rows: Iterable[Notice]) -> dict[UUID, Response]:
        found = honest(rows)
        read.append(len(found))
        return found

    monkeypatch.setattr(due, "responses_of", reading)
    assert len(deliver(NOW + timedelta(days=2))) == 1
    assert max(read) <= MAX_LINES


def test_a_user_reads_in_their_language(user: User) -> None:
    User.objects.filter(pk=user.pk).update(language="de")
    say(user, due="tomorrow")
    (mail,) = deliver()
    assert 'lang="de"' in words(mail)[1]


def test_a_notice_that_breaks_fails_and_the_others_go_through(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    say(user, reason="good")
    say(user, reason="bad", contact="BREAK")
    real = mails.told

    def told(message: Any, *args: Any, **more: Any) -> Any:
        if any(row.values.get("contact") == "BREAK" for row in message.notices):
            raise ValueError("broken")
        return real(message, *args, **more)

    monkeypatch.setattr(mails, "told", told)
    assert len(deliver()) == 1
    assert sorted(reasons()) == ["error", "sent"]


def test_the_cost_does_not_grow_with_the_notices(user: User) -> None:
    def cost(count: int) -> int:
        for number in range(count):
            say(user, reason=f"{count}:{number}")
        with CaptureQueriesContext(connection) as captured:
            mails.deliver(now=NOW, base_url=BASE)
        return len(captured)

    cost(1)  # stores what all these mails share
    assert cost(2) == cost(12) <= 15


def test_forgetting_a_response_takes_its_mails_along_and_old_notices_go_by_themselves(user: User) -> None:
    subscribe(user)
    response = respond()
    about_responses(responses=[response], now=NOW)
    say(user)
    assert len(deliver()) == 2
    keeping.forget_responses(response_ids=[response.pk])
    assert [mail.subject for mail in OutgoingEmail.objects.all()] == ["Case given to you: Ada"]
    assert keeping.forget_old(now=NOW + timedelta(days=80)) == 0
    assert keeping.forget_old(now=NOW + timedelta(days=91)) == 1


@pytest.fixture
def committed(autocommit: None) -> Iterator[User]:
    with tenant_context(Tenant.objects.get(schema_name="nordwind")):
        user = person("committed")
        yield user
        Notice.objects.all().delete()
        OutgoingEmail.objects.all().delete()
        user.delete()


def test_two_workers_and_a_crash_before_the_commit_make_one_mail_each(
    committed: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    for number in range(10):
        say(committed, reason=f"n{number}", now=now)
    with monkeypatch.context() as patch:
        patch.setattr(mails, "note_sent", lambda messages, now: 1 / 0)  # The mails are written, then it dies.
        with pytest.raises(ZeroDivisionError):
            mails.deliver(now=now, base_url=BASE)
    assert OutgoingEmail.objects.count() == 0
    barrier = threading.Barrier(2)

    def work() -> None:
        try:
            with tenant_context(Tenant.objects.get(schema_name="nordwind")):
                barrier.wait()
                for _ in range(5):
                    mails.deliver(now=now, base_url=BASE)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert OutgoingEmail.objects.count() == 10
    assert set(Notice.objects.values_list("status", flat=True)) == {"sent"}


def test_the_drain_finds_what_is_due_and_when_the_next_is(user: User) -> None:
    assert tasks
    drain = queues.DRAINS[DELIVER_QUEUE]
    assert drain.next_due() is None
    now = timezone.now()
    say(user, now=now)
    assert drain.next_due() == now
    agenda.drain(queue=DELIVER_QUEUE, step=drain.step, next_due=drain.next_due, clock=timezone.now)
    assert reasons() == ["sent"]
    assert "http://nordwind.resonanz.test" in words(OutgoingEmail.objects.get())[0]
