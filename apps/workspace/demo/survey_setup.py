"""Writes the surveys of a demo tenant, and what asks them: rules after events, and a cadence once a year."""

from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Model

from apps.common.recurrence import next_occurrence, parse_rule
from apps.surveys.models import Question, Survey, ThankYou
from apps.triggers.models import Cadence, Segment, TriggerRule
from apps.workspace.demo.blueprint import Brand, SurveySpec, both
from apps.workspace.demo.history import EXPIRES_AFTER, PLUS
from apps.workspace.demo.records import SurveyIds

YEARLY = "FREQ=YEARLY"
Row = TypeVar("Row", bound=Model)


def save(row: Row) -> Row:
    """What the configuration pages would refuse is refused here as well."""
    row.full_clean()
    row.save(force_insert=True)
    return row


def set_up_asked_after(brand: Brand, spec: SurveySpec, touchpoints: dict[str, int]) -> SurveyIds:
    """A survey and its rule."""
    survey = _survey(brand, spec)
    rule = TriggerRule(
        name=spec.rule,
        survey=survey,
        delay=spec.delay,
        expires_after=EXPIRES_AFTER,
        priority=spec.priority,
        percent=spec.percent,
    )
    save(rule).touchpoints.add(*(touchpoints[key] for key in (spec.touchpoint, *spec.also)))
    return _ids(brand, spec, survey, rule=rule.pk)


def set_up_asked_yearly(brand: Brand, *, asked_at: datetime, now: datetime) -> SurveyIds:
    """The survey about the whole, and a cadence over a segment that had its turn at ``asked_at``."""
    segment = save(Segment(key=PLUS, name="Plus", condition={"field": "contact.plan", "op": "eq", "value": PLUS}))
    survey = _survey(brand, brand.relation)
    local = asked_at.astimezone(ZoneInfo("Europe/Berlin"))
    cadence = Cadence(
        name=brand.relation.rule,
        survey=survey,
        segment=segment,
        kind=Cadence.Kind.CALENDAR,
        recurrence=YEARLY,
        starts_on=local.date(),
        at=local.time(),
        expires_after=EXPIRES_AFTER,
        percent=brand.relation.percent,
    )
    save(cadence)
    # It stands where its run left it; the next one is a year later.
    cadence.covered_until = asked_at
    cadence.next_run_at = next_occurrence(
        parse_rule(YEARLY), starts_on=local.date(), at_minute=local.hour * 60 + local.minute,
        zone="Europe/Berlin", after=now,
    )  # fmt: skip
    cadence.save(update_fields=["covered_until", "next_run_at"])
    return _ids(brand, brand.relation, survey, cadence=cadence.pk)


def _survey(brand: Brand, spec: SurveySpec) -> Survey:
    is_public = bool(spec.touchpoint)
    properties = ["store"] if is_public else []
    row = Survey(
        key=spec.key, name=spec.name, is_public=is_public, public_properties=properties, incentive=spec.incentive
    )
    _thanks(save(row))
    return row


def _ids(
    brand: Brand, spec: SurveySpec, survey: Survey, *, rule: int | None = None, cadence: int | None = None
) -> SurveyIds:
    """Recommendation, comment, ratings and what else is asked, in this order."""
    _opening(brand, spec, survey)
    ratings = {
        driver.key: _add(
            survey, driver.key, Question.Kind.RATING, position, text=driver.text, style=Question.Style.STARS
        )
        for position, driver in enumerate(spec.drivers, start=3)
    }
    position = len(ratings) + 3
    return SurveyIds(
        survey.pk,
        rule,
        ratings,
        reasons=_reasons(spec, survey, position) if spec.reasons else None,
        satisfaction=(
            _add(survey, "satisfaction", Question.Kind.CSAT, position + 1, text=spec.satisfaction)
            if spec.satisfaction
            else None
        ),
        cadence=cadence,
    )


def _opening(brand: Brand, spec: SurveySpec, survey: Survey) -> None:
    recommend = both(
        f"How likely is it that you would recommend {brand.name} to a friend or colleague?",
        f"Wie wahrscheinlich ist es, dass Sie {brand.name} Freunden oder Kollegen weiterempfehlen?",
    )
    _add(survey, "nps", Question.Kind.NPS, 1, text=recommend, is_required=True)
    _add(
        survey,
        "comment",
        Question.Kind.COMMENT,
        2,
        text=spec.comment,
        text_promoter=both("What did we do especially well?", "Was haben wir besonders gut gemacht?"),
        text_passive=both("What would have made it a 9 or 10?", "Was hätte es zur 9 oder 10 gemacht?"),
        text_detractor=both("What went wrong, and what should we do?", "Was lief schief, und was sollen wir tun?"),
    )


def _reasons(spec: SurveySpec, survey: Survey, position: int) -> int:
    """Only detractors are offered reasons."""
    kind = Question.Kind.SINGLE if spec.takes_one else Question.Kind.MULTIPLE
    return _add(
        survey,
        "reasons",
        kind,
        position,
        text=both("What was it?", "Woran lag es?"),
        options=[{"key": option.key, "text": option.text} for option in spec.reasons],
        show_if={"field": "response.segment", "op": "eq", "value": "detractor"},
    )


def _add(survey: Survey, key: str, kind: Question.Kind, position: int, **rest: Any) -> int:
    return save(Question(survey=survey, key=key, kind=kind, position=position, **rest)).pk


def _thanks(survey: Survey) -> None:
    """Promoters may tell others, detractors may be called."""
    happy = both("That makes our day. Tell your friends!", "Das freut uns sehr. Erzählen Sie es gern weiter!")
    sorry = both(
        "We are sorry that we fell short. May we make it good again?",
        "Es tut uns leid, dass wir Sie enttäuscht haben. Dürfen wir es wiedergutmachen?",
    )
    save(ThankYou(survey=survey, segment=ThankYou.Segment.PROMOTER, text=happy))
    save(ThankYou(survey=survey, segment=ThankYou.Segment.DETRACTOR, text=sorry, offers_call_back=True))
