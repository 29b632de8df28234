import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.insights.nps import MIN_N, Counts, change, nps, segment_of
from tests.insights.chances import PROFILES, Shares, held, scores

numbers = st.integers(min_value=0, max_value=100_000)
counts = st.builds(Counts, numbers, numbers, numbers)
answered = counts.filter(lambda found: found.n > 0)


@pytest.mark.parametrize(
    ("score", "segment"),
    [(0, "detractor"), (6, "detractor"), (7, "passive"), (8, "passive"), (9, "promoter"), (10, "promoter")],
)
def test_segments_end_where_the_definition_says(score: int, segment: str) -> None:
    assert segment_of(score) == segment


@pytest.mark.parametrize("score", [-1, 11])
def test_a_score_outside_0_to_10_has_no_segment(score: int) -> None:
    with pytest.raises(ValueError, match="0 to 10"):
        segment_of(score)


def test_the_score_is_percent_promoters_minus_percent_detractors() -> None:
    figures = nps(Counts.from_scores({10: 3, 9: 2, 8: 2, 7: 1, 6: 1, 0: 1}))
    assert figures.counts == Counts(promoters=5, passives=3, detractors=2)
    assert figures.score == 30.0
    assert figures.shares == (50.0, 30.0, 20.0)


def test_nobody_answered_is_no_score_rather_than_zero() -> None:
    figures = nps(Counts())
    assert (figures.score, figures.low, figures.high, figures.margin) == (None, None, None, None)
    assert figures.too_few


def test_the_interval_is_the_adjusted_wald_one() -> None:
    # By hand: n = 36 + 3; promoters 15.75/39, detractors 8.75/39; difference 17.95; 1.96 · √(0.5960/39) = 24.23
    figures = nps(Counts(promoters=15, passives=13, detractors=8))
    assert figures.score == pytest.approx(19.44, abs=0.01)
    assert (figures.low, figures.high) == (pytest.approx(-6.28, abs=0.01), pytest.approx(42.18, abs=0.01))
    # Around 17.95; from the score itself it reaches further down than up: 19.44 + 6.28.
    assert figures.margin == pytest.approx(25.72, abs=0.01)


def test_too_few_ends_at_the_minimum() -> None:
    assert nps(Counts(promoters=MIN_N - 1)).too_few
    assert not nps(Counts(promoters=MIN_N)).too_few


def test_agreement_of_everybody_is_still_uncertain() -> None:
    figures = nps(Counts(promoters=20))
    assert figures.score == 100.0
    assert figures.low is not None
    assert figures.low < 95.0


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        nps(Counts(promoters=3, detractors=-1))


def test_a_small_step_between_small_samples_is_not_clear() -> None:
    step = change(nps(Counts(10, 5, 5)), nps(Counts(11, 5, 4)))
    assert step is not None
    assert step.delta == pytest.approx(10.0)
    assert not step.is_clear


def test_a_large_step_between_large_samples_is_clear() -> None:
    step = change(nps(Counts(400, 300, 300)), nps(Counts(600, 300, 100)))
    assert step is not None
    assert step.is_clear


def test_there_is_no_change_to_tell_while_one_side_is_too_small() -> None:
    assert change(nps(Counts(1, 1, 1)), nps(Counts(600, 300, 100))) is None


@given(answered)
def test_score_and_interval_stay_within_bounds(found: Counts) -> None:
    figures = nps(found)
    assert figures.score is not None
    assert figures.low is not None
    assert figures.high is not None
    assert -100 <= figures.low <= figures.high <= 100
    assert -100 <= figures.score <= 100
    assert figures.low - 1e-9 <= figures.score <= figures.high + 1e-9 or figures.too_few
    assert figures.value == figures.score


@given(answered)
def test_swapping_promoters_and_detractors_mirrors_the_score(found: Counts) -> None:
    figures = nps(found)
    mirrored = nps(Counts(found.detractors, found.passives, found.promoters))
    assert mirrored.score == pytest.approx(-(figures.score or 0.0))
    assert mirrored.low == pytest.approx(-(figures.high or 0.0))


@given(answered)
def test_more_answers_of_the_same_kind_narrow_the_interval(found: Counts) -> None:
    tenfold = Counts(found.promoters * 10, found.passives * 10, found.detractors * 10)
    assert (nps(tenfold).margin or 0) < (nps(found).margin or 0)


@given(counts, counts)
def test_counts_add_up(one: Counts, two: Counts) -> None:
    assert (one + two).n == one.n + two.n


@pytest.mark.parametrize("n", [30, 100, 400])
@pytest.mark.parametrize("shares", PROFILES.values(), ids=PROFILES)
def test_the_interval_holds_what_it_promises(n: int, shares: Shares) -> None:
    assert 0.93 <= held(100 * (shares[0] - shares[2]), scores(n, shares, nps)) <= 0.97


@pytest.mark.parametrize("n", [5, 10, 30, 100])
@pytest.mark.parametrize("shares", PROFILES.values(), ids=PROFILES)
def test_the_score_and_what_stands_behind_plus_minus_never_say_more_than_the_interval(n: int, shares: Shares) -> None:
    true, rows = 100 * (shares[0] - shares[2]), list(scores(n, shares, nps))
    every = sum(chance for _found, chance in rows)
    printed = sum(chance for found, chance in rows if abs(true - (found.value or 0.0)) <= (found.margin or 0.0) + 1e-9)
    assert printed / every >= held(true, rows) - 1e-9
    assert printed / every >= (0.93 if n >= 30 else 0.85)


@pytest.mark.parametrize("shares", [(0.97, 0.02, 0.01), (0.05, 0.9, 0.05)], ids=["nearly all promoters", "passives"])
def test_where_hardly_anybody_differs_the_interval_is_rather_too_wide(shares: Shares) -> None:
    # Of 30 answers one or two differ: the three answers that are added weigh as much as they do.
    true = 100 * (shares[0] - shares[2])
    assert held(true, scores(30, shares, nps)) > 0.97
    assert 0.93 <= held(true, scores(400, shares, nps)) <= 0.97
