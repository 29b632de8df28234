"""Who is asked what and when, what was decided, and what would be decided."""

from apps.triggers.models.cadences import Cadence
from apps.triggers.models.decisions import Decision
from apps.triggers.models.delighted import AutopilotMember, DelightedConnection
from apps.triggers.models.dry_runs import DryRun
from apps.triggers.models.rules import RuleVersion, TriggerRule
from apps.triggers.models.segments import Segment

__all__ = [
    "AutopilotMember",
    "Cadence",
    "Decision",
    "DelightedConnection",
    "DryRun",
    "RuleVersion",
    "Segment",
    "TriggerRule",
]
