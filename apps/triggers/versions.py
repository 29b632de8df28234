"""Rules as snapshots, and the versions that are kept of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from apps.common.conditions import ConditionError
from apps.common.schedule import ScheduleError
from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint
from apps.triggers.models import RuleVersion, Segment, TriggerRule
from apps.triggers.rules import Rule, Snapshot, broken_rule, rule_from

ONE_SECOND = timedelta(seconds=1)


def load_rules(*, rules: Iterable[TriggerRule], now: datetime) -> list[Rule]:
    """Rules ready to decide, each with its current version; a changed rule gets a new one. Four queries."""
    found = list(rules)
    versions = record(rules=found, now=now)
    return [ready(v.snapshot, rule_id=rule.pk, version_id=v.pk) for rule, v in zip(found, versions, strict=True)]


def ready(snapshot: Snapshot, *, rule_id: int | None, version_id: int | None = None) -> Rule:
    """The rule of a snapshot; one that cannot be understood asks nobody and says so."""
    try:
        return rule_from(snapshot, rule_id=rule_id, version_id=version_id)
    except (ConditionError, ScheduleError):
        return broken_rule(snapshot, rule_id=rule_id, version_id=version_id)


@transaction.atomic
def record(*, rules: Sequence[TriggerRule], now: datetime, by: str = "") -> list[RuleVersion]:
    """The current version of each rule, in order; made where the rule differs from the last one kept."""
    segments = {segment.key: segment for segment in Segment.objects.all()}
    latest = _latest([rule.pk for rule in rules])
    result, fresh = [], []
    for rule in rules:
        now_is = snapshot(rule, segments=segments)
        version = latest.get(rule.pk)
        if version is None or version.snapshot != now_is:
            number = version.number + 1 if version else 1
            version = RuleVersion(rule=rule, number=number, snapshot=now_is, created_at=now, created_by=by)
            fresh.append(version)
        result.append(version)
    if not fresh:
        return result
    _write([version.rule_id for version in fresh if version.rule_id], segments, now, by)
    latest = _latest([rule.pk for rule in rules])
    return [latest.get(rule.pk) or version for rule, version in zip(rules, result, strict=True)]


def _write(rule_ids: list[int], segments: dict[str, Segment], now: datetime, by: str) -> None:
    """Write versions of rules as they are once nobody else changes them: what was read before may be old."""
    rows = TriggerRule.objects.filter(pk__in=rule_ids).order_by("pk").select_related("survey")
    rules = list(rows.select_for_update(no_key=True, of=("self",)).prefetch_related("touchpoints", "revoked_by"))
    latest = _latest(rule_ids)
    fresh = []
    for rule in rules:
        now_is, last = snapshot(rule, segments=segments), latest.get(rule.pk)
        if last is None or last.snapshot != now_is:
            number = last.number + 1 if last else 1
            fresh.append(RuleVersion(rule=rule, number=number, snapshot=now_is, created_at=now, created_by=by))
    RuleVersion.objects.bulk_create(fresh)


def _latest(rule_ids: Sequence[int]) -> dict[int, RuleVersion]:
    rows = RuleVersion.objects.filter(rule_id__in=rule_ids).order_by("rule_id", "-number").distinct("rule_id")
    return {row.rule_id: row for row in rows if row.rule_id is not None}


def snapshot(
    rule: TriggerRule,
    *,
    segments: dict[str, Segment],
    touchpoints: Iterable[Touchpoint] | None = None,
    revoked_by: Iterable[Touchpoint] | None = None,
) -> Snapshot:
    """A rule as plain JSON. The touchpoints of one that is not saved yet must be given."""
    used = _segments_in(rule.condition)
    touchpoints = rule.touchpoints.all() if touchpoints is None else touchpoints
    revoked_by = rule.revoked_by.all() if revoked_by is None else revoked_by
    return {
        "name": rule.name,
        "touchpoints": [
            {**_named(t), "exception_days": t.exception_days, "beyond_caps": t.beyond_caps}
            for t in sorted(touchpoints, key=lambda t: t.pk)
        ],
        "survey": _survey(rule.survey),
        "condition": rule.condition,
        "segments": {
            key: {"name": segments[key].name, "condition": segments[key].condition} for key in used if key in segments
        },
        "wait": str(rule.wait),
        "delay": rule.delay // ONE_SECOND,
        "working_days": rule.working_days,
        "morning_minute": rule.morning_at.hour * 60 + rule.morning_at.minute,
        "windows": rule.windows,
        "skip_holidays": rule.skip_holidays,
        "percent": rule.percent,
        "daily_cap": rule.daily_cap,
        "expires_after": rule.expires_after // ONE_SECOND,
        "priority": rule.priority,
        "is_active": rule.is_active,
        "active_from": rule.active_from.isoformat() if rule.active_from else None,
        "active_until": rule.active_until.isoformat() if rule.active_until else None,
        "revoked_by": [_named(t) for t in sorted(revoked_by, key=lambda t: t.pk)],
        "revoke_match": rule.revoke_match,
        # Left out where it is off: what is kept of rules from before this choice still says the same.
        **({"best_hour": True} if rule.best_hour else {}),
    }


def _named(touchpoint: Touchpoint) -> dict[str, Any]:
    return {"id": touchpoint.pk, "key": touchpoint.key, "name": touchpoint.name}


def _survey(survey: Survey) -> dict[str, Any]:
    return {
        "id": survey.pk,
        "key": survey.key,
        "name": survey.name,
        "is_active": survey.is_active,
        "min_days_between": survey.min_days_between,
    }


def _segments_in(tree: Any) -> list[str]:
    """Keys of the segments a condition names, sorted."""
    if isinstance(tree, dict):
        if tree.get("field") == "segment":
            return [str(tree.get("value"))]
        return sorted({key for part in tree.values() for key in _segments_in(part)})
    return sorted({key for part in tree for key in _segments_in(part)}) if isinstance(tree, list) else []
