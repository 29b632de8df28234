"""What asking at the best hour brings: the response rate there against that of the usual time, and how sure that is."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.common.bulk import fetch_rows
from apps.common.shares import Part, newcombe, verdict
from apps.triggers.models import Cadence, TriggerRule
from apps.triggers.rules import CONTROL, LEARNED

BACK = timedelta(days=365)
PATIENCE = timedelta(days=7)
"""So long each invitation has for its answer; a younger one is not counted yet."""
MINIMUM = 100
"""Invitations in each part below which nothing is said."""
_COUNTS = """
    SELECT d.rule_id, d.cadence_id, i.hour_arm, count(*),
           count(*) FILTER (WHERE r.id IS NOT NULL OR i.used_on <= (i.send_at + %s)::date)
    FROM surveys_invitation i
    LEFT JOIN triggers_decision d ON d.invitation_id = i.id
    LEFT JOIN messaging_outgoingemail m ON m.id = i.email_id
    LEFT JOIN responses_response r
        ON r.invitation_id = i.id AND NOT r.is_suspected AND r.answered_at <= i.send_at + %s
    WHERE i.hour_arm <> '' AND i.status = 'queued' AND i.send_at >= %s AND i.send_at < %s
      AND (m.status IS NULL OR m.status NOT IN ('failed', 'revoked', 'bounced'))
    GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Effect:
    """The comparison of one rule or cadence, or of all together (``name`` is ""). Differences are shares, -1 to 1."""

    name: str
    learned: Part
    control: Part

    @property
    def is_enough(self) -> bool:
        """Whether there are so many that anything may be said."""
        return min(self.learned.total, self.control.total) >= MINIMUM

    @property
    def difference(self) -> float:
        """How much more answered at the best hour."""
        return self.learned.rate - self.control.rate

    @property
    def bounds(self) -> tuple[float, float]:
        """Within what the difference lies, with 95 % confidence."""
        return newcombe(self.learned, self.control)

    @property
    def verdict(self) -> str:
        """``too_few``, ``chance``, ``better`` or ``worse``."""
        return verdict(self.learned, self.control, at_least=MINIMUM)


def effects(*, now: datetime) -> list[Effect]:
    """All together first, then each rule and cadence by name; [] if nothing was compared. Three queries at most."""
    rows = fetch_rows(_COUNTS, [PATIENCE, PATIENCE, now - BACK, now - PATIENCE])
    if not rows:
        return []
    names = _names(rows)
    parts: dict[str, dict[str, Part]] = defaultdict(lambda: {LEARNED: Part(), CONTROL: Part()})
    for rule_id, cadence_id, arm, asked, answered in rows:
        own = names.get((rule_id, cadence_id), "")
        for name in {"", own}:
            parts[name][arm] = parts[name][arm].plus(asked, answered)
    return [Effect(name, parts[name][LEARNED], parts[name][CONTROL]) for name in sorted(parts)]


def _names(rows: Iterable[tuple[int | None, int | None, str, int, int]]) -> dict[tuple[int | None, int | None], str]:
    rows = list(rows)
    rules = TriggerRule.objects.in_bulk({row[0] for row in rows if row[0] is not None})
    cadences = Cadence.objects.in_bulk({row[1] for row in rows if row[1] is not None})
    named = {(pk, None): rule.name for pk, rule in rules.items()}
    return {**named, **{(None, pk): cadence.name for pk, cadence in cadences.items()}}
