"""Explanations in templates: the workspace and the configuration show the same."""

from datetime import datetime
from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from apps.contacts.models import Contact
from apps.touchpoints.models import Event
from apps.triggers.explain import CheckResult, Explanation, explain_contact
from apps.triggers.models import Decision
from apps.triggers.reasons import CHECKS, change
from apps.triggers.rules import Snapshot
from apps.triggers.sentences import sentence
from apps.workspace import explaining
from apps.workspace.why import about_event
from apps.workspace.wording import Next, what_next

register = template.Library()


@register.inclusion_tag("workspace/_why_event.html")
def why_event(event: Event, now: datetime) -> dict[str, Any]:
    """Each rule with what it decided for an event, and all its checks now."""
    return {"about": about_event(event, now=now), "event": event}


@register.inclusion_tag("workspace/_why_contact.html")
def why_contact(contact: Contact, now: datetime) -> dict[str, Any]:
    """Each rule with what it would decide if something happened to the contact now."""
    return {"explanations": explain_contact(contact=contact, now=now)}


@register.inclusion_tag("workspace/_why_state.html")
def why_state(state: str) -> dict[str, Any]:
    """Yes, later or no: an icon and a word."""
    return {"state": state, "in_words": True}


@register.inclusion_tag("workspace/_why_state.html")
def why_icon(state: str) -> dict[str, Any]:
    """Yes, later or no where words follow: the icon, and the word for those who do not see it."""
    return {"state": state, "in_words": False}


@register.filter
def answer(explanation: Explanation) -> explaining.Answer:
    """All checks of a rule in one."""
    return explaining.answer(explanation)


@register.filter
def state(check: CheckResult) -> str:
    """Passed, later or not passed."""
    return explaining.state_of(check)


@register.filter
def check_name(check: CheckResult) -> str | Promise:
    """What is checked."""
    return CHECKS.get(check.name, check.name)


@register.filter
def change_needed(code: str) -> str | Promise:
    """What would have to change for another decision."""
    return change(code)


@register.filter
def budget_part(part: str) -> str | Promise:
    """Which part of the contact budget is in the way."""
    return explaining.part_in_words(part)


@register.filter
def comparisons(check: CheckResult, snapshot: Snapshot) -> list[tuple[str, str]]:
    """The comparisons of a condition with what was found."""
    return explaining.comparisons(check, snapshot)


@register.filter
def failed_comparison(decision: Decision) -> str:
    """The comparison for which a condition did not hold."""
    return explaining.failed_comparison(decision)


@register.filter
def rule_sentence(snapshot: Snapshot) -> str:
    """A rule told as a sentence, also one that is broken: this page has to open then, of all times."""
    try:
        return sentence(snapshot)
    except (LookupError, TypeError, ValueError, AttributeError):
        return _("This rule cannot be told in words.")


@register.filter
def next_step(decision: Decision) -> Next:
    """What became of what was decided."""
    return what_next(decision)
