"""No process, namespace, link, cgroup or mount is left of an experiment, however it ends."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from thaw.lab import cgroups
from thaw.lab.child_environment import child_environment
from thaw.lab.emulator.environment_groups import EnvironmentGroups
from thaw.lab.experiment import WorldName
from thaw.lab.freezer import FreezerName
from thaw.lab.worlds import availability

from . import polling, quick_load

# A namespace that another test makes at the same time would look like one that is left.
pytestmark = pytest.mark.alone
_KINDS = ("mnt", "net", "pid", "user")
_MARK = "THAW_TEST_MARK"
_CGROUPS = pathlib.Path("/sys/fs/cgroup")
_LIMIT = 60.0
# World, and how its client is frozen.
CASES: list[tuple[WorldName, FreezerName]] = [
    ("W1", "sigstop"),
    ("W1", "cgroup"),
    ("W2", "sigstop"),
    ("W2", "cgroup"),
    ("W3a", "sigstop"),
    ("W3a", "cgroup"),
]


@dataclass
class Marked:
    """The processes that have a certain variable, and their namespaces."""

    mark: str

    def processes(self) -> list[int]:
        """Returns those that have not ended."""
        return [pid for pid in _processes() if self._has_mark(pid)]

    def _has_mark(self, pid: int) -> bool:
        with contextlib.suppress(OSError):
            return f"{_MARK}={self.mark}".encode() in pathlib.Path(f"/proc/{pid}/environ").read_bytes()
        return False


def _processes() -> Iterator[int]:
    for name in os.listdir("/proc"):
        if name.isdigit():
            yield int(name)


def _namespaces(pids: Iterator[int] | list[int]) -> set[str]:
    found = set()
    for pid in pids:
        for kind in _KINDS:
            with contextlib.suppress(OSError):
                found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
    return found


def _cgroups() -> set[pathlib.Path]:
    return {*_CGROUPS.glob("freezer/thaw-lab-*"), *_CGROUPS.glob("thaw-lab-*")}


def _surroundings() -> tuple[set[str], str]:
    """The machine's links and mounts."""
    return set(os.listdir("/sys/class/net")), pathlib.Path("/proc/self/mountinfo").read_text()


def _why_not(world: WorldName, freezer: FreezerName) -> str | None:
    if freezer == "cgroup" and (os.geteuid() != 0 or not os.access(_CGROUPS, os.W_OK)):
        return "the cgroup freezer needs root and a writable hierarchy"
    return availability.why_not(world)


@pytest.mark.parametrize(("world", "freezer"), CASES)
@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
def test_nothing_is_left_of_an_experiment(world: WorldName, freezer: FreezerName, killed: bool) -> None:
    if (reason := _why_not(world, freezer)) is not None:
        pytest.skip(f"no {world} frozen by {freezer} here: {reason}")
    marked = Marked(uuid.uuid4().hex)
    before, own = _surroundings(), _namespaces([os.getpid()])
    command = quick_load.command("thaw.lab", "compare", f"--world={world}", f"--freezer={freezer}")
    command += ["--arms=thaw", "--close=fin", "--workload=generated", "--payloads=1"]
    command += ["--cycles=100000", "--freeze=30"] if killed else ["--cycles=2"]
    process = subprocess.Popen(
        command,
        env={**child_environment(), _MARK: marked.mark},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        seen: set[str] = set()
        groups: set[pathlib.Path] = set()
        most = 0
        deadline = time.monotonic() + _LIMIT
        while process.poll() is None and time.monotonic() < deadline:
            pids = marked.processes()
            most = max(most, len(pids))
            seen |= _namespaces(pids) - own
            groups |= {each for each in _cgroups() if each.name.endswith(tuple(f"-{pid}" for pid in pids))}
            if killed and any(_is_frozen(pid) for pid in pids):
                break
            time.sleep(0.02)
        assert most >= 3  # the laboratory, the intake and the client
        if killed:
            process.kill()
        assert process.wait(timeout=_LIMIT) == (-9 if killed else 0)
        if world != "W1":
            assert seen
        if freezer == "cgroup":
            assert groups
        _await_none(marked, seen, groups)
        assert _surroundings() == before
    finally:
        process.kill()
        process.wait()


def _is_frozen(pid: int) -> bool:
    """Returns whether a process is stopped, or in a frozen group."""
    with contextlib.suppress(OSError):
        if "\nState:\tT (stopped)" in pathlib.Path(f"/proc/{pid}/status").read_text():
            return True
        for text in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            path = text.rpartition(":")[2].lstrip("/")
            for state, frozen in (
                (_CGROUPS / "freezer" / path / "freezer.state", "FROZEN"),
                (_CGROUPS / path / "cgroup.events", "frozen 1"),
            ):
                if "thaw-lab-" in path and state.exists() and frozen in state.read_text():
                    return True
    return False


def _await_none(marked: Marked, namespaces: set[str], groups: set[pathlib.Path]) -> None:
    """Waits until nothing of them is left; the kernel takes a moment to end killed processes."""
    deadline = time.monotonic() + 15
    while True:
        left = (
            marked.processes(),
            _namespaces(_processes()) & namespaces,
            {each for each in groups if each.exists()},
        )
        if not any(left):
            return
        if time.monotonic() > deadline:
            pytest.fail(f"left behind: processes {left[0]}, namespaces {left[1]}, cgroups {left[2]}")
        time.sleep(0.05)


def _groups_of(pid: int) -> set[pathlib.Path]:
    """The groups that limit the processor of what process `pid` started, in either version's hierarchy."""
    unified, controllers = cgroups.mounts()
    mounts = [each for each in (unified, controllers.get("cpu")) if each is not None]
    return {group for mount in mounts for group in mount.rglob(f"lambda-{pid}-*")}


def _why_no_share() -> str | None:
    groups = EnvironmentGroups.make(freezer=False, limits={"cpu"}, memory_mb=512)
    groups.remove()
    return "; ".join(groups.notes) or None


@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
def test_no_group_of_a_share_of_a_processor_is_left(killed: bool) -> None:
    if (reason := _why_no_share()) is not None:
        pytest.skip(f"no share of a processor here: {reason}")
    command = quick_load.command("thaw.lab", "compare", "--world=W1", "--cpu-share=0.5", "--freeze=0.05")
    command += ["--arms=thaw", "--close=none", "--workload=generated", "--payloads=1"]
    command += [f"--cycles={100_000 if killed else 20}"]
    process = subprocess.Popen(
        command, env=child_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        groups = set()

        def ended_or_in_groups() -> bool:
            groups.update(_groups_of(process.pid))
            return bool(groups) or process.poll() is not None

        polling.wait_until(ended_or_in_groups, _LIMIT)
        assert groups
        if killed:
            process.kill()
        assert process.wait(timeout=_LIMIT) == (-9 if killed else 0)
        polling.wait_until(lambda: not any(each.exists() for each in groups))
    finally:
        process.kill()
        process.wait()
