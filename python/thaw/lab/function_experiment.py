"""A real function under the real tracer, with the extension and without: what arrives, and what it costs.

    runs = function_experiment.run(executable, invocations=50)
    print(function_experiment.table(runs))

Each run is the demonstration function (awslambdaric, ddtrace) in the emulated Lambda, frozen after each
invocation, while the intake closes whatever is idle: once with thaw's extension, once with one that does
nothing, and once with none. What the extension costs is the difference.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from thaw.lab import own_network
from thaw.lab.aligned import aligned
from thaw.lab.behaviour import CLOSE_KINDS, Script
from thaw.lab.emulator import Lambda, functions
from thaw.lab.executables import EXTENSION, EXTENSION_PORTS
from thaw.lab.executables import extension as find_extension
from thaw.lab.experiment import ExperimentError
from thaw.lab.intake import Intake

INVOCATIONS = 60
# The traced handler's spans: its own, and one for each item.
_ITEMS = 4
_LOOPBACK_MTU = 65536


@dataclass(frozen=True)
class InvocationRow:
    """One invocation; milliseconds.

    Attributes:
      extension: thaw, control or none.
      number: counted from 0.
      begin_ms: since the first one began.
      answer_ms: from its begin to the function's response.
      post_runtime_ms: from the response to the end of the invocation.
      billed_ms: what Lambda would bill.
      frozen_before_ms: how long everything stood still before it.
    """

    extension: str
    number: int
    begin_ms: float
    answer_ms: float
    post_runtime_ms: float
    billed_ms: int
    frozen_before_ms: float


@dataclass
class FunctionRun:
    """One life of an environment.

    Attributes:
      extension: thaw, control or none.
      startup_ms: of the extension, from exec to its first /event/next; None without one.
      shutdown_ms: of the extension, from SHUTDOWN to its exit.
      spans: that the function made.
      once, twice, lost: what became of them.
      counts: what the intake counted: connections and handshakes.
    """

    extension: str
    startup_ms: float | None = None
    shutdown_ms: float | None = None
    spans: int = 0
    once: int = 0
    twice: int = 0
    rows: list[InvocationRow] = field(default_factory=list)
    counts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def lost(self) -> int:
        return self.spans - self.once - self.twice

    @property
    def post_runtime_ms(self) -> list[float]:
        return [row.post_runtime_ms for row in self.rows]


async def live(
    name: str,
    extension: Sequence[pathlib.Path],
    invocations: int,
    say: Callable[[str], None],
) -> FunctionRun:
    """One run."""
    run = FunctionRun(name)
    with Intake() as intake:
        settings = functions.demo_settings()
        mine = {
            **intake.agent_variables,
            "DD_SERVERLESS_FLUSH_STRATEGY": "end",
            # Without an agent the tracer would say at each invocation that there is none.
            **({} if name == "thaw" else {"DD_TRACE_ENABLED": "false"}),
        }
        settings = replace(settings, environment={**settings.environment, **mine})
        async with Lambda(extension=extension, settings=settings) as sandbox:
            first_ns = 0
            for number in range(invocations):
                kind = CLOSE_KINDS[number % len(CLOSE_KINDS)]
                intake.script(Script(idle_close=kind, idle_after=0.001))
                invocation = await sandbox.invoke({"number": number, "items": _ITEMS})
                if invocation.status != "success":
                    raise ExperimentError(f"invocation {number} with {name}: {invocation.error_type}")
                times, report = invocation.times, sandbox.reports[-1]
                first_ns = first_ns or times.begin_ns
                run.rows.append(
                    InvocationRow(
                        name,
                        number,
                        (times.begin_ns - first_ns) / 1e6,
                        (times.answered_ns - times.begin_ns) / 1e6,
                        (times.end_ns - times.answered_ns) / 1e6,
                        report.billed_ms,
                        report.frozen_before_ms,
                    )
                )
                if (number + 1) % 20 == 0:
                    say(f"{name}: {number + 1} of {invocations} invocations")
            end = await sandbox.shutdown("spindown")
            if sandbox.startups:
                run.startup_ms = sandbox.startups[0].wall_ms
            if end is not None and end.extensions:
                run.shutdown_ms = end.extensions[0].took_ms
        if name == "thaw":
            times_of = intake.spans()
            run.spans = invocations * (1 + _ITEMS)
            run.once = sum(times == 1 for times in times_of.values())
            run.twice = sum(times > 1 for times in times_of.values())
        run.counts = intake.counts()
    return run


def enter_own_network() -> None:
    """From now on this process has a network of its own, where that is allowed: the extension's ports are
    fixed.
    """
    with contextlib.suppress(OSError):
        own_network.enter(_LOOPBACK_MTU)


def run(
    executable: pathlib.Path = EXTENSION,
    invocations: int = INVOCATIONS,
    say: Callable[[str], None] = lambda _line: None,
) -> list[FunctionRun]:
    """The runs: with thaw, with an extension that does nothing, and with none.

    The extension's ports are fixed; where that is allowed, everything lives in a network of its own (this
    process does, from then on). ValueError: one of them is taken. ExperimentError: an invocation failed.
    """
    find_extension(str(executable))
    enter_own_network()
    own_network.require_free(EXTENSION_PORTS)
    with tempfile.TemporaryDirectory(prefix="thaw-function-") as folder:
        control = pathlib.Path(folder) / "control"
        text = (pathlib.Path(functions.__file__).parent / "control.py").read_text()
        control.write_text(text.replace("#!/usr/bin/env python3", f"#!{sys.executable} -SE", 1))
        control.chmod(0o755)
        # By the name under which tracers look for it.
        agent = pathlib.Path(folder) / "datadog-agent"
        shutil.copy2(executable, agent)
        os.chmod(agent, 0o755)
        return [
            asyncio.run(live(name, files, invocations, say))
            for name, files in (("thaw", [agent]), ("control", [control]), ("none", []))
        ]


# -- In words ----------------------------------------------------------------------------------------------

TITLES = (
    "extension",
    "spans once",
    "lost",
    "twice",
    "connections",
    "full handshakes",
    "resumed",
    "start-up ms",
    "after the response ms p50 / p99",
    "billed ms p50",
    "SHUTDOWN to exit ms",
)


def cells(run: FunctionRun) -> list[str]:
    """A row for TITLES."""

    def milliseconds(value: float | None) -> str:
        return "–" if value is None else f"{value:.1f}"

    ends = sorted(run.post_runtime_ms)
    p99 = ends[min(len(ends) - 1, int(len(ends) * 0.99))]
    delivered = ["–", "–", "–", "–", "–", "–"]
    if run.spans:
        counts = run.counts
        delivered = [
            f"{run.once:,} of {run.spans:,}",
            f"{run.lost:,}",
            f"{run.twice:,}",
            *(f"{counts[name]:,}" for name in ("accepted", "handshakes_full", "handshakes_resumed")),
        ]
    return [
        run.extension,
        *delivered,
        milliseconds(run.startup_ms),
        f"{statistics.median(ends):.1f} / {p99:.1f}",
        f"{statistics.median(row.billed_ms for row in run.rows):.0f}",
        milliseconds(run.shutdown_ms),
    ]


def table(runs: Sequence[FunctionRun]) -> str:
    """For a terminal."""
    return "\n".join(aligned([list(TITLES), *map(cells, runs)]))
