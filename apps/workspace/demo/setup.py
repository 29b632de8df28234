"""Writes a demo tenant's configuration and tells the history which row is which."""

from datetime import datetime
from random import Random
from typing import TypeVar

from django.contrib.auth import get_user_model
from django.db.models import Model

from apps.campaigns import library
from apps.campaigns import versions as campaign_versions
from apps.campaigns.library import Choices
from apps.campaigns.library.start import start
from apps.campaigns.models import Campaign
from apps.contacts.models import BusinessCalendar, Company, ContactBudget
from apps.messaging.models import Sender, SenderDomain
from apps.surveys import versions
from apps.surveys.models import Question, Survey, ThankYou, Theme
from apps.touchpoints.models import Stage, Touchpoint
from apps.triggers.models import Cadence, Segment, TriggerRule
from apps.workspace.demo import people
from apps.workspace.demo.blueprint import Brand, CampaignSpec, SurveySpec, both
from apps.workspace.demo.case_setup import set_up_cases
from apps.workspace.demo.feedback import STEP_DELAY
from apps.workspace.demo.history import EXPIRES_AFTER
from apps.workspace.demo.records import CampaignIds, SurveyIds, Wiring

COMPANIES = 320
MIN_DAYS_BETWEEN = 14
Row = TypeVar("Row", bound=Model)


def set_up(*, brand: Brand, rng: Random, scale: float, now: datetime) -> Wiring:
    """Configure the current tenant. It must not have been configured before."""
    _save(
        Theme(
            pk=1,
            brand_name=brand.name,
            accent=brand.accent,
            imprint_url=f"https://{brand.domain}/impressum",
            privacy_url=f"https://{brand.domain}/datenschutz",
            postal_address=brand.address,
        )
    )
    _save(ContactBudget(pk=1, min_days_between=MIN_DAYS_BETWEEN))
    _save(BusinessCalendar(pk=1, time_zone="Europe/Berlin", country="DE"))
    sender = _save(Sender(name=brand.name, email=f"hallo@{brand.domain}", is_default=True))
    # Made-up companies have no DNS that could be looked at.
    _save(SenderDomain(domain=brand.domain, verified_at=now))
    touchpoints = _journey(brand)
    surveys = {survey.key: _survey(brand, survey, touchpoints) for survey in brand.surveys}
    first = next(iter(surveys.values())).survey
    _regulars(first)
    wiring = Wiring(
        touchpoints=touchpoints,
        surveys=surveys,
        campaigns={campaign.segment: _campaign(campaign, now) for campaign in brand.campaigns},
        companies=_companies(rng, scale) if brand.has_companies else (),
        owners=tuple(get_user_model().objects.order_by("pk").values_list("pk", flat=True)),
        from_header=f"{sender.name} <{sender.email}>",
        cases=set_up_cases(),
    )
    _draft(first)
    return wiring


def _save(row: Row) -> Row:
    """What the configuration pages would refuse is refused here as well."""
    row.full_clean()
    row.save(force_insert=True)
    return row


def _journey(brand: Brand) -> dict[str, int]:
    ids = {}
    for place, spec in enumerate(brand.stages, start=1):
        stage = _save(Stage(key=spec.key, name=spec.name, position=place))
        for position, point in enumerate(spec.touchpoints, start=1):
            row = Touchpoint(
                key=point.key,
                name=point.name,
                stage=stage,
                position=position,
                legal_basis="existing_customer" if point.proves_customer else "",
            )
            ids[point.key] = _save(row).pk
    return ids


def _survey(brand: Brand, spec: SurveySpec, touchpoints: dict[str, int]) -> SurveyIds:
    survey = Survey(key=spec.key, name=spec.name, is_public=True, public_properties=["store"], incentive=spec.incentive)
    _save(survey)
    questions = _questions(brand, spec, survey)
    _thanks(survey)
    rule = TriggerRule(
        name=spec.rule,
        survey=survey,
        delay=spec.delay,
        expires_after=EXPIRES_AFTER,
        priority=spec.priority,
    )
    _save(rule).touchpoints.add(touchpoints[spec.touchpoint])
    return SurveyIds(survey.pk, rule.pk, questions)


def _regulars(survey_id: int) -> None:
    """A segment, and a cadence over it that is still switched off: something to look at and to try."""
    plus = Segment(key="plus", name="Plus", condition={"field": "contact.plan", "op": "eq", "value": "plus"})
    _save(plus)
    _save(Cadence(name="Plus, once a year", survey_id=survey_id, segment=plus, period_days=365, is_active=False))


