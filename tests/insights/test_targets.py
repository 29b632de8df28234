"""Targets: met when it is no accident, dropped, changed; and the one that comes next."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.common.queues import DRAINS
from apps.insights import goals, targets, tasks
from apps.insights.models import Target
from apps.insights.nps import Counts, nps
from apps.responses.models import ScoreChange
from apps.touchpoints.models import Touchpoint
from tests import factories

NOW = datetime(2026, 6, 30, 9, 0, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture
def cart(tenant: Any) -> Touchpoint:
    row: Touchpoint = factories.TouchpointFactory(key="cart")
    return row


def given_scores(touchpoint: Touchpoint | None, promoters: int, detractors: int, *, day: date = TODAY) -> None:
    survey = factories.SurveyFactory()
    for score, number in ((10, promoters), (0, detractors)):
        ScoreChange.objects.create(day=day, survey=survey, touchpoint=touchpoint, score=score, weight=number)


def wanted(touchpoint: Touchpoint | None, goal: int, **more: Any) -> Target:
    values = {"days": 30, "due_on": None, "by": None, "now": NOW, **more}
    return targets.set_target(touchpoint_id=touchpoint.pk if touchpoint else None, goal=goal, **values)


def state(row: Target, now: datetime = NOW) -> targets.State:
    fresh = Target.objects.select_related("next").get(pk=row.pk)
    return targets.states([fresh], now=now)[0]


class TestGoals:
    @pytest.mark.parametrize(
        ("counts", "goal", "said"),
        [
            ((2, 0, 2), 0, "too_few"),
            ((50, 0, 50), 1, "below"),
            ((60, 20, 20), 40, "reached"),
            ((600, 200, 200), 34, "reached"),  # Though the lower end of its interval is 35.
            ((600, 200, 200), 32, "met"),
            ((0, 0, 100), -100, "met"),
        ],
    )
    def test_met_is_only_what_is_no_accident(self, counts: tuple[int, int, int], goal: int, said: str) -> None:
        assert goals.standing(nps(Counts(*counts)), goal, days=90) == said

    @pytest.mark.parametrize(("days", "a_day"), [(90, 3), (30, 10), (7, 20)])
    def test_who_looks_every_day_of_a_year_is_seldom_fooled(self, days: int, a_day: int) -> None:
        chance, fooled = random.Random(days), 0
        for _year in range(100):
            given = [
                Counts.from_scores(Counter(chance.choices((10, 8, 0), (55, 30, 15), k=a_day))) for _ in range(days)
            ]
            total = sum(given, Counts())
            for _day in range(365):
                given.append(Counts.from_scores(Counter(chance.choices((10, 8, 0), (55, 30, 15), k=a_day))))
                total = total + given[-1] - given[-1 - days]
                if goals.standing(nps(total), 40, days=days) == goals.MET:
                    fooled += 1
                    break
        assert fooled < 12

    @pytest.mark.parametrize(
        ("counts", "goal", "coming"),
        [
            ((600, 200, 200), 35, 45),  # +40, at most +45: 42.5
            ((600, 200, 200), 45, 50),  # above the one before
            ((100, 0, 0), 95, 100),
            ((100, 0, 0), 98, 100),
            ((100, 0, 0), 100, None),
            ((0, 0, 1000), -100, -95),
        ],
    )
    def test_the_next_one_is_a_step_that_can_be_made(
        self, counts: tuple[int, int, int], goal: int, coming: int | None
    ) -> None:
        assert goals.next_goal(nps(Counts(*counts)), goal) == coming

    @settings(deadline=None)
    @given(st.tuples(*[st.integers(0, 3000)] * 3), st.integers(-100, 100))
    def test_it_is_above_the_one_before_and_never_beyond_what_there_is(
        self, counts: tuple[int, int, int], goal: int
    ) -> None:
        coming = goals.next_goal(nps(Counts(*counts)), goal)
        assert (coming is None) == (goal == 100)
        if coming is not None:
            assert goal < coming <= 100
            assert coming % 5 == 0


class TestTargets:
    def test_where_it_began_is_kept(self, cart: Touchpoint) -> None:
        given_scores(cart, 30, 10)
        given_scores(cart, 100, 0, day=TODAY - timedelta(days=30))  # a day too old
        given_scores(None, 10, 30)
        assert [(row.start_score, row.start_n) for row in (wanted(cart, 60), wanted(None, 60))] == [(50, 40), (0, 80)]

    def test_of_each_place_one_is_open_and_what_is_met_already_is_none(self, cart: Touchpoint) -> None:
        given_scores(cart, 500, 0)
        with pytest.raises(targets.TargetError, match="already_met"):
            wanted(cart, 90)
        wanted(cart, 100)
        wanted(None, 100)
        for place in (cart, None):
            with pytest.raises(targets.TargetError, match="open_exists"):
                wanted(place, 100)

    def test_reached_is_not_met_and_the_night_writes_down_what_is(self, cart: Touchpoint) -> None:
        row = wanted(cart, 50, due_on=TODAY)
        given_scores(cart, 80, 20)
        assert (state(row).standing, state(row).proposal, state(row).is_late) == ("reached", None, False)
        tomorrow = NOW + timedelta(days=1)
        assert state(row, tomorrow).is_late
        assert targets.check(now=tomorrow) == 1
        assert state(row).is_open
        assert targets.check(now=tomorrow) == 0  # once a day
        given_scores(cart, 800, 200)
        assert (state(row, tomorrow).standing, state(row, tomorrow).is_late) == ("met", False)
        after = NOW + timedelta(days=2)
        assert targets.check(now=after) == 1
        row.refresh_from_db()
        assert (row.status, row.ended_on, row.end_score, row.end_n) == ("met", after.date(), 60, 1100)
        assert state(row).proposal == row.proposed == 65

    def test_the_chain_goes_on_from_the_one_that_was_met(self, cart: Touchpoint) -> None:
        first = wanted(cart, 50)
        with pytest.raises(targets.TargetError, match="not_met"):
            wanted(cart, 70, follows_id=first.pk)
        given_scores(cart, 800, 200)
        for place, goal, code in ((None, 70, "not_met"), (cart, 50, "already_met")):
            with pytest.raises(targets.TargetError, match=code):
                wanted(place, goal, follows_id=first.pk)
        assert state(first).is_open
        second = wanted(cart, 70, follows_id=first.pk)
        first.refresh_from_db()
        assert (first.status, first.end_score, second.follows_id) == ("met", 60, first.pk)
        assert state(first).proposal is None
        targets.drop(target_id=second.pk, now=NOW)
        with pytest.raises(targets.TargetError, match="followed"):
            wanted(cart, 75, follows_id=first.pk)
        with pytest.raises(targets.TargetError, match="ended"):
            targets.drop(target_id=second.pk, now=NOW)

    def test_over_other_days_it_began_elsewhere(self, cart: Touchpoint) -> None:
        given_scores(cart, 30, 10)
        given_scores(cart, 0, 40, day=TODAY - timedelta(days=40))
        row = wanted(cart, 60)
        later = NOW + timedelta(days=20)
        given_scores(cart, 20, 0, day=later.date())
        row = targets.change(target_id=row.pk, goal=70, days=60, due_on=TODAY, now=later)
        assert (row.goal, row.start_score, row.start_n) == (70, -25, 80)
        with pytest.raises(targets.TargetError, match="already_met"):
            targets.change(target_id=row.pk, goal=-90, days=60, due_on=None, now=later)

    def test_other_days_do_not_make_it_met_at_once(self, cart: Touchpoint) -> None:
        given_scores(cart, 0, 60, day=TODAY - timedelta(days=20))
        given_scores(cart, 60, 0)
        row = wanted(cart, 40)
        with pytest.raises(targets.TargetError, match="already_met"):
            targets.change(target_id=row.pk, goal=40, days=7, due_on=None, now=NOW)

    def test_of_too_few_answers_no_score_is_kept(self, cart: Touchpoint) -> None:
        given_scores(cart, 4, 0)
        row = wanted(cart, 40)
        assert (row.start_score, row.start_n) == (None, 4)
        row = targets.drop(target_id=row.pk, now=NOW)
        assert (row.end_score, row.end_n) == (None, 4)

    def test_the_one_to_show_is_the_open_one_else_the_last_that_was_met(self, cart: Touchpoint) -> None:
        assert targets.at(touchpoint_id=cart.pk, now=NOW) is None
        first = wanted(cart, 50)
        given_scores(cart, 800, 200)
        targets.check(now=NOW + timedelta(days=1))
        found = targets.at(touchpoint_id=cart.pk, now=NOW)
        assert found is not None
        assert (found.target, found.proposal) == (first, 65)
        second = wanted(cart, 70, follows_id=first.pk)
        found = targets.at(touchpoint_id=cart.pk, now=NOW)
        assert found is not None
        assert (found.target, found.points_to_go, found.way) == (second, 10, 0.0)
        assert targets.at(touchpoint_id=None, now=NOW) is None

    def test_many_cost_as_many_queries_as_few(self, cart: Touchpoint) -> None:
        places = [cart, *(factories.TouchpointFactory(key=f"p{number}") for number in range(9)), None]
        rows = [wanted(place, 40 + number, days=30 + number) for number, place in enumerate(places)]
        counted = []
        for number in (1, 11):
            loaded = list(Target.objects.select_related("next").filter(pk__in=[row.pk for row in rows[:number]]))
            with CaptureQueriesContext(connection) as captured:
                targets.states(loaded, now=NOW)
            counted.append(len(captured))
        assert counted[0] == counted[1] <= 3

    def test_the_drain_looks_once_a_day(self, cart: Touchpoint) -> None:
        assert tasks.targets.QUEUE in DRAINS
        assert targets.next_due(now=NOW) is None
        row = wanted(cart, 50)
        tomorrow = datetime(2026, 7, 1, 0, 30, tzinfo=UTC)
        assert targets.next_due(now=NOW) == tomorrow
        assert targets.next_due(now=tomorrow - timedelta(minutes=20)) == tomorrow
        assert targets.next_due(now=tomorrow) == tomorrow
        targets.check(now=tomorrow)
        assert targets.next_due(now=tomorrow) == tomorrow + timedelta(days=1)
        targets.drop(target_id=row.pk, now=tomorrow)
        assert targets.next_due(now=tomorrow) is None
