"""Ready-made surveys, one per touchpoint of the journey, in every language of the platform."""

from copy import deepcopy
from datetime import datetime

from django.db import transaction

from apps.surveys import versions
from apps.surveys.library import digital, orders, relations, service
from apps.surveys.library.blocks import Entry
from apps.surveys.models import Question, Survey, ThankYou

__all__ = ["Entry", "create", "entries", "entry", "free_key", "rows"]
_ENTRIES = {
    one.key: one
    for one in (
        orders.ORDER_RECEIVED,
        orders.CHECKOUT,
        service.SUPPORT_CONTACT,
        relations.RELATIONSHIP,
        relations.RENEWAL,
        relations.CANCELLATION,
        orders.REPEAT_PURCHASE,
        digital.PRODUCT_UPDATE,
        digital.LANDING_PAGE,
        digital.NEWSLETTER,
        service.DATA_CHANGE,
    )
}
_KEY_LENGTH = 60


def entries() -> tuple[Entry, ...]:
    """All of them, in the order in which they are shown."""
    return tuple(_ENTRIES.values())


def entry(key: str) -> Entry | None:
    """The one with this key."""
    return _ENTRIES.get(key)


def rows(chosen: Entry, survey: Survey) -> tuple[list[Question], list[ThankYou]]:
    """A survey's questions and last pages as the entry has them, not saved yet."""
    asked, last = deepcopy((chosen.questions, chosen.thanks))  # What is made of a template may be changed.
    questions = [Question(survey=survey, position=place, **row) for place, row in enumerate(asked, 1)]
    thanks = [ThankYou(survey=survey, segment=segment, **row) for segment, row in last.items()]
    return questions, thanks


@transaction.atomic
def create(entry_key: str, survey_key: str, now: datetime, by: str = "") -> Survey:
    """Write the survey and publish its first version; a KeyError if there is no such entry."""
    chosen = _ENTRIES[entry_key]
    survey = Survey.objects.create(key=survey_key, name=chosen.name)
    questions, thanks = rows(chosen, survey)
    Question.objects.bulk_create(questions)
    ThankYou.objects.bulk_create(thanks)
    versions.publish(survey_id=survey.pk, now=now, by=by)
    survey.refresh_from_db()
    return survey


def free_key(wanted: str) -> str:
    """The wanted key, or with the smallest number behind it that no survey has."""
    taken = set(Survey.objects.filter(key__startswith=wanted[: _KEY_LENGTH - 10]).values_list("key", flat=True))
    number, key = 1, wanted
    while key in taken:
        number += 1
        key = f"{wanted[: _KEY_LENGTH - 10]}-{number}"
    return key
