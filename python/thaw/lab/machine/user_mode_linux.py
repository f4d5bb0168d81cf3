"""World W3a's machine: user-mode Linux, a kernel that is a process.

    machine = subprocess.Popen(command(line), stdin=subprocess.PIPE)
    stopper = freezer("sigstop", machine.pid)

Debian's package `user-mode-linux` has it; it needs neither KVM nor a disk image: the guest's root is the
host's, read-only. SIGSTOP of its main process stops the guest's kernel, and with it each of its processes at
its next system call or page fault; the guest's clocks are the host's, which go on.
"""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import sys

from thaw.lab import freezer as freezers
from thaw.lab.freezer import Freezer, FreezerError, FreezerName
from thaw.lab.line import Line
from thaw.lab.machine import launch, network
from thaw.lab.polling import poll

EXECUTABLE = "linux.uml"
_GUEST = pathlib.Path(__file__).with_name("guest.py")
_PACKAGES = pathlib.Path(__file__).resolve().parents[3]
_MEMORY = "256M"
_LAUNCH_LIMIT = 30.0
_POLL = 0.0002
# Security modules are not asked at each access to a file.
_KERNEL = ("selinux=0", "apparmor=0", "panic=-1", "root=/dev/root", "rootfstype=hostfs", "ro")


def missing_program() -> str | None:
    """Returns None, or which program is not installed."""
    if shutil.which(EXECUTABLE) is None:
        return f"{EXECUTABLE} is not installed (Debian's package user-mode-linux has it)"
    return None


def command(line: Line) -> list[str]:
    """Returns the command of a machine at the client's end of a line. `launch` says what it reads first."""
    executable = shutil.which(EXECUTABLE)
    assert executable is not None  # `missing_program` says so
    machine = [
        *(executable, f"mem={_MEMORY}", *_KERNEL, "quiet"),
        *(f"uml_dir={launch.SCRATCH}/", "umid=machine"),
        *("con=null", "con0=null,fd:2", "ssl=null", "ssl0=fd:0,fd:1"),
        f"vec0:transport=tap,ifname={network.DEVICE},depth=128",
        *(f"init={sys.executable}", "--", "-P", "-B", str(_GUEST), "vec0", "/dev/ttyS0", str(_PACKAGES)),
    ]
    return line.client.command([sys.executable, "-m", "thaw.lab.machine.launch", *machine])


def freezer(name: FreezerName, pid: int) -> Freezer:
    """Returns the freezer of the machine that process `pid`, which runs `launch`, starts later."""
    return _MainProcess(pid) if name == "sigstop" else freezers.make(name, pid)


class _MainProcess:
    """Sends SIGSTOP to the machine's main process alone: it traces the others, which get no signal."""

    name = "signals"

    def __init__(self, launcher: int) -> None:
        self._launcher = launcher
        self._main: freezers.SignalFreezer | None = None

    def freeze(self) -> None:
        if self._main is None:
            self._main = freezers.SignalFreezer(self._processes, descendants=False)
        self._main.freeze()

    def resume(self) -> None:
        if self._main is not None:
            self._main.resume()

    def close(self) -> None:
        self.resume()

    def _processes(self) -> list[int]:
        children = pathlib.Path(f"/proc/{self._launcher}/task/{self._launcher}/children")
        with contextlib.suppress(OSError):  # the launcher has ended
            if found := poll(lambda: children.read_text().split(), _LAUNCH_LIMIT, every=_POLL):
                return [int(child) for child in found]
        raise FreezerError("the machine's process is gone")
