"""Ways to freeze processes with everything they have started: SIGSTOP, and the kernel's cgroup freezer.

    freezer = make("sigstop", process.pid)
    freezer.freeze()       # returns when no thread of the process runs
    freezer.resume()
    freezer.close()        # before the process is waited for; leaves nothing behind

SIGSTOP needs no privilege. The cgroup freezer is what container runtimes pause by; it needs a writable cgroup
hierarchy, version 1 or 2, which root has.

Neither freezes the kernel: it acknowledges and queues what arrives, and a connection that the peer closes is
closed when the process wakes up. The only sign that a process can see is an interruptible system call, such
as epoll_wait, that returns EINTR after the resume.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, Protocol, get_args

from thaw.lab import cgroups
from thaw.lab.polling import poll

FreezerName = Literal["sigstop", "cgroup"]
FREEZERS: tuple[FreezerName, ...] = get_args(FreezerName)

# Seconds within which all processes have to stop, and within which a group has to go away.
_LIMIT = 5.0
_POLL = 0.00005

_CGROUPS = pathlib.Path("/sys/fs/cgroup")


class FreezerError(RuntimeError):
    """Processes can't be frozen this way here; the text says why."""


class Freezer(Protocol):
    """Freezes the same processes again and again."""

    @property
    def name(self) -> str: ...

    def freeze(self) -> None:
        """Returns when no thread of the processes runs. Raises FreezerError if that takes over 5 s."""

    def resume(self) -> None: ...

    def close(self) -> None:
        """Resumes the processes, and removes what was made for freezing them."""


def make(name: FreezerName, pid: int) -> Freezer:
    """Makes a freezer of one process. Raises FreezerError if this machine does not allow it."""
    return SignalFreezer(lambda: [pid]) if name == "sigstop" else CgroupFreezer(pid)


class SignalFreezer:
    """SIGSTOP and SIGCONT to processes and all their descendants. Needs no privileges.

    A process whose parent has ended is no descendant any more: a daemon escapes.

    Args:
      leaders: returns the processes to freeze; called at each freeze.
      descendants: whether the descendants of the leaders are frozen with them.
    """

    name = "signals"

    def __init__(self, leaders: Callable[[], Iterable[int]], *, descendants: bool = True) -> None:
        self._leaders = leaders
        self._descendants = descendants
        self._stopped: list[int] = []

    def freeze(self) -> None:
        deadline = time.monotonic() + _LIMIT
        self._stopped = []
        # A process that is forked while its parent is told to stop is found in the next round.
        while running := [pid for pid in self._family() if not _is_stopped(pid)]:
            for pid in running:
                if pid not in self._stopped:
                    self._stopped.append(pid)
                    _signal(pid, signal.SIGSTOP)
            if time.monotonic() > deadline:
                raise FreezerError(f"processes {running} did not stop within {_LIMIT:g} s of SIGSTOP")

    def resume(self) -> None:
        for pid in self._stopped:
            _signal(pid, signal.SIGCONT)
        self._stopped = []

    def close(self) -> None:
        self.resume()

    def _family(self) -> Iterator[int]:
        waiting = list(self._leaders())
        while waiting:
            pid = waiting.pop()
            yield pid
            if not self._descendants:
                continue
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    children = pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text()
                    waiting += [int(child) for child in children.split()]


class FreezerGroup:
    """A cgroup, made here, that freezes whatever is in it. Raises OSError if it can't be made.

    Args:
      folder: the folder of the group, which must not exist yet.
      version_1: whether the folder is in a hierarchy of version 1, with the controller `freezer`.
    """

    name = "cgroup"

    def __init__(self, folder: pathlib.Path, *, version_1: bool = False) -> None:
        folder.mkdir()
        self.folder = folder
        self._switch = folder / ("freezer.state" if version_1 else "cgroup.freeze")
        self._state = folder / ("freezer.state" if version_1 else "cgroup.events")
        self._freeze, self._thaw = ("FROZEN", "THAWED") if version_1 else ("1", "0")
        self._frozen = "FROZEN" if version_1 else "frozen 1"

    @property
    def members(self) -> pathlib.Path:
        """The file that lists the group's processes; a process joins by its id, or 0 for itself."""
        return self.folder / "cgroup.procs"

    def freeze(self) -> None:
        self._switch.write_text(self._freeze)
        if not poll(lambda: self._frozen in self._state.read_text().splitlines(), _LIMIT, every=_POLL):
            raise FreezerError(f"{self.folder} did not freeze within {_LIMIT:g} s")

    def resume(self) -> None:
        self._switch.write_text(self._thaw)

    def kill(self) -> None:
        """Ends every process of the group, frozen or not. Version 1 has no such switch: it does nothing."""
        with contextlib.suppress(OSError):
            (self.folder / "cgroup.kill").write_text("1")

    def close(self) -> None:
        """Removes the group, whose processes must have ended or left."""
        if not cgroups.remove(self.folder, _LIMIT):
            raise FreezerError(f"{self.folder} could not be removed")


class CgroupFreezer:
    """Freezes a process by a group of its own, with all that it starts from then on."""

    name = "cgroup"

    def __init__(self, pid: int, root: pathlib.Path = _CGROUPS) -> None:
        version_1 = (root / "freezer" / "cgroup.procs").exists()
        parent = root / "freezer" if version_1 else root
        if not version_1 and not (root / "cgroup.controllers").exists():
            raise FreezerError(f"there is no cgroup freezer in {root}")
        self._home = parent / cgroups.groups_of(pid).get("freezer" if version_1 else "", "")
        folder = parent / f"thaw-lab-{pid}"
        # Before the group is there, since this process may be killed at any time.
        self._guard = cgroups.guard([folder])
        try:
            self._group = FreezerGroup(folder, version_1=version_1)
            self._group.members.write_text(str(pid))
        except OSError as error:
            with contextlib.suppress(OSError):
                folder.rmdir()
            self._end_guard()
            raise FreezerError(f"the cgroup freezer can't be used here: {error}") from error

    def freeze(self) -> None:
        self._group.freeze()

    def resume(self) -> None:
        self._group.resume()

    def close(self) -> None:
        """Thaws the process, since a frozen one can't end, and moves it back to the group it came from."""
        with contextlib.suppress(FileNotFoundError):
            self.resume()
            for pid in self._group.members.read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    (self._home / "cgroup.procs").write_text(pid)
        self._group.close()
        self._end_guard()

    def _end_guard(self) -> None:
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait()


class NoFreezer:
    """Stands for a freezer where nothing is ever frozen: managed instances."""

    name = "nothing"

    def freeze(self) -> None:
        pass

    def resume(self) -> None:
        pass

    def close(self) -> None:
        pass


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _is_stopped(pid: int) -> bool:
    """Returns whether all threads are stopped, or ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in os.listdir(f"/proc/{pid}/task"):
            stat = pathlib.Path(f"/proc/{pid}/task/{task}/stat").read_text()
            if stat.rpartition(")")[2].split()[0] not in "TtZX":
                return False
    return True
