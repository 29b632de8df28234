"""Machines that open, run and press everything in a mail, and humans who do odd things."""

import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.contacts.models import Outreach
from apps.responses import finding, services, suspicion
from apps.responses.models import Response, Revision, ScoreChange
from apps.responses.suspicion import Act, suspicions
from apps.surveys import versions
from apps.surveys.models import Invitation, Survey
from tests.responses.asking import BROWSER, browser, human, invited, read_for

pytestmark = pytest.mark.usefixtures("tenant")


@pytest.fixture
def link() -> str:
    cache.clear()
    return invited()


def figures() -> dict[int, int]:
    totals: Counter[int] = Counter()
    for score, weight in ScoreChange.objects.values_list("score", "weight"):
        totals[score] += weight
    return {score: total for score, total in totals.items() if total}


def test_a_human_is_not_suspected(link: str) -> None:
    browser().get(f"{link}?score=9")
    browser().post(link, human(score="9"))
    response = Response.objects.get()
    assert (response.is_suspected, response.suspicions) == (False, [])
    assert figures() == {9: 1}


@pytest.mark.parametrize(
    ("fields", "agent", "why"),
    [
        ({"t": ""}, BROWSER, ["no_page"]),
        ({"t": "AAAA" * 10}, BROWSER, ["no_page"]),
        ({"t": None}, BROWSER, ["too_fast"]),
        ({}, "Mozilla/5.0 (compatible; Barracuda Sentinel)", ["agent"]),
        ({}, "python-requests/2.32", ["agent"]),
        ({}, BROWSER.replace("Chrome", "HeadlessChrome"), ["agent"]),
        ({}, "", ["agent"]),
    ],
)
def test_a_machine_is_kept_but_not_counted(link: str, fields: dict[str, Any], agent: str, why: list[str]) -> None:
    posted = human(score="9", **fields)
    if posted["t"] is None:
        posted["t"] = read_for(0.2)
    browser().post(link, posted, headers={"user-agent": agent})
    response = Response.objects.get()
    assert (response.is_suspected, response.suspicions) == (True, why)
    assert figures() == {}
    assert not Outreach.objects.filter(outcome="answered").exists()


def test_a_scanner_that_presses_every_button_is_not_counted(link: str) -> None:
    for score in range(11):
        browser().get(f"{link}?score={score}")
        browser().post(link, human(score=str(score)))
    response = Response.objects.get()
    assert response.is_suspected
    assert "burst" in response.suspicions
    assert figures() == {}


def test_score_links_opened_at_once_make_the_answer_suspected(link: str) -> None:
    for score in (0, 1, 2):
        browser().get(f"{link}?score={score}")
    browser().post(link, human(score="2"))
    assert Response.objects.get().suspicions == ["burst"]


def test_whoever_opens_the_trap_is_a_machine_and_others_are_not(link: str) -> None:
    page = browser().get(link).content.decode()
    trap = re.findall(rf'href="({link}/more[^"]+)"', page)[0]
    stamp = re.findall(r'name="t" value="([^"]+)"', page)[0]
    assert browser().get(trap).status_code == 404
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        browser().post(link, {"t": stamp, "score": "10"})
        assert Response.objects.get().suspicions == ["trap"]
        browser().post(link, human(score="2"))  # The human who opens the link a moment later.
    assert (Response.objects.get().score, Response.objects.get().suspicions) == (2, [])


def test_the_trap_of_a_wrong_link_is_a_wrong_link() -> None:
    cache.clear()
    assert browser().get(f"/s/{'x' * 32}/more").status_code == 404


def test_a_human_after_the_machine_counts(link: str) -> None:
    browser().post(link, {"score": "9"})
    assert figures() == {}
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        browser().post(link, human(score="3"))
    response = Response.objects.get()
    assert (response.score, response.is_suspected, response.suspicions) == (3, False, [])
    assert figures() == {3: 1}


def test_a_machine_after_the_human_changes_nothing(link: str) -> None:
    browser().post(link, human(score="9", comment="Fine"))
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        browser().post(link, {"score": "0"})
    response = Response.objects.get()
    assert (response.score, response.comment, response.is_suspected) == (9, "Fine", False)
    assert list(Revision.objects.values_list("score", "suspicions")) == [(0, ["no_page"])]
    assert figures() == {9: 1}


def test_a_burst_after_the_human_puts_the_human_back(link: str) -> None:
    browser().post(link, human(score="9", comment="Fine", **{"q-delivery": "5"}))
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        for score in (1, 2, 3, 4):
            browser().post(link, human(score=str(score), comment="", **{"q-delivery": "1"}))
    response = Response.objects.get()
    assert (response.score, response.comment, response.is_suspected) == (9, "Fine", False)
    assert [a.value for a in response.answers.all()] == [5]
    assert figures() == {9: 1}


def test_two_changes_of_mind_are_human(link: str) -> None:
    for score in (9, 8):
        browser().post(link, human(score=str(score)))
    with time_machine.travel(timezone.now() + timedelta(seconds=11)):
        browser().post(link, human(score="7"))
    response = Response.objects.get()
    assert (response.score, response.is_suspected) == (7, False)
    assert figures() == {7: 1}


