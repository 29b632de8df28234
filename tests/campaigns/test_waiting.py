"""Which answers are followed up, and when: not a machine's, not one without a score, not before it is complete."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.campaigns.models import Enrolment, StepRun
from apps.campaigns.services import enrol
from apps.contacts.models import LegalBasis
from apps.messaging.models import OutgoingEmail
from apps.responses.models import Response
from apps.responses.services import Submission, judge, next_follow_up_due, submit
from apps.surveys.models import Invitation
from tests import factories
from tests.campaigns.test_services import campaigns, follow_up, respond

__all__ = ["campaigns"]
pytestmark = pytest.mark.usefixtures("tenant")


def invite() -> Invitation:
    """Somebody who may be mailed is asked."""
    person = factories.ContactFactory()
    now = timezone.now()
    LegalBasis.objects.create(contact=person, kind="consent", source="test", granted_at=now)
    return Invitation.objects.create(
        survey=factories.SurveyFactory(), contact=person, touchpoint=factories.TouchpointFactory(), status="queued",
        reason=f"test:{person.pk}", send_at=now, give_up_at=now, created_at=now,
    )  # fmt: skip


def test_an_answer_without_a_score_goes_to_no_campaign(campaigns: None) -> None:
    respond(None, "I would rather not say")
    follow_up()
    assert Response.objects.get().follow_up == "none"
    assert not Enrolment.objects.exists()


def test_a_suspected_answer_waits_until_somebody_judges_it(campaigns: None) -> None:
    now = timezone.now()
    submission = Submission({"nps": 9, "comment": "Great"}, suspicions=["no_page", "agent"])
    response = submit(invitation_id=invite().pk, submission=submission, now=now)
    assert next_follow_up_due() is None
    follow_up()
    assert not Enrolment.objects.exists()
    assert Response.objects.get().follow_up == "pending"
    judge(response_id=response.pk, is_genuine=True, by="cx", now=now)
    assert next_follow_up_due() == now
    follow_up()
    assert OutgoingEmail.objects.get().subject == "To a promoter"


def test_an_answer_that_is_not_complete_waits_for_the_rest(campaigns: None) -> None:
    now = timezone.now()
    submit(invitation_id=invite().pk, submission=Submission({"nps": 9}, is_partial=True), now=now)
    due = next_follow_up_due()
    assert due is not None
    assert enrol(now=due - timedelta(seconds=1)) == 0
    assert enrol(now=due) == 1


def test_who_has_waited_longest_is_followed_up_first(campaigns: None) -> None:
    now = timezone.now()
    for minutes in (1, 3, 2):
        row = respond(9, str(minutes))
        Response.objects.filter(pk=row.pk).update(follow_up_at=now - timedelta(minutes=minutes))
    seen = []
    for _ in range(3):
        assert enrol(now=now, limit=1) == 1
        seen.append(Enrolment.objects.latest("id").response.comment)
    assert seen == ["3", "2", "1"]


def test_a_step_is_skipped_once_a_machine_is_suspected(campaigns: None) -> None:
    response = respond(9, "Great")
    enrol(now=timezone.now())
    judge(response_id=response.pk, is_genuine=False, by="cx", now=timezone.now())
    follow_up()
    run = StepRun.objects.get()
    assert (run.status, run.reason) == ("skipped", "suspected")
    assert not OutgoingEmail.objects.exists()


def test_a_step_is_skipped_once_the_score_is_gone(campaigns: None) -> None:
    response = respond(9, "Great")
    enrol(now=timezone.now())
    Response.objects.filter(pk=response.pk).update(score=None)
    follow_up()
    assert StepRun.objects.get().reason == "segment_changed"


def test_an_index_serves_what_waits_for_follow_up() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
    with CaptureQueriesContext(connection) as captured:
        enrol(now=timezone.now())
    [sql] = [query["sql"] for query in captured if "SKIP LOCKED" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Scan using response_follow_up_at" in plan, plan
    assert "Sort" not in plan, plan
