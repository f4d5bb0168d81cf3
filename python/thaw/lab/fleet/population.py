"""Many sandboxes at once: arrays of their states, advanced step by step.

    series = run(policies.POLICIES["thaw"], Scene(), sandboxes=100_000, seed=1)

Each flush happens at its own time, which decides whether it meets the outage, a kept connection or a probe
that is due. Only the intake's capacity is counted by steps: if more is asked for in a step than the intake
takes, flushes are refused at random. Sandboxes meet in nothing else, so that parts of a fleet, each with its
share of the capacity, are simulated apart, and a large fleet by a part of it.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from thaw.lab.fleet.policies import MOST_SHARED, PROBE_FLUSHES, PROBE_WALL_FACTOR, Policy
from thaw.lab.fleet.scene import Scene
from thaw.lab.fleet.series import NAT_IDLE, Numbers, Series, sum_of

PART = 50_000  # sandboxes that are simulated together: their states fit into a processor's cache
_NEVER = -math.inf

Flags = NDArray[numpy.bool_]
Indices = NDArray[numpy.intp]


def run(
    policy: Policy,
    scene: Scene,
    sandboxes: int,
    seed: int,
    *,
    most: int = 1_000_000,
    executor: concurrent.futures.Executor | None = None,
) -> Series:
    """Simulates a fleet. The same arguments give the same series, with any executor.

    Args:
      most: the most sandboxes that are simulated; the numbers are scaled to all of them.
      executor: the executor that simulates parts; None: this thread does.
    """
    simulated = min(sandboxes, most)
    parts = [(policy, scene, size, (seed, number)) for number, size in enumerate(_sizes(simulated))]
    done = (
        map(run_part, *zip(*parts, strict=True))
        if executor is None
        else executor.map(run_part, *zip(*parts, strict=True))
    )
    return sum_of(done).scaled(sandboxes)


def _sizes(sandboxes: int) -> Iterator[int]:
    while sandboxes > 0:
        yield min(sandboxes, PART)
        sandboxes -= PART


def run_part(policy: Policy, scene: Scene, sandboxes: int, seed: tuple[int, int]) -> Series:
    """Simulates one part of a fleet."""
    return _Population(policy, scene, sandboxes, seed).run()


@dataclass(frozen=True)
class _Due:
    """The sandboxes whose flushes are dealt with together: at most one flush of each.

    Attributes:
      who: their places in the arrays.
      at: the times of their flushes.
      wanted: requests that each flush would send.
      skips, probes: the decisions of their breakers; neither: they go ahead.
    """

    who: Indices
    at: Numbers
    wanted: NDArray[numpy.int64]
    skips: Flags
    probes: Flags


class _Population:
    def __init__(self, policy: Policy, scene: Scene, sandboxes: int, seed: tuple[int, int]) -> None:
        self._policy, self._scene = policy, scene
        self._chance = numpy.random.default_rng(seed)
        rates = self._chance.lognormal(-(scene.spread**2) / 2, scene.spread, sandboxes) / scene.interval
        self._interval = 1 / rates
        self._next = self._chance.exponential(self._interval)
        self._last = -self._chance.exponential(self._interval)  # the connection's last use
        self._kept = numpy.zeros(sandboxes, numpy.int64)
        self._strikes = numpy.zeros(sandboxes, numpy.int64)
        self._open = numpy.zeros(sandboxes, numpy.bool_)  # breakers
        self._backoff = numpy.zeros(sandboxes)
        self._since = numpy.zeros(sandboxes)
        self._active = numpy.zeros(sandboxes)
        self._flushes = numpy.zeros(sandboxes, numpy.int64)
        self._all_kept = 0
        self._capacity = scene.headroom * scene.usual_rate * scene.bin * sandboxes
        self._left = 0.0  # of the capacity; below 0: what the last step took too much
        self._series = Series.empty(sandboxes, scene.bins)

    def run(self) -> Series:
        connected = 0.0
        for step in range(self._scene.bins):
            begin = step * self._scene.bin
            if begin <= self._scene.begins < begin + self._scene.bin:
                connected = float(numpy.count_nonzero(self._last > begin - NAT_IDLE))
            self._advance(step, begin + self._scene.bin)
        return dataclasses.replace(self._series, connected=connected)

    def _advance(self, step: int, end: float) -> None:
        self._left = self._capacity + min(self._left, 0.0)
        while (who := numpy.flatnonzero(self._next < end)).size:
            due = self._due(who)
            self._left -= self._flush(step, due, self._left)
            self._next[who] += self._chance.exponential(self._interval[who])
        self._series.kept[step] = self._all_kept

    def _due(self, who: Indices) -> _Due:
        at = self._next[who]
        skips, probes = self._breakers(who, at)
        return _Due(who, at, self._kept[who] + self._scene.requests, skips, probes)

    def _breakers(self, who: Indices, at: Numbers) -> tuple[Flags, Flags]:
        """Counts a flush for each breaker. Returns which say that nothing is sent, and which probe."""
        is_open = self._open[who]
        if self._policy.breaker is None or not is_open.any():
            return numpy.zeros_like(is_open), numpy.zeros_like(is_open)
        self._flushes[who] += is_open
        self._active[who] += is_open * self._scene.active
        wait = self._backoff[who]
        due = self._active[who] >= wait
        due |= self._flushes[who] >= PROBE_FLUSHES * wait / self._policy.breaker.first
        due |= at - self._since[who] >= PROBE_WALL_FACTOR * wait
        return is_open & ~due, is_open & due

    def _flush(self, step: int, due: _Due, left: float) -> float:
        """Sends the flushes that are due. Returns the part of the intake's capacity that they took."""
        scene = self._scene
        reach = ~due.skips & ((due.at < scene.begins) | (due.at >= scene.ends))
        asked = float(due.wanted[reach].sum())
        done = reach if asked <= left else self._admitted(due, reach, left)
        failed = ~due.skips & ~done
        opened = self._connections(due)[done].sum()
        series = self._series
        series.flushes[step] += due.who.size
        series.handshakes[step] += opened
        series.tries[step] += opened + self._tries(due)[failed].sum()
        series.requests[step] += due.wanted[done].sum()
        series.refused[step] += numpy.count_nonzero(reach & ~done)
        self._keep(step, due, done)
        self._last[due.who[done]] = due.at[done]
        self._last[due.who[failed]] = _NEVER
        if self._policy.breaker is not None:
            self._learn(due, done, failed)
        return float(due.wanted[done].sum())

    def _admitted(self, due: _Due, reach: Flags, left: float) -> Flags:
        """Chooses flushes in random order until the intake's capacity is used up, with the last one whole."""
        order = self._chance.permutation(numpy.flatnonzero(reach))
        wanted = due.wanted[order]
        done = numpy.zeros_like(reach)
        done[order[numpy.cumsum(wanted) - wanted < left]] = True
        return done

    def _connections(self, due: _Due) -> NDArray[numpy.int64]:
        """Returns the connections that each flush opens if it succeeds."""
        if self._policy.dials == "each":
            return due.wanted
        if self._policy.dials == "shared":
            return numpy.clip(due.wanted - 1, 1, MOST_SHARED)
        last = self._last[due.who]
        lost = (last < self._scene.begins) & (due.at >= self._scene.begins)
        gone = (due.at - last > self._scene.idle_limit) | (lost & (self._scene.outage > 0))
        return gone.astype(numpy.int64)

    def _tries(self, due: _Due) -> NDArray[numpy.int64]:
        """Returns the connections that each flush tries to open in vain if it fails."""
        each = numpy.ones_like(due.wanted)
        if self._policy.dials == "shared":
            each = numpy.clip(due.wanted - 1, 1, MOST_SHARED)
        return numpy.where(due.probes, 1, self._policy.attempts * each)

    def _keep(self, step: int, due: _Due, done: Flags) -> None:
        kept = numpy.where(done, 0, numpy.minimum(due.wanted, self._policy.most_kept))
        self._series.dropped[step] += (due.wanted - kept)[~done].sum()
        self._all_kept += int(kept.sum() - self._kept[due.who].sum())
        self._kept[due.who] = kept

    def _learn(self, due: _Due, done: Flags, failed: Flags) -> None:
        """Tells breakers how the flushes ended."""
        breaker = self._policy.breaker
        assert breaker is not None
        well = due.who[done]
        self._strikes[well] = 0
        self._open[well] = False
        struck = due.who[failed & ~due.probes]
        self._strikes[struck] += 1
        opened = self._strikes[struck] >= breaker.strikes
        self._backoff[struck[opened]] = breaker.first
        again = due.who[failed & due.probes]
        self._backoff[again] = numpy.minimum(2 * self._backoff[again], breaker.most)
        waits = failed.copy()
        waits[failed & ~due.probes] = opened
        who = due.who[waits]
        self._open[who] = True
        self._since[who] = due.at[waits]
        self._flushes[who] = 0
        self._active[who] = 0.0
