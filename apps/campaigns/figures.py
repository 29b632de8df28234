"""What campaigns came to: how far contacts got, what was done at each step, and whether it helped. All set-wise."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.campaigns import goals
from apps.campaigns.models import Campaign
from apps.common.bulk import fetch_rows
from apps.common.shares import Part, newcombe, verdict

EVER = datetime(2000, 1, 1, tzinfo=UTC)
LATELY = timedelta(days=90)
MINIMUM = 30
"""Contacts in each part below which nothing is said about the effect."""
_OF_VERSION = "(%(version)s::bigint IS NULL OR version_id = %(version)s)"
_TOTALS = """
    WITH enrolled AS ({enrolled})
    SELECT campaign_id, arm, state, count(*), count(*) FILTER (WHERE is_measured), count(at),
           count(*) FILTER (WHERE is_measured AND at IS NULL AND NOT is_over)
    FROM enrolled WHERE {of_version} GROUP BY 1, 2, 3
"""
_STATES = """
    SELECT campaign_id, state, count(*) FROM campaigns_enrolment
    WHERE campaign_id = ANY(%s) AND arm = 'treated' GROUP BY 1, 2
"""
_STEPS = """
    SELECT s.step_key, s.kind, s.status, s.reason, COALESCE(s.result->>'way', ''), COALESCE(m.status, ''), count(*)
    FROM campaigns_steprun s
    JOIN campaigns_enrolment e ON e.id = s.enrolment_id
    LEFT JOIN surveys_invitation i ON s.kind = 'ask' AND i.id = (s.result->>'invitation')::uuid
    LEFT JOIN messaging_outgoingemail m ON m.id = COALESCE(s.email_id, i.email_id)
    WHERE e.campaign_id = %(campaign)s AND (%(version)s::bigint IS NULL OR e.version_id = %(version)s)
    GROUP BY 1, 2, 3, 4, 5, 6
"""
_AFTER = """
    WITH enrolled AS ({enrolled})
    SELECT s.step_key, count(*), count(*) FILTER (WHERE enrolled.at > s.done_at)
    FROM enrolled JOIN campaigns_steprun s ON s.enrolment_id = enrolled.id AND s.status = 'done'
    WHERE is_measured AND {of_version} GROUP BY 1
"""
# A contact counts once, with its first enrolment, and only of the time in which contacts were left out at all. Who was
# followed up before or after that is in neither part: other times, other answers.
_ARMS = """
    WITH enrolled AS ({enrolled}), first AS (
        SELECT DISTINCT ON (contact_id) * FROM enrolled WHERE contact_id IS NOT NULL
        ORDER BY contact_id, enrolled_at, id
    )
    SELECT arm, count(*), count(at) FROM first
    WHERE is_measured AND is_over AND {of_version}
      AND enrolled_at BETWEEN (SELECT min(enrolled_at) FROM enrolled WHERE arm = 'holdout')
                          AND (SELECT max(enrolled_at) FROM enrolled WHERE arm = 'holdout')
    GROUP BY 1
"""


@dataclass(slots=True)
class Totals:
    """How many enrolments there are, by state, and how many of them reached the goal."""

    states: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    measured: int = 0
    """Followed up, and able to reach the goal."""
    reached: int = 0
    undecided: int = 0
    """Of the measured: not there yet, with days left."""

    @property
    def enrolled(self) -> int:
        """How many are, or were, followed up."""
        return self.states.total()

    @property
    def conversion(self) -> Part:
        """The share that reached the goal so far."""
        return Part(self.measured, self.reached)


@dataclass(slots=True)
class StepFigures:
    """What came of one step."""

    kind: str
    done: int = 0
    failed: int = 0
    waiting: Counter[str] = field(default_factory=Counter)
    """Why they wait ("": their time has not come) → how many."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Why it was skipped → how often."""
    ways: Counter[str] = field(default_factory=Counter)
    """Of a branch: ``yes`` and ``no``."""
    mails: Counter[str] = field(default_factory=Counter)
    """Status of the step's mails → how many."""
    after: Part | None = None
    """Of those whose step was done: how many reached the goal after it. None: the campaign has no goal."""

    @property
    def came(self) -> int:
        """How many came to the step."""
        return self.done + self.failed + self.waiting.total() + self.skipped.total()


