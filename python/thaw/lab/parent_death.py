"""Has the kernel kill a process with the thread that started it: a stopped process sees no pipe close.

    parent_death.end_with_parent()      # in the new process; also right for `preexec_fn`

Nothing here needs more than the standard library.
"""

from __future__ import annotations

import ctypes
import signal

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PRCTL = ctypes.CDLL(None).prctl  # looked up before any fork


def end_with_parent() -> None:
    """Has the kernel kill this process when the thread that started it ends."""
    _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
