"""Measurements come back as they were written, and a file that is missing or wrong is named."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import pyarrow.parquet
import pytest

import thaw
from thaw.lab.report import measure
from thaw.lab.report.measure import CycleRow, MeasureError, PayloadRow

PAYLOADS = [
    PayloadRow("v93", "W1", "rst", "idle", None, 0, 0, 1, False, False, None),
    PayloadRow("v93", "W1", "rst", "idle", None, 0, 1, 0, False, False, None),
    PayloadRow("thaw", "W1", "silent", "inflight", "written", 1, 0, 2, True, False, None),
    PayloadRow("thaw", "W1", "silent", "inflight", "written", 1, 1, 0, False, True, None),
    PayloadRow("thaw", "W1", "silent", "inflight", "written", 1, 2, 0, True, False, "too_old"),
]
CYCLES = [
    CycleRow("v93", "W1", "rst", "idle", None, 0, 2.5, 800.0, 1, 1, 0, 3),
    CycleRow("thaw", "W1", "silent", "inflight", "written", 1, 5.125, 1200.5, 2, 1, 1, 0),
]


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    made = tmp_path / "a" / "b"
    measure.write(made, PAYLOADS, CYCLES, measure.provenance(world="W1", seed=7, cycles=2))
    return made


def test_round_trip(folder: pathlib.Path) -> None:
    back = measure.read(folder)
    assert back.payloads == PAYLOADS
    assert back.cycles == CYCLES
    assert (back.provenance.world, back.provenance.seed, back.provenance.cycles) == ("W1", 7, 2)
    assert sorted(path.name for path in folder.iterdir()) == [
        "cycles.parquet",
        "exchanges.parquet",
        "payloads.parquet",
        "provenance.json",
    ]


def test_writing_again_replaces(folder: pathlib.Path) -> None:
    measure.write(folder, PAYLOADS[:1], [], measure.provenance(world="W0", seed=8, cycles=1))
    back = measure.read(folder)
    assert (back.payloads, back.cycles, back.provenance.seed) == (PAYLOADS[:1], [], 8)


def test_outcomes() -> None:
    assert [row.outcome for row in PAYLOADS] == ["once", "lost", "twice", "retained", "dropped"]
    thrown_away = dataclasses.replace(PAYLOADS[4], dropped_reason="discarded")
    assert thrown_away.outcome == "lost"
    assert dataclasses.replace(thrown_away, times_delivered=1).outcome == "once"


def test_each_table_says_where_it_is_from(folder: pathlib.Path) -> None:
    written = json.loads((folder / measure.PROVENANCE_FILE).read_text())
    for name in (measure.PAYLOADS_FILE, measure.CYCLES_FILE):
        assert json.loads(measure.read_where_from(folder / name)) == written
    assert written["version"] == thaw.__version__
    assert written["cores"] >= 1
    assert all(
        written[name] for name in ("commit", "date", "kernel", "cpu_model", "python", "clock_behaviour")
    )


@pytest.mark.parametrize("name", [measure.PAYLOADS_FILE, measure.CYCLES_FILE, measure.PROVENANCE_FILE])
def test_a_missing_file_is_named(folder: pathlib.Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(MeasureError, match=f"{folder / name} does not exist"):
        measure.read(folder)


@pytest.mark.parametrize("name", [measure.PAYLOADS_FILE, measure.CYCLES_FILE, measure.PROVENANCE_FILE])
@pytest.mark.parametrize("content", [b"", b"PAR1 and then something else", b"{}", b"\xff\xfe\x00"])
def test_a_broken_file_is_named(folder: pathlib.Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(MeasureError, match=str(folder / name)):
        measure.read(folder)


def test_the_wrong_table_is_named_with_its_columns(folder: pathlib.Path) -> None:
    (folder / measure.CYCLES_FILE).replace(folder / measure.PAYLOADS_FILE)
    with pytest.raises(MeasureError, match=r"payloads\.parquet has other columns than PayloadRow.*flagged"):
        measure.read(folder)


def test_the_tables_are_plain_parquet(folder: pathlib.Path) -> None:
    table = pyarrow.parquet.read_table(folder / measure.PAYLOADS_FILE)
    assert table.column_names == [field.name for field in dataclasses.fields(PayloadRow)]
    assert table.column("phase").to_pylist() == [None, None, "written", "written", "written"]


def test_a_failed_write_leaves_what_was_there(folder: pathlib.Path) -> None:
    wrong = dataclasses.replace(PAYLOADS[0], cycle="one")  # type: ignore[arg-type]
    with pytest.raises(Exception, match="one"):
        measure.write(folder, [wrong], [], measure.provenance(world="W1", seed=1, cycles=1))
    assert measure.read(folder).payloads == PAYLOADS
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_the_origin_of_a_table_is_read_without_its_rows(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.parquet"
    measure.write_rows(path, CycleRow, [], '{"a": 1}')

    def fail(*unused: object) -> None:
        raise AssertionError("rows were read")

    monkeypatch.setattr(pyarrow.parquet.ParquetFile, "read", fail)
    assert measure.read_where_from(path) == '{"a": 1}'
