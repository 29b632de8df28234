from collections import Counter
from math import tanh
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.insights.influence import Association, influence

score = st.integers(0, 10)
pairs = st.dictionaries(st.tuples(score, score), st.integers(1, 400), min_size=1, max_size=20)
HIGH = (3, 0, 0, 0, 0, 0, 0, 2, 5, 10, 80)
"""Percent of all scores, 0 to 10: where hardly anybody is unhappy."""


def lots(lot: Random, *, n: int, weights: tuple[int, ...], same: float) -> Association:
    """Of so many contacts: that share says later what it said here, the others anything."""
    found: Counter[tuple[int, int]] = Counter()
    for here, other in zip(*(lot.choices(range(11), weights, k=n) for _ in range(2)), strict=True):
        found[here, here if lot.random() < same else other] += 1
    return influence(found)


def test_the_correlation_is_pearsons() -> None:
    # By hand: x 1 2 3 4 5, y 2 4 5 4 5; sums of products 6, of squares 10 and 6; 6/√60
    found = influence({(1, 2): 1, (2, 4): 1, (3, 5): 1, (4, 4): 1, (5, 5): 1})
    assert found.r == pytest.approx(0.7746, abs=0.0001)
    assert (found.n, found.verdict) == (5, "too_few")


def test_of_evenly_spread_scores_the_interval_is_fishers() -> None:
    # 484 pairs of which none goes with the other: ± tanh(1.96/√481); what is added in the corners hardly matters.
    found = influence({(here, later): 4 for here in range(11) for later in range(11)})
    assert found.r == pytest.approx(0.0)
    assert found.high == pytest.approx(tanh(1.96 / 481**0.5), abs=0.0005)
    assert found.low == pytest.approx(-(found.high or 0.0))
    assert found.verdict == "chance"


def test_the_gap_is_between_promoters_and_detractors_here() -> None:
    found = influence({(10, 10): 30, (9, 8): 10, (8, 0): 50, (6, 9): 10, (0, 3): 30})
    assert found.gap is not None
    # 75 of those who were promoters here; −50 of those who were detractors; passives here count for neither.
    assert found.gap.delta == pytest.approx(125.0)
    assert found.gap.verdict == "up"


def test_without_detractors_here_there_is_no_gap_to_tell() -> None:
    found = influence({(10, 10): 30, (9, 7): 20, (7, 5): 20, (3, 1): 4})
    assert (found.gap, found.verdict) == (None, "helps")


def test_nobody_at_all_says_nothing() -> None:
    assert influence({}) == Association(0, None, None, None, None)
    assert influence({}).verdict == "too_few"


@pytest.mark.parametrize("stuck", [{(9, later): 10 for later in range(11)}, {(here, 9): 10 for here in range(11)}])
def test_scores_that_never_differ_go_together_with_nothing(stuck: dict[tuple[int, int], int]) -> None:
    found = influence(stuck)
    assert (found.r, found.low, found.high, found.verdict) == (None, None, None, "chance")


def test_one_pair_too_few_and_nothing_is_said() -> None:
    assert influence({(0, 0): 15, (10, 10): 14}).verdict == "too_few"
    assert influence({(0, 0): 15, (10, 10): 15}).verdict == "helps"


@pytest.mark.parametrize("later", [(0, 10), (10, 0)])
def test_a_perfect_line_is_still_uncertain(later: tuple[int, int]) -> None:
    found = influence({(0, later[0]): 20, (10, later[1]): 20})
    assert found.r is not None
    assert found.low is not None
    assert found.high is not None
    assert abs(found.r) == 1.0
    assert found.low <= found.r <= found.high
    assert found.high - found.low > 0.05
    assert found.verdict == "helps"


@pytest.mark.parametrize("wrong", [{(11, 1): 1}, {(1, 11): 1}, {(-1, 1): 1}, {(8, -1): 1}, {(8, 11): 1}, {(1, 1): -1}])
def test_what_cannot_have_been_answered_is_refused(wrong: dict[tuple[int, int], int]) -> None:
    with pytest.raises(ValueError, match=r"0 to 10|negative"):
        influence(wrong)


@given(pairs)
def test_interval_and_correlation_stay_within_bounds(found: dict[tuple[int, int], int]) -> None:
    told = influence(found)
    assert told.n == sum(found.values())
    if told.r is not None and told.low is not None and told.high is not None:
        assert -1 <= told.low <= told.r <= told.high <= 1


@given(pairs)
def test_turning_the_later_scores_around_turns_the_correlation_around(found: dict[tuple[int, int], int]) -> None:
    plain, turned = influence(found), influence({(here, 10 - later): number for (here, later), number in found.items()})
    assert (plain.r is None) == (turned.r is None)
    if plain.low is not None:
        assert (turned.r, turned.high) == pytest.approx((-(plain.r or 0), -plain.low))
    assert plain.verdict == turned.verdict or plain.low == pytest.approx(0.0)


@given(pairs)
def test_here_and_later_are_alike(found: dict[tuple[int, int], int]) -> None:
    there, back = influence(found), influence({(later, here): number for (here, later), number in found.items()})
    assert there.r == (None if back.r is None else pytest.approx(back.r))
    assert there.low == (None if back.low is None else pytest.approx(back.low))


@pytest.mark.parametrize("weights", [HIGH, (1,) * 11], ids=["nearly all happy", "even"])
@pytest.mark.parametrize("n", [30, 100])
def test_what_goes_together_with_nothing_is_seldom_said_to_help(n: int, weights: tuple[int, ...]) -> None:
    lot = Random(8)
    assert sum(lots(lot, n=n, weights=weights, same=0.0).verdict == "helps" for _ in range(400)) / 400 <= 0.065


@pytest.mark.parametrize("same", [0.3, 0.6])
def test_the_interval_holds_what_it_promises_where_nearly_all_are_happy(same: float) -> None:
    # The true correlation is the share of those who say the same. Fisher's own interval holds in 40 % here.
    lot = Random(8)
    told = [lots(lot, n=100, weights=HIGH, same=same) for _ in range(400)]
    known = [found for found in told if found.low is not None and found.high is not None]
    assert sum(found.low <= same <= found.high for found in known) / len(known) >= 0.92  # type: ignore[operator]
