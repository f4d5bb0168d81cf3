"""Control groups of one environment: its freezer, its memory limit, its share of the processors.

Version 2 of the interface is used for whatever it has, version 1 for memory and processors where they are
mounted that way. Freezing is always version 2, which can kill what is frozen. The emulator works without any
of it: `EnvironmentGroups.make` says in `notes` what this machine did not allow, and why.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import secrets
import subprocess
from collections.abc import Collection

from thaw.lab import cgroups
from thaw.lab.emulator.settings import MEMORY_MB_PER_CPU, Limit
from thaw.lab.freezer import FreezerGroup

_PREFIX = "lambda-"
_PERIOD_US = 20_000
_REMOVE_LIMIT = 2.0


class EnvironmentGroups:
    """The groups that one environment's processes are in. Made by `make`, empty where nothing is allowed."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.freezer: FreezerGroup | None = None
        self.guard: subprocess.Popen[bytes] | None = None
        self._memory: pathlib.Path | None = None
        self._cpu: pathlib.Path | None = None

    @classmethod
    def make(
        cls, *, freezer: bool, limits: Collection[Limit], memory_mb: int, guarded: bool = False
    ) -> EnvironmentGroups:
        """Makes what is asked for and allowed. `notes` has a line for each thing that isn't.

        `guarded`: starts `guard` before, a process that does what `kill` and `remove` do when its standard
        input ends, also if this process is killed while it makes the groups.
        """
        made = cls()
        name = f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
        unified, controllers = cgroups.mounts()
        own = cgroups.groups_of()
        if guarded:
            parents = [(unified, own.get("", ""))]
            parents += [(controllers.get(limit), own.get(limit, "")) for limit in sorted(limits)]
            made.guard = cgroups.guard(mount / path / name for mount, path in parents if mount is not None)
        if freezer or limits:
            made._make_unified(unified, own.get("", ""), name, limits, needed=freezer)
        for limit in sorted(limits):
            made._limit(limit, controllers.get(limit), own.get(limit, ""), name, memory_mb)
        return made

    @property
    def joined_by(self) -> list[str]:
        """The files by which a process joins: it writes 0 to each before it becomes another program."""
        return sorted(str(folder / "cgroup.procs") for folder in self._folders())

    def _folders(self) -> set[pathlib.Path]:
        unified = None if self.freezer is None else self.freezer.folder
        return {folder for folder in (unified, self._memory, self._cpu) if folder is not None}

    # -- Memory

    def peak_memory_bytes(self) -> int | None:
        """Returns the most bytes that were used at a time, or None if no group counts them."""
        for name in ("memory.peak", "memory.max_usage_in_bytes"):
            if self._memory is not None and (self._memory / name).exists():
                return int((self._memory / name).read_text())
        return None

    def out_of_memory_kills(self) -> int:
        """Returns the number of processes that the kernel ended because the limit was reached."""
        for name in ("memory.events", "memory.oom_control"):
            if self._memory is not None and (self._memory / name).exists():
                fields = dict(line.split() for line in (self._memory / name).read_text().splitlines())
                return int(fields["oom_kill"])
        return 0

    # -- The end

    def kill(self) -> None:
        """Ends every process in the group, those that left their process group, too."""
        if self.freezer is not None:
            self.freezer.kill()

    def remove(self) -> None:
        """Takes the groups away, after `kill`."""
        for folder in self._folders():
            if not cgroups.remove(folder, _REMOVE_LIMIT):
                self.notes.append(f"{folder} is still in use and stays")
        self.freezer = self._memory = self._cpu = None

    # -- Making

    def _make_unified(
        self, mount: pathlib.Path | None, own: str, name: str, limits: Collection[Limit], *, needed: bool
    ) -> None:
        if mount is None:
            if needed:
                self.notes.append("no cgroup freezer: version 2 of cgroups is not mounted")
            return
        folder = mount / own / name
        _remove_orphans(folder.parent)
        try:
            self.freezer = FreezerGroup(folder)
        except OSError as error:
            if needed:
                self.notes.append(f"no cgroup freezer: {error.strerror} ({folder})")
            return
        if limits:
            # Parents hand their controllers down only where they may; what they don't is noted later.
            with contextlib.suppress(OSError):
                (folder.parent / "cgroup.subtree_control").write_text(
                    " ".join(f"+{limit}" for limit in sorted(limits))
                )

    def _limit(self, limit: Limit, mount: pathlib.Path | None, own: str, name: str, memory_mb: int) -> None:
        files = {
            "memory": (("memory.max", "memory.limit_in_bytes"), (memory_mb << 20,) * 2),
            "cpu": (
                ("cpu.max", "cpu.cfs_quota_us"),
                (f"{_quota_us(memory_mb)} {_PERIOD_US}", _quota_us(memory_mb)),
            ),
        }
        (new_file, old_file), (new_value, old_value) = files[limit]
        try:
            if self.freezer is not None and (self.freezer.folder / new_file).exists():
                folder = self.freezer.folder
                (folder / new_file).write_text(str(new_value))
            elif mount is not None:
                folder = mount / own / name
                _remove_orphans(folder.parent)
                folder.mkdir(exist_ok=True)
                if limit == "cpu":
                    (folder / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
                (folder / old_file).write_text(str(old_value))
            else:
                self.notes.append(f"no {limit} limit: cgroups have no controller for it here")
                return
        except OSError as error:
            self.notes.append(f"no {limit} limit: {error.strerror} ({error.filename})")
            return
        if limit == "memory":
            self._memory = folder
        else:
            self._cpu = folder


def _remove_orphans(parent: pathlib.Path) -> None:
    """Removes the groups of emulators that were killed, whose processes ended with them."""
    with contextlib.suppress(OSError):
        for folder in parent.glob(f"{_PREFIX}*-*"):
            emulator = folder.name.removeprefix(_PREFIX).partition("-")[0]
            if not pathlib.Path("/proc", emulator).exists():
                with contextlib.suppress(OSError):
                    folder.rmdir()


def _quota_us(memory_mb: int) -> int:
    """Returns the processor time of each period, by Lambda's rule. The kernel accepts no less than 1 ms."""
    share = min(memory_mb / MEMORY_MB_PER_CPU, os.cpu_count() or 1)
    return max(1000, int(_PERIOD_US * share))
