"""The results of a sweep: a folder with one Parquet file for each point, written once.

    dataset.write(folder, point, results, provenance)
    thaw.lab.results.read(folder).pandas()  # `pandas.read_parquet(folder)` reads the rows alone

A file has a `PointRow` for each arm in each block, and in its metadata, under `thaw.provenance`, a JSON
object with `spec`, the point as `--spec` reads it, and `provenance`, where it was measured. `table` adds the
columns of `SOURCE_COLUMNS` from there. The rows of a point of world W0 depend on its spec alone.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import typing
from collections.abc import Iterable, Sequence
from typing import Any

from thaw.lab.experiment import ExperimentSettings
from thaw.lab.experiment_result import ArmResult
from thaw.lab.freeze_lengths import FreezeDistribution
from thaw.lab.report import measure
from thaw.lab.report.measure import MeasureError, Provenance
from thaw.lab.report.provenance_columns import SOURCE_COLUMNS, with_source

if typing.TYPE_CHECKING:
    import pyarrow

__all__ = [
    "SOURCE_COLUMNS",
    "BlockResult",
    "PointRow",
    "busy",
    "is_there",
    "path_of",
    "prepare",
    "read_points",
    "table",
    "write",
]

_PROBE_BYTES = 1 << 16  # more than the file of a point with a few arms has


@dataclasses.dataclass(frozen=True)
class PointRow:
    """One arm in one block of one point.

    Attributes:
      point: the point's digest, which is in the file's name too.
      freeze: seconds; None where `freeze_distribution` says how freezes are drawn.
      block: counted from 0; `blocks` is how many the point has, and `cycles` how many each of them has.
      seed: the point's; later blocks have seeds of their own, derived from it.
      payloads … late, bytes_per_request: figures of the arm in this block, as in `results.ArmResult`.
      round_trip_measured: seconds that a TCP handshake took over the line; None where there was no line.
      cpu_us_per_payload: None in world W0, which has no client's process to measure.
      bytes_per_request: None in world W0, and in files of older versions, which lack the column.
    """

    point: str
    arm: str
    block: int
    world: str
    scenario: str
    close: str
    freeze: float | None
    freeze_distribution: str | None
    idle_limit: float | None
    round_trip: float
    tls_version: str
    payloads_per_flush: int
    workload: str
    spans: int
    filler_bytes: int
    cpu_share: float
    flush_every: float | None
    exchange_timeout: float
    flush_deadline: float
    freezer: str
    cycles: int
    blocks: int
    seed: int

    payloads: int
    requests: int
    delivered: int
    lost: int
    duplicated: int
    possible_duplicate: int
    retained: int
    dropped: int
    errors: int
    connections: int
    handshakes_full: int
    handshakes_resumed: int
    stale: int
    cpu_us_per_payload: float | None
    flush_p50_ms: float
    flush_p99_ms: float
    first_flush_ms: float | None
    late: int | None
    round_trip_measured: float | None
    bytes_per_request: float | None = None


@dataclasses.dataclass(frozen=True)
class BlockResult:
    """The result of one arm in one block."""

    block: int
    arm: str
    result: ArmResult


def prepare(folder: str | os.PathLike[str]) -> None:
    """Makes the folder if need be, and tries whether a file can be written there.

    ValueError says why not: it is not writable, or its disk is full.
    """
    path = pathlib.Path(folder)
    probe = path / f".probe.{os.getpid()}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        try:
            with probe.open("wb") as file:
                file.write(bytes(_PROBE_BYTES))
                file.flush()
                os.fsync(file.fileno())
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise ValueError(f"{path}: nothing can be written there: {error.strerror}") from None


def path_of(folder: str | os.PathLike[str], point: ExperimentSettings, spec: str) -> pathlib.Path:
    """Returns the file of a point; `spec` is the point as text."""
    name = f"{point.world}-{point.scenario}-{point.close}-{_digest(spec)}.parquet"
    return pathlib.Path(folder) / name


def is_there(path: pathlib.Path, spec: str) -> bool:
    """Returns whether a point's file is there. MeasureError: it is something else, or of another point."""
    if not path.exists():
        return False
    if not path.is_file():
        raise MeasureError(f"{path} is not a regular file")
    if _source(path)["spec"] != spec:
        raise MeasureError(f"{path} is of another point than its name says")
    return True


