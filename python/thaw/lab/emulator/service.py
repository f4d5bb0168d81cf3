"""A Lambda with one function and at most one environment of it.

    async with Lambda(function=["./bootstrap"], extension="build/my-extension") as sandbox:
        invocation = await sandbox.invoke({"order": 1})
        print(invocation.json(), invocation.report.billed_ms)
        await sandbox.shutdown("spindown")

An invocation that comes while another is under way waits for it, except on managed instances. Everything is
for the thread of the loop in which it was entered.
"""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from thaw.lab.emulator import functions, telemetry_records
from thaw.lab.emulator.api_faults import ApiFaults
from thaw.lab.emulator.environment import Environment
from thaw.lab.emulator.errors import EmulatorError, SandboxFailure
from thaw.lab.emulator.history import Freeze, History, Shutdown, Startup
from thaw.lab.emulator.invocation import Invocation
from thaw.lab.emulator.invocation_report import Report, billed_ms
from thaw.lab.emulator.opt_folder import NO_OPT_FOLDER, OptFolder
from thaw.lab.emulator.phases.initialization import Phase
from thaw.lab.emulator.processes import Launcher
from thaw.lab.emulator.sandbox import Sandbox
from thaw.lab.emulator.sandbox_state import State
from thaw.lab.emulator.settings import Settings, ShutdownReason
from thaw.lab.emulator.telemetry import Delivery, Telemetry, TelemetryFaults
from thaw.lab.emulator.telemetry_records import Stream
from thaw.lab.emulator.timestamps import ms_between, now_ns

Event = bytes | str | Mapping[str, object] | Sequence[object] | int | float | bool | None
"""The event of an invocation: bytes are passed on as they are, anything else as JSON."""


