"""Figures where it is narrow: races with what is hidden, empty and countless values, surveys of several versions."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from apps.insights import cells, figures, groups, services
from apps.insights.funnels import funnel
from apps.insights.nps import Counts
from apps.insights.questions import questions
from apps.insights.slices import Grain, Period, Slice
from apps.responses.models import Answer, Response, ScoreChange
from apps.surveys.models import Invitation, Question, Survey, SurveyVersion
from apps.touchpoints.models import Event
from apps.triggers.models import Decision
from tests import factories

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
PERIOD = Period.last(30, today=TODAY)

pytestmark = pytest.mark.usefixtures("tenant")


def answer(survey: Survey, score: int, *, at: datetime = NOW, counted: bool = True, **values: Any) -> Response:
    if counted:
        ScoreChange.objects.create(day=at.date(), survey=survey, score=score, weight=1)
    return Response.objects.create(survey=survey, score=score, answered_at=at, updated_at=at, **values)


@pytest.mark.parametrize("cut", ["survey", ""])
def test_an_anonymous_answer_that_comes_in_between_takes_nothing_off(cut: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rollups are read, then an anonymous answer is stored, then it is looked which ones are hidden."""
    plain = Survey.objects.create(key="plain", name={"en": "Plain"})
    secret = Survey.objects.create(key="secret", name={"en": "Secret"}, is_anonymous=True)
    for _repeat in range(6):
        answer(plain, 3)
    real = cells.hidden

    def later() -> Any:
        answer(secret, 9)
        return real()

    monkeypatch.setattr(cells, "hidden", later)
    found = figures.read(Slice(), [PERIOD], Grain.DAY, cut, NOW)
    assert list(found.values()) == [{3: 6}]
    assert figures.score(wanted=Slice(), period=PERIOD, now=NOW).counts == Counts(0, 0, 6)


def test_an_empty_value_is_as_good_as_none_whichever_comes_first() -> None:
    survey = Survey.objects.create(key="plain", name={"en": "Plain"})
    for properties in ({"store": ""}, {}, {"store": ""}, {"store": "a"}, {"store": None}):
        answer(survey, 9, properties=properties)
    for order in ([None, "", "a"], ["", None, "a"]):
        parts = groups.named({key: {0: {9: 1}} for key in order}, dimension="property:store")
        assert [(part.key, part.name) for part in parts] == [("", "Not told"), ("a", "a")]
    found = figures.by(wanted=Slice(), periods=[PERIOD], dimension="property:store", now=NOW)
    assert [(part.key, part.name, part.figures[0].n) for part in found] == [("", "Not told", 4), ("a", "a", 1)]


