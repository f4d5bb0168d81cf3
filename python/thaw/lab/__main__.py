"""The laboratory's command line: `python -m thaw.lab --help`."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType

import thaw.lab
from thaw.lab import needs, stop


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command. Returns the exit code: 0; 1: failure; 2: invalid arguments; 130: Ctrl-C.

    A package that was installed without its extra `lab` says so, whatever is asked for.
    """
    if (text := needs.missing(needs.ALWAYS, "thaw.lab")) is not None:
        if not {"--help", "-h"} & set(sys.argv[1:] if arguments is None else arguments):
            print(text, file=sys.stderr)
            return 2
        print(f"usage: python -m thaw.lab COMMAND …\n\n{thaw.lab.__doc__}\n{text}")
        return 0
    with _ctrl_c_ends_it_at_once():
        from thaw.lab import command_line

    return command_line.main(arguments)


@contextlib.contextmanager
def _ctrl_c_ends_it_at_once() -> Iterator[None]:
    """Ends the process at Ctrl-C while modules are imported, some of which would swallow an exception."""

    def end(number: int, frame: FrameType | None) -> None:
        os.write(2, b"thaw.lab: stopped\n")
        os._exit(stop.EXIT_CODE)

    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    before = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    sys.exit(main())
