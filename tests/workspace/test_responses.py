"""What was asked and answered, whether a human did, and who may know."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.campaigns.services import enrol
from apps.contacts.models import LegalBasis
from apps.insights.figures import score
from apps.insights.slices import Period, Slice
from apps.responses.models import Response
from apps.responses.services import Origin, Submission, ask_for_call_back, submit, submit_openly
from apps.responses.suspicion import CODES
from apps.surveys import versions
from apps.surveys.models import Invitation, Question, Survey
from apps.workspace import asked
from apps.workspace.wording import SUSPICIONS
from tests import factories
from tests.workspace.conftest import story

LIST = "/responses/"


def url(response: Response, name: str = "response") -> str:
    return reverse(f"workspace:{name}", args=[response.pk])


def invite(survey: Survey, name: str = "Ada") -> Invitation:
    contact, now = factories.ContactFactory(name=name), timezone.now()
    LegalBasis.objects.create(contact=contact, kind="consent", source="test", granted_at=now)
    return Invitation.objects.create(
        survey=survey, contact=contact, touchpoint=factories.TouchpointFactory(), reason=f"test:{contact.pk}",
        status="queued", send_at=now, give_up_at=now, created_at=now,
    )  # fmt: skip


def say(survey: Survey, answers: dict[str, Any], name: str = "Ada", **how: Any) -> Response:
    """Somebody of that name answers."""
    submission = Submission(answers, **how)
    return submit(invitation_id=invite(survey, name).pk, submission=submission, now=timezone.now())


def text_of(client: Client, address: str) -> str:
    """A page's words without its markup."""
    html = client.get(address).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.fixture
def survey(tenant: Any) -> Survey:
    """Every kind of question."""
    made = factories.SurveyFactory()
    rows: list[dict[str, Any]] = [
        {"key": "again", "kind": "yes_no", "text": {"en": "Would you buy again?", "de": "Wieder kaufen?"}},
        {"key": "news", "kind": "opt_in", "text": {"en": "May we write to you?"}},
        {"key": "ease", "kind": "scale", "low": 0, "high": 10, "text": {"en": "How easy was it?"}},
        {"key": "wish", "kind": "text", "text": {"en": "What do you wish for?"}},
        {"key": "why", "kind": "single", "text": {"en": "What was it about?"}},
        {"key": "parts", "kind": "multiple", "text": {"en": "What was missing?"}},
    ]
    options = [{"key": "late", "text": {"en": "Too late", "de": "Zu spät"}}, {"key": "lid", "text": {"en": "The lid"}}]
    for place, row in enumerate(rows, 3):
        choices = options if row["kind"] in {"single", "multiple"} else []
        Question.objects.create(survey=made, position=place, options=choices, **row)
    versions.publish(survey_id=made.pk, now=timezone.now())
    return made


ALL = {"nps": 3, "comment": "Broken", "delivery": 4, "again": False, "news": True, "ease": 7, "wish": "More colours",
       "why": "late", "parts": ["late", "lid"]}  # fmt: skip


def test_every_kind_of_answer_is_told_in_words(client: Client, survey: Survey) -> None:
    page = text_of(client, url(say(survey, ALL)))
    for words in (
        "recommend us? 3 of 10", "What went wrong? Broken", "Delivery time 4 of 5", "Would you buy again? No",
        "May we write to you? Yes", "How easy was it? 7 of 10", "What do you wish for? More colours",
        "What was it about? Too late", "What was missing? Too late, The lid", "Channel E-mail",
    ):  # fmt: skip
        assert words in page, words


def test_what_was_asked_then_is_shown_whatever_is_asked_now(client: Client, survey: Survey) -> None:
    response = say(survey, ALL)
    survey.questions.update(text={"en": "Something else"}, text_detractor={}, options=[])
    versions.publish(survey_id=survey.pk, now=timezone.now())
    page = text_of(client, url(response))
    assert "What went wrong? Broken" in page
    assert "What was missing? Too late, The lid" in page
    assert "Something else" not in page
    Response.objects.update(version=None)
    assert "Something else Broken" in text_of(client, url(response)), "nobody noted what was asked"


