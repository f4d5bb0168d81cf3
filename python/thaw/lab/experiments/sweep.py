"""Sweeps: one comparison for each cell of a grid, all rows in one Parquet file.

    grid = sweep.Grid(arms=("v93", "thaw"), closes=("silent", "rst"), freezes=(0.05, 1.0))
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        outcome = sweep.run(grid, "sweep.parquet", executor)

Any `concurrent.futures.Executor` does; a Dask client's `get_executor()` is the way past one machine. Cells
that run at the same time on one machine share its processor, which shows in their times: there, one worker
measures best.

A sweep that was stopped goes on where it was: a cell whose row is in the file is not run again. Each row says
at which commit it was made.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import functools
import itertools
import json
import os
import pathlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from thaw.lab import arguments, arms, needs
from thaw.lab.certificates import TlsVersionName
from thaw.lab.experiment import (
    BOUNDS,
    CLOSES,
    SCENARIOS,
    WORLDS,
    Close,
    ExperimentSettings,
    Scenario,
    Stopped,
    WorldName,
)
from thaw.lab.experiment import command as command_of
from thaw.lab.experiments import compare
from thaw.lab.report import measure
from thaw.lab.results import ExperimentResult
from thaw.lab.stop import EXIT_CODE, Stop
from thaw.lab.workload import WorkloadKind


@dataclass(frozen=True)
class Cell:
    """One experiment with one arm. `freeze` is how long the client is frozen in each cycle and `round_trip`
    the network's, both in seconds; `payloads` is how many each flush sends.
    """

    arm: str
    world: WorldName = "W1"
    scenario: Scenario = "idle"
    close: Close = "silent"
    freeze: float = 0.002
    payloads: int = 3
    round_trip: float = 0.0
    tls_version: TlsVersionName = "1.3"
    cycles: int = 50
    seed: int = 1
    workload: WorkloadKind = "real"

    @property
    def settings(self) -> ExperimentSettings:
        """The settings of the cell's experiment. ValueError: a number is out of bounds."""
        values = dataclasses.asdict(self)
        del values["arm"]
        return ExperimentSettings(**values)


@dataclass(frozen=True)
class Grid:
    """Every combination of these is a cell. ValueError if one of them is empty."""

    arms: Sequence[str]
    worlds: Sequence[WorldName] = ("W1",)
    scenarios: Sequence[Scenario] = ("idle",)
    closes: Sequence[Close] = ("silent",)
    freezes: Sequence[float] = (0.002,)
    payloads: Sequence[int] = (3,)
    round_trips: Sequence[float] = (0.0,)
    tls_versions: Sequence[TlsVersionName] = ("1.3",)
    cycles: int = 50
    seed: int = 1
    workload: WorkloadKind = "real"

    def cells(self) -> Iterator[Cell]:
        """Each cell once, the arms of one experiment side by side."""
        axes: tuple[Sequence[Any], ...] = (
            *(self.worlds, self.scenarios, self.closes, self.freezes),
            *(self.payloads, self.round_trips, self.tls_versions, self.arms),
        )
        if not all(axes):
            raise ValueError(f"a grid needs at least one value on each axis: {self}")
        for *where, tls_version, arm in dict.fromkeys(itertools.product(*axes)):
            world, scenario, close, freeze, payloads, round_trip = where
            yield Cell(
                arm=arm,
                world=world,
                scenario=scenario,
                close=close,
                freeze=float(freeze),
                payloads=payloads,
                round_trip=float(round_trip),
                tls_version=tls_version,
                cycles=self.cycles,
                seed=self.seed,
                workload=self.workload,
            )


