"""Explanations of the engine in words: what was compared, what is in the way, what the contact budget says."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.durations import format_duration
from apps.contacts.models import ContactBudget
from apps.triggers.eligibility import plain
from apps.triggers.explain import CheckResult, Explanation
from apps.triggers.models import Decision
from apps.triggers.reasons import sentence
from apps.triggers.rules import Snapshot
from apps.triggers.sentences import field_in_words, leaf_in_words, segment_names, value_in_words

YES, LATER, NO = "yes", "later", "no"
# What is found there says no more than that the comparison failed.
_SAYS_ITSELF = frozenset({"exists", "missing", "in_segment", "not_in_segment"})
_PARTS: dict[str, Promise] = {
    "min_gap": gettext_lazy("Another approach to this contact lies too close."),
    "cap": gettext_lazy("The contact has had as many approaches as the contact budget allows."),
    "survey_gap": gettext_lazy("The contact was asked this survey too recently."),
    "company": gettext_lazy("The company has had as many approaches as the contact budget allows."),
    "recent_answer": gettext_lazy("The contact answered or refused too recently."),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Would the contact be asked: yes, later or no; since when or why not."""

    state: str
    because: str | Promise
    at: datetime | None = None


def state_of(check: CheckResult) -> str:
    """Passed, passed but later than wanted, or not passed."""
    if not check.passed:
        return NO
    return LATER if check.reason else YES


def answer(explanation: Explanation) -> Answer:
    """All checks in one; the first one that is not passed decides."""
    failed = next((check for check in explanation.checks if not check.passed), None)
    if failed is not None:
        return Answer(NO, sentence(failed.reason))
    last = explanation.checks[-1]
    return Answer(state_of(last), sentence(last.reason) if last.reason else "", last.at)


def part_in_words(part: str) -> str | Promise:
    """Which part of the contact budget is in the way."""
    return _PARTS.get(part, part)


def comparisons(check: CheckResult, snapshot: Snapshot) -> list[tuple[str, str]]:
    """Each comparison of a condition: yes or no as the rule wants it, and “total ≥ 100; found 80”."""
    return [
        # Under a “not” a comparison must fail.
        (
            YES if found.passed != found.negated else NO,
            _compared(found.field, found.op, found.value, found.found, snapshot),
        )
        for found in check.comparisons
    ]


def failed_comparison(decision: Decision) -> str:
    """The comparison for which a rule's condition did not hold, as noted with the decision; "" if none was."""
    noted: dict[str, Any] = decision.details
    if decision.reason != "condition" or decision.rule_version is None or not {"field", "op"} <= noted.keys():
        return ""
    return _compared(
        noted["field"], noted["op"], noted.get("value"), noted.get("found"), decision.rule_version.snapshot
    )


class _Leaf(NamedTuple):
    field: str
    op: str
    value: Any
    negated: bool


def _compared(field: str, op: str, value: Any, found: Any, snapshot: Snapshot) -> str:
    # What is noted of a value is cut to be kept; the rule has it whole, and knows of the “not” above it.
    noted = (field, op, value)
    leaves = _leaves(snapshot["condition"])
    leaf = next((leaf for leaf in leaves if (leaf.field, leaf.op, plain(leaf.value)) == noted), None)
    if leaf is None:
        text = field_in_words(field)
    else:
        text = leaf_in_words(leaf.field, leaf.op, leaf.value, segment_names(snapshot))
    if leaf is not None and leaf.negated:
        text = _("not (%(condition)s)") % {"condition": text}
    if op in _SAYS_ITSELF:
        return text
    return _("%(comparison)s; found %(value)s") % {"comparison": text, "value": value_in_words(found)}


def _leaves(tree: Any, *, negated: bool = False) -> Iterator[_Leaf]:
    if "field" in tree:
        yield _Leaf(tree["field"], tree["op"], tree.get("value"), negated)
    elif "not" in tree:
        yield from _leaves(tree["not"], negated=not negated)
    else:
        for part in (*tree.get("all", ()), *tree.get("any", ())):
            yield from _leaves(part, negated=negated)


def budget_in_words(budget: ContactBudget) -> list[str]:
    """The limits that are set, a sentence each."""
    days, most_90, most_365 = budget.min_days_between, budget.max_per_90_days or 0, budget.max_per_365_days or 0
    company, answered, refused = budget.max_per_company or 0, budget.days_after_response, budget.days_after_decline
    sentences = (
        (days, ngettext(
            "At least %(n)d day between two approaches.", "At least %(n)d days between two approaches.", days)),
        (most_90, ngettext("At most %(n)d approach in 90 days.", "At most %(n)d approaches in 90 days.", most_90)),
        (most_365, ngettext("At most %(n)d approach in 365 days.", "At most %(n)d approaches in 365 days.", most_365)),
        (company, ngettext(
            "At most %(n)d approach to all contacts of a company within %(span)s.",
            "At most %(n)d approaches to all contacts of a company within %(span)s.", company)),
        (answered, ngettext("%(n)d day of rest after an answer.", "%(n)d days of rest after an answer.", answered)),
        (refused, ngettext("%(n)d day of rest after a refusal.", "%(n)d days of rest after a refusal.", refused)),
    )  # fmt: skip
    span = format_duration(timedelta(days=budget.company_days))
    found = [text % {"n": n, "span": span} for n, text in sentences if n]
    return found or [_("No limits are set.")]
