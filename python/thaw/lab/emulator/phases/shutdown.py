"""The end: the runtime is terminated, extensions get SHUTDOWN, and remaining processes are killed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator

from thaw.lab.emulator.errors import EmulatorError, SandboxFailure
from thaw.lab.emulator.history import ExtensionEnd, Shutdown
from thaw.lab.emulator.phases.freezing import resume
from thaw.lab.emulator.sandbox_state import SandboxState, State
from thaw.lab.emulator.settings import ShutdownReason
from thaw.lab.emulator.timestamps import epoch_ms, ms_between, now_ns

# Seconds that the end may take: with external extensions, with internal ones only, and of the first how many
# the runtime has.
_SHUTDOWN_LIMIT = 2.0
_SHUTDOWN_LIMIT_INTERNAL = 0.5
_RUNTIME_SHUTDOWN_LIMIT = 0.3
_KILL_LIMIT = 5.0


async def shutdown(sandbox: SandboxState, reason: ShutdownReason) -> Shutdown:
    """Ends the runtime, sends SHUTDOWN to the extensions, and kills the processes that remain."""
    resume(sandbox)
    begin = now_ns()
    sandbox.state = State.SHUTTING_DOWN
    sandbox.telemetry.flush()
    known = sandbox.extensions.extensions
    limit = _SHUTDOWN_LIMIT if any(not each.internal for each in known) else 0.0
    limit = limit or (_SHUTDOWN_LIMIT_INTERNAL if known else 0.0)
    deadline = sandbox.loop.time() + limit
    if limit:
        await _end_runtime(sandbox, limit)
    told = {each.name for each in known if "SHUTDOWN" in each.events and each.state != "failed"}
    event = {
        "eventType": "SHUTDOWN",
        "deadlineMs": epoch_ms(deadline - sandbox.loop.time()),
        "shutdownReason": reason,
    }
    for extension in known:
        if extension.name in told and sandbox.processes[extension.name].alive:
            sandbox.extensions.tell_shutdown(extension, event)
    for process in sandbox.processes.values():
        if process.name not in told:
            process.kill()
    await sandbox.wait(lambda: not any(each.alive for each in sandbox.processes.values()), deadline)
    killed = {name for name, process in sandbox.processes.items() if process.alive}
    await _kill_all(sandbox)
    done = Shutdown(reason, ms_between(begin, now_ns()), tuple(_ends(sandbox, killed)))
    sandbox.history.shutdowns.append(done)
    return done


async def abandon(sandbox: SandboxState) -> None:
    """Ends everything at once, without SHUTDOWN."""
    resume(sandbox)
    sandbox.state = State.SHUTTING_DOWN
    sandbox.fail(SandboxFailure("Sandbox.Failure", "the environment is gone"))
    await _kill_all(sandbox)


async def _end_runtime(sandbox: SandboxState, limit: float) -> None:
    runtime = sandbox.runtime_process
    if runtime is not None and runtime.alive:
        runtime.terminate()
        end = sandbox.loop.time() + min(limit, _RUNTIME_SHUTDOWN_LIMIT)
        await sandbox.wait(lambda: not runtime.alive, end)
        runtime.kill()


async def _kill_all(sandbox: SandboxState) -> None:
    for process in sandbox.processes.values():
        process.kill()
    sandbox.groups.kill()
    gone = [process.gone() for process in sandbox.processes.values()]
    try:
        await asyncio.wait_for(asyncio.gather(*gone), _KILL_LIMIT)
    except TimeoutError:
        raise EmulatorError(f"processes are still there {_KILL_LIMIT:g} s after SIGKILL") from None
    finally:
        sandbox.runtime.close()
        sandbox.extensions.close()
        await sandbox.telemetry.close()
        sandbox.groups.remove()
        sandbox.state = State.GONE


def _ends(sandbox: SandboxState, killed: Collection[str]) -> Iterator[ExtensionEnd]:
    for name, process in sandbox.processes.items():
        if process is not sandbox.runtime_process:
            extension = sandbox.extensions.find(name)
            told = 0 if extension is None else extension.shutdown_sent_ns
            assert process.exit_code is not None
            yield ExtensionEnd(name, told, process.exit_ns, process.exit_code, name in killed)
