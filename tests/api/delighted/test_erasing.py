"""Who is erased is gone from everywhere."""

from datetime import timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.db import connection as database
from django.utils import timezone

from apps.contacts.models import Contact, Outreach
from apps.integrations.models import Delivery, Endpoint
from apps.messaging import suppressions
from apps.messaging.models import OutgoingEmail, Suppression
from apps.responses.models import Response, ScoreChange
from apps.surveys import services as surveys
from apps.surveys.models import Invitation
from apps.touchpoints.intake import ContactIn, EventIn
from apps.touchpoints.models import Event, Hook, HookPayload, TrackedName, TrackingProblem
from apps.touchpoints.services import record_event
from apps.triggers import services as triggers
from apps.triggers.models import Decision, DelightedConnection
from tests.api.delighted.conftest import Caller


def sent(caller: Caller, **body: Any) -> dict[str, Any]:
    answer = caller.json("POST", "/v1/people.json", {"email": "Ada@Example.com", "name": "Ada Lovelace", **body})
    return dict(answer.json())


def test_a_person_is_erased_with_all_that_is_kept_about_it(caller: Caller, connection: DelightedConnection) -> None:
    person = sent(caller, phone_number="+491701234567")
    other = sent(caller, email="eve@example.com")
    surveys.dispatch(now=timezone.now(), base_url="http://nordwind.resonanz.test")
    now = timezone.now()
    invitation = Invitation.objects.get(contact_id=person["id"])
    told = {"contact_id": person["id"], "survey": connection.survey, "answered_at": now, "updated_at": now}
    Response.objects.create(invitation=invitation, score=9, **told)
    Response.objects.create(score=3, is_suspected=True, **told)
    caller.json("POST", "/v1/autopilot/email/memberships", {"person_id": person["id"]})
    caller.json("POST", "/v1/unsubscribes", {"person_email": "ada@example.com"})
    assert caller.raw("DELETE", "/v1/people/email:ada@example.com", b"{}", "application/json").status_code == 202
    assert list(Contact.objects.values_list("email", flat=True)) == ["eve@example.com"]
    for rows in (Invitation.objects, OutgoingEmail.objects, Event.objects, Decision.objects, Outreach.objects):
        assert [str(row.contact_id) for row in rows.all()] == [other["id"]], rows.model
    assert not Response.objects.exists()
    assert list(ScoreChange.objects.values_list("score", "weight")) == [(9, -1)]
    assert set(Suppression.objects.values_list("email", flat=True)) == {""}
    assert suppressions.suppressed(emails=["ada@example.com", "+491701234567"]) == {"ada@example.com", "+491701234567"}
    assert caller.raw("DELETE", f"/v1/people/{person['id']}").status_code == 404


def places_of(*words: str) -> set[str]:
    """Every column of the tenant in which one of the words stands."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = "
            "current_schema() AND data_type IN ('text', 'character varying', 'jsonb', 'ARRAY', 'uuid', 'bytea')"
        )
        columns = cursor.fetchall()
        found = set()
        for table, column, kind in columns:
            text = f"encode({column}, 'escape')" if kind == "bytea" else f'"{column}"::text'
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}" WHERE lower({text}) LIKE ANY(%s))', [list(words)])
            if cursor.fetchone()[0]:
                found.add(f"{table}.{column}")
        return found


def test_nothing_names_who_was_erased_and_nothing_brings_them_back(
    caller: Caller, connection: DelightedConnection
) -> None:
    now, told = timezone.now(), '{"email": "ada%40example.com"}'
    Endpoint.objects.create(url="https://example.com/hook")
    about = {"plan": "of ada@example.com"}
    person = sent(caller, phone_number="+491701234567", properties=about)
    surveys.dispatch(now=now + timedelta(minutes=1), base_url="http://nordwind.resonanz.test")
    body = {"person": person["id"], "score": 2, "comment": "Ask ada@example.com", "person_properties": about}
    made = caller.json("POST", "/v1/survey_responses", body).json()
    caller.json("PUT", f"/v1/survey_responses/{made['id']}", {"comment": "Late"})
    caller.json("POST", "/v1/autopilot/email/memberships", {"person_id": person["id"], "properties": about})
    caller.json("POST", "/v1/unsubscribes", {"person_email": "ada@example.com"})
    record_event(event=EventIn(touchpoint="delighted", contact=ContactIn(email="Ada@example.com")), now=now)
    record_event(event=EventIn(touchpoint="delighted", contact=ContactIn(email="eve@example.com")), now=now)
    by_number = caller.json("POST", "/v1/people", {"phone_number": "+491701234599", "send": False}).json()["id"]
    assert caller.raw("DELETE", f"/v1/people/{by_number}").status_code == 202
    assert Event.objects.filter(contact=None).count() == 2, "events that name others are left"
    hook = Hook.objects.create(name="shop", token_hash=b"x" * 32, created_at=now)
    HookPayload.objects.create(hook=hook, received_at=now, body=told, outcome="listened")
    TrackedName.objects.create(name="Bought", first_seen_at=now, last_seen_at=now, last_payload=told)
    TrackingProblem.objects.create(reason="wrong", last_seen_at=now, last_payload=told, detail="ada%40example.com")
    LogEntry.objects.create(
        user=get_user_model().objects.create(username="admin"),
        object_id=person["id"],
        object_repr="Ada Lovelace",
        action_flag=2,
    )
    words = ("%ada@example%", "%ada\\%40example%", "%lovelace%", "%491701234567%")
    assert len(places_of(*words)) > 15
    assert caller.raw("DELETE", f"/v1/people/{person['id']}").status_code == 202
    assert places_of(*words) == set()
    ours = {"integrations_delivery.reason", "integrations_delivery.payload"}
    assert places_of(f"%{person['id']}%") == {*ours, "django_admin_log.object_id", "django_admin_log.object_repr"}
    assert set(Delivery.objects.values_list("event_type", flat=True)) == {"contact.erased"}
    triggers.evaluate_events(now=now)
    assert list(Contact.objects.values_list("email", flat=True)) == ["eve@example.com"]
    assert sum(ScoreChange.objects.values_list("weight", flat=True)) == 0
