"""Stored experiments as histories.

    for found in read(folder):
        found.name, found.histories, found.problem

A folder can be that of `compare --rows`, of a sweep or of `main`, or have any of these below it; a file can
be a result's JSON or a point's Parquet.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from thaw.lab import arms
from thaw.lab.checker.history import Counts, Entry, History
from thaw.lab.experiment_result import ArmResult, ExperimentResult
from thaw.lab.report import RESULT_FILE, Run, measure, read_run
from thaw.lab.report.dataset import PointRow
from thaw.lab.report.measure import MeasureError, PayloadRow

_COUNTS = ("payloads", "delivered", "lost", "duplicated", "possible_duplicate", "retained", "dropped")
_ROW_FILES = (measure.PAYLOADS_FILE, measure.CYCLES_FILE, measure.EXCHANGES_FILE)


@dataclass(frozen=True)
class Found:
    """One stored experiment.

    Attributes:
      name: its path, below what was asked for.
      problem: the reason why it can't be read; empty if it can.
    """

    name: str
    histories: Sequence[History] = ()
    problem: str = ""


def read(path: str | os.PathLike[str]) -> Iterator[Found]:
    """Yields the experiments in a folder or a file, in the order of their names. One that can't be read has a
    problem, and no histories; a JSON file that is no result of an experiment is passed over.
    """
    top = pathlib.Path(path)
    if top.is_file():
        yield _read_file(top, top.name)
        return
    for folder, folders, files in os.walk(top):
        folders.sort()
        here = pathlib.Path(folder)
        stored = RESULT_FILE in files
        if stored:
            yield _read_run(here, str(here.relative_to(top)))
        for name in sorted(files):
            if stored and (name == RESULT_FILE or name in _ROW_FILES):
                continue
            if name.endswith(".parquet") or (name.endswith(".json") and _is_result(here / name)):
                yield _read_file(here / name, str((here / name).relative_to(top)))


def _is_result(path: pathlib.Path) -> bool:
    """Returns whether a JSON file says that it is a result; one that can't be read may be."""
    if path.name == measure.PROVENANCE_FILE:
        return False
    try:
        return '"arms"' in path.read_text(errors="replace")
    except OSError:
        return True


def _read_file(path: pathlib.Path, name: str) -> Found:
    if path.suffix != ".parquet":
        return _read_run(path, name)
    try:
        rows = measure.read_rows(path, PointRow)
    except MeasureError as error:
        return Found(name, problem=str(error))
    return Found(name, [_of_point(row) for row in rows])


def _read_run(path: pathlib.Path, name: str) -> Found:
    try:
        run = _run(path)
    except MeasureError as error:
        return Found(name, problem=str(error))
    return Found(name, [_of_arm(run, arm, figures) for arm, figures in run.result.arms.items()])


def _run(path: pathlib.Path) -> Run:
    """Returns a run with its rows, or the result alone where none were stored: W0 has none."""
    if path.is_dir() and not (path / measure.PAYLOADS_FILE).exists():
        return read_run(path / RESULT_FILE)
    return read_run(path)


def _of_arm(run: Run, arm: str, figures: ArmResult) -> History:
    result = run.result
    entries = None
    times_known = False
    if run.measurements is not None:
        rows = [row for row in run.measurements.payloads if row.arm == arm]
        entries = [_entry(row) for row in rows]
        times_known = any(row.arrived_in is not None for row in rows)
    return History(
        arm,
        _keeps(arm),
        result.all_cycles,
        _payloads(result, figures),
        entries,
        _counts(figures),
        result.complete,
        times_known,
    )


def _payloads(result: ExperimentResult, figures: ArmResult) -> int:
    """Payloads of a flush. Older results don't say how many they were."""
    return (
        figures.payloads // max(1, result.cycles_of(figures)) if result.payloads is None else result.payloads
    )


def _entry(row: PayloadRow) -> Entry:
    return Entry(
        cycle=row.cycle,
        payload=row.payload,
        times=row.times_delivered,
        flagged=row.flagged,
        retained=row.retained,
        dropped_reason=row.dropped_reason,
        arrived_in=row.arrived_in,
        phase=row.phase,
    )


def _of_point(row: PointRow) -> History:
    return History(row.arm, _keeps(row.arm), row.cycles, row.payloads_per_flush, counts=_counts(row))


def _counts(figures: ArmResult | PointRow) -> Counts:
    return Counts(**{name: getattr(figures, name) for name in _COUNTS})


def _keeps(arm: str) -> bool | None:
    try:
        return arms.parse(arm).keeps
    except ValueError:
        return None
