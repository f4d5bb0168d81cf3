"""The origin of measurements: code, machine, its load and its limits, and the command that repeats them."""

from __future__ import annotations

import datetime
import functools
import hashlib
import importlib.metadata
import os
import pathlib
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import thaw
from thaw.lab import host_load, needs
from thaw.lab.experiment import NetworkFigures
from thaw.lab.freezer import FreezerName
from thaw.lab.host_load import Load

UNKNOWN_COMMIT = "unknown"

CLOCK_BEHAVIOUR = {
    "W0": "every clock as the simulation sets it",
    "W1": "every clock goes on: a stopped process is frozen, the kernel is not",
    "W2": "every clock goes on: a stopped process is frozen, the kernel is not",
    "W3a": "every clock goes on: a machine with its kernel is stopped from outside",
    "W3b": "every clock stands still: a machine is stopped with its clocks",
}


@dataclass(frozen=True)
class Provenance:
    """The origin of measurements. None, or an empty text, stands for what is not known or does not apply.

    Attributes:
      commit: the commit, with "-dirty" if tracked files differ from it; `dirty`: a digest of the difference.
      date: UTC, in ISO 8601.
      clock_behaviour: the clocks that went on while the client was frozen, in words.
      command: the command that runs the experiment again; `argv` is the command line that was given.
      complete: whether the experiment ran to its end.
      libraries: versions of the packages that are installed.
      processor_quota: the most processors that the control groups allow.
      congestion_control: the line's where there is one, else the kernel's default.
      connect_ms: the time of a TCP handshake over the line, measured before the run.
      load_average: the machine's when the run began.
      others_before, steal_before: processors that other processes used in the second before the run, and the
        share that the hypervisor took; others_during, steal_during: the same of the run itself.
      busy: the reason why times mean little; empty for an idle machine.
    """

    version: str
    commit: str
    date: str
    kernel: str
    cpu_model: str
    cores: int
    python: str
    world: str
    seed: int
    cycles: int
    clock_behaviour: str
    command: str = ""
    complete: bool = True
    dirty: str = ""
    argv: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)
    processor_quota: float | None = None
    governor: str = ""
    congestion_control: str = ""
    connect_ms: float | None = None
    load_average: float | None = None
    others_before: float | None = None
    steal_before: float | None = None
    others_during: float | None = None
    steal_during: float | None = None
    busy: str = ""

    @property
    def machine(self) -> str:
        """One line about the machine."""
        return f"{self.cores} × {self.cpu_model}, {self.kernel}"


def provenance(
    *,
    world: str,
    seed: int,
    cycles: int,
    freezer: FreezerName = "sigstop",
    command: str = "",
    complete: bool = True,
    load: Load | None = None,
    load_during: Load | None = None,
    network: NetworkFigures | None = None,
) -> Provenance:
    """Returns the provenance of measurements made here and now.

    Args:
      freezer: the freezer of W1, W2 and W3a.
      load, load_during: the machine's load before the run, and during it.
      network: the line's figures, if there is one.
    """
    measured = None if network is None else network.measured
    control = None if network is None else network.congestion_control
    return Provenance(
        version=thaw.__version__,
        commit=commit(),
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        kernel=f"{platform.system()} {platform.release()}",
        cpu_model=cpu_model(),
        cores=len(os.sched_getaffinity(0)),
        python=platform.python_version(),
        world=world,
        seed=seed,
        cycles=cycles,
        clock_behaviour=CLOCK_BEHAVIOUR[world]
        + (f" (frozen by {freezer})" if world not in ("W0", "W3b") else ""),
        command=command,
        complete=complete,
        dirty=dirty(),
        argv=shlex.join(sys.argv),
        libraries=dict(_libraries()),
        processor_quota=host_load.processor_quota(),
        governor=host_load.governor(),
        congestion_control=control or host_load.congestion_control(),
        connect_ms=None if measured is None else measured * 1e3,
        load_average=None if load is None else load.average,
        others_before=None if load is None else load.others,
        steal_before=None if load is None else load.steal,
        others_during=None if load_during is None else load_during.others,
        steal_during=None if load_during is None else load_during.steal,
        busy=_busy(load, load_during),
    )


@functools.cache
def commit() -> str:
    """Returns the commit of the checkout this package is in, with "-dirty" if tracked files differ from it;
    "unknown" for a package that was installed from a wheel.
    """
    text = _git("describe", "--always", "--dirty", "--exclude=*", "--abbrev=40")
    return UNKNOWN_COMMIT if text is None else text.decode().strip()


@functools.cache
def dirty() -> str:
    """Returns a digest of the difference between tracked files and the commit; empty if there is none."""
    text = _git("diff", "HEAD") if commit().endswith("-dirty") else None
    return "" if text is None else hashlib.sha256(text).hexdigest()[:16]


def _git(*arguments: str) -> bytes | None:
    """Returns the output of git about the checkout; None without a checkout or git."""
    root = pathlib.Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return None
    try:
        return subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None


@functools.cache
def _libraries() -> tuple[tuple[str, str], ...]:
    found = []
    for name in sorted(set(needs.EVERYTHING.values())):
        try:
            found.append((name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return tuple(found)


def _busy(load: Load | None, load_during: Load | None) -> str:
    said = [
        f"{when} the run {each.busy}"
        for when, each in (("before", load), ("during", load_during))
        if each is not None and each.busy
    ]
    return "; ".join(said)


def cpu_model() -> str:
    """Returns the name of the machine's processor."""
    try:
        match = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        match = None
    return match[1] if match else platform.machine()
