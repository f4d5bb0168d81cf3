"""The kernel's control groups (cgroups(7)): where they are mounted, and which ones a process is in."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from collections.abc import Iterable

from thaw.lab.polling import poll

_GUARD = str(pathlib.Path(__file__).with_name("cgroup_guard.py"))


def mounts() -> tuple[pathlib.Path | None, dict[str, pathlib.Path]]:
    """Returns the mount of version 2, and that of each controller of version 1."""
    unified: pathlib.Path | None = None
    controllers: dict[str, pathlib.Path] = {}
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        where = pathlib.Path(before.split(" ")[4])
        if kind == "cgroup2":
            unified = where
        elif kind == "cgroup":
            controllers |= dict.fromkeys(options.split(","), where)
    return unified, controllers


def groups_of(pid: int | None = None) -> dict[str, str]:
    """Returns a process's group for each controller of version 1, and under "" that of version 2.

    Paths are relative to the mounts. Without `pid` the groups are this process's.
    """
    file = pathlib.Path("/proc", "self" if pid is None else str(pid), "cgroup")
    return {
        name: path.lstrip("/")
        for _, names, path in (line.split(":", 2) for line in file.read_text().splitlines())
        for name in names.split(",")
    }


def remove(group: pathlib.Path, limit: float) -> bool:
    """Removes an empty group. Returns whether it is gone within `limit` seconds.

    A killed process is in its group until the kernel is done with it.
    """

    def removed() -> bool:
        try:
            group.rmdir()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    return poll(removed, limit, every=0.001)


def guard(groups: Iterable[pathlib.Path]) -> subprocess.Popen[bytes]:
    """Starts a process that ends what is in the groups, and removes them, when its standard input ends.

    Started before the groups are made, it removes them whenever this process is killed.
    """
    command = [sys.executable, "-I", "-S", _GUARD, *map(str, groups)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
