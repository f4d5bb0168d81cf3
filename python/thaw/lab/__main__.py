"""The laboratory's command line: `python -m thaw.lab --help`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import thaw.lab
from thaw.lab import needs


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command. The exit code: 0; 1: it failed; 2: it can't be run as it was asked for; 130: Ctrl-C.

    A package that was installed without its extra `lab` says so, whatever is asked for.
    """
    if (text := needs.missing(needs.ALWAYS, "thaw.lab")) is not None:
        if not {"--help", "-h"} & set(sys.argv[1:] if arguments is None else arguments):
            print(text, file=sys.stderr)
            return 2
        print(f"usage: python -m thaw.lab COMMAND …\n\n{thaw.lab.__doc__}\n{text}")
        return 0
    from thaw.lab import command_line

    return command_line.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
