"""Folding score changes into the rollups."""

from datetime import datetime

from django.db import connection, transaction

from apps.insights.models import SCORE_COLUMNS
from apps.responses.models import ScoreChange

_SUMS = ", ".join(f"COALESCE(SUM(weight) FILTER (WHERE score = {score}), 0)" for score in range(11))
_ADDED = ", ".join(f"{column} = cell.{column} + excluded.{column}" for column in SCORE_COLUMNS)

# One statement, so that a reader sees each change exactly once: as a change or in the rollup.
# The sorted insert makes two workers lock the cells in the same order. What was added and taken back leaves no cell.
_ROLL_UP = f"""
WITH taken AS (
    DELETE FROM responses_scorechange
    WHERE id = ANY(ARRAY(SELECT id FROM responses_scorechange ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED))
    RETURNING day, survey_id, touchpoint_id, is_incentivised, score, weight
), summed AS (
    SELECT day, survey_id, touchpoint_id, is_incentivised, score, SUM(weight)::integer AS weight FROM taken
    GROUP BY day, survey_id, touchpoint_id, is_incentivised, score HAVING SUM(weight) <> 0
), folded AS (
    INSERT INTO insights_rollup AS cell (day, survey_id, touchpoint_id, is_incentivised, {", ".join(SCORE_COLUMNS)})
    SELECT day, survey_id, touchpoint_id, is_incentivised, {_SUMS} FROM summed
    GROUP BY day, survey_id, touchpoint_id, is_incentivised
    ORDER BY day, survey_id, touchpoint_id, is_incentivised
    ON CONFLICT (day, survey_id, touchpoint_id, is_incentivised) DO UPDATE SET {_ADDED}
)
SELECT COUNT(*) FROM taken
"""  # noqa: S608 - columns of our own


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