@dataclass(frozen=True)
class SweepRow:
    """A cell, its result and its provenance. The figures are those of a comparison's result; `command`
    runs the cell again by itself.
    """

    arm: str
    world: str
    scenario: str
    close: str
    freeze: float
    payloads_per_flush: int
    round_trip: float
    tls_version: str
    cycles: int
    seed: int
    workload: str

    payloads: int
    requests: int
    delivered: int
    lost: int
    duplicated: int
    possible_duplicate: int
    retained: int
    dropped: int
    errors: int
    connections: int
    handshakes_full: int
    handshakes_resumed: int
    stale: int
    cpu_us_per_payload: float
    flush_p50_ms: float
    flush_p99_ms: float

    version: str
    commit: str
    date: str
    machine: str
    clock_behaviour: str
    command: str

    @property
    def cell(self) -> Cell:
        """The cell that the row is about."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(Cell)}
        return Cell(**{**values, "payloads": self.payloads_per_flush})


@dataclass(frozen=True)
class Progress:
    """How far a sweep is: `done` of `total` cells, `cell` just now; `error` if that one failed."""

    done: int
    total: int
    cell: Cell
    error: BaseException | None = None

    def __str__(self) -> str:
        cell = self.cell
        text = (
            f"sweep: {self.done}/{self.total} {cell.arm} {cell.world} {cell.scenario} {cell.close}"
            f" freeze {cell.freeze:g} s, {cell.payloads} payloads, round trip {cell.round_trip * 1e3:g} ms,"
            f" TLS {cell.tls_version}"
        )
        return f"{text}: {type(self.error).__name__}: {self.error}" if self.error else text


@dataclass(frozen=True)
class Outcome:
    """The outcome of a sweep. `rows` are all that the file has now, those of the grid first, in its order."""

    rows: list[SweepRow]
    ran: int
    skipped: int
    failed: list[tuple[Cell, BaseException]]


def compare_cell(cell: Cell, stop: Stop | None = None) -> ExperimentResult:
    """The result of one cell, measured here and now. Raises Stopped: it was not finished."""
    result = compare.run(cell.settings, arms.find(cell.arm), stop=stop).result
    if not result.complete:
        raise Stopped("stopped before the cell was finished")
    return result


def run(
    grid: Grid,
    path: str | os.PathLike[str],
    executor: concurrent.futures.Executor,
    comparison: Callable[[Cell], ExperimentResult] = compare_cell,
    *,
    progress: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Runs the cells that `path` has no row for, and adds their rows to it as they come.

    A cell that fails stops no other, and is tried again by the next sweep. If this is interrupted, what is
    done is in the file, and cells that have not begun are cancelled.

    Args:
      grid: the cells.
      path: the Parquet file; made if it is not there.
      executor: where cells are run; it must be able to import this package.
      comparison: runs one cell and returns its result; the executor calls it, so for another process it is
        a function of a module.
      progress: called after each cell; by default a line goes to the standard error.

    Raises MeasureError if `path` is there and is no sweep's file.
    """
    file = pathlib.Path(path)
    say = progress or (lambda state: print(state, file=sys.stderr, flush=True))
    rows = measure.read_rows(file, SweepRow) if file.exists() else []
    there = {row.cell for row in rows}
    cells = list(grid.cells())
    missing = [cell for cell in cells if cell not in there]
    done = len(cells) - len(missing)
    failed: list[tuple[Cell, BaseException]] = []
    futures = {executor.submit(_measure, cell, comparison): cell for cell in missing}
    try:
        for future in concurrent.futures.as_completed(futures):
            cell, error = futures[future], future.exception()
            done += 1
            if error is None:
                rows.append(future.result())
                write(file, rows)
            else:
                failed.append((cell, error))
            say(Progress(done, len(cells), cell, error))
    finally:
        for future in futures:
            future.cancel()
    place = {cell: number for number, cell in enumerate(cells)}
    rows.sort(key=lambda row: place.get(row.cell, len(place)))
    if missing:
        write(file, rows)
    return Outcome(rows, len(missing) - len(failed), len(cells) - len(missing), failed)


def write(path: pathlib.Path, rows: Sequence[SweepRow]) -> None:
    """Writes a sweep's file, whole or not at all. Its rows say themselves where they are from."""
    path.parent.mkdir(parents=True, exist_ok=True)
    measure.write_rows(path, SweepRow, rows, json.dumps({"made_by": "thaw.lab.experiments.sweep"}))


def read(path: str | os.PathLike[str]) -> list[SweepRow]:
    """The rows of a sweep. MeasureError: the file is missing or is something else."""
    return measure.read_rows(pathlib.Path(path), SweepRow)


def _measure(cell: Cell, comparison: Callable[[Cell], ExperimentResult]) -> SweepRow:
    result = comparison(cell)
    arm = result.arms[cell.arm]
    names = {field.name for field in dataclasses.fields(SweepRow)} - {
        field.name for field in dataclasses.fields(Cell)
    }
    figures = {name: getattr(arm, name) for name in ("payloads", *names) if hasattr(arm, name)}
    where = measure.provenance(world=cell.world, seed=cell.seed, cycles=cell.cycles)
    return SweepRow(
        arm=cell.arm,
        world=cell.world,
        scenario=cell.scenario,
        close=cell.close,
        freeze=cell.freeze,
        payloads_per_flush=cell.payloads,
        round_trip=cell.round_trip,
        tls_version=cell.tls_version,
        cycles=cell.cycles,
        seed=cell.seed,
        workload=result.workload or cell.workload,
        **figures,
        flush_p50_ms=arm.flush_ms.p50,
        flush_p99_ms=arm.flush_ms.p99,
        version=where.version,
        commit=result.commit,
        date=where.date,
        machine=where.machine,
        clock_behaviour=where.clock_behaviour,
        command=command_of(cell.settings, [cell.arm]),
    )


