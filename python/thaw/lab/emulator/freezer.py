"""Freezing an environment: every thread of the extensions' and the function's processes stands still.

The kernel goes on: it acknowledges what arrives and queues it, and a connection that the peer closes is
closed when the process wakes up. That is world W1 of the laboratory, and not claimed for Lambda itself,
which stops the kernel, too. A process sees of it at most that an interruptible system call (epoll_wait is
one) says EINTR after the resume.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from thaw.lab.emulator.cgroups import Groups
from thaw.lab.emulator.errors import EmulatorError

_STOP_LIMIT = 5.0


@dataclass(frozen=True)
class Freeze:
    """One span in which an environment stood still."""

    begin_ns: int  # told to stop
    frozen_ns: int  # all stopped
    resume_ns: int  # told to go on

    @property
    def frozen_for(self) -> float:
        """Seconds."""
        return (self.resume_ns - self.frozen_ns) / 1e9


class Freezer(Protocol):
    name: str

    def freeze(self) -> None:
        """Returns when everything is stopped. EmulatorError if it doesn't stop."""

    def resume(self) -> None: ...


class CgroupFreezer:
    """Freezes whatever the environment's processes started, wherever it went."""

    name = "cgroup"

    def __init__(self, groups: Groups) -> None:
        self._groups = groups

    def freeze(self) -> None:
        self._groups.freeze()

    def resume(self) -> None:
        self._groups.resume()


class SignalFreezer:
    """SIGSTOP and SIGCONT to the processes and all their descendants. Needs no privileges.

    A process whose parent has ended is no descendant any more: a daemon escapes.
    """

    name = "signals"

    def __init__(self, leaders: Callable[[], Iterable[int]]) -> None:
        self._leaders = leaders
        self._stopped: list[int] = []

    def freeze(self) -> None:
        deadline = time.monotonic() + _STOP_LIMIT
        self._stopped = []
        # What is being forked while its parent is told to stop is found in the next round.
        while running := [pid for pid in self._family() if not _is_stopped(pid)]:
            for pid in running:
                if pid not in self._stopped:
                    self._stopped.append(pid)
                    _signal(pid, signal.SIGSTOP)
            if time.monotonic() > deadline:
                raise EmulatorError(f"processes {running} did not stop within {_STOP_LIMIT:g} s of SIGSTOP")

    def resume(self) -> None:
        for pid in self._stopped:
            _signal(pid, signal.SIGCONT)
        self._stopped = []

    def _family(self) -> Iterator[int]:
        waiting = list(self._leaders())
        while waiting:
            pid = waiting.pop()
            yield pid
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    children = pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text()
                    waiting += [int(child) for child in children.split()]


class NoFreezer:
    """For environments that are never frozen: managed instances."""

    name = "nothing"

    def freeze(self) -> None:
        pass

    def resume(self) -> None:
        pass


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _is_stopped(pid: int) -> bool:
    """Whether all threads are stopped, or ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in os.listdir(f"/proc/{pid}/task"):
            stat = pathlib.Path(f"/proc/{pid}/task/{task}/stat").read_text()
            if stat.rpartition(")")[2].split()[0] not in "TtZX":
                return False
    return True
