"""A trigger rule as the engine knows it, made from a snapshot: saved rules, drafts and old versions alike. Pure.

A snapshot is plain JSON (:data:`Snapshot`), so that it can be stored with the decision it led to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from apps.common.conditions import Catalogue, Condition, Kind, parse
from apps.common.schedule import Calendar, add_working_days, next_morning, parse_windows
from apps.contacts.budget import Plan, property_text

Snapshot = dict[str, Any]
LEARNED, CONTROL = "learned", "control"
ASK_AFTER = "ask_after_seconds"
"""The property by which an event makes its rules wait so much longer than they say."""
LONGEST_EXTRA = timedelta(days=365)
CONTROL_PERCENT = 20
"""So many contacts keep the usual time where a rule sends at the best hour."""
_CLOSED: dict[str, Kind] = {
    "contact.email": Kind.TEXT,
    "contact.external_id": Kind.TEXT,
    "contact.name": Kind.TEXT,
    "contact.locale": Kind.TEXT,
    "contact.country": Kind.TEXT,
    "contact.region": Kind.TEXT,
    "contact.time_zone": Kind.TEXT,
    "contact.created_at": Kind.TIME,
    "company.name": Kind.TEXT,
    "company.external_id": Kind.TEXT,
    "company.country": Kind.TEXT,
    "history.last_score": Kind.NUMBER,
    "history.last_response_at": Kind.TIME,
    "history.days_since_response": Kind.NUMBER,
    "history.responses": Kind.NUMBER,
    "history.events": Kind.NUMBER,
    "history.lifetime_days": Kind.NUMBER,
}
_HERE: dict[str, Kind] = {
    "event.touchpoint": Kind.TEXT,
    "event.source": Kind.TEXT,
    "history.events_here": Kind.NUMBER,
}
SEGMENT_CATALOGUE = Catalogue(fields=_CLOSED, open_roots=frozenset({"contact", "company"}))
CATALOGUE = Catalogue(fields={**_CLOSED, **_HERE}, open_roots=frozenset({"event", "contact", "company"}))


def parse_condition(tree: object, segments: Mapping[str, object]) -> Condition:
    """A rule's condition. Raises ConditionError that names all that is wrong."""
    return parse(tree, CATALOGUE, segments)


def parse_segment(tree: object) -> Condition:
    """A segment's condition: over contacts only, and no segment within a segment. Raises ConditionError."""
    return parse(tree, SEGMENT_CATALOGUE)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule ready to decide."""

    origin: str
    """What its approaches are counted under, e.g. ``rule:5``."""
    rule_id: int | None
    version_id: int | None
    name: str
    survey_id: int
    touchpoint_ids: frozenset[int]
    condition: Condition
    wait: str
    delay: timedelta
    working_days: int
    morning_minute: int
    expires_after: timedelta
    priority: int
    percent: int
    is_active: bool
    active_from: datetime | None
    active_until: datetime | None
    plans: Mapping[int | None, Plan]
    """Per touchpoint, with its exceptions from the contact budget; ``None``: anywhere else."""
    fields: frozenset[str]
    """What its condition speaks of, its segments' conditions included."""
    best_hour: bool = False
    """Whether a contact is asked at the hour at which it usually answers."""
    is_broken: bool = False
    """True if it cannot be understood (any more), for it names a segment that was deleted: it asks nobody."""

    @property
    def needs_history(self) -> bool:
        """Whether it has to be known what happened to the contact before."""
        return any(name.startswith("history.") for name in self.fields)

    def wanted_at(self, occurred_at: datetime, calendar: Calendar) -> datetime:
        """When the contact should be asked, if nothing stands against it."""
        if self.wait == "working_days":
            return add_working_days(occurred_at, self.working_days, calendar)
        if self.wait == "morning":
            return next_morning(occurred_at, self.morning_minute, calendar)
        return occurred_at + self.delay

    def plan_for(self, touchpoint_id: int | None, occurred_at: datetime, properties: object) -> Plan:
        """What an approach about this event keeps to; which later event takes it back depends on this one."""
        plan = self.plans.get(touchpoint_id) or self.plans[None]
        if not plan.revoked_by:
            return plan
        value = property_text(properties, plan.match) if plan.match else ""
        return replace(plan, cause_at=occurred_at, match_value=value)

    def samples(self, key: bytes) -> bool:
        """Whether the share that is asked includes this occasion. A hash, so that it can be repeated."""
        return self.percent >= 100 or sampled(self.origin, key) < self.percent

    def hour_arm(self, contact_id: bytes) -> str:
        """Which part of the comparison a contact belongs to: one in five keeps the usual time, always the same ones."""
        return CONTROL if sampled(f"{self.origin}|hour", contact_id) < CONTROL_PERCENT else LEARNED


def extra_wait(properties: object) -> timedelta:
    """How much longer an event asks its rules to wait: at most a year; nothing where it says nothing sensible."""
    seconds = properties.get(ASK_AFTER) if isinstance(properties, Mapping) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        return timedelta(0)
    return timedelta(seconds=min(seconds, LONGEST_EXTRA.total_seconds()))


