"""Stored results are one typed frame, of pandas or polars, and a notebook shows them."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import pathlib
import subprocess
import sys

import pandas
import polars
import pytest

from thaw.lab import report, results
from thaw.lab.child_environment import child_environment
from thaw.lab.experiment import ExperimentSettings
from thaw.lab.experiments import sweep
from thaw.lab.experiments.grid import Grid
from thaw.lab.provenance import provenance
from thaw.lab.report import dataset
from thaw.lab.report.measure import CycleRow, ExchangeRow, MeasureError, Measurements, PayloadRow
from thaw.lab.results import ExperimentResult

GRID = Grid(ExperimentSettings(world="W0", cycles=5), {"close": ("silent", "fin"), "payloads": (1, 2)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    made = tmp_path_factory.mktemp("sweep")
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        assert sweep.run(GRID, made, executor, progress=lambda _: None).failed == []
    return made


def save_run(folder: pathlib.Path, close: str) -> None:
    where = ("W1", close, "idle", None)
    cycles = [CycleRow("thaw", *where, number, 2.5, 500.0, 1, 1, 0, 0) for number in range(2)]
    payloads = [PayloadRow("thaw", *where, 0, number, 1, False, False, None) for number in range(3)]
    exchanges = [
        ExchangeRow("thaw", *where[:3], 1, number, 0.5, None, 0.2, 0.3, False, True, False, 1, 0.6, 0.7)
        for number in range(2)
    ]
    made = ExperimentResult("W1", "idle", close, 2, 1, "0123abcd", {})
    source = provenance(world="W1", seed=1, cycles=2, command="again")
    rows = Measurements(payloads, cycles, source, exchanges)
    report.save_run(folder, report.Run(made, rows))


def test_pandas_and_polars_have_the_same_typed_rows(folder: pathlib.Path) -> None:
    rows = results.read(folder)
    names = [*(each.name for each in dataclasses.fields(dataset.PointRow)), *dataset.SOURCE_COLUMNS]
    assert len(rows) == 4 * 2
    assert rows.columns == names
    one, other = rows.pandas(), rows.polars()
    assert isinstance(one, pandas.DataFrame)
    assert isinstance(other, polars.DataFrame)
    assert list(one.columns) == other.columns == names
    assert other.schema["lost"] == polars.Int64
    assert other.schema["flush_p50_ms"] == polars.Float64
    assert other.schema["arm"] == polars.String
    assert one["lost"].dtype == "int64"
    by_pandas = one.groupby("arm")["lost"].sum().to_dict()
    by_polars = dict(other.group_by("arm").agg(polars.col("lost").sum()).iter_rows())
    assert by_pandas == by_polars
    assert by_pandas["thaw"] == 0 < by_pandas["v93"]


def test_a_run_and_a_folder_of_runs(tmp_path: pathlib.Path) -> None:
    for close in ("fin", "rst"):
        save_run(tmp_path / close, close)
    assert results.read(tmp_path / "fin").pandas()["flush_ms"].tolist() == [2.5, 2.5]
    payloads = results.read(tmp_path, "payloads").polars()
    assert payloads["close"].to_list() == ["fin"] * 3 + ["rst"] * 3
    assert set(payloads["command"]) == {"again"}
    exchanges = results.read(tmp_path, "exchanges").polars()
    assert exchanges["last_byte_ms"].to_list() == [0.7] * 4
    assert exchanges.schema["resumed"] == polars.Boolean
    with pytest.raises(ValueError, match="rows is 'flushes', not one of cycles, payloads, exchanges"):
        results.read(tmp_path, "flushes")  # type: ignore[arg-type]


def test_a_folder_without_results_is_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(MeasureError, match="has no results"):
        results.read(tmp_path)
    with pytest.raises(MeasureError, match="has no results"):
        results.read(tmp_path / "nowhere")


def test_a_frame_that_is_not_installed_is_named(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = results.read(folder)
    monkeypatch.setattr("thaw.lab.needs._is_there", lambda module: False)
    for kind in ("pandas", "polars"):
        with pytest.raises(MeasureError, match=f"a frame of {kind} needs .*'thaw-lambda\\[frames\\]'"):
            getattr(rows, kind)()
    assert rows.arrow().num_rows == 8


def test_a_notebook_shows_rows_as_a_table(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    shown = results.read(folder)._repr_html_()
    assert shown.count("<tr>") == 1 + 8
    assert "more rows" not in shown
    assert "<td>thaw</td>" in shown
    for number in range(7):
        save_run(tmp_path / str(number), "<b>")
    many = results.read(tmp_path)._repr_html_()
    assert many.count("<tr>") == 1 + 10
    assert "and 4 more rows" in many
    assert "<td>&lt;b&gt;</td>" in many
    assert "<b>" not in many


def test_the_laboratory_is_imported_without_pandas_polars_scipy_and_rich() -> None:
    program = (
        "import sys\n"
        "from thaw.lab import command_line, results, statistics\n"
        "print(sorted({'pandas', 'polars', 'scipy', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=child_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
