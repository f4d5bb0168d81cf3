"""The events in each step of a simulated fleet.

series.tries[10]        # connections that were tried in the eleventh step
sum_of([series, other]) # both fleets together
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

Numbers = NDArray[numpy.float64]


@dataclass(frozen=True)
class Series:
    """Numbers of one fleet, in each step of its scene.

    Attributes:
      sandboxes: the number of sandboxes.
      simulated: the number of sandboxes for which events were drawn; the figures are scaled to all of them.
      flushes: flushes that began.
      tries: connections that clients tried to open, those that failed included.
      handshakes: connections that were opened.
      requests: requests that the intake accepted.
      refused: flushes that the intake refused since it was at its capacity.
      kept: requests that clients keep for a later flush, at the end of the step.
      dropped: requests that clients gave up, since they keep too much.
      connected: sandboxes with a connection that was used within `NAT_IDLE`, when the outage begins.
    """

    sandboxes: int
    simulated: int
    flushes: Numbers
    tries: Numbers
    handshakes: Numbers
    requests: Numbers
    refused: Numbers
    kept: Numbers
    dropped: Numbers
    connected: float

    @classmethod
    def empty(cls, sandboxes: int, bins: int) -> Series:
        """Returns a fleet of which nothing is counted yet."""
        values = {name: numpy.zeros(bins) for name in COLUMNS}
        return cls(sandboxes=sandboxes, simulated=sandboxes, connected=0.0, **values)

    def scaled(self, sandboxes: int) -> Series:
        """Returns the series of a fleet of another size in which the same happens."""
        by = sandboxes / self.sandboxes
        values = {name: getattr(self, name) * by for name in (*COLUMNS, "connected")}
        return dataclasses.replace(self, sandboxes=sandboxes, **values)


COLUMNS = ("flushes", "tries", "handshakes", "requests", "refused", "kept", "dropped")
# Seconds after which a NAT gateway forgets an idle connection (AWS: VPC user guide, "NAT gateway basics").
NAT_IDLE = 350.0


def sum_of(parts: Iterable[Series]) -> Series:
    """Returns several fleets as one. ValueError: there is none."""
    found = list(parts)
    if not found:
        raise ValueError("no fleet")
    values = {name: sum(getattr(each, name) for each in found) for name in (*COLUMNS, "connected")}
    return dataclasses.replace(
        found[0],
        sandboxes=sum(each.sandboxes for each in found),
        simulated=sum(each.simulated for each in found),
        **values,
    )
