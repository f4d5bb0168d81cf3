"""One sandbox after the other: a fleet of which every event is in order, for comparison with `population`.

    series = run(policies.POLICIES["thaw"], Scene(), sandboxes=1_000, seed=1)

It shares no code with `population` except the policies' numbers of connections. The intake takes flushes in
the order of their times until its capacity of a step is used up; what the last of them has beyond it is taken
from the next step's.
"""

from __future__ import annotations

import dataclasses
import heapq
import random

from thaw.lab.fleet.policies import PROBE_FLUSHES, PROBE_WALL_FACTOR, Policy
from thaw.lab.fleet.scene import Scene
from thaw.lab.fleet.series import NAT_IDLE, Series


def run(policy: Policy, scene: Scene, sandboxes: int, seed: int) -> Series:
    """Simulates a fleet. The same arguments give the same series."""
    chance = random.Random(seed)
    fleet = [_Sandbox(policy, scene, chance) for _ in range(sandboxes)]
    intake = _Intake(scene, sandboxes)
    events = [(each.next_flush(0.0), number) for number, each in enumerate(fleet)]
    heapq.heapify(events)
    series = Series.empty(sandboxes, scene.bins)
    connected, kept, before = 0.0, 0, 0
    while events and events[0][0] < scene.bins * scene.bin:
        at, number = heapq.heappop(events)
        step = int(at / scene.bin)
        series.kept[before:step] = kept
        if before * scene.bin <= scene.begins < at and not connected:
            connected = float(sum(each.last > scene.begins - NAT_IDLE for each in fleet))
        before = step
        sandbox = fleet[number]
        kept -= sandbox.kept
        sandbox.flush(at, intake, series, step)
        kept += sandbox.kept
        heapq.heappush(events, (sandbox.next_flush(at), number))
    series.kept[before:] = kept
    return dataclasses.replace(series, connected=connected)


class _Intake:
    """Takes flushes while it can be reached and has capacity left."""

    def __init__(self, scene: Scene, sandboxes: int) -> None:
        self._scene = scene
        self._capacity = scene.headroom * scene.usual_rate * scene.bin * sandboxes
        self._step, self._taken = -1, 0.0

    def can_be_reached(self, at: float) -> bool:
        return not self._scene.begins <= at < self._scene.ends

    def takes(self, requests: int, step: int) -> bool:
        if step != self._step:
            self._taken = max(0.0, self._taken - self._capacity * (step - self._step))
            self._step = step
        if self._taken >= self._capacity:
            return False
        self._taken += requests
        return True


class _Sandbox:
    def __init__(self, policy: Policy, scene: Scene, chance: random.Random) -> None:
        self._policy, self._scene, self._chance = policy, scene, chance
        self._rate = chance.lognormvariate(-(scene.spread**2) / 2, scene.spread) / scene.interval
        self.last = -chance.expovariate(self._rate)  # the connection's last use
        self.kept = 0
        self._strikes = 0
        self._breaker: _OpenBreaker | None = None

    def next_flush(self, at: float) -> float:
        return at + self._chance.expovariate(self._rate)

    def flush(self, at: float, intake: _Intake, series: Series, step: int) -> None:
        series.flushes[step] += 1
        wanted = self.kept + self._scene.requests
        probing = False
        if self._breaker is not None:
            self._breaker.count_flush(self._scene.active)
            probing = self._breaker.is_due(at)
            if not probing:
                self._keep(wanted, series, step)
                return
        reached = intake.can_be_reached(at)
        if reached and intake.takes(wanted, step):
            opened = self._policy.connections(wanted, is_open=self._has_connection(at))
            series.handshakes[step] += opened
            series.tries[step] += opened
            series.requests[step] += wanted
            self.kept, self.last, self._strikes, self._breaker = 0, at, 0, None
            return
        series.refused[step] += reached
        series.tries[step] += 1 if probing else self._policy.tries(wanted)
        self._keep(wanted, series, step)
        self.last = float("-inf")
        self._strike(at)

    def _has_connection(self, at: float) -> bool:
        scene = self._scene
        survived = scene.outage == 0 or not self.last < scene.begins <= at
        return survived and at - self.last <= scene.idle_limit

    def _keep(self, wanted: int, series: Series, step: int) -> None:
        self.kept = min(wanted, self._policy.most_kept)
        series.dropped[step] += wanted - self.kept

    def _strike(self, at: float) -> None:
        rules = self._policy.breaker
        if rules is None:
            return
        if self._breaker is not None:
            self._breaker = _OpenBreaker(at, min(2 * self._breaker.wait, rules.most), rules.first)
            return
        self._strikes += 1
        if self._strikes >= rules.strikes:
            self._breaker = _OpenBreaker(at, rules.first, rules.first)


class _OpenBreaker:
    """A breaker that waits for its next probe."""

    def __init__(self, since: float, wait: float, first: float) -> None:
        self.wait = wait
        self._since, self._first = since, first
        self._active, self._flushes = 0.0, 0

    def count_flush(self, active: float) -> None:
        self._flushes += 1
        self._active += active

    def is_due(self, at: float) -> bool:
        return (
            self._active >= self.wait
            or self._flushes >= PROBE_FLUSHES * self.wait / self._first
            or at - self._since >= PROBE_WALL_FACTOR * self.wait
        )
