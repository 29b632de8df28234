"""The explanation inside the configuration."""

import re
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django_tenants.utils import tenant_context

from apps.accounts.models import User
from apps.triggers.models import Decision
from tests.workspace.test_decisions import cadence_decision, rule_decision

pytestmark = pytest.mark.usefixtures("tenant")


@pytest.fixture
def staff(client: Client, user: User) -> Client:
    """Somebody who may look at decisions in the configuration."""
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename="view_decision"))
    return client


def why(pk: object) -> str:
    return f"/admin/triggers/decision/{pk}/why/"


def test_a_decision_leads_to_its_explanation(staff: Client, now: datetime) -> None:
    decision = rule_decision(now, total=80)
    assert why(decision.pk) in staff.get(reverse("admin:triggers_decision_change", args=[decision.pk])).content.decode()
    page = staff.get(why(decision.pk)).content.decode()
    for part in ("total ≥ 100; found 80", "The rule as it was, version 1", "What would have to change", "Rule 0"):
        assert part in page, part
    assert "workspace/why.css" in page
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)(?!\s+type=.application/json)", page)


def test_a_cadences_decision_is_explained_by_its_contact(staff: Client, now: datetime) -> None:
    rule_decision(now, total=80)
    decision = cadence_decision(now)
    page = staff.get(why(decision.pk)).content.decode()
    for part in (
        "Cadence 0",
        "There is no legal basis for writing to this contact.",
        "If something happened now",
        "Rule 0",
    ):
        assert part in page, part
    Decision.objects.filter(pk=decision.pk).update(contact=None, cadence=None)
    assert staff.get(why(decision.pk)).status_code == 200


def test_only_who_may_see_decisions_sees_why(client: Client, staff: Client, user: User, now: datetime) -> None:
    decision = rule_decision(now, total=80)
    user.user_permissions.clear()
    assert staff.get(why(decision.pk)).status_code == 403
    user.is_staff = False
    user.save()
    assert client.get(why(decision.pk)).status_code == 302


def test_what_is_not_there_is_not_found(staff: Client, other_tenant: Any, now: datetime) -> None:
    with tenant_context(other_tenant):
        foreign = cadence_decision(now)
    for pk in (foreign.pk, uuid4(), "nonsense"):
        assert staff.get(why(pk)).status_code == 404
