"""One answer however it is sent; what is open, closed, anonymous or not allowed."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from apps.common.models import AgendaItem
from apps.contacts.models import Outreach
from apps.integrations.models import Delivery, Endpoint
from apps.responses import keeping, tickets
from apps.responses.models import Answer, Response, Revision, ScoreChange
from apps.responses.tickets import Ticket
from apps.surveys import versions
from apps.surveys.models import Invitation, Question, Survey, Theme, Website
from apps.touchpoints.models import Stage, Touchpoint
from tests import factories
from tests.responses.asking import browser, human, invited

inside = pytest.mark.usefixtures("tenant")
OTHER = "klarwerk.resonanz.test"


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    cache.clear()


def public_survey(**values: Any) -> Survey:
    factories.theme()
    survey = factories.SurveyFactory()
    Survey.objects.filter(pk=survey.pk).update(**{"is_public": True, "public_properties": ["store"], **values})
    versions.publish(survey_id=survey.pk, now=timezone.now())
    survey.refresh_from_db()
    return survey


def ticket_for(survey: Survey, **values: Any) -> str:
    made = {"channel": "link", "made_at": timezone.now() - timedelta(seconds=20), **values}
    return tickets.write_ticket(Ticket(survey.pk, None, {"store": "Kiel"}, **made))


@inside
def test_partial_answers_are_kept_and_marked_until_the_rest_comes() -> None:
    link = invited()
    first = browser().post(link, human(score="6", comment="So so", p="0"))
    assert first["Location"].startswith(f"{link}?")
    assert "page=1" in first["Location"]
    response = Response.objects.get()
    assert response.is_partial
    assert response.follow_up_at
    assert response.follow_up_at > timezone.now() + timedelta(minutes=15)
    done = browser().post(link, human(p="1", **{"q-delivery": "2"}))
    assert "/thanks" in done["Location"]
    response.refresh_from_db()
    assert (response.is_partial, response.score, response.comment) == (False, 6, "So so")
    assert response.follow_up_at
    assert response.follow_up_at <= timezone.now()
    assert Answer.objects.get().value == 2


@inside
def test_a_draft_saves_the_score_and_no_words() -> None:
    link = invited()
    assert browser().post(link, human(score="6", comment="not sent", save="1")).status_code == 204
    response = Response.objects.get()
    assert (response.score, response.comment, response.is_partial) == (6, "", True)


@inside
def test_a_skipped_score_is_no_answer() -> None:
    link = invited()
    Question.objects.filter(kind="nps").update(is_required=False)
    browser().post(link, human(comment="No number from me"))
    response = Response.objects.get()
    assert (response.score, response.comment) == (None, "No number from me")
    assert not ScoreChange.objects.exists()


@inside
def test_satisfaction_is_no_recommendation() -> None:
    survey = factories.SurveyFactory(key="csat", questions=[])
    survey.questions.all().delete()
    lead = Question.objects.create(survey=survey, key="mood", kind="csat", style="stars", text={"en": "Happy?"})
    link = invited(survey=survey)
    browser().post(link, human(**{"q-mood": "5"}))
    assert Response.objects.get().score is None
    assert Answer.objects.get(question=lead).value == 5
    assert not ScoreChange.objects.exists()


@inside
def test_a_closed_survey_takes_no_answer_and_no_change() -> None:
    link = invited()
    browser().post(link, human(score="9"))
    for closing in ({"is_active": False}, {"closes_at": timezone.now() - timedelta(seconds=1)},
                    {"archived_at": timezone.now()}):  # fmt: skip
        Survey.objects.update(is_active=True, closes_at=None, archived_at=None)
        assert browser().get(link).status_code == 200
        Survey.objects.update(**closing)
        assert browser().get(link).status_code == 410
        assert browser().post(link, human(score="1")).status_code == 410
    assert Response.objects.get().score == 9
    assert browser().get(f"{link}/thanks").status_code == 200


@inside
def test_old_answers_keep_the_questions_they_were_given_to() -> None:
    survey = factories.SurveyFactory()
    versions.publish(survey_id=survey.pk, now=timezone.now())
    link = invited(survey=survey)
    browser().post(link, human(score="9"))
    survey.questions.filter(kind="nps").update(text={"en": "Something else?"})
    second = versions.publish(survey_id=survey.pk, now=timezone.now())
    assert second.number == 2
    response = Response.objects.get()
    assert response.version
    assert response.version.definition["questions"][0]["text"]["en"] == "How likely are you to recommend us?"
    assert "How likely are you" in browser().get(link).content.decode()
    assert "Something else?" in browser().get(invited(survey=survey)).content.decode()
    assert versions.publish(survey_id=survey.pk, now=timezone.now()) == second


@inside
def test_an_anonymous_answer_leads_to_nobody() -> None:
    survey = factories.SurveyFactory()
    Survey.objects.update(is_anonymous=True)
    versions.publish(survey_id=survey.pk, now=timezone.now())
    link = invited(survey=survey)
    first = browser().post(link, human(score="2", comment="Secret"))
    own = first["Location"].split("?")[0]
    assert own != link
    response, invitation = Response.objects.get(), Invitation.objects.get()
    assert (response.contact_id, response.invitation_id, response.follow_up) == (None, None, "none")
    assert (response.id.version, response.answered_at.hour, response.answered_at.microsecond) == (4, 0, 0)
    assert bytes(response.token_hash or b"") != bytes(invitation.token_hash or b"")
    assert invitation.used_on == timezone.now().date()
    assert "answered already" in browser().get(link).content.decode()
    assert "answered already" in browser().post(link, human(score="9")).content.decode()
    assert Response.objects.count() == 1
    browser().post(own, human(p="1", **{"q-delivery": "3"}))
    response.refresh_from_db()
    assert (response.score, response.comment, response.is_partial) == (2, "Secret", False)
    stamps = [o.outcome_at for o in Outreach.objects.exclude(outcome_at=None)]
    assert all(stamp and stamp.hour == 0 for stamp in stamps)


@inside
def test_a_public_link_is_there_only_if_the_survey_says_so() -> None:
    survey = public_survey()
    assert browser().get("/s/order").status_code == 200
    assert browser().post("/s/order", human(score="9")).status_code == 404
    Survey.objects.update(is_public=False)
    assert browser().get("/s/order").status_code == 404
    assert browser().post("/s/open", {"k": ticket_for(survey), "score": "9"}).status_code == 404
    assert not Response.objects.exists()


@inside
def test_the_same_public_answer_again_is_one() -> None:
    ticket = ticket_for(public_survey())
    for _time in range(3):
        assert browser().post("/s/open", {"k": ticket, "score": "9", "p": "0"}).status_code == 303
    response = Response.objects.get()
    assert (response.score, response.channel, response.properties) == (9, "link", {"store": "Kiel"})
    assert not response.is_suspected
    assert not Revision.objects.exists()


@inside
@pytest.mark.parametrize("spoil", ["", "x", "A" * 60, "cut", "flip", "old", "ümlaut"])
def test_a_ticket_that_is_not_ours_opens_nothing(spoil: str) -> None:
    survey = public_survey()
    ticket = ticket_for(survey)
    if spoil == "old":
        ticket = ticket_for(survey, made_at=timezone.now() - timedelta(days=3))
    spoilt = {"cut": ticket[:-3], "flip": ("B" if ticket[0] == "A" else "A") + ticket[1:], "old": ticket}
    answer = browser().post("/s/open", {"k": spoilt.get(spoil, spoil), "score": "9"})
    assert answer.status_code == 404
    assert not Response.objects.exists()


@inside
def test_a_ticket_of_another_tenant_opens_nothing(other_tenant: Any) -> None:
    ticket = ticket_for(public_survey())
    assert browser(OTHER).post("/s/open", {"k": ticket, "score": "9"}).status_code == 404


@inside
def test_an_address_may_not_answer_without_end() -> None:
    survey = public_survey()
    statuses = [browser().post("/s/open", {"k": ticket_for(survey), "score": "9"}).status_code for _ in range(62)]
    assert statuses == [303] * 60 + [429] * 2
    assert Response.objects.count() == 60


@inside
def test_a_kiosk_tells_when_it_was_answered_but_not_what_it_likes() -> None:
    survey, now = public_survey(), timezone.now()
    given = now - timedelta(hours=5)
    ticket = ticket_for(survey, channel="kiosk", made_at=now - timedelta(days=9))
    for number, at in enumerate((given, now + timedelta(days=1), now - timedelta(days=40))):
        posted = {"k": ticket, "score": str(number), "n": f"run{number}", "at": str(int(at.timestamp() * 1000))}
        assert browser().post("/s/open", posted).status_code == 303
    times = list(Response.objects.order_by("score").values_list("answered_at", flat=True))
    assert abs(times[0] - given) < timedelta(seconds=1)
    assert all(abs(moment - now) < timedelta(minutes=1) for moment in times[1:])


@inside
def test_frames_are_for_the_tenants_own_websites() -> None:
    link = invited()
    plain, framed = browser().get(link), browser().get(f"{link}?embed=1")
    for answer in (plain, framed):
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
        assert answer["X-Frame-Options"] == "DENY"
    Website.objects.create(origin="https://shop.example")
    framed = browser().get(f"{link}?embed=1")
    assert "frame-ancestors https://shop.example" in framed["Content-Security-Policy"]
    assert "X-Frame-Options" not in framed
    assert "frame-ancestors 'none'" in browser().get(link)["Content-Security-Policy"]


@inside
@pytest.mark.parametrize("wanted", ["", "   ", "tomorrow", "1" * 201, "0170\x00"])
def test_a_wrong_telephone_number_is_refused_and_kept_in_the_form(wanted: str) -> None:
    link = invited()
    Survey.objects.get().thanks.create(segment="detractor", offers_call_back=True)
    versions.publish(survey_id=Survey.objects.get().pk, now=timezone.now())
    browser().post(link, human(score="2"))
    answer = browser().post(f"{link}/call-back", {"call_back": wanted})
    assert answer.status_code == 422
    assert Response.objects.get().call_back == ""


@inside
def test_guessing_ten_thousand_links_meets_one_answer_then_a_limit() -> None:
    client = browser()
    statuses = [client.get(f"/s/{n:032d}").status_code for n in range(200)]
    assert statuses[:30] == [404] * 30
    assert set(statuses[30:]) == {429}
    assert not Response.objects.exists()
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert client.get(f"/s/{1:032d}").status_code in (404, 429)


def _in_nordwind(work: Any) -> Any:
    from django_tenants.utils import schema_context

    with schema_context("nordwind"):
        try:
            return work()
        finally:
            connection.close()


@pytest.mark.parametrize("kind", ["personal", "public", "anonymous"])
def test_the_same_answer_twenty_times_at_once_is_one_response(autocommit: None, kind: str) -> None:
    from django_tenants.utils import schema_context

    with schema_context("nordwind"):
        survey = public_survey(key="race", is_anonymous=kind == "anonymous")
        contact = factories.ContactFactory()
        path = "/s/open" if kind == "public" else invited(survey=survey, contact=contact)
        posted = {**human(score="9", comment="Fine"), "k": ticket_for(survey)}
        try:
            with ThreadPoolExecutor(8) as pool:
                jobs = [pool.submit(_in_nordwind, lambda: browser().post(path, posted).status_code) for _ in range(20)]
                statuses = {job.result() for job in jobs}
            assert statuses <= {200, 303}
            assert Response.objects.filter(survey=survey).count() == 1
            totals = ScoreChange.objects.filter(survey=survey).values_list("score", "weight")
            assert list(totals) == [(9, 1)]
        finally:
            Response.objects.filter(survey=survey).delete()
            Invitation.objects.filter(survey=survey).delete()
            Survey.objects.filter(pk=survey.pk).update(current_version=None)
            survey.delete()
            contact.delete()
            for model in (Touchpoint, Stage, Theme):
                model.objects.all().delete()
            AgendaItem.objects.filter(schema_name="nordwind").delete()


@inside
def test_agreement_to_mail_brings_the_address_of_whom_we_do_not_know() -> None:
    survey = public_survey()
    text = {"en": "Write to me", "de": "Schreiben Sie mir"}
    Question.objects.create(survey=survey, key="news", kind="opt_in", text=text, position=5)
    versions.publish(survey_id=survey.pk, now=timezone.now())
    ticket = ticket_for(survey)
    going = browser().post("/s/open", {"k": ticket, "score": "9"})["Location"]
    assert "q-news-email" in browser().get(going).content.decode()
    own = going.split("?")[0]
    wrong = browser().post(own, human(p="1", **{"q-news": ["no", "yes"], "q-news-email": "nobody"}))
    assert wrong.status_code == 422
    assert 'value="nobody"' in wrong.content.decode()
    browser().post(own, human(p="1", **{"q-news": ["no", "yes"], "q-news-email": " ada@example.com "}))
    answer = Answer.objects.get(question__key="news")
    assert (answer.value, answer.text) == (1, "ada@example.com")
    assert 'value="ada@example.com"' in browser().get(going).content.decode()
    browser().post(own, human(p="1", **{"q-news": ["no"], "q-news-email": "ada@example.com"}))
    answer.refresh_from_db()
    assert (answer.value, answer.text) == (0, "")


@inside
def test_every_kind_of_answer_comes_back_into_its_page_and_goes_out_to_webhooks() -> None:
    survey = factories.SurveyFactory()
    option = [{"key": key, "text": {"en": key}} for key in ("a", "b", "c")]
    kinds = {
        "one": ("single", "b"), "some": ("multiple", ["a", "c"]), "words": ("text", "Words & more"),
        "scale": ("scale", "0"), "yes": ("yes_no", "no"), "csat": ("csat", "1"), "ces": ("ces", "7"),
    }  # fmt: skip
    for position, (key, (kind, _value)) in enumerate(kinds.items(), start=5):
        low, high = (0, 10) if kind == "scale" else (1, 5)
        Question.objects.create(
            survey=survey, key=key, kind=kind, text={"en": key}, position=position, low=low, high=high,
            options=option if kind in ("single", "multiple") else [],
        )  # fmt: skip
    versions.publish(survey_id=survey.pk, now=timezone.now())
    endpoint = Endpoint.objects.create(url="https://hook.example/")
    link = invited(survey=survey)
    browser().post(link, human(score="9"))
    posted = {f"q-{key}": value for key, (_kind, value) in kinds.items()}
    assert browser().post(link, human(p="1", **posted)).status_code == 303
    page = browser().get(f"{link}?page=1").content.decode()
    ticked = re.findall(r'name="q-([a-z]+)"\s+value="([^"]+)"[^>]* checked', page)
    assert sorted(ticked) == [
        ("ces", "7"), ("csat", "1"), ("one", "b"), ("scale", "0"), ("some", "a"), ("some", "c"), ("yes", "no")
    ]  # fmt: skip
    assert "Words &amp; more" in page
    payload = Delivery.objects.filter(endpoint=endpoint, event_type="response.updated").get().payload
    assert payload["answers"] == {
        "nps": 9, "one": "b", "some": ["a", "c"], "words": "Words & more", "scale": 0, "yes": False, "csat": 1, "ces": 7
    }  # fmt: skip
    browser().post(link, human(p="1", **{**posted, "q-words": "", "q-one": "a"}))
    assert not Answer.objects.filter(question__key="words").exists()
    assert Answer.objects.get(question__key="one").choices == ["a"]
    assert Revision.objects.latest("pk").answers["words"] == "Words & more"


@inside
def test_a_link_does_not_take_answers_without_end_and_others_go_on() -> None:
    link, other = invited(), invited()
    statuses = [browser().post(link, human(score=str(n % 10))).status_code for n in range(32)]
    assert statuses == [303] * 30 + [429] * 2
    assert browser().post(other, human(score="9")).status_code == 303


@inside
def test_a_required_question_cannot_be_skipped_by_posting_a_later_page() -> None:
    survey = factories.SurveyFactory()
    survey.questions.filter(kind="rating").update(is_required=True)
    survey.questions.create(
        key="why", kind="text", text={"en": "Why?"}, position=9,
        show_if={"field": "answer.delivery", "op": "exists"},
    )  # fmt: skip
    link = invited(survey=survey)
    assert browser().post(link, human(p="2")).status_code == 422
    going = browser().post(link, human(p="2", score="9"))
    assert "page=1" in going["Location"]
    assert Response.objects.get().is_partial
    going = browser().post(link, human(p="1", **{"q-delivery": "3"}))
    assert "page=2" in going["Location"]


@inside
def test_what_an_earlier_answer_made_pointless_is_not_kept() -> None:
    survey = factories.SurveyFactory()
    survey.questions.create(
        key="why", kind="text", text={"en": "Why?"}, position=9,
        show_if={"field": "response.segment", "op": "eq", "value": "detractor"},
    )  # fmt: skip
    link = invited(survey=survey)
    browser().post(link, human(score="2", **{"q-why": "terrible"}))
    assert Answer.objects.get(question__key="why").text == "terrible"
    browser().post(link, human(score="10"))
    assert not Answer.objects.filter(question__key="why").exists()
    browser().post(link, human(score="10", **{"q-why": "never asked"}))
    assert not Answer.objects.filter(question__key="why").exists()


@inside
def test_choices_can_be_taken_back() -> None:
    survey = factories.SurveyFactory()
    options = [{"key": key, "text": {"en": key}} for key in ("a", "b")]
    survey.questions.create(key="some", kind="multiple", text={"en": "Which?"}, options=options, position=9)
    link = invited(survey=survey)
    browser().post(link, human(score="9"))
    browser().post(link, human(p="1", **{"q-some": ["a", "b"]}))
    assert Answer.objects.get().choices == ["a", "b"]
    browser().post(link, human(p="1"))
    assert not Answer.objects.exists()


@inside
def test_an_answer_goes_to_the_version_that_was_read() -> None:
    survey = factories.SurveyFactory()
    first = versions.publish(survey_id=survey.pk, now=timezone.now())
    link = invited(survey=survey)
    page = browser().get(link).content.decode()
    stamp = re.findall(r'name="t" value="([^"]+)"', page)[0]
    survey.questions.filter(kind="rating").delete()
    second = versions.publish(survey_id=survey.pk, now=timezone.now())
    assert second != first
    with time_machine.travel(timezone.now() + timedelta(seconds=20)):
        answer = browser().post(link, {"t": stamp, "score": "9", "q-delivery": "4"})
    assert answer.status_code == 303
    assert Response.objects.get().version == first
    assert not Answer.objects.exists()  # The question is gone; the rest is kept.


@inside
def test_a_machine_does_not_use_up_an_anonymous_link() -> None:
    survey = factories.SurveyFactory()
    Survey.objects.update(is_anonymous=True)
    versions.publish(survey_id=survey.pk, now=timezone.now())
    link = invited(survey=survey)
    browser().post(link, {"score": "0"})
    assert Invitation.objects.get().used_on is None
    assert browser().post(link, human(score="7", save="1")).status_code == 204
    assert Response.objects.count() == 1
    posted = human(score="9", comment="Me")
    first, again = browser().post(link, posted), browser().post(link, posted)
    assert first["Location"] == again["Location"]
    assert list(Response.objects.filter(is_suspected=False).values_list("score", "comment")) == [(9, "Me")]
    created = Delivery.objects.filter(event_type="response.created")
    assert all(row.created_at.hour == 0 for row in created)


@inside
def test_links_that_answers_got_expire() -> None:
    going = browser().post("/s/open", {"k": ticket_for(public_survey()), "score": "9"})["Location"]
    own = going.split("?")[0]
    assert browser().get(own).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=61)):
        assert browser().get(own).status_code == 404


@inside
@pytest.mark.parametrize("charset", ["hex", "rot13", "unicode_escape", "utf-16"])
def test_pages_in_other_encodings_are_refused(charset: str) -> None:
    link = invited()
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    assert browser().generic("POST", link, b"score=9", content_type=kind).status_code == 400
    assert browser().generic("POST", "/s/open", b"k=9", content_type=kind).status_code == 400
    assert not Response.objects.exists()


@inside
def test_a_comment_that_only_some_are_asked_for_is_shown_to_them_alone() -> None:
    survey = factories.SurveyFactory()
    german = {"field": "contact.country", "op": "eq", "value": "DE"}
    survey.questions.filter(kind="comment").update(show_if=german)
    versions.publish(survey_id=survey.pk, now=timezone.now())
    for country, asked in (("DE", True), ("AT", False), ("DE", True)):
        link = invited(survey=survey, contact=factories.ContactFactory(country=country))
        assert ('name="comment"' in browser().get(link).content.decode()) == asked


@inside
def test_a_draft_of_all_there_is_to_ask_is_complete() -> None:
    survey = factories.SurveyFactory()
    survey.questions.exclude(kind="nps").delete()
    browser().post(invited(survey=survey), human(score="9", save="1"))
    assert not Response.objects.get().is_partial


@inside
def test_a_score_counts_on_the_day_of_utc_whatever_clock_tells_its_time() -> None:
    at = datetime(2026, 3, 1, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    row = Response.objects.create(survey=factories.SurveyFactory(), score=9, answered_at=at, updated_at=at)
    keeping.count(row, weight=1, now=at)
    assert [change.day for change in ScoreChange.objects.all()] == [date(2026, 2, 28)]
