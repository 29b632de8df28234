"""Who is at risk, who speaks well of the tenant, who is silent: each sign alone, and all against plain Python."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.cases.models import Case
from apps.contacts.models import Contact
from apps.insights import people
from apps.insights import people_reasons as reasons
from apps.insights.people_words import next_action, sentence
from apps.messaging import suppressions
from apps.messaging.models import OutgoingEmail
from apps.responses.models import Response
from apps.surveys import versions
from apps.surveys.models import Invitation, Survey, SurveyVersion
from tests import factories

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("tenant")


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
def survey(tenant: Any) -> Survey:
    found: Survey = factories.SurveyFactory()
    return found


@pytest.fixture
def anonymous(tenant: Any) -> SurveyVersion:
    return versions.publish(survey_id=factories.SurveyFactory(key="secret", is_anonymous=True).pk, now=ago(900))


def gave(contact: Contact, score: int | None, days: float, **values: Any) -> Response:
    values = {"survey": Survey.objects.get(key="order"), "touchpoint": factories.TouchpointFactory(), **values}
    at = ago(days)
    return Response.objects.create(contact=contact, score=score, answered_at=at, updated_at=at, **values)


def case(contact: Contact, status: str, *, closed: float | None = None, due: float = -1, **values: Any) -> Case:
    """A case of an answer that tells nothing itself: without a score."""
    row = gave(contact, None, 30)
    closed_at = None if closed is None else ago(closed)
    return Case.objects.create(
        response=row, contact=contact, status=status, opened_at=ago(30), due_at=ago(due), closed_at=closed_at, **values
    )


def asked(contact: Contact, days: float, *, status: str = "delivered", shown: bool = False, **values: Any) -> None:
    number = Invitation.objects.count()
    mail = None
    if not shown:
        mail = OutgoingEmail.objects.create(
            reason=f"i{number}", message_id=f"m{number}", status=status, due_at=ago(days), queued_at=ago(days),
            contact=contact,
        )  # fmt: skip
    Invitation.objects.create(
        survey=Survey.objects.get(key="order"), contact=contact, reason=f"i{number}", email=mail,
        status="shown" if shown else "queued", send_at=ago(days), give_up_at=ago(days), created_at=ago(days), **values,
    )  # fmt: skip


def signs(contact: Contact) -> list[str]:
    """The codes of the reasons why a contact is at risk."""
    rows = list(people.at_risk(now=NOW).filter(contact=contact))
    (person,) = reasons.read_at_risk(rows, now=NOW) or [SimpleNamespace(reasons=[])]
    return [one.code for one in person.reasons]


AT_RISK: list[tuple[str, Callable[[Contact], object], list[str]]] = [
    ("gave 6", lambda c: gave(c, 6, 10), ["low_score"]),
    ("gave 7", lambda c: gave(c, 7, 10), []),
    ("gave 3 more than a year ago", lambda c: gave(c, 3, 366), []),
    ("gave 3, and 9 since", lambda c: (gave(c, 3, 20), gave(c, 9, 10)), []),
    ("gave 3, a machine 9 since", lambda c: (gave(c, 3, 20), gave(c, 9, 10, is_suspected=True)), ["low_score"]),
    ("gave 3, and skipped it since", lambda c: (gave(c, 3, 20), gave(c, None, 10)), ["low_score"]),
    ("a machine gave 3", lambda c: gave(c, 3, 10, is_suspected=True), []),
    ("fell from 10 to 7", lambda c: (gave(c, 10, 500), gave(c, 7, 10)), ["fell"]),
    ("fell from 9 to 7", lambda c: (gave(c, 9, 20), gave(c, 7, 10)), []),
    ("fell from 9 to 5", lambda c: (gave(c, 9, 20), gave(c, 5, 10)), ["low_score", "fell"]),
    ("rose from 4 to 7", lambda c: (gave(c, 4, 20), gave(c, 7, 10)), []),
    ("lost", lambda c: (gave(c, 8, 20), case(c, "lost", closed=10)), ["case_lost"]),
    ("lost, and gave 8 since", lambda c: (gave(c, 8, 5), case(c, "lost", closed=10)), ["case_lost"]),
    ("lost, and gave 9 since", lambda c: (gave(c, 9, 5), case(c, "lost", closed=10)), []),
    ("lost after a 9", lambda c: (gave(c, 9, 20), case(c, "lost", closed=10)), ["case_lost"]),
    ("lost more than a year ago", lambda c: (gave(c, 8, 20), case(c, "lost", closed=366)), []),
    ("solved", lambda c: (gave(c, 8, 20), case(c, "solved", closed=10)), []),
    ("overdue", lambda c: (gave(c, 8, 20), case(c, "new", due=4)), ["case_overdue"]),
    ("not due yet", lambda c: (gave(c, 8, 20), case(c, "new", due=-4)), []),
    ("not heard from us", lambda c: (gave(c, 8, 20), case(c, "new", contact_due_at=ago(1))), ["case_overdue"]),
    ("overdue without any score", lambda c: case(c, "new", due=4), []),
]  # fmt: skip


@pytest.mark.usefixtures("survey")
def test_each_sign_of_risk_puts_a_contact_on_the_list_and_its_opposite_does_not() -> None:
    expected = {}
    for name, happens, codes in AT_RISK:
        contact = factories.ContactFactory(name=name)
        happens(contact)
        expected[name] = codes
        assert signs(contact) == codes, name
    found = {row.contact.name for row in people.at_risk(now=NOW) if row.contact}
    assert found == {name for name, codes in expected.items() if codes}
    for code in ("low_score", "fell", "case_lost", "case_overdue"):
        narrowed = {row.contact.name for row in people.at_risk(now=NOW, reason=code) if row.contact}
        assert narrowed == {name for name, codes in expected.items() if code in codes}, code


def test_a_case_that_went_into_another_is_no_sign(survey: Survey) -> None:
    contact = factories.ContactFactory()
    gave(contact, 8, 20)
    into = case(contact, "solved", closed=1)
    case(contact, "new", due=4, merged_into=into)
    assert signs(contact) == []


def test_anonymous_answers_put_nobody_on_a_list(survey: Survey, anonymous: SurveyVersion) -> None:
    hidden = {"survey": anonymous.survey, "version": anonymous}
    low, high, both = (factories.ContactFactory(name=name) for name in ("low", "high", "both"))
    gave(low, 2, 10, **hidden)
    gave(low, 2, 9, survey=anonymous.survey)
    gave(high, 10, 20, **hidden)
    gave(high, 10, 10, comment="Fine.", **hidden)
    gave(both, 9, 30, **hidden)
    gave(both, 8, 20)
    gave(both, 2, 10, **hidden)
    assert not people.at_risk(now=NOW).exists()
    assert not people.advocates(now=NOW).exists()
    # What was promised counts, not what the survey is today.
    anonymous.survey.is_anonymous = False
    anonymous.survey.save()
    assert [row.contact for row in people.at_risk(now=NOW)] == [low]
    assert [row.version for row in people.at_risk(now=NOW)] == [None]


ADVOCATES: list[tuple[str, Callable[[Contact], object], list[str]]] = [
    ("twice", lambda c: (gave(c, 9, 500), gave(c, 10, 10)), ["twice_high"]),
    ("once without words", lambda c: gave(c, 10, 10), []),
    ("once with words", lambda c: gave(c, 9, 10, comment="Great"), ["high_with_words"]),
    ("8 with words", lambda c: gave(c, 8, 10, comment="Great"), []),
    ("twice with words", lambda c: (gave(c, 9, 20), gave(c, 9, 10, comment="!")), ["twice_high", "high_with_words"]),
    ("twice and then 8", lambda c: (gave(c, 9, 30), gave(c, 9, 20), gave(c, 8, 10)), []),
    ("9, 8, 9", lambda c: (gave(c, 9, 30), gave(c, 8, 20), gave(c, 9, 10)), []),
    ("too long ago", lambda c: gave(c, 9, 366, comment="Great"), []),
    ("a machine", lambda c: gave(c, 9, 10, comment="Great", is_suspected=True), []),
    ("overdue", lambda c: (gave(c, 9, 10, comment="Great"), case(c, "new", due=1)), []),
    ("lost since", lambda c: (gave(c, 9, 10, comment="Great"), case(c, "lost", closed=1)), []),
    ("lost before", lambda c: (gave(c, 9, 10, comment="Great"), case(c, "lost", closed=20)), ["high_with_words"]),
]  # fmt: skip


@pytest.mark.usefixtures("survey")
def test_each_sign_of_an_advocate_puts_a_contact_on_the_list_and_its_opposite_does_not() -> None:
    for name, happens, _codes in ADVOCATES:
        happens(factories.ContactFactory(name=name))
    told = reasons.read_advocates(list(people.advocates(now=NOW)), now=NOW)
    assert {one.contact.name: [reason.code for reason in one.reasons] for one in told} == {
        name: codes for name, _happens, codes in ADVOCATES if codes
    }
    only = {row.contact.name for row in people.advocates(now=NOW, reason="twice_high") if row.contact}
    assert only == {"twice", "twice with words"}


SILENT: list[tuple[str, Callable[[Contact], object], int]] = [
    ("twice", lambda c: (asked(c, 30), asked(c, 20)), 2),
    ("once", lambda c: asked(c, 30), 0),
    ("mailed and shown", lambda c: (asked(c, 30, status="sent"), asked(c, 20, shown=True)), 2),
    ("one bounced", lambda c: (asked(c, 30), asked(c, 20, status="bounced")), 0),
    ("one just now", lambda c: (asked(c, 30), asked(c, 3)), 0),
    ("twice, and just now", lambda c: (asked(c, 40), asked(c, 30), asked(c, 3)), 2),
    ("one long ago", lambda c: (asked(c, 366), asked(c, 20)), 0),
    ("answered once, long ago", lambda c: (asked(c, 30), asked(c, 20), gave(c, 5, 900)), 0),
    ("a machine answered", lambda c: (asked(c, 30), asked(c, 20), gave(c, 5, 19, is_suspected=True)), 2),
    ("used the link", lambda c: (asked(c, 30, used_on=ago(29).date()), asked(c, 20), asked(c, 15)), 0),
]  # fmt: skip


@pytest.mark.usefixtures("survey")
def test_silent_are_those_who_were_asked_twice_and_never_answered() -> None:
    for name, happens, _asks in SILENT:
        happens(factories.ContactFactory(name=name))
    told = reasons.read_silent(list(people.silent(now=NOW)), now=NOW)
    assert {one.contact.name: one.reasons[0].number for one in told} == {n: asks for n, _h, asks in SILENT if asks}


def test_what_was_decided_long_ago_and_sent_yesterday_may_still_be_answered(survey: Survey) -> None:
    contact = factories.ContactFactory()
    for days in (40, 30):
        asked(contact, days)
    Invitation.objects.filter(created_at=ago(40)).update(send_at=ago(12))
    (person,) = reasons.read_silent(list(people.silent(now=NOW)), now=NOW)
    assert person.at == ago(30)
    Invitation.objects.filter(created_at=ago(30)).update(send_at=ago(10))
    (person,) = reasons.read_silent(list(people.silent(now=NOW)), now=NOW)
    assert (person.at, person.reasons[0].at) == (ago(10), ago(10))
    Invitation.objects.filter(created_at=ago(30)).update(send_at=ago(1))
    assert not people.silent(now=NOW)


def test_reasons_are_told_with_their_figures_and_the_most_urgent_come_first(survey: Survey) -> None:
    worst, middle, least = (factories.ContactFactory(name=name) for name in ("worst", "middle", "least"))
    gave(worst, 9, 40)
    gave(worst, 5, 20)
    case(worst, "new", due=4)
    case(worst, "lost", closed=10)
    gave(middle, 3, 15)
    gave(least, 6, 1)
    rows = list(people.at_risk(now=NOW).order_by("-urgency"))
    told = reasons.read_at_risk(rows, now=NOW)
    assert [(one.contact.name, one.weight) for one in told] == [("worst", 9), ("middle", 3), ("least", 2)]
    assert [sentence(reason) for reason in told[0].reasons] == [
        "case overdue 4 days", "gave 5 on 12 May 2026 at “Order received”", "fell from 9 to 5",
        "case lost on 22 May 2026",
    ]  # fmt: skip
    assert [one.action for one in told] == ["work_on_case", "open_case", "open_case"]


def test_the_next_action_is_another_where_we_may_not_write(survey: Survey) -> None:
    phones = {"a": "", "b": "+4917012345678", "c": ""}
    people_ = [factories.ContactFactory(name=n, email=f"{n}@x.example", phone=phone) for n, phone in phones.items()]
    for contact in people_[1:]:
        suppressions.suppress(emails=[contact.email], reason="unsubscribed", source="t", now=NOW)
    for contact in people_:
        gave(contact, 2, 10)
    told = {one.contact.name: one for one in reasons.read_at_risk(list(people.at_risk(now=NOW)), now=NOW)}
    assert {name: (one.action, one.blocked) for name, one in told.items()} == {
        "a": ("open_case", ""), "b": ("call", "unsubscribed"), "c": ("nothing", "unsubscribed"),
    }  # fmt: skip
    Response.objects.update(score=10, comment="Great")
    happy = {one.contact.name: one.action for one in reasons.read_advocates(list(people.advocates(now=NOW)), now=NOW)}
    assert happy == {"a": "ask_for_review", "b": "thank_by_call", "c": "nothing"}
    Response.objects.all().delete()
    for contact in people_:
        asked(contact, 30)
        asked(contact, 20)
    quiet = {one.contact.name: one for one in reasons.read_silent(list(people.silent(now=NOW)), now=NOW)}
    assert {name: one.action for name, one in quiet.items()} == {"a": "other_time", "b": "nothing", "c": "nothing"}
    assert sentence(quiet["a"].reasons[0]) == "2 invitations unanswered, last asked on 12 May 2026"
    assert all(next_action(one) for one in quiet.values())


def test_random_histories_give_what_plain_python_gives(survey: Survey) -> None:
    dice = random.Random(8)
    contacts = Contact.objects.bulk_create(Contact(name=str(n), external_id=str(n)) for n in range(150))
    rows = [
        Response(
            survey=survey,
            contact=contact,
            score=dice.choice([None, 2, 5, 6, 7, 8, 9, 9, 10, 10]),
            answered_at=(at := ago(dice.choice([1, 2, 2, 50, 364, 366, 400]))),
            updated_at=at,
            comment=dice.choice(["", "x"]),
            is_suspected=dice.random() < 0.2,
        )
        for contact in contacts
        for _ in range(dice.randrange(6))
    ]
    Response.objects.bulk_create(rows)
    histories = {contact.name: [row for row in rows if row.contact == contact] for contact in contacts}
    risk, fine = set(), set()
    for name, history in histories.items():
        told = [row for row in history if row.score is not None and not row.is_suspected]
        told.sort(key=lambda row: (row.answered_at, row.pk))
        if not told or told[-1].answered_at < ago(365):
            continue
        last, before = told[-1].score, told[-2].score if len(told) > 1 else None
        assert last is not None
        if last <= 6 or (last <= 8 and before is not None and before - last >= 3):
            risk.add(name)
        if last >= 9 and ((before is not None and before >= 9) or told[-1].comment):
            fine.add(name)
    assert min(len(risk), len(fine)) > 10
    found = [row.contact.name for row in people.at_risk(now=NOW) if row.contact]
    assert (set(found), len(found)) == (risk, len(risk))
    happy = [row.contact.name for row in people.advocates(now=NOW) if row.contact]
    assert (set(happy), len(happy)) == (fine, len(fine))


def test_reading_a_page_costs_as_many_queries_for_one_row_as_for_many(survey: Survey) -> None:
    def cost() -> tuple[int, ...]:
        numbers = []
        for standing, found in (
            ("at_risk", people.at_risk), ("advocate", people.advocates), ("silent", people.silent)
        ):  # fmt: skip
            with CaptureQueriesContext(connection) as captured:
                told = reasons.READERS[standing](list(found(now=NOW)), now=NOW)
                assert all(sentence(reason) for one in told for reason in one.reasons)
            numbers.append(len(captured))
        return tuple(numbers)

    def add(number: int) -> None:
        for _ in range(number):
            low, high, quiet = (factories.ContactFactory() for _ in range(3))
            gave(low, 2, 10)
            case(low, "new", due=1)
            gave(high, 9, 10, comment="x")
            asked(quiet, 30)
            asked(quiet, 20)

    add(1)
    few = cost()
    add(5)
    assert cost() == few == (3, 2, 1)  # and one for blocked addresses, past Django's log
