"""The rows behind the lists of contacts at risk, advocates and silent ones, and how many there are."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet

from apps.campaigns.models import Campaign
from apps.campaigns.models import Segment as Scores
from apps.insights import people
from apps.insights.people_finding import Wanted, narrowed
from apps.insights.people_reasons import READERS, Person
from apps.workspace.paging import COUNT_UP_TO, Page, Total, page, page_by_id, total
from apps.workspace.people_filter import NEWEST

CAMPAIGNS = 5
NEWEST_FIRST = ("-answered_at", "-pk")
_CRITERIA = {people.AT_RISK: "detractor", people.ADVOCATES: "promoter"}


def found(standing: str, reason: str, wanted: Wanted, *, now: datetime) -> QuerySet[Any]:
    """The rows of a list that fit, in no order. At most four queries at once. Raises ConditionError."""
    rows: QuerySet[Any]
    if standing == people.AT_RISK:
        rows = people.at_risk(now=now, reason=reason)
    elif standing == people.ADVOCATES:
        rows = people.advocates(now=now, reason=reason)
    else:
        rows = people.silent(now=now)
    return narrowed(rows, wanted, now=now)


def order_of(standing: str) -> Sequence[str]:
    """All rows of a list, the newest first."""
    return ("-pk",) if standing == people.SILENT else NEWEST_FIRST


def one_page(standing: str, rows: QuerySet[Any], *, sort: str, cursor: str) -> Page:
    """A page with its rows as :class:`Person`. Two queries.

    At risk the most urgent come first, among the newest 1,000: a tenant with more of them narrows the list, or sorts it
    by time.
    """
    if standing == people.SILENT:
        return page_by_id(rows, cursor=cursor)
    if standing == people.ADVOCATES or sort == NEWEST:
        return page(rows, field="answered_at", cursor=cursor)
    newest = list(rows.order_by(*NEWEST_FIRST).values_list("pk", flat=True)[: COUNT_UP_TO + 1])
    urgent = rows.filter(pk__in=newest[:COUNT_UP_TO])
    return page(urgent, field="urgency", cursor=cursor, counted=Total(len(newest)), is_number=True)


def read(standing: str, shown: Page, *, now: datetime) -> list[Person]:
    """Why the rows of a page are there, and what to do next. At most two queries."""
    return READERS[standing](shown.rows, now=now)


def counts(*, now: datetime, known: Mapping[str, Total]) -> dict[str, Total]:
    """How many there are in each list, counted up to a bound; ``known`` are counted already."""
    lists = (people.AT_RISK, people.ADVOCATES, people.SILENT)
    return {one: known.get(one) or total(found(one, "", Wanted(), now=now)) for one in lists}


def campaigns(standing: str, wanted: Wanted) -> list[tuple[Campaign, str]]:
    """Active campaigns for such scores, each with the query string that chooses the responses most like the list's."""
    scores = _CRITERIA.get(standing)
    if scores is None:
        return []
    criteria = {"segment": scores, "days": "365", "touchpoint": wanted.touchpoint, "contacts": wanted.segment}
    query = urlencode({name: value for name, value in criteria.items() if value})
    fitting = Campaign.objects.filter(
        Q(segment=scores) | Q(segment=Scores.ANY), is_active=True, current_version__isnull=False
    )
    return [(row, query) for row in fitting.only("name").order_by("name", "pk")[:CAMPAIGNS]]
