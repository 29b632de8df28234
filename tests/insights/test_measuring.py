"""What happened after something took effect, compared with a recount in Python from the responses themselves."""

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.contacts.models import Contact
from apps.insights import actions, annotations, measuring
from apps.insights.effects import effect
from apps.insights.models import Action, Annotation
from apps.insights.nps import Counts, Nps, change, nps
from apps.insights.services import roll_up
from apps.insights.slices import Period
from apps.insights.windows import Days, Measured, Subject, counted, spans
from apps.responses.models import Response, ScoreChange
from apps.touchpoints.models import Touchpoint
from apps.triggers.models import Segment
from tests import factories

NOW = datetime(2026, 6, 30, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
DAY = TODAY - timedelta(days=60)


def place(key: str) -> Touchpoint:
    row: Touchpoint = factories.TouchpointFactory(key=key, name={"en": key})
    return row


def keep(rows: Iterable[Response]) -> list[Response]:
    """Store responses, and what they add to the figures."""
    found = Response.objects.bulk_create(rows)
    ScoreChange.objects.bulk_create(
        ScoreChange(
            day=row.answered_at.date(), survey_id=row.survey_id, touchpoint_id=row.touchpoint_id, score=row.score or 0,
            weight=1,
        )
        for row in found
    )  # fmt: skip
    return found


def answers(
    first: int, last: int, scores: Iterable[int], touchpoint: Touchpoint | None, contact: Contact | None = None
) -> list[Response]:
    """Some on each day, counted from the day it took effect: -1 is the day before."""
    survey, noon = factories.SurveyFactory(), datetime.combine(DAY, time(12), UTC)
    moments = [noon + timedelta(days=number) for number in range(first, last + 1)]
    return keep(
        Response(survey=survey, touchpoint=touchpoint, contact=contact, score=score, answered_at=at, updated_at=at)
        for at in moments
        for score in scores
    )


def note(day: date = DAY, touchpoint: Touchpoint | None = None, **fields: Any) -> Annotation:
    row = Annotation(day=day, text=fields.pop("text", "New checkout live"), touchpoint=touchpoint, **fields)
    return annotations.note(row=row, by=None, now=NOW)[0]


def take(touchpoint: Touchpoint, done_on: date | None = DAY, **fields: Any) -> Action:
    status = Action.Status.DONE if done_on else Action.Status.PLANNED
    row = Action(touchpoint=touchpoint, title="Live chat", status=status, done_on=done_on, **fields)
    return actions.save(row=row, by=None, now=NOW)


def came(row: Annotation, now: datetime = NOW) -> Measured:
    found: Measured = measuring.of_annotations([row], now=now)[row.pk]
    return found


def recount(rows: Iterable[Response], first: date, last: date) -> Nps:
    scores = [row.score for row in rows if first <= row.answered_at.date() <= last and row.score is not None]
    return nps(Counts(sum(s > 8 for s in scores), sum(7 <= s <= 8 for s in scores), sum(s < 7 for s in scores)))


@pytest.mark.usefixtures("tenant")
class TestMeasuring:
    def test_it_is_the_same_as_counting_the_responses(self) -> None:
        dice = random.Random(4)
        places: list[Touchpoint | None] = [place("cart"), place("help"), None]
        survey, noon = factories.SurveyFactory(), datetime.combine(TODAY, time(12), UTC)
        moments = [noon - timedelta(days=dice.randrange(150)) for _ in range(400)]
        rows = keep(
            Response(
                survey=survey, touchpoint=dice.choice(places), score=dice.randrange(11), answered_at=at, updated_at=at
            )
            for at in moments
        )  # fmt: skip
        roll_up(now=NOW, limit=200)
        subjects = [
            note(TODAY - timedelta(days=ago), at, window=window, control_touchpoint=control)
            for ago in (3, 8, 20, 41, 90)
            for window in (7, 30)
            for at, control in ((places[0], None), (None, None), (None, places[1]), (places[1], places[0]))
        ]
        found = measuring.of_annotations(subjects, now=NOW)
        for row in subjects:
            mine = [
                r for r in rows
                if (row.touchpoint is None or r.touchpoint == row.touchpoint)
                and (row.touchpoint is not None or row.control_touchpoint is None or r.touchpoint != places[1])
            ]  # fmt: skip
            last = min(row.day + timedelta(days=row.window), TODAY - timedelta(days=1))
            first = row.day - timedelta(days=row.window)
            before = recount(mine, first, row.day - timedelta(days=1))
            after = recount(mine, row.day + timedelta(days=1), last)
            got = found[row.pk]
            assert (got.before, got.after) == (before, after), row
            assert got.earlier == recount(mine, first - timedelta(days=row.window), first - timedelta(days=1))
            if row.control_touchpoint is None:
                wanted = change(before, after)
            else:
                theirs = [r for r in rows if r.touchpoint == row.control_touchpoint]
                against = effect(
                    before=before, after=after,
                    control_before=recount(theirs, first, row.day - timedelta(days=1)),
                    control_after=recount(theirs, row.day + timedelta(days=1), last),
                )  # fmt: skip
                wanted = against.net if against else None
            assert got.change == (wanted if (last - row.day).days >= 7 else None), row

    def test_many_cost_as_many_queries_as_few(self) -> None:
        cart, help_ = place("cart"), place("help")
        Segment.objects.create(key="b2b", name="B2B", condition={})
        Segment.objects.create(key="vip", name="VIP", condition={})
        answers(-5, 5, [9], cart)

        def queries(rows: list[Annotation]) -> int:
            with CaptureQueriesContext(connection) as captured:
                measuring.of_annotations(rows, now=NOW)
            return len(captured)

        few = [note(touchpoint=cart, control_segment="b2b")]
        one = queries(few)
        more = [note(DAY - timedelta(days=n), cart, control_segment="vip") for n in range(10)]
        more += [note(DAY - timedelta(days=n), None, control_touchpoint=help_) for n in range(10)]
        assert queries(few + more) == one <= 8

    def test_until_seven_whole_days_have_passed_nothing_is_said_and_then_so_far(self) -> None:
        cart = place("cart")
        row = note(touchpoint=cart)
        answers(-30, -1, [5, 9], cart)
        answers(0, 40, [10], cart)
        at = {days: came(row, datetime.combine(DAY, NOW.time(), UTC) + timedelta(days=days)) for days in (0, 7, 8, 99)}
        assert [(one.verdict, one.days_after, one.days_left) for one in at.values()] == [
            ("measuring", 0, 31), ("measuring", 6, 24), ("up", 7, 23), ("up", 30, 0),
        ]  # fmt: skip
        assert [one.is_final for one in at.values()] == [False, False, False, True]
        assert (at[0].days_to_begin, at[7].days_to_begin, at[8].days_to_begin) == (8, 1, 0)
        # Of the day itself and of today nothing counts.
        assert (at[8].before.n, at[8].after.n, at[99].after.n) == (60, 7, 30)

    def test_a_day_to_come_is_no_trouble(self) -> None:
        row = note(TODAY + timedelta(days=10))
        assert (came(row).verdict, came(row).days_left, came(row).after.n) == ("measuring", 41, 0)

    def test_the_days_to_go_are_those_until_it_is_so(self) -> None:
        for ahead in (30, 1, 0, -1, -7, -8, -29, -30, -31, -40):
            row = note(TODAY + timedelta(days=ahead), window=30)
            told = came(row)
            nights = [came(row, NOW + timedelta(days=number)) for number in range(80)]
            first = next(number for number, one in enumerate(nights) if one.has_begun)
            full = next(number for number, one in enumerate(nights) if one.days_after == 30)
            assert (told.days_to_begin, told.days_left) == (first, full), ahead
            assert told.is_final == (full == 0)

    def test_too_few_answers_are_called_so(self) -> None:
        cart = place("cart")
        answers(-4, -1, [5], cart)
        answers(1, 9, [10], cart)
        assert (came(note(touchpoint=cart)).verdict, came(note(touchpoint=cart)).change) == ("too_few", None)
        answers(-5, -5, [5], cart)
        assert came(note(touchpoint=cart)).verdict == "up"

    def test_what_rose_elsewhere_as_well_is_taken_off(self) -> None:
        cart, help_ = place("cart"), place("help")
        for touchpoint in (cart, help_):
            answers(-30, -1, [5, 9], touchpoint)
            answers(1, 30, [9, 10], touchpoint)
        alone, against = came(note(touchpoint=cart)), came(note(touchpoint=cart, control_touchpoint=help_))
        assert (alone.verdict, against.verdict) == ("up", "chance")
        assert against.own == alone.own
        assert against.change is not None
        assert against.change.delta == 0

    def test_others_with_too_few_answers_are_named_as_the_reason(self) -> None:
        cart, help_ = place("cart"), place("help")
        answers(-30, -1, [5, 9], cart)
        answers(1, 30, [9, 10], cart)
        found = came(note(touchpoint=cart, control_touchpoint=help_))
        assert (found.verdict, found.lacks_control_answers) == ("too_few", True)

    def test_those_outside_a_segment_are_compared_with_those_in_it(self) -> None:
        cart = place("cart")
        is_b2b = {"field": "contact.locale", "op": "eq", "value": "de"}
        Segment.objects.create(key="b2b", name="B2B", condition=is_b2b)
        inside = Contact.objects.create(email="in@example.com", locale="de")
        outside = Contact.objects.create(email="out@example.com", locale="en")
        answers(-10, -1, [5], cart, contact=outside)
        answers(1, 10, [10], cart, contact=outside)
        answers(-10, 10, [8], cart, contact=inside)
        answers(-10, 10, [0], cart)  # nobody we know
        found = came(note(touchpoint=cart, control_segment="b2b"))
        assert [score.score for score in (found.before, found.after)] == [-100, 100]
        assert [score and score.score for score in (found.control_before, found.control_after)] == [0, 0]
        assert (found.verdict, found.after.n) == ("up", 10)
        # Beside one of years ago: the same, and nothing is counted of the years between.
        long_ago = note(DAY - timedelta(days=4000), cart, control_segment="b2b")
        with CaptureQueriesContext(connection) as captured:
            both = measuring.of_annotations([Annotation.objects.get(day=DAY), long_ago], now=NOW)
        assert found in both.values()
        (counting,) = [query["sql"] for query in captured if 'AS "known"' in query["sql"]]
        assert counting.count('"answered_at" >=') == 2

    @pytest.mark.parametrize("condition", [None, {"field": "contact.nothing", "op": "?", "value": 1}])
    def test_a_segment_that_is_gone_or_broken_is_told_and_the_change_stays(self, condition: Any) -> None:
        if condition is not None:
            Segment.objects.create(key="b2b", name="B2B", condition=condition)
        cart = place("cart")
        answers(-10, -1, [5], cart)
        answers(1, 10, [10], cart)
        found = came(note(touchpoint=cart, control_segment="b2b"))
        assert (found.is_control_gone, found.verdict) == (True, "up")

    def test_what_else_happened_there_is_named(self) -> None:
        cart, help_ = place("cart"), place("help")
        mine = note(touchpoint=cart, control_touchpoint=help_)
        note(DAY + timedelta(days=31), cart, text="later")
        note(DAY - timedelta(days=31), cart, text="earlier")
        note(DAY, None, text="everywhere")
        take(cart, None, due_on=DAY)  # planned only
        assert (came(mine).others, came(mine).at_control) == ((), ())
        note(DAY - timedelta(days=30), cart, text="in the window")
        take(help_, DAY + timedelta(days=30))
        assert [one.text for one in came(mine).others] == ["in the window"]
        assert [one.text for one in came(mine).at_control] == ["Live chat"]
        assert came(note(touchpoint=cart, text="mine")).at_control == ()
        # Without others to compare with, what happened everywhere may be it as well.
        assert {one.text for one in came(note(touchpoint=cart, text="x")).others} == {
            "everywhere", "in the window", "New checkout live", "mine",
        }  # fmt: skip

    @pytest.mark.parametrize("condition", [None, {"field": "contact.nothing", "op": "?", "value": 1}])
    def test_without_a_segment_that_works_what_happened_everywhere_may_be_it(self, condition: Any) -> None:
        if condition is not None:
            Segment.objects.create(key="vip", name="VIP", condition=condition)
        Segment.objects.create(key="b2b", name="B2B", condition={})
        cart = place("cart")
        alone, gone = note(touchpoint=cart, text="alone"), note(touchpoint=cart, text="gone", control_segment="vip")
        works = note(touchpoint=cart, text="works", control_segment="b2b")
        note(DAY + timedelta(days=5), None, text="STRIKE EVERYWHERE")
        named = [{one.text for one in came(row).others} for row in (alone, gone, works)]
        assert named == [
            {"gone", "works", "STRIKE EVERYWHERE"}, {"alone", "works", "STRIKE EVERYWHERE"}, {"alone", "gone"},
        ]  # fmt: skip

    def test_a_rise_after_a_bad_spell_may_be_nothing_but_its_end(self) -> None:
        cart, help_ = place("cart"), place("help")
        answers(-30, -1, [5, 9], cart)
        answers(1, 30, [10], cart)
        assert came(note(touchpoint=cart)).may_be_regression  # nobody knows how it was before
        answers(-60, -31, [9], cart)
        assert came(note(touchpoint=cart)).may_be_regression
        answers(-30, 30, [5, 9], help_)
        assert not came(note(touchpoint=cart, control_touchpoint=help_)).may_be_regression
        answers(-60, -31, [0, 0, 0], cart)
        assert not came(note(touchpoint=cart)).may_be_regression

    def test_only_actions_that_are_done_have_an_effect(self) -> None:
        cart = place("cart")
        done, planned = take(cart), take(cart, None)
        assert set(measuring.of_actions([done, planned], now=NOW)) == {done.pk}


DAILY = st.dictionaries(st.integers(-40, 40), st.tuples(*[st.integers(0, 9)] * 3), max_size=40)


@settings(deadline=None)
@given(DAILY, st.integers(7, 20), st.integers(8, 40), st.randoms())
def test_what_lies_outside_the_windows_changes_nothing(
    daily: dict[int, tuple[int, int, int]], window: int, ago: int, dice: random.Random
) -> None:
    subject = Subject("x", TODAY - timedelta(days=ago), window)
    part = spans(subject, today=TODAY)

    def told(rows: dict[int, tuple[int, int, int]]) -> tuple[Nps, Nps]:
        days = Days({7: {subject.day + timedelta(days=n): Counts(*given) for n, given in rows.items()}})
        return counted(days.at(None), part.before), counted(days.at(7), part.after)

    def is_inside(number: int) -> bool:
        return number != 0 and -window <= number <= min(window, ago - 1)

    outside = [number for number in range(-40, 41) if not is_inside(number)]
    values = [daily.get(number, (0, 0, 0)) for number in outside]
    dice.shuffle(values)
    shuffled = {**{n: given for n, given in daily.items() if is_inside(n)}, **dict(zip(outside, values, strict=True))}
    assert told(shuffled) == told(daily)
    # Within each window it does not matter on which day an answer came either, but across them it does.
    before = [number for number in daily if is_inside(number) and number < 0]
    given_before = sum((Counts(*daily[number]) for number in before), Counts())
    assert told(daily)[0].counts == given_before


def test_marks_for_a_chart_are_those_of_the_place_and_of_everywhere(tenant: Any) -> None:
    cart, help_ = place("cart"), place("help")
    note(DAY, cart, text="cart")
    note(DAY, None, text="everywhere")
    note(DAY, help_, text="help")
    note(DAY + timedelta(days=1), None, text="out")
    take(cart)
    period = Period(DAY, DAY)
    assert {mark.text for mark in annotations.between(period, "cart")} == {"cart", "everywhere", "Live chat"}
    assert {mark.text for mark in annotations.between(period)} == {"cart", "everywhere", "help", "Live chat"}
    assert [mark.text for mark in annotations.between(period, "none")] == ["everywhere"]
