import re
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import translation

from apps.accounts.models import User
from apps.messaging import frames
from apps.messaging.links import masked, unlinked
from apps.messaging.models import DeliveryEvent, MailPolicy, OutgoingEmail, Pause
from apps.workspace.mail_log import trouble_of
from tests.messaging.words import words
from tests.workspace.conftest import story


@pytest.fixture
def may_change(user: User) -> None:
    user.user_permissions.add(Permission.objects.get(codename="change_outgoingemail"))


@pytest.fixture
def mail(setup: SimpleNamespace, now: datetime) -> OutgoingEmail:
    """The invitation of a contact's story."""
    story(setup, 1, now)
    return OutgoingEmail.objects.get(reason="invitation:1")


def change(mail: OutgoingEmail, **values: Any) -> None:
    OutgoingEmail.objects.filter(pk=mail.pk).update(**values)


def shown(client: Client, mail: OutgoingEmail) -> str:
    return client.get(reverse("workspace:email", args=[mail.pk])).content.decode()


def test_the_html_is_framed_without_any_rights(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    story(setup, 1, now)
    mail = OutgoingEmail.objects.get(reason="invitation:1")
    page = client.get(reverse("workspace:email", args=[mail.pk])).content.decode()
    assert re.search(r"<iframe[^>]*\ssandbox\s+src=", page)
    assert "color:red" not in page
    framed = client.get(reverse("workspace:email_html", args=[mail.pk]))
    assert framed.content.decode() == words(mail).html
    policy = framed.headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "script-src 'none'", "form-action 'none'", "frame-ancestors 'self'", "sandbox"):
        assert part in policy, part
    assert framed.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_mails_are_found_by_words_and_status(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    story(setup, 1, now)
    story(setup, 2, now)
    OutgoingEmail.objects.filter(reason="invitation:2").update(status="bounced")

    def found(query: dict[str, str]) -> list[str]:
        return sorted(mail.reason for mail in client.get("/emails/", query).context["page"].rows)

    assert found({"q": "sorry"}) == ["step:1", "step:2"]
    assert found({"q": "KIM1@"}) == ["invitation:1", "step:1"]
    assert found({"status": "bounced"}) == ["invitation:2"]
    assert found({"channel": "sms"}) == []
    OutgoingEmail.objects.filter(reason="step:1").update(channel="sms", stream=f"survey:{setup.survey.pk}")
    assert found({"channel": "sms"}) == ["step:1"]
    assert found({"stream": f"survey:{setup.survey.pk}"}) == ["step:1"]
    assert found({"stream": "none"}) == ["invitation:1", "invitation:2", "step:2"]
    assert found({"stream": "survey:999"}) == sorted(["invitation:1", "invitation:2", "step:1", "step:2"])
    OutgoingEmail.objects.filter(reason="step:2").update(queued_at=now - timedelta(days=3))
    assert found({"days": "1"}) == ["invitation:1", "invitation:2", "step:1"]
    assert found({"days": "7", "status": "sent"}) == ["invitation:1", "step:1", "step:2"]
    OutgoingEmail.objects.update(to_name="")
    assert found({"q": "Kim 2"}) == ["invitation:2", "step:2"]
    contact = OutgoingEmail.objects.get(reason="step:1").contact_id
    assert found({"contact": str(contact)}) == ["invitation:1", "step:1"]
    assert len(found({"contact": "nobody"})) == 4
    page = client.get("/emails/", {"contact": str(contact)}).content.decode()
    assert "All messages to" in page
    assert f'name="contact" value="{contact}"' in page


def test_a_row_names_what_the_message_belongs_to_and_what_went_wrong(
    client: Client, setup: SimpleNamespace, mail: OutgoingEmail
) -> None:
    change(mail, stream=f"survey:{setup.survey.pk}", status="revoked", last_error="no_legal_basis")
    page = client.get("/emails/", {"status": "revoked"}).content.decode()
    assert "After the order" in page
    assert "There is no legal basis for writing to this contact." in page
    assert "no_legal_basis" not in page


def test_the_page_tells_what_became_of_the_message(client: Client, mail: OutgoingEmail, now: datetime) -> None:
    for minutes, kind, detail in [(9, "delivered", ""), (3, "deferred", "<b>greylisted</b>"), (20, "complained", "")]:
        DeliveryEvent.objects.create(
            email=mail, kind=kind, at=now + timedelta(minutes=minutes), detail=detail, event_id=kind
        )
    change(mail, status="complained", relay="", reply_to="hallo@n.example")
    answer = client.get(reverse("workspace:email", args=[mail.pk]))
    assert [str(moment.label) for moment in answer.context["story"]] == [
        "queued", "sent", "deferred", "delivered", "complained",
    ]  # fmt: skip
    page = answer.content.decode()
    assert "&lt;b&gt;greylisted&lt;/b&gt;" in page
    assert "reported this message as spam" in page
    assert "hallo@n.example" in page


def test_the_page_costs_the_same_however_much_was_reported(
    queries_of: Callable[[str], int], mail: OutgoingEmail, now: datetime
) -> None:
    url = reverse("workspace:email", args=[mail.pk])
    # Session, user; message, reports, parcel (and frame); notes; surveys, campaigns.
    expected = queries_of(url)
    assert expected <= 9
    for number in range(20):
        DeliveryEvent.objects.create(email=mail, kind="opened", at=now, event_id=str(number))
    assert queries_of(url) == expected


def test_personal_links_are_cut_and_lead_nowhere(client: Client, mail: OutgoingEmail) -> None:
    link = "https://nordwind.example/s/SECRET?score=9"
    change(
        mail,
        values={
            "text": f"Answer: {link}.",
            "body_html": f'<a class="b" HREF = "{link}">{link}</a><img src="https://nordwind.example/logo/x.png">',
        },
    )
    assert "SECRET" in words(OutgoingEmail.objects.get(pk=mail.pk)).html
    page = shown(client, mail)
    framed = client.get(reverse("workspace:email_html", args=[mail.pk])).content.decode()
    for text in (page, framed):
        assert "SECRET" not in text
        assert "https://nordwind.example/s/…" in text
    assert not re.search(r"href", framed, re.IGNORECASE)
    assert 'src="https://nordwind.example/logo/x.png"' in framed


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("https://x.example?t=SECRET", "https://x.example/…"),
        ("http://x.example/mail/u/SECRET", "http://x.example/mail/…"),
        ("a https://x.example/s/SECRET, b", "a https://x.example/s/… b"),
        ("https://x.example#SECRET", "https://x.example/…"),
        ("no link", "no link"),
    ],
)
def test_what_is_personal_in_a_link_is_cut(text: str, cut: str) -> None:
    assert masked(text) == cut


