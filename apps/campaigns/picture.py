"""A sequence as a picture: cards one below the other, branches side by side. Also of drafts that are not right yet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from apps.campaigns import sentences
from apps.campaigns.names import Names
from apps.campaigns.sequence import MAX_STEPS
from apps.campaigns.wording import STEP_ICONS, STEPS, UNKNOWN_ICON

MAX_DEPTH = 12


@dataclass(slots=True)
class Card:
    """One step: what it is, what it says of itself, and the two ways of a branch."""

    key: str
    kind: str
    label: str
    icon: str
    text: str
    notes: list[str] = field(default_factory=list)
    number: int = 0
    yes: "list[Card]" = field(default_factory=list)
    no: "list[Card]" = field(default_factory=list)
    mark: "Mark | None" = None

    @property
    def yes_ends(self) -> bool:
        """Whether the way of “yes” does not come together again with the other."""
        return bool(self.yes) and self.yes[-1].kind == "stop"

    @property
    def no_ends(self) -> bool:
        """The same of “no”."""
        return bool(self.no) and self.no[-1].kind == "stop"

    @property
    def title(self) -> str:
        """“Step 3: e-mail, “Sorry””."""
        return _("Step %(number)d: %(kind)s, %(text)s") % {
            "number": self.number, "kind": self.label, "text": self.text
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to be seen at a card: how far somebody got, or how many wait there."""

    state: str
    """pending, done, skipped, failed, waiting, added, changed, removed."""
    text: str
    way: str = ""
    """Of a branch the way that was taken."""

    @property
    def icon(self) -> str:
        """For those who do not tell colours apart."""
        return _MARK_ICONS.get(self.state, "circle-dot")


_MARK_ICONS = {
    "done": "circle-check", "skipped": "circle-slash", "failed": "circle-x", "pending": "clock", "waiting": "users",
}  # fmt: skip


def draw(document: Any, names: Names, marks: Mapping[str, Mark] | None = None) -> list[Card]:
    """The cards of a document, in reading order; what is no step is left out."""
    steps = document.get("steps") if isinstance(document, dict) else None
    return _way(steps, names, marks or {}, _Count(), 1)


def flat(cards: list[Card]) -> Iterator[Card]:
    """All cards in reading order."""
    for card in cards:
        yield card
        yield from flat(card.yes)
        yield from flat(card.no)


class _Count:
    number = 0


def _way(steps: Any, names: Names, marks: Mapping[str, Mark], count: _Count, depth: int) -> list[Card]:
    found: list[Card] = []
    if not isinstance(steps, list) or depth > MAX_DEPTH:
        return found
    for step in steps[: MAX_STEPS * 2]:
        if not isinstance(step, dict) or count.number >= MAX_STEPS * 4:
            continue
        count.number += 1
        card = _card(step, names, count.number)
        card.mark = marks.get(card.key)
        if card.kind == "branch":
            card.yes = _way(step.get("yes"), names, marks, count, depth + 1)
            card.no = _way(step.get("no"), names, marks, count, depth + 1)
        found.append(card)
    return found


def _card(step: Mapping[str, Any], names: Names, number: int) -> Card:
    kind = step.get("kind") if isinstance(step.get("kind"), str) else ""
    return Card(
        key=str(step.get("key", ""))[:40],
        kind=str(kind),
        label=str(STEPS.get(str(kind), str(kind)[:40] or "?")),
        icon=STEP_ICONS.get(str(kind), UNKNOWN_ICON),
        text=sentences.step(str(kind), step, names),
        notes=sentences.notes(step),
        number=number,
    )
