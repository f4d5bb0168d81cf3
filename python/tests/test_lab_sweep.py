"""A sweep runs each cell of its grid once, goes on where it was stopped, and keeps what it has."""

from __future__ import annotations

import argparse
import concurrent.futures
import pathlib
import re
import threading
from typing import Any

import pytest

from thaw.lab.experiments import sweep
from thaw.lab.experiments.sweep import Cell, Grid, Progress
from thaw.lab.report.measure import MeasureError
from thaw.lab.results import ExperimentResult

GRID = Grid(
    arms=("v93", "thaw"), closes=("silent", "rst"), freezes=(0.05, 1), round_trips=(0.0, 0.02), cycles=4
)


def comparison(cell: Cell) -> ExperimentResult:
    """A result whose figures say which cell it is of."""
    arm = {
        "payloads": cell.payloads * cell.cycles,
        "requests": 12,
        "delivered": 11,
        "lost": 1 if cell.arm == "v93" else 0,
        "duplicated": 2,
        "possible_duplicate": 3,
        "retained": 4,
        "dropped": 5,
        "errors": 6,
        "connections": 7,
        "handshakes_full": 8,
        "handshakes_resumed": 9,
        "stale": 10,
        "cpu_us_per_payload": 1000 * cell.freeze,
        "flush_ms": {"p50": 1e3 * cell.round_trip, "p99": 13.5},
    }
    conditions = {name: getattr(cell, name) for name in ("world", "scenario", "close", "cycles", "seed")}
    return ExperimentResult.from_json({**conditions, "commit": "0123abcd", "arms": {cell.arm: arm}})


class Counting:
    """Counts the cells it is asked for; those in `broken` fail."""

    def __init__(self, *broken: str) -> None:
        self.broken = broken
        self.asked: list[Cell] = []
        self._lock = threading.Lock()

    def __call__(self, cell: Cell) -> ExperimentResult:
        with self._lock:
            self.asked.append(cell)
        if cell.arm in self.broken:
            raise RuntimeError(f"no {cell.arm}")
        return comparison(cell)


def quiet(_: Progress) -> None:
    pass


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "made" / "sweep.parquet"


@pytest.fixture
def executor() -> Any:
    with concurrent.futures.ThreadPoolExecutor(3) as made:
        yield made


def test_every_cell_is_run_once_and_kept(path: pathlib.Path, executor: Any) -> None:
    counting = Counting()
    outcome = sweep.run(GRID, path, executor, counting, progress=quiet)
    cells = list(GRID.cells())
    assert len(cells) == len(set(cells)) == 2 * 2 * 2 * 2
    assert sorted(map(str, counting.asked)) == sorted(map(str, cells))
    assert (outcome.ran, outcome.skipped, outcome.failed) == (16, 0, [])
    assert [row.cell for row in sweep.read(path)] == cells
    assert sweep.read(path) == outcome.rows


def test_a_row_has_the_figures_of_its_cell(path: pathlib.Path, executor: Any) -> None:
    sweep.run(GRID, path, executor, comparison, progress=quiet)
    row = next(row for row in sweep.read(path) if row.arm == "v93" and row.freeze == 1 and row.round_trip)
    expected = comparison(row.cell).arms["v93"].to_json()
    for name, value in expected.items():
        if name != "flush_ms":
            assert getattr(row, name) == value
    assert (row.flush_p50_ms, row.flush_p99_ms) == (20.0, 13.5)
    assert (row.payloads_per_flush, row.payloads, row.lost) == (3, 12, 1)
    assert row.commit == "0123abcd"
    assert row.machine


def test_existing_results_are_not_run_again(path: pathlib.Path, executor: Any) -> None:
    small = Grid(arms=("v93",), closes=("silent",), freezes=(0.05,), round_trips=(0.0, 0.02), cycles=4)
    sweep.run(small, path, executor, comparison, progress=quiet)
    counting = Counting()
    outcome = sweep.run(GRID, path, executor, counting, progress=quiet)
    assert (outcome.ran, outcome.skipped) == (14, 2)
    assert not set(small.cells()) & set(counting.asked)
    again = sweep.run(GRID, path, executor, counting, progress=quiet)
    assert (again.ran, again.skipped, len(counting.asked)) == (0, 16, 14)


