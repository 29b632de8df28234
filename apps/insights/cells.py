"""How often each score was given: from the rollups where they are enough, else counted from the responses."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db.models import Case, Count, F, Func, IntegerField, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Lower, StrIndex, Substr, TruncDate

from apps.common.db import connection
from apps.insights.models import SCORE_COLUMNS
from apps.insights.places import Places
from apps.insights.slices import Grain, Period, Property, Slice, Stretch
from apps.responses.models import Response
from apps.responses.selectors import hidden, visible
from apps.triggers.segments import subquery

ROLLED = {"touchpoint": "touchpoint_id", "survey": "survey_id", "incentive": "is_incentivised"}
"""What the rollups can be cut by, and the column that says it."""
MAX_PARTS = 500
"""So many parts are read where nobody knows how many there are, those with the most answers first."""
Scores = dict[int, int]


class Cell(NamedTuple):
    """A part of the answer: which of the periods, the bucket's first day, what it was cut by."""

    period: int
    bucket: date | None
    key: Any


def read(
    *,
    wanted: Slice,
    places: Places,
    periods: Sequence[Stretch],
    grain: Grain | None,
    cut: str,
    now: datetime,
    leading: Stretch | None = None,
) -> dict[Cell, Scores]:
    """How often each score was given, per period, bucket and what ``cut`` names ("" or a dimension).

    ``leading``: which of countless parts are read is told by this period; by the first one unless given.
    Two queries, one more while answers are hidden. Raises ConditionError if the segment cannot be evaluated.
    """
    days = [period for period in periods if isinstance(period, Period)]
    if len(days) == len(periods) and wanted.is_rolled and (not cut or cut in ROLLED):
        return _from_rollups(wanted, places, days, grain, cut)
    found = responses(wanted=wanted, places=places, now=now)
    return _from_responses(found, periods, grain, cut, leading or periods[0])


# --- kept ready ---------------------------------------------------------------------------------------

_GIVEN = ", ".join(SCORE_COLUMNS)
_WEIGHTS = ", ".join(f"CASE score WHEN {score} THEN weight ELSE 0 END" for score in range(11))
_SUMS = ", ".join(f"SUM({column})" for column in SCORE_COLUMNS)
_COLUMNS = "day, survey_id, touchpoint_id, is_incentivised"


def _from_rollups(
    wanted: Slice, places: Places, periods: Sequence[Period], grain: Grain | None, cut: str
) -> dict[Cell, Scores]:
    where, params = _where(wanted, places)
    bucket = f"date_trunc('{grain.value}', day::timestamp)::date" if grain else "NULL::date"
    spans = ", ".join(["(%s::integer, %s::date, %s::date)"] * len(periods))
    bounds = [value for number, one in enumerate(periods) for value in (number, one.since, one.until)]
    first, last = min(one.since for one in periods), max(one.until for one in periods)
    statement = f"""
        SELECT period.number, {bucket}, {ROLLED[cut] if cut else "NULL"}, {_SUMS}
        FROM (
            SELECT {_COLUMNS}, {_GIVEN} FROM insights_rollup WHERE day BETWEEN %s AND %s {where}
            UNION ALL
            SELECT {_COLUMNS}, {_WEIGHTS} FROM responses_scorechange WHERE day BETWEEN %s AND %s {where}
        ) AS cells JOIN (VALUES {spans}) AS period (number, since, until) ON day BETWEEN since AND until
        GROUP BY 1, 2, 3
    """  # noqa: S608 - names of our own
    found: dict[Cell, Scores] = {}
    with connection.cursor() as cursor:
        cursor.execute(statement, [first, last, *params, first, last, *params, *bounds])
        for period, start, key, *given in cursor.fetchall():
            _add(found, Cell(period, start, key), ((score, int(number)) for score, number in enumerate(given)))
    _leave_out_hidden(found, wanted, places, periods, grain, cut)
    return {cell: scores for cell, scores in found.items() if scores}


def _where(wanted: Slice, places: Places) -> tuple[str, list[Any]]:
    parts, params = "", []
    for column, value in (
        ("survey_id = %s", places.survey_id if wanted.survey else None),
        ("touchpoint_id = ANY(%s)", places.touchpoint_ids),
        ("is_incentivised = %s", wanted.is_incentivised),
    ):
        if value is not None:
            parts += f" AND {column}"
            params.append(value)
    return parts, params


def _leave_out_hidden(
    found: dict[Cell, Scores],
    wanted: Slice,
    places: Places,
    periods: Sequence[Period],
    grain: Grain | None,
    cut: str,
) -> None:
    """Take off the few answers of anonymous surveys that are not shown yet: the rollups do not know which they are."""
    few = hidden()
    if few is None:
        return
    few = _narrowed(few.filter(is_suspected=False, score__isnull=False), wanted, places)
    for at, survey_id, touchpoint_id, is_incentivised, score in few.values_list(
        "answered_at", "survey_id", "touchpoint_id", "is_incentivised", "score"
    ):
        keys = {"touchpoint": touchpoint_id, "survey": survey_id, "incentive": is_incentivised}
        day = at.astimezone(UTC).date()
        for number, period in enumerate(periods):
            if score is not None and period.since <= day <= period.until:
                cell = Cell(number, grain.start_of(day) if grain else None, keys[cut] if cut else None)
                # One that came in since the rollups were read is not in them.
                if found.get(cell, {}).get(score):
                    _add(found, cell, [(score, -1)])


