"""Figures of a fleet, from its series: the usual state, and an outage with its recovery.

usual = of_usual(series, scene)
usual.handshakes, nat_ports(policy, usual, round_trip=0.02)
of_outage(series, scene).recovery
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy

from thaw.lab.fleet.costs import Costs
from thaw.lab.fleet.policies import Policy
from thaw.lab.fleet.scene import Scene
from thaw.lab.fleet.series import Numbers, Series

# Connections to one destination over one address of a NAT gateway (AWS: VPC user guide, "NAT gateway
# basics").
NAT_PORTS = 55_000
# Seconds for which a NAT gateway does not give the port of a closed connection to another one. AWS does not
# publish it; this is Linux's TIME_WAIT.
NAT_HOLD = 60.0
# Seconds over which rates are averaged where a peak is looked for.
PEAK_SECONDS = 10.0
# A fleet has recovered when clients keep no more than this share of what they kept when the outage ended.
RECOVERED = 0.01


@dataclass(frozen=True)
class Usual:
    """A fleet in its usual state, before the outage, in events a second.

    Attributes:
      connected: sandboxes with a connection that a NAT gateway knows, if connections are kept.
    """

    sandboxes: int
    requests: float
    handshakes: float
    connected: float


@dataclass(frozen=True)
class Outage:
    """An outage and its recovery.

    Attributes:
      tries: connections a second that clients try to open while the intake can't be reached, on average.
      peak_tries, peak_requests: the most a second, over `PEAK_SECONDS`, from the outage's beginning on.
      kept: requests that clients kept when the outage ended.
      recovery: seconds from its end until almost all of those were delivered; None: not within the
        simulation.
      refused: flushes that the intake refused after its end, since it was at its capacity.
      dropped: requests that clients gave up.
    """

    tries: float
    peak_tries: float
    peak_requests: float
    kept: float
    recovery: float | None
    refused: float
    dropped: float


def of_usual(series: Series, scene: Scene) -> Usual:
    """Returns the figures of the usual state, from the second half of the time before the outage."""
    window = slice(int(scene.before / 2 / scene.bin), max(1, int(scene.before / scene.bin)))
    return Usual(
        series.sandboxes,
        requests=float(series.requests[window].mean()) / scene.bin,
        handshakes=float(series.handshakes[window].mean()) / scene.bin,
        connected=series.connected,
    )


def of_outage(series: Series, scene: Scene) -> Outage:
    """Returns the figures of the outage, and of the time after it."""
    begin, end = int(scene.begins / scene.bin), int(scene.ends / scene.bin)
    kept = float(series.kept[max(end - 1, 0)])
    after = series.kept[end:]
    done = numpy.flatnonzero(after <= RECOVERED * kept)
    return Outage(
        tries=float(series.tries[begin:end].mean()) / scene.bin if end > begin else 0.0,
        peak_tries=_peak(series.tries[begin:], scene),
        peak_requests=_peak(series.requests[begin:], scene),
        kept=kept,
        recovery=(float(done[0]) + 1) * scene.bin if done.size else None,
        refused=float(series.refused[end:].sum()),
        dropped=float(series.dropped.sum()),
    )


def smoothed(values: Numbers, scene: Scene) -> Numbers:
    """Returns rates a second, each averaged over `PEAK_SECONDS`."""
    count = max(1, min(round(PEAK_SECONDS / scene.bin), values.size))
    sums = numpy.convolve(values, numpy.ones(count), "full")[: values.size]
    return sums / (numpy.minimum(numpy.arange(values.size) + 1, count) * scene.bin)


def _peak(values: Numbers, scene: Scene) -> float:
    count = max(1, min(round(PEAK_SECONDS / scene.bin), values.size))
    return float(smoothed(values, scene)[count - 1 :].max())


def intake_processors(handshakes: float, requests: float, costs: Costs, *, resumed: bool = True) -> float:
    """Returns how many processors TLS takes at the intake, from handshakes and requests a second."""
    handshake = costs.resumed if resumed else costs.full
    return (handshakes * handshake + requests * costs.exchange) / 1e3


def client_processors(usual: Usual, costs: Costs) -> float:
    """Returns how many processors connections and exchanges take in all sandboxes together."""
    return (usual.handshakes * costs.client_resumed + usual.requests * costs.client_exchange) / 1e3


def nat_ports(policy: Policy, usual: Usual, *, round_trip: float, hold: float = NAT_HOLD) -> float:
    """Returns how many ports of a NAT gateway connections to one destination take."""
    if policy.dials == "kept":
        return usual.connected
    # A connection lasts for a dial of two round trips, and an exchange or a few.
    return usual.handshakes * (4 * round_trip + hold)


def nat_addresses(ports: float, destinations: int) -> int:
    """Returns how many addresses of NAT gateways have `ports` ports."""
    return max(1, math.ceil(ports / (NAT_PORTS * destinations)))