def test_questions_are_told_in_the_readers_language_as_far_as_they_are_written(client: Client, survey: Survey) -> None:
    response = say(survey, ALL)
    client.post("/i18n/setlang/", {"language": "de", "next": "/"})
    page = text_of(client, url(response))
    for words in ("Was lief schief? Broken", "Wieder kaufen?", "What was it about? Zu spät", "Zu spät, The lid"):
        assert words in page, words


def test_an_answer_to_a_question_that_is_gone_is_still_told(
    client: Client, setup: SimpleNamespace, now: datetime
) -> None:
    response = story(setup, 1, now, comment="Hm.")
    setup.rating.is_retired = True
    setup.rating.save()
    page = text_of(client, url(response))
    assert "How fast were we? 2 of 5" in page
    assert "Comment Hm." in page


def test_what_is_still_open_or_was_skipped_is_said(client: Client, survey: Survey) -> None:
    response = say(survey, {"again": True}, is_partial=True)
    page = text_of(client, url(response))
    assert "recommend us? still open" in page
    assert "No score" in page
    assert "partial" in page
    Response.objects.update(is_partial=False)
    assert "recommend us? not answered" in text_of(client, url(response))


def test_properties_channel_and_the_wish_to_be_called_are_shown(client: Client, survey: Survey) -> None:
    origin = Origin(survey.pk, "token", properties={"store": "Graz <b>"})
    response = submit_openly(origin=origin, submission=Submission({"nps": 9}, channel="kiosk"), now=timezone.now())
    ask_for_call_back(response_id=response.pk, call_back="0316 / 123 after 5", now=timezone.now())
    page = text_of(client, url(response))
    for words in ("Channel Kiosk", "store Graz &lt;b&gt;", "Asked to be called back: 0316 / 123 after 5"):
        assert words in page, words
    assert "call back" in text_of(client, LIST)
    assert "kiosk" in text_of(client, LIST)


def test_the_history_tells_what_was_said_before_and_what_was_not_taken_over(client: Client, survey: Survey) -> None:
    invitation, now = invite(survey), timezone.now()
    submit(invitation_id=invitation.pk, submission=Submission({"nps": 9, "again": True}), now=now)
    submit(
        invitation_id=invitation.pk, submission=Submission({"nps": 2, "again": False}), now=now + timedelta(minutes=1)
    )
    machine = Submission({"nps": 6, "comment": "spam"}, suspicions=["trap", "agent"])
    response = submit(invitation_id=invitation.pk, submission=machine, now=now + timedelta(minutes=2))
    assert (response.score, response.is_suspected) == (2, False)
    page = text_of(client, url(response))
    history = page[page.index("History") :]
    assert re.search(r"9 Promoter .*Would you buy again\? Yes", history)
    assert re.search(r"6 Detractor spam .*not taken over", history)
    assert str(SUSPICIONS["trap"]) in history
    assert str(SUSPICIONS["agent"]) in history


def test_every_suspicion_has_a_sentence(client: Client, survey: Survey) -> None:
    assert set(SUSPICIONS) == set(CODES)
    page = text_of(client, url(say(survey, {"nps": 9}, suspicions=list(CODES))))
    for code in CODES:
        sentence = str(SUSPICIONS[code])
        assert sentence.replace("'", "&#x27;") in page, code


def names(client: Client, **query: str) -> list[str]:
    rows = client.get(LIST, query).context["page"].rows
    return sorted(row.contact.name for row in rows)


def test_the_list_leaves_suspected_answers_out_but_counts_them(client: Client, survey: Survey) -> None:
    say(survey, {"nps": 9}, "Human")
    assert "suspected=yes" not in client.get(LIST).content.decode()
    for number in range(3):
        say(survey, {"nps": 0}, f"Machine {number}", suspicions=["no_page"])
    assert names(client) == ["Human"]
    page = client.get(LIST).content.decode()
    assert re.search(r'href="\?suspected=yes"[^>]*>.*?3 suspected\s*</a>', page, re.DOTALL)
    assert names(client, suspected="yes") == ["Machine 0", "Machine 1", "Machine 2"]
    assert len(names(client, suspected="all")) == 4
    assert names(client, segment="promoter", suspected="all") == ["Human"]
    assert "3 suspected" not in text_of(client, f"{LIST}?segment=promoter"), "the count goes by the other filters"
    assert re.search(r"No comment Machine 0 .*suspected", text_of(client, f"{LIST}?suspected=yes"))


