"""Further questions equal a count of the answers, row by row."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache

from apps.common.shares import Part
from apps.insights import journey
from apps.insights.ces import ces
from apps.insights.csat import csat, part_of
from apps.insights.means import mean
from apps.insights.questions import Asked, questions
from apps.insights.slices import Period, Slice
from apps.responses.models import Answer, Response
from apps.surveys.models import Question, Survey
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PERIOD = Period.last(30, today=NOW.date())
KINDS = ["csat", "ces", "rating", "scale", "yes_no", "single", "multiple", "text", "opt_in"]
OPTIONS = [{"key": key, "text": {"en": key.title(), "de": key.upper()}} for key in ("price", "speed", "never")]
VALUES = {"csat": (1, 5), "ces": (1, 7), "rating": (1, 5), "scale": (0, 10), "yes_no": (0, 1), "opt_in": (0, 1)}


def survey_with(key: str, kinds: list[str], **values: Any) -> Survey:
    """A survey with a question of each kind, called by it."""
    survey = Survey.objects.create(key=key, name={"en": key}, **values)
    for position, kind in enumerate(kinds):
        Question.objects.create(
            survey=survey, key=f"{kind}-{position}", kind=kind, text={"en": kind}, position=position, high=10, low=0,
            options=OPTIONS if kind in ("single", "multiple") else [],
        )  # fmt: skip
    return survey


def respond(survey: Survey, chance: random.Random, **values: Any) -> Response:
    """An answer to most of its questions."""
    at = values.pop("at", NOW - timedelta(days=chance.uniform(0, 40)))
    row = Response.objects.create(survey=survey, answered_at=at, updated_at=at, **values)
    answers = []
    for question in survey.questions.all():
        if chance.random() < 0.2:
            continue
        said: dict[str, Any] = {"text": "Words"}
        if question.kind in VALUES:
            said = {"value": chance.randint(*VALUES[question.kind])}
        elif question.kind == "single":
            said = {"choices": [chance.choice(["price", "speed", "bygone"])]}
        elif question.kind == "multiple":
            said = {"choices": chance.sample(["price", "speed", "bygone"], chance.randint(1, 3))}
        answers.append(Answer(response=row, question=question, **said))
    Answer.objects.bulk_create(answers)
    return row


def given(rows: list[Response], question: Question) -> list[Answer]:
    """Those rows' answers to a question."""
    return list(Answer.objects.filter(response__in=rows, question=question))


def counts(answers: list[Answer]) -> dict[int, int]:
    values = [answer.value for answer in answers if answer.value is not None]
    return {value: values.count(value) for value in values}


def figure(kind: str, answers: list[Answer]) -> Any:
    """What is said of a question of a kind."""
    found = counts(answers)
    if kind == "csat":
        return csat(part_of(found))
    if kind == "ces":
        return ces(found)
    if kind == "yes_no":
        return Part(len(answers), found.get(1, 0))
    return mean(found, lowest=VALUES[kind][0], highest=VALUES[kind][1])


def check(asked: Asked, rows: list[Response]) -> None:
    """One question against a recount."""
    question = asked.question
    answers = given(rows, question)
    promoters = given([row for row in rows if row.score is not None and row.score >= 9], question)
    detractors = given([row for row in rows if row.score is not None and row.score <= 6], question)
    assert asked.n == len(answers)
    if question.kind not in ("single", "multiple"):
        assert asked.figure == figure(question.kind, answers)
        assert asked.counts == counts(answers)
        assert asked.promoters == figure(question.kind, promoters)
        assert asked.detractors == figure(question.kind, detractors)
        return
    assert [choice.key for choice in asked.choices] == ["price", "speed", "never", "bygone"]
    for choice in asked.choices:
        for part, those in (
            (choice.part, answers), (choice.promoters, promoters), (choice.detractors, detractors),
        ):  # fmt: skip
            assert part == Part(len(those), sum(choice.key in answer.choices for answer in those))
    assert asked.choices[-1].text == {}


