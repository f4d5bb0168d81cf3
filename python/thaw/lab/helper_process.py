"""The end of a process that takes commands from its standard input: it ends with that input."""

from __future__ import annotations

import contextlib
import subprocess


def end(process: subprocess.Popen[str], limit: float) -> None:
    """Closes the input and waits for the end; kills a process that has not ended after `limit` seconds."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):  # it has a command that the process did not live to read
            process.stdin.close()
    try:
        process.wait(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
