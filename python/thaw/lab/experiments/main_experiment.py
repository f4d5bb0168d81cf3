"""The experiment that `tools/lab` runs: every arm against every way in which a freeze meets a connection.

    path = main_experiment.run(comparison, "lab-report")

It prints a table for each part as it ends and writes an HTML report, whose path it returns, with everything
that it is made from beside it: a folder for each part, which `report.read_run` takes.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from thaw.lab import report
from thaw.lab.experiment import Stopped
from thaw.lab.experiments.function_experiment import FunctionLeftOut
from thaw.lab.report import function_run, function_section
from thaw.lab.report.function_run import FunctionRun
from thaw.lab.stop import Stop

ARMS = ("v92", "v93", "v94", "v98", "thaw", "thaw-unshared", "thaw-pooled", "requests", "pycurl")
CYCLES = 34  # in each block, about 200 in all
BLOCKS = 6
REPORT_FILE = "report.html"
INVOCATIONS_FILE = "invocations.parquet"


@dataclass(frozen=True)
class Part:
    """One experiment: when the client is frozen, and how the peer ends the connection meanwhile."""

    scenario: str
    close: str
    arms: Sequence[str] = ARMS
    cycles: int = CYCLES
    seed: int = 1
    world: str = "W1"

    @property
    def name(self) -> str:
        return f"{self.world}-{self.scenario}-{self.close}"


def parts(arms: Sequence[str] = ARMS, cycles: int = CYCLES, seed: int = 1) -> list[Part]:
    """Returns the parts, in their order."""
    return [
        Part("idle", "silent", arms, cycles, seed),
        Part("idle", "race", arms, cycles, seed),
        Part("inflight", "rst", arms, cycles, seed),
    ]


def run(
    comparison: Callable[[Part], report.Run],
    folder: str | os.PathLike[str],
    experiments: Sequence[Part] | None = None,
    *,
    function: Callable[[], Sequence[FunctionRun]] | None = None,
    say: Callable[[str], None] = print,
    stop: Stop | None = None,
) -> pathlib.Path:
    """Runs each part with `comparison` and returns the path of the report.

    Args:
      comparison: runs one part.
      function: runs a real function with the extension, and without.
      folder: the folder for all files; created if it does not exist.
      experiments: other parts than `parts()`.
      say: is given the text to print, tables and all.
      stop: ends it early: the report is on what was finished.

    Raises Stopped if nothing was finished.
    """
    todo = parts() if experiments is None else list(experiments)
    base = pathlib.Path(folder)
    runs = []
    asked = stop or Stop()
    for number, part in enumerate(todo, start=1):
        if asked.requested:
            break
        say(f"part {number} of {len(todo)}: {part.scenario}, {part.close}, {part.cycles} freezes of each arm")
        try:
            run_of_part = comparison(part)
        except Stopped:
            break
        report.save_run(base / part.name, run_of_part)
        runs.append(run_of_part)
        say("\n" + report.terminal_table(run_of_part.result))
    if not runs:
        raise Stopped("stopped before anything was finished")
    sections = []
    if function is not None and not asked.requested:
        say("and a real function, with the extension and without")
        try:
            function_runs = list(function())
        except FunctionLeftOut as reason:
            say(f"the real function is left out: {reason}")
        else:
            function_run.write(base / INVOCATIONS_FILE, function_runs)
            sections.append(function_section.section(function_runs))
            say("\n" + function_run.table(function_runs))
    path = base / REPORT_FILE
    report.write_report(runs, path, sections)
    say(f"report: {path.resolve()}")
    return path
