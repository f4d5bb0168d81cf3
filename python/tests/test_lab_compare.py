"""Experiments, whole: a client's process is frozen, the intake ends connections, and what came is counted."""

from __future__ import annotations

import itertools
import json
import pathlib
import signal
import subprocess
import time
from typing import Any

import psutil
import pytest

from thaw.lab import arms, report, workload
from thaw.lab.__main__ import main
from thaw.lab.child_environment import child_environment
from thaw.lab.experiment import CLOSES, Close, ExperimentSettings
from thaw.lab.experiments import compare
from thaw.lab.freezer import FreezerError
from thaw.lab.intake.script import PHASES
from thaw.lab.report import Run
from thaw.lab.results import ArmResult

from . import polling, quick_load

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONDITIONS = {
    *("world", "close", "scenario", "cycles", "seed", "payloads", "workload", "freeze", "round_trip"),
    *("tls_version", "exchange_timeout", "flush_deadline", "freezer", "blocks", "spans", "filler_bytes"),
    "cpu_share",
}
RESULT_KEYS = CONDITIONS | {"commit", "command", "complete", "comparisons", "arms"}
ARM_KEYS = {
    "cycles",
    *("payloads", "requests", "delivered", "lost", "duplicated", "possible_duplicate", "retained", "dropped"),
    *("errors", "connections", "handshakes_full", "handshakes_resumed", "stale", "cpu_us_per_payload"),
    *("flush_ms", "first_flush_ms", "clocks", "late", "bytes_per_request"),
}
CYCLES = 6


def run(arm: str, **settings: Any) -> tuple[ArmResult, Run]:
    """Runs one arm alone. Returns what it did, and the whole experiment."""
    given = {"cycles": CYCLES, "payloads": 2, "workload": "generated", **settings}
    made = compare.run(ExperimentSettings(arms=(arm,), **given))
    return made.result.arms[arm], made


@pytest.mark.parametrize("close", CLOSES)
@pytest.mark.parametrize("arm", ["thaw", "thaw-unshared", "thaw-pooled"])
def test_thaw_frozen_between_flushes_delivers_all_once(arm: str, close: Close) -> None:
    figures, _ = run(arm, close=close)
    wanted = {"payloads": 12, "delivered": 12, "lost": 0, "duplicated": 0, "retained": 0, "dropped": 0}
    assert {name: getattr(figures, name) for name in wanted} == wanted
    assert figures.errors == 0


@pytest.mark.parametrize("close", CLOSES)
@pytest.mark.parametrize("arm", ["v93", "requests", "pycurl"])
def test_every_payload_of_every_client_is_accounted_for(arm: str, close: Close) -> None:
    figures, made = run(arm, close=close)
    fates = ("delivered", "lost", "retained", "dropped")
    assert sum(getattr(figures, name) for name in fates) == figures.payloads == 12
    assert made.measurements is not None
    assert len(made.measurements.payloads) == 12
    assert len(made.measurements.cycles) == CYCLES


def test_the_times_of_a_race_are_measured_and_shown() -> None:
    figures, made = run("thaw-pooled", close="race", cycles=20, payloads=1)
    assert made.measurements is not None
    first, *others = made.measurements.cycles
    assert (first.close_ms, first.flush_start_ms) == (None, None)
    assert all(each.flush_start_ms is not None and each.flush_start_ms > 0 for each in others)
    raced = [each for each in others if each.close_ms is not None]
    assert figures.race is not None
    assert (figures.race.flushes, figures.race.closes) == (19, len(raced))
    assert figures.race.p5_ms <= figures.race.p50_ms <= figures.race.p95_ms
    assert ArmResult.from_json(figures.to_json()) == figures
    shown = f"thaw-pooled p5 {figures.race.p5_ms:.1f}, p50 {figures.race.p50_ms:.1f}"
    assert shown in report.terminal_table(made.result)
    assert shown in report.page([made])

    figures, made = run("thaw-pooled", close="fin", cycles=3, payloads=1)
    assert figures.race is None
    assert set(figures.to_json()) == ARM_KEYS
    assert report.race(made.result) == ""


@pytest.mark.parametrize("arm", ["v93", "requests"])
def test_a_pool_that_a_freeze_made_stale_loses_every_second_flush(arm: str) -> None:
    figures, made = run(arm, close="silent", payloads=1)
    assert figures.lost == CYCLES // 2
    assert figures.connections == CYCLES // 2
    assert figures.errors >= CYCLES // 2
    assert made.measurements is not None
    lost = [row.cycle for row in made.measurements.payloads if row.outcome == "lost"]
    assert lost == [1, 3, 5]