def write(
    path: pathlib.Path,
    point: ExperimentSettings,
    spec: str,
    results: Sequence[BlockResult],
    provenance: Provenance,
) -> None:
    """Writes a point's file, whole or not at all. OSError: it can't be written."""
    order = {arm: number for number, arm in enumerate(point.arms)}
    rows = [
        _row(point, spec, each) for each in sorted(results, key=lambda each: (each.block, order[each.arm]))
    ]
    source = {"spec": spec, "provenance": dataclasses.asdict(provenance)}
    measure.write_rows(path, PointRow, rows, json.dumps(source))


def read_points(folder: str | os.PathLike[str]) -> list[PointRow]:
    """Returns the rows of all points, in the order of the files' names. MeasureError names a file that is
    wrong.
    """
    return read_files(_files(folder))


def read_files(paths: Iterable[pathlib.Path]) -> list[PointRow]:
    """Returns the rows of these points. MeasureError names a file that is wrong."""
    return [row for path in paths for row in measure.read_rows(path, PointRow)]


def table(folder: str | os.PathLike[str]) -> pyarrow.Table:
    """Returns the rows of all points with their `SOURCE_COLUMNS`, in the order of the files' names.

    MeasureError: a file is missing or is something else.
    """
    return table_of(_files(folder))


def table_of(paths: Iterable[pathlib.Path]) -> pyarrow.Table:
    """Returns the rows of these points with their `SOURCE_COLUMNS`. MeasureError names a file that is
    wrong.
    """
    import pyarrow

    tables = [
        with_source(measure.read_table(path, PointRow), _source(path)["provenance"], path) for path in paths
    ]
    return pyarrow.concat_tables(tables).combine_chunks()


def busy(path: pathlib.Path) -> str:
    """Returns why the times of a point mean little: other work on its machine. Empty: it was idle.

    MeasureError: the file is of something else.
    """
    return str(_source(path)["provenance"].get("busy", ""))


def _files(folder: str | os.PathLike[str]) -> list[pathlib.Path]:
    path = pathlib.Path(folder)
    found = sorted(path.glob("*.parquet")) if path.is_dir() else []
    if not found:
        raise MeasureError(f"{path} has no results of a sweep")
    for each in found:
        if not each.is_file():
            raise MeasureError(f"{each} is not a regular file")
    return found


def _source(path: pathlib.Path) -> dict[str, Any]:
    """Reads spec and provenance from a file's metadata. MeasureError: a sweep did not write it."""
    try:
        source = json.loads(measure.read_where_from(path))
        return {"spec": source["spec"], "provenance": source["provenance"]}
    except (KeyError, TypeError, ValueError):
        raise MeasureError(f"{path} has no spec in its metadata, so a sweep did not write it") from None


def _row(point: ExperimentSettings, spec: str, measured: BlockResult) -> PointRow:
    conditions, result = point.conditions(), measured.result
    drawn = isinstance(point.freeze, FreezeDistribution)
    values: dict[str, Any] = {
        **{name: getattr(result, name) for name in _FIGURES},
        **{name: value for name, value in conditions.items() if name not in ("payloads", "freeze")},
        "payloads": result.payloads,
        "payloads_per_flush": point.payloads,
        "freeze": None if drawn else point.freeze,
        "freeze_distribution": str(point.freeze) if drawn else None,
        "flush_p50_ms": result.flush_ms.p50,
        "flush_p99_ms": result.flush_ms.p99,
        "round_trip_measured": None if result.network is None else result.network.measured,
    }
    if point.world == "W0":
        values["cpu_us_per_payload"] = None
    return PointRow(point=_digest(spec), arm=measured.arm, block=measured.block, **values)


_FIGURES = tuple(
    each.name
    for each in dataclasses.fields(ArmResult)
    if each.name in {field.name for field in dataclasses.fields(PointRow)} - {"cycles"}
)


def _digest(spec: str) -> str:
    return hashlib.sha256(spec.encode()).hexdigest()[:16]
