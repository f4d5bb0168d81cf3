"""Conditions of a simulated fleet: the rate of its flushes, and an outage of the intake.

Scene(interval=10.0, outage=300.0, headroom=3.0)
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Scene:
    """The conditions of a simulated fleet. Times are in seconds.

    Attributes:
      interval: the time in which a sandbox flushes once, on average over sandboxes and time. The times
        between the flushes of one sandbox are exponentially distributed.
      spread: the standard deviation of the logarithm of the sandboxes' rates, by which they differ.
      requests: the number of requests of each flush.
      active: the time that a sandbox runs for each flush; a breaker's wait is counted in such time.
      idle_limit: the time for which the intake keeps an idle connection.
      before: the time before the outage, in which connections and breakers reach their usual state.
      outage: the time for which the intake can't be reached.
      after: the time that is simulated after the outage.
      headroom: the intake's capacity as a multiple of the usual requests a second; it refuses the rest.
      bin: the length of a step, for which events are counted together.
    """

    interval: float = 10.0
    spread: float = 1.0
    requests: int = 2
    active: float = 0.2
    idle_limit: float = 60.0
    before: float = 300.0
    outage: float = 300.0
    after: float = 1200.0
    headroom: float = 4.0
    bin: float = 1.0

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            least = 0.0 if field.name in ("spread", "outage", "active") else 1e-6
            if not (math.isfinite(value) and value >= least):
                raise ValueError(f"{field.name} is {value:g}, not at least {least:g} and finite")
        if self.requests != int(self.requests):
            raise ValueError(f"requests is {self.requests}, not a whole number")
        if self.headroom < 1:
            raise ValueError(f"headroom is {self.headroom:g}: an intake that takes less than the usual load")
        if self.bins > 1_000_000:
            raise ValueError(f"the simulation has {self.bins} steps; a larger bin makes fewer")

    @property
    def begins(self) -> float:
        """Returns when the outage begins."""
        return self.before

    @property
    def ends(self) -> float:
        """Returns when the outage ends."""
        return self.before + self.outage

    @property
    def seconds(self) -> float:
        """Returns the length of the simulation."""
        return self.ends + self.after

    @property
    def bins(self) -> int:
        """Returns the number of steps."""
        return math.ceil(self.seconds / self.bin)

    @property
    def usual_rate(self) -> float:
        """Returns the requests a second of one sandbox, on average over sandboxes."""
        return self.requests / self.interval
