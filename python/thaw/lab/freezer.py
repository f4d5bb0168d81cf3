"""Ways to freeze a process and everything it has started: SIGSTOP, and the kernel's cgroup freezer.

    freezer = make("sigstop", process.pid)
    freezer.freeze()       # returns when nothing of it runs any more
    freezer.resume()
    freezer.close()        # before the process is waited for; leaves nothing behind

SIGSTOP needs no privilege. The cgroup freezer is what container runtimes pause by; it wants a writable cgroup
hierarchy, version 1 or 2, which root has. Neither freezes the kernel: sockets go on.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import time
from collections.abc import Callable
from typing import Literal, Protocol, get_args

FreezerName = Literal["sigstop", "cgroup"]
FREEZERS: tuple[FreezerName, ...] = get_args(FreezerName)

# Seconds for everything of a process to come to a stop.
_LIMIT = 5.0
_POLL = 0.0001

_CGROUPS = pathlib.Path("/sys/fs/cgroup")


class FreezerError(RuntimeError):
    """A process can't be frozen this way here; the text says why."""


class Freezer(Protocol):
    def freeze(self) -> None:
        """Returns when nothing of the process runs. Raises FreezerError if that takes over 5 s."""

    def resume(self) -> None: ...

    def close(self) -> None:
        """Lets go of the process, which runs or not as it did."""


def make(name: FreezerName, pid: int) -> Freezer:
    """Raises FreezerError if this machine does not allow it."""
    return Sigstop(pid) if name == "sigstop" else Cgroup(pid)


class Sigstop:
    """Stops by SIGSTOP, which reaches every thread of one process."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def freeze(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)
        tasks = pathlib.Path(f"/proc/{self._pid}/task")

        def stopped() -> bool:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                stats = [(task / "stat").read_text() for task in tasks.iterdir()]
                return bool(stats) and all(stat.rpartition(")")[2].split()[0] in "TZX" for stat in stats)
            return False

        _wait(stopped, f"process {self._pid} did not stop within {_LIMIT:g} s of SIGSTOP")

    def resume(self) -> None:
        os.kill(self._pid, signal.SIGCONT)

    def close(self) -> None:
        pass


class Cgroup:
    """Freezes a cgroup made for the process, with all that it starts from then on."""

    def __init__(self, pid: int, root: pathlib.Path = _CGROUPS) -> None:
        version_1 = (root / "freezer" / "cgroup.procs").exists()
        parent = root / "freezer" if version_1 else root
        if not version_1 and not (root / "cgroup.controllers").exists():
            raise FreezerError(f"there is no cgroup freezer in {root}")
        self._home = parent / _group_of(pid, "freezer" if version_1 else "")
        self._folder = parent / f"thaw-lab-{pid}"
        self._switch = self._folder / ("freezer.state" if version_1 else "cgroup.freeze")
        self._state = self._folder / ("freezer.state" if version_1 else "cgroup.events")
        self._words = ("FROZEN", "THAWED") if version_1 else ("1", "0")
        self._frozen = "FROZEN" if version_1 else "frozen 1"
        try:
            self._folder.mkdir()
            (self._folder / "cgroup.procs").write_text(str(pid))
        except OSError as error:
            with contextlib.suppress(OSError):
                self._folder.rmdir()
            raise FreezerError(f"the cgroup freezer can't be used here: {error}") from error

    def freeze(self) -> None:
        self._switch.write_text(self._words[0])
        _wait(
            lambda: self._frozen in self._state.read_text().splitlines(),
            f"{self._folder} did not freeze within {_LIMIT:g} s",
        )

    def resume(self) -> None:
        self._switch.write_text(self._words[1])

    def close(self) -> None:
        """A frozen process can't end, so it is thawed; it goes back to the cgroup it came from."""
        with contextlib.suppress(FileNotFoundError):
            self.resume()
            for pid in (self._folder / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    (self._home / "cgroup.procs").write_text(pid)
        # What was killed leaves the cgroup only when the kernel has buried it.
        _wait(self._removed, f"{self._folder} could not be removed")

    def _removed(self) -> bool:
        with contextlib.suppress(OSError):
            self._folder.rmdir()
        return not self._folder.exists()


def _group_of(pid: int, controller: str) -> str:
    """The process's cgroup in a hierarchy (proc(5), /proc/[pid]/cgroup), relative to its root."""
    for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path.lstrip("/")
    return ""


def _wait(done: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _LIMIT
    while not done():
        if time.monotonic() > deadline:
            raise FreezerError(otherwise)
        time.sleep(_POLL)
