"""Every field of ClientOptions is an axis: of a spec file, of the command line, and of a run."""

from __future__ import annotations

import argparse
import enum
import pathlib
from typing import Any

import pytest

import thaw
from thaw.lab import arm_options, arms
from thaw.lab.experiment import ExperimentSettings
from thaw.lab.experiments import compare, settings_arguments, spec_file, sweep
from thaw.lab.experiments.grid import Grid

from .test_lab_arms import another_value

# The fields as the class documents them, apart from how the laboratory finds them.
DOCUMENTED = [
    name
    for name, member in vars(thaw.ClientOptions).items()
    if isinstance(member, property) and (member.__doc__ or "").strip()
]


def values_of(name: str) -> tuple[str, str]:
    """The default of a field and another value, as text."""
    plain = arm_options.fields()[name]
    default = plain.name.lower() if isinstance(plain, enum.Enum) else plain
    other = {"proxy_url": "http://127.0.0.1:9", "tls_max_version": "tls12"}.get(name, another_value(plain))
    return arm_options.text_of(default), arm_options.text_of(other)


def options_of(name: str) -> dict[str, list[str]]:
    """The axis, and what its values need."""
    together = {
        "tls_min_version": {"tls_max_version": ["tls13"]},
        "tls_cert_file": {"use_public_roots": ["true"]},
    }.get(name, {})
    return {name: list(values_of(name)), **together}


def quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def shown(options: thaw.ClientOptions, name: str) -> str:
    value: Any = getattr(options, name)
    value = value.name.lower() if isinstance(value, enum.Enum) else value
    return arm_options.text_of(tuple(value) if isinstance(value, list) else value)


def require_both(grid: Grid, name: str) -> None:
    """The grid has one point, whose two arms have the two values and meet the same freezes."""
    (point,) = grid.points()
    clients = [arms.parse(arm).client_options("ca.pem") for arm in point.arms]
    assert tuple(shown(options, name) for options in clients) == values_of(name)


def test_the_documented_fields_are_those_of_the_laboratory() -> None:
    assert sorted(DOCUMENTED) == sorted(arm_options.fields())
    assert len(DOCUMENTED) >= 30


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_field_is_an_axis_of_a_spec_file(name: str, tmp_path: pathlib.Path) -> None:
    table = [f"{key} = [{', '.join(map(quoted, values))}]" for key, values in options_of(name).items()]
    file = tmp_path / "spec.toml"
    file.write_text('version = 1\narms = ["v93"]\n\n[options]\n' + "\n".join(table) + "\n")
    grid = spec_file.read(file)
    require_both(grid, name)
    again = tmp_path / "again.toml"
    again.write_text(spec_file.to_toml(grid))
    assert spec_file.read(again) == grid


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_field_is_an_axis_of_the_command_line(name: str) -> None:
    parser = argparse.ArgumentParser()
    sweep.add_arguments(parser)
    given = ["--arms=v93"]
    for key, values in options_of(name).items():
        given += ["--option", f"{key}={','.join(map(quoted, values))}"]
    require_both(settings_arguments.grid(parser.parse_args(given), ExperimentSettings()), name)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_field_s_values_run_side_by_side(name: str) -> None:
    (point,) = Grid(
        ExperimentSettings(arms=("thaw",), world="W0", cycles=3, payloads=2), options=options_of(name)
    ).points()
    result = compare.run(point).result
    assert list(result.arms) == list(point.arms)
    for figures in result.arms.values():
        assert figures.payloads == 6
        assert figures.delivered + figures.retained + figures.lost + figures.dropped >= 6
