"""A tenant with something of everything that the API tells of."""

from datetime import UTC, datetime, timedelta
from typing import Any

from apps.accounts.models import User
from apps.campaigns.models import Enrolment, StepRun
from apps.cases.models import Case, CaseNote, CaseRule, Outcome, RootCause
from apps.contacts.models import Company, Contact, LegalBasis
from apps.incentives.models import Voucher, VoucherPool
from apps.insights.models import Action, Annotation, Target
from apps.messaging import suppressions
from apps.messaging.models import Suppression
from apps.responses.models import Answer, Response
from apps.surveys import versions as survey_versions
from apps.surveys.models import Invitation, Question
from apps.touchpoints.models import Stage, Touchpoint
from apps.triggers import versions
from apps.triggers.models import Decision, DryRun, RuleVersion, Segment
from tests import factories

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def fill(name: str, *, rows: int = 1) -> dict[str, Any]:
    """Make ``rows`` of each resource, all at the same time; returns the last one's id (or key) by resource."""
    ids: dict[str, Any] = {}
    for number in range(rows):
        ids = _one(f"{name}-{number}")
    return ids


def _one(name: str) -> dict[str, Any]:
    company = Company.objects.create(name=name, external_id=f"k-{name}")
    contact = Contact.objects.create(external_id=f"c-{name}", email=f"{name}@example.com", name=name, company=company)
    LegalBasis.objects.create(contact=contact, kind="consent", source=name, granted_at=AT)
    stage = Stage.objects.create(key=f"stage-{name}", name={"en": name})
    touchpoint = Touchpoint.objects.create(key=f"place-{name}", name={"en": name}, stage=stage)
    segment = Segment.objects.create(key=f"segment-{name}", name=name, condition={})
    survey = factories.SurveyFactory(key=f"survey-{name}")
    version = survey_versions.publish(survey_id=survey.pk, now=AT)
    rule = factories.TriggerRuleFactory(name=name, survey=survey, touchpoints=[touchpoint])
    versions.record(rules=[rule], now=AT)
    event = factories.EventFactory(touchpoint=touchpoint, contact=contact, occurred_at=AT, external_id=f"e-{name}")
    invitation = Invitation.objects.create(
        survey=survey, contact=contact, touchpoint=touchpoint, event=event, reason=f"event:{name}", send_at=AT,
        give_up_at=AT + timedelta(days=3), created_at=AT,
    )  # fmt: skip
    decision = Decision.objects.create(
        event=event, rule=rule, rule_version=RuleVersion.objects.get(rule=rule), contact=contact, invitation=invitation,
        status="scheduled", reason="ok", decided_at=AT,
    )  # fmt: skip
    response = Response.objects.create(
        survey=survey, version=version, touchpoint=touchpoint, contact=contact, invitation=invitation, score=9,
        comment=f"Fine, says {name}", answered_at=AT, updated_at=AT, tags=["old"], follow_up="none",
    )  # fmt: skip
    author = User.objects.create(username=f"user-{name}")
    case = Case.objects.create(
        response=response, contact=contact, owner=author, result=Outcome.objects.create(name={"en": name}),
        root_cause=RootCause.objects.create(name={"en": name}), rule=CaseRule.objects.create(name=name),
        opened_at=AT, updated_at=AT, due_at=AT + timedelta(days=2),
    )  # fmt: skip
    CaseNote.objects.create(case=case, author=author, text=f"@{name}", created_at=AT).mentions.add(author)
    rating = Question.objects.get(survey=survey, key="delivery")
    Answer.objects.create(response=response, question=rating, value=4)
    suppressions.suppress(emails=[f"gone-{name}@example.com"], reason="bounced", source=name, now=AT)
    campaign = factories.step(factories.CampaignFactory(name=name, goal="answered", touchpoint=touchpoint))
    enrolment = Enrolment.objects.create(
        campaign=campaign, version=campaign.current_version, response=response, contact=contact, enrolled_at=AT
    )
    StepRun.objects.create(enrolment=enrolment, step_key="s1", kind="email", due_at=AT)
    run = DryRun.objects.create(title=name, rule_id_replaced=rule.pk, created_at=AT)
    pool = VoucherPool.objects.create(name=name, value={"en": "10 % off"})
    voucher = Voucher.objects.create(
        pool=pool, code=f"CODE-{name}", status="issued", response=response, contact=contact, reason=name, issued_at=AT
    )
    _people(name, survey)
    action = Action.objects.create(touchpoint=touchpoint, title=name, status="running", created_at=AT, updated_at=AT)
    annotation = Annotation.objects.create(day=AT.date(), text=name, created_at=AT)
    target = Target.objects.create(touchpoint=touchpoint, goal=40, created_at=AT)
    return {
        "actions": action.pk,
        "annotations": annotation.pk,
        "campaigns": campaign.pk,
        "cases": case.pk,
        "companies": company.pk,
        "contacts": contact.pk,
        "decisions": decision.pk,
        "dry-runs": run.pk,
        "enrolments": enrolment.pk,
        "events": event.pk,
        "invitations": invitation.pk,
        "responses": response.pk,
        "rules": rule.pk,
        "segments": segment.key,
        "stages": stage.key,
        "suppressions": Suppression.objects.latest("pk").pk,
        "surveys": survey.key,
        "targets": target.pk,
        "touchpoints": touchpoint.key,
        "voucher-pools": pool.pk,
        "vouchers": voucher.pk,
    }


def _people(name: str, survey: Any) -> None:
    """One contact at risk, one advocate, and one who never answered; these lists look at the last 12 months."""
    at = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=30)
    for score in (2, 9):
        contact = Contact.objects.create(external_id=f"p{score}-{name}")
        Response.objects.create(
            survey=survey, contact=contact, score=score, comment="Words", answered_at=at, updated_at=at
        )
    silent = Contact.objects.create(external_id=f"silent-{name}")
    for number in range(2):
        Invitation.objects.create(
            survey=survey, contact=silent, reason=f"silent:{number}:{name}", status="shown", send_at=at, give_up_at=at,
            created_at=at + timedelta(days=number),
        )  # fmt: skip
