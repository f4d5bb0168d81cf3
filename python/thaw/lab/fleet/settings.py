"""Settings of a study of fleets.

Settings(sizes=(1_000,), scene=Scene(outage=60.0))
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from thaw.lab.fleet.costs import DEFAULT, Costs
from thaw.lab.fleet.policies import POLICIES
from thaw.lab.fleet.scene import Scene

SIZES = (1_000, 100_000, 10_000_000)


@dataclass(frozen=True)
class Settings:
    """The fleets and conditions that are simulated.

    Attributes:
      most_simulated: sandboxes of which events are drawn at most; a larger fleet is scaled from them.
      round_trip: the round trip between sandbox and intake, in seconds.
      destinations: addresses of the intake, among which a NAT gateway's connections are spread.
    """

    arms: tuple[str, ...] = tuple(POLICIES)
    sizes: tuple[int, ...] = SIZES
    scene: Scene = field(default_factory=Scene)
    costs: Costs = DEFAULT
    seed: int = 1
    most_simulated: int = 200_000
    round_trip: float = 0.02
    destinations: int = 1

    def __post_init__(self) -> None:
        if not self.sizes or min(self.sizes) < 1:
            raise ValueError(f"sizes are {self.sizes}, not numbers of sandboxes from 1 on")
        for name, least in (("most_simulated", 1), ("destinations", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}, not at least {least}")
        if not (math.isfinite(self.round_trip) and self.round_trip >= 0):
            raise ValueError(f"round_trip is {self.round_trip:g}, not a time")
