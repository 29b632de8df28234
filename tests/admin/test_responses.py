"""Responses in the configuration: who is listed, and judging many at once."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.responses.models import Response
from apps.responses.services import Submission, submit
from apps.surveys import versions
from apps.surveys.models import Invitation, Survey
from tests import factories
from tests.admin.conftest import TENANT, client_for

LIST = "/admin/responses/response/"


def say(survey: Survey, name: str, score: int | None = 9, **how: Any) -> Response:
    contact, now = factories.ContactFactory(name=name), timezone.now()
    invitation = Invitation.objects.create(
        survey=survey, contact=contact, reason=f"test:{contact.pk}", status="queued", send_at=now, give_up_at=now,
        created_at=now,
    )  # fmt: skip
    answers = {"comment": f"By {name}"} if score is None else {"nps": score, "comment": f"By {name}"}
    return submit(invitation_id=invitation.pk, submission=Submission(answers, **how), now=now)


@pytest.fixture
def survey(tenant: Any) -> Survey:
    made = factories.SurveyFactory()
    versions.publish(survey_id=made.pk, now=timezone.now())
    return made


def shown(client: Client, **query: str) -> set[str]:
    page = client.get(LIST, query)
    assert page.status_code == 200
    return {row.comment.removeprefix("By ") for row in page.context["cl"].result_list}


def test_responses_are_listed_as_in_the_workspace(client: Client, survey: Survey) -> None:
    say(survey, "Ada")
    say(survey, "Bob", None, is_partial=True)
    say(survey, "Cem", channel="link")
    say(survey, "Machine", suspicions=["trap"])
    assert shown(client) == {"Ada", "Bob", "Cem"}
    assert shown(client, suspected="yes") == {"Machine"}
    assert shown(client, suspected="all") == {"Ada", "Bob", "Cem", "Machine"}
    assert shown(client, is_partial__exact="1") == {"Bob"}
    assert shown(client, channel__exact="link") == {"Cem"}
    assert shown(client, score__isnull="True") == {"Bob"}
    page = client.get(LIST, {"suspected": "all"}).content.decode()
    assert "Left out" in page
    assert "suspected" in page


@pytest.mark.parametrize(("action", "start", "then"), [
    ("confirm_as_human", ["trap"], False), ("mark_as_suspected", [], True),
])  # fmt: skip
def test_many_are_judged_at_once(client: Client, survey: Survey, action: str, start: list[str], then: bool) -> None:
    chosen = [say(survey, str(number), suspicions=start) for number in range(3)]
    data = {"action": action, "_selected_action": [str(row.pk) for row in chosen[:2]]}
    answer = client.post(f"{LIST}?suspected=all", data, follow=True)
    assert "2 responses were judged." in answer.content.decode()
    judged = Response.objects.filter(is_suspected=then, judged_by="chief")
    assert {row.pk for row in judged} == {row.pk for row in chosen[:2]}


def test_who_may_look_at_responses_may_judge_them(tenant: Any, survey: Survey) -> None:
    row = say(survey, "Ada", suspicions=["trap"])
    looker = User.objects.create_user("looker", is_staff=True)
    data = {"action": "confirm_as_human", "_selected_action": [str(row.pk)]}
    assert client_for(looker, TENANT).post(f"{LIST}?suspected=all", data).status_code == 403
    looker.user_permissions.add(Permission.objects.get(codename="view_response"))
    assert client_for(looker, TENANT).post(f"{LIST}?suspected=all", data).status_code == 302
    row.refresh_from_db()
    assert (row.is_suspected, row.judged_by) == (False, "looker")


def test_anonymous_answers_are_hidden_until_there_are_enough(client: Client, tenant: Any) -> None:
    quiet = factories.SurveyFactory(key="quiet", is_anonymous=True)
    versions.publish(survey_id=quiet.pk, now=timezone.now())
    rows = [say(quiet, str(number)) for number in range(4)]
    assert shown(client) == set()
    assert shown(client, q="By") == set()
    assert client.get(f"{LIST}{rows[0].pk}/change/").status_code == 302
    say(quiet, "4")
    assert len(shown(client)) == 5
    assert client.get(f"{LIST}{rows[0].pk}/change/").status_code == 200