def test_no_spelling_of_a_link_survives() -> None:
    for link in ("<a href=https://x.example/s/T>", "<A HREF='https://x.example/s/T'>", "<a\nhref\t=\n'https://x/s/T'>"):
        assert "href" not in unlinked(link).lower()
        assert "/T" not in unlinked(link)


def test_after_the_time_for_keeping_the_page_says_that_the_words_are_gone(client: Client, mail: OutgoingEmail) -> None:
    MailPolicy.objects.create(pk=1, keep_bodies_days=45)
    change(mail, frame=None, values={}, headers={})
    page = shown(client, mail)
    assert "What was written was deleted after 45 days" in page
    assert "<iframe" not in page
    assert client.get(reverse("workspace:email_html", args=[mail.pk])).content == b""


def test_a_text_message_has_no_html_to_show(client: Client, mail: OutgoingEmail) -> None:
    only_text = frames.Words("Hi {{ name }}", "")
    change(mail, channel="sms", frame=frames.store([only_text])[only_text], values={"name": "Kim"})
    page = shown(client, mail)
    assert "<iframe" not in page
    assert "Hi Kim" in page


@pytest.mark.parametrize(
    ("status", "error", "sentence", "advice"),
    [
        ("revoked", "suppressed", "must not be mailed", "new consent"),
        ("revoked", "no_legal_basis", "no legal basis", "consent"),
        ("revoked", "contact_gone", "contact was deleted", ""),
        ("revoked", "text_gone", "text was deleted", "Send it anew"),
        ("revoked", "something new", "something new", ""),
        ("unknown", "interrupted while sending", "Nobody knows whether it left", "mailbox"),
        ("unknown", "line lost: reset", "Nobody knows whether it left", "mailbox"),
        ("queued", "line lost: reset", "broke before this message left", "again by itself"),
        ("queued", "no connection: refused", "could not be reached", "again by itself"),
        ("queued", "451 4.7.1 later", "come back later", "again by itself"),
        ("failed", "451 4.7.1 later", "gave up", "Try again"),
        ("failed", "550 5.7.1 spam", "refused", "then try again"),
        ("failed", "", "refused", "Try again"),
        ("bounced", "550 5.1.1 no such user", "does not take mail", "working address"),
        ("bounced", "", "does not take mail", "working address"),
        ("complained", "", "as spam", "blocked"),
        ("sent", "settled by cx", "cx said", ""),
    ],
)
def test_every_error_is_a_sentence_and_says_what_to_do(status: str, error: str, sentence: str, advice: str) -> None:
    trouble = trouble_of(OutgoingEmail(status=status, last_error=error))
    assert trouble is not None
    assert sentence in str(trouble.sentence)
    assert advice in str(trouble.advice)


@pytest.mark.parametrize("status", ["sent", "delivered", "queued"])
def test_where_nothing_went_wrong_nothing_is_said(status: str) -> None:
    assert trouble_of(OutgoingEmail(status=status)) is None


