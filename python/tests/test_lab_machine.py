"""World W3a: a machine with a kernel of its own is stopped from outside, and its clocks go on."""

from __future__ import annotations

import time

import pytest

from thaw.lab import report
from thaw.lab.command_line import main
from thaw.lab.experiment import W3_CLOSES, Close, ExperimentError, ExperimentSettings, Scenario
from thaw.lab.experiments import compare
from thaw.lab.freezer import FreezerName
from thaw.lab.intake.script import PHASES
from thaw.lab.line import LineError
from thaw.lab.machine import user_mode_linux
from thaw.lab.report import Run
from thaw.lab.results import ArmResult
from thaw.lab.worlds import availability, over_line

REASON = availability.why_not("W3a")
needs_machine = pytest.mark.skipif(REASON is not None, reason=f"no machine here: {REASON}")
CYCLES = 4
PHASES_OVER_LINE = (*PHASES, *over_line.LOST_ON_THE_WAY)


def run(
    arm: str,
    close: Close,
    scenario: Scenario = "idle",
    cycles: int = CYCLES,
    freeze: float = 0.002,
    freezer: FreezerName = "sigstop",
) -> Run:
    settings = ExperimentSettings(
        arms=(arm,),
        world="W3a",
        scenario=scenario,
        close=close,
        cycles=cycles,
        payloads=2,
        workload="generated",
        freeze=freeze,
        freezer=freezer,
    )
    return compare.run(settings)


@needs_machine
@pytest.mark.parametrize("close", W3_CLOSES)
def test_thaw_in_a_machine_delivers_all_once_after_a_stop(close: Close) -> None:
    figures = run("thaw", close).result.arms["thaw"]
    assert (figures.delivered, figures.lost, figures.duplicated) == (2 * CYCLES, 0, 0)


@needs_machine
@pytest.mark.parametrize("close", ["fin", "blackhole"])
def test_a_machine_is_stopped_in_mid_exchange(close: Close) -> None:
    made = run("thaw-pooled", close, "inflight", cycles=len(PHASES_OVER_LINE))
    figures = made.result.arms["thaw-pooled"]
    assert (figures.delivered, figures.lost) == (figures.payloads, 0)
    assert figures.duplicated <= figures.possible_duplicate
    assert made.measurements is not None
    assert [each.phase for each in made.measurements.cycles] == list(PHASES_OVER_LINE)


@needs_machine
@pytest.mark.parametrize(("arm", "lost"), [("v93", 4), ("requests", None)])
def test_other_arms_run_in_a_machine(arm: str, lost: int | None) -> None:
    figures = run(arm, "nat").result.arms[arm]
    assert figures.delivered + figures.lost == 2 * CYCLES
    # Each second flush meets a dead connection; a client of one request at a time loses the first of two.
    assert figures.lost == (lost if lost is not None else figures.lost)
    assert figures.lost > 0


@needs_machine
def test_clocks_go_on_while_a_machine_is_stopped_and_the_report_says_so() -> None:
    made = run("thaw", "none", cycles=3, freeze=0.5)
    clocks = made.result.arms["thaw"].clocks
    assert clocks is not None
    assert 1.0 <= clocks.frozen < 5.0
    for lost in (clocks.wall, clocks.monotonic, clocks.boot):
        assert abs(lost) < 0.25
    assert f"thaw was frozen for {clocks.frozen:.2f} s, in which its wall" in report.terminal_table(
        made.result
    )
    assert ArmResult.from_json(made.result.arms["thaw"].to_json()).clocks == clocks


@needs_machine
def test_a_machine_boots_and_flushes_in_seconds() -> None:
    begun = time.monotonic()
    figures = run("thaw", "fin", cycles=1).result.arms["thaw"]
    took = time.monotonic() - begun
    print(f"from the start to the end of an experiment with one flush: {took:.1f} s")
    assert figures.delivered == 2
    assert took < 60


def test_without_user_mode_linux_w3a_is_refused_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(user_mode_linux, "EXECUTABLE", "no-such-linux.uml")
    given = ["compare", "--world=W3a", "--close=nat", "--arms=thaw", "--cycles=1", "--workload=generated"]
    assert main(given) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "thaw.lab: world W3a can't be run here: no-such-linux.uml is not installed"
        " (Debian's package user-mode-linux has it)"
    )


def test_without_a_line_w3a_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_line(**unused: object) -> None:
        raise LineError("no TUN device")

    monkeypatch.setattr(user_mode_linux, "missing_program", lambda: None)
    monkeypatch.setattr(over_line, "Line", no_line)
    with pytest.raises(ExperimentError, match="W3a needs a line, which this machine does not allow: no TUN"):
        run("thaw", "fin")


def test_what_w3a_can_not_do_is_refused() -> None:
    with pytest.raises(ValueError, match="world W3a has only closes fin, rst, silent, none, blackhole, nat"):
        ExperimentSettings(world="W3a", close="address")
    with pytest.raises(ValueError, match="idle_limit is 1: world W3a ends connections at the beginning"):
        ExperimentSettings(world="W3a", close="fin", idle_limit=1.0)
    with pytest.raises(ValueError, match=r"cpu_share is 0\.5: it is for a process, so for worlds W1 and W2"):
        ExperimentSettings(world="W3a", close="fin", cpu_share=0.5)
    with pytest.raises(ValueError, match="freezer is cgroup: world W3b's machine is stopped by its monitor"):
        ExperimentSettings(arms=("thaw",), world="W3b", close="fin", freezer="cgroup")


def test_a_share_of_a_processor_and_the_cgroup_freezer_are_refused_together() -> None:
    for world in ("W1", "W2"):
        with pytest.raises(
            ValueError, match=r"cpu_share is 0\.5 and freezer is cgroup: a process can be in only one group"
        ):
            ExperimentSettings(world=world, close="fin", cpu_share=0.5, freezer="cgroup")
