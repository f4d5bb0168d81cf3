"""Runs one experiment: several arms through the same freezes.

    run = compare.run(ExperimentSettings(arms=("v93", "thaw"), close="silent", cycles=100))
    run.result.arms["thaw"].lost

A block runs each arm once, in a process of its own; with several blocks the arms of each run in an order that
is drawn. What the arms cost is compared block by block (`comparison`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from thaw.lab import arguments, arms, comparison, host_load, workload
from thaw.lab.arms import Arm
from thaw.lab.comparison import Losses
from thaw.lab.experiment import ArmOutcome, ExperimentSettings, Stopped, command
from thaw.lab.experiment_result import ArmResult, ExperimentResult
from thaw.lab.experiments import promises
from thaw.lab.host_load import Load
from thaw.lab.progress import Progress
from thaw.lab.report import Run, exchange_rows, measure
from thaw.lab.report.exchange_rows import ExchangeRow
from thaw.lab.stop import Stop
from thaw.lab.worlds import surroundings, w0_simulated, w1_stopped_process
from thaw.lab.worlds.surroundings import Surroundings

Say = Callable[[str], None]


def run(
    settings: ExperimentSettings,
    progress: Progress | None = None,
    *,
    stop: Stop | None = None,
    load: Load | None = None,
    after_arm: Callable[[Run], None] | None = None,
    after_block: Callable[[int, str, ArmResult], None] = lambda block, arm, result: None,
) -> Run:
    """Runs the arms of each block one after the other; the result is what `compare --json` writes, with the
    rows beside it. Cycles of a later block are numbered after those of the blocks before it.

    Args:
      progress: is begun here, and closed by the caller.
      load: the machine's before the run. A busy machine is marked in the result; a simulation's figures don't
        depend on the machine.
      stop: ends it early; the result then has what was finished, and `complete` is false.
      after_arm: called with what there is after each arm, so that an arm that fails loses none before it.
      after_block: called with the number of a block, counted from 0, an arm and its result in that block.

    Raises ExperimentError, FreezerError: it could not be carried out. InvariantBroken: an arm of thaw broke
    one. Stopped: it was stopped before anything was finished.
    """
    shown = progress or Progress(silent=True)
    ended = stop or Stop()
    if settings.world != "W0":
        settings = with_workload(settings)
    made = _Collected(settings, load)
    failing: set[str] = set()  # clients of other projects whose first error was shown
    order = settings.order()
    shown.begin(f"{settings.scenario} {settings.close}", len(order) * settings.cycles)
    with contextlib.closing(surroundings.BlockSurroundings()) as around:
        for number, (block, name) in enumerate(order):
            if ended.requested:
                break
            label = f"{settings.scenario} {settings.close} {name} ({number + 1}/{len(order)})"
            before = number * settings.cycles

            def step(cycle: int, label: str = label, before: int = before) -> None:
                shown.step(before + cycle, label)

            try:
                in_block = settings.of_block(block)
                result, outcome = _run_arm(
                    arms.parse(name), in_block, step, ended, around.of(block, in_block)
                )
            except Stopped:
                break
            made.add(block, name, result, outcome)
            shown.say(_summary(label, result))
            if (said := _first_error(name, outcome)) is not None and name not in failing:
                failing.add(name)
                shown.say(f"{label}: its first error: {said}")
            after_block(block, name, result)
            if after_arm is not None:
                after_arm(made.run())
    if not made.finished:
        raise Stopped("stopped before a cycle was finished")
    return made.run()


def _run_arm(
    arm: Arm,
    settings: ExperimentSettings,
    step: Callable[[int], None],
    stop: Stop,
    around: Surroundings | None,
) -> tuple[ArmResult, ArmOutcome | None]:
    """Runs one arm in one block. Returns its result and, in a real world, what that was counted from."""
    if settings.world == "W0":
        return w0_simulated.run(arm, settings, step, stop), None
    outcome = w1_stopped_process.run(arm, settings, step, stop, around)
    if not outcome.cycles:
        raise Stopped
    promises.check(arm, settings, outcome)
    return ArmResult.from_outcome(outcome), outcome


def _summary(label: str, result: ArmResult) -> str:
    return (
        f"{label}: {result.delivered} of {result.payloads} payloads delivered, {result.lost} lost,"
        f" {result.duplicated} duplicated"
    )


def _first_error(name: str, outcome: ArmOutcome | None) -> str | None:
    """Returns the first error of a client that is not thaw's, which may fail for a reason of its own."""
    if outcome is None or not outcome.errors or arms.parse(name).maker == "native":
        return None
    return arguments.one_line(outcome.errors[0])