@pytest.mark.parametrize("arm", ["v92", "v94", "v98"])
def test_an_arm_that_keeps_no_connection_loses_none(arm: str) -> None:
    figures, _ = run(arm, close="silent")
    assert (figures.delivered, figures.lost, figures.connections) == (12, 0, CYCLES)
    # A session is remembered by a client that lives on.
    assert figures.handshakes_full == (CYCLES if arm == "v92" else 1)


@pytest.mark.parametrize("arm", ["v93", "v98", "thaw", "thaw-pooled", "requests", "pycurl"])
def test_frozen_in_flight_at_every_phase(arm: str) -> None:
    figures, made = run(arm, scenario="inflight", close="rst", payloads=1)
    assert made.measurements is not None
    assert [cycle.phase for cycle in made.measurements.cycles] == list(PHASES)
    assert figures.delivered + figures.lost + figures.retained == figures.payloads


@pytest.mark.parametrize("close", ["fin", "rst", "race"])
def test_payloads_that_thaw_sends_twice_in_flight_are_flagged(close: Close) -> None:
    # No limit of time is to end an exchange here, however busy the machine is: what is sent anew because of
    # one may come twice wherever it was frozen before.
    figures, made = run("thaw", scenario="inflight", close=close, payloads=1, exchange_timeout=30.0)
    assert (figures.delivered, figures.lost, figures.retained) == (CYCLES, 0, 0)
    assert made.measurements is not None
    twice = {row.phase for row in made.measurements.payloads if row.times_delivered > 1}
    # Only where the intake had all of a request can it come twice. A close that races the resume may come
    # after it: then an exchange that was frozen earlier can get that far.
    assert twice == {"written", "answer"} or (close == "race" and twice > {"written", "answer"})
    assert all(row.flagged for row in made.measurements.payloads if row.times_delivered > 1)
    # Only what was written whole at the freeze is flagged, which a small request is from its head on.
    flagged = {row.phase for row in made.measurements.payloads if row.flagged}
    assert flagged <= {"head", "written", "answer"} or close == "race"
    # The client finds the end before it can be told of the resume, and knows that it crossed a freeze.
    assert figures.stale == 3 or close == "race"


@pytest.mark.slow
def test_thaw_outlasts_a_peer_that_is_silent_in_flight() -> None:
    figures, _ = run("thaw", scenario="inflight", close="silent", payloads=1, exchange_timeout=0.4)
    assert (figures.delivered, figures.lost, figures.retained) == (CYCLES, 0, 0)


def test_in_an_open_loop_times_count_from_the_planned_start() -> None:
    begun = time.monotonic()
    _, made = run("thaw", close="fin", cycles=4, payloads=1, flush_every=0.4)
    assert time.monotonic() - begun > 3 * 0.4
    assert made.measurements is not None
    first, *others = made.measurements.cycles
    assert first.late_ms is None
    assert all(each.late_ms is not None and each.flush_ms > each.late_ms for each in others)
    assert "a flush planned every 400 ms, times from the planned start" in report.conditions(made.result)

    # Each freeze lasts for 20 ms, so that a flush every millisecond comes later and later. A closed loop
    # would not say so.
    _, made = run("thaw", close="fin", cycles=5, payloads=1, flush_every=0.001, freeze=0.02)
    assert made.measurements is not None
    late = [each.late_ms or 0.0 for each in made.measurements.cycles]
    assert all(after - before >= 19.0 for before, after in itertools.pairwise(late))
    _, made = run("thaw", close="fin", cycles=2, payloads=1)
    assert made.measurements is not None
    assert [each.late_ms for each in made.measurements.cycles] == [None, None]


def test_a_round_trip_and_tls_1_2() -> None:
    figures, _ = run("thaw", cycles=2, round_trip=0.02, tls_version="1.2")
    assert figures.delivered == 4
    assert figures.flush_ms.p50 >= 20.0


@pytest.mark.parametrize(("arm", "lost"), [("thaw", 0), ("v93", CYCLES)])
def test_the_cgroup_freezer_shows_the_same(arm: str, lost: int) -> None:
    try:
        figures, made = run(arm, close="silent", freezer="cgroup")
    except FreezerError as error:
        pytest.skip(str(error))
    assert (figures.lost, figures.delivered) == (lost, 2 * CYCLES - lost)
    assert made.measurements is not None
    assert made.measurements.provenance.clock_behaviour.endswith("(frozen by cgroup)")


