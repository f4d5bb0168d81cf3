"""World W0: an arm's options in the simulation (`thaw.simulate`): scripted TLS, virtual time, no kernel."""

from __future__ import annotations

import time
from collections.abc import Callable

import thaw
from thaw.lab.arms import Arm
from thaw.lab.experiment import ExperimentSettings, Stopped
from thaw.lab.experiment_result import ArmResult, FlushTimes
from thaw.lab.freeze_lengths import FreezeDistribution
from thaw.lab.stop import Stop


def run(
    arm: Arm,
    settings: ExperimentSettings,
    progress: Callable[[int], None] = lambda cycle: None,
    stop: Stop | None = None,
) -> ArmResult:
    """Runs one arm and returns its result. Flush times are virtual, less the frozen time.

    The arm is one of the settings, which have checked that it can be simulated. Raises InvariantBroken if an
    arm of thaw breaks one, Stopped if `stop` asked for it.
    """

    def step(cycle: int) -> None:
        if stop is not None and stop.requested:
            raise Stopped
        progress(cycle)

    begun = time.process_time()
    counts = thaw.simulate(
        cycles=settings.cycles,
        payloads=settings.payloads,
        seed=settings.seed,
        scenario=settings.scenario,
        close=settings.close,
        client=arm.client_options("unread.pem"),
        flusher=arm.flusher_options(settings.scenario),
        resume=arm.tells_resume,
        check=arm.keeps,
        freeze=_freezes(settings),
        **({} if settings.idle_limit is None else {"idle_limit": settings.idle_limit}),
        one_way=max(settings.round_trip / 2, 0.0005),
        progress=step,
    )
    used = time.process_time() - begun
    progress(settings.cycles)
    connections, exchanges = counts["connections"], counts["exchanges"]
    names = ("payloads", "requests", "delivered", "lost", "duplicated", "possible_duplicate", "retained")
    thrown_away = min(counts["dropped"], counts["lost"])
    return ArmResult(
        cycles=settings.cycles,
        **{name: counts[name] for name in names},
        dropped=counts["dropped"] - thrown_away,
        errors=counts["errors"],
        connections=connections["dials"],
        # Handshakes are scripted: each costs the round trips of a full one.
        handshakes_full=connections["opened"],
        handshakes_resumed=0,
        stale=exchanges["stale"],
        cpu_us_per_payload=used * 1e6 / max(1, counts["payloads"]),
        flush_ms=FlushTimes(**counts["flush_ms"]),
    )


def _freezes(settings: ExperimentSettings) -> tuple[float, float]:
    """Returns the shortest and the longest freeze, of virtual time."""
    if isinstance(settings.freeze, FreezeDistribution):
        given = dict(settings.freeze.parameters)
        return given["least"], given["most"]
    # Longer than the intake's idle limit, shorter than hyper's: clients meet ended connections.
    return 61.0, 89.0
