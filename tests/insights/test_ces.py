from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.insights.ces import Ces, ces, t_quantile
from apps.insights.differences import MIN_N, Change, Score, change, difference
from apps.insights.nps import Counts
from tests.insights.chances import Shares, drawn, held, scores

answers = st.dictionaries(st.integers(1, 7), st.integers(0, 2_000), min_size=1).filter(
    lambda found: any(found.values())
)
PROFILES: dict[str, tuple[tuple[int, int, int], Shares]] = {
    "usual": ((7, 6, 4), (0.4, 0.35, 0.25)),
    "easy": ((7, 6, 3), (0.75, 0.15, 0.1)),
    "two camps": ((7, 4, 1), (0.5, 0.02, 0.48)),
    "even": ((7, 4, 1), (0.33, 0.34, 0.33)),
    "hard": ((1, 3, 7), (0.6, 0.3, 0.1)),
}
NEARLY_ALL: dict[str, tuple[tuple[int, int, int], Shares]] = {
    "a few who gave up": ((7, 6, 1), (0.96, 0.02, 0.02)),
    "all but one": ((7, 6, 5), (0.95, 0.05, 0.0)),
    "in the middle": ((4, 3, 5), (0.9, 0.05, 0.05)),
}


def moved(before: Ces, after: Ces) -> Change:
    found = change(before, after)
    assert found is not None
    return found


def every(n: int, name: str) -> tuple[float, list[tuple[Score, float]]]:
    """The true mean, and all that can be found of it with their chance."""
    values, shares = {**PROFILES, **NEARLY_ALL}[name]

    def of(counts: Counts) -> Ces:
        return ces(dict(zip(values, (counts.promoters, counts.passives, counts.detractors), strict=True)))

    mean = sum(value * share for value, share in zip(values, shares, strict=True))
    return mean, scores(n, shares, of)


@pytest.mark.parametrize(
    ("freedom", "expected"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (10, 2.228), (29, 2.045), (120, 1.980)],
)
def test_students_t_is_that_of_the_tables(freedom: int, expected: float) -> None:
    # Fisher and Yates, Statistical Tables, table III: 5 %.
    assert t_quantile(freedom) == pytest.approx(expected, abs=0.001)


def test_the_interval_by_hand() -> None:
    # 30 answers and ¾ at each end: 31.5, sum 180 + 6, squares 1120 + 37.5; centre 5.9048, variance 1.8798;
    # t of 29 is 2.0452; 2.0452 · √(1.8798/31.5) = 0.4996
    found = ces({4: 5, 5: 5, 6: 5, 7: 15})
    assert (found.n, found.value, found.margin) == (30, 6.0, pytest.approx(6 - 5.4052, abs=0.0002))
    assert (found.low, found.high) == (pytest.approx(5.4052, abs=0.0002), pytest.approx(6.4044, abs=0.0002))


def test_nobody_answered_is_no_figure_rather_than_zero() -> None:
    found = ces({7: 0})
    assert (found.n, found.value, found.low, found.high, found.margin) == (0, None, None, None, None)
    assert found.too_few
    assert change(found, ces({7: 10})) is None


def test_too_few_ends_at_the_minimum() -> None:
    assert ces({7: MIN_N - 1}).too_few
    assert not ces({7: MIN_N}).too_few


def test_one_answer_could_be_anywhere() -> None:
    assert (ces({5: 1}).low, ces({5: 1}).high) == (1.0, 7.0)


@pytest.mark.parametrize("value", [1, 4, 7])
def test_agreement_of_everybody_is_still_uncertain(value: int) -> None:
    found = ces({value: 30})
    assert found.value == value
    assert found.low is not None
    assert found.high is not None
    assert found.low <= value <= found.high
    assert 0.25 < found.high - found.low < 1.0


@pytest.mark.parametrize("wrong", [{0: 1}, {8: 1}, {7: -1}])
def test_what_cannot_have_been_answered_is_refused(wrong: dict[int, int]) -> None:
    with pytest.raises(ValueError, match=r"ease is|negative"):
        ces(wrong)


@given(answers)
def test_turning_the_scale_around_mirrors_the_figure(found: dict[int, int]) -> None:
    plain, mirrored = ces(found), ces({8 - value: number for value, number in found.items()})
    assert plain.value is not None
    assert plain.low is not None
    assert plain.high is not None
    assert 1 <= plain.low <= plain.value + 1e-9
    assert plain.value - 1e-9 <= plain.high <= 7
    assert (mirrored.value, mirrored.low) == pytest.approx((8 - plain.value, 8 - plain.high))


@given(answers.filter(lambda found: sum(found.values()) > 1))
def test_twice_the_same_answers_say_the_same_with_more_certainty(found: dict[int, int]) -> None:
    once, twice = ces(found), ces(dict(Counter(found) + Counter(found)))
    assert twice.value == pytest.approx(once.value)
    assert (twice.margin or 0) < (once.margin or 0)


@pytest.mark.parametrize(("n", "most"), [(30, 0.99), (100, 0.97), (400, 0.97)])
@pytest.mark.parametrize("name", PROFILES)
def test_the_interval_holds_what_it_promises(n: int, most: float, name: str) -> None:
    # What is added at the ends makes thirty answers look more spread than they are, and a hundred hardly.
    assert 0.93 <= held(*every(n, name)) <= most


@pytest.mark.parametrize("n", [5, 30, 100])
@pytest.mark.parametrize("name", NEARLY_ALL)
def test_where_nearly_all_say_the_same_it_is_rather_too_wide(name: str, n: int) -> None:
    # Better than the point that most samples would give if nothing were added.
    assert held(*every(n, name)) >= 0.93


def test_of_answers_over_the_whole_scale_the_interval_holds_what_it_promises() -> None:
    lot, weights = Random(8), (3, 5, 8, 14, 20, 25, 25)
    true = sum(value * weight for value, weight in zip(range(1, 8), weights, strict=True)) / 100
    for n in (30, 100):
        rows = ((ces(Counter(lot.choices(range(1, 8), weights, k=n))), 1.0) for _ in range(2000))
        assert 0.93 <= held(true, rows) <= 0.985


@pytest.mark.parametrize("sizes", [(5, 30), (30, 30), (30, 100)])
def test_the_interval_of_a_change_holds_what_it_promises(sizes: tuple[int, int]) -> None:
    lot = Random(8)
    for one in (*PROFILES, *NEARLY_ALL):
        for other in ("usual", "two camps", "a few who gave up"):
            (was, befores), (is_, afters) = every(sizes[0], one), every(sizes[1], other)
            pairs = zip(*(drawn(rows, number=1500, lot=lot) for rows in (befores, afters)), strict=True)
            steps = ((difference(gained=(b,), lost=(a,)), 1.0) for a, b in pairs)
            assert held(is_ - was, steps) >= 0.93, (one, other)


def test_a_clear_step_and_one_that_could_be_chance() -> None:
    before = ces({4: 40, 5: 40, 6: 20})
    assert moved(before, ces({5: 20, 6: 40, 7: 40})).verdict == "up"
    assert moved(ces({5: 20, 6: 40, 7: 40}), before).verdict == "down"
    assert moved(before, ces({3: 1, 4: 39, 5: 40, 6: 20})).verdict == "chance"
