"""The rows behind the pages about cases, with everything a row shows loaded along.

Cases that were merged into others are in none of them.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, Func, IntegerField, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.cases.models import Case, CaseView, Outcome, RootCause
from apps.cases.models.cases import NEXT_DUE
from apps.cases.selectors import visible
from apps.contacts.models import Contact
from apps.responses.models import Response
from apps.workspace import case_filter as asked
from apps.workspace.case_filter import Choices
from apps.workspace.lists import about_contact, touchpoints
from apps.workspace.paging import COUNT_UP_TO, Page, page

COLUMN = 50
COLUMN_MAX = 500
CLOSED_LATELY = timedelta(days=30)
NO_SCORE_RANK = 11
ANSWERS = 12
OTHERS = 12
IS_OPEN = Q(closed_at__isnull=True)


def kept() -> QuerySet[Case]:
    """All cases that were not merged into another, each with ``next_due``: when something has to have happened.

    Until somebody got in touch that is the first contact, then the close.
    """
    return visible().annotate(next_due=NEXT_DUE)


def shown() -> QuerySet[Case]:
    """The same with what a row or a card tells."""
    unread = (
        "response__properties", "response__suspicions", "response__tags", "contact__properties",
        "contact__company__properties",
    )  # fmt: skip
    related = ("contact__company", "owner", "response__touchpoint", "result")
    return kept().select_related(*related).defer(*unread)


def choices(*, with_touchpoints: bool = True) -> Choices:
    """Everything that is chosen from. Four queries, or three."""
    points = touchpoints() if with_touchpoints else []
    return Choices(everybody(), list(Outcome.objects.all()), list(RootCause.objects.all()), points)


def everybody() -> list[AbstractUser]:
    """All users by name, also those who have left."""
    found = get_user_model().objects.defer("password").order_by("first_name", "last_name", "username")
    return list(found)


def cases(values: Mapping[str, Any], *, user: AbstractUser, now: datetime) -> QuerySet[Case]:
    """Cases that fit a CaseFilter."""
    found = shown()
    if values["q"]:
        words = values["q"]
        found = found.filter(about_contact(words) | Q(outcome__icontains=words) | Q(response__comment__icontains=words))
    if values["company"]:
        found = found.filter(contact__company__name__icontains=values["company"])
    if values["owner"]:
        found = found.filter(owner=_owner(values["owner"], user))
    if values["due"]:
        found = found.filter(IS_OPEN, _due(values["due"], now))
    if values["urgent"]:
        found = found.filter(is_urgent=True)
    if values["days"]:
        found = found.filter(opened_at__gte=now - timedelta(days=int(values["days"])))
    exact = {"touchpoint": "response__touchpoint__key", "cause": "root_cause", "result": "result"}
    return found.filter(_status(values["status"]), **{path: values[n] for n, path in exact.items() if values[n]})


def _owner(value: str, user: AbstractUser) -> int | None:
    if value == asked.ME:
        return user.pk
    return None if value == asked.NOBODY else int(value)


def _status(value: str) -> Q:
    if value == asked.ALL:
        return Q()
    if value in (asked.OPEN, asked.CLOSED):
        return IS_OPEN if value == asked.OPEN else ~IS_OPEN
    return Q(status=value)


def _due(value: str, now: datetime) -> Q:
    """Overdue; later today by the tenant's clock; or in the next seven days."""
    if value == asked.OVERDUE:
        return Q(next_due__lt=now)
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    until = midnight + timedelta(days=1) if value == asked.TODAY else now + timedelta(days=7)
    return Q(next_due__gte=now, next_due__lt=until)


def one_page(found: QuerySet[Case], values: Mapping[str, Any], *, cursor: str) -> Page:
    """A page in the order that was asked for. Two queries."""
    order = asked.order_of(values)
    if order == asked.BY_SCORE:
        ranked = found.annotate(rank=Coalesce("response__score", NO_SCORE_RANK, output_field=IntegerField()))
        return page(ranked, field="rank", cursor=cursor, ascending=True, is_number=True)
    if order == asked.BY_DUE:
        return page(found, field="next_due", cursor=cursor, ascending=True)
    return page(found, field="closed_at" if order == asked.BY_CLOSED else "opened_at", cursor=cursor)


def counts(*, user: AbstractUser, now: datetime) -> dict[str, int]:
    """How many cases each of the built-in lists has; of closed ones up to a bound. One query."""
    closed = visible().filter(~IS_OPEN).order_by().values("pk")[: COUNT_UP_TO + 1]
    number = Func(ArraySubquery(closed), function="cardinality", output_field=IntegerField())
    return (
        kept()
        .filter(IS_OPEN)
        .aggregate(
            mine=Count("pk", filter=Q(owner=user.pk)),
            unassigned=Count("pk", filter=Q(owner=None)),
            overdue=Count("pk", filter=_due(asked.OVERDUE, now)),
            today=Count("pk", filter=_due(asked.TODAY, now)),
            urgent=Count("pk", filter=Q(is_urgent=True)),
            open=Count("pk"),
            # Does not depend on the open ones, but comes with the same query.
            closed=Count("pk") * 0 + number,
        )
    )


def views_of(user: AbstractUser) -> list[CaseView]:
    """The user's own saved lists, and those that others share."""
    found = CaseView.objects.filter(Q(user=user.pk) | Q(is_shared=True)).select_related("user")
    return sorted(found, key=lambda view: (view.user_id != user.pk, view.position, view.name.lower()))


def board(found: QuerySet[Case], *, limits: Mapping[str, int], now: datetime) -> dict[str, list[Case]]:
    """The cards of each column: open ones by due time, closed ones of late. One query per column."""
    columns = {}
    for status in Case.Status.values:
        rows = found.filter(status=status)
        if status in (Case.Status.NEW, Case.Status.CONTACTED):
            rows = rows.filter(IS_OPEN).order_by(NEXT_DUE, "pk")
        else:
            rows = rows.filter(closed_at__gte=now - CLOSED_LATELY).order_by("-closed_at", "-pk")
        columns[status] = list(rows[: limits[status]])
    return columns


def column_counts(found: QuerySet[Case], *, now: datetime) -> dict[str, int]:
    """How many cards each column has in all. One query."""
    lately = Q(closed_at=None) | Q(closed_at__gte=now - CLOSED_LATELY)
    numbers = found.filter(lately).order_by().values_list("status").annotate(number=Count("pk"))
    return dict(numbers)


def card(pk: UUID) -> Case:
    """A case as its card shows it. Raises Case.DoesNotExist."""
    return shown().get(pk=pk)


def case(pk: UUID) -> Case:
    """One case with what its page tells, also one that went into another. Raises Case.DoesNotExist."""
    related = (
        "contact__company", "owner", "rule", "result", "root_cause", "response__survey", "response__version",
        "response__touchpoint",
    )  # fmt: skip
    found = Case.objects.select_related(*related).get(pk=pk)
    if found.contact_id == found.response.contact_id:
        found.response.contact = found.contact
    return found


def answers_of(of: Contact) -> list[Response]:
    """What the contact answered over time, newest first."""
    return list(of.responses.select_related("touchpoint").order_by("-answered_at", "-pk")[:ANSWERS])


def cases_of(of: Contact, *, but: UUID | None = None) -> list[Case]:
    """The contact's cases, open ones first, then the newest."""
    found = shown().filter(contact=of)
    if but is not None:
        found = found.exclude(pk=but)
    return list(found.order_by(F("closed_at").desc(nulls_first=True), "-opened_at", "-pk")[:OTHERS])
