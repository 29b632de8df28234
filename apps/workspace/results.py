"""What a dry run came to, read from its stored result and ready to be shown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from apps.contacts.models import Contact
from apps.touchpoints.models import Event
from apps.triggers.models import Decision, DryRun
from apps.workspace import bars

ASKED = frozenset({Decision.Status.SCHEDULED, Decision.Status.DEFERRED})
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """The rule that was tried, or all the others together."""

    reasons: Mapping[Key, int]
    """(status, reason) → number of decisions."""
    days: Mapping[date, int]

    @property
    def decided(self) -> int:
        """How many decisions there were."""
        return sum(self.reasons.values())

    @property
    def asked(self) -> int:
        """How many would be asked, at once or later."""
        return sum(count for (status, _reason), count in self.reasons.items() if status in ASKED)

    @property
    def later(self) -> int:
        """How many of these would be asked later than wanted because of the contact budget."""
        return self.reasons.get((Decision.Status.DEFERRED, "budget"), 0)

    @property
    def not_asked(self) -> int:
        """How many would not be asked."""
        return self.decided - self.asked


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of the table: how often a reason decided."""

    status: str
    status_name: str
    code: str
    rule: int
    others: int


@dataclass(frozen=True, slots=True)
class Example:
    """One event of the past. What has been deleted since is None."""

    event: Event | None
    contact: Contact | None
    occurred_at: datetime
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Result:
    """A finished dry run."""

    events: int
    rule: Part
    others: Part
    headline: Part
    """Whose figures come first: the rule's, or, where only the budget was tried, everybody's."""
    reasons: Sequence[Reason]
    examples: Sequence[tuple[str, Sequence[Example]]]
    columns: Sequence[bars.Column]
    weekly: bool


def read(run: DryRun) -> Result:
    """The result of a finished run. Two queries, for the names in the examples; none without examples."""
    raw: dict[str, Any] = run.result or {"events": 0, "rule": _NOTHING, "others": _NOTHING}
    rule, others = _part(raw["rule"]), _part(raw["others"])
    lower, upper = (rule.days, others.days) if run.draft is not None else (others.days, {})
    since = (run.created_at - timedelta(days=run.days)).date()
    reasons = _reasons(rule, others)
    columns, weekly = bars.columns(lower, upper, since=since, until=run.created_at.date())
    return Result(
        events=raw["events"],
        rule=rule,
        others=others,
        headline=rule if run.draft is not None else others,
        reasons=reasons,
        examples=_examples(raw["rule"]["examples"], order=[reason.code for reason in reasons]),
        columns=columns,
        weekly=weekly,
    )


_NOTHING: dict[str, Any] = {"reasons": [], "days": {}, "examples": {}}


def _part(raw: Mapping[str, Any]) -> Part:
    reasons: Counter[Key] = Counter()
    for status, reason, count in raw["reasons"]:
        reasons[status, reason] += count
    return Part(
        reasons={key: count for key, count in reasons.items() if count > 0},
        days={date.fromisoformat(day): count for day, count in raw["days"].items() if count > 0},
    )


def _reasons(rule: Part, others: Part) -> list[Reason]:
    """First who is asked, then who is not; the most frequent of each on top."""
    order = [status.value for status in Decision.Status]
    names = dict(Decision.Status.choices)
    keys = sorted(
        rule.reasons.keys() | others.reasons.keys(),
        key=lambda key: (order.index(key[0]), -rule.reasons.get(key, 0), -others.reasons.get(key, 0), key[1]),
    )
    return [
        Reason(
            status, str(names[status]), code, rule.reasons.get((status, code), 0), others.reasons.get((status, code), 0)
        )
        for status, code in keys
    ]


def _examples(
    raw: Mapping[str, Sequence[Mapping[str, Any]]], *, order: Sequence[str]
) -> list[tuple[str, list[Example]]]:
    rows = [row for some in raw.values() for row in some]
    if not rows:
        return []
    events = Event.objects.select_related("touchpoint").defer("properties", "contact_data")
    known_events = events.in_bulk({UUID(row["event"]) for row in rows})
    known_contacts = Contact.objects.defer("properties").in_bulk({UUID(row["contact"]) for row in rows})

    def example(row: Mapping[str, Any]) -> Example:
        return Example(
            event=known_events.get(UUID(row["event"])),
            contact=known_contacts.get(UUID(row["contact"])),
            occurred_at=datetime.fromisoformat(row["occurred_at"]),
            at=datetime.fromisoformat(row["at"]) if row["at"] else None,
        )

    codes = sorted(raw, key=lambda code: order.index(code) if code in order else len(order))
    return [(code, [example(row) for row in raw[code]]) for code in codes if raw[code]]