def sampled(origin: str, key: bytes) -> float:
    """A number in [0, 100), the same each time for the same rule and occasion."""
    return int.from_bytes(blake2b(key, digest_size=4, key=origin.encode()[:64]).digest(), "big") * 100 / 2**32


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def rule_from(snapshot: Snapshot, *, rule_id: int | None, version_id: int | None = None) -> Rule:
    """The rule of a snapshot. Raises ConditionError or ScheduleError if the snapshot was never valid."""
    condition = parse_condition(
        snapshot["condition"], {key: found["condition"] for key, found in snapshot["segments"].items()}
    )
    origin = f"rule:{rule_id}" if rule_id is not None else "draft"
    saved = [parse_segment(found["condition"]) for found in snapshot["segments"].values()]
    fields = condition.fields.union(*(part.fields for part in saved))
    return Rule(
        origin=origin,
        rule_id=rule_id,
        version_id=version_id,
        name=snapshot["name"],
        survey_id=snapshot["survey"]["id"],
        touchpoint_ids=frozenset(t["id"] for t in snapshot["touchpoints"]),
        condition=condition,
        wait=snapshot["wait"],
        delay=timedelta(seconds=snapshot["delay"]),
        working_days=snapshot["working_days"],
        morning_minute=snapshot["morning_minute"],
        expires_after=timedelta(seconds=snapshot["expires_after"]),
        priority=snapshot["priority"],
        percent=snapshot["percent"],
        is_active=snapshot["is_active"] and snapshot["survey"]["is_active"],
        active_from=_moment(snapshot["active_from"]),
        active_until=_moment(snapshot["active_until"]),
        plans=_plans(snapshot, origin),
        fields=fields,
        best_hour=snapshot.get("best_hour", False),
    )


def _plans(snapshot: Snapshot, origin: str) -> dict[int | None, Plan]:
    plan = Plan(
        windows=parse_windows(snapshot["windows"]),
        skip_holidays=snapshot["skip_holidays"],
        origin=origin,
        daily_cap=snapshot["daily_cap"],
        revoked_by=frozenset(t["id"] for t in snapshot["revoked_by"]),
        match=snapshot["revoke_match"],
        topic_gap=timedelta(days=snapshot["survey"]["min_days_between"]),
    )
    plans: dict[int | None, Plan] = {None: plan}
    for touchpoint in snapshot["touchpoints"]:
        days = touchpoint["exception_days"]
        gap = None if days is None else timedelta(days=days)
        plans[touchpoint["id"]] = replace(plan, min_gap=gap, beyond_caps=touchpoint["beyond_caps"])
    return plans


def broken_rule(snapshot: Snapshot, *, rule_id: int | None, version_id: int | None) -> Rule:
    """What is left of a rule that cannot be understood: it says so of every event, and its neighbours go on."""
    return replace(
        _AT_ONCE,
        origin=f"rule:{rule_id}",
        rule_id=rule_id,
        version_id=version_id,
        name=snapshot["name"],
        survey_id=snapshot["survey"]["id"],
        touchpoint_ids=frozenset(t["id"] for t in snapshot["touchpoints"]),
        priority=snapshot["priority"],
        plans={None: Plan()},
        is_broken=True,
    )


def cadence_rule(
    *,
    origin: str,
    name: str,
    survey: tuple[int, bool, int],
    condition: object,
    touchpoint: Any,
    asking: Any,
) -> Rule:
    """A cadence as a rule that fires by itself.

    ``survey``: id, is it active, days between two askings. ``asking``: whatever has windows, shares and limits.
    """
    survey_id, survey_is_active, days_between = survey
    parsed = parse_segment(condition)
    exception = touchpoint.exception_days if touchpoint else None
    plan = Plan(
        windows=parse_windows(asking.windows),
        skip_holidays=asking.skip_holidays,
        origin=origin,
        daily_cap=asking.daily_cap,
        topic_gap=timedelta(days=days_between),
        min_gap=None if exception is None else timedelta(days=exception),
        beyond_caps=bool(touchpoint and touchpoint.beyond_caps),
    )
    return replace(
        _AT_ONCE,
        origin=origin,
        name=name,
        survey_id=survey_id,
        condition=parsed,
        expires_after=asking.expires_after,
        priority=asking.priority,
        percent=asking.percent,
        is_active=asking.is_active and survey_is_active,
        plans={None: plan},
        fields=parsed.fields,
        best_hour=asking.best_hour,
    )


_AT_ONCE = Rule(
    origin="", rule_id=None, version_id=None, name="", survey_id=0, touchpoint_ids=frozenset(),
    condition=parse_segment({}), wait="duration", delay=timedelta(0), working_days=0, morning_minute=0,
    expires_after=timedelta(0), priority=0, percent=100, is_active=False, active_from=None, active_until=None,
    plans={}, fields=frozenset(),
)  # fmt: skip
