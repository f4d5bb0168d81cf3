"""The command `losses`: ten thousand freezes of thaw's arm, and the fates of its payloads."""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import functools
import pathlib
import sys
import time
from collections.abc import Iterable, Sequence

from thaw.lab import arguments
from thaw.lab.aligned import aligned
from thaw.lab.comparison import Losses
from thaw.lab.experiment import ExperimentSettings, Stopped, WorldMissing
from thaw.lab.experiments import spec_file, sweep
from thaw.lab.experiments.grid import Grid
from thaw.lab.report import dataset
from thaw.lab.report.dataset import PointRow
from thaw.lab.stop import EXIT_CODE, Stop

HELP = "freezes thaw's client ten thousand times in every real world, and counts what it loses"
DESCRIPTION = (
    "Runs the arm thaw through 10,016 freezes: in worlds W1, W2, W3a and W3b, between flushes and in the\n"
    "middle of an exchange, with every way in which connections end. The intake can be reached at the end,\n"
    "so that every payload has to arrive, and each that arrives twice has to be flagged. All of it takes\n"
    "about an hour on two idle processors. Ctrl-C keeps finished points, and the same command goes on.\n"
    "\n"
    "Exit codes: 0: all arrived, in what was measured now and in what the folder had; 1: a point broke a\n"
    "promise, or failed, and is named; 2: this machine can't show any of the worlds; 130: Ctrl-C."
)
EPILOG = (
    "examples:\n"
    "  python -m thaw.lab losses\n"
    "  python -m thaw.lab losses --worlds W1,W2 --share 0.1     a tenth of the freezes of two worlds"
)
SPECS = pathlib.Path(__file__).parent / "specs"
WORLDS = ("W1", "W2", "W3a", "W3b")
# Fewer would not meet each phase of an exchange, of which worlds with a line have nine.
_LEAST_CYCLES = 9


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    option = parser.add_argument
    arguments.add_results(parser, pathlib.Path("losses-results"))
    option(
        "--worlds",
        type=arguments.several_of(WORLDS, "world"),
        default=WORLDS,
        metavar="A,B",
        help=f"the worlds, some of {', '.join(WORLDS)} (default: all)",
    )
    option(
        "--share",
        type=arguments.checked(_share),
        default=1.0,
        metavar="X",
        help="the share of each spec's freezes that is run, above 0 and up to 1 (default: %(default)g)",
    )
    parser.set_defaults(run=run_command)


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1:
        raise ValueError(f"{text} is not above 0 and up to 1")
    return value


def grids(worlds: Iterable[str] = WORLDS, share: float = 1.0) -> list[Grid]:
    """Returns the grids of these worlds, with a share of their cycles. ValueError: a spec is wrong."""
    made = []
    for path in sorted(SPECS.glob("*.toml")):
        grid = spec_file.read(path)
        cycles = min(grid.base.cycles, max(_LEAST_CYCLES, round(grid.base.cycles * share)))
        if grid.base.world in worlds:
            made.append(dataclasses.replace(grid, base=dataclasses.replace(grid.base, cycles=cycles)))
    return made


def run_command(given: argparse.Namespace) -> int:
    """Runs the command. Returns the exit code that `DESCRIPTION` describes."""
    wanted = grids(given.worlds, given.share)
    points = [point for grid in wanted for point in grid.points()]
    cycles = sum(point.cycles for point in points)
    print(f"losses: {cycles:,} freezes at {len(points)} points", file=sys.stderr, flush=True)
    failed: list[tuple[ExperimentSettings, BaseException]] = []
    begun, done = time.monotonic(), 0

    def say(state: sweep.Progress) -> None:
        nonlocal done
        done += state.point.cycles
        where = f"{state.point.world} {state.point.scenario} {state.point.close}"
        error = f": {type(state.error).__name__}: {state.error}" if state.error else ""
        text = f"losses: {done:,} of {cycles:,} freezes in {time.monotonic() - begun:.0f} s: {where}{error}"
        print(text, file=sys.stderr, flush=True)

    with Stop.on_interrupt() as stop, concurrent.futures.ThreadPoolExecutor(1) as executor:
        measured = functools.partial(sweep.measure_point, stop=stop)
        for grid in wanted:
            if stop.requested:
                break
            try:
                failed += sweep.run(grid, given.results, executor, measured, progress=say).failed
            except OSError:
                stop.request()
                raise
    stored = [file for grid in wanted for file in sweep.files(grid, given.results)]
    rows = dataset.read_files(stored)
    print(table(rows))
    missing = [str(error) for _, error in failed if isinstance(error, WorldMissing)]
    for text in dict.fromkeys(missing):
        print(f"left out: {text}")
    broken = broken_promises(rows)
    for text in broken:
        print(f"BROKEN: {text}")
    if broken or any(not isinstance(error, WorldMissing | Stopped) for _, error in failed):
        return 1
    if stop.requested:
        return EXIT_CODE
    return 0 if rows else 2


def broken_promises(rows: Iterable[PointRow]) -> list[str]:
    """Returns a line for each promise that a row breaks: all payloads arrive, and repeats are flagged."""
    said = []
    for row in rows:
        where = f"{row.world} {row.scenario} {row.close}: arm {row.arm}"
        if absent := row.payloads - row.delivered:
            fates = f"{row.lost} lost, {row.dropped} dropped, {row.retained} kept"
            said.append(f"{where}: {absent} of {row.payloads} payloads did not arrive ({fates})")
        if (unflagged := row.duplicated - row.possible_duplicate) > 0:
            said.append(f"{where}: {unflagged} payloads arrived more than once without being flagged")
    return said


def table(rows: Sequence[PointRow]) -> str:
    """Returns a table of the payloads' fates, by world and scenario, and in all."""
    found: dict[tuple[str, str], list[PointRow]] = {}
    for row in rows:
        found.setdefault((row.world, row.scenario), []).append(row)
    lines = [["world", "closes", "freezes", "payloads", "delivered", "duplicated", "late", "dropped", "lost"]]
    for (world, scenario), some in found.items():
        lines.append(_line(f"{world} {scenario}", some))
    lines.append(_line("all", rows))
    return "\n".join(aligned(lines))


def _line(name: str, rows: Sequence[PointRow]) -> list[str]:
    def total(field: str) -> int:
        return sum(getattr(row, field) or 0 for row in rows)

    counts = [
        f"{total(each):,}" for each in ("cycles", "payloads", "delivered", "duplicated", "late", "dropped")
    ]
    lost = str(Losses(total("lost"), total("payloads"))) if rows else "–"
    return [name, str(len({row.close for row in rows})), *counts, lost]
