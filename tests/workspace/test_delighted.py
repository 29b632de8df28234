"""Setting the Delighted connection up."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.accounts.models import User
from apps.triggers.models import Cadence, DelightedConnection, TriggerRule
from tests import factories

URL = "/delighted/"


@pytest.fixture
def allowed(user: User, client: Client) -> Client:
    user.user_permissions.add(Permission.objects.get(codename="change_delightedconnection"))
    return client


def form(**changes: Any) -> dict[str, Any]:
    told = {
        "survey": factories.SurveyFactory().pk,
        "legal_basis": "consent",
        "legal_source": "Box at the checkout",
        "email_days": 90,
        "is_active": "on",
    }
    return {**told, **changes}


def test_the_connection_brings_its_touchpoint_rule_and_cadence(allowed: Client) -> None:
    assert "Not set up" in allowed.get(URL).content.decode()
    assert allowed.post(URL, form()).status_code == 302
    row = DelightedConnection.objects.get()
    assert (row.touchpoint.key, row.touchpoint.legal_basis) == ("delighted", "")
    assert list(row.rule.touchpoints.all()) == [row.touchpoint]
    assert (row.rule.delay.total_seconds(), row.rule.is_active) == (0, True)
    assert row.email_cadence is not None
    assert (row.email_cadence.members_of, row.email_cadence.period_days, row.sms_cadence) == ("email", 90, None)
    page = allowed.get(URL).content.decode()
    assert "http://nordwind.resonanz.test/v1/" in page
    assert "Box at the checkout" in page


def test_a_change_keeps_what_was_tuned_elsewhere_and_switches_what_was_taken_away(allowed: Client) -> None:
    allowed.post(URL, form())
    TriggerRule.objects.update(daily_cap=50)
    assert allowed.post(URL, form(email_days="", sms_days=30, is_active="")).status_code == 302
    assert TriggerRule.objects.values_list("daily_cap", "is_active").get() == (50, False)
    kept = {(row.members_of, row.period_days, row.is_active) for row in Cadence.objects.all()}
    assert kept == {("email", 90, False), ("sms", 30, False)}
    assert DelightedConnection.objects.count() == 1


def test_what_is_wrong_is_said_and_what_was_typed_stays(allowed: Client) -> None:
    page = allowed.post(URL, form(legal_source=" ", email_days=3, sms_days=4242)).content.decode()
    assert "without it nothing is proven" in page
    assert "greater than or equal to 7" in page
    assert "4242" in page
    assert not DelightedConnection.objects.exists()


def test_who_may_not_change_it_may_look(client: Client) -> None:
    page = client.get(URL)
    assert page.status_code == 200
    assert "<textarea" not in page.content.decode()
    assert client.post(URL, form()).status_code == 403
    client.logout()
    assert client.get(URL).status_code == 302
