"""Starts a program as a hostile parent does: calls refused, signals blocked or ignored, an unread log.

python hostile_start.py '{"refuse": {"getrandom": 1}, "block": [15]}' PROGRAM ARGUMENT...

    refuse   calls of the kernel, each with the error's number that it gives
    block    signals that are blocked
    ignore   signals that are ignored
    stderr   "stopped": a pipe that is not read; "closed"
    closed   descriptors that are closed

The numbers of calls are those of x86-64.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import struct
import sys
from collections.abc import Mapping

CALLS = {
    "accept": 43,
    "epoll_ctl": 233,
    "timerfd_create": 283,
    "accept4": 288,
    "eventfd2": 290,
    "getrandom": 318,
}
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ERRNO, _ALLOW = 0x0005_0000, 0x7FFF_0000
_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2


def refuse(calls: Mapping[str, int]) -> None:
    """Has the kernel refuse these calls to this process and the program that replaces it.

    OSError: the kernel does not allow that.
    """
    program = [(_LOAD, 0, 0, 0)]
    for name, error in calls.items():
        program += [(_JUMP_IF_EQUAL, 0, 1, CALLS[name]), (_RETURN, 0, 0, _ERRNO | error)]
    program.append((_RETURN, 0, 0, _ALLOW))
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    held = ctypes.create_string_buffer(code)
    about = ctypes.create_string_buffer(struct.pack("=HxxxxxxQ", len(program), ctypes.addressof(held)))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0),
        (_SET_SECCOMP, _FILTER, ctypes.c_void_p(ctypes.addressof(about)), 0, 0),
    ):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def main() -> None:
    how = json.loads(sys.argv[1])
    if how.get("stderr") == "stopped":
        reader, writer = os.pipe()
        fcntl.fcntl(writer, 1031, 4096)  # F_SETPIPE_SZ
        os.set_inheritable(reader, True)  # a reader that never reads
        os.dup2(writer, 2)
    signal.pthread_sigmask(signal.SIG_BLOCK, how.get("block", []))
    for number in how.get("ignore", []):
        signal.signal(number, signal.SIG_IGN)
    if how.get("refuse"):
        refuse(how["refuse"])
    for descriptor in how.get("closed", []):
        os.close(descriptor)
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