def test_responses_are_found_by_what_is_special_about_them(client: Client, survey: Survey) -> None:
    say(survey, {"nps": 9}, "Ada")
    say(survey, {"again": True}, "Bob", is_partial=True)
    say(survey, {"nps": 2}, "Cem", channel="embed")
    assert names(client, segment="none") == ["Bob"]
    assert names(client, partial="yes") == ["Bob"]
    assert names(client, partial="no") == ["Ada", "Cem"]
    assert names(client, channel="embed") == ["Cem"]
    assert re.search(r"– No score No comment Bob .*partial", text_of(client, LIST))


def test_a_judgement_counts_follows_up_and_can_be_taken_back(client: Client, user: User, survey: Survey) -> None:
    response = say(survey, {"nps": 9}, suspicions=["no_page"])

    def judge(by: str) -> tuple[int, str, int]:
        answer = client.post(url(response, "judge"), {"by": by})
        assert answer.headers["Location"] == url(response)
        response.refresh_from_db()
        period = Period.last(30, today=timezone.now().date())
        counted = score(wanted=Slice(), period=period, now=timezone.now()).n
        return counted, response.judged_by, len(names(client))

    assert "A machine probably gave this response" in text_of(client, url(response))
    assert judge("human") == (1, "cx", 1)
    assert "Judged a human's by cx." in text_of(client, url(response))
    assert enrol(now=timezone.now()) == 1
    assert judge("machine") == (0, "cx", 0)
    assert "Judged a machine's by cx." in text_of(client, url(response))
    assert judge("human") == (1, "cx", 1)


def test_a_human_looking_answer_can_be_called_a_machines(client: Client, survey: Survey) -> None:
    response = say(survey, {"nps": 9})
    assert "This was a machine" in text_of(client, url(response))
    client.post(url(response, "judge"), {"by": "machine"})
    page = text_of(client, url(response))
    assert "A machine gave this response" in page
    assert "This was a human" in page


def test_only_a_signed_in_human_with_a_token_judges(client: Client, user: User, survey: Survey) -> None:
    response = say(survey, {"nps": 9}, suspicions=["no_page"])
    assert client.get(url(response, "judge")).status_code == 405
    assert client.post(url(response, "judge"), {"by": "a dog"}).status_code == 400
    strict = Client(enforce_csrf_checks=True, headers={"host": "nordwind.resonanz.test"})
    strict.force_login(user)
    assert strict.post(url(response, "judge"), {"by": "human"}).status_code == 403
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', strict.get(url(response)).content.decode())[0]
    assert strict.post(url(response, "judge"), {"by": "human", "csrfmiddlewaretoken": token}).status_code == 302
    response.refresh_from_db()
    assert not response.is_suspected


def test_suspected_comments_are_not_on_the_dashboard(client: Client, survey: Survey) -> None:
    say(survey, {"nps": 9, "comment": "Lovely"})
    say(survey, {"nps": 0, "comment": "Robotic"}, suspicions=["no_page"])
    page = text_of(client, "/")
    assert "Lovely" in page
    assert "Robotic" not in page


def test_marks_cost_no_queries_per_row(queries_of: Callable[[str], int], survey: Survey) -> None:
    say(survey, {"nps": 1}, suspicions=["trap"], is_partial=True)
    few = queries_of(f"{LIST}?suspected=all")
    for _number in range(9):
        say(survey, {"nps": 1}, suspicions=["trap"], is_partial=True, channel="link")
    assert queries_of(f"{LIST}?suspected=all") == few


def test_a_yes_is_not_taken_for_a_number() -> None:
    question = asked.Question("again", "yes_no", {"en": "Again?"})
    assert asked.tell(question, True) == asked.Told("Again?", "Yes", "yes_no", [])
