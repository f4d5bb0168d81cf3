"""From what an arm did to the figures of a result, and the invariants that an arm of thaw must keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from thaw import InvariantBroken
from thaw.lab.arms import Arm
from thaw.lab.experiment import ArmOutcome, Settings
from thaw.lab.measure import THROWN_AWAY


def figures(outcome: ArmOutcome) -> dict[str, Any]:
    """The figures of one arm, as they stand in a result's JSON."""
    times = outcome.times
    dropped = {where: why for where, why in outcome.dropped.items() if why not in THROWN_AWAY}
    flush_ms = [cycle.flush_ms for cycle in outcome.cycles]
    return {
        "cycles": len(outcome.cycles),
        "payloads": len(times),
        "requests": outcome.requests,
        "delivered": sum(1 for each in times.values() if each > 0),
        "lost": sum(
            1
            for where, each in times.items()
            if each == 0 and where not in outcome.retained and where not in dropped
        ),
        "duplicated": sum(1 for each in times.values() if each > 1),
        "possible_duplicate": len(outcome.flagged),
        "retained": len(outcome.retained),
        "dropped": len(dropped),
        "errors": len(outcome.errors),
        "connections": outcome.connections,
        "handshakes_full": outcome.handshakes_full,
        "handshakes_resumed": outcome.handshakes_resumed,
        "stale": outcome.counters.get("stale", 0),
        "cpu_us_per_payload": sum(cycle.cpu_us for cycle in outcome.cycles) / max(1, len(times)),
        "flush_ms": {"p50": _percentile(flush_ms, 50), "p99": _percentile(flush_ms, 99)},
    }


def check(arm: Arm, settings: Settings, outcome: ArmOutcome) -> None:
    """Checks an arm that keeps what it could not send. InvariantBroken names what broke."""
    if not arm.keeps:
        return

    def broken(text: str) -> InvariantBroken:
        return InvariantBroken(
            f"arm {arm.name}, world {settings.world}, {settings.scenario}, close {settings.close}, seed "
            f"{settings.seed}: {text}"
        )

    for where, times in sorted(outcome.times.items()):
        cycle, payload = where
        name = f"payload {payload} of cycle {cycle}"
        if times == 0 and where not in outcome.retained and where not in outcome.dropped:
            raise broken(f"{name} was lost: not accepted, not kept, not counted as dropped")
        if times > 1 and where not in outcome.flagged:
            raise broken(f"{name} was accepted {times} times and not flagged as a possible duplicate")
    if settings.scenario == "idle" and (still_open := outcome.counters.get("open_at_next", 0)):
        raise broken(f"{still_open} exchanges were open at freezes after the end of a flush")


def _percentile(values: Sequence[float], percent: float) -> float:
    return float(numpy.percentile(values, percent)) if values else 0.0
