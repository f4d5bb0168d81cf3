"""The machine's load: whether other processes disturb a measurement, and the limits it runs under.

    if (load := host_load.measure()) is not None and load.busy: print(load.busy)

    since = host_load.Since()
    ...                       # a run
    since.load()              # what other processes used meanwhile

Figures are from /proc/stat (proc(5)). The work of this process and of its children that have ended is not
other processes' work.
"""

from __future__ import annotations

import os
import pathlib
import time
from dataclasses import dataclass

from thaw.lab import cgroups

# Bounds of an idle machine: the share of all processors' time that other processes use, and the share that
# the hypervisor gives to other machines.
MOST_OTHERS = 0.1
MOST_STEAL = 0.02
SECONDS = 1.0

_STAT = pathlib.Path("/proc/stat")
_USER, _NICE, _SYSTEM, _IRQ, _SOFTIRQ, _STEAL = 0, 1, 2, 5, 6, 7  # fields of the line "cpu" of /proc/stat


@dataclass(frozen=True)
class Load:
    """The load over some time.

    Attributes:
      others: the number of processors that other processes used, on average.
      steal: the share of all processors' time that the hypervisor took.
      average: the load average over the last minute, this process included.
      processors: the number of the machine's processors.
      seconds: the length of the measurement.
    """

    others: float
    steal: float
    average: float
    processors: int
    seconds: float

    @property
    def busy(self) -> str:
        """The reason for which times of this machine mean little; empty for an idle one."""
        reasons = []
        if self.others > MOST_OTHERS * self.processors:
            reasons.append(f"other processes used {self.others:.1f} of {self.processors} processors")
        if self.steal > MOST_STEAL:
            reasons.append(f"the hypervisor took {100 * self.steal:.0f} % of their time")
        return " and ".join(reasons)


@dataclass(frozen=True)
class _Reading:
    at: float
    busy: float  # seconds of all processors
    steal: float
    own: float
    processors: int


class Since:
    """The load since this object was made."""

    def __init__(self) -> None:
        self._begun = _read()

    def load(self) -> Load | None:
        """Returns the load until now; None where the machine does not tell."""
        ended = _read()
        return None if self._begun is None or ended is None else _between(self._begun, ended)


def measure(seconds: float = SECONDS) -> Load | None:
    """Waits, and returns the load meanwhile; None where the machine does not tell."""
    since = Since()
    time.sleep(seconds)
    return since.load()


def _between(first: _Reading, last: _Reading) -> Load | None:
    seconds = last.at - first.at
    if seconds <= 0:
        return None
    own = last.own - first.own
    return Load(
        others=max(0.0, (last.busy - first.busy - own) / seconds),
        steal=max(0.0, (last.steal - first.steal) / seconds / last.processors),
        average=os.getloadavg()[0],
        processors=last.processors,
        seconds=seconds,
    )


def _read() -> _Reading | None:
    try:
        text = _STAT.read_text()
    except OSError:
        return None
    return _parse(text, time.monotonic(), sum(os.times()[:4]))


def _parse(text: str, at: float, own: float) -> _Reading | None:
    """Reads the text of /proc/stat; None if it has no line of all processors."""
    lines = [line.split() for line in text.splitlines() if line.startswith("cpu")]
    if not lines or lines[0][0] != "cpu" or len(lines[0]) <= _STEAL + 1:
        return None
    ticks = [int(each) / os.sysconf("SC_CLK_TCK") for each in lines[0][1:]]
    busy = sum(ticks[field] for field in (_USER, _NICE, _SYSTEM, _IRQ, _SOFTIRQ))
    return _Reading(at, busy, ticks[_STEAL], own, max(1, len(lines) - 1))


# -- Limits and settings of the kernel ---------------------------------------------------------------------


def processor_quota() -> float | None:
    """Returns how many processors this process's control groups allow at most; None without a limit."""
    try:
        unified, controllers = cgroups.mounts()
        groups = cgroups.groups_of()
    except (OSError, ValueError):
        return None
    found = []
    if unified is not None and "" in groups:
        found += [_quota(folder, "cpu.max") for folder in _upwards(unified, groups[""])]
    if "cpu" in controllers and "cpu" in groups:
        found += [
            _quota(folder, "cpu.cfs_quota_us", "cpu.cfs_period_us")
            for folder in _upwards(controllers["cpu"], groups["cpu"])
        ]
    return min((each for each in found if each is not None), default=None)


def congestion_control() -> str:
    """Returns the kernel's default for TCP connections; empty where the machine does not tell."""
    return _text(pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control"))


def governor() -> str:
    """Returns the first processor's frequency governor; empty where the machine has none."""
    return _text(pathlib.Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"))


def _upwards(mount: pathlib.Path, group: str) -> list[pathlib.Path]:
    path = mount / group
    return [path, *(each for each in path.parents if each.is_relative_to(mount))]


def _quota(folder: pathlib.Path, *files: str) -> float | None:
    """Reads quota and period, from one file or two. None: there is no limit."""
    quota, period, *_ = [*" ".join(_text(folder / file) for file in files).split(), "", ""]
    if not (quota.isdecimal() and period.isdecimal() and int(period)):
        return None  # max, -1, or no such file
    return int(quota) / int(period)


def _text(path: pathlib.Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
