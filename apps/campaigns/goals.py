"""When enrolments reached their campaign's goal: found in what happened, so that nothing has to be noted."""

from collections.abc import Mapping

from apps.campaigns.models import Campaign

_LATER = """
    FROM responses_response r
    WHERE r.contact_id = x.contact_id AND r.id <> x.id AND NOT r.is_suspected AND r.channel <> 'import'
      AND r.answered_at > e.enrolled_at AND r.answered_at <= {until}
"""
_REACHED: Mapping[str, str] = {
    Campaign.Goal.ANSWERED: f"SELECT min(r.answered_at) AS at {_LATER}",
    # The next score decides: who goes down first has not gone up.
    Campaign.Goal.HIGHER: f"""
        SELECT CASE WHEN later.score > x.score THEN later.answered_at END AS at FROM (
            SELECT r.score, r.answered_at {_LATER} AND r.score IS NOT NULL ORDER BY r.answered_at, r.id LIMIT 1
        ) AS later
    """,  # noqa: S608
    # A reason that is only added leaves no revision: then it came, at the latest, with the last change.
    Campaign.Goal.COMMENT: """
        SELECT min(said.at) AS at FROM (
            SELECT min(v.replaced_at) AS at FROM responses_revision v
            WHERE v.response_id = x.id AND v.comment <> '' AND v.suspicions = '[]' AND v.replaced_at > e.enrolled_at
            UNION ALL SELECT x.updated_at WHERE x.comment <> ''
        ) AS said WHERE NOT e.had_comment AND said.at <= {until}
    """,
    Campaign.Goal.EVENT: """
        SELECT min(v.occurred_at) AS at FROM touchpoints_event v
        WHERE v.contact_id = e.contact_id AND v.touchpoint_id = c.goal_touchpoint_id
          AND v.occurred_at > e.enrolled_at AND v.occurred_at <= {until}
    """,
    Campaign.Goal.REDEEMED: """
        SELECT min(v.redeemed_at) AS at FROM incentives_voucher v
        WHERE v.response_id = x.id AND v.redeemed_at > e.enrolled_at AND v.redeemed_at <= {until}
    """,
}
_UNTIL = "e.enrolled_at + c.goal_days * interval '1 day'"
_NEVER = "SELECT NULL::timestamptz AS at"
# Who had said why before cannot do it later: such enrolments are not measured.
_MEASURED = {Campaign.Goal.NONE: "FALSE", Campaign.Goal.COMMENT: "NOT e.had_comment"}
_ENROLLED = """
    SELECT e.id, e.campaign_id, e.version_id, e.contact_id, e.arm, e.state, e.enrolled_at, goal.at,
           {measured} AS is_measured, {until} <= %(now)s AS is_over
    FROM campaigns_enrolment e
    JOIN campaigns_campaign c ON c.id = e.campaign_id
    JOIN responses_response x ON x.id = e.response_id
    LEFT JOIN LATERAL ({reached}) AS goal ON TRUE
    WHERE e.campaign_id = ANY(%(campaigns)s) AND e.enrolled_at >= %(since)s
"""


def enrolled(goal: str) -> str:
    """SQL for all enrolments of campaigns with this goal, each with ``at``, when it reached the goal in time.

    Its parameters: ``campaigns`` (ids), ``since`` (enrolled from then on), ``now``. ``is_measured``: whether it could
    reach the goal at all; ``is_over``: whether its days for that have passed.
    """
    reached = _REACHED.get(goal, _NEVER).format(until=_UNTIL)
    return _ENROLLED.format(measured=_MEASURED.get(Campaign.Goal(goal), "TRUE"), until=_UNTIL, reached=reached)
