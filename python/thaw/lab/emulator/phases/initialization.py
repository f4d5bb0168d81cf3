"""Initialization: extensions start and register, the runtime starts, and all ask for their first event."""

from __future__ import annotations

from typing import Any, Literal

from thaw.lab.emulator import telemetry_records
from thaw.lab.emulator.errors import SandboxFailure
from thaw.lab.emulator.extensions_api import Extension
from thaw.lab.emulator.sandbox_state import SandboxState, State
from thaw.lab.emulator.timestamps import ms_between, now_ns

Phase = Literal["init", "invoke"]
_RUNTIME = "runtime"


async def initialize(sandbox: SandboxState, phase: Phase, limit: float) -> float:
    """Starts everything and waits until all are ready. Returns the milliseconds that took.

    Raises SandboxFailure.
    """
    begin = now_ns()
    sandbox.state = State.INITIALIZING
    common: dict[str, str] = {
        "initializationType": sandbox.settings.initialization_type,
        "phase": phase,
    }
    about = sandbox.about_the_environment()
    sandbox.telemetry.emit("platform.initStart", {**common, **about})
    sandbox.log("platform", f"INIT_START Runtime Version: {about['runtimeVersion']}")
    failure: SandboxFailure | None = None
    try:
        await _start_everything(sandbox, common, sandbox.loop.time() + limit)
    except SandboxFailure as error:
        failure = error
    took = ms_between(begin, now_ns())
    for extension in sandbox.extensions.extensions:
        sandbox.telemetry.emit("platform.extension", _about_extension(extension))
    report = telemetry_records.without_none(
        **common, **telemetry_records.outcome_of(failure), metrics={"durationMs": took}
    )
    sandbox.telemetry.emit("platform.initReport", report)
    if failure is not None:
        sandbox.log(
            "platform",
            f"INIT_REPORT Init Duration: {took:.2f} ms\tPhase: {phase}\tStatus: {report['status']}"
            f"\tError Type: {failure.error_type}",
        )
        raise failure
    sandbox.telemetry.end_of_initialization()
    sandbox.state = State.READY
    return took


async def _start_everything(sandbox: SandboxState, common: dict[str, str], deadline: float) -> None:
    for file in sandbox.extension_files:
        await sandbox.start(
            file.name, [str(file.resolve())], sandbox.environment.of_extensions(), "extension"
        )
    await sandbox.until(lambda: sandbox.extensions.all_launched_registered, deadline)
    sandbox.runtime_process = await sandbox.start(
        _RUNTIME, sandbox.function, sandbox.environment.of_runtime(), "function"
    )
    failure: SandboxFailure | None = None
    try:
        await sandbox.until(
            lambda: sandbox.runtime.has_been_ready or sandbox.runtime.is_waiting_for_restore, deadline
        )
    except SandboxFailure as error:
        failure = error
        raise
    finally:
        done = telemetry_records.without_none(**common, **telemetry_records.outcome_of(failure))
        sandbox.telemetry.emit("platform.initRuntimeDone", done)
    sandbox.extensions.close_registration()
    await sandbox.until(lambda: sandbox.extensions.all_ready, deadline)


def _about_extension(extension: Extension) -> dict[str, Any]:
    return telemetry_records.without_none(
        name=extension.name,
        state=extension.state.capitalize(),
        events=list(extension.events),
        errorType=extension.error_type,
    )