# -- The command line -----------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command `sweep`; each axis takes several values with commas between them."""

    def axis(name: str, plain: str, text: str, parse: Callable[[str], list[Any]]) -> None:
        parser.add_argument(
            name, type=parse, default=plain, metavar="A,B", help=f"{text} (default: %(default)s)"
        )

    def names(known: Sequence[str], what: str) -> Callable[[str], list[Any]]:
        return arguments.several(arguments.one_of(known, what))

    def seconds(name: str) -> Callable[[str], list[Any]]:
        return arguments.several(arguments.number(*BOUNDS[name], "seconds"))

    def count(name: str) -> Callable[[str], int]:
        least, most = BOUNDS[name]
        return arguments.integer(int(least), int(most))

    axis("--arms", "v93,thaw", "clients", arguments.checked(arms.find))
    axis("--world", "W1", f"of {', '.join(WORLDS)}", names(WORLDS, "world"))
    axis("--scenario", "idle", f"of {', '.join(SCENARIOS)}", names(SCENARIOS, "scenario"))
    axis("--close", "silent", f"of {', '.join(CLOSES)}", names(CLOSES, "way to close"))
    axis("--freeze", "0.002", "least duration of a freeze, in seconds", seconds("freeze"))
    axis("--payloads", "3", "payloads of each flush", arguments.several(count("payloads")))
    axis("--round-trip", "0", "seconds the network adds", seconds("round_trip"))
    axis("--tls", "1.3", "the intake's version: 1.2, 1.3", names(("1.2", "1.3"), "version of TLS"))
    option = parser.add_argument
    option(
        "--cycles", type=count("cycles"), default=50, metavar="N", help="freezes of each cell (%(default)s)"
    )
    option("--seed", type=arguments.seed, default=1, help="seed of payloads and timing (%(default)s)")
    option(
        "--workload",
        choices=("real", "generated"),
        default="real",
        help="payloads of ddtrace, or generated ones",
    )
    option(
        "--workers",
        type=arguments.integer(1, 256),
        default=1,
        metavar="N",
        help="comparisons to run at the same time (%(default)s)",
    )
    option(
        "--out",
        type=arguments.new_file,
        default=pathlib.Path("sweep.parquet"),
        metavar="FILE",
        help="(%(default)s)",
    )
    parser.set_defaults(run=command)


def command(given: argparse.Namespace) -> int:
    """Runs the command `sweep`. ValueError: a cell's numbers don't go together."""
    if (text := needs.missing(needs.of_arms([arm.name for arm in given.arms]), "this sweep")) is not None:
        raise ValueError(text)
    workload = given.workload
    if "W1" in given.world:
        workload = compare.with_workload(ExperimentSettings(workload=workload)).workload
    grid = Grid(
        arms=[arm.name for arm in given.arms],
        worlds=given.world,
        scenarios=given.scenario,
        closes=given.close,
        freezes=given.freeze,
        payloads=given.payloads,
        round_trips=given.round_trip,
        tls_versions=given.tls,
        cycles=given.cycles,
        seed=given.seed,
        workload=workload,
    )
    for cell in grid.cells():
        _ = cell.settings

    def say(state: Progress) -> None:
        if not isinstance(state.error, Stopped):
            print(state, file=sys.stderr, flush=True)

    with Stop.on_interrupt() as stop, concurrent.futures.ThreadPoolExecutor(given.workers) as executor:
        outcome = run(grid, given.out, executor, functools.partial(compare_cell, stop=stop), progress=say)
    stopped = [error for _, error in outcome.failed if isinstance(error, Stopped)]
    failed = len(outcome.failed) - len(stopped)
    print(
        f"sweep: {outcome.ran} cells run, {outcome.skipped} were there already"
        + (f", {failed} failed" if failed else "")
        + (f", {len(stopped)} not finished" if stopped else "")
    )
    print(f"rows: {given.out.resolve()}")
    if stop.requested:
        return EXIT_CODE
    return 1 if outcome.failed else 0
