"""Calls that a selectors loop makes when they are due."""

from __future__ import annotations

import heapq
import itertools
import select
import selectors
import time
from collections.abc import Callable


class Timers:
    """Calls due at a time, in their order."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()

    def at(self, when: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (when, next(self._number), call))

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        self.at(time.monotonic() + seconds, call)

    def wait(self) -> float | None:
        """Returns the seconds until the next call, None without one."""
        return max(0.0, self._heap[0][0] - time.monotonic()) if self._heap else None

    def run(self) -> None:
        now = time.monotonic()
        while self._heap and self._heap[0][0] <= now:
            heapq.heappop(self._heap)[2]()


def ready(epoll: selectors.EpollSelector, wait: float | None) -> list[tuple[selectors.SelectorKey, int]]:
    """Waits until files are ready, for at most `wait` seconds unless that is None. Returns those files.

    epoll_wait rounds its time-out up to whole milliseconds, which would make every timer late; select(2) on
    the epoll descriptor counts in microseconds.
    """
    if wait is None:
        return epoll.select()
    select.select([epoll.fileno()], [], [], wait)
    return epoll.select(0)
