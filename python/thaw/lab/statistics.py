"""Statistics of experiments: intervals of counts and of paired differences, and the verdicts on them.

    wilson(3, 600)                                  # Interval(low=0.0017, high=0.0146)
    paired([8.1, 8.3, 7.9, ...], [3.1, 3.0, 3.3, ...]).verdict      # "faster"

All functions are pure: the same arguments give the same result, random resampling included. Intervals are for
95 % unless a level is given. A quantity that the data do not determine is None; no function raises for few
data or for data that are all equal.
"""

from __future__ import annotations

import functools
import math
import statistics
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

LEVEL = 0.95
# The share by which two times may differ and still be called the same.
SAME = 0.05
# Fewer blocks give no interval of 95 % for a median: the probability that all of them lie on one side of it
# by chance is 2 × 0.5^n, which falls below 5 % at six.
LEAST_BLOCKS = 6
_RESAMPLES = 9999
_SEED = 1

Verdict = Literal["faster", "slower", "same", "can't tell"]


@dataclass(frozen=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float

    def within(self, bound: float) -> bool:
        """Returns whether the interval lies between -bound and bound."""
        return -bound <= self.low and self.high <= bound


@dataclass(frozen=True)
class PairedDifference:
    """The differences of an arm to a reference over blocks in which both ran.

    Attributes:
      blocks: the number of pairs.
      reference, value: the medians over the blocks.
      difference: the median of the differences, negative if the arm is smaller; None without blocks.
      interval: the interval of the difference; None with fewer than LEAST_BLOCKS.
      share, share_interval: the same of the differences divided by the reference's values; None also where a
        reference's value is 0.
    """

    blocks: int
    reference: float | None
    value: float | None
    difference: float | None
    interval: Interval | None
    share: float | None
    share_interval: Interval | None

    @property
    def verdict(self) -> Verdict:
        """The verdict on times: `same` if the interval of the shares lies within ±SAME, else `faster` or
        `slower` if it does not contain 0.
        """
        found = self.share_interval
        if found is None:
            return "can't tell"
        if found.within(SAME):
            return "same"
        if found.high < 0:
            return "faster"
        return "slower" if found.low > 0 else "can't tell"


def wilson(count: int, of: int, level: float = LEVEL) -> Interval:
    """Returns Wilson's score interval of a proportion; without trials, the interval from 0 to 1.

    ValueError: the count is not from 0 to `of`.
    """
    if not 0 <= count <= of:
        raise ValueError(f"count is {count}, not from 0 to {of}")
    if of == 0:
        return Interval(0.0, 1.0)
    found = _scipy_stats().binomtest(count, of).proportion_ci(level, method="wilson")
    # Rounding may leave a bound outside of [0, 1], or next to the proportion that it must contain.
    return Interval(max(0.0, min(float(found.low), count / of)), min(1.0, max(float(found.high), count / of)))


def rule_of_three(of: int, level: float = LEVEL) -> float:
    """Returns the largest proportion that is compatible with 0 successes in `of` trials: about 3 / of.

    It is 1 - (1 - level)^(1 / of), the bound of which 3 / of is the approximation for 95 %; 1 without trials.
    ValueError: `of` is negative.
    """
    if of < 0:
        raise ValueError(f"of is {of}, which is negative")
    return 1.0 if of == 0 else -math.expm1(math.log1p(-level) / of)


def bca(values: Sequence[float], level: float = LEVEL) -> Interval | None:
    """Returns the bias-corrected and accelerated (BCa) bootstrap interval of the median of `values`.

    Values that are all equal give an interval without width. Where BCa is not defined, since leaving out any
    one value leaves the median as it is, the interval is that of percentiles. None: there are fewer than
    LEAST_BLOCKS values, or one is not finite.
    """
    return _bca(tuple(values), level)


@functools.lru_cache(maxsize=1024)  # a run that is looked at after each block asks for the same ones again
def _bca(values: tuple[float, ...], level: float) -> Interval | None:
    if len(values) < LEAST_BLOCKS or not all(map(math.isfinite, values)):
        return None
    if min(values) == max(values):
        return Interval(float(values[0]), float(values[0]))
    for method in ("BCa", "percentile"):
        found = _bootstrap(values, level, method)
        if math.isfinite(found.low) and math.isfinite(found.high):
            return found
    return None


def paired(reference: Sequence[float], values: Sequence[float], level: float = LEVEL) -> PairedDifference:
    """Returns the differences of `values` to `reference`, block by block. The block is what is resampled.

    ValueError: the lists have different lengths.
    """
    if len(reference) != len(values):
        raise ValueError(f"there are {len(reference)} blocks of the reference and {len(values)} of the arm")
    if not values:
        return PairedDifference(0, None, None, None, None, None, None)
    differences = [value - other for other, value in zip(reference, values, strict=True)]
    shares = None
    if all(other > 0 for other in reference):
        shares = [each / other for each, other in zip(differences, reference, strict=True)]
    return PairedDifference(
        blocks=len(values),
        reference=statistics.median(reference),
        value=statistics.median(values),
        difference=statistics.median(differences),
        interval=bca(differences, level),
        share=None if shares is None else statistics.median(shares),
        share_interval=None if shares is None else bca(shares, level),
    )


def _bootstrap(values: Sequence[float], level: float, method: str) -> Interval:
    import numpy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy's, where BCa is not defined
        found = _scipy_stats().bootstrap(
            (numpy.asarray(values, dtype=float),),
            numpy.median,
            n_resamples=_RESAMPLES,
            confidence_level=level,
            method=method,
            rng=numpy.random.default_rng(_SEED),
        )
    low, high = map(float, found.confidence_interval)
    # Rounding may leave a bound just outside of the values.
    return Interval(max(low, min(values)), min(high, max(values)))


def _scipy_stats() -> Any:
    # Importing it takes more than a second, which commands without results would wait for.
    import scipy.stats

    return scipy.stats
