"""Removes a cgroup freezer's group when the process that made it is gone, however that ended.

    python -I -S freezer_guard.py FOLDER SWITCH THAWED

Standard input ends with that process. What is in the group then is killed, and let go, since a frozen process
can't end. Nothing here needs more than the standard library.
"""

from __future__ import annotations

import os
import pathlib
import signal
import sys
import time

_LIMIT = 10.0  # seconds
_POLL = 0.01


def main() -> None:
    folder, switch, thawed = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    while os.read(0, 1):
        pass
    deadline = time.monotonic() + _LIMIT
    while folder.exists() and time.monotonic() < deadline:
        try:
            for pid in (folder / "cgroup.procs").read_text().split():
                os.kill(int(pid), signal.SIGKILL)
            (folder / switch).write_text(thawed)
            folder.rmdir()
        except OSError:  # a process is gone, or not yet
            time.sleep(_POLL)


if __name__ == "__main__":
    main()
