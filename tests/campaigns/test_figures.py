"""What campaigns came to: figures that a slow recount gives as well, and no claim without its uncertainty."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.campaigns import figures
from apps.campaigns.figures import Effect
from apps.campaigns.models import Campaign, Enrolment, StepRun
from apps.common.shares import Part, newcombe
from apps.incentives.models import Voucher, VoucherPool
from apps.responses.models import Response, Revision
from apps.touchpoints.models import Event
from tests import factories
from tests.campaigns.following import answered, campaign, enrolled, ran

pytestmark = pytest.mark.usefixtures("tenant")
NOW = datetime(2026, 6, 1, 10, tzinfo=UTC)
DAYS = timedelta(days=30)
GOALS = [goal for goal in Campaign.Goal.values if goal]


def past(dice: random.Random, of: list[Campaign], people: int = 30) -> None:
    """Contacts with enrolments in all campaigns, and everything that may or may not count as the goal."""
    pool = VoucherPool.objects.create(name="Five", value={"en": "5 €"})
    touchpoint = factories.TouchpointFactory()
    for number in range(people):
        contact = factories.ContactFactory()
        first = answered(contact, NOW - timedelta(days=dice.randint(20, 90)), score=dice.randint(0, 10))
        for one in of:
            at = first.answered_at + timedelta(hours=dice.randint(0, 48))
            arm = dice.choice(["treated", "treated", "holdout"])
            row = enrolled(one, first, at, arm=arm, had_comment=dice.random() < 0.3)
            if arm == "treated":
                ran(
                    row,
                    "sorry",
                    "email",
                    at + timedelta(days=dice.uniform(0, 20)),
                    dice.choice(["done", "skipped", "failed"]),
                )
        for _again in range(dice.randint(0, 3)):
            at = first.answered_at + timedelta(days=dice.uniform(0, 50))
            channel = dice.choice(["email", "email", "import"])
            suspected = dice.random() < 0.2
            score = dice.choice([None, *range(11)])
            answered(contact, at, score, is_suspected=suspected, channel=channel)
        happen(dice, first, touchpoint, pool, number)


def happen(dice: random.Random, first: Response, touchpoint: Any, pool: VoucherPool, number: int) -> None:
    if dice.random() < 0.5:
        later = first.answered_at + timedelta(days=dice.uniform(0, 50))
        Event.objects.create(
            touchpoint=touchpoint, contact=first.contact, occurred_at=later, received_at=later,
            external_id=f"e-{number}", status="decided",
        )  # fmt: skip
    if dice.random() < 0.5:
        later = first.answered_at + timedelta(days=dice.uniform(0, 50))
        Response.objects.filter(pk=first.pk).update(comment="Slow", updated_at=later)
        if dice.random() < 0.5:
            before = first.answered_at + (later - first.answered_at) * dice.random()
            comment = dice.choice(["", "Late"])
            Revision.objects.create(response=first, score=first.score, comment=comment, replaced_at=before)
    if dice.random() < 0.5:
        Voucher.objects.create(
            pool=pool, code=f"CODE-{number}", status="redeemed", response=first, issued_at=first.answered_at,
            redeemed_at=first.answered_at + timedelta(days=dice.uniform(0, 50)),
        )  # fmt: skip


def reached_at(row: Enrolment) -> datetime | None:
    """The slow recount: one enrolment after the other, in Python."""
    one, response, start = row.campaign, row.response, row.enrolled_at
    later = [
        r
        for r in Response.objects.filter(contact=row.contact).order_by("answered_at", "id")
        if r.pk != response.pk and not r.is_suspected and r.channel != "import"
        if start < r.answered_at <= start + DAYS
    ]
    match one.goal:
        case "answered":
            times = [r.answered_at for r in later][:1]
        case "higher":
            times = [r.answered_at for r in [r for r in later if r.score is not None][:1] if r.score > response.score]
        case "comment":
            said = [v.replaced_at for v in response.revisions.all() if v.comment and v.replaced_at > start]
            said += [response.updated_at] if response.comment else []
            times = [] if row.had_comment else said
        case "event":
            events = Event.objects.filter(contact=row.contact, touchpoint=one.goal_touchpoint)
            times = [event.occurred_at for event in events if event.occurred_at > start]
        case _:
            times = [v.redeemed_at for v in response.vouchers.all() if v.redeemed_at and v.redeemed_at > start]
    found = min(times, default=None)
    return found if found is not None and found <= start + DAYS else None


def test_figures_are_those_of_a_slow_recount() -> None:
    dice = random.Random(20260601)
    place = factories.TouchpointFactory()
    all_of_them = [campaign(goal, name=goal, goal_touchpoint=place, goal_days=30) for goal in GOALS]
    past(dice, all_of_them)
    shares = figures.conversions(campaigns=all_of_them, now=NOW)
    for one in all_of_them:
        rows = list(one.enrolments.select_related("campaign", "response", "contact").order_by("enrolled_at", "pk"))
        reached = {row.pk: reached_at(row) for row in rows}
        treated = [row for row in rows if row.arm == "treated"]
        measured = [row for row in treated if one.goal != "comment" or not row.had_comment]
        found = figures.totals(campaign=one, now=NOW)
        assert (found.enrolled, found.left_out) == (len(treated), len(rows) - len(treated)), one.goal
        assert found.conversion == Part(len(measured), sum(reached[row.pk] is not None for row in measured)), one.goal
        assert 0 < found.reached < found.measured, one.goal
        assert found.undecided == sum(not reached[row.pk] and row.enrolled_at + DAYS > NOW for row in measured)
        lately = [row for row in measured if row.enrolled_at >= NOW - figures.LATELY]
        assert shares[one.pk] == Part(len(lately), sum(reached[row.pk] is not None for row in lately)), one.goal
        check_steps(one, measured, reached)
        check_arms(one, rows, reached)


def check_steps(one: Campaign, measured: list[Enrolment], reached: dict[Any, datetime | None]) -> None:
    [step] = figures.steps(campaign=one, now=NOW).values()
    runs = StepRun.objects.filter(enrolment__campaign=one)
    counts = Counter(runs.values_list("status", flat=True))
    assert (step.came, step.done, step.failed) == (runs.count(), counts["done"], counts["failed"])
    after = [(run, reached[run.enrolment_id]) for run in runs.filter(status="done", enrolment__in=measured)]
    assert step.after == Part(len(after), sum(at is not None and at > run.done_at for run, at in after)), one.goal


def check_arms(one: Campaign, rows: list[Enrolment], reached: dict[Any, datetime | None]) -> None:
    if one.goal == "redeemed":
        return
    times = [row.enrolled_at for row in rows if row.arm == "holdout"]
    counted = [row for row in rows if min(times) <= row.enrolled_at <= min(NOW - DAYS, max(times))]
    counted = [row for row in counted if one.goal != "comment" or not row.had_comment]
    parts = {
        arm: Part(
            sum(row.arm == arm for row in counted), sum(row.arm == arm and bool(reached[row.pk]) for row in counted)
        )
        for arm in ("treated", "holdout")
    }
    assert figures.effect(campaign=one, now=NOW) == Effect(parts["treated"], parts["holdout"]), one.goal


def test_the_interval_is_the_one_in_newcombes_paper() -> None:
    # Table II of the paper, method 10: columns (b), (d) and (g).
    for one, other, expected in (
        (Part(10, 9), Part(10, 3), (0.1705, 0.8090)),
        (Part(10, 10), Part(20, 0), (0.6791, 1.0)),
        (Part(56, 5), Part(29, 0), (-0.0381, 0.1926)),
    ):
        low, high = newcombe(one, other)
        assert (round(low, 4), round(high, 4)) == expected


@pytest.mark.parametrize(
    ("treated", "left_out", "verdict"),
    [
        (Part(500, 300), Part(29, 2), "too_few"),
        (Part(300, 66), Part(100, 20), "chance"),
        (Part(300, 120), Part(100, 20), "better"),
        (Part(300, 45), Part(100, 35), "worse"),
    ],
)
def test_nothing_is_claimed_of_few_or_of_what_may_be_chance(treated: Part, left_out: Part, verdict: str) -> None:
    assert Effect(treated, left_out).verdict == verdict


def test_who_was_followed_up_before_anybody_was_left_out_is_in_neither_part() -> None:
    one = campaign("answered", goal_days=10, holdout_percent=20)
    early, late, left = (factories.ContactFactory() for _number in range(3))
    then = NOW - timedelta(days=60)
    enrolled(one, answered(early, then), then)
    for contact, arm in ((early, "holdout"), (late, "treated"), (left, "holdout")):
        at = then + timedelta(days=20)
        enrolled(one, answered(contact, at), at, arm=arm)
        # The second time does not count again.
        enrolled(one, answered(contact, at + DAYS), at + DAYS, arm=arm)
    found = figures.effect(campaign=one, now=NOW)
    assert found is not None
    assert (found.treated.total, found.left_out.total) == (1, 1)


def test_who_was_followed_up_after_the_last_one_was_left_out_is_compared_with_nobody() -> None:
    one = campaign("answered", goal_days=10)
    then = NOW - timedelta(days=90)
    for days, arm in ((0, "holdout"), (1, "treated"), (2, "holdout"), (30, "treated"), (60, "treated")):
        at = then + timedelta(days=days)
        contact = factories.ContactFactory()
        enrolled(one, answered(contact, at), at, arm=arm)
        if days == 30:  # A better time of the year, say.
            answered(contact, at + timedelta(days=1))
    found = figures.effect(campaign=one, now=NOW)
    assert found is not None
    assert (found.treated, found.left_out) == (Part(1, 0), Part(2, 0))


def test_nothing_is_compared_where_who_was_left_out_could_not_reach_the_goal() -> None:
    one = campaign("redeemed", goal_days=10, holdout_percent=20)
    at = NOW - timedelta(days=20)
    for arm in ("treated", "holdout"):
        enrolled(one, answered(factories.ContactFactory(), at), at, arm=arm)
    assert figures.effect(campaign=one, now=NOW) is None


def test_steps_tell_why_they_were_skipped_what_waits_and_what_became_of_mails() -> None:
    one = campaign()
    at = NOW - timedelta(days=2)
    rows = [enrolled(one, answered(factories.ContactFactory(), at), at, state="running") for _number in range(4)]
    ran(rows[0], "sorry", "email", at, email=None)
    ran(rows[1], "sorry", "email", at, "skipped", reason="no_legal_basis")
    ran(rows[2], "sorry", "email", at, "pending", reason="case_open")
    ran(rows[3], "sorry", "email", at, "failed", reason="KeyError")
    ran(rows[0], "split", "branch", at, result={"way": "yes"})
    found = figures.steps(campaign=one, now=NOW)
    mail, branch = found["sorry"], found["split"]
    assert (mail.came, mail.done, mail.failed, mail.after) == (4, 1, 1, None)
    assert (dict(mail.skipped), dict(mail.waiting)) == ({"no_legal_basis": 1}, {"case_open": 1})
    assert dict(branch.ways) == {"yes": 1}
    assert figures.steps(campaign=one, version_id=0, now=NOW) == {}
    assert figures.effect(campaign=one, now=NOW) is None