class _Collected:
    """The results and rows of the arms that are finished, the blocks of each together."""

    def __init__(self, settings: ExperimentSettings, load: Load | None) -> None:
        self._settings, self._load = settings, load
        self._since = host_load.Since()
        self._flush_ms: dict[str, dict[int, float]] = {}  # medians, by arm and block
        self._results: dict[str, ArmResult] = {}
        self._outcomes: dict[str, ArmOutcome] = {}
        self._payloads: dict[str, list[measure.PayloadRow]] = {}
        self._cycles: dict[str, list[measure.CycleRow]] = {}
        self._exchanges: dict[str, list[ExchangeRow]] = {}

    @property
    def finished(self) -> bool:
        """Returns whether an arm is finished in a block."""
        return bool(self._results)

    def add(self, block: int, arm: str, result: ArmResult, outcome: ArmOutcome | None) -> None:
        self._results[arm] = result
        if result.cycles == self._settings.cycles:
            self._flush_ms.setdefault(arm, {})[block] = result.flush_ms.p50
        if outcome is not None:
            first_cycle = block * self._settings.cycles
            in_block = self._settings.of_block(block)
            self._payloads.setdefault(arm, []).extend(_payload_rows(arm, in_block, outcome, first_cycle))
            self._cycles.setdefault(arm, []).extend(_cycle_rows(arm, in_block, outcome, first_cycle))
            exchanges = exchange_rows.rows_of(arm, in_block, outcome, first_cycle)
            self._exchanges.setdefault(arm, []).extend(exchanges)
            all_blocks = self._outcomes.setdefault(arm, ArmOutcome())
            all_blocks.extend(outcome, first_cycle)
            if self._settings.blocks > 1:
                self._results[arm] = ArmResult.from_outcome(all_blocks, self._settings.cycles)

    def run(self) -> Run:
        settings = self._settings
        again = command(settings)
        results = {arm: self._results[arm] for arm in settings.arms if arm in self._results}
        complete = len(results) == len(settings.arms) and all(
            each.cycles == settings.cycles * settings.blocks for each in results.values()
        )
        networks = [each.network for each in results.values() if each.network is not None]
        where_from = measure.provenance(
            world=settings.world,
            seed=settings.seed,
            cycles=settings.cycles,
            freezer=settings.freezer,
            command=again,
            complete=complete,
            load=None if settings.world == "W0" else self._load,
            load_during=None if settings.world == "W0" else self._since.load(),
            network=networks[0] if networks else None,
        )
        losses = {name: Losses(each.lost, each.payloads) for name, each in results.items()}
        result = ExperimentResult.of(
            settings,
            results,
            commit=where_from.commit,
            command=again,
            complete=complete,
            busy=where_from.busy or None,
            comparisons=comparison.compare(self._flush_ms, losses),
        )
        rows = None
        if self._cycles:
            rows = measure.Measurements(
                list(itertools.chain.from_iterable(self._payloads[arm] for arm in results)),
                list(itertools.chain.from_iterable(self._cycles[arm] for arm in results)),
                where_from,
                list(itertools.chain.from_iterable(self._exchanges[arm] for arm in results)),
            )
        return Run(result, rows, where_from)


def with_workload(settings: ExperimentSettings) -> ExperimentSettings:
    """Returns the settings, with generated payloads where ddtrace can't run; the reason goes to stderr."""
    if settings.workload != "real":
        return settings
    try:
        workload.captures()  # the client's process finds them in the cache
    except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        print(f"payloads are generated, ddtrace can't run: {type(error).__name__}: {error}", file=sys.stderr)
        return dataclasses.replace(settings, workload="generated")
    return settings


def _payload_rows(
    arm: str, settings: ExperimentSettings, outcome: ArmOutcome, first_cycle: int
) -> list[measure.PayloadRow]:
    phases = {cycle.cycle: cycle.phase for cycle in outcome.cycles}
    return [
        measure.PayloadRow(
            arm=arm,
            world=settings.world,
            close=settings.close,
            scenario=settings.scenario,
            phase=phases.get(where[0]),
            cycle=first_cycle + where[0],
            payload=where[1],
            times_delivered=times,
            flagged=where in outcome.flagged,
            retained=where in outcome.retained,
            dropped_reason=outcome.dropped.get(where),
            arrived_in=first_cycle + outcome.arrived_in[where] if where in outcome.arrived_in else None,
            **_conditions(settings, where[0]),
        )
        for where, times in outcome.times.items()
    ]


def _cycle_rows(
    arm: str, settings: ExperimentSettings, outcome: ArmOutcome, first_cycle: int
) -> list[measure.CycleRow]:
    return [
        measure.CycleRow(
            arm=arm,
            world=settings.world,
            close=settings.close,
            scenario=settings.scenario,
            phase=cycle.phase,
            cycle=first_cycle + cycle.cycle,
            flush_ms=cycle.flush_ms,
            cpu_us=cycle.cpu_us,
            connections=cycle.connections,
            handshakes_full=cycle.handshakes_full,
            handshakes_resumed=cycle.handshakes_resumed,
            errors=cycle.errors,
            close_ms=cycle.close_ms,
            flush_start_ms=cycle.flush_start_ms,
            late_ms=cycle.late_ms,
            arrived=cycle.arrived,
            arrived_at_freeze=cycle.arrived_at_freeze,
            **_conditions(settings, cycle.cycle),
        )
        for cycle in outcome.cycles
    ]


def _conditions(settings: ExperimentSettings, cycle: int) -> dict[str, Any]:
    """Returns the columns that say under which conditions a row of a block was measured. A freeze that is
    drawn is the cycle's own.
    """
    return {
        "payloads_per_flush": settings.payloads,
        "workload": settings.workload,
        "freeze": settings.freeze_of(cycle),
        "round_trip": settings.round_trip,
        "tls_version": settings.tls_version,
    }