def test_each_question_equals_a_recount_and_the_hidden_and_suspected_stay_out(django_assert_num_queries: Any) -> None:
    chance = random.Random(7)
    survey, other = survey_with("order", KINDS), survey_with("support", ["csat"])
    secret = survey_with("secret", ["csat", "single"], is_anonymous=True)
    rows = [
        respond(
            survey, chance, score=chance.choice([None, *range(11)]), is_suspected=chance.random() < 0.2,
            channel=chance.choice(["email", "link"]),
        )
        for _number in range(120)
    ]  # fmt: skip
    few = [respond(other, chance, at=NOW) for _number in range(4)]
    for _number in range(4):
        respond(secret, chance, at=NOW)
    counted = [r for r in rows if not r.is_suspected and r.answered_at.date() >= PERIOD.since]
    with django_assert_num_queries(4):
        found = questions(wanted=Slice(), period=PERIOD, now=NOW)
    assert [one.question.kind for one in found] == [*KINDS[:7], "csat"]
    assert {one.question.survey_id for one in found[:7]} == {survey.pk}
    for one in found[:7]:
        check(one, counted)
    assert (found[7].n, found[7].too_few, found[7].figure, found[7].counts) == (
        len(given(few, found[7].question)), True, None, {},
    )  # fmt: skip
    # The fifth lets all of them be seen.
    respond(secret, random.Random(1), at=NOW)
    assert secret.pk in {one.question.survey_id for one in questions(wanted=Slice(), period=PERIOD, now=NOW)}
    mailed = questions(wanted=Slice(survey="order", channel="email"), period=PERIOD, now=NOW)
    for one in mailed:
        assert one.n == len(given([row for row in counted if row.channel == "email"], one.question))


def test_promoters_and_detractors_are_told_apart_only_where_enough_of_both_answered() -> None:
    survey = factories.SurveyFactory()
    question = survey.questions.get(kind="rating")
    for number, score in enumerate([9] * 6 + [3] * 4):
        at = NOW - timedelta(hours=number)
        row = Response.objects.create(survey=survey, score=score, answered_at=at, updated_at=at)
        Answer.objects.create(response=row, question=question, value=5 if score == 9 else 1)
    [asked] = questions(wanted=Slice(), period=PERIOD, now=NOW)
    assert (asked.n, asked.promoters, asked.detractors) == (10, None, None)
    row = Response.objects.create(survey=survey, score=0, answered_at=NOW, updated_at=NOW)
    Answer.objects.create(response=row, question=question, value=1)
    [asked] = questions(wanted=Slice(), period=PERIOD, now=NOW)
    assert asked.promoters is not None
    assert asked.detractors is not None
    assert (asked.promoters.value, asked.detractors.value) == (5.0, 1.0)  # type: ignore[union-attr]


def test_a_mean_lies_in_its_interval_which_stays_on_the_scale() -> None:
    for answers in ({10: 5}, {0: 7}, {3: 1}, {0: 50, 10: 50}, {}):
        found = mean(answers, lowest=0, highest=10)
        assert found.n == sum(answers.values())
        if answers:
            assert 0 <= found.low <= found.value <= found.high <= 10  # type: ignore[operator]
    assert mean({2: 4, 5: 6}, lowest=1, highest=7).margin == ces({2: 4, 5: 6}).margin
    with pytest.raises(ValueError, match="0 to 5"):
        mean({6: 1}, lowest=0, highest=5)


def test_reasons_on_the_map_are_the_same_share_once_a_question_was_another_kind() -> None:
    cache.clear()
    survey, place = survey_with("order", ["single", "multiple"]), factories.TouchpointFactory()
    single, multiple = survey.questions.order_by("position")
    said = {"value": 3}, {"choices": ["speed"]}, {"text": "Rude"}
    for number in range(18):
        at = NOW - timedelta(hours=number)
        row = Response.objects.create(survey=survey, touchpoint=place, score=2, answered_at=at, updated_at=at)
        for question in (single, multiple):
            Answer.objects.create(response=row, question=question, **said[number % 3])
    asked = questions(wanted=Slice(), period=PERIOD, now=NOW)
    shares = {(one.question.pk, choice.key): choice.part for one in asked for choice in one.choices if choice.part.hits}
    assert shares == {(single.pk, "speed"): Part(6, 6), (multiple.pk, "speed"): Part(6, 6)}
    found = journey.read(wanted=Slice(), period=PERIOD, now=NOW).place(place.pk)
    assert found is not None
    assert [reason.part for reason in found.reasons] == [Part(6, 6), Part(6, 6)]
