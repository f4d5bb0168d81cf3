"""A real function under the real tracer, with extensions and without: what arrives, and what it costs.

    runs = function_experiment.run({"thaw": executable, "other": another}, invocations=50)
    print(function_run.table(runs))

Each run is the demonstration function (awslambdaric, ddtrace) in the emulated Lambda, frozen after each
invocation, while the intake closes whatever is idle: once with each extension, once with one that does
nothing, and once with none. What an extension costs is the difference. An extension is any executable; one
that takes a tracer's data at port 8126 and obeys DD_APM_DD_URL delivers to the intake.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import pathlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from thaw.lab import arguments, needs, own_network
from thaw.lab.emulator import Lambda, functions
from thaw.lab.emulator.invocation import Times
from thaw.lab.emulator.invocation_report import Report
from thaw.lab.emulator.opt_folder import NO_OPT_FOLDER
from thaw.lab.executables import EXTENSION, EXTENSION_PORTS, named_extension
from thaw.lab.executables import extension as find_extension
from thaw.lab.experiment import ExperimentError
from thaw.lab.experiments.numbered import number_of_line, numbers_of_lines, samples_by_number
from thaw.lab.intake import Intake
from thaw.lab.intake.script import CLOSE_KINDS, Script
from thaw.lab.report import function_run
from thaw.lab.report.function_run import CONTROL, NONE, Fates, FunctionRun, InvocationRow

INVOCATIONS = 60
# The traced handler's spans: its own, and one for each item.
_ITEMS = 4
_LOOPBACK_MTU = 65536


@dataclass(frozen=True)
class Load:
    """The function's work besides its traces.

    Attributes:
      lines: log lines that each invocation writes.
      points: points of metrics that each invocation sends to DogStatsD.
    """

    lines: int = 0
    points: int = 0

    def event(self, number: int) -> dict[str, object]:
        """Returns the event of an invocation, counted from 0."""
        event: dict[str, object] = {"number": number, "items": _ITEMS}
        for name, each in (("lines", self.lines), ("points", self.points)):
            if each:
                event[name] = [number * each, (number + 1) * each]
        return event


class FunctionLeftOut(ExperimentError):
    """This machine can't show what a real function does with an extension; the message says why."""


def require_visible_extension(sandbox: Lambda, extension: Sequence[pathlib.Path]) -> None:
    """Raises FunctionLeftOut if the function's tracer can't find its extension.

    Tracers send traces to an agent only where /opt/extensions/datadog-agent exists; without that file every
    span counts as lost, which says nothing about the extension.
    """
    reasons = [note for note in sandbox.notes if note.startswith(NO_OPT_FOLDER)]
    if extension and reasons:
        raise FunctionLeftOut(reasons[0])


async def live(
    name: str,
    extension: Sequence[pathlib.Path],
    invocations: int,
    say: Callable[[str], None],
    load: Load = Load(),
    strategy: str = "end",
) -> FunctionRun:
    """Runs one environment with these extensions, which flush by this strategy. The tracer is on unless it
    would find no agent.
    """
    traced = name not in (CONTROL, NONE)
    run = FunctionRun(name)
    lines: set[int] = set()  # that the extension has taken

    def take(line: str) -> None:
        if (number := number_of_line(line)) is not None:
            lines.add(number)

    with Intake() as intake:
        settings = functions.demo_settings()
        mine = {
            **intake.agent_variables,
            "DD_SERVERLESS_FLUSH_STRATEGY": strategy,
            # A tracer without an agent would log at each invocation that it found none.
            **({} if traced else {"DD_TRACE_ENABLED": "false"}),
            **({"DD_SERVERLESS_LOGS_ENABLED": "true"} if load.lines else {}),
        }
        settings = replace(settings, environment={**settings.environment, **mine})
        async with Lambda(extension=extension, settings=settings, on_line_taken=take) as sandbox:
            require_visible_extension(sandbox, extension)
            first_ns = 0
            for number in range(invocations):
                kind = CLOSE_KINDS[number % len(CLOSE_KINDS)]
                intake.script(Script(idle_close=kind, idle_after=0.001))
                invocation = await sandbox.invoke(load.event(number))
                if invocation.status != "success":
                    raise ExperimentError(f"invocation {number} with {name}: {invocation.error_type}")
                first_ns = first_ns or invocation.times.begin_ns
                run.rows.append(_row(name, number, invocation.times, sandbox.reports[-1], first_ns))
                if (number + 1) % 20 == 0:
                    say(f"{name}: {number + 1} of {invocations} invocations")
            end = await sandbox.shutdown("spindown")
            if sandbox.startups:
                run.startup_ms = sandbox.startups[0].wall_ms
            if end is not None and end.extensions:
                run.shutdown_ms = end.extensions[0].took_ms
        if traced:
            _count_arrivals(run, intake, invocations, load, lines)
        run.counts = intake.counts()
    return run


def _row(name: str, number: int, times: Times, report: Report, first_ns: int) -> InvocationRow:
    """Returns the row of one invocation; `first_ns` is when the first one began."""
    return InvocationRow(
        name,
        number,
        (times.begin_ns - first_ns) / 1e6,
        (times.answered_ns - times.begin_ns) / 1e6,
        (times.end_ns - times.answered_ns) / 1e6,
        report.billed_ms,
        report.frozen_before_ms,
    )


