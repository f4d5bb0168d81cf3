"""Distributions from which the lengths of freezes are drawn: a name and parameters, in seconds.

FreezeDistribution.of("uniform(least=0.01,most=0.5)").draw(random.Random(1))
FreezeDistribution.of({"distribution": "lognormal", "median": 0.1, "sigma": 1.5})
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thaw.lab import named_values

LONGEST = 3600.0
_MOST_SIGMA = 10.0

# The parameters of each distribution: sigma is the standard deviation of the natural logarithm.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "uniform": ("least", "most"),
    "exponential": ("mean",),
    "lognormal": ("median", "sigma"),
}


@dataclass(frozen=True)
class FreezeDistribution:
    """A distribution of freezes. ValueError names a parameter that is missing, unknown or out of bounds."""

    name: str
    parameters: tuple[tuple[str, float], ...]

    def __post_init__(self) -> None:
        if self.name not in PARAMETERS:
            raise ValueError(named_values.unknown("distribution", self.name, PARAMETERS))
        wanted, given = PARAMETERS[self.name], dict(self.parameters)
        for name in given:
            if name not in wanted:
                raise ValueError(named_values.unknown(f"parameter of {self.name}", name, wanted))
        for name in wanted:
            if name not in given:
                raise ValueError(f"{self.name} needs {name}")
            value, most = given[name], _MOST_SIGMA if name == "sigma" else LONGEST
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{name} is {value!r}, not a number")
            if not 0 <= value <= most:
                raise ValueError(f"{name} is {value}, not from 0 to {most:g}")
        if self.name == "uniform" and given["least"] > given["most"]:
            raise ValueError(f"least is {given['least']:g}, more than most, which is {given['most']:g}")
        # One distribution has one text, however it was written.
        object.__setattr__(self, "parameters", tuple((name, float(given[name])) for name in wanted))

    @classmethod
    def of(cls, value: str | Mapping[str, Any]) -> FreezeDistribution:
        """Returns a distribution from its text, or from a table with its name as `distribution`."""
        if isinstance(value, str):
            name = value.partition("(")[0].strip()
            if name not in PARAMETERS:
                raise ValueError(named_values.unknown("distribution", name, PARAMETERS))
            try:
                name, texts = named_values.parse(value)
            except ValueError as error:
                raise ValueError(f"{error}; {name} is written as {form_of(name)}") from None
            return cls(name, tuple((key, _number(key, text)) for key, text in texts.items()))
        parameters = dict(value)
        name = parameters.pop("distribution", None)
        if not isinstance(name, str):
            raise ValueError(f"distribution is {name!r}, not one of {', '.join(PARAMETERS)}")
        return cls(name, tuple(parameters.items()))

    def to_table(self) -> dict[str, Any]:
        """Returns the table that `of` takes."""
        return {"distribution": self.name, **dict(self.parameters)}

    def draw(self, chance: random.Random) -> float:
        """Returns the length of a freeze in seconds, LONGEST at most."""
        values = dict(self.parameters)
        if self.name == "uniform":
            return chance.uniform(values["least"], values["most"])
        if self.name == "exponential":
            return min(LONGEST, chance.expovariate(1 / values["mean"]) if values["mean"] else 0.0)
        return min(LONGEST, values["median"] * math.exp(chance.gauss(0, values["sigma"])))

    def __str__(self) -> str:
        return named_values.text_of(
            self.name, [(key, named_values.number(value)) for key, value in self.parameters]
        )


def form_of(name: str) -> str:
    """Returns the form of a distribution's text, with S for each number."""
    return f"{name}({','.join(f'{each}=S' for each in PARAMETERS[name])})"


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}, not a number") from None
