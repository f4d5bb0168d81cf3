"""thaw.simulate: world W0 from Python."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import textwrap
from typing import Any

import pytest

import thaw
from thaw.lab.child_environment import child_environment


def test_one_seed_is_one_run() -> None:
    given: dict[str, Any] = {"cycles": 50, "close": "mixed", "fault_rate": 0.5, "scenario": "inflight"}
    first = thaw.simulate(seed=3, **given)
    assert thaw.simulate(seed=3, **given) == first
    assert thaw.simulate(seed=4, **given)["steps"] != first["steps"]


def test_flushes_take_virtual_time() -> None:
    near, far = (thaw.simulate(cycles=20, one_way=each)["flush_ms"] for each in (0.001, 0.05))
    assert 0.0 < near["p50"] <= near["p99"] < 60.0
    # Connection, TLS, request: three round trips of 100 ms. The freezes are of a second and more.
    assert 300.0 <= far["p50"] <= far["p99"] < 1000.0


def test_a_flush_of_many_payloads_is_long_and_no_defect() -> None:
    # Each is a request of its own here: more than the deadline of one flush has room for.
    result = thaw.simulate(cycles=1, payloads=3000, one_way=0.05)
    assert (result["delivered"], result["lost"], result["retained"]) == (3000, 0, 0)
    assert result["flush_ms"]["p50"] == pytest.approx(10_000.0)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"cycles": 0}, "cycles is 0"),
        ({"payloads": -1}, "payloads is -1"),
        ({"payloads": 10**9}, "payloads is 1000000000, must be at most 65536"),
        ({"fault_rate": 1.5}, "fault_rate is 1.5, must be from 0 to 1"),
        ({"fault_rate": math.nan}, "fault_rate is nan, must be from 0 to 1"),
        ({"close": "slam"}, 'close is "slam", not one of: fin, rst, silent, race, mixed'),
        ({"scenario": "now"}, 'scenario is "now"'),
        ({"freeze": (2.0, 1.0)}, "the longest freeze is 1, must be at least 2"),
        ({"freeze": (math.nan, 1.0)}, "the shortest freeze is nan"),
        ({"freeze": (-1.0, 1.0)}, "the shortest freeze"),
        ({"freeze": (1.0, math.inf)}, "the longest freeze is infinite"),
        ({"idle_limit": -5.0}, "idle_limit"),
        ({"idle_limit": 0.0}, "idle_limit is 0, must be above 0"),
        ({"idle_limit": math.inf}, "idle_limit is infinite"),
        ({"one_way": -0.1}, "one_way"),
        ({"one_way": math.nan}, "one_way"),
        ({"service_time": math.inf}, "service_time is infinite"),
    ],
)
def test_impossible_settings_are_named(given: dict[str, Any], says: str) -> None:
    with pytest.raises(thaw.InvalidArgument, match=says):
        thaw.simulate(**given)


def test_progress_is_told_and_may_end_it() -> None:
    seen: list[int] = []
    thaw.simulate(cycles=600, progress=seen.append)
    assert seen == [0, 256, 512]

    def enough(cycle: int) -> None:
        raise LookupError(f"enough at {cycle}")

    with pytest.raises(LookupError, match="enough at 0"):
        thaw.simulate(cycles=600, progress=enough)


def test_interrupt_ends_it() -> None:
    program = textwrap.dedent(
        """
        import thaw

        def begun(cycle):
            if cycle == 0:
                print("begun", flush=True)

        try:
            thaw.simulate(cycles=1 << 40, progress=begun)
        except KeyboardInterrupt:
            print("interrupted")
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=child_environment()
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "begun\n"
            child.send_signal(signal.SIGINT)
            assert child.communicate(timeout=30)[0] == "interrupted\n"
        finally:
            child.kill()
