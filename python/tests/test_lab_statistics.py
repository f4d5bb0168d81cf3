"""Intervals and verdicts, against published and hand-computed values."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from thaw.lab.statistics import (
    LEAST_BLOCKS,
    SAME,
    Interval,
    PairedDifference,
    bca,
    paired,
    rule_of_three,
    wilson,
)

# The examples of Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in
# Medicine 17 (1998), table I, method 3 (Wilson's score without a correction for continuity).
NEWCOMBE = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


@pytest.mark.parametrize(("count", "of", "low", "high"), NEWCOMBE)
def test_wilson_is_the_published_one(count: int, of: int, low: float, high: float) -> None:
    found = wilson(count, of)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_wilson_without_trials_says_nothing_and_a_wrong_count_is_named() -> None:
    assert wilson(0, 0) == Interval(0.0, 1.0)
    for count, of in ((-1, 5), (6, 5), (1, 0)):
        with pytest.raises(ValueError, match=f"count is {count}, not from 0 to {of}"):
            wilson(count, of)


@given(of=some.integers(1, 100_000), share=some.floats(0, 1))
@settings(deadline=None)
def test_wilson_contains_the_proportion_and_mirrors(of: int, share: float) -> None:
    count = round(of * share)
    found, mirrored = wilson(count, of), wilson(of - count, of)
    assert 0 <= found.low <= count / of <= found.high <= 1
    assert math.isclose(found.low, 1 - mirrored.high, abs_tol=1e-9)
    # By hand: the score interval's half-width is z/(1+z²/n) × sqrt(p(1-p)/n + z²/4n²).
    z, p = 1.959963984540054, count / of
    half = z / (1 + z * z / of) * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    assert math.isclose(found.high - found.low, 2 * half, rel_tol=1e-6, abs_tol=1e-9)


def test_the_rule_of_three() -> None:
    assert rule_of_three(10_000) == pytest.approx(3 / 10_000, rel=0.002)
    # The exact bound: a proportion of which 0 of 10 are seen with a probability of 5 %.
    assert (1 - rule_of_three(10)) ** 10 == pytest.approx(0.05)
    assert rule_of_three(1) == pytest.approx(0.95)
    assert rule_of_three(0) == 1.0
    with pytest.raises(ValueError, match="negative"):
        rule_of_three(-1)


@given(of=some.integers(1, 10**9))
def test_the_rule_of_three_never_exceeds_three_over_n(of: int) -> None:
    assert 0 < rule_of_three(of) < 3 / of
    assert rule_of_three(of + 1) < rule_of_three(of)


def test_bca_of_a_symmetric_sample() -> None:
    # The order statistics that bound the median of nine with about 95 % are the second and the eighth
    # (binomial: 96.1 %); the bootstrap's interval lies there or one further in.
    found = bca([-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0])
    assert found is not None
    assert -3 <= found.low <= -2
    assert 2 <= found.high <= 3


def test_bca_of_degenerate_samples() -> None:
    assert bca([]) is None
    assert bca([1.0]) is None
    assert bca([1.0] * (LEAST_BLOCKS - 1)) is None
    assert bca([1.0] * LEAST_BLOCKS) == Interval(1.0, 1.0)
    assert bca([1.0] * 5 + [math.nan]) is None
    # The median stays whichever value is left out, so that BCa's acceleration is 0/0.
    assert bca([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 5.0]) == Interval(1.0, 1.0)


def test_bca_covers_the_median_in_about_95_of_100_samples() -> None:
    chance = random.Random(7)
    covered = 0
    for _ in range(60):
        # Heavy tails, as times on a machine have: the log-normal's median is 1.
        found = bca([chance.lognormvariate(0, 1) for _ in range(10)])
        assert found is not None
        covered += found.low <= 1 <= found.high
    assert covered >= 53


@given(values=some.lists(some.floats(-1e6, 1e6), min_size=LEAST_BLOCKS, max_size=12))
@settings(max_examples=25, deadline=None)
def test_bca_lies_within_the_sample_and_repeats(values: list[float]) -> None:
    found = bca(values)
    assert found is not None
    assert min(values) <= found.low <= found.high <= max(values)
    assert bca(values) == found


BLOCKS = [8.0, 8.2, 7.9, 8.1, 8.4, 8.0, 7.8, 8.3]


def shifted(by: float, noise: float = 0.0) -> list[float]:
    """The blocks times a factor, a little more and less in turn."""
    return [each * (1 + by + noise * (-1) ** number) for number, each in enumerate(BLOCKS)]


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (shifted(-0.5, 0.01), "faster"),
        (shifted(0.5, 0.01), "slower"),
        (shifted(0.0, 0.01), "same"),
        (shifted(0.02), "same"),  # surely larger, and by less than counts
        (shifted(0.0, 0.2), "can't tell"),
        (shifted(0.06), "slower"),
    ],
)
def test_verdicts(values: list[float], verdict: str) -> None:
    assert paired(BLOCKS, values).verdict == verdict


def test_a_paired_difference_by_hand() -> None:
    found = paired([10.0, 20.0, 40.0], [11.0, 18.0, 44.0])
    assert found == PairedDifference(
        blocks=3,
        reference=20.0,
        value=18.0,
        difference=1.0,  # of +1, -2, +4
        interval=None,
        share=pytest.approx(0.1),  # of +10 %, -10 %, +10 %
        share_interval=None,
    )
    assert found.verdict == "can't tell"


def test_pairs_cancel_what_a_block_has_in_common() -> None:
    # The machine is ten times slower in some blocks; the arm always needs half.
    reference = [1.0, 10.0, 1.1, 9.0, 1.2, 10.5, 1.0, 11.0]
    found = paired(reference, [each / 2 for each in reference])
    assert found.share_interval == Interval(-0.5, -0.5)
    assert found.verdict == "faster"


def test_degenerate_pairs() -> None:
    assert paired([], []).verdict == "can't tell"
    assert paired([1.0], [2.0]).verdict == "can't tell"
    assert paired(BLOCKS, BLOCKS).share_interval == Interval(0.0, 0.0)
    assert paired(BLOCKS, BLOCKS).verdict == "same"
    nothing = paired([0.0] * 8, BLOCKS)
    assert (nothing.share, nothing.share_interval, nothing.verdict) == (None, None, "can't tell")
    assert nothing.difference is not None
    with pytest.raises(ValueError, match="2 blocks of the reference and 1 of the arm"):
        paired([1.0, 2.0], [1.0])


@given(
    pairs=some.lists(
        some.tuples(some.floats(0.1, 1e3), some.floats(0.1, 1e3)), min_size=LEAST_BLOCKS, max_size=10
    )
)
@settings(max_examples=20, deadline=None)
def test_no_pair_is_both_faster_and_slower(pairs: list[tuple[float, float]]) -> None:
    reference, values = map(list, zip(*pairs, strict=True))
    there, back = paired(reference, values), paired(values, reference)
    assert {there.verdict, back.verdict} not in ({"faster"}, {"slower"})
    if there.verdict == "faster":
        assert there.share is not None
        assert there.share <= 0


@pytest.mark.parametrize(
    ("low", "high", "within"), [(-SAME, SAME, True), (-0.06, 0, False), (0, 0.06, False)]
)
def test_bounds_of_same(low: float, high: float, within: bool) -> None:
    assert Interval(low, high).within(SAME) is within