def _count_arrivals(run: FunctionRun, intake: Intake, invocations: int, load: Load, lines: set[int]) -> None:
    """Notes how often each span, line and point arrived; `lines` are those that the extension took."""
    times_of = intake.spans()
    run.spans = invocations * (1 + _ITEMS)
    run.once = sum(times == 1 for times in times_of.values())
    run.twice = sum(times > 1 for times in times_of.values())
    if load.lines:
        run.lines = Fates.of(lines, numbers_of_lines(intake.lines()))
    if load.points:
        numbers = range(invocations * load.points)
        run.points = Fates.of(numbers, samples_by_number(intake.all_points()))


def enter_own_network() -> None:
    """Moves this process to a network of its own, where that is allowed: the extension's ports are fixed."""
    with contextlib.suppress(OSError):
        own_network.enter(_LOOPBACK_MTU)


def run(
    extensions: Mapping[str, pathlib.Path] | None = None,
    invocations: int = INVOCATIONS,
    say: Callable[[str], None] = lambda _line: None,
    load: Load = Load(),
    strategies: Sequence[str] = ("end",),
) -> list[FunctionRun]:
    """Runs the function with each of the extensions, with one that does nothing, and with none.

    Args:
      extensions: executables by their names; by default thaw's, as the checkout has it.
      load: what the function does beside its traces; by default nothing.
      strategies: values of DD_SERVERLESS_FLUSH_STRATEGY, with each of which each extension is run. Where
        there are several, they are part of the runs' names: `thaw, end`.

    The extensions' ports are fixed; where that is allowed, everything lives in a network of its own (this
    process does, from then on). ValueError: one of them is taken, or an executable can't be used.
    FunctionLeftOut: the tracer can't find an extension here. ExperimentError: an invocation failed.
    """
    named = {"thaw": EXTENSION} if extensions is None else dict(extensions)
    for executable in named.values():
        find_extension(str(executable))
    enter_own_network()
    own_network.require_free(EXTENSION_PORTS)
    with tempfile.TemporaryDirectory(prefix="thaw-function-") as folder:
        control = pathlib.Path(folder) / "control"
        text = (pathlib.Path(functions.__file__).parent / "control.py").read_text()
        control.write_text(text.replace("#!/usr/bin/env python3", f"#!{sys.executable} -SE", 1))
        control.chmod(0o755)
        agents = {name: _as_agent(file, pathlib.Path(folder) / name) for name, file in named.items()}
        wanted = [
            (name if len(strategies) == 1 else f"{name}, {strategy}", [agent], strategy)
            for name, agent in agents.items()
            for strategy in strategies
        ]
        wanted += [(CONTROL, [control], "end"), (NONE, [], "end")]
        return [
            asyncio.run(live(name, each, invocations, say, load, strategy)) for name, each, strategy in wanted
        ]


def _as_agent(executable: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Copies an executable into a folder, under the name by which tracers look for their agent."""
    folder.mkdir()
    agent = folder / "datadog-agent"
    shutil.copy2(executable, agent)
    os.chmod(agent, 0o755)
    return agent


# The work of the command's function by default.
_LOAD = Load(lines=5, points=5)
_POINTS = "points of metrics that each invocation sends to DogStatsD"


# -- The command -------------------------------------------------------------------------------------------


def add_extension_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--extension",
        type=arguments.checked(named_extension),
        action="append",
        metavar="[NAME=]FILE",
        help="an extension's executable; several, with names, stand side by side (default: the one in the "
        "checkout's bazel-bin, as thaw)",
    )


def extensions_of(given: list[tuple[str, pathlib.Path]] | None) -> dict[str, pathlib.Path]:
    """Returns the extensions of the command line by their names. ValueError: two have the same name."""
    named: dict[str, pathlib.Path] = {}
    for name, file in given or [("thaw", EXTENSION)]:
        if name in (CONTROL, NONE):
            raise ValueError(f"an extension can't be called {name}: that is the experiment's own")
        if name in named:
            raise ValueError(f"two extensions are called {name}; --extension NAME=FILE names one")
        named[name] = file
    return named


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command `function`."""
    add_extension_argument(parser)
    parser.add_argument(
        "--invocations",
        type=arguments.integer(2, 1_000_000),
        default=INVOCATIONS,
        metavar="N",
        help="invocations with each extension (default: %(default)s)",
    )
    for kind, what in (("lines", "log lines that each invocation writes"), ("points", _POINTS)):
        parser.add_argument(
            f"--{kind}",
            type=arguments.integer(0, 1000),
            default=getattr(_LOAD, kind),
            metavar="N",
            help=f"{what} (default: %(default)s)",
        )
    parser.add_argument(
        "--rows",
        type=arguments.output_file,
        metavar="FILE",
        help="writes a row for each invocation into this file, as Parquet",
    )
    parser.set_defaults(run=_run_command)


def _run_command(given: argparse.Namespace) -> int:
    needs.require(needs.DEMONSTRATION, "the real function")
    named = extensions_of(given.extension)
    load = Load(given.lines, given.points)
    runs = run(named, given.invocations, lambda line: print(line, file=sys.stderr, flush=True), load)
    print(function_run.table(runs))
    if given.rows is not None:
        function_run.write(given.rows, runs)
    return 0
