"""A sweep runs each point of its grid once, goes on where it was stopped, and keeps what it has."""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from thaw.lab import command_line, results
from thaw.lab.child_environment import child_environment
from thaw.lab.experiment import ExperimentSettings, Stopped, command
from thaw.lab.experiments import executors, settings_arguments, spec_file, sweep
from thaw.lab.experiments.grid import Grid
from thaw.lab.experiments.sweep import Measured, Progress
from thaw.lab.fleet import study
from thaw.lab.report import dataset, measure
from thaw.lab.report.dataset import BlockResult
from thaw.lab.report.measure import MeasureError
from thaw.lab.results import ArmResult, FlushTimes

from . import polling

ROOT = pathlib.Path(__file__).resolve().parents[2]
GRID = Grid(
    ExperimentSettings(arms=("v93", "thaw"), cycles=4),
    {"close": ("silent", "rst"), "freeze": (0.05, 1), "round_trip": (0.0, 0.02)},
)
SIMULATED = Grid(ExperimentSettings(world="W0", cycles=20), {"close": ("silent", "fin"), "payloads": (1, 2)})
FIGURES = {
    each.name: 7 for each in dataclasses.fields(ArmResult) if each.name not in ("flush_ms", "race", "network")
}


def comparison(point: ExperimentSettings) -> Measured:
    """A result whose figures say which point it is of."""
    times = FlushTimes(1e3 * point.round_trip, 13.5)
    found = [
        BlockResult(0, arm, ArmResult(**{**FIGURES, "lost": number, "flush_ms": times}))
        for number, arm in enumerate(point.arms)
    ]
    where = measure.provenance(
        world=point.world, seed=point.seed, cycles=point.cycles, command=command(point)
    )
    return Measured(found, where)


class Counting:
    """Counts the points it is asked for; those of the close `broken` fail."""

    def __init__(self, broken: str = "") -> None:
        self.broken = broken
        self.asked: list[ExperimentSettings] = []
        self._lock = threading.Lock()

    def __call__(self, point: ExperimentSettings) -> Measured:
        with self._lock:
            self.asked.append(point)
        if point.close == self.broken:
            raise RuntimeError(f"no {point.close}")
        return comparison(point)


