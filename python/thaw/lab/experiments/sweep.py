"""Sweeps: one comparison for each point of a grid, each in a Parquet file of its own.

    grid = Grid(ExperimentSettings(arms=("v93", "thaw")), {"close": ("silent", "rst"), "freeze": (0.05, 1.0)})
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        outcome = sweep.run(grid, "sweep-results", executor)
    thaw.lab.results.read("sweep-results").pandas()

Any `concurrent.futures.Executor` does; `executors` opens a Dask cluster's, the way past one machine. Points
that run at the same time on one machine share its processor, which shows in their times: there, one worker
measures best.

A sweep that was stopped goes on where it was: a point whose file is in the folder is not run again. Each file
says at which commit it was made.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import functools
import os
import pathlib
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from thaw.lab import arguments, arms, needs
from thaw.lab.experiment import ExperimentSettings, Stopped, plain_freeze
from thaw.lab.experiment_result import ArmResult
from thaw.lab.experiments import compare, executors, requirements, settings_arguments, spec_file
from thaw.lab.experiments.grid import Grid
from thaw.lab.host_load import Load
from thaw.lab.progress import Progress as Display
from thaw.lab.report import dataset
from thaw.lab.report.dataset import BlockResult
from thaw.lab.report.measure import Provenance
from thaw.lab.stop import EXIT_CODE, Stop

# Fewer cycles than a comparison has, since a grid has many points.
PLAIN = ExperimentSettings(cycles=50)
FOLDER = pathlib.Path("sweep-results")
_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Measured:
    """The results of one point, one for each arm of each block, and where they were measured."""

    results: list[BlockResult]
    provenance: Provenance


@dataclass(frozen=True)
class Progress:
    """The progress of a sweep: `done` of `total` points, `point` just now; `error` if that one failed."""

    done: int
    total: int
    point: ExperimentSettings
    error: BaseException | None = None

    def __str__(self) -> str:
        point, freeze = self.point, plain_freeze(self.point.freeze)
        text = (
            f"sweep: {self.done}/{self.total} {','.join(point.arms)} {point.world} {point.scenario}"
            f" {point.close} freeze {freeze if isinstance(freeze, str) else f'{freeze:g}'} s,"
            f" {point.payloads} payloads, round trip {point.round_trip * 1e3:g} ms, TLS {point.tls_version}"
        )
        return f"{text}: {type(self.error).__name__}: {self.error}" if self.error else text


@dataclass(frozen=True)
class Outcome:
    """The numbers of points that a sweep ran and skipped, and the points that failed."""

    ran: int
    skipped: int
    failed: list[tuple[ExperimentSettings, BaseException]]


def measure_point(
    point: ExperimentSettings,
    stop: Stop | None = None,
    load: Load | None = None,
    arm_done: Callable[[ExperimentSettings, str], None] = lambda point, arm: None,
) -> Measured:
    """Measures one point here and now; `load` is the machine's before the sweep. `arm_done` is called when an
    arm has ended in a block.

    Raises Stopped: it was not finished.
    """
    results: list[BlockResult] = []

    def after_block(block: int, arm: str, result: ArmResult) -> None:
        results.append(BlockResult(block, arm, result))
        arm_done(point, arm)

    made = compare.run(point, stop=stop, load=load, after_block=after_block)
    if not made.result.complete:
        raise Stopped("stopped before the point was finished")
    assert made.provenance is not None  # of a run of here and now
    return Measured(results, made.provenance)


def run(
    grid: Grid,
    folder: str | os.PathLike[str],
    executor: concurrent.futures.Executor,
    comparison: Callable[[ExperimentSettings], Measured] = measure_point,
    *,
    progress: Callable[[Progress], None] | None = None,
    ended: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Runs the points that `folder` has no file of; each file is written when its point is done.

    A point that fails stops no other, and is tried again by the next sweep. If this is interrupted, what is
    done is in the folder, and points that have not begun are cancelled.

    Args:
      grid: the points.
      folder: created if it does not exist.
      executor: the executor that runs the points; it must be able to import this package.
      comparison: runs one point and returns what it gave; the executor calls it, so for another process it is
        a function of a module.
      progress: called after each point; by default a line goes to the standard error.
      ended: returns whether to wait no longer: points that have not ended then count as failed, with
        `Stopped`.

    Raises ValueError if nothing can be written in `folder`, MeasureError if it has a file of a point's name
    that is something else, OSError if a file can't be written after all: points before it are kept.
    """
    dataset.prepare(folder)
    say = progress or (lambda state: print(state, file=sys.stderr, flush=True))
    points = list(grid.points())
    specs = {point: spec_file.to_toml(point) for point in points}
    paths = {point: dataset.path_of(folder, point, specs[point]) for point in points}
    missing = [point for point in points if not dataset.is_there(paths[point], specs[point])]
    done = len(points) - len(missing)
    failed: list[tuple[ExperimentSettings, BaseException]] = []
    futures = {executor.submit(comparison, point): point for point in missing}
    try:
        for future in _completed(futures, ended):
            point, error = futures[future], future.exception()
            done += 1
            if error is None:
                measured = future.result()
                dataset.write(paths[point], point, specs[point], measured.results, measured.provenance)
            else:
                failed.append((point, error))
            say(Progress(done, len(points), point, error))
    finally:
        for future in futures:
            future.cancel()
    failed += [
        (futures[each], Stopped("not waited for")) for each in futures if not each.done() or each.cancelled()
    ]
    return Outcome(len(missing) - len(failed), len(points) - len(missing), failed)


