"""A race for the attention of a few people, and whether every limit of the budget held. In the current tenant."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.contacts.models import Outreach
from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint
from apps.triggers.services import evaluate_events
from tests.processes import census, rows
from tests.processes.hand import DISPATCH
from tests.processes.hands import at_once

GAP_DAYS, COMPANY_DAYS, PER_90_DAYS = 3, 7, 12
PRIORITIES = {"low": 0, "middle": 5, "high": 10}
LATE = timedelta(minutes=2)


@dataclass(frozen=True)
class Contest:
    """Who competes for whom. The rules' delay is a day, so that nothing falls due meanwhile, unless given."""

    stages: Sequence[str]
    seed: int
    events: int = 120
    limit: int = 4
    people: int = 12
    companies: int = 3
    per_company: int | None = 3
    delay: timedelta = timedelta(days=1)
    caps: Mapping[str, int | None] = field(default_factory=lambda: dict.fromkeys(PRIORITIES))

    def somebody(self, number: int) -> dict[str, Any]:
        """A person of a company, as an event names them."""
        if self.per_company is None:
            return rows.identity(number)
        company = {"external_id": f"k-{number % self.companies}", "name": f"Company {number % self.companies}"}
        return {**rows.identity(number), "company": company}


def race(environment: dict[str, str], schema: str, contest: Contest) -> list[census.Check]:
    """Let several hands decide events of the same few people at once, or dispatch meanwhile; returns the checks."""
    survey = rows.furnish(
        min_days_between=GAP_DAYS, max_per_90_days=PER_90_DAYS, max_per_company=contest.per_company,
        company_days=COMPANY_DAYS,
    )  # fmt: skip
    touchpoint = rows.touchpoint()
    rule_ids = competing_rules(survey, touchpoint, contest)
    numbers = [n % contest.people for n in range(contest.events)]
    Random(contest.seed).shuffle(numbers)
    # Everybody is known before: that new people may collide is another test's subject.
    rows.events(touchpoint, [contest.somebody(n) for n in range(contest.people)])
    evaluate_events(now=timezone.now(), limit=contest.people)
    rows.events(touchpoint, [contest.somebody(n) for n in numbers])
    before = census.deadlocks()
    done = at_once(environment, schema, contest.stages, limit=contest.limit)
    return [
        census.equal("events", contest.events, done.events),
        census.no_event_left(),
        *census.invitations(),
        census.ledger_agrees(),
        *limits(rule_ids, contest),
        *census.no_deadlock(done.broken, before),
    ]


def competing_rules(survey: Survey, touchpoint: Touchpoint, contest: Contest) -> dict[str, int]:
    """Rules of different priorities at one touchpoint; a higher one pushes a lower one's invitations back."""
    return {
        name: rows.rules(
            survey, touchpoint, count=1, delay=contest.delay, expires_after=timedelta(days=700),
            priority=priority, daily_cap=contest.caps[name],
        )[0].pk
        for name, priority in PRIORITIES.items()
    }  # fmt: skip


def held() -> list[tuple[UUID, int | None, str, datetime]]:
    """The approaches that will happen: contact, company, the rule's name in the ledger, time."""
    live = Outreach.objects.exclude(state="released").order_by("at")
    return list(live.values_list("contact_id", "contact__company_id", "plan__origin", "at"))


def too_close(times: dict[Any, list[datetime]], most: int, within: timedelta) -> int:
    """How often more than ``most`` approaches lie within a stretch shorter than ``within``."""
    return sum(
        later - earlier < within
        for found in times.values()
        for earlier, later in zip(sorted(found), sorted(found)[most:], strict=False)
    )


def limits(rule_ids: dict[str, int], contest: Contest) -> list[census.Check]:
    """Every limit of the budget, counted from the ledger without the engine.

    What is dispatched a little late is so much closer to what is planned after it; that one is looked at again when
    its own time has come.
    """
    contacts, companies, days = defaultdict(list), defaultdict(list), Counter[tuple[str, Any]]()
    for contact, company, origin, at in held():
        contacts[contact].append(at)
        if contest.per_company is not None:
            companies[company].append(at)
        days[origin, at.date()] += 1
    caps = {f"rule:{pk}": contest.caps[name] for name, pk in rule_ids.items()}
    over = sum(count > cap for (origin, _day), count in days.items() if (cap := caps[origin]) is not None)
    late = LATE if DISPATCH in contest.stages else timedelta(0)
    gap, quarter, week = (timedelta(days=days) - late for days in (GAP_DAYS, 90, COMPANY_DAYS))
    return [
        census.equal("approaches closer than the budget's gap", 0, too_close(contacts, 1, gap)),
        census.equal("more per 90 days than allowed", 0, too_close(contacts, PER_90_DAYS, quarter)),
        census.equal("more per company than allowed", 0, too_close(companies, contest.per_company or 0, week)),
        census.equal("days over a rule's daily cap", 0, over),
        census.equal("approaches without a company", 0, len(companies.get(None, ()))),
    ]
