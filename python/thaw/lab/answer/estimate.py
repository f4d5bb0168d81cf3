"""Estimates the time that the sweeps take, and the time that is left.

    duration = Duration(missing_points)
    duration.expected, duration.arm_done(point, "thaw"), duration.left(seconds_so_far)

The estimate is of an idle machine with two cores. What is left follows from it and from how fast the machine
was so far.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from thaw.lab.answer import model
from thaw.lab.experiment import ExperimentSettings
from thaw.lab.worlds import surroundings

# Seconds of an idle machine with two cores.
_CLIENT_START = 0.3  # the start and the end of a client's process
_SURROUNDINGS_START = 0.65  # of a line and an intake
_MEASURED_ROUND_TRIPS = 10  # by which a line is measured
_CYCLE = 0.012  # commands, a freeze and a resume
_PAYLOAD = 0.0012  # made, sent one after the other and taken in
_DIAL = 0.002
# Seconds that a cycle takes beyond that, by world, scenario and close: what a client waits for.
_WAITING = {
    ("W1", "idle"): {"fin": 0.01, "rst": 0.01, "silent": 0.02, "race": 0.02},
    ("W1", "inflight"): {"fin": 0.03, "rst": 0.03, "silent": 0.3},
    ("W2", "idle"): {"fin": 0.25, "rst": 0.25, "silent": 0.3, "blackhole": 0.7, "nat": 0.3, "address": 0.7},
}


class Duration:
    """The time that points take, and what of it is over.

    Attributes:
      expected: seconds on an idle machine.
      done: the seconds of `expected` that are over.
    """

    def __init__(self, points: Iterable[ExperimentSettings]) -> None:
        self.expected = sum(of_point(point) for point in points)
        self.done = 0.0

    def arm_done(self, point: ExperimentSettings, arm: str) -> None:
        """Takes note that an arm has ended in one block of a point."""
        self.done = min(self.expected, self.done + of_arm(point, arm))

    def left(self, elapsed: float) -> float:
        """Returns the seconds that are left after `elapsed` ones; before any is done, an idle machine's."""
        left = self.expected - self.done
        return left * elapsed / self.done if self.done else left


def of_point(point: ExperimentSettings) -> float:
    """Returns the seconds that a point takes."""
    return point.blocks * sum(of_arm(point, arm) for arm in point.arms)


def of_arm(point: ExperimentSettings, arm: str) -> float:
    """Returns the seconds that an arm takes in one block, its part of the surroundings' start included."""
    measured = _MEASURED_ROUND_TRIPS * point.round_trip if point.world != "W1" or point.round_trip else 0.0
    around = _SURROUNDINGS_START + measured
    if surroundings.shared(point):
        around /= len(point.arms)
    waiting = _WAITING.get((point.world, point.scenario), {}).get(point.close, 0.0)
    return around + _CLIENT_START + point.cycles * (_CYCLE + waiting + _flush(point, arm))


def _flush(point: ExperimentSettings, arm: str) -> float:
    """Returns the seconds of a flush if nothing goes wrong; other projects' clients send one by one."""
    policy = model.policy(arm)
    number, dials = point.payloads, 0
    trips = number
    if policy is not None:
        kept = policy.keeps and policy.idle > 0
        most = 1 if policy.one_by_one else min(policy.idle, policy.most) if kept else policy.most
        turns = math.ceil(number / min(most, number))
        shares = policy.shares or policy.idle > 0
        dials = 0 if kept else min(most, number) if shares else number
        trips = turns + 2 * (0 if kept else 1 if shares else turns)
    work = number * _PAYLOAD + dials * _DIAL
    return trips * point.round_trip + work / point.cpu_share


def in_words(seconds: float) -> str:
    """Returns a duration as text: in minutes, or in seconds if it is short."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
