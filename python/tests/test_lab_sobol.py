"""Points that a Sobol sequence spreads over ranges."""

from __future__ import annotations

import argparse
import pathlib
from typing import Any

import pytest

from thaw.lab.experiment import ExperimentSettings
from thaw.lab.experiments import settings_arguments, spec_file
from thaw.lab.experiments.grid import Grid
from thaw.lab.experiments.sobol import Range, Sobol

BASE = ExperimentSettings(workload="generated", exchange_timeout=10.0)
RANGES = {"round_trip": Range(0.001, 0.064, "log"), "payloads": Range(1, 4)}


def points(design: Sobol, seed: int = 1) -> list[tuple[float, int]]:
    return [(each["round_trip"], each["payloads"]) for each in design.values(seed)]


def test_each_part_of_a_range_gets_as_many_points() -> None:
    found = points(Sobol(64, RANGES))
    assert [sum(payloads == each for _, payloads in found) for each in (1, 2, 3, 4)] == [16] * 4
    # An eighth of the range, on its scale, has an eighth of the points.
    eighths = [0] * 8
    for trip, _ in found:
        assert 0.001 <= trip <= 0.064
        share = next(part for part in range(8) if trip < 0.001 * 64 ** ((part + 1) / 8))
        eighths[share] += 1
    assert eighths == [8] * 8


def test_the_same_seed_gives_the_same_points() -> None:
    assert points(Sobol(16, RANGES)) == points(Sobol(16, RANGES))
    assert points(Sobol(16, RANGES)) != points(Sobol(16, RANGES), seed=2)


def test_each_point_stands_beside_each_combination_of_the_axes() -> None:
    grid = Grid(BASE, {"close": ("fin", "silent")}, sobol=Sobol(8, RANGES))
    found = list(grid.points())
    assert len(found) == 16
    assert {each.close for each in found} == {"fin", "silent"}
    assert len({each.round_trip for each in found}) == 8


def test_a_design_is_written_and_read_as_it_is() -> None:
    grid = Grid(BASE, {"close": ("fin", "silent")}, sobol=Sobol(8, RANGES))
    again = spec_file.parse(spec_file.to_toml(grid))
    assert again.sobol == grid.sobol
    assert list(again.points()) == list(grid.points())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sobol = 3", "sobol is 3, not a table of ranges"),
        ("[sobol]\npayloads = { least = 1, most = 2 }", "sobol.points is missing"),
        ("[sobol]\npoints = 8", "sobol has no range"),
        ("[sobol]\npoints = 6\npayloads = { least = 1, most = 2 }", "sobol.points is 6, not a power of two"),
        ("[sobol]\npoints = true\npayloads = { least = 1, most = 2 }", "sobol.points is True, not a whole"),
        ("[sobol]\npoints = 8\npayload = { least = 1, most = 2 }", "no numeric field 'payload'"),
        ("[sobol]\npoints = 8\nseed = { least = 1, most = 2 }", "no numeric field 'seed'"),
        ("[sobol]\npoints = 8\npayloads = [1, 2]", r"sobol.payloads is \[1, 2\], not of the form"),
        ("[sobol]\npoints = 8\npayloads = { least = 1 }", "not of the form"),
        ("[sobol]\npoints = 8\npayloads = { least = 0, most = 2 }", "has 0, not a number from 1 to 65536"),
        ("[sobol]\npoints = 8\npayloads = { least = 1.5, most = 2 }", "has 1.5, not a whole number"),
        ("[sobol]\npoints = 8\nround_trip = { least = 'a', most = 2 }", "has 'a', not a number"),
        ("[sobol]\npoints = 8\nround_trip = { least = 2, most = 1 }", "from 2 to 1, which is no range"),
        (
            "[sobol]\npoints = 8\nround_trip = { least = 0, most = 1, scale = 'log' }",
            "from 0, which a logarithmic scale has not",
        ),
        (
            "[sobol]\npoints = 8\nround_trip = { least = 1, most = 2, scale = 'root' }",
            "scale 'root', not one of linear, log",
        ),
        (
            "[axes]\npayloads = [1]\n[sobol]\npoints = 8\npayloads = { least = 1, most = 2 }",
            "payloads is an axis and a range of sobol",
        ),
    ],
)
def test_an_impossible_design_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        spec_file.parse(f"version = 1\n{text}\n")


def test_a_comparison_takes_no_design(tmp_path: pathlib.Path, capsys: Any) -> None:
    from thaw.lab import command_line

    path = tmp_path / "spec.toml"
    path.write_text("version = 1\n[sobol]\npoints = 8\npayloads = { least = 1, most = 2 }\n")
    assert command_line.main(["compare", "--spec", str(path)]) == 2
    assert "it has sobol: compare runs one experiment" in capsys.readouterr().err


def test_an_argument_replaces_a_range(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "spec.toml"
    path.write_text(spec_file.to_toml(Grid(BASE, sobol=Sobol(8, RANGES))))
    parser = argparse.ArgumentParser()
    settings_arguments.add(parser, BASE, several=True)
    parser.set_defaults(option=None)

    def points_of(*given: str) -> list[ExperimentSettings]:
        parsed = parser.parse_args([f"--spec={path}", *given])
        return list(settings_arguments.grid(parsed, BASE).points())

    assert {each.payloads for each in points_of("--payloads=7")} == {7}
    assert len({each.round_trip for each in points_of("--payloads=7")}) == 8
    assert len(points_of("--payloads=7,9")) == 16
    (only,) = points_of("--payloads=7", "--round-trip=0.5")
    assert (only.payloads, only.round_trip) == (7, 0.5)
