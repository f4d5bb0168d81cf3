"""Ctrl-C while `python -m thaw.lab` is still importing this package: a line and exit code 130, no traceback.

This module imports only what is loaded already: each other import would be time in which Ctrl-C still shows a
traceback. `thaw.lab.__main__` takes the handler out.
"""

import _signal  # type: ignore[import-not-found]  # built in; `signal` itself imports enum
import os


def end(*unused: object) -> None:
    """Ends the process; some imports would swallow an exception, or turn it into another one."""
    os.write(2, b"thaw.lab: stopped\n")
    os._exit(130)


def install() -> None:
    """Installs `end`, unless Ctrl-C is ignored or handled already."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, end)
