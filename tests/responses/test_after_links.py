"""Links in the mails after an answer: to add to that very answer, and to be called. Theirs only, and not for ever."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tenants.utils import tenant_context

from apps.cases.models import Case, CaseChange
from apps.cases.services import Changes, change
from apps.responses import after_links
from apps.responses.after_links import ANSWER, CALL_BACK, TOKEN_LENGTH, token_of
from apps.responses.models import Response
from apps.responses.views.after import MAX_WISHES
from apps.surveys import versions
from apps.surveys.models import Survey
from tests import factories
from tests.responses.asking import browser, human, invited

pytestmark = pytest.mark.usefixtures("tenant")
BASE = "http://nordwind.resonanz.test"


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    cache.clear()


def answered(**values: Any) -> Response:
    """A contact's answer that no invitation led to, whose follow-up is over."""
    now = timezone.now()
    factories.theme()
    survey = values.pop("survey", None) or factories.SurveyFactory()
    version = versions.publish(survey_id=survey.pk, now=now)
    contact = values.pop("contact", None) or factories.ContactFactory(locale="de", phone="+4930123456")
    row = {"score": 3, "answered_at": now, "updated_at": now, "follow_up": "enrolled", "version": version, **values}
    return Response.objects.create(survey=survey, contact=contact, **row)


def path(purpose: str, response: Response | UUID, **values: Any) -> str:
    pk = response if isinstance(response, UUID) else response.pk
    token = token_of(purpose, pk, now=values.pop("now", None) or timezone.now())
    return f"/s/{'call/' if purpose == CALL_BACK else ''}{token}"


def test_the_addresses_are_those_of_the_pages() -> None:
    response, now = answered(), timezone.now()
    about = {"response_id": response.pk, "base_url": BASE, "now": now}
    assert after_links.answer_url(**about) == BASE + path(ANSWER, response, now=now)
    assert after_links.call_back_url(**about) == BASE + path(CALL_BACK, response, now=now)
    assert len(token_of(ANSWER, response.pk, now=now)) == TOKEN_LENGTH


def test_a_comment_is_added_to_that_very_answer_with_and_without_an_invitation() -> None:
    link = invited(contact=factories.ContactFactory(locale="de"))
    browser().post(link, human(score="8", **{"q-delivery": "4"}))
    invitations, openly = Response.objects.get(), answered(score=8)
    for response in (invitations, openly):
        mine = path(ANSWER, response)
        shown = browser().get(mine).content.decode()
        assert re.search(r'name="score"\s+value="8"[^>]* checked', shown)
        assert browser().post(mine, human(score="8", comment="Wärmer", p="0")).status_code == 303
        response.refresh_from_db()
        assert (response.score, response.comment, response.is_suspected) == (8, "Wärmer", False)
        thanks = browser().get(f"{mine}/thanks")
        assert thanks.status_code == 200
    assert Response.objects.count() == 2


def test_a_wish_to_be_called_is_stored_shown_and_noted_on_the_case() -> None:
    response = answered()
    mine = path(CALL_BACK, response)
    shown = browser().get(mine)
    assert 'value="+4930123456"' in shown.content.decode()
    assert shown["Content-Language"] == "de"
    assert (shown["Cache-Control"], shown["Referrer-Policy"]) == ("private, no-store", "no-referrer")
    assert not shown.cookies

    assert browser().post(mine, {"call_back": "noch nicht"}).status_code == 422
    assert not Case.objects.exists()
    for _twice in range(2):
        done = browser().post(mine, {"call_back": "030 1234, ab 17 Uhr"})
        assert (done.status_code, done["Location"]) == (303, mine)
    response.refresh_from_db()
    assert response.call_back == "030 1234, ab 17 Uhr"
    assert "030 1234, ab 17 Uhr" in browser().get(mine).content.decode()
    case = Case.objects.get(response=response)
    assert [row.data.get("call_back") for row in CaseChange.objects.filter(case=case, kind="answered")] == [True]

    change(case_id=case.pk, revision=None, changes=Changes(status="solved", outcome="x"), by=None, now=timezone.now())
    browser().post(mine, {"call_back": "030 9999"})
    case.refresh_from_db()
    assert (case.status, case.closed_at) == ("contacted", None)


def test_a_wish_goes_to_the_contacts_open_case_and_waits_for_rules_that_are_still_to_decide() -> None:
    first = answered()
    browser().post(path(CALL_BACK, first), {"call_back": "030 1"})
    case = Case.objects.get()
    second = answered(survey=first.survey, contact=first.contact)
    browser().post(path(CALL_BACK, second), {"call_back": "030 2"})
    assert Case.objects.get() == case
    assert CaseChange.objects.filter(case=case, data__response=str(second.pk)).exists()
    waiting = answered(survey=first.survey, contact=factories.ContactFactory(), follow_up="pending")
    browser().post(path(CALL_BACK, waiting), {"call_back": "030 3"})
    assert Case.objects.count() == 1


