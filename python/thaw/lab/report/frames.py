"""Stored results as one frame: of a sweep, of `compare --rows`, or of `main`.

    rows = thaw.lab.results.read("sweep-results")
    rows.pandas().groupby("arm")["lost"].sum()
    rows.polars().group_by("arm").agg(polars.col("lost").sum())

Columns have the types of the row's dataclass: `dataset.PointRow` for a sweep, `measure.CycleRow`,
`measure.PayloadRow` or `measure.ExchangeRow` for a run. `SOURCE_COLUMNS`, which say where each row is from,
come after them.
"""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from thaw.lab import needs
from thaw.lab.report import dataset, measure
from thaw.lab.report.html_tables import text
from thaw.lab.report.measure import CycleRow, ExchangeRow, MeasureError, PayloadRow
from thaw.lab.report.provenance_columns import with_source

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

RunRows = Literal["cycles", "payloads", "exchanges"]
_TABLES: Mapping[RunRows, tuple[str, type]] = {
    "cycles": (measure.CYCLES_FILE, CycleRow),
    "payloads": (measure.PAYLOADS_FILE, PayloadRow),
    "exchanges": (measure.EXCHANGES_FILE, ExchangeRow),
}
_MOST_SHOWN = 10  # rows in a notebook


class Rows:
    """The rows of stored results."""

    def __init__(self, table: pyarrow.Table) -> None:
        self._table = table

    def arrow(self) -> pyarrow.Table:
        """Returns the rows as a table of pyarrow."""
        return self._table

    def pandas(self) -> pandas.DataFrame:
        """Returns the rows as a frame of pandas. MeasureError: it is not installed."""
        _require("pandas")
        return self._table.to_pandas()

    def polars(self) -> polars.DataFrame:
        """Returns the rows as a frame of polars. MeasureError: it is not installed."""
        _require("polars")
        import polars

        made = polars.from_arrow(self._table)
        assert isinstance(made, polars.DataFrame)
        return made

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self._table.column_names)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{text(name)}</th>" for name in self.columns)
        rows = "".join(
            f"<tr>{''.join(f'<td>{text(value)}</td>' for value in row.values())}</tr>"
            for row in self._table.slice(0, _MOST_SHOWN).to_pylist()
        )
        more = len(self) - _MOST_SHOWN
        below = f"<p>… and {more:,} more rows: .pandas(), .polars() or .arrow()</p>" if more > 0 else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{below}"


def read(folder: str | os.PathLike[str], rows: RunRows = "cycles") -> Rows:
    """Returns the rows of stored results.

    Args:
      folder: the folder of a sweep or of a run, or one with a folder for each run, as `main` writes it.
      rows: which rows of a run: one for each cycle, payload or exchange of thaw's own client; a sweep has one
        for each arm in each block.

    MeasureError: there are no results, or a file is something else. ValueError: there are no such rows.
    """
    if rows not in _TABLES:
        raise ValueError(f"rows is {rows!r}, not one of {', '.join(_TABLES)}")
    path = pathlib.Path(folder)
    runs = [each for each in (path, *_folders(path)) if (each / measure.CYCLES_FILE).is_file()]
    return Rows(_table_of_runs(runs, rows) if runs else dataset.table(path))


def _folders(path: pathlib.Path) -> list[pathlib.Path]:
    return sorted(each for each in path.iterdir() if each.is_dir()) if path.is_dir() else []


def _table_of_runs(runs: Sequence[pathlib.Path], rows: RunRows) -> pyarrow.Table:
    import pyarrow

    file, row_type = _TABLES[rows]
    tables = []
    for run in runs:
        path = run / file
        source = _json(path)
        tables.append(with_source(measure.read_table(path, row_type), source, path))
    return pyarrow.concat_tables(tables).combine_chunks()


def _json(path: pathlib.Path) -> Any:
    try:
        return json.loads(measure.read_where_from(path))
    except ValueError:
        raise MeasureError(f"{path} does not say where it is from") from None


def _require(package: str) -> None:
    if (missing := needs.missing({package: needs.FRAMES[package]}, f"a frame of {package}")) is not None:
        raise MeasureError(f"{missing}; arrow() needs neither pandas nor polars")
