"""Ctrl-C as a request: a run ends where its figures are whole, and keeps what is finished.

    with Stop.on_interrupt() as stop:
        for cycle in range(1000):
            if stop.requested: break
            ...
            stop.sleep(0.5)             # returns early when asked to stop

The second Ctrl-C is a KeyboardInterrupt as usual.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

# The exit code of a program that ended by Ctrl-C, by the convention of shells.
EXIT_CODE = 130


class Stop:
    """A request to end a run early. Any thread may make it or look for it."""

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    def request(self) -> None:
        self._event.set()

    def sleep(self, seconds: float) -> None:
        """Waits for `seconds`, or until the run should end. A negative time is 0."""
        if seconds > 0:
            self._event.wait(seconds)

    @classmethod
    @contextlib.contextmanager
    def on_interrupt(cls) -> Iterator[Stop]:
        """Yields a stop that Ctrl-C requests; outside of the main thread nothing requests it."""
        stop = cls()

        def interrupt(number: int, frame: FrameType | None) -> None:
            if stop.requested:
                raise KeyboardInterrupt
            stop.request()
            sys.stderr.write(
                "\nthaw.lab: stopping, what is finished is kept (Ctrl-C again ends it at once)\n"
            )

        if threading.current_thread() is not threading.main_thread():
            yield stop
            return
        before = signal.signal(signal.SIGINT, interrupt)
        try:
            yield stop
        finally:
            signal.signal(signal.SIGINT, before)
