"""Worlds W3: the client is the one program of a machine with a kernel of its own.

W3a     user-mode Linux, stopped from outside while its clocks go on
W3b     QEMU, stopped by its monitor together with its clocks

The machine is at the client's end of a line. Its client is the one of the other worlds.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import pathlib
import signal

from thaw.lab import example_clients, workload
from thaw.lab.arms import Arm
from thaw.lab.experiment import ExperimentSettings
from thaw.lab.line import Line
from thaw.lab.machine import user_mode_linux
from thaw.lab.machine.qemu import Monitor, Qemu
from thaw.lab.worlds.client_process import Child

_FIRST = "."  # the byte that the launcher waits for
# Modules that other projects' clients import when they connect.
_IMPORTED_LATER = {
    "httpx": (
        "anyio._backends._asyncio",
        "anyio.to_thread",
        "httpcore._async.http2",
        "httpcore._backends.anyio",
    )
}


def start(
    ends: contextlib.ExitStack,
    arm: Arm,
    settings: ExperimentSettings,
    line: Line,
    arguments: list[str],
    ca_file: str,
) -> Child:
    """Starts a machine, which boots and then runs the client; `ends` ends it."""
    if settings.world == "W3b":
        return start_qemu(ends, arm, settings, line, arguments, ca_file)[0]
    child = Child(
        user_mode_linux.command(line),
        lambda pid: user_mode_linux.freezer(settings.freezer, pid),
        first=_FIRST,
        once_listening=_start_message(arguments),
        ending=signal.SIGTERM,
        line=line,
    )
    return ends.enter_context(contextlib.closing(child))


def start_qemu(
    ends: contextlib.ExitStack,
    arm: Arm,
    settings: ExperimentSettings,
    line: Line,
    arguments: list[str],
    ca_file: str,
    snapshot: int | None = None,
) -> tuple[Child, Monitor]:
    """Starts an emulated machine, which boots, or goes on from a snapshot; `ends` ends it."""
    machine = ends.enter_context(Qemu(modules_of(arm), (ca_file, *_workload_files(settings)), snapshot))
    child = Child(
        machine.command(line),
        lambda pid: machine.freezer,
        first=_FIRST,
        once_listening=_start_message(arguments),
        ending=signal.SIGTERM,
        descriptors=machine.descriptors,
        line=line,
    )
    return ends.enter_context(contextlib.closing(child)), machine.freezer


def _start_message(arguments: list[str]) -> str:
    """Returns the message to a guest that listens; a serial line echoes, or loses, earlier ones."""
    environment = {"XDG_CACHE_HOME": str(workload.cache_folder())}
    return json.dumps({"arguments": arguments, "environment": environment}) + "\n"


def modules_of(arm: Arm) -> tuple[str, ...]:
    """Returns the modules that an arm's client imports at any time, besides the laboratory's own."""
    if arm.maker == "native":
        return ()
    example = f"{example_clients.__name__}.{pathlib.Path(arm.source[0]).stem}"
    # The module that runs such a client is imported by children that have one.
    return example, "encodings.idna", "thaw.lab.worlds.outside", *_IMPORTED_LATER.get(arm.base, ())


def _workload_files(settings: ExperimentSettings) -> list[str]:
    """Returns the files of recorded payloads, and of the package whose version is in their names; none if
    the payloads of the experiment are generated.
    """
    if settings.workload != "real":
        return []
    workload.captures()  # makes the file if it does not exist
    recorded = workload.cache_folder().glob("thaw-lab/ddtrace-*.json")
    packages = pathlib.Path(str(importlib.metadata.distribution("ddtrace").locate_file("")))
    tracer = packages.glob("ddtrace-*.dist-info/METADATA")
    return [str(path) for path in (*recorded, *tracer)]
