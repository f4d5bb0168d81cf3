"""Shortens the second in which the laboratory measures the machine's load before a run.

    subprocess.run(quick_load.command("thaw.lab", "compare", "--world=W1"))

A test that isn't about times would only wait for it. The command is `python -m` of the module otherwise.
"""

from __future__ import annotations

import runpy
import sys

from thaw.lab import host_load

_SECONDS = 0.05


def command(module: str, *arguments: str) -> list[str]:
    """Returns the command that runs the module so."""
    return [sys.executable, __file__, module, *arguments]


def shorten() -> None:
    """Shortens each measurement in this process whose length isn't given."""
    host_load.measure.__defaults__ = (_SECONDS,)


if __name__ == "__main__":
    shorten()
    sys.path[0] = ""
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
