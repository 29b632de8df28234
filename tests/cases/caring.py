"""Rows for tests of cases: people, responses, rules. Say only what the test is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Permission

from apps.accounts.models import User
from apps.cases.models import Case, CasePolicy, CaseRule, CaseRuleMember
from apps.cases.opening import open_by_rules
from apps.contacts.models import BusinessCalendar, Company, Contact
from apps.responses.models import Response
from apps.surveys.models import Survey
from apps.touchpoints.models import Stage, Touchpoint

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
"""A Monday, eleven o'clock in Berlin."""
BERLIN = {"time_zone": "Europe/Berlin", "country": "DE", "region": "BE"}


def berlin() -> None:
    """The tenant's clock and holidays are Berlin's."""
    BusinessCalendar.objects.update_or_create(pk=1, defaults=BERLIN)


def policy(**fields: Any) -> CasePolicy:
    return CasePolicy.objects.update_or_create(pk=1, defaults=fields)[0]


def worker(name: str, **fields: Any) -> User:
    """Somebody who may change cases."""
    user = User.objects.create(username=name, **fields)
    rights = Permission.objects.filter(content_type__app_label="cases", codename__in=["change_case", "view_case"])
    user.user_permissions.set(rights)
    return user


def survey(key: str = "order", **fields: Any) -> Survey:
    return Survey.objects.get_or_create(key=key, defaults={"name": {"en": key}, **fields})[0]


def touchpoint(key: str = "order_received") -> Touchpoint:
    stage = Stage.objects.get_or_create(key="delivery", defaults={"name": {"en": "Delivery"}})[0]
    return Touchpoint.objects.get_or_create(key=key, defaults={"name": {"en": key}, "stage": stage})[0]


def contact(name: str = "ada", company: str = "", **fields: Any) -> Contact:
    works_at = Company.objects.get_or_create(name=company)[0] if company else None
    found = {"name": name.capitalize(), "company": works_at, **fields}
    return Contact.objects.get_or_create(email=f"{name}@example.com", defaults=found)[0]


def response(score: int | None = 2, comment: str = "", **fields: Any) -> Response:
    """An answer; of a new contact's unless one is named."""
    who = fields.pop("contact", ...)
    if who is ...:
        who = contact(f"c{Contact.objects.count()}")
    at = fields.pop("at", NOW)
    return Response.objects.create(
        survey=fields.pop("survey", None) or survey(), contact=who, score=score, comment=comment, answered_at=at,
        updated_at=at, **fields,
    )  # fmt: skip


def rule(*members: User, **fields: Any) -> CaseRule:
    row = CaseRule.objects.create(**{"name": "Rule", **fields})
    CaseRuleMember.objects.bulk_create(CaseRuleMember(rule=row, user=user) for user in members)
    return row


def opened(*responses: Response, now: datetime = NOW) -> list[Case]:
    """Their cases, in their order, those without left out."""
    open_by_rules(responses=responses, now=now)
    cases = {case.response_id: case for case in Case.objects.filter(response__in=responses)}
    return [cases[one.pk] for one in responses if one.pk in cases]


def case(now: datetime = NOW, **fields: Any) -> Case:
    """An open case of a detractor."""
    [found] = opened(response(**fields), now=now)
    return found


def hours(number: float) -> timedelta:
    return timedelta(hours=number)
