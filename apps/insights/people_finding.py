"""Narrowing the lists of contacts at risk, advocates and silent ones, without reading all there is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from django.db import OperationalError, transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL

from apps.cases.selectors import visible
from apps.common.db import connection
from apps.contacts.models import Contact
from apps.touchpoints.models import Touchpoint
from apps.triggers.models import Segment
from apps.triggers.segments import subquery

MANY = 20_000
"""Up to so many contacts that fit the words are looked up one by one; of more there is soon one along the list."""
PATIENCE_MS = 10_000
NOBODY = "none"
NO_CASE = "no_case"
Row = TypeVar("Row", bound=Model)


class TooManyError(Exception):
    """Looking for those who fit took too long: hardly anybody of very many does."""


@contextmanager
def patience() -> Iterator[None]:
    """No query within it takes longer than seconds. Raises TooManyError."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(PATIENCE_MS)])
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            raise TooManyError from error
        raise


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is narrowed by; "" asks for nothing."""

    words: str = ""
    """Part of name, address, telephone number or your id."""
    company: str = ""
    """Part of the company's name, or its whole external id."""
    touchpoint: str = ""
    """Key of the touchpoint of the last score, or of the last invitation."""
    segment: str = ""
    """Key of a segment of contacts."""
    owner: str = ""
    """Id of a user who has an open case of theirs, ``none`` for one that is nobody's, ``no_case`` for no open case."""


def narrowed(found: QuerySet[Row], wanted: Wanted, *, now: datetime) -> QuerySet[Row]:
    """The rows (with a contact and a touchpoint) that fit. At most three queries at once.

    Raises ConditionError for a segment that cannot be evaluated: that nobody fits would be untrue.
    """
    if wanted.touchpoint:
        # By its id, of which the database knows whether it is frequent: a rare one is not looked for along all rows.
        pk = Touchpoint.objects.filter(key=wanted.touchpoint).values_list("pk", flat=True).first()
        found = found.filter(touchpoint=pk) if pk is not None else found.none()
    if wanted.owner:
        found = _owned(found, wanted.owner)
    people = _people(wanted, now)
    if people is None:
        return found
    few = list(people.values_list("pk", flat=True)[: MANY + 1])
    if len(few) > MANY:
        # As a value per row, which is no join: whatever the database guesses of the words, it walks along the list.
        own = people.filter(pk=OuterRef("contact")).values("pk")[:1]
        return found.alias(fitting=Subquery(own)).filter(fitting__isnull=False)  # type: ignore[return-value]
    return found.filter(contact__in=_listed(few)) if few else found.none()


def _listed(ids: list[UUID]) -> Any:
    return RawSQL("SELECT unnest(%s::uuid[])", [ids])


def _owned(found: QuerySet[Row], owner: str) -> QuerySet[Row]:
    is_open = visible().filter(closed_at=None)
    if owner == NO_CASE:
        return found.filter(~Exists(is_open.filter(contact=OuterRef("contact"))))
    theirs = is_open.filter(owner=None if owner == NOBODY else int(owner), contact__isnull=False)
    return found.filter(contact__in=theirs.values("contact"))


def _people(wanted: Wanted, now: datetime) -> QuerySet[Contact] | None:
    """The contacts that fit; None if all do. Raises ConditionError."""
    if not (wanted.words or wanted.company or wanted.segment):
        return None
    found = Contact.objects.all()
    if wanted.words:
        named = Q()
        for field in ("name", "email", "external_id", "phone"):
            named |= Q(**{f"{field}__icontains": wanted.words})
        found = found.filter(named)
    if wanted.company:
        found = found.filter(
            Q(company__name__icontains=wanted.company) | Q(company__external_id__iexact=wanted.company)
        )
    if not wanted.segment:
        return found
    condition = Segment.objects.filter(key=wanted.segment).values_list("condition", flat=True).first()
    if condition is None:
        return found.none()
    return found.filter(pk__in=subquery(condition=condition, now=now))