@pytest.mark.parametrize("other", [PERIOD.before(), Period.last(60, today=TODAY)])
def test_only_so_many_parts_are_read_as_can_be_shown(other: Period, monkeypatch: pytest.MonkeyPatch) -> None:
    survey = Survey.objects.create(key="plain", name={"en": "Plain"})
    Response.objects.bulk_create(
        Response(
            survey=survey,
            score=n % 11,
            answered_at=NOW,
            updated_at=NOW,
            properties={"order": str(n // 3)} if n % 7 else {},
        )
        for n in range(90)
    )
    for number in range(60):
        name = {"order": f"old-{number // 6}" if number < 40 else "1"}
        answer(survey, 9, at=NOW - timedelta(days=40), properties=name)

    def parts() -> list[figures.Group]:
        return figures.by(wanted=Slice(), periods=[PERIOD, other], dimension="property:order", now=NOW)

    full = parts()
    assert [part.figures[0].n for part in full[:2]] == [13, 3]
    monkeypatch.setattr(groups, "MAX_GROUPS", 5)
    monkeypatch.setattr(cells, "MAX_PARTS", 5)
    read = figures.read(Slice(), [PERIOD, other], None, "property:order", NOW)
    assert len({cell.key for cell in read}) <= 6
    assert parts() == full[:5]


@pytest.mark.parametrize("number", [4, 5])
def test_a_survey_that_was_anonymous_once_hides_the_few_of_then_only(number: int) -> None:
    survey = Survey.objects.create(key="mixed", name={"en": "Mixed"})
    other = Survey.objects.create(key="other", name={"en": "Other"})
    secret, plain = (
        SurveyVersion.objects.create(survey=survey, number=n, definition={"is_anonymous": n == 0}, created_at=NOW)
        for n in range(2)
    )
    for _repeat in range(number):
        answer(survey, 9, version=secret)
    for _repeat in range(3):
        answer(survey, 2, version=plain)
        answer(survey, 2)
        answer(other, 2)
    want = Counts(number if number >= 5 else 0, 0, 9)
    for limit in (0, 3, 100):
        if limit:
            services.roll_up(now=NOW, limit=limit)
        assert figures.score(wanted=Slice(), period=PERIOD, now=NOW).counts == want
        assert figures.score(wanted=Slice(channel="email"), period=PERIOD, now=NOW).counts == want


@pytest.mark.parametrize(
    ("kind", "kept"),
    [("csat", 5), ("ces", 7), ("rating", 11), ("scale", 11), ("yes_no", 2), ("single", 4), ("multiple", 4)],
)
def test_answers_to_the_kind_of_question_it_once_was_are_left_out(kind: str, kept: int) -> None:
    survey = Survey.objects.create(key="plain", name={"en": "Plain"})
    options = [{"key": "a", "text": {"en": "A"}}]
    question = Question.objects.create(survey=survey, key="why", kind=kind, text={"en": "Why"}, options=options)
    said: list[dict[str, Any]] = [{"value": n} for n in range(11)] + [{"choices": ["a"]}] * 4 + [{"text": "Words"}] * 6
    Answer.objects.bulk_create(Answer(response=answer(survey, 9), question=question, **one) for one in said)
    (asked,) = questions(wanted=Slice(), period=PERIOD, now=NOW)
    assert asked.n == kept
    assert sum(asked.counts.values()) == (0 if kept < 5 or asked.choices else kept)
    assert asked.too_few or asked.figure is not None


def test_boundaries_of_days_weeks_and_leap_years() -> None:
    survey = Survey.objects.create(key="plain", name={"en": "Plain"})
    moments = [
        datetime(2024, 2, 28, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2024, 2, 29, tzinfo=UTC),
        datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2024, 3, 1, tzinfo=UTC),
        datetime(2020, 12, 31, 12, tzinfo=UTC),
        datetime(2021, 1, 3, 23, 59, tzinfo=UTC),
        datetime(2021, 1, 4, tzinfo=UTC),
    ]
    for at in moments:
        answer(survey, 9, at=at)
    for wanted in (Slice(), Slice(channel="email")):
        leap = Period(date(2024, 2, 29), date(2024, 2, 29))
        assert figures.score(wanted=wanted, period=leap, now=NOW).n == 2
        year = Period(date(2020, 12, 28), date(2021, 1, 10))
        assert [(p.start, p.nps.n) for p in figures.trend(wanted=wanted, period=year, grain="week", now=NOW)] == [
            (date(2020, 12, 28), 2),
            (date(2021, 1, 4), 1),
        ]
        assert [(p.start, p.nps.n) for p in figures.trend(wanted=wanted, period=year, grain="quarter", now=NOW)] == [
            (date(2020, 10, 1), 1),
            (date(2021, 1, 1), 2),
        ]
        long = Period(date(2017, 1, 1), TODAY)
        assert sum(p.nps.n for p in figures.trend(wanted=wanted, period=long, grain="day", now=NOW)) == 7
        rolled = figures.trend(wanted=wanted, period=leap, grain="day", rolling=2, now=NOW)
        assert [p.nps.n for p in rolled] == [3]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TimeZone = 'America/New_York'")
    for wanted in (Slice(), Slice(channel="email")):
        assert figures.score(wanted=wanted, period=leap, now=NOW).n == 2
        assert [p.nps.n for p in figures.trend(wanted=wanted, period=leap, grain="day", now=NOW)] == [2]
        assert [p.nps.n for p in figures.trend(wanted=wanted, period=year, grain="week", now=NOW)] == [2, 1]


def test_the_funnel_counts_from_the_first_moment_of_its_days_to_the_last() -> None:
    place, rule = factories.TouchpointFactory(), factories.TriggerRuleFactory()
    first, after = PERIOD.moments
    moments = (first - timedelta(microseconds=1), first, after - timedelta(microseconds=1), after)
    for at in moments:
        Event.objects.create(touchpoint=place, occurred_at=at, received_at=at, status="decided")
        Decision.objects.create(rule=rule, decided_at=at, status="skipped", reason="no_legal_basis")
        Invitation.objects.create(
            survey=rule.survey, touchpoint=place, reason=str(at), status="queued", send_at=at, give_up_at=at,
            created_at=at,
        )  # fmt: skip
    found = funnel(wanted=Slice(), period=PERIOD, now=NOW)
    assert (found.steps[0].number, found.turns) == (6, 4)
