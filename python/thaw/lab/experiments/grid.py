"""Several experiments in one description: settings, and lists of values for some of them.

    grid = Grid(ExperimentSettings(cycles=50), axes={"close": ("silent", "rst"), "freeze": (0.05, 1.0)})
    [point.close for point in grid.points()]

The arms of a point stand side by side, in the same freezes; options multiply the arms.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from thaw.lab import arm_options, arms, named_values
from thaw.lab.experiment import ExperimentSettings
from thaw.lab.experiments.sobol import Sobol

MOST_POINTS = 100_000
_MOST_VARIANTS = 10_000  # combinations of options, each of which makes an arm of every arm
AXES = tuple(each.name for each in dataclasses.fields(ExperimentSettings) if each.name != "arms")


@dataclass(frozen=True)
class Grid:
    """Every combination of the axes' values is a point. ValueError names an axis or option that there is not,
    or that has no value, or says that there are too many combinations.

    Attributes:
      base: settings of every point, as far as no axis has them.
      axes: fields of `ExperimentSettings` and their values; the last one varies fastest.
      options: fields of `ClientOptions` and their values, as text: each arm of thaw's own client stands there
        once for each combination of them.
      sobol: ranges that a Sobol sequence fills, seeded by the base's seed; each of its points stands beside
        each combination of the axes.
    """

    base: ExperimentSettings = field(default_factory=ExperimentSettings)
    axes: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    options: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sobol: Sobol | None = None

    def __post_init__(self) -> None:
        for name, values in self.axes.items():
            if name not in AXES:
                raise ValueError(named_values.unknown("axis", name, AXES))
            _require_values(name, values)
        for name, values in self.options.items():
            _require_values(name, values)
            for value in values:
                arm_options.read(name, value)
        if self.sobol is not None:
            for name in self.sobol.ranges:
                if name in self.axes:
                    raise ValueError(f"{name} is an axis and a range of sobol")
        _require_few("points", self.axes, MOST_POINTS // (1 if self.sobol is None else self.sobol.points))
        _require_few("combinations of options", self.options, _MOST_VARIANTS)

    def points(self) -> Iterator[ExperimentSettings]:
        """Yields each point once. ValueError: the settings of a point contradict each other."""
        found = arms.variants(self.base.arms, self.options)
        base = dataclasses.replace(self.base, arms=tuple(arm.name for arm in found))
        seen: set[ExperimentSettings] = set()
        drawn = [{}] if self.sobol is None else list(self.sobol.values(self.base.seed))
        for values in itertools.product(*self.axes.values()):
            for each in drawn:
                point = dataclasses.replace(base, **dict(zip(self.axes, values, strict=True)), **each)
                if point not in seen:
                    seen.add(point)
                    yield point

    def with_generated_payloads(self) -> Grid:
        """Returns this grid with generated payloads only."""
        axes = {name: values for name, values in self.axes.items() if name != "workload"}
        return Grid(dataclasses.replace(self.base, workload="generated"), axes, self.options, self.sobol)


def _require_few(what: str, lists: Mapping[str, Sequence[Any]], most: int) -> None:
    count = math.prod(map(len, lists.values()))
    if count > most:
        raise ValueError(f"{' × '.join(lists)} are {count} {what}, more than {most}")


def _require_values(name: str, values: Sequence[Any]) -> None:
    if isinstance(values, str) or not len(values):
        raise ValueError(f"{name} is {values!r}, not a list of at least one value")
