"""How scores at touchpoints go together with what the same contacts say of the whole later, learnt once a day.

What a contact says *of the whole* is an answer that belongs to no touchpoint, or one to a survey that cadences ask and
no trigger rule does: it comes around by the calendar, wherever its answers are counted. An answer to a survey that is
asked by both tells of its touchpoint. Machines' answers and those of nobody in particular count for neither side.

Each contact counts at most once per touchpoint: with the latest score there after which it said something of the
whole within a year, and with the first thing it said then. Only the latest answers about the whole are looked at.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from apps.common.bulk import execute
from apps.insights.influence import Association, influence
from apps.insights.models import Influence, Rollup

QUEUE = "insights.influence"
EVERY = timedelta(days=1)
WITHIN = timedelta(days=365)
LATEST = 200_000
"""So many answers about the whole are looked at, the latest first: what it costs does not grow for ever."""

# One statement: whoever reads sees what was learnt before or now, never a part. Touchpoints without pairs get a row as
# well, so that it can be told when they were last looked at.
_LEARN = """
WITH whole AS (
    SELECT DISTINCT survey_id FROM triggers_cadence
    WHERE survey_id NOT IN (SELECT survey_id FROM triggers_triggerrule)
), counted AS (
    SELECT id, contact_id, survey_id, touchpoint_id, score, answered_at,
           touchpoint_id IS NULL OR survey_id IN (SELECT survey_id FROM whole) AS is_whole
    FROM responses_response
    WHERE contact_id IS NOT NULL AND score IS NOT NULL AND NOT is_suspected AND answered_at <= %(now)s
), later AS MATERIALIZED (
    SELECT id, contact_id, score, answered_at FROM counted
    WHERE is_whole ORDER BY answered_at DESC, id DESC LIMIT %(latest)s
), pairs AS (
    SELECT DISTINCT ON (here.touchpoint_id, later.contact_id)
           here.touchpoint_id, here.score AS here, later.score AS later
    FROM later JOIN counted AS here ON here.contact_id = later.contact_id AND NOT here.is_whole
        AND here.answered_at < later.answered_at AND here.answered_at >= later.answered_at - %(within)s::interval
    ORDER BY here.touchpoint_id, later.contact_id, here.answered_at DESC, here.id DESC, later.answered_at, later.id
), cells AS (
    SELECT touchpoint_id, here, later, count(*) AS contacts FROM pairs GROUP BY 1, 2, 3
), found AS (
    SELECT touchpoint_id, jsonb_object_agg(here || ',' || later, contacts) AS pairs FROM cells GROUP BY 1
)
INSERT INTO insights_influence AS known (touchpoint_id, pairs, since, until, computed_at)
SELECT t.id, COALESCE(found.pairs, '{}'), COALESCE((SELECT min(answered_at)::date FROM later), %(today)s::date),
       %(today)s::date, %(now)s
FROM touchpoints_touchpoint AS t LEFT JOIN found ON found.touchpoint_id = t.id ORDER BY t.id
ON CONFLICT (touchpoint_id) DO UPDATE
SET pairs = excluded.pairs, since = excluded.since, until = excluded.until, computed_at = excluded.computed_at
"""


def learn(*, now: datetime, latest: int = LATEST) -> int:
    """Count the pairs of all touchpoints anew; returns the number of touchpoints. One statement.

    ``latest``: how many answers about the whole are looked at.
    """
    return execute(_LEARN, {"now": now, "today": now.date(), "latest": latest, "within": WITHIN})


def learn_due(*, now: datetime) -> int:
    """The same if it is time; else 0. Two queries at most to find out."""
    due_at = next_due(now=now)
    return learn(now=now) if due_at is not None and due_at <= now else 0


def next_due(*, now: datetime) -> datetime | None:
    """A day after the last time; now if there are answers at touchpoints and nothing was learnt yet; else None."""
    last = Influence.objects.order_by("-computed_at").values_list("computed_at", flat=True).first()
    if last is not None:
        return last + EVERY
    return now if Rollup.objects.filter(touchpoint__isnull=False).exists() else None


def pairs_of(row: Influence) -> dict[tuple[int, int], int]:
    """Score here and score later → contacts."""
    found = {}
    for key, contacts in sorted(row.pairs.items()):
        here, _comma, later = key.partition(",")
        found[int(here), int(later)] = int(contacts)
    return found


def at_touchpoint(*, touchpoint_id: int) -> tuple[Influence, Association] | None:
    """What was learnt of a touchpoint; None if nothing was yet. One query."""
    row = Influence.objects.filter(touchpoint=touchpoint_id).first()
    return (row, influence(pairs_of(row))) if row else None


def everywhere() -> Mapping[int, Association]:
    """What was learnt of all touchpoints, by their ids. One query."""
    return {row.touchpoint_id: influence(pairs_of(row)) for row in Influence.objects.all()}
