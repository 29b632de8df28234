"""Folding score changes into the rollups."""

from datetime import datetime

from django.db import connection, transaction

from apps.responses.models import ScoreChange

# One statement, so that a reader sees each change exactly once: as a change or in the rollup.
# The sorted insert makes two workers lock the cells in the same order.
_ROLL_UP = """
WITH taken AS (
    DELETE FROM responses_scorechange
    WHERE id = ANY(ARRAY(SELECT id FROM responses_scorechange ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED))
    RETURNING day, survey_id, touchpoint_id, is_incentivised, score, weight
), folded AS (
    INSERT INTO insights_rollup AS cell (day, survey_id, touchpoint_id, is_incentivised, score, responses)
    SELECT day, survey_id, touchpoint_id, is_incentivised, score, SUM(weight) FROM taken
    GROUP BY day, survey_id, touchpoint_id, is_incentivised, score
    HAVING SUM(weight) <> 0
    ORDER BY day, survey_id, touchpoint_id, is_incentivised, score
    ON CONFLICT (day, survey_id, touchpoint_id, is_incentivised, score)
    DO UPDATE SET responses = cell.responses + excluded.responses
)
SELECT COUNT(*) FROM taken
"""


def roll_up(*, now: datetime, limit: int = 10_000) -> int:
    """Fold up to ``limit`` score changes into the rollups; returns how many were folded.

    ``now`` is not needed for the figures; every drain step takes it.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ROLL_UP, [limit])
        return int(cursor.fetchone()[0])


def next_due(*, now: datetime) -> datetime | None:
    """Now if any score change waits, else None."""
    return now if ScoreChange.objects.exists() else None
