"""The journey map: every stage, sub-step and touchpoint with all its figures, in a fixed number of queries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Count
from django.utils.translation import get_language

from apps.cases.models import Case
from apps.common.shares import Part, wilson
from apps.common.texts import FALLBACK, localized
from apps.insights import asking, cells, figures, influences, journey_raw, targets
from apps.insights.asking import Asker
from apps.insights.influence import Association
from apps.insights.journey_raw import NO_TRAFFIC, Reasons, Traffic
from apps.insights.models import Action
from apps.insights.nps import MIN_N, Change, Counts, Nps, change, nps
from apps.insights.places import find
from apps.insights.selectors import last_months
from apps.insights.slices import Grain, Period, Slice
from apps.insights.targets import State
from apps.surveys.models import Question
from apps.touchpoints.models import Stage, Touchpoint

MONTHS = 12
HURTS = 0.2
"""A place hurts where very likely more than this share are detractors."""
MIN_REASON = 5
"""So many must have chosen a reason before it is named."""
NOBODY = Counts()


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of a touchpoint, or of several together."""

    counts: Counts = NOBODY
    counts_before: Counts = NOBODY
    months: tuple[Counts, ...] = (NOBODY,) * MONTHS
    traffic: Traffic = NO_TRAFFIC
    cases: int = 0
    """Open ones, as of now."""
    actions: int = 0
    """Improvement actions in progress."""

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            self.counts + other.counts,
            self.counts_before + other.counts_before,
            tuple(one + two for one, two in zip(self.months, other.months, strict=True)),
            self.traffic + other.traffic,
            self.cases + other.cases,
            self.actions + other.actions,
        )

    @property
    def nps(self) -> Nps:
        """The score of the period."""
        return nps(self.counts)

    @property
    def change(self) -> Change | None:
        """The step from the period before."""
        return change(nps(self.counts_before), self.nps)

    @property
    def trend(self) -> list[Nps]:
        """The score of each of the last months, oldest first."""
        return [nps(counts) for counts in self.months]

    @property
    def detractors(self) -> Part:
        """Of all who gave a score, those who gave 0 to 6."""
        return Part(self.counts.n, self.counts.detractors)

    @property
    def hurts(self) -> bool:
        """Whether very likely more than one in five is a detractor: the interval's lower end says so."""
        return self.counts.n >= MIN_N and wilson(self.detractors)[0] > HURTS


@dataclass(frozen=True, slots=True)
class Reason:
    """Why detractors were not satisfied: an option they chose, of those who answered the question."""

    label: str
    question: str
    part: Part


@dataclass(frozen=True, slots=True)
class Place:
    """A touchpoint. ``number`` counts through the map, 0 of one not shown on it; ``gap`` says what is missing."""

    number: int
    touchpoint: Touchpoint
    figures: Figures
    reasons: Sequence[Reason]
    askers: Sequence[Asker]
    gap: str
    target: State | None
    """The open one, as it stands today over the days it is measured."""
    weight: Association | None = None
    """How scores here go together with what the same contacts say of the whole later."""


@dataclass(frozen=True, slots=True)
class Step:
    """A sub-step of a stage, with what lies on it."""

    stage: Stage
    places: Sequence[Place]
    figures: Figures
    reasons: Sequence[Reason]


@dataclass(frozen=True, slots=True)
class Column:
    """A stage: touchpoints of its own, its sub-steps, and all of it together."""

    stage: Stage
    own: Sequence[Place]
    steps: Sequence[Step]
    figures: Figures
    reasons: Sequence[Reason]

    @property
    def places(self) -> list[Place]:
        """All touchpoints in the order of the journey."""
        return [*self.own, *(place for step in self.steps for place in step.places)]


@dataclass(frozen=True, slots=True)
class JourneyMap:
    """All stages, and everything together. ``as_of``: when events, invitations and reasons were counted."""

    period: Period
    months: Sequence[date]
    columns: Sequence[Column]
    total: Nps
    """Of all answers of the slice, also of those without a touchpoint."""
    change: Change | None
    elsewhere: int
    """Answers that belong to no touchpoint of the map."""
    as_of: datetime
    off: Sequence[Place] = ()
    """Touchpoints that are switched off and have no answers in the period: not shown, but counted in their stage."""

    @property
    def places(self) -> list[Place]:
        """All touchpoints in the order of the journey."""
        return [place for column in self.columns for place in column.places]

    def place(self, touchpoint_id: int) -> Place | None:
        """One touchpoint, whether it is shown or not; None if there is none."""
        return next((one for one in (*self.places, *self.off) if one.touchpoint.pk == touchpoint_id), None)


@dataclass(slots=True)
class _Read:
    """What was read, by touchpoint."""

    figures: dict[int, Figures]
    askers: Mapping[int, Sequence[Asker]]
    targets: Mapping[int, State]
    questions: Mapping[int, Question]
    weights: Mapping[int, Association]
    is_whole: bool
    """Whether all responses count: where only some do, nothing is said of gaps."""
    number: int = 0
    off: list[Place] = field(default_factory=list)
    language: str = field(default_factory=lambda: get_language() or FALLBACK)


