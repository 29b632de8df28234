"""Writes a demo tenant's configuration and tells the history which row is which."""

from datetime import datetime
from random import Random

from django.contrib.auth import get_user_model

from apps.campaigns import library
from apps.campaigns import versions as campaign_versions
from apps.campaigns.library import Choices
from apps.campaigns.library.start import start
from apps.campaigns.models import Campaign
from apps.contacts.models import BusinessCalendar, Company, ContactBudget
from apps.messaging.models import Sender, SenderDomain
from apps.surveys import versions
from apps.surveys.models import Survey, Theme
from apps.touchpoints.models import Stage, Touchpoint
from apps.workspace.demo import people
from apps.workspace.demo.blueprint import Brand, CampaignSpec, StageSpec, Window
from apps.workspace.demo.case_setup import set_up_cases
from apps.workspace.demo.feedback import STEP_DELAY
from apps.workspace.demo.pace import year_asked_at
from apps.workspace.demo.records import CampaignIds, Wiring
from apps.workspace.demo.survey_setup import save, set_up_asked_after, set_up_asked_yearly

COMPANIES = 320
MIN_DAYS_BETWEEN = 14


def set_up(*, brand: Brand, rng: Random, scale: float, window: Window) -> Wiring:
    """Configure the current tenant as of the end of the window. It must not have been configured before."""
    now = window.end
    save(
        Theme(
            pk=1,
            brand_name=brand.name,
            accent=brand.accent,
            imprint_url=f"https://{brand.domain}/impressum",
            privacy_url=f"https://{brand.domain}/datenschutz",
            postal_address=brand.address,
        )
    )
    save(ContactBudget(pk=1, min_days_between=MIN_DAYS_BETWEEN))
    save(BusinessCalendar(pk=1, time_zone="Europe/Berlin", country="DE"))
    sender = save(Sender(name=brand.name, email=f"hallo@{brand.domain}", is_default=True))
    # Made-up companies have no DNS that could be looked at.
    save(SenderDomain(domain=brand.domain, verified_at=now))
    touchpoints = _journey(brand)
    surveys = {survey.key: set_up_asked_after(brand, survey, touchpoints) for survey in brand.surveys}
    first = next(iter(surveys.values())).survey
    surveys[brand.relation.key] = set_up_asked_yearly(brand, asked_at=year_asked_at(window), now=now)
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


def _journey(brand: Brand) -> dict[str, int]:
    """Stages, sub-steps and touchpoints; positions of stages count through the whole map, depth first."""
    ids: dict[str, int] = {}
    place = 0
    for spec in brand.stages:
        parent = None
        for part in (spec, *spec.steps):
            place += 1
            stage = save(Stage(key=part.key, name=part.name, position=place, parent=parent))
            parent = parent or stage
            ids |= _touchpoints(part, stage)
    return ids


def _touchpoints(spec: StageSpec, stage: Stage) -> dict[str, int]:
    ids = {}
    for position, point in enumerate(spec.touchpoints, start=1):
        row = Touchpoint(
            key=point.key,
            name=point.name,
            stage=stage,
            position=position,
            legal_basis="existing_customer" if point.proves_customer else "",
        )
        ids[point.key] = save(row).pk
    return ids


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
    campaign = save(Campaign(name=spec.name, segment=spec.segment, draft={"steps": steps}))
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
