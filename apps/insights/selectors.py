"""Figures for people: rollups plus what is not folded in yet, in one query."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias

from django.db import connection
from django.db.models import Count, Q

from apps.insights.nps import Change, Counts, Nps, change, nps
from apps.surveys.models import Invitation
from apps.touchpoints.models import Event, Touchpoint

MONTHS = 12
_BY_MONTH, _BY_TOUCHPOINT, _BY_PROMISE = 0, 2, 3
"""What GROUPING says of the parts."""

_OVERVIEW = """
SELECT GROUPING(month, score), month, touchpoint_id, period, is_incentivised, score, SUM(number)
FROM (
    SELECT date_trunc('month', day)::date AS month, touchpoint_id, is_incentivised, score, number,
           CASE WHEN day > %(now_from)s THEN 'now' WHEN day > %(before_from)s THEN 'before' END AS period
    FROM (
        SELECT day, touchpoint_id, is_incentivised, score, number FROM insights_rollup
        CROSS JOIN LATERAL unnest(ARRAY[given_0, given_1, given_2, given_3, given_4, given_5, given_6, given_7,
            given_8, given_9, given_10]) WITH ORDINALITY AS given (number, place)
        CROSS JOIN LATERAL (SELECT place - 1 AS score) AS scored
        UNION ALL
        SELECT day, touchpoint_id, is_incentivised, score, weight FROM responses_scorechange
    ) AS cells
    WHERE day >= %(since)s AND day <= %(today)s
        AND (%(wanted)s::boolean IS NULL OR is_incentivised = %(wanted)s)
) AS dated
GROUP BY GROUPING SETS ((month, score), (touchpoint_id, period, score), (period, is_incentivised))
HAVING SUM(number) <> 0
"""


@dataclass(frozen=True, slots=True)
class Month:
    """The score of one calendar month (UTC)."""

    start: date
    nps: Nps


@dataclass(frozen=True, slots=True)
class TouchpointFigures:
    """The score at one touchpoint; ``touchpoint`` is None for answers without one."""

    touchpoint: Touchpoint | None
    nps: Nps
    change: Change | None


@dataclass(frozen=True, slots=True)
class Overview:
    """What the dashboard shows about scores."""

    days: int
    now: Nps
    before: Nps
    change: Change | None
    months: list[Month]
    touchpoints: list[TouchpointFigures]
    incentivised: int = 0
    """So many of the answers of now were promised something."""
    has_incentives: bool = False
    """Whether any answer of all this time was."""

    @property
    def is_mixed(self) -> bool:
        """Whether some of the answers of now were promised something, and some were not."""
        return 0 < self.incentivised < self.now.n


@dataclass(frozen=True, slots=True)
class Funnel:
    """Of the events in a period: how many led to an invitation, a sent mail, an answer."""

    events: int
    invited: int
    sent: int
    answered: int


def overview(*, today: date, days: int, is_incentivised: bool | None = None) -> Overview:
    """NPS of the last ``days`` days and of the days before, by month and by touchpoint. Two queries.

    ``is_incentivised``: only of answers that were promised something, or nothing; None: of all.
    """
    months = last_months(today=today, number=MONTHS)
    by_month: dict[date, dict[int, int]] = defaultdict(dict)
    by_touchpoint: dict[tuple[int | None, str], dict[int, int]] = defaultdict(dict)
    promised, has_incentives = 0, False
    cells = _cells(today=today, days=days, since=months[0], wanted=is_incentivised)
    for part, month, touchpoint_id, period, was_promised, score, number in cells:
        if part == _BY_MONTH:
            by_month[month][score] = number
        elif part == _BY_TOUCHPOINT and period:
            by_touchpoint[touchpoint_id, period][score] = number
        elif part == _BY_PROMISE and was_promised:
            has_incentives = True
            promised = number if period == "now" else promised
    counts = {key: Counts.from_scores(scores) for key, scores in by_touchpoint.items()}
    total = {
        period: sum((found for (_id, name), found in counts.items() if name == period), Counts())
        for period in ("now", "before")
    }
    now, before = nps(total["now"]), nps(total["before"])
    return Overview(
        days=days,
        now=now,
        before=before,
        change=change(before, now),
        months=[Month(start, nps(Counts.from_scores(by_month[start]))) for start in months],
        touchpoints=_touchpoint_figures(counts),
        incentivised=promised,
        has_incentives=has_incentives,
    )


_Cell: TypeAlias = tuple[int, date, int | None, str | None, bool | None, int, int]


def _cells(*, today: date, days: int, since: date, wanted: bool | None) -> list[_Cell]:
    before_from = today - timedelta(days=2 * days)
    with connection.cursor() as cursor:
        cursor.execute(
            _OVERVIEW,
            {
                "today": today,
                "now_from": today - timedelta(days=days),
                "before_from": before_from,
                "since": min(since, before_from),
                "wanted": wanted,
            },
        )
        rows: list[_Cell] = cursor.fetchall()
        return rows


def _touchpoint_figures(counts: dict[tuple[int | None, str], Counts]) -> list[TouchpointFigures]:
    """Touchpoints with answers in the period, in the order of the journey; answers without one last."""
    found: list[TouchpointFigures] = []
    for touchpoint in [*Touchpoint.objects.select_related("stage"), None]:
        key = touchpoint.pk if touchpoint else None
        now = counts.get((key, "now"))
        if now is not None:
            figures, before = nps(now), nps(counts.get((key, "before"), Counts()))
            found.append(TouchpointFigures(touchpoint, figures, change(before, figures)))
    return found


def last_months(*, today: date, number: int) -> list[date]:
    """First days of the last ``number`` months, oldest first, this month included."""
    last = today.year * 12 + today.month - 1
    return [date(index // 12, index % 12 + 1, 1) for index in range(last - number + 1, last + 1)]


def funnel(*, since: datetime, until: datetime) -> Funnel:
    """How far the events of a period got. One query.

    Every stage counts events, so that it never exceeds the one before. A mail that was deleted
    since counts as sent if its invitation was handed to delivery; what was shown on a page counts as
    sent. What a machine probably answered is no answer.
    """
    handed_over = Q(invitations__status__in=[Invitation.Status.QUEUED, Invitation.Status.SHOWN])
    gone_or_sent = Q(invitations__email__isnull=True) | Q(invitations__email__sent_at__isnull=False)
    # Of an anonymous answer nothing is known but that its link was used.
    answered = Q(invitations__response__is_suspected=False) | Q(invitations__used_on__isnull=False)
    found = Event.objects.filter(occurred_at__gte=since, occurred_at__lte=until).aggregate(
        events=Count("pk", distinct=True),
        invited=Count("invitations__event", distinct=True),
        sent=Count("invitations__event", distinct=True, filter=handed_over & gone_or_sent),
        answered=Count("invitations__event", distinct=True, filter=answered),
    )
    return Funnel(**found)
