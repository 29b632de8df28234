"""Who is asked what and when: rules, cadences, segments; what was decided, and what would be."""

from apps.triggers.admin import budget, cadences, decisions, dry_runs, rules, segments, why

__all__ = ["budget", "cadences", "decisions", "dry_runs", "rules", "segments", "why"]
