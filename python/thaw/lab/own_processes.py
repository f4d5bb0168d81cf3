"""A process table of this process's own, as a sandbox of Lambda has one.

    note = enter()          # before any thread is started

What an extension reads of /proc costs by the number of processes there: a handful in a sandbox, hundreds on
a developer's machine. This process goes on as a child that is the first of a process namespace, with its own
/proc; the one that called waits for it, passes on signals and ends with its status. Linux only, as root.
"""

from __future__ import annotations

import ctypes
import os
import signal
from types import FrameType

from thaw.lab.parent_death import end_with_parent

_CLONE_NEWNS, _CLONE_NEWPID = 0x00020000, 0x20000000
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def enter() -> str | None:
    """Moves this process to a process table of its own. Returns None, or why it could not.

    Raises OSError: the new process has no /proc.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS | _CLONE_NEWPID) != 0:
        return f"no process table of its own: {os.strerror(ctypes.get_errno())}"
    child = os.fork()
    if child != 0:
        os._exit(_status_of(child))
    end_with_parent()
    for source, target, kind, flags in (
        (b"none", b"/", None, _MS_REC | _MS_PRIVATE),
        (b"proc", b"/proc", b"proc", 0),
    ):
        if libc.mount(source, target, kind, ctypes.c_ulong(flags), None) != 0:
            raise OSError(ctypes.get_errno(), f"{target.decode()}: {os.strerror(ctypes.get_errno())}")
    return None


def _status_of(child: int) -> int:
    """Waits for the child, passes on signals, and returns the status to end with."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        os.kill(child, number)

    for number in _PASSED_ON:
        signal.signal(number, pass_on)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
