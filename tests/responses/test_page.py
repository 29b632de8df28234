import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from apps.common import tokens
from apps.common.ids import uuid7
from apps.responses.models import Answer, Response, Revision, ScoreChange
from apps.surveys.models import Invitation
from tests import factories
from tests.responses.asking import browser, human

pytestmark = pytest.mark.usefixtures("tenant")
TOKEN = "a-token-of-thirty-two-characters"


@pytest.fixture
def client() -> Iterator[Client]:
    cache.clear()
    yield browser()
    cache.clear()


@pytest.fixture
def invitation() -> Invitation:
    factories.theme()
    return Invitation.objects.create(
        id=uuid7(),
        survey=factories.SurveyFactory(),
        contact=factories.ContactFactory(locale="en"),
        touchpoint=factories.TouchpointFactory(),
        reason="test",
        status="queued",
        send_at=timezone.now(),
        give_up_at=timezone.now() + timedelta(days=1),
        created_at=timezone.now(),
        token_hash=tokens.hash_token(TOKEN),
        link_expires_at=timezone.now() + timedelta(days=1),
    )


def recount() -> dict[int, int]:
    totals: dict[int, int] = {}
    for score, weight in ScoreChange.objects.values_list("score", "weight"):
        totals[score] = totals.get(score, 0) + weight
    return {score: total for score, total in totals.items() if total}


def test_opening_all_links_writes_nothing(invitation: Invitation, client: Client) -> None:
    for method in (client.get, client.head):
        for score in range(11):
            assert method(f"/s/{TOKEN}?score={score}").status_code == 200
    assert not Response.objects.exists()
    assert not ScoreChange.objects.exists()


def test_the_comment_question_is_worded_by_segment(invitation: Invitation, client: Client) -> None:
    page = client.get(f"/s/{TOKEN}?score=3").content.decode()
    for words in ("What is the main reason?", "What did you like most?", "What would make it a 9?", "What went wrong?"):
        assert words in page


def test_nine_then_three_is_one_response_with_history(invitation: Invitation, client: Client) -> None:
    client.post(f"/s/{TOKEN}", human(**{"score": "9", "comment": "Great", "q-delivery": "5"}))
    client.post(f"/s/{TOKEN}", human(**{"score": "3", "comment": "Late after all", "q-delivery": "1"}))
    response = Response.objects.get()
    assert (response.score, response.comment) == (3, "Late after all")
    assert list(Revision.objects.values_list("score", "comment")) == [(9, "Great")]
    assert Answer.objects.get().value == 1
    assert recount() == {3: 1}


def test_the_same_answer_again_changes_nothing(invitation: Invitation, client: Client) -> None:
    for _ in range(3):
        client.post(f"/s/{TOKEN}", human(score="9", comment="Great"))
    assert Response.objects.count() == 1
    assert not Revision.objects.exists()
    assert recount() == {9: 1}


@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"score": ""},
        {"score": "11"},
        {"score": "-1"},
        {"score": "9.5"},
        {"score": "٩"},
        {"score": "9", "q-delivery": "6"},
        {"score": "9", "q-foreign": "3"},
        {"score": "9", "comment": "x" * 5001},
        {"score": "9", "comment": "nul\x00"},
    ],
)
def test_a_wrong_answer_is_refused_and_nothing_is_stored(
    posted: dict[str, str], invitation: Invitation, client: Client
) -> None:
    answer = client.post(f"/s/{TOKEN}", human(**posted))
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Response.objects.exists()


def test_what_was_typed_is_kept_after_an_error(invitation: Invitation, client: Client) -> None:
    page = client.post(f"/s/{TOKEN}", human(comment="Nice <b>shop</b>")).content.decode()
    assert "Nice &lt;b&gt;shop&lt;/b&gt;" in page


def test_wrong_links_look_all_the_same_and_are_slowed_down(invitation: Invitation, client: Client) -> None:
    answers = [client.get(f"/s/{'x' * 31}{n % 10}") for n in range(40)]
    bodies = {re.sub(rb'nonce="[^"]+"', b"", answer.content) for answer in answers[:30]}
    assert len(bodies) == 1
    assert [a.status_code for a in answers] == [404] * 30 + [429] * 10
    assert answers[-1]["Retry-After"] == "60"


def test_right_links_work_while_somebody_guesses_from_the_same_address(invitation: Invitation, client: Client) -> None:
    for number in range(40):
        client.get(f"/s/guess-{number}")
    assert client.get(f"/s/{TOKEN}").status_code == 200


def test_an_expired_link_is_like_any_wrong_one(invitation: Invitation, client: Client) -> None:
    invitation.link_expires_at = timezone.now() - timedelta(seconds=1)
    invitation.save()
    assert client.get(f"/s/{TOKEN}").status_code == 404
    assert client.post(f"/s/{TOKEN}", human(score="9")).status_code == 404
    assert not Response.objects.exists()


def test_another_tenants_host_does_not_know_the_link(invitation: Invitation, other_tenant: Any) -> None:
    assert Client(headers={"host": "klarwerk.resonanz.test"}).get(f"/s/{TOKEN}").status_code == 404


def test_the_page_sets_no_cookie_and_forbids_inline_script(invitation: Invitation, client: Client) -> None:
    page = client.get(f"/s/{TOKEN}")
    assert not page.cookies
    assert "unsafe-inline" not in page["Content-Security-Policy"]
    assert "no-store" in page["Cache-Control"]


def test_the_tenants_colour_passes_the_content_security_policy(invitation: Invitation, client: Client) -> None:
    page = client.get(f"/s/{TOKEN}")
    nonce = page.content.decode().split('nonce="')[1].split('"')[0]
    assert len(nonce) > 20
    assert f"'nonce-{nonce}'" in page["Content-Security-Policy"]


def test_thanks_before_an_answer_leads_back_to_the_question(invitation: Invitation, client: Client) -> None:
    assert client.get(f"/s/{TOKEN}/thanks").status_code == 302
