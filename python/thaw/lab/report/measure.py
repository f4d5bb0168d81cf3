"""Measurements of an experiment, row by row, in Parquet, with their provenance.

    measure.write(folder, payload_rows, cycle_rows, measure.provenance(world="W1", seed=1, cycles=200))
    measurements = measure.read(folder)
    measurements.cycles[0].flush_ms, measurements.provenance.commit

A folder holds `payloads.parquet` (a row for each payload of each arm), `cycles.parquet` (a row for each
freeze of each arm), `exchanges.parquet` (a row for each exchange of thaw's own client that was answered) and
`provenance.json`, which stands in the metadata of all tables too, so that a table that was moved elsewhere
still says where it is from. pandas, DuckDB and the like read the tables as they are.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import types
import typing
from collections.abc import Sequence
from typing import Any, TypeVar

from thaw.lab.experiment import THROWN_AWAY
from thaw.lab.provenance import UNKNOWN_COMMIT, Provenance, commit, provenance
from thaw.lab.report.exchange_rows import EXCHANGES_FILE, ExchangeRow

__all__ = [
    "CYCLES_FILE",
    "EXCHANGES_FILE",
    "PAYLOADS_FILE",
    "PROVENANCE_FILE",
    "UNKNOWN_COMMIT",
    "CycleRow",
    "ExchangeRow",
    "MeasureError",
    "Measurements",
    "PayloadRow",
    "Provenance",
    "commit",
    "provenance",
    "read",
    "read_rows",
    "read_table",
    "read_where_from",
    "write",
    "write_rows",
]

# pyarrow takes a second to import. Each function that needs it imports it, so that commands without rows do
# not wait for it.
if typing.TYPE_CHECKING:
    import pyarrow

PAYLOADS_FILE = "payloads.parquet"
CYCLES_FILE = "cycles.parquet"
PROVENANCE_FILE = "provenance.json"

_METADATA_KEY = b"thaw.provenance"


class MeasureError(RuntimeError):
    """A file of measurements is missing or is not what this module writes. The text names the file."""


@dataclasses.dataclass(frozen=True)
class PayloadRow:
    """The fate of one payload.

    Attributes:
      times_delivered: the intake's own count.
      flagged: whether the client marked the payload as a possible duplicate.
      retained: whether the payload is in the client's outbox at the end.
      phase: the phase in which an exchange was frozen, if one was.
      dropped_reason: the client's own word, those of `experiment.THROWN_AWAY` included.
      arrived_in: the cycle in which it first arrived whole; a later one than its own: it was late.
      payloads_per_flush … tls_version: the conditions, so that rows of several experiments can stand in one
        table.
    """

    arm: str
    world: str
    close: str
    scenario: str
    phase: str | None
    cycle: int
    payload: int
    times_delivered: int
    flagged: bool
    retained: bool
    dropped_reason: str | None
    payloads_per_flush: int = 0
    workload: str = ""
    freeze: float = 0.0
    round_trip: float = 0.0
    tls_version: str = ""
    arrived_in: int | None = None

    @property
    def outcome(self) -> str:
        """once, twice, retained, dropped or lost: the first of these that holds."""
        if self.times_delivered:
            return "once" if self.times_delivered == 1 else "twice"
        if self.retained:
            return "retained"
        return "lost" if self.dropped_reason in (None, *THROWN_AWAY) else "dropped"


@dataclasses.dataclass(frozen=True)
class CycleRow:
    """The cost of one cycle, a freeze and the flush after it. `cpu_us` is the client's processor time; the
    last five are as in `experiment.CycleOutcome`, the five before them as in `PayloadRow`.
    """

    arm: str
    world: str
    close: str
    scenario: str
    phase: str | None
    cycle: int
    flush_ms: float
    cpu_us: float
    connections: int
    handshakes_full: int
    handshakes_resumed: int
    errors: int
    payloads_per_flush: int = 0
    workload: str = ""
    freeze: float = 0.0
    round_trip: float = 0.0
    tls_version: str = ""
    close_ms: float | None = None
    flush_start_ms: float | None = None
    late_ms: float | None = None
    arrived: int = 0
    arrived_at_freeze: int | None = None


@dataclasses.dataclass(frozen=True)
class Measurements:
    """The rows and the provenance of one folder."""

    payloads: list[PayloadRow]
    cycles: list[CycleRow]
    provenance: Provenance
    exchanges: list[ExchangeRow] = dataclasses.field(default_factory=list)


def write(
    folder: str | os.PathLike[str],
    payload_rows: Sequence[PayloadRow],
    cycle_rows: Sequence[CycleRow],
    where_from: Provenance,
    exchange_rows: Sequence[ExchangeRow] = (),
) -> None:
    """Writes the four files into `folder`, which is made if need be; older files are replaced."""
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    text = json.dumps(dataclasses.asdict(where_from), indent=1)
    write_rows(path / PAYLOADS_FILE, PayloadRow, payload_rows, text)
    write_rows(path / CYCLES_FILE, CycleRow, cycle_rows, text)
    write_rows(path / EXCHANGES_FILE, ExchangeRow, exchange_rows, text)
    _replace(path / PROVENANCE_FILE, lambda scratch: scratch.write_text(text + "\n"))


def read(folder: str | os.PathLike[str]) -> Measurements:
    """Reads what `write` wrote. MeasureError: a file is missing or is something else; the text names it."""
    path = pathlib.Path(folder)
    exchanges = path / EXCHANGES_FILE  # a folder of an older version has none
    return Measurements(
        read_rows(path / PAYLOADS_FILE, PayloadRow),
        read_rows(path / CYCLES_FILE, CycleRow),
        _read_provenance(path / PROVENANCE_FILE),
        read_rows(exchanges, ExchangeRow) if exchanges.exists() else [],
    )


# -- One table ---------------------------------------------------------------------------------------

Row = TypeVar("Row")


def _schema(row_type: type) -> pyarrow.Schema:
    """Returns the columns of a dataclass of plain values, each of which may be `| None`."""
    import pyarrow

    made_of: dict[Any, pyarrow.DataType] = {
        str: pyarrow.string(),
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        bool: pyarrow.bool_(),
    }
    columns = []
    for name, hint in typing.get_type_hints(row_type).items():
        kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        plain = [kind for kind in kinds if kind is not type(None)]
        columns.append(pyarrow.field(name, made_of[plain[0]], nullable=len(plain) < len(kinds)))
    return pyarrow.schema(columns)


def write_rows(path: pathlib.Path, row_type: type[Row], rows: Sequence[Row], where_from: str) -> None:
    """Writes one table of a dataclass's rows, whole or not at all; `where_from` is JSON for its metadata."""
    import pyarrow.parquet

    schema = _schema(row_type).with_metadata({_METADATA_KEY: where_from.encode()})
    columns = {name: [getattr(row, name) for row in rows] for name in schema.names}
    table = pyarrow.Table.from_pydict(columns, schema=schema)
    _replace(path, lambda scratch: pyarrow.parquet.write_table(table, scratch))


