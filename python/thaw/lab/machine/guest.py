"""The first process of a guest: mounts, sets the network device up, and becomes a client of the laboratory.

    python -P guest.py DEVICE SERIAL_LINE FOLDER MODULE.ko...

It says `{"listening": true}` on the serial line. The first line that comes is a JSON object with the client's
`arguments` and `environment`; the rest is its standard input, and its standard output goes there. FOLDER has
the package `thaw`; kernel modules are loaded in turn.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import sys
import termios
import tty

_MOUNTS = (("proc", "/proc"), ("sysfs", "/sys"), ("tmpfs", "/dev/shm"))
_FINIT_MODULE = 313  # of x86-64
_POWER_OFF = 0x4321FEDC  # linux/reboot.h


def _mount(libc: ctypes.CDLL) -> None:
    if not os.path.exists("/dev/null"):
        libc.mount(b"devtmpfs", b"/dev", b"devtmpfs", 0, None)
    with contextlib.suppress(FileExistsError):
        os.mkdir("/dev/shm")
    for kind, folder in _MOUNTS:
        if libc.mount(kind.encode(), folder.encode(), kind.encode(), 0, None) != 0:
            sys.exit(f"{folder} can't be mounted: {os.strerror(ctypes.get_errno())}")


def _load(libc: ctypes.CDLL, modules: list[str]) -> None:
    for path in modules:
        module = os.open(path, os.O_RDONLY)
        if libc.syscall(_FINIT_MODULE, module, b"", 0) != 0:
            sys.exit(f"{path} can't be loaded: {os.strerror(ctypes.get_errno())}")
        os.close(module)


def _open(serial_line: str) -> None:
    """Makes the serial line standard input and output, without translation of any byte."""
    line = os.open(serial_line, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line, termios.TCSANOW)
    os.dup2(line, 0)
    os.dup2(line, 1)
    os.environ["TMPDIR"] = "/dev/shm"
    os.write(1, b'\n{"listening": true}\n')


def main() -> None:
    device, serial_line, folder = sys.argv[1:4]  # the kernel adds more
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        _mount(libc)
        _load(libc, [each for each in sys.argv[4:] if each.endswith(".ko")])
        _open(serial_line)
        sys.path.insert(0, folder)
        # Not above: the package is in `folder`, which was not on the path.
        from thaw.lab.machine import network

        network.set_up_loopback()
        network.set_up(device, network.GUEST_ADDRESS)
        # Not above, for the same reason.
        from thaw.lab.worlds import child

        told = json.loads(next(iter(sys.stdin)))
        os.environ.update(told["environment"])
        sys.argv[1:] = told["arguments"]
        child.main()
    except BaseException as error:  # the kernel panics at the end of its first process
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        sys.stdout.flush()
        libc.reboot(_POWER_OFF)


if __name__ == "__main__":
    main()
