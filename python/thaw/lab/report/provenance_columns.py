"""Columns that say where stored rows are from."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from thaw.lab.provenance import Provenance
from thaw.lab.report.measure import MeasureError

if TYPE_CHECKING:
    import pyarrow

SOURCE_COLUMNS = ("version", "commit", "date", "machine", "clock_behaviour", "command", "busy")


def with_source(table: pyarrow.Table, provenance: Mapping[str, Any], path: pathlib.Path) -> pyarrow.Table:
    """Returns the table with the columns, whose values are alike in all rows. MeasureError names a file of
    `path` whose provenance is another.
    """
    import pyarrow

    try:
        where = Provenance(**provenance)
    except TypeError as error:
        raise MeasureError(f"{path} has another provenance: {error}") from None
    for name in SOURCE_COLUMNS:
        value = pyarrow.array([getattr(where, name)] * table.num_rows, pyarrow.string())
        table = table.append_column(pyarrow.field(name, pyarrow.string(), nullable=False), value)
    return table.replace_schema_metadata(None)
