"""The versions of a survey: what was shown once is never rewritten."""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.db.models import Subquery
from django.db.models.functions import Coalesce

from apps.surveys.definition import Definition, load
from apps.surveys.models import Question, Survey, SurveyVersion, ThankYou


def document_of(survey: Survey, questions: Iterable[Question], thanks: Iterable[ThankYou]) -> dict[str, Any]:
    """A survey as plain JSON, saved or not."""
    incentive = {code: text.strip() for code, text in survey.incentive.items() if text.strip()}
    return {
        "is_anonymous": survey.is_anonymous,
        # Only where there is one: what promises nothing stays the same document that it was.
        **({"incentive": incentive} if incentive else {}),
        "questions": [_question(q) for q in sorted(questions, key=lambda q: (q.position, q.pk or 0))],
        "thanks": {t.segment: _thanks(t) for t in thanks},
    }


def _question(row: Question) -> dict[str, Any]:
    worded = {"promoter": row.text_promoter, "passive": row.text_passive, "detractor": row.text_detractor}
    return {
        "id": row.pk,
        "key": row.key,
        "kind": str(row.kind),
        "style": str(row.style),
        "text": row.text,
        "wording": {segment: texts for segment, texts in worded.items() if texts},
        "is_required": row.is_required,
        "options": row.options,
        "low": row.low,
        "high": row.high,
        "low_label": row.low_label,
        "high_label": row.high_label,
        "show_if": row.show_if,
    }


def _thanks(row: ThankYou) -> dict[str, Any]:
    return {
        "heading": row.heading,
        "text": row.text,
        "button_label": row.button_label,
        "button_url": row.button_url,
        "offers_call_back": row.offers_call_back,
    }


def current_document(survey: Survey) -> dict[str, Any]:
    """The survey as it is saved now. Two queries."""
    return document_of(survey, survey.questions.filter(is_retired=False), survey.thanks.all())


@transaction.atomic
def publish(*, survey_id: int, now: datetime, by: str = "") -> SurveyVersion:
    """Make what is saved what respondents see; a new version only where it differs from the last one.

    The survey's row is locked, so that two who save at once make two versions in order.
    """
    survey = Survey.objects.select_for_update(no_key=True).get(pk=survey_id)
    document = current_document(survey)
    last = survey.versions.order_by("-number").first()
    if last is None or last.definition != document:
        number = last.number + 1 if last else 1
        last = SurveyVersion.objects.create(
            survey=survey, number=number, definition=document, created_at=now, created_by=by
        )
    if survey.current_version_id != last.pk:
        Survey.objects.filter(pk=survey_id).update(current_version=last)
    return last


def promised_between(*, survey_id: int, since: datetime, before: int) -> bool:
    """Whether a version promised something that was shown at ``since`` or later, before version number ``before``."""
    rows = SurveyVersion.objects.filter(survey_id=survey_id)
    shown_then = rows.filter(created_at__lte=since).order_by("-number").values("number")[:1]
    found = rows.filter(number__lt=before, number__gte=Coalesce(Subquery(shown_then), 0))
    return found.filter(definition__has_key="incentive").exists()


def definition_of(version: SurveyVersion) -> Definition:
    """The version, ready to be walked."""
    return read(json.dumps(version.definition))


@lru_cache(maxsize=500)
def read(text: str) -> Definition:
    """The definition in a version's JSON. Kept by content, so that tenants and versions cannot be mistaken."""
    return load(json.loads(text))
