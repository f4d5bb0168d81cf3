"""The demonstration function: AWS's own runtime client for Python, and a program under the real tracer."""

from __future__ import annotations

import pathlib
import sys

from thaw.lab.emulator.settings import Settings

_FOLDER = pathlib.Path(__file__).resolve().parent


def demo_settings() -> Settings:
    """Settings of a function whose handler is `traced.handler`.

    The tracer's telemetry about itself is off: it would go to Datadog's own host, not to the lab's intake.
    """
    return Settings(
        name="demo",
        handler="traced.handler",
        folder=_FOLDER,
        timeout=10.0,
        environment={"DD_SERVICE": "demo", "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false"},
    )


def demo_command(settings: Settings) -> list[str]:
    """Returns the command of awslambdaric with this process's Python and the function's handler."""
    return [sys.executable, "-m", "awslambdaric", settings.handler]


def poster_command(*arguments: str) -> list[str]:
    """Returns the command of a function that hands over numbered traces; poster.py describes its
    arguments.
    """
    return [sys.executable, "-SE", str(_FOLDER / "poster.py"), *arguments]
