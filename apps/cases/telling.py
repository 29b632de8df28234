"""Tells users what concerns them about cases."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.base_user import AbstractBaseUser

from apps.alerts.models import Kind
from apps.alerts.services import Occasion, tell
from apps.cases.models import Case, CaseNote
from apps.contacts.ledger import home_calendar


def name_of(user: AbstractBaseUser | None) -> str:
    """Somebody's full name, or what they sign in with; "" for nobody."""
    if user is None:
        return ""
    found: Any = user
    return str(found.get_full_name() or found.get_username())


def path_of(case: Case) -> str:
    """A case's page in the workspace."""
    return f"/cases/{case.pk}/"


def next_due(case: Case) -> datetime:
    """Until when something is to be done: the contact to hear from us, then the case to be closed."""
    if case.first_contact_at is None and case.contact_due_at is not None:
        return min(case.due_at, case.contact_due_at)
    return case.due_at


def occasion(
    case: Case,
    kind: Kind,
    reason: str,
    user_ids: Collection[int],
    *,
    zone: str,
    by: AbstractBaseUser | None = None,
    due: datetime | None = None,
) -> Occasion:
    """Something to be told about a case; ``reason`` makes it one occurrence within the case.

    What the contact is called and wrote is read from the response when it is told: it may be erased by then.
    """
    until = (due or next_due(case)).astimezone(ZoneInfo(zone))
    return Occasion(
        kind=kind,
        reason=f"case:{case.pk}:{reason}",
        user_ids=user_ids,
        values={"due": f"{until:%Y-%m-%d %H:%M}", "by": name_of(by)},
        path=path_of(case),
        response_id=case.response_id,
    )


def assigned(cases: Iterable[Case], *, by: AbstractBaseUser | None, now: datetime) -> None:
    """Tell the owners of these cases that they are theirs now; nobody is told what they did themselves."""
    given = [case for case in cases if case.owner_id is not None and case.owner_id != (by.pk if by else None)]
    if given:
        zone = home_calendar().zone
        tell(
            occasions=[
                occasion(case, Kind.CASE_ASSIGNED, f"owner:{case.revision}", {case.owner_id}, zone=zone, by=by)
                for case in given
                if case.owner_id is not None
            ],
            now=now,
        )


def answered(cases: Iterable[Case], *, now: datetime) -> None:
    """Tell the owners of these cases that their contact answered again."""
    owned = [case for case in cases if case.owner_id is not None]
    if owned:
        zone = home_calendar().zone
        tell(
            occasions=[
                occasion(case, Kind.CASE_REPLY, f"answered:{case.revision}", {case.owner_id}, zone=zone)
                for case in owned
                if case.owner_id is not None
            ],
            now=now,
        )


def mentioned(
    note: CaseNote, case: Case, user_ids: Collection[int], *, by: AbstractBaseUser | None, now: datetime
) -> None:
    """Tell those whom a note mentions, except its author."""
    others = {pk for pk in user_ids if by is None or pk != by.pk}
    if others:
        zone = home_calendar().zone
        tell(occasions=[occasion(case, Kind.CASE_MENTION, f"note:{note.pk}", others, zone=zone, by=by)], now=now)