def test_world_w0_is_simulated() -> None:
    thaw_figures, made = run("thaw", world="W0", close="silent", cycles=50)
    v93_figures, _ = run("v93", world="W0", close="silent", cycles=50)
    assert (thaw_figures.delivered, thaw_figures.lost) == (100, 0)
    assert v93_figures.lost > 0
    assert set(thaw_figures.to_json()) == ARM_KEYS - {
        *("first_flush_ms", "clocks", "late", "bytes_per_request")
    }
    assert made.measurements is None
    assert report.conditions(made.result) == (
        "2 payloads a flush, generated workload, round trip 1 ms, TLS 1.3, freeze 61 to 89 s"
    )
    # Name, connection, TLS, request: of a network that adds 20 ms each.
    slow, _ = run("thaw", world="W0", cycles=50, round_trip=0.02)
    assert slow.flush_ms.p99 >= slow.flush_ms.p50 >= 60.0 > thaw_figures.flush_ms.p50 > 0.0


# -- The command line --------------------------------------------------------------------------------


def test_the_json_has_the_documented_members(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "result.json"
    given = ["--arms", "v93,thaw", "--cycles", "4", "--payloads", "1", "--seed", "9", "--json", str(file)]
    assert main(["compare", *given, "--workload", "generated", "--close", "silent"]) == 0
    result = json.loads(file.read_text())
    assert set(result) - {"busy"} == RESULT_KEYS
    assert list(result["arms"]) == ["v93", "thaw"]
    assert all(
        set(arm) == ARM_KEYS and set(arm["flush_ms"]) == {"p50", "p99"} for arm in result["arms"].values()
    )
    assert {name: result[name] for name in CONDITIONS} == {
        "world": "W1",
        "close": "silent",
        "scenario": "idle",
        "cycles": 4,
        "payloads": 1,
        "seed": 9,
        "workload": "generated",
        "freeze": 0.002,
        "round_trip": 0.0,
        "tls_version": "1.3",
        "exchange_timeout": 1.0,
        "flush_deadline": 10.0,
        "freezer": "sigstop",
        "blocks": 1,
        "spans": 10,
        "filler_bytes": 64,
        "cpu_share": 1.0,
    }
    assert result["complete"] is True
    table = capsys.readouterr().out
    assert all(any(line.startswith(f"{arm} ") for line in table.splitlines()) for arm in ("v93", "thaw"))


def test_an_unknown_world_or_arm_is_told_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["compare", "--world", "W9"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert all(name in said for name in ("W9", "W0", "W1"))

    with pytest.raises(SystemExit) as stopped:
        main(["compare", "--arms", "v93,v17"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert all(name in said for name in ("v17", *arms.ARMS))


def test_help_names_every_arm(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in arms.ARMS)


# -- When something is missing or goes away --------------------------------------------------------------


def test_without_the_tracer_payloads_are_generated_and_the_reason_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> list[workload.Capture]:
        raise RuntimeError("the tracer sent no traces")

    monkeypatch.setattr(workload, "captures", broken)
    assert compare.with_workload(ExperimentSettings(workload="real")).workload == "generated"
    assert "the tracer sent no traces" in capsys.readouterr().err
    assert compare.with_workload(ExperimentSettings(workload="generated")).workload == "generated"
    assert capsys.readouterr().err == ""


def stopped_child(runner: psutil.Process, timeout: float) -> psutil.Process:
    """The runner's client, once it is frozen."""
    stopped: list[psutil.Process] = []

    def found() -> bool:
        stopped.extend(each for each in runner.children() if each.status() == psutil.STATUS_STOPPED)
        return bool(stopped)

    polling.wait_until(found, timeout, every=0.01)
    return stopped[0]


def test_a_frozen_client_does_not_outlive_its_runner() -> None:
    command = ["compare", "--arms", "requests", "--cycles", "2", "--freeze", "300", "--workload", "generated"]
    with subprocess.Popen(
        quick_load.command("thaw.lab", *command), env=child_environment(), cwd=ROOT, text=True
    ) as runner:
        try:
            client = stopped_child(psutil.Process(runner.pid), timeout=60)
            runner.send_signal(signal.SIGKILL)
            gone, _ = psutil.wait_procs([client], timeout=30)
            assert gone == [client]
        finally:
            runner.kill()
