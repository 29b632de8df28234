"""People: sent in to be asked, listed, erased; and what is planned for them, taken back."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpResponse

from apps.api.delighted import finding, shapes
from apps.api.delighted.base import Call, Handler, endpoint
from apps.api.delighted.erasing import erase
from apps.api.delighted.errors import BLANK, INVALID, Invalid, Refused, as_json
from apps.api.delighted.paging import cursor_id, cursor_page, per_page
from apps.api.delighted.properties import canonical
from apps.contacts.models import Contact, Outreach
from apps.integrations.models import Scope
from apps.messaging import channels, opt_in, suppressions
from apps.surveys import services as surveys
from apps.surveys.models import Invitation
from apps.triggers import delighted
from apps.triggers.models import DelightedConnection
from apps.triggers.rules import LONGEST_EXTRA

OK = {"ok": True}
TAKEN = "has already been taken"
SOURCE = "Delighted API"


def create(call: Call) -> HttpResponse:
    """Take a person in and, unless ``send`` is false, have the rules decide whether and when it is asked."""
    params = call.params
    names = finding.Names(finding.email_of(params), finding.phone_of(params))
    if not names.email and not names.phone:
        raise Invalid({"email": [BLANK]})
    send, delay, channel = params.flag("send", True), _delay(call), params.text("channel") or ""
    if channel not in ("", "email", "sms"):
        raise Invalid({"channel": [INVALID]})
    if send:
        call.demand(Scope.EVENTS_WRITE)
    told = params.mapping("properties")
    name, last_sent_at = params.text("name", finding.MAX_NAME) or "", params.time("last_sent_at")
    new_email, new_phone = finding.email_of(params, "email_update"), finding.phone_of(params, "phone_number_update")
    with transaction.atomic():
        contact, is_new = finding.upsert(names=names, name=name, properties=canonical(told), now=call.now)
        _rename(contact, new_email, new_phone, call.now)
        if send and channel == "sms" and not contact.phone:
            raise Invalid({"phone_number": [BLANK]})
    connection = delighted.current()
    if last_sent_at is not None:
        _note_sent(contact, min(last_sent_at, call.now), connection)
    at = _ask(call, contact, connection, channel, delay) if send else None
    body = {**shapes.person_brief(contact), "survey_scheduled_at": shapes.unix(at), "properties": told}
    return as_json(body, 201 if is_new else 200)


def _delay(call: Call) -> timedelta:
    seconds = call.params.seconds("delay") or 0
    if seconds > LONGEST_EXTRA.total_seconds():
        raise Invalid({"delay": ["is too long (maximum is 365 days)"]})
    return timedelta(seconds=max(0, seconds))


def _rename(contact: Contact, email: str, phone: str, now: datetime) -> None:
    """``email_update``, ``phone_number_update``: the person has another address now. Whoever left, has left there."""
    if not email and not phone:
        return
    before, word = opt_in.addresses_of(contact), delighted.own_word(contact)
    if phone and contact.external_id == finding.BY_NUMBER + contact.phone:
        contact.external_id = finding.BY_NUMBER + phone  # Else whoever gets the old number would be this person.
    contact.email, contact.phone, contact.updated_at = email or contact.email, phone or contact.phone, now
    try:
        with transaction.atomic():
            contact.save(update_fields=["external_id", "email", "phone", "updated_at"])
    except IntegrityError:
        raise Invalid({"email_update" if email else "phone_number_update": [TAKEN]}) from None
    if word and (new := opt_in.addresses_of(contact) - before):
        suppressions.suppress(emails=sorted(new), reason=word, source=SOURCE, now=now)


def _note_sent(contact: Contact, at: datetime, connection: DelightedConnection | None) -> None:
    """The person was asked elsewhere: that counts against the contact budget as if we had asked."""
    topic = f"survey:{connection.survey_id}" if connection else ""
    kept = {"kind": Outreach.Kind.INVITATION, "at": at, "state": Outreach.State.SPENT, "topic": topic}
    Outreach.objects.update_or_create(reason=f"delighted:last_sent:{contact.id}", contact=contact, defaults=kept)


def _ask(
    call: Call, contact: Contact, connection: DelightedConnection | None, channel: str, delay: timedelta
) -> datetime | None:
    if connection is None or not connection.is_active:
        return None
    if channel:
        # The tenant's own setting chooses the channel; who wants another one is not written to by the wrong one.
        way = channels.ways({contact.id: channels.Person(contact.email or "", contact.phone)})[contact.id]
        if way.channel != channel:
            return None
    properties = canonical(call.params.mapping("properties"))
    return delighted.ask(contact=contact, connection=connection, properties=properties, delay=delay, now=call.now)


def listing(call: Call) -> HttpResponse:
    """People in the order they came, page by page along the header Link."""
    params, size = call.params, per_page(call)
    rows = Contact.objects.order_by("id")
    if email := (params.text("email") or "").lower():
        rows = rows.filter(email=email)
    elif number := finding.phone_of(params):
        rows = rows.filter(phone=number)
    since, until, after = params.time("since"), params.time("until"), cursor_id(call)
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    if until is not None:
        rows = rows.filter(created_at__lt=_end_of_second(until))
    if after is not None:
        rows = rows.filter(id__gt=after)
    found = list(rows[: size + 1])
    page = found[:size]
    last = page[-1].id if len(found) > size else None
    keep = ("since", "until", "email", "phone_number")
    return cursor_page(call, shapes.people(page), after=last, keep=keep)


def _end_of_second(at: datetime) -> datetime:
    """Callers know whole seconds: what happened within the last one belongs to it."""
    return at.astimezone(UTC) + timedelta(seconds=1)


def delete(call: Call, who: str) -> HttpResponse:
    """Erase a person with all that is known about it; blocked addresses stay blocked, as hashes."""
    contact = finding.find_in_path(who)
    if contact is None:
        raise Refused(404, "There is no such person.")
    erase(contact_id=contact.id, now=call.now)
    return as_json(OK, 202)


def delete_pending(call: Call, who: str) -> dict[str, Any]:
    """Take back what is planned for a person, or waits in the outbox. Nobody there: nothing is planned."""
    contact = finding.find_in_path(who)
    if contact is not None:
        unsent = Q(status=Invitation.Status.SCHEDULED) | Q(email__status__in=("queued", "paused"))
        ids = Invitation.objects.filter(unsent, contact=contact).values_list("id", flat=True)
        with transaction.atomic():
            surveys.revoke_unsent(reasons=[surveys.outreach_reason(pk) for pk in ids], reason="not_a_member")
    return OK


PEOPLE = endpoint(get=Handler(listing, Scope.READ), post=Handler(create, Scope.CONTACTS_WRITE))
PERSON = endpoint(delete=Handler(delete, Scope.CONTACTS_WRITE))
PENDING = endpoint(delete=Handler(delete_pending, Scope.CONTACTS_WRITE))
