"""Removes control groups when the process that made them is gone, however that ended.

    python -I -S cgroup_guard.py FOLDER...

Standard input ends with that process. Then the guard kills all processes in the groups, and thaws the groups
of a freezer, since a frozen process can't end. Nothing here needs more than the standard library.
"""

from __future__ import annotations

import os
import pathlib
import signal
import sys
import time

_LIMIT = 10.0  # seconds
_POLL = 0.01
_THAWED = {"cgroup.freeze": "0", "freezer.state": "THAWED"}


def main() -> None:
    left = [pathlib.Path(folder) for folder in sys.argv[1:]]
    while os.read(0, 1):
        pass
    deadline = time.monotonic() + _LIMIT
    while left and time.monotonic() < deadline:
        left = [folder for folder in left if not _removed(folder)]
        if left:
            time.sleep(_POLL)


def _removed(folder: pathlib.Path) -> bool:
    """Ends what is in a group, and removes the group. Returns whether it is gone."""
    try:
        for pid in (folder / "cgroup.procs").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        for switch, thawed in _THAWED.items():
            if (folder / switch).exists():
                (folder / switch).write_text(thawed)
        folder.rmdir()
    except OSError:  # a process has ended meanwhile, or has not ended yet
        return not folder.exists()
    return True


if __name__ == "__main__":
    main()
