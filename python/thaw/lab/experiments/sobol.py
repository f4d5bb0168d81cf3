"""Points that are spread over ranges of settings where a grid would have too many: a Sobol sequence.

    design = Sobol(64, {"round_trip": Range(0.001, 0.08, "log"), "payloads": Range(1, 20)})
    for values in design.values(seed=1): ...

The sequence is scrambled by Owen's method from a seed, so that the same seed gives the same points. They fill
the ranges evenly where their number is a power of two (I. M. Sobol, 1967; A. B. Owen, 1998).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from thaw.lab import named_values
from thaw.lab.experiment import BOUNDS, WHOLE

Scale = Literal["linear", "log"]
FIELDS = tuple(name for name in BOUNDS if name != "seed")
MOST_POINTS = 1 << 14


@dataclass(frozen=True)
class Range:
    """The values of one setting, both ends included.

    On a logarithmic scale equal ratios get equally many points.
    """

    least: float
    most: float
    scale: Scale = "linear"

    def at(self, share: float, *, whole: bool) -> float | int:
        """Returns the value at a share of the range, from 0 to just below 1."""
        if whole:
            # Each whole number has a part of the range of its own.
            value = math.floor(self._between(self.least, self.most + 1, share))
            return min(value, int(self.most))
        return self._between(self.least, self.most, share)

    def _between(self, least: float, most: float, share: float) -> float:
        if self.scale == "log":
            return float(least * (most / least) ** share)
        return least + share * (most - least)


@dataclass(frozen=True)
class Sobol:
    """A design. ValueError names the range, or the number of points, that can't be.

    Attributes:
      points: a power of two.
      ranges: the range of each numeric field of `ExperimentSettings`, by the field's name.
    """

    points: int
    ranges: Mapping[str, Range] = field(default_factory=dict)

    def __post_init__(self) -> None:
        points = self.points
        if isinstance(points, bool) or not isinstance(points, int) or not 1 <= points <= MOST_POINTS:
            raise ValueError(f"sobol.points is {points!r}, not a whole number from 1 to {MOST_POINTS}")
        if points & (points - 1):
            raise ValueError(f"sobol.points is {points}, not a power of two, which an even design needs")
        if not self.ranges:
            raise ValueError("sobol has no range; it takes " + ", ".join(FIELDS))
        for name, each in self.ranges.items():
            _check(name, each)

    def values(self, seed: int) -> Iterator[dict[str, Any]]:
        """Yields the settings of each point."""
        from scipy.stats import qmc  # not above: it takes half a second

        shares = qmc.Sobol(len(self.ranges), scramble=True, rng=seed).random(self.points)
        for row in shares:
            yield {
                name: each.at(float(share), whole=name in WHOLE)
                for (name, each), share in zip(self.ranges.items(), row, strict=True)
            }


def _check(name: str, given: Range) -> None:
    if name not in FIELDS:
        raise ValueError(f"sobol.{name}: {named_values.unknown('numeric field', name, FIELDS)}")
    least, most = BOUNDS[name]
    for each in (given.least, given.most):
        if isinstance(each, bool) or not isinstance(each, int | float) or not least <= each <= most:
            raise ValueError(f"sobol.{name} has {each!r}, not a number from {least:g} to {most:g}")
        if name in WHOLE and each != int(each):
            raise ValueError(f"sobol.{name} has {each!r}, not a whole number")
    if given.least >= given.most:
        raise ValueError(f"sobol.{name} is from {given.least:g} to {given.most:g}, which is no range")
    if given.scale not in get_args(Scale):
        raise ValueError(f"sobol.{name} has scale {given.scale!r}, not one of {', '.join(get_args(Scale))}")
    if given.scale == "log" and given.least == 0:
        raise ValueError(f"sobol.{name} is from 0, which a logarithmic scale has not")