def _completed(
    futures: Iterable[concurrent.futures.Future[Measured]], ended: Callable[[], bool]
) -> Iterator[concurrent.futures.Future[Measured]]:
    """Yields each future when it is done, until `ended` says so."""
    waiting = set(futures)
    while waiting and not ended():
        done, waiting = concurrent.futures.wait(
            waiting, _LOOK_SECONDS, return_when=concurrent.futures.FIRST_COMPLETED
        )
        yield from done


# -- The command line -----------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command `sweep`: each setting takes several values."""
    settings_arguments.add(parser, PLAIN, several=True)
    option = parser.add_argument
    option(
        "--option",
        action="append",
        type=settings_arguments.option,
        metavar="NAME=A,B",
        help="values of a field of ClientOptions, for each arm of thaw's own client; may be given again",
    )
    option(
        "--workers",
        type=arguments.integer(1, 256),
        default=1,
        metavar="N",
        help="points to run at the same time (default: %(default)s)",
    )
    option(
        "--executor",
        type=arguments.checked(executors.check),
        metavar="dask://HOST:PORT",
        help="runs the points on the workers of a Dask cluster, which have this package, not in threads here",
    )
    option(
        "--out",
        type=arguments.output_folder,
        default=FOLDER,
        metavar="FOLDER",
        help="the folder of the points' Parquet files; a point that has a file is not run again"
        " (default: %(default)s)",
    )
    requirements.add_idle(parser)
    parser.set_defaults(run=run_command)


def run_command(given: argparse.Namespace) -> int:
    """Runs the command `sweep`. ValueError: a point's settings don't go together."""
    grid = _with_workload(settings_arguments.grid(given, PLAIN))
    needs.require(needs.of_arms(grid.base.arms), "this sweep")
    arms.require_certificates(next(grid.points()).arms)

    load = requirements.load_before(given, {point.world for point in grid.points()})
    shown = Display()

    def say(state: Progress) -> None:
        if not isinstance(state.error, Stopped) and (state.error or not shown.live):
            shown.say(str(state))
        if shown.live:
            shown.step(state.done, f"sweep: {state.point.world} {state.point.scenario} {state.point.close}")

    with (
        Stop.on_interrupt() as stop,
        executors.open_executor(given.executor, given.workers) as executor,
        shown,
    ):
        shown.begin("sweep", sum(1 for _ in grid.points()))
        remote = given.executor is not None  # a worker elsewhere sees no Ctrl-C, and has a load of its own
        measured = measure_point if remote else functools.partial(measure_point, stop=stop, load=load)
        try:
            outcome = run(
                grid, given.out, executor, measured, progress=say, ended=lambda: remote and stop.requested
            )
        except OSError:
            stop.request()  # what is under way could not be written either
            raise
    stopped = [error for _, error in outcome.failed if isinstance(error, Stopped)]
    failed = len(outcome.failed) - len(stopped)
    print(
        f"sweep: {outcome.ran} points run, {outcome.skipped} were measured before"
        + (f", {failed} failed" if failed else "")
        + (f", {len(stopped)} not finished" if stopped else "")
    )
    print(f"results: {given.out.resolve()}")
    met = requirements.check_points(given, files(grid, given.out))
    if stop.requested:
        return EXIT_CODE
    return 0 if met and not outcome.failed else 1


def files(grid: Grid, folder: str | os.PathLike[str]) -> list[pathlib.Path]:
    """Returns the files of the points that are there."""
    paths = (dataset.path_of(folder, point, spec_file.to_toml(point)) for point in grid.points())
    return [path for path in paths if path.exists()]


def _with_workload(grid: Grid) -> Grid:
    """Returns the grid, with generated payloads where ddtrace can't run: points' files say what was sent."""
    points = [point for point in grid.points() if point.world != "W0" and point.workload == "real"]
    if not points or compare.with_workload(points[0]).workload == "real":
        return grid
    return grid.with_generated_payloads()
