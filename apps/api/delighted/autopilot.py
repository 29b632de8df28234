"""Autopilot: who is asked regularly. A cadence asks the members of one of two lists, e-mail and text message."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.http import HttpResponse

from apps.api.delighted import finding, shapes
from apps.api.delighted.base import Call, Handler, endpoint
from apps.api.delighted.errors import BLANK, INVALID, Invalid, Refused, as_json
from apps.api.delighted.paging import CURSOR, cursor_page, per_page
from apps.api.delighted.properties import canonical
from apps.contacts.models import Contact
from apps.integrations.models import Scope
from apps.triggers import delighted, members
from apps.triggers.models import AutopilotMember, Cadence, DelightedConnection

DAY_SECONDS = 86_400
IDENTIFIERS = ("person_id", "person_email", "person_phone_number")
EPOCH = 0


def configuration(call: Call, platform: str) -> dict[str, Any]:
    """How often the list is asked, in seconds; without a set-up connection it is not active."""
    connection = delighted.current()
    cadence = _cadence(connection, platform)
    return {
        "platform_id": platform,
        "active": bool(connection and connection.is_active and cadence and cadence.is_active),
        "frequency": cadence.period_days * DAY_SECONDS if cadence else 0,
        "created_at": shapes.unix(connection.created_at) if connection else EPOCH,
        "updated_at": shapes.unix(connection.updated_at) if connection else EPOCH,
    }


def _cadence(connection: DelightedConnection | None, platform: str) -> Cadence | None:
    if connection is None:
        return None
    return connection.email_cadence if platform == "email" else connection.sms_cadence


def listing(call: Call, platform: str) -> HttpResponse:
    """The list's members with their next turns, page by page along the header Link. Queries do not grow with them."""
    params, size = call.params, per_page(call)
    rows = AutopilotMember.objects.filter(platform=platform).select_related("contact").order_by("id")
    if any(params.given(name) for name in IDENTIFIERS):
        rows = rows.filter(contact=_named(call))
    if (changed := params.time("updated_since")) is not None:
        rows = rows.filter(updated_at__gte=changed)
    if (since := params.time("since")) is not None:
        rows = rows.filter(created_at__gte=since)
    if (until := params.time("until")) is not None:
        rows = rows.filter(created_at__lt=until + timedelta(seconds=1))
    if (after := params.whole(CURSOR)) is not None:
        rows = rows.filter(id__gt=after)
    found = list(rows[: size + 1])
    page = found[:size]
    keep = (*IDENTIFIERS, "since", "until", "updated_since")
    last = page[-1].id if len(found) > size else None
    return cursor_page(call, _with_turns(page, platform, call.now), after=last, keep=keep)


def _with_turns(page: list[AutopilotMember], platform: str, now: datetime) -> list[dict[str, Any]]:
    cadence = _cadence(delighted.current(), platform)
    active = cadence if cadence is not None and cadence.is_active else None
    ids = [member.contact_id for member in page]
    planned = members.planned_for(contact_ids=ids, cadence=active)
    turns = {**members.next_turns(contact_ids=ids, cadence=active, now=now), **planned}
    people = shapes.people([member.contact for member in page])
    return [
        {
            "created_at": shapes.unix(member.created_at),
            "updated_at": shapes.unix(member.updated_at),
            "person": person,
            # Never null: the public extractors take its id for a part of the key.
            "next_survey_request": {
                "id": str(member.pk),
                "created_at": shapes.unix(member.updated_at),
                "survey_scheduled_at": shapes.unix(turns.get(member.contact_id)),
                "properties": member.properties,
            },
        }
        for member, person in zip(page, people, strict=True)
    ]


def _named(call: Call) -> Contact | None:
    """The contact that the request names; the id counts before the address, the address before the number."""
    params = call.params
    return finding.find(
        pk=params.text("person_id") or "",
        email=finding.email_of(params, "person_email"),
        phone=finding.phone_of(params, "person_phone_number"),
    )


def add(call: Call, platform: str) -> HttpResponse:
    """Put a person on the list, making the person if need be; who is on it gets new properties."""
    told = call.params.mapping("properties")
    with transaction.atomic():
        contact = _person_to_add(call, canonical(told))
        if not (contact.email if platform == "email" else contact.phone):
            raise Invalid({"person_email" if platform == "email" else "person_phone_number": [BLANK]})
        connection = delighted.current()
        if connection is not None:
            delighted.prove(contact=contact, connection=connection, now=call.now)
        members.add(contact=contact, platform=platform, properties=told, now=call.now)
    return as_json({"person": shapes.person_brief(contact), "properties": told})


def _person_to_add(call: Call, properties: dict[str, Any]) -> Contact:
    params = call.params
    names = finding.Names(finding.email_of(params, "person_email"), finding.phone_of(params, "person_phone_number"))
    name = params.text("person_name", finding.MAX_NAME) or ""
    if pk := params.text("person_id") or "":
        found = finding.find(pk=pk)
        if found is None:
            raise Invalid({"person_id": [INVALID]})
        names = finding.Names(found.email or "", names.phone or found.phone)
        if not names.email and not names.phone:
            return found
    elif not names.email and not names.phone:
        raise Invalid({"person_email": [BLANK]})
    return finding.upsert(names=names, name=name, properties=properties, now=call.now)[0]


def remove(call: Call, platform: str) -> dict[str, Any]:
    """Take a person off the list: named by exactly one identifier, in JSON, form or query. Twice is fine."""
    given = [name for name in IDENTIFIERS if call.params.given(name)]
    if len(given) != 1:
        raise Invalid({name: ["must be given, and no other"] for name in (given or IDENTIFIERS[:1])})
    contact = _named(call)
    if contact is None:
        raise Refused(404, "There is no such person.")
    members.remove(contact_id=contact.id, platform=platform)
    return {"person": shapes.person_brief(contact)}


CONFIGURATION = endpoint(get=Handler(configuration, Scope.READ))
MEMBERSHIPS = endpoint(
    get=Handler(listing, Scope.READ),
    post=Handler(add, Scope.CONTACTS_WRITE),
    delete=Handler(remove, Scope.CONTACTS_WRITE),
)
