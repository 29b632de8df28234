"""Several workers decide about the same few people at once: no limit gives way, and none waits in a circle."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.contacts.models import Contact
from apps.surveys.models import Invitation
from tests.processes import budget, census, rows
from tests.processes.budget import Contest
from tests.processes.fleet import Fleet
from tests.processes.hand import DECIDE, DISPATCH, RUN_CADENCES
from tests.processes.hands import at_once

pytestmark = [pytest.mark.redis, pytest.mark.timeout(150)]


CAPS = {"low": 2, "middle": None, "high": 3}
# Each limit has a lock of its own; where they all are, one would hide that another is missing.
CONTESTS = {
    "the distance between two approaches": Contest([DECIDE] * 4, seed=7, per_company=None),
    "the limit of a company": Contest([DECIDE] * 4, seed=7, people=90),
    "the limit of a rule's day": Contest([DECIDE] * 4, seed=7, people=90, per_company=None, caps=CAPS),
    "everything together": Contest([DECIDE] * 4, seed=7, caps=CAPS),
}


@pytest.mark.parametrize("contest", CONTESTS.values(), ids=CONTESTS)
def test_hands_that_meet_at_the_same_people_keep_to(contest: Contest, fleet: Fleet) -> None:
    checks = budget.race(fleet.environment, "fleet", contest)
    census.assert_all(*checks)
    print(f"{len(budget.held())} approaches to {Contact.objects.count()} contacts")


def test_what_is_dispatched_while_others_decide_keeps_to_every_limit(fleet: Fleet) -> None:
    people, companies, each = 120, 12, 8
    contest = Contest(
        [DECIDE, DISPATCH, DECIDE, DISPATCH], seed=8, people=people, companies=companies, per_company=each,
        delay=timedelta(0),
    )  # fmt: skip
    checks = budget.race(fleet.environment, "fleet", contest)
    sent = Invitation.objects.filter(status="queued")
    waiting = Invitation.objects.filter(status="scheduled", send_at__lte=timezone.now())
    census.assert_all(
        *checks,
        census.equal("companies that get more mails than allowed", 0, over_cap(sent, each)),
        census.equal("people who get more than one", 0, sent.count() - sent.distinct("contact_id").count()),
        census.equal("invitations due that wait", 0, waiting.count()),
        census.equal("companies that get none", 0, companies - len(mails_by_company(sent))),
    )


def test_cadences_that_make_way_while_they_run_keep_to_the_limit_of_their_day(fleet: Fleet) -> None:
    most, people = 3, 120
    survey = rows.furnish(min_days_between=budget.GAP_DAYS)
    touchpoint = rows.touchpoint()
    rows.rules(survey, touchpoint, count=1, delay=timedelta(days=1), priority=10)
    fired_at = rows.last_minute(timezone.now() - rows.ONE_HOUR)
    known = rows.people(people)
    asking = [
        rows.daily(survey, fired_at=fired_at, runs_at=timezone.now(), name=f"c{n}", daily_cap=most,
                   expires_after=timedelta(days=700))
        for n in range(2)
    ]  # fmt: skip
    rows.events(touchpoint, [{"external_id": row.external_id, "email": row.email} for row in known])
    before = census.deadlocks()
    done = at_once(fleet.environment, "fleet", [RUN_CADENCES, DECIDE, RUN_CADENCES, DECIDE], limit=4)
    days = Counter((origin, at.date()) for _contact, _company, origin, at in budget.held())
    crowded = [day for day, count in days.items() if day[0].startswith("cadence:") and count > most]
    census.assert_all(
        census.turns({turn for row in asking for turn in rows.turns(row, known, fired_at)}),
        census.no_event_left(),
        *census.invitations(),
        census.ledger_agrees(),
        census.equal("days over a cadence's daily cap", 0, len(crowded)),
        *census.no_deadlock(done.broken, before),
    )


def mails_by_company(sent: Any) -> Counter[int]:
    """How many invitations became mails."""
    return Counter(sent.values_list("contact__company_id", flat=True))


def over_cap(sent: Any, most: int) -> int:
    """Companies to which more went than may."""
    return sum(count > most for count in mails_by_company(sent).values())
