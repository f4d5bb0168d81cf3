"""Experiments as files: a grid, or one experiment, as TOML.

    grid = spec_file.read("sweep.toml")
    pathlib.Path("again.toml").write_text(spec_file.to_toml(grid))

A file has the fields of `ExperimentSettings`, and lists of values in two tables:

    version = 1
    arms = ["v93", "thaw(max_idle_per_host=1)"]
    freeze = { distribution = "uniform", least = 0.01, most = 0.5 }
    cycles = 50

    [axes]                       # fields of the settings
    close = ["fin", "silent"]

    [options]                    # fields of ClientOptions, for each arm of thaw's own client
    share_within_flush = [true, false]

    [sobol]                      # points spread over ranges of numeric fields, beside each point of the axes
    points = 64
    round_trip = { least = 0.001, most = 0.08, scale = "log" }
    payloads = { least = 1, most = 20 }

What is left out has its default; `version` is required.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import tomllib
from collections.abc import Mapping
from typing import Any

from thaw.lab import arm_options, named_values
from thaw.lab.arguments import one_line
from thaw.lab.experiment import ExperimentSettings
from thaw.lab.experiments.grid import Grid
from thaw.lab.experiments.sobol import Range, Sobol
from thaw.lab.freeze_lengths import FreezeDistribution

VERSION = 1
_FIELDS = tuple(each.name for each in dataclasses.fields(ExperimentSettings))
_TABLES = ("axes", "options")


def read(path: str | os.PathLike[str]) -> Grid:
    """Returns the grid of a file; every point of it was checked. ValueError names the file, the field and its
    value, in one line.
    """
    file = pathlib.Path(path)
    try:
        return parse(file.read_text(encoding="utf-8-sig"))  # editors of Windows write a mark at the beginning
    except OSError as error:
        raise ValueError(f"{file} can't be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{file} is not UTF-8: byte {error.start + 1} is {error.object[error.start]:#04x}"
        ) from None
    except ValueError as error:
        raise ValueError(f"{file}: {one_line(str(error))}") from None


def parse(text: str) -> Grid:
    """Returns the grid of a file's text. ValueError says what is wrong with it."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"it is not TOML: {error}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    _check_version(given.pop("version", None))
    axes, options = (_table(given, name) for name in _TABLES)
    sobol = _sobol(given.pop("sobol")) if "sobol" in given else None
    for name, value in given.items():
        _require_known(name, value, _FIELDS, "")
    for name, values in axes.items():
        _require_known(name, values, _FIELDS, "axes.")
        _require_list(f"axes.{name}", values)
        if name == "arms":
            raise ValueError(
                "axes.arms: the arms of a point stand side by side, so they are a field and no axis"
            )
    for name, values in options.items():
        _require_list(f"options.{name}", values)
        for value in values:
            _require_option(f"options.{name}", value)
    if isinstance(arms := given.get("arms"), list):
        given["arms"] = tuple(arms)
    texts = {name: [arm_options.text_of(_tuple(each)) for each in values] for name, values in options.items()}
    grid = Grid(ExperimentSettings(**given), axes, texts, sobol)
    for _ in grid.points():
        pass
    return grid


def to_toml(grid: Grid | ExperimentSettings) -> str:
    """Returns the text of a file that `parse` reads as this grid. Every field is there, whatever the
    defaults.
    """
    if isinstance(grid, ExperimentSettings):
        grid = Grid(grid)
    base = {name: getattr(grid.base, name) for name in _FIELDS}
    lines = [f"version = {VERSION}"]
    lines += [f"{name} = {_toml(value)}" for name, value in base.items() if value is not None]
    for name, table in zip(_TABLES, (grid.axes, grid.options), strict=True):
        if table:
            lines += ["", f"[{name}]", *(f"{key} = {_toml(list(values))}" for key, values in table.items())]
    if grid.sobol is not None:
        ranges = {name: dataclasses.asdict(each) for name, each in grid.sobol.ranges.items()}
        lines += ["", "[sobol]", f"points = {grid.sobol.points}"]
        lines += [f"{name} = {_toml(each)}" for name, each in ranges.items()]
    return "\n".join(lines) + "\n"


def _sobol(table: Any) -> Sobol:
    if not isinstance(table, dict):
        raise ValueError(f"sobol is {table!r}, not a table of ranges")
    if "points" not in table:
        raise ValueError("sobol.points is missing")
    ranges = {}
    for name, value in table.items():
        if name == "points":
            continue
        if not isinstance(value, dict) or not {"least", "most"} <= set(value) <= {"least", "most", "scale"}:
            raise ValueError(f"sobol.{name} is {value!r}, not of the form {{ least = 1, most = 20 }}")
        ranges[name] = Range(**value)
    return Sobol(table["points"], ranges)


def _check_version(version: Any) -> None:
    if version is None:
        raise ValueError(f"version is missing; this thaw reads version {VERSION}")
    if isinstance(version, bool) or not isinstance(version, int):
        raise ValueError(f"version is {version!r}, not a whole number")
    if version != VERSION:
        newer = "; a newer thaw wrote the file" if version > VERSION else ""
        raise ValueError(f"version is {version}, and this thaw reads version {VERSION}{newer}")


def _table(given: dict[str, Any], name: str) -> dict[str, Any]:
    table = given.pop(name, {})
    if not isinstance(table, dict):
        raise ValueError(f"{name} is {table!r}, not a table of lists")
    return table


def _require_known(name: str, value: Any, known: tuple[str, ...], prefix: str) -> None:
    if name not in known:
        what = named_values.unknown("field", prefix + name, [prefix + each for each in known])
        raise ValueError(f"{prefix}{name} is {value!r}: {what}")


def _require_list(name: str, values: Any) -> None:
    if not isinstance(values, list) or not values:
        raise ValueError(f"{name} is {values!r}, not a list of at least one value")


def _require_option(name: str, value: Any) -> None:
    parts = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str if parts is value else str | int | float) for each in parts):
        raise ValueError(f"{name} has {value!r}, not text, a number, true or false, or a list of texts")


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _toml(value: Any) -> str:
    """Returns a value as TOML."""
    if isinstance(value, FreezeDistribution):
        value = value.to_table()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{name} = {_toml(each)}' for name, each in value.items())} }}"
    if isinstance(value, str):
        # JSON's escapes are TOML's too, and TOML wants one for DEL besides.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"[{', '.join(map(_toml, value))}]"
