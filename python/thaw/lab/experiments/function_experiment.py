"""A real function under the real tracer, with the extension and without: what arrives, and what it costs.

    runs = function_experiment.run(executable, invocations=50)
    print(function_run.table(runs))

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
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace

from thaw.lab import own_network
from thaw.lab.emulator import Lambda, functions
from thaw.lab.emulator.opt_folder import NO_OPT_FOLDER
from thaw.lab.executables import EXTENSION, EXTENSION_PORTS
from thaw.lab.executables import extension as find_extension
from thaw.lab.experiment import ExperimentError
from thaw.lab.intake import Intake
from thaw.lab.intake.script import CLOSE_KINDS, Script
from thaw.lab.report.function_run import FunctionRun, InvocationRow

INVOCATIONS = 60
# The traced handler's spans: its own, and one for each item.
_ITEMS = 4
_LOOPBACK_MTU = 65536


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
) -> FunctionRun:
    """Runs one environment with these extensions."""
    run = FunctionRun(name)
    with Intake() as intake:
        settings = functions.demo_settings()
        mine = {
            **intake.agent_variables,
            "DD_SERVERLESS_FLUSH_STRATEGY": "end",
            # A tracer without an agent would log at each invocation that it found none.
            **({} if name == "thaw" else {"DD_TRACE_ENABLED": "false"}),
        }
        settings = replace(settings, environment={**settings.environment, **mine})
        async with Lambda(extension=extension, settings=settings) as sandbox:
            require_visible_extension(sandbox, extension)
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
    """Moves this process to a network of its own, where that is allowed: the extension's ports are fixed."""
    with contextlib.suppress(OSError):
        own_network.enter(_LOOPBACK_MTU)


def run(
    executable: pathlib.Path = EXTENSION,
    invocations: int = INVOCATIONS,
    say: Callable[[str], None] = lambda _line: None,
) -> list[FunctionRun]:
    """Runs the function with thaw, with an extension that does nothing, and with none.

    The extension's ports are fixed; where that is allowed, everything lives in a network of its own (this
    process does, from then on). ValueError: one of them is taken. FunctionLeftOut: the tracer can't find an
    extension on this machine. ExperimentError: an invocation failed.
    """
    find_extension(str(executable))
    enter_own_network()
    own_network.require_free(EXTENSION_PORTS)
    with tempfile.TemporaryDirectory(prefix="thaw-function-") as folder:
        control = pathlib.Path(folder) / "control"
        text = (pathlib.Path(functions.__file__).parent / "control.py").read_text()
        control.write_text(text.replace("#!/usr/bin/env python3", f"#!{sys.executable} -SE", 1))
        control.chmod(0o755)
        # Tracers look for their agent by this name.
        agent = pathlib.Path(folder) / "datadog-agent"
        shutil.copy2(executable, agent)
        os.chmod(agent, 0o755)
        return [
            asyncio.run(live(name, files, invocations, say))
            for name, files in (("thaw", [agent]), ("control", [control]), ("none", []))
        ]