def test_a_humans_judgement_stands(link: str) -> None:
    browser().post(link, {"score": "9"})
    response, now = Response.objects.get(), timezone.now()
    services.judge(response_id=response.pk, is_genuine=True, by="cx", now=now)
    assert figures() == {9: 1}
    response.refresh_from_db()
    assert (response.is_suspected, response.judged_by, response.follow_up_at) == (False, "cx", now)
    with time_machine.travel(now + timedelta(minutes=1)):
        browser().post(link, {"score": "1"})
    assert figures() == {9: 1}
    services.judge(response_id=response.pk, is_genuine=False, by="cx", now=now)
    assert figures() == {}
    with time_machine.travel(now + timedelta(minutes=2)):
        browser().post(link, human(score="5"))
    response.refresh_from_db()
    assert (response.is_suspected, response.judged_by) == (False, "")
    assert figures() == {5: 1}


def test_opening_costs_one_query_and_answering_a_few(link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    versions.publish(survey_id=Survey.objects.get().pk, now=timezone.now())
    asked: list[str] = []
    fetch = finding.fetch_prepared
    monkeypatch.setattr(finding, "fetch_prepared", lambda sql, params: asked.append(sql) or fetch(sql, params))
    browser().get(link)
    with CaptureQueriesContext(connection) as others:
        browser().get(f"{link}?score=9")
    assert (len(asked), len(others)) == (2, 0)
    with CaptureQueriesContext(connection) as answering:
        browser().post(link, human(score="9", comment="Fine", **{"q-delivery": "5"}))
    names = [query["sql"].split()[0] for query in answering if "SAVEPOINT" not in query["sql"]]
    assert len(names) <= 10, answering.captured_queries


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (Act(5, BROWSER), []),
        (Act(0.99, BROWSER), ["too_fast"]),
        (Act(1.0, BROWSER), []),
        (Act(None, ""), ["no_page", "agent"]),
        (Act(5, BROWSER, opened_trap=True, opened_scores=[1, 2, 2]), ["trap"]),
        (Act(5, BROWSER, opened_scores=[1, 2, 3]), ["burst"]),
    ],
)
def test_what_speaks_against_a_human(act: Act, expected: list[str]) -> None:
    assert suspicions(act) == expected


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
        "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 13; CUBOT P80) AppleWebKit/537.36 Chrome/129.0.0.0 Mobile Safari/537.36",
    ],
)
def test_browsers_of_humans_are_no_scanners(agent: str) -> None:
    assert not suspicion.is_scanner(agent)


def test_a_response_judged_genuine_begins_the_rest_after_an_answer() -> None:
    cache.clear()
    link = invited()
    invitation, now = Invitation.objects.get(), timezone.now()
    Outreach.objects.create(
        contact=invitation.contact, kind="invitation", reason=f"invitation:{invitation.pk}", at=now, state="spent"
    )
    browser().post(link, {"score": "9"})
    assert Outreach.objects.get().outcome == ""
    services.judge(response_id=Response.objects.get().pk, is_genuine=True, by="cx", now=now)
    assert Outreach.objects.get().outcome == "answered"


def test_who_had_no_campaign_is_looked_at_again_when_the_segment_changes(link: str) -> None:
    browser().post(link, human(score="9"))
    Response.objects.update(follow_up="none")
    browser().post(link, human(score="2"))
    assert Response.objects.get().follow_up == "pending"


def test_adding_answers_is_no_change_of_mind(link: str) -> None:
    browser().post(link, human(score="9"))
    browser().post(link, human(p="1", **{"q-delivery": "5"}))
    assert not Revision.objects.exists()
    browser().post(link, human(p="1", **{"q-delivery": "1"}))
    assert Revision.objects.get().answers == {"delivery": 5}


def test_score_links_opened_by_a_machine_do_not_overwrite_the_human(link: str) -> None:
    browser().post(link, human(score="9", comment="human"))
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        for score in (0, 1, 2):
            browser().get(f"{link}?score={score}")
        browser().post(link, human(score="0"))
    response = Response.objects.get()
    assert (response.score, response.comment, response.is_suspected) == (9, "human", False)
    assert figures() == {9: 1}


def test_a_machines_answer_is_never_put_back_as_a_humans(link: str) -> None:
    browser().post(link, {"score": "0"})
    later = timezone.now() + timedelta(hours=1)
    for seconds, score in ((0, 9), (2, 8), (4, 7)):
        with time_machine.travel(later + timedelta(seconds=seconds)):
            browser().post(link, human(score=str(score)))
    assert Response.objects.get().score != 0 or Response.objects.get().is_suspected


def test_who_wavers_on_one_page_is_human_and_the_last_word_counts(link: str) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=1)):
        browser().post(link, human(score="5", comment="old"))
    page = read_for(20)
    start = timezone.now()
    for seconds, score in ((0, 7), (2, 8), (4, 9)):
        with time_machine.travel(start + timedelta(seconds=seconds)):
            browser().post(link, {"t": page, "score": str(score), "save": "1"})
    with time_machine.travel(start + timedelta(seconds=7)):
        browser().post(link, {"t": page, "score": "9", "comment": "now better"})
    response = Response.objects.get()
    assert (response.score, response.comment, response.is_suspected) == (9, "now better", False)
    assert figures() == {9: 1}


def test_a_draft_that_comes_late_does_not_make_a_complete_answer_partial(link: str) -> None:
    page = read_for(20)
    browser().post(link, human(score="9", comment="Done", **{"q-delivery": "4"}))
    assert not Response.objects.get().is_partial
    browser().post(link, {"t": page, "score": "9", "save": "1"})
    response = Response.objects.get()
    assert (response.is_partial, response.comment) == (False, "Done")