class Lambda:
    """Starts the local APIs when entered; ends everything, with SHUTDOWN, when left.

    Args:
      function: the command that speaks the Runtime API; the demonstration if not given.
      extension: the files to start as extensions, each by its own name.
      settings: the function's settings.
      telemetry_faults: the faults of telemetry; may be changed at any time.
      on_log: called with each line that the function, an extension or the platform writes.
      on_line_taken: called with each line of the function when a subscriber has taken its record.

    Attributes:
      telemetry_faults, api_faults: the faults of telemetry and of the local APIs.
      reports: one for each invocation that is over.
      deliveries: each request with telemetry that was taken.
      notes: the settings that this machine does not allow, with the reasons.
    """

    def __init__(
        self,
        function: Sequence[str] | None = None,
        *,
        extension: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
        settings: Settings | None = None,
        telemetry_faults: TelemetryFaults | None = None,
        on_log: Callable[[Stream, str], None] | None = None,
        on_line_taken: Callable[[str], None] | None = None,
    ) -> None:
        self.settings = settings or (functions.demo_settings() if function is None else Settings())
        self._function = list(function) if function is not None else functions.demo_command(self.settings)
        files = [extension] if isinstance(extension, str | os.PathLike) else list(extension)
        self._extensions = [pathlib.Path(file) for file in files]
        self.telemetry_faults = telemetry_faults or TelemetryFaults()
        self.api_faults = ApiFaults()
        self.reports: list[Report] = []
        self.deliveries: list[Delivery] = []
        self.notes: list[str] = []
        self._history = History(on_line_taken=on_line_taken)
        self._on_log = on_log
        self._sandbox: Sandbox | None = None
        self._launcher: Launcher | None = None
        self._opt: OptFolder | None = None
        # The server is aiohttp's, which takes a second to import; `--help` does not wait for it.
        from thaw.lab.emulator.server import ApiServer

        self._server = ApiServer(lambda: self._sandbox, self.api_faults)
        self._environment: Environment | None = None
        # After a failure the initialization is run again within the next invocation, and so is charged to it.
        self._failed_before = False
        self._init_ms: float | None = None
        self._concurrency = self.settings.max_concurrency if self.settings.is_managed_instance else 1
        self._places = asyncio.Semaphore(self._concurrency)
        self._exclusion = asyncio.Lock()
        self._lifecycle = asyncio.Lock()

    # -- Observations

    @property
    def freeze_log(self) -> list[Freeze]:
        """The freezes that are over."""
        return self._history.freezes

    @property
    def startups(self) -> list[Startup]:
        """Each extension's way to its first /event/next."""
        return self._history.startups

    @property
    def shutdowns(self) -> list[Shutdown]:
        """The end of each environment."""
        return self._history.shutdowns

    @property
    def address(self) -> str:
        """The address of the local APIs, "host:port"."""
        return self._server.address

    @property
    def state(self) -> State:
        return State.GONE if self._sandbox is None else self._sandbox.state

    @property
    def current(self) -> Sandbox:
        """The environment that is there. EmulatorError if there is none."""
        if self._sandbox is None:
            raise EmulatorError("there is no environment now")
        return self._sandbox

    # -- Operations

    async def initialize(self) -> float:
        """Makes an environment ready before it is needed, and freezes it. Returns the milliseconds that took.

        Raises SandboxFailure: it could not be initialized, and is gone.
        """
        async with self._between_invocations():
            if self._sandbox is not None:
                raise EmulatorError("there is an environment already")
            took = await self._initialize("init", self.settings.init_limit)
            if not self.current.is_snapshot:
                self._init_ms = took
            self._freeze()
            return took

    async def invoke(
        self,
        event: Event = None,
        *,
        trace_header: str | None = None,
        client_context: str = "",
        qualifier: str = "",
    ) -> Invocation:
        """Runs one invocation to its end: the environment is frozen again, or gone.

        `trace_header` is X-Amzn-Trace-Id; one is made if it is None, and there is none if it is empty.
        `client_context` is JSON, which the runtime gets as it is.
        """
        return await self.run(self.prepare(event, trace_header, client_context, qualifier))

    def prepare(
        self,
        event: Event = None,
        trace_header: str | None = None,
        client_context: str = "",
        qualifier: str = "",
    ) -> Invocation:
        """Makes an invocation for `run`.

        Its `answered` tells when the caller has the response, which is before the extensions are done.
        """
        data = event if isinstance(event, bytes) else json.dumps({} if event is None else event).encode()
        made = Invocation(event=data, client_context=client_context, qualifier=qualifier)
        if trace_header is not None:
            made.trace_header = trace_header
        return made

    async def run(self, invocation: Invocation) -> Invocation:
        """Runs an invocation that `prepare` made."""
        async with self._places:
            begin = now_ns()
            freezes = len(self.freeze_log)
            init_ms = restore_ms = None
            try:
                async with self._lifecycle:
                    if self._sandbox is None:
                        init_ms = await self._initialize_for(invocation)
                    elif self._sandbox.is_snapshot:
                        restore_ms = await self._sandbox.restore()
                    else:
                        init_ms, self._init_ms = self._init_ms, None
                # An initialization within the invocation uses up some of its time.
                used = (now_ns() - invocation.times.begin_ns) / 1e9 if invocation.times.begin_ns else 0.0
                await self.current.invoke(invocation, max(self.settings.timeout - used, 0.001))
            except SandboxFailure as failure:
                invocation.times.begin_ns = invocation.times.begin_ns or begin
                invocation.times.end_ns = now_ns()
                invocation.fail(failure)
            frozen_ms = sum(freeze.frozen_for for freeze in self.freeze_log[freezes:]) * 1e3
            self._report(invocation, init_ms, restore_ms, frozen_ms)
            await self._freeze_or_end()
            return invocation

    async def shutdown(self, reason: ShutdownReason = "spindown") -> Shutdown | None:
        """Ends the environment as Lambda does, when no invocation is under way. None if there is none.
        The next invocation makes another.
        """
        async with self._between_invocations():
            return None if self._sandbox is None else await self._end(self._sandbox, reason)

    async def kill(self) -> None:
        """Ends the environment at once, as if its machine were gone, without SHUTDOWN. An invocation that is
        under way fails.
        """
        if self._sandbox is not None:
            sandbox, self._sandbox = self._sandbox, None
            await sandbox.abandon()

    def emit_telemetry(self, kind: str, record: object) -> None:
        """Emits a record of any type to all subscribers of its stream."""
        self.current.telemetry.emit(kind, record)

    async def post_telemetry(self, body: bytes, headers: Mapping[str, str] | None = None) -> list[int]:
        """Sends any bytes as telemetry to each subscriber, which must not be frozen. Returns the statuses."""
        return await self.current.telemetry.post(body, headers or {"Content-Type": "application/json"})

    @asynccontextmanager
    async def resumed(self) -> AsyncIterator[None]:
        """Gives a context in which the environment runs without an invocation; on Lambda only a shutdown
        does.
        """
        self.current.resume()
        try:
            yield
        finally:
            if self._sandbox is not None and self._sandbox.state is State.READY:
                self._freeze()

    # -- Entering and leaving

    async def __aenter__(self) -> Self:
        if not self.settings.folder.is_dir():
            raise EmulatorError(f"the function's folder {self.settings.folder} does not exist")
        for file in self._extensions:
            if not file.is_file() or not os.access(file, os.X_OK):
                raise EmulatorError(f"the extension {file} is not an executable file")
        if len({file.name for file in self._extensions}) < len(self._extensions):
            raise EmulatorError("two extensions have the same file name")
        try:
            self._launcher = Launcher()
            if self.settings.opt_folder and self._extensions:
                self._opt = await self._make_opt(self._launcher)
            await self._server.start()
            self._environment = Environment(self.settings, self._server.address)
            if self.settings.initializes_early:
                await self.initialize()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self.shutdown("spindown")
        finally:
            await self._close()

    async def _close(self) -> None:
        await self.kill()
        await self._server.close()
        if self._launcher is not None:
            self._launcher.close()
        if self._opt is not None:
            self._opt.close()

    # -- Parts

    @asynccontextmanager
    async def _between_invocations(self) -> AsyncIterator[None]:
        """Enters a context in which no invocation is under way."""
        async with self._exclusion:
            for _ in range(self._concurrency):
                await self._places.acquire()
            try:
                yield
            finally:
                for _ in range(self._concurrency):
                    self._places.release()

    async def _initialize_for(self, invocation: Invocation) -> float | None:
        """Initializes for an invocation. Returns the milliseconds; None if they are part of the invocation.

        An initialization that fails is tried once more, within the invocation.
        """
        if not self._failed_before:
            try:
                return await self._initialize("init", self.settings.init_limit)
            except SandboxFailure:
                pass
        invocation.times.begin_ns = now_ns()
        await self._initialize("invoke", self.settings.timeout)
        return None

    async def _initialize(self, phase: Phase, limit: float) -> float:
        assert self._environment is not None
        assert self._launcher is not None
        sandbox = self._sandbox = Sandbox(
            self.settings,
            self._function,
            self._extensions,
            environment=self._environment,
            telemetry=Telemetry(self.telemetry_faults, self.deliveries),
            launcher=self._launcher,
            opt=self._opt,
            history=self._history,
            log=self._log,
        )
        self._note(*sandbox.notes)
        try:
            return await sandbox.initialize(phase, limit)
        except SandboxFailure as failure:
            self._failed_before = True
            if self._sandbox is sandbox:  # kill() may have ended it meanwhile
                await self._end(sandbox, "timeout" if failure.is_timeout else "failure")
            raise
        except BaseException:
            self._sandbox = None
            await sandbox.abandon()
            raise

    async def _end(self, sandbox: Sandbox, reason: ShutdownReason) -> Shutdown:
        try:
            return await sandbox.shutdown(reason)
        finally:
            self._sandbox = None
            self._init_ms = None

    def _report(
        self, invocation: Invocation, init_ms: float | None, restore_ms: float | None, frozen_ms: float
    ) -> None:
        times = invocation.times
        duration = ms_between(times.begin_ns, times.end_ns)
        # A runtime that did not come back is charged with all the time.
        runtime_end = times.runtime_next_ns or (times.answered_ns if self.settings.is_managed_instance else 0)
        runtime = ms_between(times.begin_ns, runtime_end or times.end_ns)
        sandbox = self._sandbox
        report = invocation.report = Report(
            request_id=invocation.request_id,
            status=invocation.status,
            init_ms=init_ms,
            restore_ms=restore_ms,
            runtime_ms=runtime,
            post_runtime_ms=round(max(0.0, duration - runtime), 3),
            duration_ms=duration,
            billed_ms=billed_ms(self.settings, duration, init_ms, restore_ms),
            memory_mb=self.settings.memory_mb,
            max_memory_mb=0 if sandbox is None else sandbox.peak_memory_mb(),
            frozen_before_ms=round(frozen_ms, 3),
            error=invocation.error,
        )
        self.reports.append(report)
        self._log("platform", report.line(), invocation)
        if sandbox is not None:
            sandbox.telemetry.emit("platform.report", self._report_record(invocation, report))

    def _report_record(self, invocation: Invocation, report: Report) -> dict[str, object]:
        managed = self.settings.is_managed_instance
        metrics = telemetry_records.without_none(durationMs=report.duration_ms)
        if not managed:
            metrics |= telemetry_records.without_none(
                billedDurationMs=report.billed_ms,
                memorySizeMB=report.memory_mb,
                maxMemoryUsedMB=report.max_memory_mb,
                initDurationMs=report.init_ms,
                restoreDurationMs=report.restore_ms,
                billedRestoreDurationMs=None if report.restore_ms is None else -int(-report.restore_ms // 1),
            )
        answered = invocation.times.answered_ns
        spans = telemetry_records.spans_of(invocation) if managed and answered else None
        return telemetry_records.without_none(
            requestId=invocation.request_id,
            status=invocation.status,
            errorType=invocation.error_type,
            metrics=metrics,
            spans=spans,
            tracing=telemetry_records.tracing(invocation.trace_header),
        )

    async def _freeze_or_end(self) -> None:
        """Freezes the environment, or ends it if it can't go on."""
        async with self._lifecycle:
            if self._sandbox is None:
                return
            failure = self._sandbox.failure
            self._failed_before = failure is not None
            if failure is None:
                self._freeze()
            else:
                await self._end(self._sandbox, "timeout" if failure.is_timeout else "failure")

    def _freeze(self) -> None:
        if self.settings.freeze_by != "nothing" and not self.settings.is_managed_instance:
            self.current.freeze()

    async def _make_opt(self, launcher: Launcher) -> OptFolder | None:
        why = OptFolder.why_not()
        if why is None:
            opt = OptFolder(self._extensions)
            try:
                await _try_opt(launcher, opt)
            except EmulatorError as error:
                opt.close()
                why = str(error)
            else:
                return opt
        self._note(f"{NO_OPT_FOLDER}: {why}")
        return None

    def _note(self, *notes: str) -> None:
        self.notes += [note for note in notes if note not in self.notes]

    def _log(self, source: Stream, line: str, invocation: Invocation | None) -> None:
        if invocation is not None:
            invocation.log_tail.add(line)
        if self._on_log is not None:
            self._on_log(source, line)


async def _try_opt(launcher: Launcher, opt: OptFolder) -> None:
    """Starts a program that does nothing. EmulatorError says what is not allowed."""
    process = await launcher.start(
        "a trial",
        ["true"],
        environment={"PATH": os.defpath},
        folder=pathlib.Path("/"),
        opt=opt,
        on_line=lambda line: None,
        on_exit=lambda process: None,
    )
    await process.gone()
