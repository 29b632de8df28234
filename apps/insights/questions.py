"""What was answered beside the score: each further question with its figure, of promoters and detractors as well."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from django.db.models import Case, Count, F, Func, QuerySet, TextField, Value, When

from apps.common.segments import DETRACTOR, PROMOTER
from apps.common.shares import Part
from apps.common.texts import Texts
from apps.insights import cells
from apps.insights.ces import Ces, ces
from apps.insights.csat import Csat, csat, part_of
from apps.insights.means import Mean, mean
from apps.insights.nps import MIN_N
from apps.insights.places import find
from apps.insights.slices import Period, Slice
from apps.responses.models import Response
from apps.surveys.models import Question

Kind = Question.Kind
SCALES = {Kind.CSAT: (1, 5), Kind.CES: (1, 7), Kind.RATING: (1, 5), Kind.SCALE: (0, 10)}
"""Kinds that are answered with a number, and between which ends; a scale's own ends may lie closer together."""
CHOICES = (Kind.SINGLE, Kind.MULTIPLE)
KINDS = (*SCALES, Kind.YES_NO, *CHOICES)
MAX_QUESTIONS = 60
Figure: TypeAlias = Csat | Ces | Mean | Part


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that could be chosen, and by how many of those who answered: of all, of promoters, of detractors.

    ``text`` is empty where the survey does not offer it any more. The last two are None where too few answered.
    """

    key: str
    text: Texts
    part: Part
    promoters: Part | None
    detractors: Part | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its figure; None while too few answered. ``counts``: how often each number was answered.

    ``promoters`` and ``detractors`` are the figures of those who gave such a score; None unless enough of both did.
    """

    question: Question
    n: int
    figure: Figure | None
    counts: Mapping[int, int]
    choices: tuple[Choice, ...]
    promoters: Figure | None = None
    detractors: Figure | None = None

    @property
    def too_few(self) -> bool:
        """Whether too few answered to show anything of it."""
        return self.n < MIN_N

    @property
    def ends(self) -> tuple[int, int]:
        """The lowest and the highest number that there is, also if it was not answered."""
        low, high = _ends(self.question)
        return min([low, *self.counts]), max([high, *self.counts])


@dataclass(slots=True)
class _Given:
    """What was answered to one question, by segment of the score ("" without one)."""

    numbers: dict[str, dict[int, int]]
    chosen: dict[str, dict[str, int]]
    answered: dict[str, int]


def questions(*, wanted: Slice, period: Period, now: datetime) -> list[Asked]:
    """All further questions that were answered in a period, survey by survey (most answers first), in their order.

    At most MAX_QUESTIONS; four queries however many there are, and one for each key in the slice. Raises
    UnknownKeyError, and ConditionError for a segment that cannot be evaluated.
    """
    found = cells.responses(wanted=wanted, places=find(wanted), now=now, is_scored=False).filter(cells.within(period))
    given = _read(found)
    rows = Question.objects.filter(pk__in=given).select_related("survey").order_by("position", "pk")
    told = [one for row in rows if (one := _asked(row, _fitting(row, given[row.pk]))).n]
    most: dict[int, int] = {}
    for one in told:
        most[one.question.survey_id] = max(most.get(one.question.survey_id, 0), one.n)
    told.sort(key=lambda one: (-most[one.question.survey_id], one.question.survey_id))
    return told[:MAX_QUESTIONS]


def _read(found: QuerySet[Response]) -> dict[int, _Given]:
    """What was answered to which question. One query, one more if anything was chosen."""
    given: dict[int, _Given] = {}
    # What has words was given to another kind of question, of this key.
    asked = found.filter(answers__question__kind__in=KINDS, answers__text="").annotate(by=_segment())
    rows = asked.values_list("answers__question", "by", "answers__value").annotate(number=Count("pk"))
    has_choices = False
    for pk, segment, value, number in rows:
        one = given.setdefault(pk, _Given({}, {}, {}))
        one.answered[segment] = one.answered.get(segment, 0) + number
        has_choices = has_choices or value is None
        if value is not None:
            one.numbers.setdefault(segment, {})[value] = number
    if has_choices:
        for pk, segment, key, number in _chosen(found):
            given[pk].chosen.setdefault(segment, {})[key] = number
    return given