def _add(found: dict[Cell, Scores], cell: Cell, given: Iterable[tuple[int, int]]) -> None:
    scores = found.setdefault(cell, {})
    for score, number in given:
        if total := scores.pop(score, 0) + number:
            scores[score] = total


# --- counted ------------------------------------------------------------------------------------------

_LARGEST = """
    WITH counted (in_period, bucket, cut, score, number) AS ({counted})
    SELECT * FROM counted WHERE cut IS NULL OR cut IN (
        SELECT cut FROM counted WHERE cut IS NOT NULL
        GROUP BY cut ORDER BY SUM(number) FILTER (WHERE in_period = 0) DESC NULLS LAST, cut LIMIT %s
    )
"""
_NOTHING = Value(None, output_field=IntegerField())


def responses(*, wanted: Slice, places: Places, now: datetime, is_scored: bool = True) -> QuerySet[Response]:
    """The responses that count, of all times, unordered. Raises ConditionError. One query, at once.

    ``is_scored``: only those with a score; else those as well that say something without one.
    """
    given = Response.objects.filter(is_suspected=False)
    found = _narrowed(visible(given.filter(score__isnull=False) if is_scored else given), wanted, places)
    if wanted.channel:
        found = found.filter(channel=wanted.channel)
    if wanted.language:
        found = found.filter(Q(locale__iexact=wanted.language) | Q(locale__istartswith=f"{wanted.language}-"))
    if wanted.company_id is not None:
        found = found.filter(contact__company_id=wanted.company_id)
    if wanted.trait is not None:
        found = found.alias(told=told(wanted.trait.name)).filter(told=wanted.trait.value)
    if places.segment is not None:
        found = found.filter(contact_id__in=subquery(condition=places.segment.condition, now=now))
    return found.order_by()


def _narrowed(found: QuerySet[Response], wanted: Slice, places: Places) -> QuerySet[Response]:
    if wanted.survey:
        found = found.filter(survey=places.survey_id)
    if places.touchpoint_ids is not None:
        found = found.filter(touchpoint__in=places.touchpoint_ids)
    if wanted.is_incentivised is not None:
        found = found.filter(is_incentivised=wanted.is_incentivised)
    return found


def told(name: str) -> Func:
    """A property as text: of the response, or ``contact.…``, ``company.…``."""
    of, _dot, rest = name.partition(".")
    column = "properties"
    if rest and of in ("contact", "company"):
        name, column = rest, "contact__properties" if of == "contact" else "contact__company__properties"
    # Unlike a key transform it takes digits for a name, too, and not for a place in a list.
    return Func(F(column), Value(name), function="jsonb_extract_path_text", output_field=TextField())


def within(period: Stretch) -> Q:
    """Answered on one of these days, or between these moments."""
    start, end = period.moments
    return Q(answered_at__gte=start, answered_at__lt=end)


def key_of(cut: str) -> Any:
    """What a response belongs to when it is cut by this dimension."""
    if cut.startswith("property:"):
        return told(cut.partition(":")[2])
    plain = {
        "touchpoint": F("touchpoint_id"), "survey": F("survey_id"), "incentive": F("is_incentivised"),
        "channel": F("channel"), "company": F("contact__company_id"),
    }  # fmt: skip
    if cut in plain:
        return plain[cut]
    # The language alone: what stands before the first hyphen.
    return Lower(Substr("locale", 1, Case(
        When(locale__contains="-", then=StrIndex("locale", Value("-")) - 1), default=Value(20),
        output_field=IntegerField(),
    )))  # fmt: skip


def _from_responses(
    found: QuerySet[Response], periods: Sequence[Stretch], grain: Grain | None, cut: str, leading: Stretch
) -> dict[Cell, Scores]:
    """One query for all periods; they must not overlap."""
    days = TruncDate("answered_at", tzinfo=UTC) if grain else _NOTHING
    which = Case(
        *(When(within(period), then=Value(n)) for n, period in enumerate(periods)), output_field=IntegerField()
    )
    condition = Q()
    for period in periods:
        condition |= within(period)
    found = found.annotate(cut=key_of(cut) if cut else _NOTHING)
    is_open = cut == "company" or cut.startswith("property:")
    if is_open and leading != periods[0]:
        most = _most(found.filter(condition | within(leading)), leading)
        found = found.filter(Q(cut__in=most) | Q(cut=None))
    rows: Any = (
        found.filter(condition)
        .annotate(in_period=which if len(periods) > 1 else Value(0), bucket=days)
        .values_list("in_period", "bucket", "cut", "score")
        .annotate(number=Count("pk"))
    )
    if is_open and leading == periods[0]:
        rows = _largest(rows)
    cells: dict[Cell, Scores] = {}
    for period_number, day, key, score, number in rows:
        start = grain.start_of(day) if grain else None
        _add(cells, Cell(period_number, start, key), [(score, number)])
    return cells


def _largest(rows: Any) -> list[tuple[Any, ...]]:
    """Of counted rows those of the parts with the most answers in the first period, and of what belongs to none."""
    try:
        statement, params = rows.query.sql_with_params()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_LARGEST.format(counted=statement), [*params, MAX_PARTS])
        return cursor.fetchall()


def _most(found: Any, period: Stretch) -> Any:
    """The parts with the most answers in a period: a property may have another value in every response."""
    parts = found.exclude(cut=None).values("cut").annotate(number=Count("pk", filter=within(period)))
    return parts.order_by("-number", "cut").values("cut")[:MAX_PARTS]


__all__ = ["ROLLED", "Cell", "Property", "Scores", "key_of", "read", "responses", "told", "within"]