@pytest.mark.parametrize("change", [{"cycles": 5}, {"seed": 2}])
def test_another_experiment_is_another_cell(
    path: pathlib.Path, executor: Any, change: dict[str, int]
) -> None:
    sweep.run(Grid(arms=("v93",), cycles=4), path, executor, comparison, progress=quiet)
    other: Any = {"cycles": 4, **change}
    assert sweep.run(Grid(arms=("v93",), **other), path, executor, comparison, progress=quiet).ran == 1
    assert len(sweep.read(path)) == 2


def test_a_failed_cell_stops_no_other_and_is_tried_again(path: pathlib.Path, executor: Any) -> None:
    said: list[Progress] = []
    outcome = sweep.run(GRID, path, executor, Counting("v93"), progress=said.append)
    assert (outcome.ran, len(outcome.failed)) == (8, 8)
    assert {cell.arm for cell, _ in outcome.failed} == {"v93"}
    assert {row.arm for row in sweep.read(path)} == {"thaw"}
    assert sum("RuntimeError: no v93" in str(each) for each in said) == 8
    assert sweep.run(GRID, path, executor, comparison, progress=quiet).ran == 8


def test_progress_counts_to_the_end(path: pathlib.Path, executor: Any) -> None:
    sweep.run(Grid(arms=("v93",)), path, executor, comparison, progress=quiet)
    said: list[Progress] = []
    sweep.run(Grid(arms=("v93", "thaw", "v98")), path, executor, comparison, progress=said.append)
    assert [(each.done, each.total) for each in said] == [(2, 3), (3, 3)]


def test_an_interrupted_sweep_keeps_what_it_has(path: pathlib.Path) -> None:
    def interrupt(state: Progress) -> None:
        if state.done == 3:
            raise KeyboardInterrupt

    counting = Counting()
    with concurrent.futures.ThreadPoolExecutor(1) as executor, pytest.raises(KeyboardInterrupt):
        sweep.run(GRID, path, executor, counting, progress=interrupt)
    kept = len(sweep.read(path))
    assert kept == 3
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        assert sweep.run(GRID, path, executor, comparison, progress=quiet).skipped == kept


def test_processes_serve_too(path: pathlib.Path) -> None:
    with concurrent.futures.ProcessPoolExecutor(1) as executor:
        outcome = sweep.run(Grid(arms=("v93", "thaw")), path, executor, comparison, progress=quiet)
    assert (outcome.ran, outcome.failed) == (2, [])


def test_a_real_cell_is_measured(path: pathlib.Path, executor: Any) -> None:
    grid = Grid(arms=("v93", "thaw"), worlds=("W0",), cycles=40)
    outcome = sweep.run(grid, path, executor, progress=quiet)
    assert outcome.failed == []
    rows = {row.arm: row for row in outcome.rows}
    assert rows["v93"].payloads == rows["thaw"].payloads == 120
    assert rows["v93"].lost > 0  # it sends on connections that the peer has forgotten
    assert (rows["thaw"].lost, rows["thaw"].delivered) == (0, 120)


def command(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    sweep.add_arguments(parser)
    return sweep.command(parser.parse_args(arguments))


def test_the_command(path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--world=W0", "--cycles=10", "--close=fin,silent", "--payloads=1,2", f"--out={path}")
    assert command(*arguments) == 0
    assert command(*arguments) == 0
    assert "8 cells run, 0 were there" in (said := capsys.readouterr().out)
    assert "0 cells run, 8 were there" in said
    assert str(path) in said
    for row in sweep.read(path):
        assert f"--close {row.close} --cycles 10 --payloads {row.payloads_per_flush} --seed 1" in row.command
    assert {(row.close, row.payloads_per_flush) for row in sweep.read(path)} == {
        (close, payloads) for close in ("fin", "silent") for payloads in (1, 2)
    }


def test_the_command_says_that_cells_failed(path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--world=W0", "--cycles=5", "--arms=thaw,requests", f"--out={path}") == 1
    assert "1 cells run, 0 were there already, 1 failed" in capsys.readouterr().out


def test_the_command_names_a_value_that_is_none(
    path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command("--close=fin,slow", f"--out={path}")
    assert re.search(r"'slow'.*fin, rst, silent, race", capsys.readouterr().err)


def test_another_file_is_left_alone(path: pathlib.Path, executor: Any) -> None:
    path.parent.mkdir()
    path.write_text("mine")
    with pytest.raises(MeasureError, match=str(path)):
        sweep.run(GRID, path, executor, comparison, progress=quiet)
    assert path.read_text() == "mine"


def test_an_empty_axis_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        list(Grid(arms=()).cells())
