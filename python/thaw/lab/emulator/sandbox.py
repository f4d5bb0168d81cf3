"""One execution environment, from its initialization to its end.

    new → initializing → ready ⇄ frozen
                           ⇅
                        invoking           → shutting down → gone

A sandbox owns the processes of the function and its extensions, sends them their events, and waits for their
answers. A failure that ends an environment early is a `SandboxFailure`; the phase that waits at that time
raises it, or else the next one. `service.Lambda` decides what follows.
"""

from __future__ import annotations

from thaw.lab.emulator.history import Shutdown
from thaw.lab.emulator.invocation import Invocation
from thaw.lab.emulator.phases import freezing, initialization, invoking, restoring, shutdown
from thaw.lab.emulator.phases.initialization import Phase
from thaw.lab.emulator.sandbox_state import SandboxState
from thaw.lab.emulator.settings import ShutdownReason


class Sandbox(SandboxState):
    """An environment and its phases. The arguments are those of `SandboxState`."""

    async def initialize(self, phase: Phase, limit: float) -> float:
        """Starts everything. Returns the milliseconds that took. Raises SandboxFailure."""
        return await initialization.initialize(self, phase, limit)

    async def restore(self) -> float:
        """Goes on from the snapshot. Returns the milliseconds that took. Raises SandboxFailure."""
        return await restoring.restore(self)

    async def invoke(self, invocation: Invocation, limit: float) -> None:
        """Runs one invocation within `limit` seconds; `invocation` then has its outcome."""
        await invoking.invoke(self, invocation, limit)

    def freeze(self) -> None:
        """Freezes the processes and telemetry; returns when none runs. Raises EmulatorError if that fails."""
        freezing.freeze(self)

    def resume(self) -> None:
        """Lets the environment go on; does nothing if it is not frozen."""
        freezing.resume(self)

    async def shutdown(self, reason: ShutdownReason) -> Shutdown:
        """Ends the environment as Lambda does."""
        return await shutdown.shutdown(self, reason)

    async def abandon(self) -> None:
        """Ends everything at once, without SHUTDOWN."""
        await shutdown.abandon(self)
