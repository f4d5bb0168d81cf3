"""Invocations: the extensions and the runtime get an event, and all of them come back for the next."""

from __future__ import annotations

from thaw.lab.emulator import telemetry_records
from thaw.lab.emulator.errors import SandboxFailure
from thaw.lab.emulator.invocation import Invocation
from thaw.lab.emulator.phases.freezing import resume
from thaw.lab.emulator.sandbox_state import SandboxState, State
from thaw.lab.emulator.timestamps import epoch_ms, now_ns


async def invoke(sandbox: SandboxState, invocation: Invocation, limit: float) -> None:
    """Gives the event to the extensions and the runtime, and waits until all are done.

    The invocation then has its outcome; an environment that can't go on has a `failure`.
    """
    resume(sandbox)
    begin = now_ns()
    invocation.times.begin_ns = invocation.times.begin_ns or begin
    invocation.deadline_ms = epoch_ms(limit)
    _tell_start(sandbox, invocation)
    managed = sandbox.settings.is_managed_instance
    if not managed:
        sandbox.state = State.INVOKING
        sandbox.invocation = invocation
    try:
        sandbox.check_alive()
        _give(sandbox, invocation)
        done = invocation.answered.is_set if managed else lambda: _all_are_done(sandbox)
        await sandbox.until(done, sandbox.loop.time() + limit)
    except SandboxFailure as failure:
        if failure.is_timeout:
            text = f"Task timed out after {sandbox.settings.timeout:.2f} seconds"
            failure = SandboxFailure(failure.error_type, text)
            if not managed:
                sandbox.fail(failure)
        sandbox.runtime.forget(invocation)
        invocation.fail(failure)
    invocation.times.end_ns = now_ns()
    if not managed and not invocation.times.runtime_next_ns:
        sandbox.tell_runtime_done(invocation, invocation.times.end_ns)
    if not managed:
        sandbox.invocation = None
    if sandbox.state is State.INVOKING:
        sandbox.state = State.READY


def _all_are_done(sandbox: SandboxState) -> bool:
    return sandbox.runtime.is_waiting and sandbox.extensions.all_ready


def _tell_start(sandbox: SandboxState, invocation: Invocation) -> None:
    sandbox.telemetry.emit(
        "platform.start",
        telemetry_records.without_none(
            requestId=invocation.request_id,
            version=sandbox.settings.version,
            functionArn=invocation.arn(sandbox.settings.arn),
            tracing=telemetry_records.tracing(invocation.trace_header),
        ),
    )
    sandbox.log(
        "platform",
        f"START RequestId: {invocation.request_id} Version: {sandbox.settings.version}",
        invocation,
    )


def _give(sandbox: SandboxState, invocation: Invocation) -> None:
    event = telemetry_records.without_none(
        eventType="INVOKE",
        deadlineMs=invocation.deadline_ms,
        requestId=invocation.request_id,
        invokedFunctionArn=invocation.arn(sandbox.settings.arn),
        tracing=telemetry_records.tracing(invocation.trace_header),
    )
    sandbox.extensions.tell_invoke(event)
    sandbox.runtime.give(invocation)
