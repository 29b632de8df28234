"""Consent by double opt-in: asked once by mail, proven by a click that no scanner makes."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.common import tokens
from apps.contacts.models import Contact, LegalBasis, OptIn
from apps.contacts.services import object_to_mail, with_legal_basis
from apps.messaging import opt_in
from apps.messaging.links import unsubscribe_url
from apps.messaging.models import OutgoingEmail, Suppression
from apps.messaging.opt_in import Ask
from apps.messaging.parcels import read
from apps.messaging.sending import send_batch
from apps.messaging.suppressions import suppress, suppressed
from apps.messaging.views import MAX_WRONG_LINKS
from apps.responses.models import Response
from apps.responses.services import Origin, Submission, judge, submit_openly
from apps.surveys import versions
from apps.surveys.consent_mails import ask_due
from apps.surveys.models import Question, Survey
from tests import factories
from tests.messaging.words import words

pytestmark = pytest.mark.usefixtures("tenant")
BASE = "http://nordwind.resonanz.test"
WORDING = "Yes, {{ link }} <b>write</b> to me.\nUntil I say stop."


@pytest.fixture
def client() -> Client:
    return Client(headers={"host": "nordwind.resonanz.test"}, enforce_csrf_checks=True)


def ask(reason: str = "r", email: str = "ada@x.example", *, now: datetime | None = None, **values: Any) -> None:
    """Ask an address, and write the mail."""
    at = now or timezone.now()
    values = {"source": "survey:order", "wording": WORDING, "text_version": "v3", "language": "de", **values}
    opt_in.request(asks=[Ask(reason=reason, email=email, **values)], now=at)
    ask_due(now=at, base_url=BASE)


def link(mail: OutgoingEmail | None = None) -> str:
    """The path in the mail."""
    text = words(mail or OutgoingEmail.objects.get()).text
    return "/mail/confirm/" + text.split("/mail/confirm/")[1].split()[0]


def state() -> tuple[int, int, bool]:
    return LegalBasis.objects.count(), Suppression.objects.count(), OptIn.objects.exclude(confirmed_at=None).exists()


# --- the mail ---


def test_the_question_goes_out_once_in_the_persons_language_without_a_legal_basis() -> None:
    factories.theme()
    ask()
    ask()
    mail = OutgoingEmail.objects.get()
    assert (mail.to_email, mail.needs_legal_basis, mail.reason) == (
        "ada@x.example", False, f"opt_in:{OptIn.objects.get().id}",
    )  # fmt: skip
    [parcel] = read([mail.pk])
    assert parcel.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert 'lang="de"' in parcel.html
    # The wording is a value: what stands in it is neither a variable nor HTML.
    assert WORDING in parcel.text
    assert "{{ link }} &lt;b&gt;write" in parcel.html
    assert "<img" not in parcel.html
    assert OptIn.objects.get().token_hash is not None
    assert link(mail).rpartition("/")[2] not in str(OptIn.objects.values().get())


def test_a_blocked_address_is_not_asked() -> None:
    for reason in Suppression.Reason.values:
        suppress(emails=[f"{reason}@x.example"], reason=reason, source="t", now=timezone.now())
        ask(reason, f"{reason}@x.example")
    assert not OutgoingEmail.objects.exists()
    assert set(OptIn.objects.values_list("refused_because", flat=True)) == {"suppressed"}


def test_who_has_confirmed_is_not_asked_again(client: Client) -> None:
    ask()
    client.post(link())
    ask("another")
    assert OptIn.objects.get(reason="another").refused_because == "already_confirmed"


def test_an_address_gets_three_unanswered_questions_in_thirty_days() -> None:
    now = timezone.now()
    for day in range(5):
        ask(f"r{day}", now=now + timedelta(days=day))
    ask("other", "bob@x.example")
    assert OutgoingEmail.objects.filter(to_email="ada@x.example").count() == 3
    assert OptIn.objects.get(reason="r4").refused_because == "asked_too_often"
    ask("later", now=now + timedelta(days=31))
    assert OutgoingEmail.objects.filter(to_email="ada@x.example").count() == 4


def test_many_requests_cost_as_many_queries_as_few(django_assert_max_num_queries: Any) -> None:
    now = timezone.now()
    for count in (2, 40):
        asks = [Ask(f"{count}-{n}", f"a{count}-{n}@x.example", "t", WORDING) for n in range(count)]
        opt_in.request(asks=asks, now=now)
        with django_assert_max_num_queries(24):
            assert ask_due(now=now, base_url=BASE) == count
    assert OutgoingEmail.objects.count() == 42


def test_between_queue_and_send_the_person_leaves_and_the_question_stays_unsent(client: Client) -> None:
    contact = factories.ContactFactory(email="ada@x.example")
    ask(contact_id=contact.id)
    client.post(unsubscribe_url(contact.id, ""))
    send_batch(now=timezone.now() + timedelta(seconds=1))
    assert OutgoingEmail.objects.get().status == "revoked"


# --- the page ---


def test_opening_the_link_writes_nothing_and_shows_what_is_agreed_to(client: Client) -> None:
    factories.theme()
    ask()
    path, before = link(), state()
    for method in (client.get, client.head):
        answer = method(path)
        assert answer.status_code == 200
        assert not answer.cookies
    assert state() == before
    page = client.get(path).content.decode()
    assert "{{ link }} &lt;b&gt;write&lt;/b&gt; to me." in page
    assert "Nordwind" in page
    assert '<html lang="de">' in page
    assert client.get(path)["Referrer-Policy"] == "no-referrer"


def test_the_click_makes_a_consent_with_its_proof_and_twice_is_fine(client: Client) -> None:
    ask()
    path = link()
    assert [client.post(path).status_code for _ in range(2)] == [200, 200]
    row, request = LegalBasis.objects.get(), OptIn.objects.get()
    assert (row.kind, row.source, row.text_version, row.wording) == ("consent", "survey:order", "v3", WORDING)
    assert (row.granted_at, row.opt_in) == (request.requested_at, request)
    assert row.confirmed_at == request.confirmed_at
    assert with_legal_basis(contact_ids=[Contact.objects.get(email="ada@x.example").id])


def test_an_expired_link_says_so_and_offers_nothing(client: Client) -> None:
    ask(now=timezone.now() - timedelta(days=7, minutes=1), language="en")
    page = client.get(link()).content.decode()
    assert "This link has expired" in page
    assert "<form" not in page
    client.post(link())
    assert not LegalBasis.objects.exists()


def test_unknown_links_are_all_the_same_and_guessers_are_slowed_down(client: Client, other_tenant: Any) -> None:
    from django_tenants.utils import tenant_context

    with tenant_context(other_tenant):
        ask()
        foreign = link()
    paths = (foreign, "/mail/confirm/x", f"/mail/confirm/{tokens.new_token()}")
    answers = [client.get(path) for path in paths]
    assert {answer.status_code for answer in answers} == {404}
    assert len({re.sub(rb'nonce="[^"]*"', b"", answer.content) for answer in answers}) == 1
    for _ in range(MAX_WRONG_LINKS):
        last = client.post("/mail/confirm/x")
    assert last.status_code == 429
    ask()
    assert client.get(link()).status_code == 200


@pytest.mark.parametrize("reason", Suppression.Reason.values)
def test_confirming_lifts_what_the_person_themself_said_and_nothing_else(client: Client, reason: str) -> None:
    ask()
    suppress(emails=["ada@x.example"], reason=reason, source="t", now=timezone.now())
    client.post(link())
    assert suppressed(emails=["ada@x.example"]) == (set() if reason == "unsubscribed" else {"ada@x.example"})
    row = Suppression.objects.get()
    assert bool(row.lifted_because) == (reason == "unsubscribed")


def test_a_consent_that_was_taken_back_stays_so_beside_the_new_one(client: Client) -> None:
    contact = factories.ContactFactory(email="ada@x.example")
    old = LegalBasis.objects.create(contact=contact, kind="consent", source="survey:order", granted_at=timezone.now())
    object_to_mail(contact_id=contact.id, now=timezone.now())
    ask(contact_id=contact.id, language="en")
    client.post(link())
    old.refresh_from_db()
    assert old.revoked_at is not None
    assert with_legal_basis(contact_ids=[contact.id]) == {contact.id}
    object_to_mail(contact_id=contact.id, now=timezone.now())
    # Pressed once more, the old link thanks nobody for what does not hold any more.
    assert "This link is not valid" in client.post(link()).content.decode()
    assert with_legal_basis(contact_ids=[contact.id]) == set()


def test_the_consent_is_the_mailboxs_that_agreed_not_the_contacts_new_one(client: Client) -> None:
    contact = factories.ContactFactory(email="ada@x.example")
    ask(contact_id=contact.id)
    Contact.objects.filter(pk=contact.pk).update(email="somebody-else@x.example")
    client.post(link())
    assert with_legal_basis(contact_ids=[contact.id]) == set()
    assert LegalBasis.objects.get().contact.email == "ada@x.example"


def test_a_contact_known_without_an_address_gets_it_by_confirming(client: Client) -> None:
    contact = factories.ContactFactory(email=None)
    ask(contact_id=contact.id)
    client.post(link())
    contact.refresh_from_db()
    assert contact.email == "ada@x.example"
    assert LegalBasis.objects.get().contact == contact


# --- who left and has changed their mind ---


def test_who_left_comes_back_only_by_a_new_question_of_their_own(client: Client) -> None:
    contact = factories.ContactFactory(email="ada@x.example", locale="en")
    way_out = unsubscribe_url(contact.id, "")
    client.post(way_out)
    assert "Send me the link" in client.get(way_out).content.decode()
    assert client.post(f"{way_out}/again").status_code == 303
    client.post(f"{way_out}/again")
    ask_due(now=timezone.now(), base_url=BASE)
    assert suppressed(emails=["ada@x.example"])
    mail = OutgoingEmail.objects.get()
    send_batch(now=timezone.now() + timedelta(seconds=1))
    mail.refresh_from_db()
    assert mail.last_error != "suppressed"
    client.post(link(mail))
    assert not suppressed(emails=["ada@x.example"])
    assert with_legal_basis(contact_ids=[contact.id]) == {contact.id}
    assert Suppression.objects.get().lifted_because


def test_nobody_comes_back_by_that_from_a_complaint(client: Client) -> None:
    contact = factories.ContactFactory(email="ada@x.example", locale="en")
    suppress(emails=["ada@x.example"], reason=Suppression.Reason.COMPLAINED, source="t", now=timezone.now())
    way_out = unsubscribe_url(contact.id, "")
    assert "Send me the link" not in client.get(way_out).content.decode()
    client.post(f"{way_out}/again")
    assert not OptIn.objects.exists()


# --- agreement given in a survey ---


def consenting_survey(**values: Any) -> Survey:
    factories.theme()
    survey = factories.SurveyFactory()
    Survey.objects.filter(pk=survey.pk).update(is_public=True, **values)
    Question.objects.create(
        survey=survey, key="mail", kind="opt_in", position=9, text={"en": "May we write?", "de": "Dürfen wir?"}
    )
    versions.publish(survey_id=survey.pk, now=timezone.now())
    return survey


def answer(survey: Survey, said: Any, *, token: str = "t" * 32, **values: Any) -> Response:
    submission = Submission(answers={"nps": 9, "mail": said}, locale="de", **values)
    return submit_openly(origin=Origin(survey.pk, token), submission=submission, now=timezone.now())


def asked(after: timedelta = timedelta(0)) -> list[str]:
    ask_due(now=timezone.now() + after, base_url=BASE)
    return sorted(OutgoingEmail.objects.values_list("to_email", flat=True))


def test_an_address_given_in_a_survey_is_asked_with_the_surveys_words() -> None:
    row = answer(consenting_survey(), "Ada@X.example")
    assert asked() == ["ada@x.example"]
    request = OptIn.objects.get()
    assert (request.source, request.wording, request.language) == ("survey:order", "Dürfen wir?", "de")
    assert row.version is not None
    assert request.text_version == f"mail v{row.version.number}"
    answer(Survey.objects.get(), "ada@x.example", token="t" * 32)
    assert asked() == ["ada@x.example"]


def test_only_the_address_that_was_typed_to_its_end_is_asked() -> None:
    survey = consenting_survey()
    for typed in ("ada@x.exa", "ada@x.exampl", "ada@x.example"):
        answer(survey, typed, is_partial=True, is_draft=True)
    assert asked() == []
    assert asked(timedelta(minutes=21)) == ["ada@x.example"]


def test_who_takes_the_agreement_back_before_the_mail_is_not_asked() -> None:
    survey = consenting_survey()
    answer(survey, "ada@x.example", is_partial=True)
    answer(survey, False)
    assert asked(timedelta(days=1)) == []


def test_a_machines_agreement_waits_for_a_human_to_judge_it() -> None:
    row = answer(consenting_survey(), "ada@x.example", suspicions=["too_fast"])
    assert asked(timedelta(days=1)) == []
    judge(response_id=row.id, is_genuine=True, by="chief", now=timezone.now())
    assert asked(timedelta(days=1)) == ["ada@x.example"]


def test_an_anonymous_survey_asks_nobody() -> None:
    answer(consenting_survey(is_anonymous=True), "ada@x.example")
    assert not OptIn.objects.exists()