def _fitting(row: Question, given: _Given) -> _Given:
    """Without what cannot be an answer to it: when that was given, it was another kind of question."""
    if row.kind in CHOICES:
        answered = {by: n - sum(given.numbers.get(by, {}).values()) for by, n in given.answered.items()}
        return _Given({}, given.chosen, answered)
    # A scale may have had other ends.
    low, high = (0, 10) if row.kind in (Kind.SCALE, Kind.RATING) else _ends(row)
    numbers = {by: {n: k for n, k in counts.items() if low <= n <= high} for by, counts in given.numbers.items()}
    return _Given(numbers, {}, {by: sum(counts.values()) for by, counts in numbers.items()})


def _chosen(found: QuerySet[Response]) -> Iterable[tuple[int, str, str, int]]:
    each = Func(F("answers__choices"), function="jsonb_array_elements_text", output_field=TextField())
    each.set_returning = True
    asked = found.filter(answers__question__kind__in=CHOICES).annotate(by=_segment(), key=each)
    rows: Any = asked.values_list("answers__question", "by", "key").annotate(number=Count("pk"))
    return rows


def _segment() -> Case:
    return Case(
        When(score__gte=9, then=Value(PROMOTER)), When(score__lte=6, then=Value(DETRACTOR)), default=Value("")
    )  # fmt: skip


def _asked(row: Question, given: _Given) -> Asked:
    n = sum(given.answered.values())
    if n < MIN_N:
        return Asked(row, n, None, {}, ())
    is_split = min(given.answered.get(PROMOTER, 0), given.answered.get(DETRACTOR, 0)) >= MIN_N
    if row.kind in CHOICES:
        return Asked(row, n, None, {}, _choices(row, given, n, is_split=is_split))
    counts = _together(given.numbers.values())
    pair = (
        (_figure(row, given.numbers.get(PROMOTER, {})), _figure(row, given.numbers.get(DETRACTOR, {})))
        if is_split
        else (None, None)
    )
    return Asked(row, n, _figure(row, counts), counts, (), *pair)


def _together(parts: Iterable[Mapping[Any, int]]) -> dict[Any, int]:
    sums: dict[Any, int] = {}
    for part in parts:
        for value, number in part.items():
            sums[value] = sums.get(value, 0) + number
    return sums


def _figure(row: Question, counts: Mapping[int, int]) -> Figure:
    """Share of the satisfied, mean effort, mean, or share of yes."""
    if row.kind == Kind.CSAT:
        return csat(part_of(counts))
    if row.kind == Kind.CES:
        return ces(counts)
    if row.kind == Kind.YES_NO:
        return Part(sum(counts.values()), counts.get(1, 0))
    low, high = _ends(row)
    # The scale may have been another one when it was answered.
    return mean(counts, lowest=min([low, *counts]), highest=max([high, *counts]))


def _ends(row: Question) -> tuple[int, int]:
    if row.kind == Kind.SCALE:
        return row.low, row.high
    return SCALES.get(Kind(row.kind), (0, 1))


def _choices(row: Question, given: _Given, n: int, *, is_split: bool) -> tuple[Choice, ...]:
    """All that could be chosen in the survey's order, then what was and cannot be any more."""
    texts = {option["key"]: option["text"] for option in row.options}
    sums = _together(given.chosen.values())

    def of(segment: str, key: str) -> Part | None:
        hits = given.chosen.get(segment, {}).get(key, 0)
        return Part(given.answered[segment], hits) if is_split else None

    return tuple(
        Choice(key, texts.get(key, {}), Part(n, sums.get(key, 0)), of(PROMOTER, key), of(DETRACTOR, key))
        for key in [*texts, *sorted(sums.keys() - texts.keys())]
    )
