from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.cases import services
from apps.cases.models import Case, CaseMail, CaseNote, CasePolicy, CaseRule, Outcome, RootCause
from apps.cases.services import Changes
from apps.contacts.models import BusinessCalendar
from apps.messaging.suppressions import suppress
from apps.responses.models import Response
from tests.workspace.conftest import story
from tests.workspace.test_cases import cases_of, messages_of


@pytest.fixture
def case(setup: SimpleNamespace, now: datetime) -> Case:
    """An open case of Kim's, two days old."""
    return cases_of(setup, now - timedelta(days=2), Kim={"comment": "Too slow."})["Kim"]


def url_of(case: Case) -> str:
    return reverse("workspace:case", args=[case.pk])


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_a_case_is_opened_once_from_a_response_and_is_theirs_who_open_it(
    client: Client, user: User, setup: SimpleNamespace, now: datetime
) -> None:
    response = story(setup, 1, now)
    Case.objects.all().delete()
    url = reverse("workspace:open_case", args=[response.pk])
    assert client.get(url).status_code == 405
    first, second = client.post(url), client.post(url)
    assert first.headers["Location"] == second.headers["Location"]
    assert Case.objects.get().owner == user


def test_everything_that_was_said_and_done_stands_there_in_the_order_of_time(
    client: Client, user: User, case: Case, setup: SimpleNamespace, now: datetime
) -> None:
    at = case.opened_at
    rule = CaseRule.objects.create(name="Angry ones")
    Case.objects.filter(pk=case.pk).update(rule=rule)
    cause = RootCause.objects.create(name={"en": "Carrier"})

    def later(hours: int) -> datetime:
        return at + timedelta(hours=hours)

    services.change(
        case_id=case.pk, revision=None, changes=Changes(owner_id=user.pk, is_urgent=True, root_cause_id=cause.pk),
        by=user, now=later(1),
    )  # fmt: skip
    services.add_note(case_id=case.pk, text="Ring <b>him</b> up", by=user, now=later(2))
    further = story(setup, 7, later(3), score=1, comment="Still waiting!")
    Case.objects.filter(response=further).delete()
    Response.objects.filter(pk=further.pk).update(contact=case.contact)
    case.refresh_from_db()
    services.open_by_rules(responses=[Response.objects.get(pk=further.pk)], now=later(4))
    services.change(
        case_id=case.pk, revision=None, changes=Changes(status="contacted", due_at=later(100)), by=None, now=later(5)
    )
    page = client.get(url_of(case))
    kinds = [entry.kind for entry in page.context["entries"]]
    assert kinds == ["response", "change", "change", "note", "response", "change"]
    text = text_of(page)
    parts = ["Too slow.", "Opened by the rule “Angry ones”", "Owner: nobody", "cx", "Marked urgent", "Carrier",
             "Ring &lt;b&gt;him&lt;/b&gt; up", "Still waiting!", "Status: new",
             "contacted", "How fast were we?"]  # fmt: skip
    for part in parts:
        assert part in text, part
    assert text.index("Too slow.") < text.index("Ring &lt;b&gt;") < text.index("Still waiting!")


def test_due_times_are_explained_by_the_hours_of_work(client: Client, case: Case) -> None:
    CasePolicy.objects.create(pk=1, hours=[{"days": [0, 1, 2, 3, 4], "from": "08:00", "to": "16:30"}])
    assert "Mon–Fri 08:00–16:30 (UTC)" in text_of(client.get(url_of(case)))


def form_of(client: Client, case: Case) -> dict[str, str]:
    """What a browser would post if nobody touched anything."""
    form = client.get(url_of(case)).context["form"]
    due = timezone.localtime(case.due_at).replace(second=0, microsecond=0)
    values = {
        "status": case.status, "owner": str(case.owner_id or ""), "due_at": due.strftime("%Y-%m-%dT%H:%M"),
        "initial-status": case.status, "initial-owner": str(case.owner_id or ""),
        "initial-due_at": due.strftime("%Y-%m-%d %H:%M:%S"), "initial-is_urgent": str(case.is_urgent),
    }  # fmt: skip
    return values | {"revision": str(form["revision"].value()), "do": "save"}


def test_saving_changes_only_what_was_touched(client: Client, user: User, case: Case) -> None:
    before = case.due_at
    values = form_of(client, case)
    assert client.post(url_of(case), values | {"owner": str(user.pk), "is_urgent": "on"}).status_code == 302
    case.refresh_from_db()
    assert (case.owner, case.is_urgent, case.status, case.due_at) == (user, True, "new", before)
    for wrong in ({"status": "burnt"}, {"owner": "99999"}, {"due_at": "soon"}, {"revision": "x"}):
        assert client.post(url_of(case), form_of(client, case) | wrong).status_code == 422, wrong
    for nonsense in ({}, {"do": "burn"}):
        assert client.post(url_of(case), nonsense).status_code == 400


