"""Restore: an environment goes on from its snapshot, and its runtime runs its hooks."""

from __future__ import annotations

from thaw.lab.emulator import telemetry_records
from thaw.lab.emulator.errors import SandboxFailure
from thaw.lab.emulator.phases.freezing import resume
from thaw.lab.emulator.sandbox_state import SandboxState
from thaw.lab.emulator.timestamps import ms_between, now_ns

# Seconds that the hooks may take.
_RESTORE_LIMIT = 10.0


async def restore(sandbox: SandboxState) -> float:
    """Goes on from the snapshot. Returns the milliseconds that took.

    Raises SandboxFailure.
    """
    resume(sandbox)
    sandbox.restored = True
    begin = now_ns()
    about = sandbox.about_the_environment()
    sandbox.telemetry.emit("platform.restoreStart", about)
    sandbox.log("platform", f"RESTORE_START Runtime Version: {about['runtimeVersion']}")
    sandbox.runtime.restore()
    failure: SandboxFailure | None = None
    try:
        await sandbox.until(lambda: sandbox.runtime.is_waiting, sandbox.loop.time() + _RESTORE_LIMIT)
    except SandboxFailure as error:
        failure = error
        sandbox.fail(error)
        raise
    finally:
        took = ms_between(begin, now_ns())
        outcome = telemetry_records.without_none(**telemetry_records.outcome_of(failure))
        sandbox.telemetry.emit("platform.restoreRuntimeDone", outcome)
        sandbox.telemetry.emit("platform.restoreReport", {**outcome, "metrics": {"durationMs": took}})
        sandbox.log("platform", f"RESTORE_REPORT Restore Duration: {took:.2f} ms")
    return took