@dataclass(frozen=True, slots=True)
class Effect:
    """Contacts that were followed up against those left out. Differences are shares, -1 to 1."""

    treated: Part
    left_out: Part

    @property
    def difference(self) -> float:
        """How much more of those followed up reached the goal."""
        return self.treated.rate - self.left_out.rate

    @property
    def bounds(self) -> tuple[float, float]:
        """Within what the difference lies, with 95 % confidence."""
        return newcombe(self.treated, self.left_out)

    @property
    def verdict(self) -> str:
        """``too_few``, ``chance``, ``better`` or ``worse``."""
        return verdict(self.treated, self.left_out, at_least=MINIMUM)


def totals(*, campaign: Campaign, version_id: int | None = None, now: datetime) -> Totals:
    """A campaign's totals, of all its versions or of one. One query."""
    params = {"campaigns": [campaign.pk], "since": EVER, "now": now, "version": version_id}
    return _totals(campaign.goal, params).get(campaign.pk, Totals())


def _totals(goal: str, params: Mapping[str, Any]) -> dict[int, Totals]:
    statement = _TOTALS.format(enrolled=goals.enrolled(goal), of_version=_OF_VERSION)
    found: dict[int, Totals] = defaultdict(Totals)
    for campaign_id, arm, state, count, measured, reached, undecided in fetch_rows(statement, params):
        row = found[campaign_id]
        if arm == "holdout":
            row.left_out += count
            continue
        row.states[state] += count
        row.measured += measured
        row.reached += reached
        row.undecided += undecided
    return found


def states(*, campaigns: Iterable[Campaign]) -> dict[int, Counter[str]]:
    """Campaign → state → enrolments that are followed up. One query."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for campaign_id, state, count in fetch_rows(_STATES, [[campaign.pk for campaign in campaigns]]):
        found[campaign_id][state] = count
    return found


def conversions(*, campaigns: Iterable[Campaign], now: datetime) -> dict[int, Part]:
    """Campaign → the share of the last 90 days' enrolments that reached the goal. A query per kind of goal in use."""
    by_goal: dict[str, list[int]] = defaultdict(list)
    for campaign in campaigns:
        if campaign.goal != Campaign.Goal.NONE:
            by_goal[campaign.goal].append(campaign.pk)
    found: dict[int, Part] = {}
    for goal, ids in by_goal.items():
        params = {"campaigns": ids, "since": now - LATELY, "now": now, "version": None}
        found |= {pk: row.conversion for pk, row in _totals(goal, params).items()}
    return found


def steps(*, campaign: Campaign, version_id: int | None = None, now: datetime) -> dict[str, StepFigures]:
    """Step's key → what came of it, over all versions or in one. Two queries; one without a goal."""
    found: dict[str, StepFigures] = {}
    rows = fetch_rows(_STEPS, {"campaign": campaign.pk, "version": version_id})
    for key, kind, status, reason, way, mail, count in rows:
        step = found.setdefault(key, StepFigures(kind))
        match status:
            case "done":
                step.done += count
            case "failed":
                step.failed += count
            case "skipped":
                step.skipped[reason] += count
            case _:
                step.waiting[reason] += count
        if way:
            step.ways[way] += count
        if mail:
            step.mails[mail] += count
    if campaign.goal != Campaign.Goal.NONE:
        params = {"campaigns": [campaign.pk], "since": EVER, "now": now, "version": version_id}
        statement = _AFTER.format(enrolled=goals.enrolled(campaign.goal), of_version=_OF_VERSION)
        after = {key: Part(total, hits) for key, total, hits in fetch_rows(statement, params)}
        for key, step in found.items():
            step.after = after.get(key, Part())
    return found


def effect(*, campaign: Campaign, version_id: int | None = None, now: datetime) -> Effect | None:
    """Whether following up helped; None if nobody was ever left out, or could have reached the goal. One query.

    Only enrolments that have had all their days for the goal count. Who is left out gets no voucher to be redeemed:
    that more of the others redeem one would prove nothing.
    """
    if campaign.goal in (Campaign.Goal.NONE, Campaign.Goal.REDEEMED):
        return None
    params = {"campaigns": [campaign.pk], "since": EVER, "now": now, "version": version_id}
    statement = _ARMS.format(enrolled=goals.enrolled(campaign.goal), of_version=_OF_VERSION)
    found = {arm: Part(total, hits) for arm, total, hits in fetch_rows(statement, params)}
    if "holdout" not in found and not campaign.holdout_percent:
        return None
    return Effect(found.get("treated", Part()), found.get("holdout", Part()))
