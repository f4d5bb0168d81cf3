"""One experiment as it is kept: its result as JSON and, if they were kept, its rows beside it."""

from __future__ import annotations

import json
import os
import pathlib
from dataclasses import dataclass

from thaw.lab.experiment_result import ExperimentResult
from thaw.lab.report import measure
from thaw.lab.report.measure import MeasureError, Measurements, Provenance

RESULT_FILE = "result.json"


@dataclass(frozen=True)
class Run:
    """One experiment: its result and, if they were kept, its rows.

    Attributes:
      provenance: the provenance of a run that this process made; None for a run that was read.
    """

    result: ExperimentResult
    measurements: Measurements | None = None
    provenance: Provenance | None = None


def save_run(folder: str | os.PathLike[str], run: Run) -> None:
    """Writes a run into `folder`, for `read_run`."""
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    if run.measurements is not None:
        rows = run.measurements
        measure.write(path, rows.payloads, rows.cycles, rows.provenance, rows.exchanges)
    (path / RESULT_FILE).write_text(json.dumps(run.result.to_json(), indent=1) + "\n")


def read_run(folder: str | os.PathLike[str]) -> Run:
    """Returns a run from its folder, or from the JSON file of its result alone. MeasureError names what is
    wrong.
    """
    path = pathlib.Path(folder)
    file = path / RESULT_FILE if path.is_dir() else path
    try:
        value = json.loads(file.read_text())
    except FileNotFoundError:
        raise MeasureError(f"{file} does not exist") from None
    except (OSError, ValueError) as error:
        raise MeasureError(f"{file} is no JSON: {error}") from error
    except RecursionError:
        raise MeasureError(f"{file} is no result of an experiment: it is nested too deeply") from None
    try:
        result = ExperimentResult.from_json(value)
    except ValueError as error:
        raise MeasureError(f"{file} is no result of an experiment: {error}") from None
    return Run(result, measure.read(path) if path.is_dir() else None)
