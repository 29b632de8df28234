"""A sequence with its figures, step by step: in reading order, branches with both their ways."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.campaigns.figures import StepFigures
from apps.campaigns.names import Names
from apps.campaigns.picture import Card, draw, flat
from apps.campaigns.wording import STEP_ICONS, STEPS, UNKNOWN_ICON, reason_in_words
from apps.common.shares import Part
from apps.messaging.models import OutgoingEmail

_WENT = {OutgoingEmail.Status.SENT, OutgoingEmail.Status.DELIVERED, OutgoingEmail.Status.COMPLAINED}
"""What a mail is once it has left; a bounced one has, too, but says so itself."""


@dataclass(frozen=True, slots=True)
class Number:
    """One figure of a step, and why where there are reasons."""

    label: str
    value: int
    tone: str = ""
    """Of the mark in front of it: done, waiting, skipped, failed."""
    reasons: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class Node:
    """A step on the page."""

    card: Card
    came: int = 0
    numbers: list[Number] = field(default_factory=list)
    after: Part | None = None
    ways: Mapping[str, int] = field(default_factory=dict)
    yes: "list[Node]" = field(default_factory=list)
    no: "list[Node]" = field(default_factory=list)

    @property
    def is_branch(self) -> bool:
        """Whether two ways lead on from it."""
        return self.card.kind == "branch"

    @property
    def to_yes(self) -> int:
        """How many went the way of “yes”."""
        return self.ways.get("yes", 0)

    @property
    def to_no(self) -> int:
        """How many went the way of “no”."""
        return self.ways.get("no", 0)


def live(document: Any, names: Names, figures: Mapping[str, StepFigures]) -> list[Node]:
    """The steps of a version with what came of them."""
    return [_node(card, {key: _of_live(one) for key, one in figures.items()}) for card in draw(document, names)]


def gone(document: Any, names: Names, figures: Mapping[str, StepFigures]) -> list[Node]:
    """Steps that contacts came to and that the version does not have (any more)."""
    known = {card.key for card in flat(draw(document, names))}
    found = []
    for key, one in figures.items():
        if key not in known:
            label = str(STEPS.get(one.kind, one.kind))
            card = Card(
                key, "" if one.kind == "branch" else one.kind, label, STEP_ICONS.get(one.kind, UNKNOWN_ICON), key
            )
            found.append(_node(card, {key: _of_live(one)}))
    return found


def tried(document: Any, names: Names, steps: Mapping[str, Any]) -> list[Node]:
    """The steps of a trial with what would have come of them; ``steps`` as the trial's result has them."""
    return [_node(card, {key: _of_trial(one) for key, one in steps.items()}) for card in draw(document, names)]


def steps_to_choose(document: Any, names: Names) -> list[tuple[str, str]]:
    """Key and title of each step, for a filter."""
    return [(card.key, card.title) for card in flat(draw(document, names))]


_Told = tuple[int, list[Number], Part | None, Mapping[str, int]]


def _node(card: Card, told: Mapping[str, _Told]) -> Node:
    node = Node(card, yes=[_node(one, told) for one in card.yes], no=[_node(one, told) for one in card.no])
    if card.key in told:
        node.came, node.numbers, node.after, node.ways = told[card.key]
    return node


def _of_live(one: StepFigures) -> _Told:
    numbers = [
        Number(_("done"), one.done, "done"),
        Number(_("waiting"), one.waiting.total(), "waiting", _why(one.waiting)),
        Number(_("skipped"), one.skipped.total(), "revoked", _why(one.skipped)),
        Number(_("failed"), one.failed, "failed"),
    ]
    if one.mails:
        went = sum(count for status, count in one.mails.items() if status in _WENT)
        bounced = one.mails[OutgoingEmail.Status.BOUNCED]
        delivered = one.mails[OutgoingEmail.Status.DELIVERED] + one.mails[OutgoingEmail.Status.COMPLAINED]
        numbers += [
            Number(_("mails sent"), went + bounced),
            Number(_("of these delivered"), delivered),
            Number(_("bounced"), bounced, "bounced"),
        ]
    return one.came, _shown(numbers), one.after, one.ways


def _of_trial(one: Mapping[str, Any]) -> _Told:
    waiting, skipped = one["waiting"], one["skipped"]
    numbers = [
        Number(_("done"), one["done"], "done"),
        Number(_("would still wait"), sum(waiting.values()), "waiting", _why(waiting)),
        Number(_("skipped"), sum(skipped.values()), "revoked", _why(skipped)),
        Number(_("would have met the contact budget (estimate)"), one["over_budget"], "waiting"),
    ]
    return one["came"], _shown(numbers), None, one["ways"]


def _shown(numbers: Iterable[Number]) -> list[Number]:
    return [number for number in numbers if number.value]


def _why(reasons: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Reasons in words, the most frequent first; none where there is nothing to say."""
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return tuple((capfirst(str(reason_in_words(code))), count) for code, count in ordered if code)
