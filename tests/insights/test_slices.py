"""Figures of any slice, period and cut equal a count of the responses, whatever is folded and hidden."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from apps.contacts.models import Company
from apps.insights import figures, services
from apps.insights.nps import Counts, Nps, nps
from apps.insights.places import UnknownKeyError
from apps.insights.slices import Grain, Period, Property, Slice, Span
from apps.responses.models import Response, ScoreChange
from apps.surveys.models import Survey
from apps.touchpoints.models import Stage, Touchpoint
from apps.triggers.models import Segment
from tests import factories

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
PERIOD = Period.last(90, today=TODAY)
Keep = Callable[[Response], bool]

pytestmark = pytest.mark.usefixtures("tenant")


@pytest.fixture
def world() -> list[Response]:
    """Some hundred responses of every kind, a part of them folded; those that count and may be shown."""
    chance = random.Random(11)
    care = Stage.objects.create(key="care", name={"en": "Care", "de": "Betreuung"}, position=2)
    billing = Stage.objects.create(key="billing", name={"en": "Billing"}, parent=care, position=3)
    buying = Stage.objects.create(key="buying", name={"en": "Buying"}, position=1)
    places = [
        Touchpoint.objects.create(key=key, name={"en": key}, stage=stage)
        for key, stage in (("support", care), ("invoice", billing), ("order", buying))
    ]
    surveys = [Survey.objects.create(key=key, name={"en": key}) for key in ("nps", "care")]
    hidden = Survey.objects.create(key="secret", name={"en": "Secret"}, is_anonymous=True)
    company = Company.objects.create(name="Acme", properties={"size": "big"})
    contacts = [
        factories.ContactFactory(properties={"plan": "plus"}, company=company),
        factories.ContactFactory(properties={"plan": "free"}),
        None,
    ]
    Segment.objects.create(key="plus", name="Plus", condition={"field": "contact.plan", "op": "eq", "value": "plus"})
    rows = []
    for number in range(300):
        at = NOW - timedelta(days=chance.randint(0, 400), seconds=chance.randint(0, 40_000))
        rows.append(
            Response(
                survey=hidden if number < 4 else chance.choice(surveys),
                touchpoint=chance.choice([*places, None]), contact=chance.choice(contacts),
                score=chance.choice([None, *range(11)]), channel=chance.choice(["email", "link"]),
                locale=chance.choice(["de", "de-AT", "en", ""]), is_incentivised=chance.random() < 0.2,
                is_suspected=chance.random() < 0.1, answered_at=at, updated_at=at,
                properties=chance.choice([{"store": "Köln"}, {"store": "7"}, {"store": 7}, {}]),
            )
        )  # fmt: skip
    Response.objects.bulk_create(rows)
    counted = [r for r in rows if r.score is not None and not r.is_suspected]
    ScoreChange.objects.bulk_create(
        ScoreChange(
            day=r.answered_at.date(), survey=r.survey, touchpoint=r.touchpoint, is_incentivised=r.is_incentivised,
            score=r.score, weight=1,
        )
        for r in counted
    )  # fmt: skip
    services.roll_up(now=NOW, limit=150)
    return [r for r in counted if r.survey != hidden]


def on(r: Response, *stages: str) -> bool:
    return r.touchpoint is not None and r.touchpoint.stage.key in stages


SLICES: list[tuple[Slice, Keep]] = [
    (Slice(), lambda r: True),
    (Slice(survey="care"), lambda r: r.survey.key == "care"),
    (Slice(touchpoint="invoice"), lambda r: bool(r.touchpoint and r.touchpoint.key == "invoice")),
    (Slice(stage="care"), lambda r: on(r, "care", "billing")),
    (Slice(stage="billing"), lambda r: on(r, "billing")),
    (Slice(stage="buying", touchpoint="invoice"), lambda r: False),
    (Slice(is_incentivised=False, survey="nps"), lambda r: not r.is_incentivised and r.survey.key == "nps"),
    (Slice(channel="link"), lambda r: r.channel == "link"),
    (Slice(language="de"), lambda r: r.locale in ("de", "de-AT")),
    (Slice(segment="plus", stage="care"), lambda r: plan(r) == "plus" and on(r, "care", "billing")),
    (Slice(trait=Property("store", "7")), lambda r: str(r.properties.get("store")) == "7"),
    (Slice(trait=Property("contact.plan", "free")), lambda r: plan(r) == "free"),
    (Slice(trait=Property("company.size", "big")), lambda r: bool(r.contact and r.contact.company_id)),
]


def plan(r: Response) -> str:
    return str(r.contact.properties["plan"]) if r.contact else ""


def count(rows: list[Response], period: Period, keep: Keep = lambda r: True) -> Nps:
    scores: dict[int, int] = {}
    for r in rows:
        if period.since <= r.answered_at.date() <= period.until and keep(r):
            assert r.score is not None
            scores[r.score] = scores.get(r.score, 0) + 1
    return nps(Counts.from_scores(scores))


def test_every_slice_equals_a_count_in_score_trend_and_breakdown(world: list[Response]) -> None:
    for wanted, keep in SLICES:
        mine, before, _change = figures.compare(wanted=wanted, period=PERIOD, against=PERIOD.before(), now=NOW)
        assert (mine, before) == (count(world, PERIOD, keep), count(world, PERIOD.before(), keep)), wanted
        for grain in Grain:
            points = figures.trend(wanted=wanted, period=PERIOD, grain=grain, now=NOW)
            assert sum((point.nps.counts for point in points), Counts()) == mine.counts
            for point in points[1:-1]:
                bucket = Period(point.start, grain.next_after(point.start) - timedelta(days=1))
                assert point.nps == count(world, bucket, keep), (wanted, grain, point.start)
        for dimension, key in KEYS.items():
            found = figures.by(wanted=wanted, periods=[PERIOD, PERIOD.before()], dimension=dimension, now=NOW)
            for group in found:
                assert group.figures[0] == count(world, PERIOD, lambda r: keep(r) and key(r) == group.key), (  # noqa: B023
                    wanted, dimension, group,
                )  # fmt: skip
            assert sum((group.figures[0].counts for group in found), Counts()) == mine.counts, (wanted, dimension)


KEYS: dict[str, Callable[[Response], Any]] = {
    "touchpoint": lambda r: r.touchpoint.key if r.touchpoint else "",
    "stage": lambda r: (r.touchpoint.stage.parent or r.touchpoint.stage).key if r.touchpoint else "",
    "survey": lambda r: r.survey.key,
    "channel": lambda r: r.channel,
    "language": lambda r: r.locale[:2],
    "incentive": lambda r: "yes" if r.is_incentivised else "no",
    "company": lambda r: str(r.contact.company_id) if r.contact and r.contact.company_id else "",
    "property:store": lambda r: str(r.properties.get("store", "")),
}


def test_segments_may_overlap_and_each_counts_its_own(world: list[Response]) -> None:
    Segment.objects.create(key="all", name="All", condition={"field": "contact.email", "op": "exists"})
    Segment.objects.create(key="broken", name="Broken", condition={"field": "no.such", "op": "eq", "value": 1})
    found = figures.by(wanted=Slice(), periods=[PERIOD, PERIOD.before()], dimension="segment", now=NOW)
    assert {group.key: group.figures for group in found} == {
        key: tuple(count(world, period, keep) for period in (PERIOD, PERIOD.before()))
        for key, keep in {
            "plus": lambda r: plan(r) == "plus",
            "all": lambda r: r.contact is not None,
        }.items()
    }


def test_a_rolling_point_is_the_score_of_the_days_up_to_its_end(world: list[Response]) -> None:
    for grain in (Grain.DAY, Grain.WEEK):
        points = figures.trend(wanted=Slice(), period=PERIOD, grain=grain, rolling=30, now=NOW)
        assert [point.start for point in points] == PERIOD.buckets(grain)
        for point in points:
            end = min(grain.next_after(point.start) - timedelta(days=1), PERIOD.until)
            assert point.nps == count(world, Period(end - timedelta(days=29), end)), (grain, point.start)


def test_periods_that_overlap_are_each_counted_whole(world: list[Response]) -> None:
    periods = [PERIOD, Period.last(30, today=TODAY)]
    assert figures.scores(wanted=Slice(), periods=periods, now=NOW) == [count(world, one) for one in periods]
    channel = figures.scores(wanted=Slice(channel="email"), periods=periods, now=NOW)
    assert channel == [count(world, one, lambda r: r.channel == "email") for one in periods]


def test_two_slices_are_compared_over_the_same_days(world: list[Response]) -> None:
    mine, other, _step = figures.compare(
        wanted=Slice(channel="email"), period=PERIOD, against=Slice(channel="link"), now=NOW
    )
    assert mine == count(world, PERIOD, lambda r: r.channel == "email")
    assert other == count(world, PERIOD, lambda r: r.channel == "link")


def test_hidden_answers_show_in_every_figure_once_there_are_enough(world: list[Response]) -> None:
    before = figures.score(wanted=Slice(), period=PERIOD, now=NOW).n
    survey = Survey.objects.get(key="secret")
    for number in range(5):
        at = NOW - timedelta(days=number)
        Response.objects.create(survey=survey, score=9, answered_at=at, updated_at=at)
        ScoreChange.objects.create(day=at.date(), survey=survey, score=9, weight=1)
    rolled = figures.score(wanted=Slice(), period=PERIOD, now=NOW)
    raw = Response.objects.filter(is_suspected=False, score__isnull=False, answered_at__gte=NOW - timedelta(days=89.5))
    assert rolled.n == raw.count() > before


def test_the_number_of_queries_does_not_grow(world: list[Response], django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3):  # Cells, which surveys hide their answers, those answers.
        figures.trend(wanted=Slice(), period=PERIOD, grain="day", rolling=90, now=NOW)
    with django_assert_num_queries(4):  # And the names.
        figures.by(wanted=Slice(), periods=[PERIOD, PERIOD.before()], dimension="touchpoint", now=NOW)
    with django_assert_num_queries(2):
        figures.score(wanted=Slice(channel="email"), period=PERIOD, now=NOW)


@pytest.mark.parametrize("field", ["survey", "touchpoint", "stage", "segment"])
def test_a_key_that_does_not_exist_is_not_the_same_as_no_answers(field: str) -> None:
    with pytest.raises(UnknownKeyError) as raised:
        figures.score(wanted=Slice(**{field: "nope"}), period=PERIOD, now=NOW)
    assert raised.value.field == field


def test_buckets_and_periods_follow_the_calendar() -> None:
    assert Grain.WEEK.start_of(date(2026, 11, 22)) == date(2026, 11, 16)
    assert Grain.QUARTER.start_of(date(2026, 11, 22)) == date(2026, 10, 1)
    assert Grain.QUARTER.next_after(date(2026, 10, 1)) == date(2027, 1, 1)
    assert Grain.MONTH.next_after(date(2026, 12, 1)) == date(2027, 1, 1)
    assert Period.last(30, today=date(2026, 3, 1)) == Period(date(2026, 1, 31), date(2026, 3, 1))
    assert Period(date(2026, 1, 11), date(2026, 1, 20)).before() == Period(date(2026, 1, 1), date(2026, 1, 10))
    assert Period(date(2024, 2, 29), date(2024, 3, 1)).year_before() == Period(date(2023, 2, 28), date(2023, 3, 1))
    assert Period(date(2026, 1, 31), date(2026, 3, 1)).buckets(Grain.MONTH) == [
        date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="end before"):
        Period(date(2026, 1, 2), date(2026, 1, 1))


def test_moments_are_days_where_they_are_whole_ones_and_have_the_same_before_them() -> None:
    start, end = datetime(2024, 2, 29, tzinfo=UTC), datetime(2024, 3, 2, tzinfo=UTC)
    days = Period(date(2024, 2, 29), date(2024, 3, 1))
    assert Span(start, end).in_days() == days
    assert days.moments == Span(start, end).moments == (start, end)
    for both in (Span(start, end), days):
        assert both.before().moments == (datetime(2024, 2, 27, tzinfo=UTC), start)
        assert both.year_before().moments[0] == datetime(2023, 2, 28, tzinfo=UTC)
        assert not both.overlaps(both.before())
        assert both.overlaps(Span(end - timedelta(seconds=1)))
    exact = Span(start + timedelta(hours=1), end)
    assert exact.in_days() is exact
    assert exact.year_before().since == datetime(2023, 2, 28, 1, tzinfo=UTC)
    assert Span().in_days() == Period(date(1, 1, 1), date(9999, 12, 30))
    for since, until in ((end, start), (start, start)):
        with pytest.raises(ValueError, match="end before"):
            Span(since, until)
    with pytest.raises(OverflowError):
        Span().before()
    with pytest.raises(ValueError, match="year"):
        Span().year_before()
