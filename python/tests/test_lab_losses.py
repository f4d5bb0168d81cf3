"""The command `losses`: ten thousand freezes of thaw's arm over all worlds and ways to close."""

from __future__ import annotations

import pathlib
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from thaw import InvariantBroken
from thaw.lab import command_line
from thaw.lab.experiment import CLOSES_OVER_LINE, WorldMissing
from thaw.lab.experiments import compare
from thaw.lab.experiments.losses import command


def test_the_specs_have_ten_thousand_freezes_over_every_world_and_way_to_close() -> None:
    points = [point for grid in command.grids() for point in grid.points()]
    assert sum(point.cycles for point in points) == 10_016
    met = {(point.world, point.scenario, point.close) for point in points}
    assert len(met) == len(points)
    for world, closes in CLOSES_OVER_LINE.items():
        for scenario in ("idle", "inflight"):
            assert {close for where, how, close in met if (where, how) == (world, scenario)} == set(closes)
    assert {close for where, how, close in met if (where, how) == ("W1", "idle")} == {
        *("fin", "rst", "silent", "race")
    }
    assert all(point.arms == ("thaw",) for point in points)


def test_a_share_leaves_enough_freezes_for_every_phase() -> None:
    cycles = [grid.base.cycles for grid in command.grids(["W1", "W3b"], share=0.01)]
    assert sorted(cycles) == [8, 8, 9, 12]  # those of W3b are as few already


SMALL = (
    'version = 1\narms = ["thaw"]\nworkload = "generated"\ncycles = 9\npayloads = 2\n'
    '[axes]\nclose = ["rst", "silent"]\n'
)


@pytest.fixture
def small(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command over two points of W1, whose results are in the folder `r`."""
    (tmp_path / "w1_idle.toml").write_text(SMALL)
    monkeypatch.setattr(command, "SPECS", tmp_path)
    return ["losses", "--worlds", "W1", "--results", str(tmp_path / "r")]


def change(path: pathlib.Path, **columns: int) -> None:
    """Replaces figures of a point that was stored."""
    table = pyarrow.parquet.read_table(path)
    for name, value in columns.items():
        index = table.schema.get_field_index(name)
        column = pyarrow.array([value], table.schema.field(index).type)
        table = table.set_column(index, table.schema.field(index), column)
    pyarrow.parquet.write_table(table, path)


def test_what_is_lost_is_counted_with_its_bound(small: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(small) == 0
    printed = capsys.readouterr()
    assert "18 of 18 freezes" in printed.err
    assert "0 of 36 (at most 8.0 %)" in printed.out
    assert command_line.main(small) == 0  # everything is there
    assert "freezes in" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"delivered": 17, "lost": 1}, "1 of 18 payloads did not arrive (1 lost, 0 dropped, 0 kept)"),
        ({"delivered": 16, "dropped": 2}, "2 of 18 payloads did not arrive (0 lost, 2 dropped, 0 kept)"),
        ({"delivered": 17, "retained": 1}, "1 of 18 payloads did not arrive (0 lost, 0 dropped, 1 kept)"),
        (
            {"duplicated": 3, "possible_duplicate": 1},
            "2 payloads arrived more than once without being flagged",
        ),
    ],
)
def test_a_promise_that_a_stored_point_breaks_fails(
    columns: dict[str, int],
    says: str,
    small: list[str],
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command_line.main(small) == 0
    capsys.readouterr()
    (stored,) = (tmp_path / "r").glob("W1-idle-rst-*.parquet")
    change(stored, **columns)
    assert command_line.main(small) == 1
    printed = capsys.readouterr()
    assert f"BROKEN: W1 idle rst: arm thaw: {says}" in printed.out
    assert "freezes in" not in printed.err  # it is not measured again


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (
            InvariantBroken("payload 1 of cycle 3 was lost"),
            1,
            "InvariantBroken: payload 1 of cycle 3 was lost",
        ),
        (
            WorldMissing("world W3b can't be run here: no QEMU"),
            2,  # nothing was measured
            "left out: world W3b can't be run here: no QEMU",
        ),
    ],
)
def test_a_loss_fails_and_a_world_that_is_missing_is_named(
    error: Exception,
    code: int,
    says: str,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*unused: Any, **others: Any) -> None:
        raise error

    monkeypatch.setattr(compare, "run", fails)
    given = ["losses", "--worlds", "W3b", "--results", str(tmp_path / "r")]
    assert command_line.main(given) == code
    printed = capsys.readouterr()
    assert says in printed.err + printed.out


@pytest.mark.parametrize(
    ("given", "says"),
    [("--worlds=W9", "there is no world 'W9'; there are W1"), ("--share=2", "2 is not above 0 and up to 1")],
)
def test_bad_arguments_are_named(given: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line.main(["losses", given])
    assert says in capsys.readouterr().err
