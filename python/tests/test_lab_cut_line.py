"""World W2: a client is stopped, and the line to the intake is cut for the span."""

from __future__ import annotations

import os
import pathlib
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from thaw.lab import line, report
from thaw.lab.command_line import main
from thaw.lab.experiment import W2_CLOSES, Close, ExperimentError, ExperimentSettings
from thaw.lab.experiments import compare
from thaw.lab.freeze_lengths import FreezeDistribution
from thaw.lab.intake import IntakeError
from thaw.lab.intake.script import PHASES
from thaw.lab.line import Line, LineError
from thaw.lab.progress import Progress
from thaw.lab.report import Run, dataset
from thaw.lab.results import ArmResult
from thaw.lab.worlds import over_line, surroundings, w1_stopped_process

REASON = line.why_not()
needs_line = pytest.mark.skipif(REASON is not None, reason=f"no line here: {REASON}")
CYCLES = 4
PHASES_OF_W2 = (*PHASES, *over_line.LOST_ON_THE_WAY)


def run_in_flight(arm: str, close: Close, cycles: int = len(PHASES_OF_W2)) -> Run:
    settings = ExperimentSettings(
        arms=(arm,),
        world="W2",
        scenario="inflight",
        close=close,
        cycles=cycles,
        payloads=2,
        workload="generated",
    )
    return compare.run(settings)


def run(arm: str, close: Close, round_trip: float = 0.0) -> ArmResult:
    settings = ExperimentSettings(
        arms=(arm,),
        world="W2",
        close=close,
        cycles=CYCLES,
        payloads=1,
        workload="generated",
        round_trip=round_trip,
    )
    return compare.run(settings).result.arms[arm]


@needs_line
@pytest.mark.parametrize("close", W2_CLOSES)
@pytest.mark.parametrize("arm", ["thaw", "thaw-pooled"])
def test_thaw_delivers_all_once_after_a_cut(arm: str, close: Close) -> None:
    figures = run(arm, close)
    assert (figures.delivered, figures.lost, figures.duplicated) == (CYCLES, 0, 0)


@needs_line
@pytest.mark.parametrize("close", [each for each in W2_CLOSES if each != "none"])
def test_a_client_that_trusts_its_pool_loses_what_it_sends_on_a_dead_connection(close: Close) -> None:
    figures = run("v93", close)
    # The first flush dials. Each later one meets a dead connection or, after a loss, dials.
    most = CYCLES // 2
    # A FIN is sent again after 0.2 s, which a client that a busy machine wakes later sees before its flush.
    assert 1 <= figures.lost <= most if close == "fin" else figures.lost == most
    assert figures.delivered == CYCLES - figures.lost


@needs_line
@pytest.mark.parametrize("close", W2_CLOSES)
def test_a_cut_in_mid_exchange_costs_thaw_nothing_and_what_had_arrived_is_told(close: Close) -> None:
    made = run_in_flight("thaw", close)
    figures = made.result.arms["thaw"]
    assert (figures.delivered, figures.lost) == (figures.payloads, 0)
    assert figures.duplicated <= figures.possible_duplicate
    assert made.measurements is not None
    cycles = made.measurements.cycles
    assert [each.phase for each in cycles] == list(PHASES_OF_W2)
    had_arrived = {each.phase: each.arrived_at_freeze for each in cycles}
    assert had_arrived == {
        **dict.fromkeys(("connect", "tls", "head", "body", "request"), 0),
        **dict.fromkeys(("written", "answer", "reply"), 1),
    }
    if close == "none":
        # The kernels send again what was lost, and the exchange goes on.
        assert (figures.duplicated, figures.errors) == (0, 0)
        assert {each.arrived for each in cycles} == {1}
    else:
        # An answer that never came leaves a request that the intake has, and that is sent again and flagged.
        assert [each.arrived for each in cycles if each.phase == "written"] == [2]
        assert figures.duplicated >= 2


