"""The laboratory's command line: `python -m thaw.lab --help`."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence

import thaw.lab
from thaw import _early_ctrl_c
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
        # Not above: it takes a while, in which Ctrl-C would print a traceback.
        from thaw.lab import command_line

    try:
        return command_line.main(arguments)
    except KeyboardInterrupt:  # before the command began
        print("thaw.lab: stopped", file=sys.stderr)
        return stop.EXIT_CODE


@contextlib.contextmanager
def _ctrl_c_ends_it_at_once() -> Iterator[None]:
    """Ends the process at Ctrl-C while modules are imported, some of which would swallow an exception."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    handlers = (signal.default_int_handler, _early_ctrl_c.end)
    if not in_main_thread or signal.getsignal(signal.SIGINT) not in handlers:
        yield
        return
    signal.signal(signal.SIGINT, _early_ctrl_c.end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    sys.exit(main())