def test_a_message_that_is_held_back_says_by_whom(client: Client, mail: OutgoingEmail, now: datetime) -> None:
    change(mail, status="paused", stream="survey:1")
    Pause.objects.create(stream="survey:1", since=now, by="Ada")
    assert "Ada paused “Deleted survey 1”." in shown(client, mail)


def ask(client: Client, what: str, *mails: OutgoingEmail, post: bool = False) -> Any:
    given = {"what": what, "id": [str(mail.pk) for mail in mails]}
    return (client.post if post else client.get)("/emails/by-hand/", given)


@pytest.mark.parametrize(("what", "status"), [("left", "sent"), ("send", "queued")])
def test_an_unknown_message_is_settled_after_asking_once_more(
    client: Client, user: User, may_change: None, mail: OutgoingEmail, what: str, status: str
) -> None:
    change(mail, status="unknown", last_error="interrupted while sending", sent_at=None)
    page = shown(client, mail)
    assert "Nobody knows whether this message left" in page
    assert f'value="{what}"' in page
    assert "How was it?" in ask(client, what, mail).content.decode()
    mail.refresh_from_db()
    assert mail.status == "unknown"
    answer = ask(client, what, mail, post=True)
    assert answer.headers["Location"] == reverse("workspace:email", args=[mail.pk])
    mail.refresh_from_db()
    assert mail.status == status
    entry = LogEntry.objects.get(object_id=str(mail.pk))
    assert entry.user == user
    assert "Settled by hand" in entry.change_message
    # Its page keeps who did it, also when the message has been sent meanwhile.
    change(mail, last_error="", status="delivered")
    assert "Settled by hand" in shown(client, mail)
    # Twice is once.
    ask(client, what, mail, post=True)
    assert LogEntry.objects.count() == 1


def test_several_messages_are_settled_from_the_list(
    client: Client, may_change: None, setup: SimpleNamespace, mail: OutgoingEmail, now: datetime
) -> None:
    story(setup, 2, now)
    OutgoingEmail.objects.filter(reason__startswith="invitation").update(status="unknown")
    mails = list(OutgoingEmail.objects.order_by("reason"))
    assert 'type="checkbox"' not in client.get("/emails/").content.decode()
    page = client.get("/emails/", {"status": "unknown"}).content.decode()
    assert page.count('type="checkbox"') == 2
    assert "2 messages are left out" in ask(client, "left", *mails).content.decode()
    ask(client, "left", *mails, post=True)
    assert not OutgoingEmail.objects.filter(status="unknown").exists()
    assert LogEntry.objects.count() == 2


def test_a_failed_message_is_tried_again(client: Client, may_change: None, mail: OutgoingEmail) -> None:
    change(mail, status="failed", last_error="550 5.7.1 no")
    assert "Try again" in shown(client, mail)
    ask(client, "retry", mail, post=True)
    mail.refresh_from_db()
    assert (mail.status, mail.last_error) == ("queued", "")


def test_without_its_words_nothing_is_sent_again(client: Client, may_change: None, mail: OutgoingEmail) -> None:
    change(mail, status="unknown", frame=None)
    page = shown(client, mail)
    assert 'value="left"' in page
    assert 'value="send"' not in page
    ask(client, "send", mail, post=True)
    mail.refresh_from_db()
    assert mail.status == "unknown"


def test_whoever_may_not_change_messages_settles_nothing(client: Client, mail: OutgoingEmail) -> None:
    change(mail, status="unknown")
    assert 'value="left"' not in shown(client, mail)
    assert ask(client, "left", mail).status_code == 403
    assert ask(client, "left", mail, post=True).status_code == 403
    mail.refresh_from_db()
    assert mail.status == "unknown"


def test_what_makes_no_sense_leads_back_to_the_list(client: Client, may_change: None) -> None:
    for what, back in {"left": "/emails/?status=unknown", "retry": "/emails/?status=failed", "no": "/emails/"}.items():
        for ids in (["x"], [], ["1" * 500]):
            assert client.get("/emails/by-hand/", {"what": what, "id": ids}).headers["Location"] == back
    assert "Choose at least one message first." in client.get("/emails/").content.decode()
    assert client.get("/emails/by-hand/", {"what": "left", "id": [str(uuid4())]}).status_code == 200


def test_the_contacts_page_tells_what_was_reported(client: Client, mail: OutgoingEmail, now: datetime) -> None:
    DeliveryEvent.objects.create(email=mail, kind="deferred", at=now, event_id="1")
    page = client.get(reverse("workspace:contact", args=[mail.contact_id])).content.decode()
    assert "deferred <time" in page
    assert f"/emails/?contact={mail.contact_id}" in page


def test_sentences_are_in_the_readers_language() -> None:
    with translation.override("de"):
        trouble = trouble_of(OutgoingEmail(status="revoked", last_error="contact_gone"))
        assert trouble is not None
        assert "Kontakt" in str(trouble.sentence)