def test_who_changes_what_somebody_else_just_changed_sees_both_and_loses_nothing(
    client: Client, user: User, case: Case, now: datetime
) -> None:
    ada = User.objects.create(username="ada", first_name="Ada")
    values = form_of(client, case) | {"owner": str(user.pk)}
    services.change(
        case_id=case.pk, revision=None, changes=Changes(owner_id=ada.pk, status="contacted"), by=ada, now=now
    )
    answer = client.post(url_of(case), values)
    assert answer.status_code == 409
    assert [(side.label, side.now, side.typed) for side in answer.context["sides"]] == [("Owner", "Ada", "cx")]
    case.refresh_from_db()
    assert case.owner == ada
    # Saving the same page again is on top of what stands there now; the status that nobody touched stays.
    form = answer.context["form"]
    again = {name: form[name].value() for name in ("status", "owner", "due_at", "revision")}
    again |= {f"initial-{name}": form.data[f"initial-{name}"] for name in ("status", "owner", "due_at", "is_urgent")}
    assert client.post(url_of(case), {**again, "do": "save"}).status_code == 302
    case.refresh_from_db()
    assert (case.owner, case.status) == (user, "contacted")
    # The same for who closes it: the words are kept.
    stale = {"do": "close", "status": "lost", "outcome": "He left us.", "revision": "0"}
    answer = client.post(url_of(case), stale)
    assert answer.status_code == 409
    assert "He left us.</textarea>" in answer.content.decode()
    assert str(case.revision) == answer.context["close_form"]["revision"].value()


def test_closing_needs_words_or_an_outcome_and_can_be_taken_back(client: Client, case: Case) -> None:
    result = Outcome.objects.create(name={"en": "Refunded"})
    Outcome.objects.create(name={"en": "Not offered any more"}, is_active=False)
    url = url_of(case)
    assert "Not offered any more" not in text_of(client.get(url))
    answer = client.post(url, {"do": "close", "status": "solved", "outcome": " ", "revision": "0"})
    assert answer.status_code == 422
    assert "Say how it ended first" in text_of(answer)
    answer = client.post(url, {"do": "close", "status": "solved", "result": str(result.pk), "revision": "0"})
    assert answer.status_code == 302
    case.refresh_from_db()
    assert (case.status, case.result) == ("solved", result)
    assert "Correct how it ended" in text_of(client.get(url))
    client.post(url, {"do": "close", "status": "lost", "outcome": "Left after all.", "revision": str(case.revision)})
    case.refresh_from_db()
    assert (case.status, case.outcome, case.result) == ("lost", "Left after all.", None)
    client.post(url, {"do": "reopen"})
    case.refresh_from_db()
    assert (case.status, case.closed_at) == ("contacted", None)


def test_one_click_takes_it_or_says_that_the_contact_was_heard(client: Client, user: User, case: Case) -> None:
    assert messages_of(client.post(url_of(case), {"do": "take"}, follow=True)) == ["Case saved."]
    client.post(url_of(case), {"do": "contacted"})
    case.refresh_from_db()
    assert (case.owner, case.status) == (user, "contacted")
    assert case.first_contact_at is not None


@pytest.mark.parametrize("due", ["0001-01-01T00:30", "9999-12-31T23:30"])
def test_a_due_time_that_pages_could_not_show_by_every_clock_is_refused(client: Client, case: Case, due: str) -> None:
    for clock in ("America/New_York", "Europe/Berlin"):
        BusinessCalendar.objects.update_or_create(pk=1, defaults={"time_zone": clock})
        typed = {**form_of(client, case), "do": "save", "due_at": due}
        many = {"do": "bulk", "action": "due", "due_at": due, "case": [str(case.pk)]}
        assert (client.post(url_of(case), typed).status_code, client.post("/cases/", many).status_code) == (422, 422)
        assert client.get("/cases/").status_code == 200


def test_one_click_on_an_old_page_does_not_open_what_was_closed_meanwhile(client: Client, case: Case) -> None:
    done = Changes(status=Case.Status.SOLVED, outcome="Refunded.")
    services.change(case_id=case.pk, revision=None, changes=done, by=None, now=timezone.now())
    said = messages_of(client.post(url_of(case), {"do": "contacted"}, follow=True))
    case.refresh_from_db()
    assert (case.status, case.closed_at is None) == ("solved", False)
    assert said == ["It was closed meanwhile. Reopen it if it is not done."]