def test_looking_writes_nothing() -> None:
    response = answered()
    for purpose in (ANSWER, CALL_BACK):
        for method in (browser().get, browser().head):
            with CaptureQueriesContext(connection) as queries:
                assert method(path(purpose, response)).status_code == 200
            said = [one["sql"].lstrip().upper() for one in queries]
            assert [sql for sql in said if not sql.startswith(("SELECT", "SET SEARCH_PATH"))] == []
    response.refresh_from_db()
    assert (response.call_back, response.updated_at, Case.objects.count()) == ("", response.answered_at, 0)


def test_forged_foreign_and_old_links_lead_nowhere_and_store_nothing(other_tenant: Any) -> None:
    response, now = answered(), timezone.now()
    with tenant_context(other_tenant):
        foreign = {purpose: path(purpose, response) for purpose in (ANSWER, CALL_BACK)}
    for purpose, swapped in ((ANSWER, CALL_BACK), (CALL_BACK, ANSWER)):
        right = path(purpose, response)
        stem, token = right.rsplit("/", 1)
        other = token_of(purpose, answered(contact=factories.ContactFactory()).pk, now=now)
        forged = [
            stem + "/" + wrong
            for wrong in (
                token_of(swapped, response.pk, now=now),  # good for something else
                token[:21] + ("A" if token[21] != "A" else "B") + token[22:],  # the seal
                token[:21] + other[21:],  # another response under this one's seal
                token[:-6] + "______",  # for longer
                token[:-1],
                token + "A",
                "x" * TOKEN_LENGTH,
            )
        ]
        wrong = [*forged, foreign[purpose], path(purpose, response, now=now - timedelta(days=61))]
        wrong.append(path(purpose, UUID(int=7)))
        pages = set()
        for address in wrong:
            cache.clear()
            page = browser().get(address)
            assert page.status_code == 404, address
            pages.add(re.sub(r'nonce="[^"]*"', "", page.content.decode()))
            posted = browser().post(address, human(score="10", comment="Forged", call_back="030 666"))
            assert posted.status_code == 404, address
        assert len(pages) == 1
        assert browser().get(right).status_code == 200
        assert browser("klarwerk.resonanz.test").get(right).status_code == 404
        with time_machine.travel(now + timedelta(days=60, minutes=1)):
            assert browser().get(right).status_code == 404
    assert not Response.objects.exclude(score=3, comment="", call_back="").exists()


def test_nobody_is_left_to_answer_for_anonymous_and_erased_contacts() -> None:
    survey = factories.SurveyFactory()
    Survey.objects.filter(pk=survey.pk).update(is_anonymous=True)
    nobody = answered(survey=survey)
    Response.objects.filter(pk=nobody.pk).update(contact=None)
    for purpose in (ANSWER, CALL_BACK):
        assert browser().get(path(purpose, nobody)).status_code == 404
        assert browser().post(path(purpose, nobody), {"call_back": "030 1", "score": "9"}).status_code == 404
    nobody.refresh_from_db()
    assert (nobody.score, nobody.call_back) == (3, "")


def test_a_closed_survey_takes_no_answer_but_a_call_is_still_heard() -> None:
    response = answered()
    Survey.objects.filter(pk=response.survey_id).update(is_active=False)
    assert browser().get(path(ANSWER, response)).status_code == 410
    assert browser().post(path(ANSWER, response), human(score="9")).status_code == 410
    assert browser().post(path(CALL_BACK, response), {"call_back": "030 1"}).status_code == 303
    response.refresh_from_db()
    assert (response.score, response.call_back) == (3, "030 1")


def test_what_is_typed_is_escaped_and_limited() -> None:
    response = answered()
    mine, evil = path(CALL_BACK, response), '<script>alert(1)</script>"030 1'
    refused = browser().post(mine, {"call_back": "<script>alert()</script>"})
    assert "&lt;script&gt;alert()" in refused.content.decode()
    assert "<script>alert" not in refused.content.decode()
    browser().post(mine, {"call_back": evil})
    shown = browser().get(mine).content.decode()
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;030 1" in shown
    assert browser().post(mine, {"call_back": "1" * 201}).status_code == 422
    assert browser().post(mine, {"call_back": "1\x00"}).status_code == 422
    assert browser().put(mine).status_code == 405
    last = [browser().post(mine, {"call_back": "030 1"}).status_code for _ in range(MAX_WISHES)]
    assert last[-1] == 429
    guesses = [browser().get(f"/s/call/{'x' * TOKEN_LENGTH}").status_code for _ in range(32)]
    assert (guesses[0], guesses[-1]) == (404, 429)
