"""One execution environment, from its initialization to its end.

    new → initializing → ready ⇄ frozen
                           ⇅
                        invoking           → shutting down → gone

It owns the processes of the function and its extensions, says what each is told and when, and waits for what
they say. Whatever ends an environment early is a `SandboxFailure`: it is raised by whatever waits at that
time, or by what comes next. `service.Lambda` decides what follows.
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
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from thaw.lab.emulator import telemetry_records as records
from thaw.lab.emulator.cgroups import Groups
from thaw.lab.emulator.environment import Environment
from thaw.lab.emulator.errors import EmulatorError, SandboxFailure
from thaw.lab.emulator.extensions_api import Extension, ExtensionsApi
from thaw.lab.emulator.freezer import CgroupFreezer, Freeze, Freezer, NoFreezer, SignalFreezer
from thaw.lab.emulator.invocation import Invocation
from thaw.lab.emulator.opt_folder import OptFolder
from thaw.lab.emulator.processes import Launcher, Process, Usage
from thaw.lab.emulator.runtime_api import RuntimeApi
from thaw.lab.emulator.settings import Settings, ShutdownReason
from thaw.lab.emulator.telemetry import Telemetry
from thaw.lab.emulator.telemetry_records import Stream
from thaw.lab.emulator.timestamps import epoch_ms, iso, ms_between, now_ns

# Seconds that the end may take: with external extensions, with internal ones only, and of the first how many
# the runtime has.
_SHUTDOWN_LIMIT = 2.0
_SHUTDOWN_LIMIT_INTERNAL = 0.5
_RUNTIME_SHUTDOWN_LIMIT = 0.3
_RESTORE_LIMIT = 10.0
_KILL_LIMIT = 5.0

Phase = Literal["init", "invoke"]
_RUNTIME = "runtime"


class State(enum.Enum):
    NEW = "new"
    INITIALIZING = "initializing"
    READY = "ready"
    FROZEN = "frozen"
    INVOKING = "invoking"
    SHUTTING_DOWN = "shutting down"
    GONE = "gone"


@dataclass(frozen=True)
class Startup:
    """How an extension came up. Times are nanoseconds of time.monotonic_ns()."""

    name: str
    exec_ns: int
    first_next_ns: int
    usage: Usage | None  # at that moment

    @property
    def wall_ms(self) -> float:
        """Milliseconds from exec to the first /event/next."""
        return (self.first_next_ns - self.exec_ns) / 1e6


@dataclass(frozen=True)
class ExtensionEnd:
    """How an extension ended. `told_ns` is 0 if it was not told: it hadn't registered for SHUTDOWN, or never
    came to /event/next.
    """

    name: str
    told_ns: int
    exit_ns: int
    exit_code: int
    killed: bool

    @property
    def took_ms(self) -> float:
        """Milliseconds from SHUTDOWN to exit."""
        return (self.exit_ns - self.told_ns) / 1e6


@dataclass(frozen=True)
class Shutdown:
    """The end of an environment."""

    reason: ShutdownReason
    took_ms: float
    extensions: tuple[ExtensionEnd, ...]


@dataclass
class Record:
    """What is kept of all environments of a function, one after the other."""

    freezes: list[Freeze] = field(default_factory=list)
    startups: list[Startup] = field(default_factory=list)
    shutdowns: list[Shutdown] = field(default_factory=list)


class Sandbox:
    """An environment that has not begun.

    Args:
      settings: of the function.
      function: the command that is the runtime.
      extensions: files to start as extensions.
      environment: the variables.
      telemetry: where its records go; closed at the end.
      launcher: what starts its processes.
      opt: what its processes see as /opt, if not the machine's own.
      record: where freezes, startups and ends are added.
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
        record: Record,
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
            on_failure=self._fail,
        )
        self.runtime = RuntimeApi(
            settings, changed=self._notify, on_ready=self._on_runtime_ready, on_failure=self._fail
        )
        self.invocation: Invocation | None = None  # the one that is under way; not on managed instances
        self._function, self._files, self._opt = list(function), list(extensions), opt
        self._launcher = launcher
        self._record, self._log_line = record, log
        self._processes: dict[str, Process] = {}
        self._runtime_process: Process | None = None
        self._failure: SandboxFailure | None = None
        self._restored = False
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._instance = secrets.token_hex(16)
        self._freeze_begin_ns = self._frozen_ns = 0
        freezes = settings.freeze_by != "nothing" and not settings.is_managed_instance
        self._groups = Groups.make(
            freezer=freezes and settings.freeze_by != "signals",
            limits=settings.limits,
            memory_mb=settings.memory_mb,
        )
        self.freezer = self._choose_freezer(freezes)

    @property
    def notes(self) -> list[str]:
        """What was asked for and is not allowed here, and why."""
        return self._groups.notes

    @property
    def failure(self) -> SandboxFailure | None:
        return self._failure

    @property
    def is_snapshot(self) -> bool:
        """Whether it has to be restored before it can be used."""
        return self.settings.initialization_type == "snap-start" and not self._restored

    def process(self, name: str) -> Process:
        """An extension's, or "runtime"."""
        return self._processes[name]

    # -- Initialization

    async def initialize(self, phase: Phase, limit: float) -> float:
        """Starts everything and waits until all are ready. Milliseconds it took. Raises SandboxFailure."""
        begin = now_ns()
        self.state = State.INITIALIZING
        common: dict[str, str] = {
            "initializationType": self.settings.initialization_type,
            "phase": phase,
        }
        about = self._about_the_environment()
        self.telemetry.emit("platform.initStart", {**common, **about})
        self._log("platform", f"INIT_START Runtime Version: {about['runtimeVersion']}")
        failure: SandboxFailure | None = None
        try:
            await self._initialize(common, self._loop.time() + limit)
        except SandboxFailure as error:
            failure = error
        took = ms_between(begin, now_ns())
        for extension in self.extensions.extensions:
            self.telemetry.emit("platform.extension", _about_extension(extension))
        report = records.without_none(**common, **_outcome(failure), metrics={"durationMs": took})
        self.telemetry.emit("platform.initReport", report)
        if failure is not None:
            self._log(
                "platform",
                f"INIT_REPORT Init Duration: {took:.2f} ms\tPhase: {phase}\tStatus: {report['status']}"
                f"\tError Type: {failure.error_type}",
            )
            raise failure
        self.telemetry.end_of_initialization()
        self.state = State.READY
        return took

    async def _initialize(self, common: dict[str, str], deadline: float) -> None:
        for file in self._files:
            await self._start(file.name, [str(file.resolve())], self.environment.of_extensions(), "extension")
        await self._until(lambda: self.extensions.all_launched_registered, deadline)
        self._runtime_process = await self._start(
            _RUNTIME, self._function, self.environment.of_runtime(), "function"
        )
        failure: SandboxFailure | None = None
        try:
            await self._until(
                lambda: self.runtime.has_been_ready or self.runtime.is_waiting_for_restore, deadline
            )
        except SandboxFailure as error:
            failure = error
            raise
        finally:
            done = records.without_none(**common, **_outcome(failure))
            self.telemetry.emit("platform.initRuntimeDone", done)
        self.extensions.close_registration()
        await self._until(lambda: self.extensions.all_ready, deadline)

    async def _start(
        self, name: str, command: Sequence[str], variables: dict[str, str], source: Stream
    ) -> Process:
        process = self._processes[name] = await self._launcher.start(
            name,
            command,
            environment=variables,
            folder=self.settings.folder,
            joins=self._groups.joined_by,
            opt=self._opt,
            files_over=self.settings.files_over,
            on_line=lambda line: self._on_line(source, line),
            on_exit=self._on_exit,
        )
        # A fast extension asks for its first event before its own start is heard of.
        extension = self.extensions.find(name)
        if extension is not None and extension.first_next_ns:
            self._note_startup(extension)
        return process

    def _about_the_environment(self) -> dict[str, Any]:
        settings = self.settings
        return {
            "runtimeVersion": _runtime_version(settings.runtime),
            "runtimeVersionArn": f"arn:aws:lambda:{settings.region}::runtime:{self._instance}",
            "functionName": settings.name,
            "functionVersion": settings.version,
            "instanceId": self._instance,
            "instanceMaxMemory": settings.memory_mb,
        }

    async def restore(self) -> float:
        """Goes on from the snapshot. Milliseconds it took. Raises SandboxFailure."""
        self.resume()
        self._restored = True
        begin = now_ns()
        about = self._about_the_environment()
        self.telemetry.emit("platform.restoreStart", about)
        self._log("platform", f"RESTORE_START Runtime Version: {about['runtimeVersion']}")
        self.runtime.restore()
        failure: SandboxFailure | None = None
        try:
            await self._until(lambda: self.runtime.is_waiting, self._loop.time() + _RESTORE_LIMIT)
        except SandboxFailure as error:
            failure = error
            self._fail(error)
            raise
        finally:
            took = ms_between(begin, now_ns())
            outcome = records.without_none(**_outcome(failure))
            self.telemetry.emit("platform.restoreRuntimeDone", outcome)
            self.telemetry.emit("platform.restoreReport", {**outcome, "metrics": {"durationMs": took}})
            self._log("platform", f"RESTORE_REPORT Restore Duration: {took:.2f} ms")
        return took

    # -- Invocations

    async def invoke(self, invocation: Invocation, limit: float) -> None:
        """Gives it to everybody and waits until all are done. How it ended is in the invocation; an
        environment that can't go on has a `failure`.
        """
        self.resume()
        begin = now_ns()
        invocation.times.begin_ns = invocation.times.begin_ns or begin
        invocation.deadline_ms = epoch_ms(limit)
        tracing = records.tracing(invocation.trace_header)
        self.telemetry.emit(
            "platform.start",
            records.without_none(
                requestId=invocation.request_id,
                version=self.settings.version,
                functionArn=invocation.arn(self.settings.arn),
                tracing=tracing,
            ),
        )
        self._log(
            "platform",
            f"START RequestId: {invocation.request_id} Version: {self.settings.version}",
            invocation,
        )
        managed = self.settings.is_managed_instance
        if not managed:
            self.state = State.INVOKING
            self.invocation = invocation
        try:
            self._check_alive()
            event = records.without_none(
                eventType="INVOKE",
                deadlineMs=invocation.deadline_ms,
                requestId=invocation.request_id,
                invokedFunctionArn=invocation.arn(self.settings.arn),
                tracing=tracing,
            )
            self.extensions.tell_invoke(event)
            self.runtime.give(invocation)
            done = invocation.answered.is_set if managed else self._all_are_done
            await self._until(done, self._loop.time() + limit)
        except SandboxFailure as failure:
            if failure.is_timeout:
                text = f"Task timed out after {self.settings.timeout:.2f} seconds"
                failure = SandboxFailure(failure.error_type, text)
                if not managed:
                    self._fail(failure)
            self.runtime.forget(invocation)
            invocation.fail(failure)
        invocation.times.end_ns = now_ns()
        if not managed and not invocation.times.runtime_next_ns:
            self._tell_runtime_done(invocation, invocation.times.end_ns)
        if not managed:
            self.invocation = None
        if self.state is State.INVOKING:
            self.state = State.READY

    def _all_are_done(self) -> bool:
        return self.runtime.is_waiting and self.extensions.all_ready

    def _check_alive(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _tell_runtime_done(self, invocation: Invocation, end_ns: int) -> None:
        def delivered(when_ns: int) -> None:
            invocation.times.runtime_done_delivered_ns = invocation.times.runtime_done_delivered_ns or when_ns

        times = invocation.times
        self.telemetry.emit(
            "platform.runtimeDone",
            records.without_none(
                requestId=invocation.request_id,
                status=invocation.status,
                errorType=invocation.error_type,
                metrics={
                    "durationMs": ms_between(times.begin_ns, end_ns),
                    "producedBytes": len(invocation.payload),
                },
                spans=spans_of(invocation) if times.answered_ns else None,
                tracing=records.tracing(invocation.trace_header),
            ),
            delivered,
        )
        self._log("platform", f"END RequestId: {invocation.request_id}", invocation)

    # -- Freezing

    def freeze(self) -> None:
        """Returns when everything stands still. EmulatorError if it doesn't."""
        if self.state is not State.READY:
            raise EmulatorError(f"an environment that is {self.state.value} is not frozen")
        self._freeze_begin_ns = now_ns()
        self.telemetry.pause()
        self.freezer.freeze()
        self._frozen_ns = now_ns()
        self.state = State.FROZEN

    def resume(self) -> None:
        """Does nothing if it is not frozen."""
        if self.state is State.FROZEN:
            freeze = Freeze(self._freeze_begin_ns, self._frozen_ns, now_ns())
            self.freezer.resume()
            self._record.freezes.append(freeze)
            self.telemetry.resume()
            self.state = State.READY

    # -- The end

    async def shutdown(self, reason: ShutdownReason) -> Shutdown:
        """Ends the runtime, tells the extensions, and ends what is left when the time is over."""
        self.resume()
        begin = now_ns()
        self.state = State.SHUTTING_DOWN
        self.telemetry.flush()
        known = self.extensions.extensions
        limit = _SHUTDOWN_LIMIT if any(not each.internal for each in known) else 0.0
        limit = limit or (_SHUTDOWN_LIMIT_INTERNAL if known else 0.0)
        deadline = self._loop.time() + limit
        if limit:
            await self._end_runtime(limit)
        told = {each.name for each in known if "SHUTDOWN" in each.events and each.state != "failed"}
        event = {
            "eventType": "SHUTDOWN",
            "deadlineMs": epoch_ms(deadline - self._loop.time()),
            "shutdownReason": reason,
        }
        for extension in known:
            if extension.name in told and self._processes[extension.name].alive:
                self.extensions.tell_shutdown(extension, event)
        for process in self._processes.values():
            if process.name not in told:
                process.kill()
        await self._wait(lambda: not any(each.alive for each in self._processes.values()), deadline)
        killed = {name for name, process in self._processes.items() if process.alive}
        await self._kill_all()
        done = Shutdown(reason, ms_between(begin, now_ns()), tuple(self._ends(killed)))
        self._record.shutdowns.append(done)
        return done

    async def abandon(self) -> None:
        """Ends everything at once: nobody is told."""
        self.resume()
        self.state = State.SHUTTING_DOWN
        self._fail(SandboxFailure("Sandbox.Failure", "the environment is gone"))
        await self._kill_all()

    async def _end_runtime(self, limit: float) -> None:
        runtime = self._runtime_process
        if runtime is not None and runtime.alive:
            runtime.terminate()
            end = self._loop.time() + min(limit, _RUNTIME_SHUTDOWN_LIMIT)
            await self._wait(lambda: not runtime.alive, end)
            runtime.kill()

    async def _kill_all(self) -> None:
        for process in self._processes.values():
            process.kill()
        self._groups.kill()
        gone = [process.gone() for process in self._processes.values()]
        try:
            await asyncio.wait_for(asyncio.gather(*gone), _KILL_LIMIT)
        except TimeoutError:
            raise EmulatorError(f"processes are still there {_KILL_LIMIT:g} s after SIGKILL") from None
        finally:
            self.runtime.close()
            self.extensions.close()
            await self.telemetry.close()
            self._groups.remove()
            self.state = State.GONE

    def _ends(self, killed: Collection[str]) -> Iterator[ExtensionEnd]:
        for name, process in self._processes.items():
            if process is not self._runtime_process:
                extension = self.extensions.find(name)
                told = 0 if extension is None else extension.shutdown_sent_ns
                assert process.exit_code is not None
                yield ExtensionEnd(name, told, process.exit_ns, process.exit_code, name in killed)

    # -- Memory

    def peak_memory_mb(self) -> int:
        """The most that was in use, by the memory cgroup or by what the processes say."""
        peak = self._groups.peak_memory_bytes()
        if peak is None:
            usages = [process.usage() for process in self._processes.values()]
            peak = sum(usage.peak_resident_bytes for usage in usages if usage is not None)
        return -(-peak >> 20)

    # -- What happens meanwhile

    def _on_extension_next(self, extension: Extension) -> None:
        if self.invocation is not None:
            self.invocation.times.extensions_next_ns[extension.name] = extension.last_next_ns
        elif extension.first_next_ns == extension.last_next_ns and extension.name in self._processes:
            self._note_startup(extension)

    def _note_startup(self, extension: Extension) -> None:
        process = self._processes[extension.name]
        startup = Startup(extension.name, process.exec_ns, extension.first_next_ns, process.usage())
        self._record.startups.append(startup)

    def _on_runtime_ready(self, before: Invocation | None) -> None:
        if before is not None:
            self._tell_runtime_done(before, before.times.runtime_next_ns)
        self.extensions.close_registration()

    def _on_line(self, source: Stream, line: str) -> None:
        record: object = line
        if self.settings.log_format == "JSON":
            with contextlib.suppress(ValueError, RecursionError):
                decoded = json.loads(line)
                record = decoded if isinstance(decoded, dict) else line
        self.telemetry.emit(source, record)
        self._log(source, line)

    def _log(self, source: Stream, line: str, invocation: Invocation | None = None) -> None:
        self._log_line(source, line, invocation or self.invocation)

    def _on_exit(self, process: Process) -> None:
        if self.state not in (State.SHUTTING_DOWN, State.GONE):
            if process is not self._runtime_process:
                self._fail(SandboxFailure("Extension.Crash", f"{process.name}: {_exit_text(process)}"))
            elif process.exit_code == -signal.SIGKILL and self._groups.out_of_memory_kills():
                self._fail(SandboxFailure("Runtime.OutOfMemory", "Runtime exited with error: signal: killed"))
            else:
                text = f"Runtime exited with error: {_exit_text(process)}"
                self._fail(SandboxFailure("Runtime.ExitError", text))
        self._notify()

    def _fail(self, failure: SandboxFailure) -> None:
        """The first reason is the one that counts."""
        self._failure = self._failure or failure
        self._notify()

    # -- Waiting

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _until(self, done: Callable[[], bool], deadline: float) -> None:
        """Raises SandboxFailure: something failed before, or the time is over."""
        if not await self._wait(lambda: done() or self._failure is not None, deadline):
            raise SandboxFailure("Sandbox.Timedout", "the time is over")
        if not done():
            self._check_alive()

    async def _wait(self, done: Callable[[], bool], deadline: float) -> bool:
        """Whether it was done in time."""
        timer = self._loop.call_at(deadline, self._notify)
        try:
            while not done():
                if self._loop.time() >= timer.when():
                    return False
                await self._changed.wait()
            return True
        finally:
            timer.cancel()

    def _choose_freezer(self, freezes: bool) -> Freezer:
        if not freezes:
            return NoFreezer()
        if self._groups.can_freeze:
            return CgroupFreezer(self._groups)
        if self.settings.freeze_by == "cgroup":
            raise EmulatorError("; ".join(self._groups.notes))
        return SignalFreezer(lambda: [each.pid for each in self._processes.values() if each.alive])


def spans_of(invocation: Invocation) -> list[dict[str, Any]]:
    """responseLatency, responseDuration and, once the runtime is back, runtimeOverhead."""
    times = invocation.times
    first_byte = times.first_byte_ns or times.answered_ns
    spans = [
        ("responseLatency", times.begin_ns, first_byte),
        ("responseDuration", first_byte, times.answered_ns),
    ]
    if times.runtime_next_ns:
        spans.append(("runtimeOverhead", times.answered_ns, times.runtime_next_ns))
    wall, now = time.time(), now_ns()
    return [
        {"name": name, "start": iso(wall - (now - begin) / 1e9), "durationMs": ms_between(begin, end)}
        for name, begin, end in spans
    ]


def _runtime_version(runtime: str) -> str:
    """A runtime's version as Lambda writes it: "python:3.13.v1" of "python3.13"."""
    parts = re.fullmatch(r"([a-z]+)\.?(.*?)(?:\.x)?", runtime)
    return f"{parts[1]}:{parts[2]}.v1" if parts is not None else runtime


def _outcome(failure: SandboxFailure | None) -> dict[str, str | None]:
    if failure is None:
        return {"status": "success", "errorType": None}
    return {"status": "timeout" if failure.is_timeout else "error", "errorType": failure.error_type}


def _about_extension(extension: Extension) -> dict[str, Any]:
    return records.without_none(
        name=extension.name,
        state=extension.state.capitalize(),
        events=list(extension.events),
        errorType=extension.error_type,
    )


def _exit_text(process: Process) -> str:
    assert process.exit_code is not None
    if process.exit_code < 0:
        return f"signal: {(signal.strsignal(-process.exit_code) or 'unknown').lower()}"
    return f"exit status {process.exit_code}"
