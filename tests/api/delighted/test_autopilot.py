"""Autopilot: a cadence that asks the members of a list, and nobody else."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.contacts.models import Contact, LegalBasis
from apps.surveys.models import Invitation
from apps.triggers import cadences
from apps.triggers.models import AutopilotMember, DelightedConnection
from apps.triggers.preview import preview
from tests import factories
from tests.api.delighted.conftest import Caller

EMAIL, SMS = "/v1/autopilot/email/memberships", "/v1/autopilot/sms/memberships"


def run_period(now: datetime) -> None:
    """Let a period pass, with a worker that is always in time and sends nothing."""
    end = now + timedelta(days=91)
    while (due := cadences.next_due()) is not None and due < end:
        cadences.run_due(now=max(now, due))


def test_the_cadence_asks_members_only_and_keeps_its_promise(caller: Caller, connection: DelightedConnection) -> None:
    now = timezone.now()
    outsider = factories.ContactFactory()
    LegalBasis.objects.create(contact=outsider, kind="existing_customer", source="x", granted_at=now)
    for email in ("ada@example.com", "eve@example.com"):
        answer = caller.json("POST", EMAIL, {"person_email": email, "properties": {"State": "CA"}})
        assert answer.json()["person"]["email"] == email
        assert answer.json()["properties"] == {"State": "CA"}
    promised = {row["person"]["id"]: row["next_survey_request"] for row in caller.get(EMAIL)}
    assert connection.email_cadence is not None
    assert sum(count for _day, count in preview(connection.email_cadence, now, days=91)) in (2, 3)
    eve = Contact.objects.get(email="eve@example.com")
    run_period(now)
    asked = {str(row.contact_id): row.send_at for row in Invitation.objects.all()}
    assert set(asked) == set(promised)
    for pk, at in asked.items():
        assert abs(promised[pk]["survey_scheduled_at"] - at.timestamp()) <= 1
    [row] = caller.get(f"{EMAIL}?person_id={eve.id}")
    assert row["next_survey_request"]["survey_scheduled_at"] == int(asked[str(eve.id)].timestamp())
    # Who is taken off the list is not asked any more, though that was planned.
    assert caller.json("DELETE", EMAIL, {"person_email": "eve@example.com"}).status_code == 200
    left = Invitation.objects.get(contact=eve)
    assert (left.status, left.status_reason) == ("revoked", "not_a_member")
    assert [row["person"]["email"] for row in caller.get(EMAIL)] == ["ada@example.com"]


def test_who_is_taken_off_while_a_run_is_under_way_is_not_asked(
    caller: Caller, connection: DelightedConnection, monkeypatch: Any
) -> None:
    now = timezone.now()
    caller.json("POST", EMAIL, {"person_email": "ada@example.com"})
    lock = cadences.contacts.lock

    def lock_after_removal(**kwargs: Any) -> None:
        AutopilotMember.objects.all().delete()
        lock(**kwargs)

    monkeypatch.setattr(cadences.contacts, "lock", lock_after_removal)
    run_period(now)
    assert not Invitation.objects.exists()


def test_adding_again_replaces_the_properties(caller: Caller) -> None:
    ada = factories.ContactFactory(email="ada@example.com", phone="")
    first = caller.json("POST", EMAIL, {"person_id": str(ada.id), "person_email": ada.email, "properties": {"a": 1}})
    again = caller.raw("POST", f"{EMAIL}.json", f"person_id={ada.id}&properties[b]=2".encode())
    assert first.status_code == again.status_code == 200
    [row] = caller.get(EMAIL)
    assert row["next_survey_request"]["properties"] == {"b": "2"}
    assert row["next_survey_request"]["survey_scheduled_at"] is None  # Nothing is set up yet.
    assert row["created_at"] <= row["updated_at"]
    assert Contact.objects.get().properties == {"a": 1, "b": "2"}
    for wrong, field in (
        ({}, "person_email"),
        ({"person_id": "7"}, "person_id"),
        ({"person_email": "x"}, "person_email"),
    ):
        answer = caller.json("POST", EMAIL, wrong)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    answer = caller.json("POST", SMS, {"person_id": str(ada.id)})
    assert list(answer.json()["errors"]) == ["person_phone_number"]
    added = caller.json("POST", SMS, {"person_phone_number": "+491701234567", "person_name": "Eve"}).json()
    assert (added["person"]["name"], added["person"]["phone_number"]) == ("Eve", "+491701234567")
    assert len(caller.get(f"{SMS}?person_phone_number=%2B491701234567")) == 1
    assert caller.get(f"{SMS}?person_email=ada@example.com") == []
    changed = row["updated_at"]
    assert len(caller.get(f"{EMAIL}?updated_since={changed}")) == 1
    assert caller.get(f"{EMAIL}?updated_since={changed + 60}") == []
    assert caller.json("DELETE", SMS, {"person_email": "nobody@example.com"}).status_code == 404


def test_the_lists_of_members_cost_a_fixed_number_of_queries(caller: Caller, connection: DelightedConnection) -> None:
    def queries() -> int:
        with CaptureQueriesContext(database) as found:
            caller.get(f"{EMAIL}?per_page=100")
        return len(found)

    caller.json("POST", EMAIL, {"person_email": "ada@example.com"})
    few, now = queries(), timezone.now()
    AutopilotMember.objects.bulk_create(
        AutopilotMember(contact=factories.ContactFactory(), platform="email", created_at=now, updated_at=now)
        for _ in range(30)
    )
    assert queries() == few


def test_the_configuration_says_how_often(caller: Caller) -> None:
    nothing = {"platform_id": "sms", "active": False, "frequency": 0, "created_at": 0, "updated_at": 0}
    assert caller.get("/v1/autopilot/sms") == nothing


def test_the_configuration_speaks_in_seconds(caller: Caller, connection: DelightedConnection) -> None:
    told = caller.get("/v1/autopilot/email.json")
    assert (told["platform_id"], told["active"], told["frequency"]) == ("email", True, 7_776_000)
    assert told["created_at"] == int(connection.created_at.timestamp())
    assert caller.get("/v1/autopilot/sms")["active"] is False
    assert caller.raw("GET", "/v1/autopilot/pigeon").status_code == 404
