"""A frozen process does nothing until it is resumed, however it was frozen."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from thaw.lab import freezer
from thaw.lab.freezer import FREEZERS, FreezerError, FreezerName

from . import polling

# Counts as fast as it can, on two threads.
PROGRAM = """
import itertools, threading, time
def count():
    for number in itertools.count():
        time.sleep(0)
threading.Thread(target=count, daemon=True).start()
print("ready", flush=True)
count()
"""


@pytest.fixture
def counting() -> Iterator[psutil.Process]:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            yield psutil.Process(child.pid)
        finally:
            child.kill()


def made(name: FreezerName, pid: int) -> freezer.Freezer:
    try:
        return freezer.make(name, pid)
    except FreezerError as error:
        pytest.skip(str(error))


def processor_time(process: psutil.Process) -> float:
    used = process.cpu_times()
    return used.user + used.system


@pytest.mark.parametrize("name", FREEZERS)
def test_frozen_it_uses_no_processor(name: FreezerName, counting: psutil.Process) -> None:
    ice = made(name, counting.pid)
    try:
        for _ in range(2):
            ice.freeze()
            before = processor_time(counting)
            time.sleep(0.1)
            assert processor_time(counting) == before
            ice.resume()
            polling.wait_until(lambda: processor_time(counting) != before, every=0.01)  # noqa: B023  at once
    finally:
        ice.close()


@pytest.mark.parametrize("name", FREEZERS)
@pytest.mark.parametrize("killed", [True, False])
def test_closing_leaves_nothing_behind(name: FreezerName, killed: bool, counting: psutil.Process) -> None:
    group = pathlib.Path(f"/proc/{counting.pid}/cgroup")
    before = group.read_text()
    ice = made(name, counting.pid)
    ice.freeze()
    if killed:
        counting.kill()
    ice.close()
    if not killed:
        assert group.read_text() == before
    assert not list(pathlib.Path("/sys/fs/cgroup").glob(f"**/thaw-lab-{counting.pid}"))


def test_a_machine_without_cgroups_is_named_as_the_reason(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FreezerError, match="there is no cgroup freezer"):
        freezer.CgroupFreezer(os.getpid(), tmp_path)


def test_a_missing_privilege_is_named_as_the_reason(tmp_path: pathlib.Path) -> None:
    (tmp_path / "cgroup.controllers").touch()
    (tmp_path / f"thaw-lab-{os.getpid()}").touch()  # mkdir fails, as it does without the privilege
    with pytest.raises(FreezerError, match="can't be used here"):
        freezer.CgroupFreezer(os.getpid(), tmp_path)
