"""Runs a machine at the client's end of a line, whose network device it makes.

    python -m thaw.lab.machine.launch COMMAND...

It waits for a first byte of standard input, which says that the runner can freeze this process; all that
follows is the machine's. The machine is the first process of a PID namespace, so that the kernel kills all of
it with that process, which it kills with this one, and this one with the thread that started it. SIGTERM ends
both, with nothing left for others to wait for. /dev/shm is a file system of their own, in which the machine
keeps what it writes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from thaw.lab import parent_death
from thaw.lab.line.network import NetworkError
from thaw.lab.machine import network

_CLONE_NEWNS, _CLONE_NEWPID = 0x20000, 0x20000000
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000
SCRATCH = "/dev/shm"


def _make_namespaces() -> None:
    """Makes a PID namespace for the processes that are started from now on, and a mount namespace with a file
    system of its own in `SCRATCH`. NetworkError: this machine does not allow it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.unshare(_CLONE_NEWNS | _CLONE_NEWPID) == 0
    done = done and libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None) == 0
    done = done and libc.mount(b"tmpfs", SCRATCH.encode(), b"tmpfs", 0, None) == 0
    if not done:
        raise NetworkError(f"no PID and mount namespaces: {os.strerror(ctypes.get_errno())}")


def main() -> int:
    parent_death.end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is meant for the runner
    try:
        network.make_device()
        _make_namespaces()
    except NetworkError as error:
        print(error, file=sys.stderr)
        return 1
    if not os.read(0, 1):
        return 0
    command = sys.argv[1:]
    pid = os.fork()
    if pid == 0:
        parent_death.end_with_parent()
        os.setsid()
        try:
            os.execv(command[0], command)
        except OSError as error:
            print(f"{command[0]} can't be run: {error.strerror}", file=sys.stderr)
            os._exit(127)
    signal.signal(signal.SIGTERM, lambda *unused: os.kill(pid, signal.SIGKILL))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    sys.exit(main())
