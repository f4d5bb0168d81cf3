"""Freeze and resume: processes and telemetry stand still between invocations."""

from __future__ import annotations

from thaw.lab.emulator.errors import EmulatorError
from thaw.lab.emulator.history import Freeze
from thaw.lab.emulator.sandbox_state import SandboxState, State
from thaw.lab.emulator.timestamps import now_ns
from thaw.lab.freezer import FreezerError


def freeze(sandbox: SandboxState) -> None:
    """Freezes the processes and telemetry; returns when none runs. Raises EmulatorError if that fails."""
    if sandbox.state is not State.READY:
        raise EmulatorError(f"an environment that is {sandbox.state.value} is not frozen")
    sandbox.freeze_begin_ns = now_ns()
    sandbox.telemetry.pause()
    try:
        sandbox.freezer.freeze()
    except FreezerError as error:
        raise EmulatorError(str(error)) from error
    sandbox.frozen_ns = now_ns()
    sandbox.state = State.FROZEN


def resume(sandbox: SandboxState) -> None:
    """Lets the environment go on; does nothing if it is not frozen."""
    if sandbox.state is State.FROZEN:
        span = Freeze(sandbox.freeze_begin_ns, sandbox.frozen_ns, now_ns())
        sandbox.freezer.resume()
        sandbox.history.freezes.append(span)
        sandbox.telemetry.resume()
        sandbox.state = State.READY
