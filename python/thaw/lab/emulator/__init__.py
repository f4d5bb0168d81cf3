"""A Lambda on this machine: Runtime, Extensions and Telemetry APIs, real processes, and the freeze.

    python -m thaw.lab lambda --help

In tests and experiments:

    async with Lambda(function=["./bootstrap"], extension="build/my-extension") as sandbox:
        invocation = await sandbox.invoke({"order": 1})

It follows AWS's documentation and knows nothing of what runs in it. docs/emulator.md has more.
"""

from __future__ import annotations

from thaw.lab.emulator.errors import EmulatorError, SandboxFailure
from thaw.lab.emulator.history import Freeze, Shutdown, Startup
from thaw.lab.emulator.invocation import Invocation, Times
from thaw.lab.emulator.invocation_report import Report
from thaw.lab.emulator.sandbox_state import State
from thaw.lab.emulator.service import Lambda
from thaw.lab.emulator.settings import Settings
from thaw.lab.emulator.telemetry import Delivery, TelemetryFaults

__all__ = [
    "Delivery",
    "EmulatorError",
    "Freeze",
    "Invocation",
    "Lambda",
    "Report",
    "SandboxFailure",
    "Settings",
    "Shutdown",
    "Startup",
    "State",
    "TelemetryFaults",
    "Times",
]