def pid_after(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def slowly(point: ExperimentSettings) -> Measured:
    time.sleep(0.4)
    return comparison(point)


def row_bytes(folder: pathlib.Path) -> list[bytes]:
    """The name and the rows of each file, without where they were measured."""
    found = []
    for path in sorted(folder.iterdir()):
        table = pyarrow.parquet.ParquetFile(path).read().replace_schema_metadata(None)
        sink = pyarrow.BufferOutputStream()
        with pyarrow.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        found.append(path.name.encode() + sink.getvalue().to_pybytes())
    return found


def quiet(_: Progress) -> None:
    pass


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "made" / "sweep"


@pytest.fixture
def executor() -> Any:
    with concurrent.futures.ThreadPoolExecutor(3) as made:
        yield made


def test_every_point_is_run_once_and_kept(folder: pathlib.Path, executor: Any) -> None:
    counting = Counting()
    outcome = sweep.run(GRID, folder, executor, counting, progress=quiet)
    points = list(GRID.points())
    assert len(points) == len(set(points)) == 2 * 2 * 2
    assert sorted(map(str, counting.asked)) == sorted(map(str, points))
    assert (outcome.ran, outcome.skipped, outcome.failed) == (8, 0, [])
    assert len(list(folder.iterdir())) == 8  # no scratch file is left
    assert len(dataset.read_points(folder)) == 8 * 2
    counting = Counting()
    outcome = sweep.run(GRID, folder, executor, counting, progress=quiet)
    assert (outcome.ran, outcome.skipped, counting.asked) == (0, 8, [])


def test_a_file_has_the_spec_the_provenance_and_typed_rows(folder: pathlib.Path, executor: Any) -> None:
    sweep.run(GRID, folder, executor, comparison, progress=quiet)
    table = results.read(folder).arrow()
    assert set(table.column_names) == {
        *(each.name for each in dataclasses.fields(dataset.PointRow)),
        *dataset.SOURCE_COLUMNS,
    }
    rows = table.to_pylist()
    row = next(each for each in rows if (each["arm"], each["freeze"]) == ("thaw", 1.0) and each["round_trip"])
    assert (row["lost"], row["flush_p50_ms"], row["flush_p99_ms"]) == (1, 20.0, 13.5)
    assert (row["payloads_per_flush"], row["payloads"], row["cpu_us_per_payload"]) == (3, 7, 7.0)
    assert row["machine"]
    assert f"--close {row['close']} --cycles 4" in row["command"]
    for path in folder.iterdir():
        metadata = pyarrow.parquet.ParquetFile(path).schema_arrow.metadata[b"thaw.provenance"].decode()
        assert "clock_behaviour" in metadata
        assert any(
            dataset.is_there(path, spec_file.to_toml(point))
            for point in GRID.points()
            if path == dataset.path_of(folder, point, spec_file.to_toml(point))
        )


@pytest.mark.parametrize("change", [{"cycles": 5}, {"seed": 2}, {"blocks": 2}, {"arms": ("v93",)}])
def test_another_experiment_is_another_point(
    folder: pathlib.Path, executor: Any, change: dict[str, Any]
) -> None:
    sweep.run(Grid(ExperimentSettings(cycles=4)), folder, executor, comparison, progress=quiet)
    other = Grid(dataclasses.replace(ExperimentSettings(cycles=4), **change))
    assert sweep.run(other, folder, executor, comparison, progress=quiet).ran == 1
    assert len(list(folder.iterdir())) == 2


def test_a_failed_point_stops_no_other_and_is_tried_again(folder: pathlib.Path, executor: Any) -> None:
    said: list[Progress] = []
    outcome = sweep.run(GRID, folder, executor, Counting("rst"), progress=said.append)
    assert (outcome.ran, len(outcome.failed)) == (4, 4)
    assert {row.close for row in dataset.read_points(folder)} == {"silent"}
    assert sum("RuntimeError: no rst" in str(each) for each in said) == 4
    assert sweep.run(GRID, folder, executor, comparison, progress=quiet).ran == 4


def test_an_interrupted_sweep_keeps_what_it_has(folder: pathlib.Path) -> None:
    def interrupt(state: Progress) -> None:
        if state.done == 3:
            raise KeyboardInterrupt

    with concurrent.futures.ThreadPoolExecutor(1) as executor, pytest.raises(KeyboardInterrupt):
        sweep.run(GRID, folder, executor, comparison, progress=interrupt)
    assert len(list(folder.iterdir())) == 3
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        assert sweep.run(GRID, folder, executor, comparison, progress=quiet).skipped == 3


def test_a_sweep_that_is_killed_goes_on_where_it_was(folder: pathlib.Path) -> None:
    given = ["--world=W0", "--cycles=3000", "--arms=thaw", "--seed=1,2,3,4,5,6,7,8", f"--out={folder}"]
    argv = [sys.executable, "-m", "thaw.lab", "sweep", *given]
    with subprocess.Popen(argv, env=child_environment(), cwd=ROOT, stderr=subprocess.DEVNULL) as runner:
        polling.wait_until(lambda: list(folder.glob("*.parquet")), 120)
        runner.send_signal(signal.SIGKILL)
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("*.parquet")}
    assert 1 <= len(kept) < 8
    assert len(dataset.read_points(folder)) == len(kept)  # each file is whole
    done = subprocess.run(argv, env=child_environment(), cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"{8 - len(kept)} points run, {len(kept)} were measured before" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert {row.seed for row in dataset.read_points(folder)} == set(range(1, 9))


def test_processes_serve_too(folder: pathlib.Path) -> None:
    with concurrent.futures.ProcessPoolExecutor(1) as executor:
        outcome = sweep.run(GRID, folder, executor, comparison, progress=quiet)
    assert (outcome.ran, outcome.failed) == (8, [])


@pytest.fixture
def cluster(tmp_path: pathlib.Path) -> Iterator[str]:
    """A Dask scheduler and two worker processes on this machine, as `--executor` names them."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address=None,
        local_directory=str(tmp_path / "dask"),
        silence_logs=50,
    ) as made:
        yield made.scheduler_address.replace("tcp://", "dask://")


def test_workers_of_a_cluster_serve_too(
    folder: pathlib.Path, cluster: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["sweep", "--world", "W0", "--cycles", "20", "--close", "fin,silent", "--payloads", "1,2"]
    assert command_line.main([*given, "--executor", cluster, "--out", str(folder)]) == 0
    assert "4 points run, 0 were measured before" in capsys.readouterr().out
    here = folder.with_name("here")
    assert command_line.main([*given, "--out", str(here)]) == 0
    assert row_bytes(folder) == row_bytes(here)


def test_workers_of_a_cluster_simulate_a_fleet(
    tmp_path: pathlib.Path, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "EXACT_SANDBOXES", 100)
    given = [
        "fleet",
        "--arms=thaw",
        "--sizes=1000",
        "--before=10",
        "--outage=10",
        "--after=20",
        "--interval=5",
    ]
    there, here = tmp_path / "there", tmp_path / "here"
    assert command_line.main([*given, "--executor", cluster, f"--out={there}"]) == 0
    assert command_line.main([*given, "--workers=1", f"--out={here}"]) == 0
    assert (there / "series.parquet").read_bytes() == (here / "series.parquet").read_bytes()


def test_a_worker_that_dies_loses_no_point(folder: pathlib.Path, cluster: str) -> None:
    with executors.open_executor(cluster) as executor:
        pids = list(executor.map(pid_after, [0.3, 0.3]))
        killer = threading.Timer(0.5, os.kill, (pids[0], signal.SIGKILL))
        killer.start()
        outcome = sweep.run(SIMULATED, folder, executor, slowly, progress=quiet)
        killer.join()
    assert (outcome.ran, outcome.failed) == (4, [])


def test_points_of_a_cluster_are_not_waited_for_after_ctrl_c(folder: pathlib.Path) -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        outcome = sweep.run(SIMULATED, folder, executor, slowly, progress=quiet, ended=lambda: True)
    assert (outcome.ran, [type(error) for _, error in outcome.failed]) == (0, [Stopped] * 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dask://nowhere", "not of the form dask://HOST:PORT"),
        ("spark://a:1", "not of the form dask://HOST:PORT"),
        ("dask://localhost:99999", "'dask://localhost:99999': the port is not from 1 to 65535"),
        ("dask://localhost:0", "the port is not from 1 to 65535"),
    ],
)
def test_an_executor_that_is_none_is_named(text: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command_line.main(["sweep", "--executor", text])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(executors, "_CONNECT_LIMIT", 0.5)
    with pytest.raises(ValueError, match=r"dask://127\.0\.0\.1:9: no Dask scheduler answers there"):
        executors.open_executor("dask://127.0.0.1:9").__enter__()


def test_rows_of_w0_are_the_same_byte_for_byte(tmp_path: pathlib.Path) -> None:
    def rows(name: str) -> list[bytes]:
        with concurrent.futures.ThreadPoolExecutor(2) as executor:
            assert sweep.run(SIMULATED, tmp_path / name, executor, progress=quiet).failed == []
        return row_bytes(tmp_path / name)

    first = rows("first")
    assert len(first) == 4
    assert first == rows("second")


def test_a_real_point_is_measured(folder: pathlib.Path, executor: Any) -> None:
    outcome = sweep.run(Grid(ExperimentSettings(world="W0", cycles=40)), folder, executor, progress=quiet)
    assert outcome.failed == []
    rows = {row.arm: row for row in dataset.read_points(folder)}
    assert rows["v93"].payloads == rows["thaw"].payloads == 120
    assert rows["v93"].lost > 0  # it sends on connections that the peer has forgotten
    assert (rows["thaw"].lost, rows["thaw"].delivered, rows["thaw"].cpu_us_per_payload) == (0, 120, None)


def run_command(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    sweep.add_arguments(parser)
    return sweep.run_command(parser.parse_args(arguments))


def test_the_command(folder: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("--world=W0", "--cycles=10", "--close=fin,silent", "--payloads=1,2", f"--out={folder}")
    assert run_command(*given, "--arms=thaw", "--option=max_idle_per_host=0,1") == 0
    assert run_command(*given, "--arms=thaw", "--option=max_idle_per_host=0,1") == 0
    assert "4 points run, 0 were measured before" in (said := capsys.readouterr().out)
    assert "0 points run, 4 were measured before" in said
    assert str(folder) in said
    assert {(row.close, row.payloads_per_flush, row.arm) for row in dataset.read_points(folder)} == {
        (close, payloads, f"thaw(max_idle_per_host={idle})")
        for close in ("fin", "silent")
        for payloads in (1, 2)
        for idle in (0, 1)
    }


def test_the_command_says_that_points_failed(
    folder: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "measure_point", lambda point, stop, load: Counting("rst")(point))
    assert run_command("--world=W0", "--close=fin,rst", f"--out={folder}") == 1
    assert "1 points run, 0 were measured before, 1 failed" in capsys.readouterr().out


def test_the_command_names_a_value_that_is_none(
    folder: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run_command("--close=fin,slow", f"--out={folder}")
    assert re.search(r"'slow'.*fin, rst, silent, race", capsys.readouterr().err)
    with pytest.raises(SystemExit):
        run_command("--option=max_idle=1", f"--out={folder}")
    assert "the nearest is max_idle_per_host (a whole number)" in capsys.readouterr().err


def test_another_file_is_left_alone(folder: pathlib.Path, executor: Any) -> None:
    folder.mkdir(parents=True)
    point = next(GRID.points())
    path = dataset.path_of(folder, point, spec_file.to_toml(point))
    path.write_text("mine")
    with pytest.raises(MeasureError, match=str(path)):
        sweep.run(GRID, folder, executor, comparison, progress=quiet)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["a point's", "another's.parquet"])
def test_a_pipe_in_the_folder_is_named_and_not_waited_for(
    folder: pathlib.Path, executor: Any, name: str
) -> None:
    sweep.run(GRID, folder, executor, comparison, progress=quiet)
    if name == "a point's":
        point = next(GRID.points())
        path = dataset.path_of(folder, point, spec_file.to_toml(point))
        path.unlink()
    else:
        path = folder / name
    os.mkfifo(path)
    with pytest.raises(MeasureError, match=f"{path} is not a regular file"):
        dataset.read_points(folder)
    if name == "a point's":
        with pytest.raises(MeasureError, match=f"{path} is not a regular file"):
            sweep.run(GRID, folder, executor, comparison, progress=quiet)


def test_quotes_of_an_option_hold_its_commas_together() -> None:
    name, values = settings_arguments.option('user_agent="a, b",c')
    assert (name, values) == ("user_agent", ["a, b", "c"])
    with pytest.raises(argparse.ArgumentTypeError, match="goes on after its closing quote"):
        settings_arguments.option('user_agent="a"b')


def test_a_folder_that_cannot_be_written_is_named_before_anything_runs(executor: Any) -> None:
    counting = Counting()
    with pytest.raises(ValueError, match="/proc/sweep: nothing can be written there"):
        sweep.run(GRID, "/proc/sweep", executor, counting, progress=quiet)
    assert counting.asked == []


def test_a_full_disk_is_said_before_anything_runs(
    folder: pathlib.Path, executor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    counting = Counting()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ValueError, match="nothing can be written there: No space left on device"):
        sweep.run(GRID, folder, executor, counting, progress=quiet)
    assert counting.asked == []
    assert list(folder.iterdir()) == []


def test_a_disk_that_fills_up_ends_the_sweep_and_keeps_its_points(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[pathlib.Path] = []
    write = measure.write_rows

    def fill(path: pathlib.Path, *others: Any) -> None:
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(path)
        write(path, *others)

    monkeypatch.setattr(measure, "write_rows", fill)
    with concurrent.futures.ThreadPoolExecutor(1) as executor, pytest.raises(OSError, match="No space left"):
        sweep.run(GRID, folder, executor, comparison, progress=quiet)
    assert sorted(folder.iterdir()) == sorted(written)
    assert len(dataset.read_points(folder)) == 4


def test_an_empty_or_unknown_axis_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"close is .*not a list of at least one value"):
        Grid(axes={"close": ()})
    with pytest.raises(ValueError, match="no axis 'clos'; the nearest is close"):
        Grid(axes={"clos": ("fin",)})


def test_the_provenance_of_a_point_is_made_once_with_the_load_of_its_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[dict[str, Any]] = []
    real = measure.provenance

    def counted(**given: Any) -> measure.Provenance:
        made.append(given)
        return real(**given)

    monkeypatch.setattr(measure, "provenance", counted)
    point = ExperimentSettings(arms=("thaw",), cycles=2, payloads=1, close="none", workload="generated")
    found = sweep.measure_point(point).provenance
    assert len(made) == 1
    assert found.others_during is not None
    assert found.command.startswith("python -m thaw.lab compare")
