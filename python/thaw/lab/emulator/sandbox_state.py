"""The state of one execution environment: its processes, its records, and the waits of its phases.

`phases` has the operations on an environment; `sandbox.Sandbox` joins state and phases.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import json
import pathlib
import re
import secrets
import signal
from collections.abc import Callable, Sequence
from typing import Any

from thaw.lab.emulator import telemetry_records
from thaw.lab.emulator.environment import Environment
from thaw.lab.emulator.environment_groups import EnvironmentGroups
from thaw.lab.emulator.errors import EmulatorError, SandboxFailure
from thaw.lab.emulator.extensions_api import Extension, ExtensionsApi
from thaw.lab.emulator.history import History, Startup
from thaw.lab.emulator.invocation import Invocation
from thaw.lab.emulator.opt_folder import OptFolder
from thaw.lab.emulator.processes import Launcher, Process
from thaw.lab.emulator.runtime_api import RuntimeApi
from thaw.lab.emulator.settings import Settings
from thaw.lab.emulator.telemetry import Telemetry
from thaw.lab.emulator.telemetry_records import Stream
from thaw.lab.emulator.timestamps import ms_between
from thaw.lab.freezer import Freezer, NoFreezer, SignalFreezer


class State(enum.Enum):
    NEW = "new"
    INITIALIZING = "initializing"
    READY = "ready"
    FROZEN = "frozen"
    INVOKING = "invoking"
    SHUTTING_DOWN = "shutting down"
    GONE = "gone"


class SandboxState:
    """The state that the phases of an environment share; at first the environment has not begun.

    Args:
      settings: the function's settings.
      function: the command that is the runtime.
      extensions: files to start as extensions.
      environment: the variables of its processes.
      telemetry: the subscriptions that get its records; closed at the end.
      launcher: the process that starts its processes.
      opt: the folder that its processes see as /opt, if not the machine's own.
      history: the record to which freezes, startups and ends are added.
      log: called with each line that a process writes, and each of the platform's, and with the invocation
        that it belongs to if that is known.
    """

    def __init__(
        self,
        settings: Settings,
        function: Sequence[str],
        extensions: Sequence[pathlib.Path],
        *,
        environment: Environment,
        telemetry: Telemetry,
        launcher: Launcher,
        opt: OptFolder | None,
        history: History,
        log: Callable[[Stream, str, Invocation | None], None],
    ) -> None:
        self.settings = settings
        self.state = State.NEW
        self.telemetry = telemetry
        self.environment = environment
        self.extensions = ExtensionsApi(
            settings,
            [path.name for path in extensions],
            changed=self._notify,
            on_next=self._on_extension_next,
            on_failure=self.fail,
        )
        self.runtime = RuntimeApi(
            settings, changed=self._notify, on_ready=self._on_runtime_ready, on_failure=self.fail
        )
        self.invocation: Invocation | None = None  # the one that is under way; not on managed instances
        self.function, self.extension_files, self._opt = list(function), list(extensions), opt
        self._launcher = launcher
        self.history, self._log_line = history, log
        self.processes: dict[str, Process] = {}
        self.runtime_process: Process | None = None
        self._failure: SandboxFailure | None = None
        self.restored = False
        self._changed = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self._instance = secrets.token_hex(16)
        self.freeze_begin_ns = self.frozen_ns = 0
        freezes = settings.freeze_by != "nothing" and not settings.is_managed_instance
        self.groups = EnvironmentGroups.make(
            freezer=freezes and settings.freeze_by != "signals",
            limits=settings.limits,
            memory_mb=settings.memory_mb,
        )
        self.freezer = self._choose_freezer(freezes)

    @property
    def notes(self) -> list[str]:
        """Returns a line for each setting that this machine does not allow, with the reason."""
        return self.groups.notes

    @property
    def failure(self) -> SandboxFailure | None:
        return self._failure

    @property
    def is_snapshot(self) -> bool:
        """Returns whether the environment has to be restored before it can be used."""
        return self.settings.initialization_type == "snap-start" and not self.restored

    def process(self, name: str) -> Process:
        """Returns the process of an extension, by its name, or of "runtime"."""
        return self.processes[name]

    def about_the_environment(self) -> dict[str, Any]:
        """Returns the members that records on an initialization or a restore have in common."""
        settings = self.settings
        return {
            "runtimeVersion": _runtime_version(settings.runtime),
            "runtimeVersionArn": f"arn:aws:lambda:{settings.region}::runtime:{self._instance}",
            "functionName": settings.name,
            "functionVersion": settings.version,
            "instanceId": self._instance,
            "instanceMaxMemory": settings.memory_mb,
        }

    # -- Processes

    async def start(
        self, name: str, command: Sequence[str], variables: dict[str, str], source: Stream
    ) -> Process:
        """Starts a program of the environment."""
        process = self.processes[name] = await self._launcher.start(
            name,
            command,
            environment=variables,
            folder=self.settings.folder,
            joins=self.groups.joined_by,
            opt=self._opt,
            files_over=self.settings.files_over,
            on_line=lambda line: self._on_line(source, line),
            on_exit=self._on_exit,
        )
        # A fast extension asks for its first event before the launcher tells of its start.
        extension = self.extensions.find(name)
        if extension is not None and extension.first_next_ns:
            self._note_startup(extension)
        return process

    def peak_memory_mb(self) -> int:
        """Returns the peak of memory, by the memory cgroup or else by the processes' own counts."""
        peak = self.groups.peak_memory_bytes()
        if peak is None:
            usages = [process.usage() for process in self.processes.values()]
            peak = sum(usage.peak_resident_bytes for usage in usages if usage is not None)
        return -(-peak >> 20)

    # -- Records of the environment

    def log(self, source: Stream, line: str, invocation: Invocation | None = None) -> None:
        self._log_line(source, line, invocation or self.invocation)

    def tell_runtime_done(self, invocation: Invocation, end_ns: int) -> None:
        """Reports the end of the runtime's part of an invocation, in telemetry and in the log."""

        def delivered(when_ns: int) -> None:
            invocation.times.runtime_done_delivered_ns = invocation.times.runtime_done_delivered_ns or when_ns

        times = invocation.times
        self.telemetry.emit(
            "platform.runtimeDone",
            telemetry_records.without_none(
                requestId=invocation.request_id,
                status=invocation.status,
                errorType=invocation.error_type,
                metrics={
                    "durationMs": ms_between(times.begin_ns, end_ns),
                    "producedBytes": len(invocation.payload),
                },
                spans=telemetry_records.spans_of(invocation) if times.answered_ns else None,
                tracing=telemetry_records.tracing(invocation.trace_header),
            ),
            delivered,
        )
        self.log("platform", f"END RequestId: {invocation.request_id}", invocation)

    # -- Callbacks

    def _on_extension_next(self, extension: Extension) -> None:
        if self.invocation is not None:
            self.invocation.times.extensions_next_ns[extension.name] = extension.last_next_ns
        elif extension.first_next_ns == extension.last_next_ns and extension.name in self.processes:
            self._note_startup(extension)

    def _note_startup(self, extension: Extension) -> None:
        process = self.processes[extension.name]
        startup = Startup(extension.name, process.exec_ns, extension.first_next_ns, process.usage())
        self.history.startups.append(startup)

    def _on_runtime_ready(self, before: Invocation | None) -> None:
        if before is not None:
            self.tell_runtime_done(before, before.times.runtime_next_ns)
        self.extensions.close_registration()

    def _on_line(self, source: Stream, line: str) -> None:
        record: object = line
        if self.settings.log_format == "JSON":
            with contextlib.suppress(ValueError, RecursionError):
                decoded = json.loads(line)
                record = decoded if isinstance(decoded, dict) else line
        taken = self.history.on_line_taken
        if taken is None or source != "function":
            self.telemetry.emit(source, record)
        else:
            self.telemetry.emit(source, record, lambda _time: taken(line))
        self.log(source, line)

    def _on_exit(self, process: Process) -> None:
        if self.state not in (State.SHUTTING_DOWN, State.GONE):
            if process is not self.runtime_process:
                self.fail(SandboxFailure("Extension.Crash", f"{process.name}: {_exit_text(process)}"))
            elif process.exit_code == -signal.SIGKILL and self.groups.out_of_memory_kills():
                self.fail(SandboxFailure("Runtime.OutOfMemory", "Runtime exited with error: signal: killed"))
            else:
                text = f"Runtime exited with error: {_exit_text(process)}"
                self.fail(SandboxFailure("Runtime.ExitError", text))
        self._notify()

    def fail(self, failure: SandboxFailure) -> None:
        """Records why the environment can't go on; the first reason counts."""
        self._failure = self._failure or failure
        self._notify()

    def check_alive(self) -> None:
        """Raises SandboxFailure if something has failed."""
        if self._failure is not None:
            raise self._failure

    # -- Waiting

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, done: Callable[[], bool], deadline: float) -> None:
        """Waits until `done` holds. Raises SandboxFailure on a failure, or when the time is over."""
        if not await self.wait(lambda: done() or self._failure is not None, deadline):
            raise SandboxFailure("Sandbox.Timedout", "the time is over")
        if not done():
            self.check_alive()

    async def wait(self, done: Callable[[], bool], deadline: float) -> bool:
        """Waits until `done` holds. Returns whether it did before `deadline`, a time of the loop."""
        timer = self.loop.call_at(deadline, self._notify)
        try:
            while not done():
                if self.loop.time() >= timer.when():
                    return False
                await self._changed.wait()
            return True
        finally:
            timer.cancel()

    def _choose_freezer(self, freezes: bool) -> Freezer:
        if not freezes:
            return NoFreezer()
        if self.groups.freezer is not None:
            return self.groups.freezer
        if self.settings.freeze_by == "cgroup":
            raise EmulatorError("; ".join(self.groups.notes))
        return SignalFreezer(lambda: [each.pid for each in self.processes.values() if each.alive])


def _runtime_version(runtime: str) -> str:
    """Returns a runtime's version as Lambda writes it: "python:3.13.v1" of "python3.13"."""
    parts = re.fullmatch(r"([a-z]+)\.?(.*?)(?:\.x)?", runtime)
    return f"{parts[1]}:{parts[2]}.v1" if parts is not None else runtime


def _exit_text(process: Process) -> str:
    assert process.exit_code is not None
    if process.exit_code < 0:
        return f"signal: {(signal.strsignal(-process.exit_code) or 'unknown').lower()}"
    return f"exit status {process.exit_code}"