def read_rows(path: pathlib.Path, row_type: type[Row]) -> list[Row]:
    """Returns the rows of one table. MeasureError: it is missing, no Parquet, or has other columns."""
    return [row_type(**values) for values in read_table(path, row_type).to_pylist()]


def read_table(path: pathlib.Path, row_type: type) -> pyarrow.Table:
    """Returns one table, whose columns are those of the dataclass. MeasureError: as `read_rows`.

    A column whose default is None may be missing, as in files of older versions; it has nulls then.
    """
    expected = _schema(row_type)
    table = _with_missing(_read_table(path), row_type, expected)
    if not table.schema.equals(expected, check_metadata=False):
        raise MeasureError(
            f"{path} has other columns than {row_type.__name__}: {_difference(table, expected)}"
        )
    return table


def read_where_from(path: pathlib.Path) -> str:
    """Returns the JSON that `write_rows` put into a table's metadata. MeasureError: there is none."""
    text = (_opened(path).schema_arrow.metadata or {}).get(_METADATA_KEY)
    if text is None:
        raise MeasureError(f"{path} does not say where it is from")
    return str(text.decode())


def _read_table(path: pathlib.Path) -> pyarrow.Table:
    import pyarrow

    try:
        return _opened(path).read()
    except (pyarrow.ArrowException, OSError) as error:
        raise MeasureError(f"{path} can't be read as Parquet: {error}") from error


def _with_missing(table: pyarrow.Table, row_type: Any, expected: pyarrow.Schema) -> pyarrow.Table:
    """Adds columns of nulls for those that an older version did not write."""
    import pyarrow

    optional = {each.name for each in dataclasses.fields(row_type) if each.default is None}
    for at, field in enumerate(expected):
        if field.name in optional and field.name not in table.column_names:
            table = table.add_column(
                min(at, table.num_columns), field, pyarrow.nulls(table.num_rows, field.type)
            )
    return table


def _opened(path: pathlib.Path) -> pyarrow.parquet.ParquetFile:
    """Opens a table, of which only the schema and the metadata are read."""
    import pyarrow.parquet

    try:
        return pyarrow.parquet.ParquetFile(path)
    except FileNotFoundError:
        raise MeasureError(f"{path} does not exist") from None
    except (pyarrow.ArrowException, OSError) as error:
        raise MeasureError(f"{path} can't be read as Parquet: {error}") from error


def _difference(table: pyarrow.Table, expected: pyarrow.Schema) -> str:
    found = {field.name: str(field) for field in table.schema}
    wanted = {field.name: str(field) for field in expected}
    changed = [f"{text}, found {found.get(name)}" for name, text in wanted.items() if found.get(name) != text]
    changed += [f"unexpected {found[name]}" for name in found.keys() - wanted.keys()]
    return "; ".join(changed) or "their order differs"


def _read_provenance(path: pathlib.Path) -> Provenance:
    try:
        return Provenance(**json.loads(path.read_text()))
    except FileNotFoundError:
        raise MeasureError(f"{path} does not exist") from None
    except (OSError, TypeError, ValueError) as error:
        raise MeasureError(f"{path} is no provenance: {error}") from error


def _replace(path: pathlib.Path, fill: typing.Callable[[pathlib.Path], object]) -> None:
    """Replaces a file so that a reader finds the old one or the new one, after a crash too."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fill(scratch)
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)