def _questions(brand: Brand, spec: SurveySpec, survey: Survey) -> dict[str, int]:
    """Recommendation, comment, ratings; returns the ratings' keys."""
    recommend = both(
        f"How likely is it that you would recommend {brand.name} to a friend or colleague?",
        f"Wie wahrscheinlich ist es, dass Sie {brand.name} Freunden oder Kollegen weiterempfehlen?",
    )
    comment = Question(
        survey=survey,
        key="comment",
        kind=Question.Kind.COMMENT,
        text=spec.comment,
        text_promoter=both("What did we do especially well?", "Was haben wir besonders gut gemacht?"),
        text_passive=both("What would have made it a 9 or 10?", "Was hätte es zur 9 oder 10 gemacht?"),
        text_detractor=both("What went wrong, and what should we do?", "Was lief schief, und was sollen wir tun?"),
        position=2,
    )
    _save(Question(survey=survey, key="nps", kind=Question.Kind.NPS, text=recommend, is_required=True, position=1))
    _save(comment)
    return {
        driver.key: _save(
            Question(
                survey=survey,
                key=driver.key,
                kind=Question.Kind.RATING,
                style=Question.Style.STARS,
                text=driver.text,
                position=position,
            )
        ).pk
        for position, driver in enumerate(spec.drivers, start=3)
    }


def _thanks(survey: Survey) -> None:
    """Promoters may tell others, detractors may be called."""
    happy = both("That makes our day. Tell your friends!", "Das freut uns sehr. Erzählen Sie es gern weiter!")
    sorry = both(
        "We are sorry that we fell short. May we make it good again?",
        "Es tut uns leid, dass wir Sie enttäuscht haben. Dürfen wir es wiedergutmachen?",
    )
    _save(ThankYou(survey=survey, segment=ThankYou.Segment.PROMOTER, text=happy))
    _save(ThankYou(survey=survey, segment=ThankYou.Segment.DETRACTOR, text=sorry, offers_call_back=True))


def publish_surveys(*, now: datetime) -> None:
    """Make what is configured what respondents see."""
    for survey_id in Survey.objects.values_list("pk", flat=True):
        versions.publish(survey_id=survey_id, now=now)


def _campaign(spec: CampaignSpec, now: datetime) -> CampaignIds:
    """A mail some minutes after the answer, the apology also while somebody takes care; before it, perhaps a case."""
    mail = {
        "key": "mail",
        "kind": "email",
        "subject": spec.letter.subject,
        "body": spec.letter.body,
        "subject_no_comment": spec.no_comment.subject,
        "body_no_comment": spec.no_comment.body,
        "also_while_case": True,
    }
    wait = {"key": "wait", "kind": "wait", "seconds": int(STEP_DELAY.total_seconds())}
    steps = [*([{"key": "case", "kind": "case"}] if spec.opens_case else []), wait, mail]
    campaign = _save(Campaign(name=spec.name, segment=spec.segment, draft={"steps": steps}))
    version = campaign_versions.publish(campaign_id=campaign.pk, now=now)
    return CampaignIds(campaign.pk, version.pk, spec.opens_case)


def _draft(survey_id: int) -> None:
    """A campaign made of a template, to be looked at: it does nothing until somebody publishes and switches it on."""
    entry = library.entry("detractor-apology")
    assert entry is not None  # noqa: S101 - one of ours
    start(entry_key=entry.key, name=entry.name["en"], choices=Choices(survey=survey_id))


def _companies(rng: Random, scale: float) -> tuple[tuple[int, str], ...]:
    """Companies with the domain of their mail addresses."""
    names = list(dict.fromkeys(people.company(rng) for _ in range(max(5, round(COMPANIES * scale)))))
    rows = Company.objects.bulk_create(
        Company(name=name, external_id=f"K-{number}", properties={"industry": name.split()[1]})
        for number, name in enumerate(names, start=1001)
    )
    # The number keeps the domains of namesakes ("GmbH", "AG") apart.
    return tuple(
        (row.pk, f"{people.ascii_word(row.name.split()[0])}-{people.ascii_word(row.name.split()[1])}{place}.example")
        for place, row in enumerate(rows, start=1)
    )