def read(*, wanted: Slice, period: Period, now: datetime) -> JourneyMap:
    """The whole map of a period. Some 20 queries however many touchpoints there are.

    Raises UnknownKeyError for a key that does not exist, ConditionError for a segment that cannot be evaluated.
    """
    raw = journey_raw.read(wanted=wanted, period=period, now=now)
    groups = figures.by(wanted=wanted, periods=[period, period.before()], dimension="touchpoint", now=now)
    scores = {group.pk: group.figures for group in groups}
    months = last_months(today=period.until, number=MONTHS)
    found = _Read(
        _figures(wanted, period, months, scores, raw.places, now),
        asking.askers(now=now),
        targets.everywhere(now=now),
        _questions(raw.places.values()),
        influences.everywhere(),
        is_whole=wanted == Slice(),
    )
    columns = _columns(found)
    every = [sum((given[side].counts for given in scores.values()), Counts()) for side in (0, 1)]
    shown = sum((column.figures.counts for column in columns), Counts())
    return JourneyMap(
        period, months, columns, nps(every[0]), change(nps(every[1]), nps(every[0])), every[0].n - shown.n, raw.as_of,
        found.off,
    )  # fmt: skip


def _figures(
    wanted: Slice,
    period: Period,
    months: Sequence[date],
    scores: Mapping[int | None, tuple[Nps, ...]],
    traffic: Mapping[int, Traffic],
    now: datetime,
) -> dict[int, Figures]:
    """Of every touchpoint about which anything is known."""
    year = Period(months[0], period.until)
    read = cells.read(
        wanted=wanted, places=find(wanted), periods=[year], grain=Grain.MONTH, cut="touchpoint", now=now
    )  # fmt: skip
    by_month = {(cell.key, cell.bucket): Counts.from_scores(given) for cell, given in read.items()}
    open_cases = Case.objects.filter(closed_at__isnull=True, merged_into__isnull=True)
    cases = dict(open_cases.order_by().values_list("response__touchpoint_id").annotate(number=Count("pk")))
    running = Action.objects.filter(status=Action.Status.RUNNING)
    actions = dict(running.order_by().values_list("touchpoint_id").annotate(number=Count("pk")))
    nothing = (nps(NOBODY), nps(NOBODY))
    known = {*scores, *traffic, *cases, *actions, *(key for key, _month in by_month)} - {None}
    return {
        pk: Figures(
            scores.get(pk, nothing)[0].counts,
            scores.get(pk, nothing)[1].counts,
            tuple(by_month.get((pk, month), Counts()) for month in months),
            traffic.get(pk, Traffic()),
            cases.get(pk, 0),
            actions.get(pk, 0),
        )
        for pk in known
        if pk is not None
    }


def _columns(found: _Read) -> list[Column]:
    """Stages by position with all that lies on them. Two queries."""
    stages = list(Stage.objects.order_by("position", "pk"))
    lying: dict[int, list[Touchpoint]] = {}
    by_pk = {stage.pk: stage for stage in stages}
    for touchpoint in Touchpoint.objects.order_by("position", "pk"):
        touchpoint.stage = by_pk[touchpoint.stage_id]
        lying.setdefault(touchpoint.stage_id, []).append(touchpoint)
    columns = []
    for stage in (row for row in stages if row.parent_id is None):
        own, total = _places(lying.get(stage.pk, ()), found)
        steps = [_step(step, lying.get(step.pk, ()), found) for step in stages if step.parent_id == stage.pk]
        total = sum((step.figures for step in steps), total)
        columns.append(Column(stage, own, steps, total, _reasons(total.traffic.reasons, found)))
    return columns


def _step(stage: Stage, touchpoints: Iterable[Touchpoint], found: _Read) -> Step:
    places, total = _places(touchpoints, found)
    return Step(stage, places, total, _reasons(total.traffic.reasons, found))


def _places(touchpoints: Iterable[Touchpoint], found: _Read) -> tuple[list[Place], Figures]:
    """Those to be shown, and the figures of all: what is switched off did have answers before."""
    places, total = [], Figures()
    for touchpoint in touchpoints:
        own = found.figures.get(touchpoint.pk, Figures())
        total = total + own
        # What is switched off is shown only as long as there is anything to tell of the period.
        if touchpoint.is_active or own.counts.n:
            found.number += 1
            places.append(_place(found.number, touchpoint, own, found))
        else:
            found.off.append(_place(0, touchpoint, own, found))
    return places, total


def _place(number: int, touchpoint: Touchpoint, own: Figures, found: _Read) -> Place:
    askers = found.askers.get(touchpoint.pk, ())
    answers = own.counts.n + own.traffic.unscored
    gap = asking.gap(touchpoint=touchpoint, events=own.traffic.events, answers=answers, askers=askers)
    reasons = _reasons(own.traffic.reasons, found)
    target, weight = found.targets.get(touchpoint.pk), found.weights.get(touchpoint.pk)
    return Place(number, touchpoint, own, reasons, askers, gap if found.is_whole else "", target, weight)


def _questions(traffic: Iterable[Traffic]) -> dict[int, Question]:
    return Question.objects.in_bulk({pk for one in traffic for pk in one.reasons.answered})


def _reasons(given: Reasons, found: _Read) -> list[Reason]:
    """The most frequent first; none that fewer than MIN_REASON chose: of a few one could guess who they are."""
    reasons = []
    for (question_id, option), number in given.chosen.items():
        question = found.questions.get(question_id)
        if number < MIN_REASON or question is None:
            continue
        texts = next((row["text"] for row in question.options if row["key"] == option), None)
        label = localized(texts, found.language) or option
        part = Part(given.answered.get(question_id, number), number)
        reasons.append(Reason(label, localized(question.text_detractor or question.text, found.language), part))
    return sorted(reasons, key=lambda reason: (-reason.part.rate, -reason.part.hits, reason.label))