def test_a_note_mentions_colleagues_and_an_empty_one_is_refused(client: Client, user: User, case: Case) -> None:
    ada = User.objects.create(username="ada", first_name="Ada", last_name="Byron")
    ada.user_permissions.add(Permission.objects.get(codename="view_case"))
    assert 'data-name="Ada Byron"' in client.get(url_of(case)).content.decode()
    answer = client.post(url_of(case), {"do": "note", "text": "Please look, @Ada Byron"})
    note = CaseNote.objects.get()
    assert answer.headers["Location"] == f"{url_of(case)}#entry-{note.pk}"
    assert (note.author, list(note.mentions.all())) == (user, [ada])
    assert client.post(url_of(case), {"do": "note", "text": "  "}).status_code == 422


def test_other_cases_of_the_contact_go_into_it_and_lead_there(
    client: Client, case: Case, setup: SimpleNamespace, now: datetime
) -> None:
    other = story(setup, 5, now, comment="And again").case
    stranger = story(setup, 6, now).case
    Case.objects.filter(pk=other.pk).update(contact=case.contact)
    url = url_of(case)
    assert [row.pk for row in client.get(url).context["mergeable"]] == [other.pk]
    for wrong in ([], [str(stranger.pk)], ["nonsense"], [str(case.pk)]):
        assert client.post(url, {"do": "merge", "other": wrong}).status_code == 422, wrong
    answer = client.post(url, {"do": "merge", "other": [str(other.pk)]}, follow=True)
    assert messages_of(answer) == ["1 case went into this one."]
    assert "And again" in text_of(answer)
    for gone in (client.get(url_of(other)), client.post(url_of(other), {"do": "take"})):
        assert gone.headers["Location"] == url
    page = client.get(reverse("workspace:contact", args=[case.contact_id])).content.decode()
    assert url in page
    assert url_of(other) not in page


def test_an_anonymous_answer_shows_neither_name_nor_hour(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    setup.survey.is_anonymous = True
    setup.survey.save()
    for number in range(5):
        response = story(setup, number, now)
        Response.objects.filter(pk=response.pk).update(contact=None)
        Case.objects.filter(response=response).update(contact=None)
    page = client.get(url_of(Case.objects.latest("pk")))
    assert "Anonymous" in text_of(page)
    assert "Kim" not in text_of(page)
    assert now.isoformat() not in page.content.decode().partition("talk-change")[0]
    assert client.get("/cases/").status_code == client.get("/cases/board/").status_code == 200


def test_a_case_costs_a_fixed_number_of_queries(
    queries_of: Callable[[str], int], user: User, case: Case, now: datetime
) -> None:
    url = url_of(case)
    few = queries_of(url)
    for number in range(5):
        services.add_note(case_id=case.pk, text=f"Note {number}", by=user, now=now)
        services.change(case_id=case.pk, revision=None, changes=Changes(is_urgent=number % 2 == 0), by=user, now=now)
    assert queries_of(url) == few
    # Session, user, case; people, outcomes, causes; whether a mail may be written (2), its look (2), the last mail; the
    # contact's cases and answers; answers, questions and thanks; merged ones, changes, notes, mails; policy, calendar.
    assert few == 22


def test_a_mail_to_the_contact_is_written_on_the_page_and_stands_there(client: Client, user: User, case: Case) -> None:
    user.first_name, user.last_name = "Ada", "Byron"
    user.save()
    page = client.get(url_of(case))
    assert "from “Ada Byron from" in text_of(page)
    values = {"do": "mail", "subject": "Your parcel", "body": "Dear Kim,\n\nI looked into it."}
    assert client.post(url_of(case), values | {"body": " "}).status_code == 422
    answer = client.post(url_of(case), values)
    mail = CaseMail.objects.get()
    assert answer.headers["Location"] == f"{url_of(case)}#entry-{mail.pk}"
    assert (mail.author, mail.subject) == (user, "Your parcel")
    text = text_of(client.get(url_of(case)))
    assert "I looked into it." in text
    assert reverse("workspace:email", args=[mail.email_id]) in text
    case.refresh_from_db()
    assert case.status == "contacted"


def test_who_must_not_be_written_to_is_not_and_the_page_says_why(client: Client, case: Case, now: datetime) -> None:
    assert case.contact is not None
    suppress(emails=[case.contact.email or ""], reason="bounced", source="test", now=now)
    page = client.get(url_of(case))
    assert "a former one came back" in text_of(page)
    assert 'value="mail">' not in text_of(page).replace('id="write-mail" value="mail">', "")
    answer = client.post(url_of(case), {"do": "mail", "subject": "Hello", "body": "Words that took time."})
    assert answer.status_code == 422
    assert not CaseMail.objects.exists()
