"""What the best hour brings: figures with their uncertainty, and no claim without them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.common import tokens
from apps.common.shares import Part, newcombe, wilson
from apps.messaging.models import OutgoingEmail
from apps.responses.models import Response
from apps.surveys.models import Invitation
from apps.triggers.hour_effect import Effect, effects
from apps.triggers.models import Decision
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
SENT = NOW - timedelta(days=10)


def test_the_interval_is_the_one_in_newcombes_paper() -> None:
    # Table II of the paper, first column: 56 of 70 against 48 of 80.
    low, high = newcombe(Part(70, 56), Part(80, 48))
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)


@pytest.mark.parametrize(("part", "expected"), [(Part(0, 0), (0.0, 1.0)), (Part(10, 0), (0.0, 0.2775))])
def test_a_share_of_few_is_uncertain(part: Part, expected: tuple[float, float]) -> None:
    low, high = wilson(part)
    assert (round(low, 4), round(high, 4)) == expected


@pytest.mark.parametrize(
    ("learned", "control", "verdict"),
    [
        (Part(400, 200), Part(99, 10), "too_few"),
        (Part(400, 100), Part(100, 20), "chance"),
        (Part(400, 200), Part(100, 20), "better"),
        (Part(400, 80), Part(100, 50), "worse"),
    ],
)
def test_nothing_is_claimed_of_few_or_of_what_may_be_chance(learned: Part, control: Part, verdict: str) -> None:
    assert Effect("", learned, control).verdict == verdict


def sent(arm: str, *, rule: Any = None, answered_after: timedelta | None = None, **values: Any) -> Invitation:
    row = Invitation.objects.create(
        **{
            "survey": factories.SurveyFactory(), "contact": factories.ContactFactory(), "reason": tokens.new_token(),
            "status": "queued", "send_at": SENT, "give_up_at": SENT, "created_at": SENT, "hour_arm": arm, **values,
        }
    )  # fmt: skip
    Decision.objects.create(rule=rule, invitation=row, status="scheduled", reason="ok", decided_at=SENT)
    if answered_after is not None:
        at = SENT + answered_after
        Response.objects.create(invitation=row, survey=row.survey, score=9, answered_at=at, updated_at=at)
    return row


def mail(status: str) -> OutgoingEmail:
    name = tokens.new_token()
    return OutgoingEmail.objects.create(reason=name, message_id=name, status=status, due_at=SENT, queued_at=SENT)


def test_nothing_compared_is_nothing_shown() -> None:
    sent("")
    assert effects(now=NOW) == []


def test_invitations_and_answers_are_counted_per_rule_and_part() -> None:
    one, other = factories.TriggerRuleFactory(name="B"), factories.TriggerRuleFactory(name="A")
    sent("learned", rule=one, answered_after=timedelta(hours=2))
    sent("learned", rule=one)
    sent("control", rule=one)
    sent("control", rule=other, answered_after=timedelta(days=6))
    sent("control", rule=None)
    found = [(effect.name, effect.learned, effect.control) for effect in effects(now=NOW)]
    assert found == [
        ("", Part(2, 1), Part(3, 1)),
        ("A", Part(0, 0), Part(1, 1)),
        ("B", Part(2, 1), Part(1, 0)),
    ]


def test_only_what_arrived_and_had_its_time_is_counted() -> None:
    sent("learned", answered_after=timedelta(days=8))
    sent("learned", email=mail("unknown"))
    sent("learned", email=mail("bounced"))
    sent("learned", email=mail("revoked"))
    sent("learned", status="scheduled")
    sent("learned", send_at=NOW - timedelta(days=6))
    sent("control", used_on=SENT.date())
    response = sent("control", answered_after=timedelta(hours=1)).response
    Response.objects.filter(pk=response.pk).update(is_suspected=True)
    [total] = effects(now=NOW)
    assert (total.learned, total.control) == (Part(2, 0), Part(2, 1))
