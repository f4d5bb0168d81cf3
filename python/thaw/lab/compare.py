"""One experiment: several arms, the same freezes.

result = compare.run(Settings(close="silent", cycles=100), arms.find("v93,thaw"))
result.result["arms"]["thaw"]["lost"]
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from thaw.lab import measure, result, workload, world_w0, world_w1
from thaw.lab.arms import Arm
from thaw.lab.experiment import ArmOutcome, Settings
from thaw.lab.report import Run

Say = Callable[[str], None]


def run(settings: Settings, arms: Sequence[Arm], progress: Progress | None = None) -> Run:
    """Runs the arms one after the other; the result is what `compare --json` writes, with the rows beside it.

    Raises ExperimentError, FreezerError: it could not be carried out. InvariantBroken: an arm of thaw broke
    one.
    """
    shown = progress or Progress(silent=True)
    if settings.world == "W1":
        settings = with_workload(settings)
    figures: dict[str, Any] = {}
    payload_rows: list[measure.PayloadRow] = []
    cycle_rows: list[measure.CycleRow] = []
    for number, arm in enumerate(arms):
        shown.begin(f"{settings.scenario} {settings.close} {arm.name} ({number + 1}/{len(arms)})", settings)
        if settings.world == "W0":
            figures[arm.name] = world_w0.run(arm, settings, shown.step)
        else:
            outcome = world_w1.run(arm, settings, shown.step)
            result.check(arm, settings, outcome)
            figures[arm.name] = result.figures(outcome)
            payload_rows += _payload_rows(arm, settings, outcome)
            cycle_rows += _cycle_rows(arm, settings, outcome)
        shown.end(figures[arm.name])
    where_from = measure.provenance(
        world=settings.world, seed=settings.seed, cycles=settings.cycles, freezer=settings.freezer
    )
    return Run(
        {
            "world": settings.world,
            "close": settings.close,
            "scenario": settings.scenario,
            "cycles": settings.cycles,
            "seed": settings.seed,
            "commit": where_from.commit,
            "arms": figures,
        },
        measure.Measurements(payload_rows, cycle_rows, where_from) if cycle_rows else None,
    )


def with_workload(settings: Settings) -> Settings:
    """The settings, with generated payloads where real ones can't be had; the reason goes to stderr."""
    if settings.workload != "real":
        return settings
    try:
        workload.captures()  # the client's process finds them in the cache
    except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        print(f"payloads are generated, ddtrace can't run: {type(error).__name__}: {error}", file=sys.stderr)
        return dataclasses.replace(settings, workload="generated")
    return settings


def _payload_rows(arm: Arm, settings: Settings, outcome: ArmOutcome) -> list[measure.PayloadRow]:
    phases = {cycle.cycle: cycle.phase for cycle in outcome.cycles}
    return [
        measure.PayloadRow(
            arm=arm.name,
            world=settings.world,
            close=settings.close,
            scenario=settings.scenario,
            phase=phases.get(where[0]),
            cycle=where[0],
            payload=where[1],
            times_delivered=times,
            flagged=where in outcome.flagged,
            retained=where in outcome.retained,
            dropped_reason=outcome.dropped.get(where),
        )
        for where, times in outcome.times.items()
    ]


def _cycle_rows(arm: Arm, settings: Settings, outcome: ArmOutcome) -> list[measure.CycleRow]:
    return [
        measure.CycleRow(
            arm=arm.name,
            world=settings.world,
            close=settings.close,
            scenario=settings.scenario,
            phase=cycle.phase,
            cycle=cycle.cycle,
            flush_ms=cycle.flush_ms,
            cpu_us=cycle.cpu_us,
            connections=cycle.connections,
            handshakes_full=cycle.handshakes_full,
            handshakes_resumed=cycle.handshakes_resumed,
            errors=cycle.errors,
        )
        for cycle in outcome.cycles
    ]


class Progress:
    """Says how far an experiment is: on a terminal in one line that changes, elsewhere now and then."""

    def __init__(self, *, silent: bool = False) -> None:
        self._silent = silent
        self._live = sys.stderr.isatty()
        self._every = 0.2 if self._live else 10.0
        self._label, self._total = "", 0
        self._begun = self._last = 0.0

    def begin(self, label: str, settings: Settings) -> None:
        self._label, self._total = label, settings.cycles
        self._begun = self._last = time.monotonic()

    def step(self, cycle: int) -> None:
        now = time.monotonic()
        if self._silent or now - self._last < self._every:
            return
        self._last = now
        rate = cycle / max(now - self._begun, 1e-9)
        left = (self._total - cycle) / max(rate, 1e-9)
        self._write(f"{self._label}: cycle {cycle}/{self._total}, {rate:.0f} a second, {left:.0f} s left")

    def end(self, figures: dict[str, Any]) -> None:
        if self._silent:
            return
        took = time.monotonic() - self._begun
        self._write(
            f"{self._label}: {figures['delivered']} of {figures['payloads']} payloads delivered, "
            f"{figures['lost']} lost, {figures['duplicated']} duplicated, {took:.1f} s"
        )
        if self._live:
            sys.stderr.write("\n")

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text}" if self._live else f"{text}\n")
        sys.stderr.flush()