@needs_line
@pytest.mark.parametrize("arm", ["v92", "v93", "thaw-pooled", "requests"])
def test_each_arm_is_cut_in_mid_exchange(arm: str) -> None:
    made = run_in_flight(arm, "nat")
    assert made.measurements is not None
    assert [each.phase for each in made.measurements.cycles] == list(PHASES_OF_W2)
    figures = made.result.arms[arm]
    assert figures.lost == (0 if arm == "thaw-pooled" else figures.lost)
    if arm == "requests":
        assert figures.lost > 0  # it has no second attempt


@pytest.mark.parametrize("close", [each for each in W2_CLOSES if each != "address"])
def test_a_proxy_stands_for_a_line_and_the_report_says_so(
    close: Close, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_line(**unused: object) -> None:
        raise LineError("no TUN device")

    monkeypatch.setattr(over_line, "Line", no_line)
    made = run_in_flight("thaw", close)
    figures = made.result.arms["thaw"]
    assert (figures.delivered, figures.lost) == (figures.payloads, 0)
    assert figures.duplicated <= figures.possible_duplicate
    assert "a proxy stands for the line, which can't be made: no TUN device" in capsys.readouterr().err
    assert "through a proxy in user space that stands for a line" in report.terminal_table(made.result)
    lost = run("v93", close).lost
    assert lost == (0 if close == "none" else CYCLES // 2)


@needs_line
def test_a_line_that_fails_ends_the_command_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def killed(self: Line, **_: int) -> None:
        raise LineError("the line's process is gone")

    monkeypatch.setattr(Line, "measure", killed)
    assert main(["compare", "--world=W2", "--close=nat", "--arms=thaw", "--cycles=1"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "thaw.lab: ExperimentError: the line's process is gone"


def test_an_intake_that_does_not_start_ends_the_command_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise IntakeError("the intake's process ended with \x1b[31m1")

    monkeypatch.setattr(surroundings, "Intake", refused)
    assert main(["compare", "--close=fin", "--arms=thaw", "--cycles=1", "--workload=generated"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        r"thaw.lab: ExperimentError: the intake's process ended with \x1b[31m1"
    )


@needs_line
@pytest.mark.parametrize("world", ["W1", "W2"])
def test_a_round_trip_is_made_by_a_line_and_the_measured_one_is_shown(world: str) -> None:
    settings = ExperimentSettings(
        arms=("thaw",),
        world="W1" if world == "W1" else "W2",
        close="fin",
        cycles=2,
        payloads=1,
        workload="generated",
        round_trip=0.02,
    )
    made = compare.run(settings)
    network = made.result.arms["thaw"].network
    assert network is not None
    assert network.measured is not None
    assert network.made_by == "line"
    assert 0.02 <= network.measured < 0.5
    assert network.congestion_control == "cubic"
    assert made.result.arms["thaw"].flush_ms.p50 >= 60  # TCP, TLS 1.3 and the request take a round trip each
    assert f"TCP handshake {network.measured * 1e3:.2f}" in report.terminal_table(made.result)
    assert ArmResult.from_json(made.result.arms["thaw"].to_json()).network == network


@needs_line
def test_blocks_with_drawn_freezes_keep_the_measured_network() -> None:
    settings = ExperimentSettings(
        arms=("v93", "thaw(max_idle_per_host=1)"),
        world="W2",
        close="nat",
        freeze=FreezeDistribution.of("uniform(least=0.001,most=0.02)"),
        cycles=2,
        payloads=1,
        blocks=2,
        workload="generated",
        round_trip=0.01,
    )
    made = compare.run(settings)
    assert made.measurements is not None
    assert all(0.001 <= row.freeze <= 0.02 for row in made.measurements.cycles)
    assert {arm: figures.lost for arm, figures in made.result.arms.items()} == {
        "v93": 2,
        "thaw(max_idle_per_host=1)": 0,
    }
    for figures in made.result.arms.values():
        assert figures.network is not None
        assert figures.network.made_by == "line"


@needs_line
def test_a_sweep_takes_the_closes_of_a_line(tmp_path: pathlib.Path) -> None:
    given = ["sweep", "--world=W2", "--close=blackhole,nat,address", "--arms=thaw", "--cycles=2"]
    assert main([*given, "--payloads=1", "--workload=generated", f"--out={tmp_path}"]) == 0
    rows = dataset.read_points(tmp_path)
    assert sorted(row.close for row in rows) == ["address", "blackhole", "nat"]
    assert {(row.world, row.payloads, row.lost) for row in rows} == {("W2", 2, 0)}


def test_without_a_line_w1_says_who_makes_the_round_trip_and_a_new_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_line(**unused: object) -> None:
        raise LineError("no TUN device")

    monkeypatch.setattr(over_line, "Line", no_line)
    settings = ExperimentSettings(
        arms=("thaw",), close="fin", cycles=1, payloads=1, workload="generated", round_trip=0.01
    )
    made = compare.run(settings)
    assert "no line can be made: no TUN device" in capsys.readouterr().err
    assert "made by the intake" in report.terminal_table(made.result)
    with pytest.raises(
        ExperimentError,
        match="close address of world W2 needs a line, which this machine does not allow: no TUN device",
    ):
        run("thaw", "address")


@needs_line
@pytest.mark.parametrize(
    ("call", "says"), [("measure", "^LINE: gone$"), ("cut", "^arm thaw, cycle 1: LINE: gone$")]
)
def test_a_line_that_fails_is_an_error_of_the_experiment(
    monkeypatch: pytest.MonkeyPatch, call: str, says: str
) -> None:
    def fail(_: line.Line, **__: int) -> None:
        raise LineError("LINE: gone")

    monkeypatch.setattr(line.Line, call, fail)
    with pytest.raises(ExperimentError, match=says):
        run("thaw", "fin")


class _Killing(Progress):
    """Calls `kill` when `cycles` cycles are done."""

    def __init__(self, cycles: int, kill: Callable[[], None]) -> None:
        super().__init__(silent=True)
        self._cycles, self._kill = cycles, kill

    def step(self, done: int, label: str | None = None) -> None:
        if done == self._cycles:
            self._kill()


def kill(doomed: line.Line) -> None:
    os.kill(doomed.pid, signal.SIGKILL)
    os.waitid(os.P_PID, doomed.pid, os.WEXITED | os.WNOWAIT)


@needs_line
@pytest.mark.parametrize("world", ["W1", "W2"])
@pytest.mark.parametrize("when", ["before the intake", "before the client", "in a flush"])
def test_a_line_that_is_killed_ends_the_experiment_soon(
    monkeypatch: pytest.MonkeyPatch, world: Any, when: str
) -> None:
    """Its packets are lost without a word: the flush under way would wait for its deadline."""
    lines: list[line.Line] = []
    measure, start = line.Line.measure, w1_stopped_process._start

    def measure_and_die(self: line.Line, **given: int) -> line.RoundTrip:
        lines.append(self)
        measured = measure(self, **given)
        if when == "before the intake":
            kill(self)
        return measured

    def die_and_start(*given: Any) -> Any:
        if when == "before the client":
            kill(lines[0])
        return start(*given)

    monkeypatch.setattr(line.Line, "measure", measure_and_die)
    monkeypatch.setattr(w1_stopped_process, "_start", die_and_start)
    settings = ExperimentSettings(
        arms=("thaw",),
        world=world,
        close="fin",
        cycles=100_000,
        round_trip=0.1,
        exchange_timeout=50,
        flush_deadline=60,
        workload="generated",
    )
    in_a_flush = _Killing(3, lambda: kill(lines[0]))
    begun = time.monotonic()
    with pytest.raises(ExperimentError, match="the line's process is gone"):
        compare.run(settings, in_a_flush if when == "in a flush" else None)
    assert time.monotonic() - begun < 20


def test_what_w2_can_not_do_is_refused() -> None:
    with pytest.raises(ValueError, match="close nat is only for worlds W2, W3a, W3b"):
        ExperimentSettings(close="nat")
    with pytest.raises(
        ValueError, match="world W2 has only closes fin, rst, silent, none, blackhole, nat, address"
    ):
        ExperimentSettings(world="W2", close="race")
    with pytest.raises(ValueError, match="idle_limit is 1: world W2 ends connections at the beginning"):
        ExperimentSettings(world="W2", close="fin", idle_limit=1.0)
