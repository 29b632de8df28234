"""Small pieces of the lists of contacts at risk, advocates and silent ones."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.insights import people_words
from apps.insights.people_reasons import Person, Reason
from apps.messaging.models import Suppression

register = template.Library()


@register.filter
def in_words(reason: Reason) -> str:
    """Why somebody is in the list."""
    return people_words.sentence(reason)


@register.filter
def next_action(person: Person) -> str:
    """What to do next."""
    return people_words.next_action(person)


@register.filter
def blocked_because(person: Person) -> str:
    """Why they may not be written to."""
    return str(Suppression.Reason(person.blocked).label)


@register.simple_tag
def day(moment: datetime) -> SafeString:
    """The day of a time, by the reader's clock."""
    return format_html(
        '<time datetime="{}">{}</time>', timezone.localtime(moment).date().isoformat(), people_words.day(moment)
    )
