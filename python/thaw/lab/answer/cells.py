"""The measured cells of a sweep: one arm at one point, its blocks together.

cells = Cells.of(dataset.read_points(folder))
cells.one("thaw", payloads_per_flush=1, round_trip=0.02).wall_ms.middle
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from thaw.lab.report.dataset import PointRow


@dataclass(frozen=True)
class Spread:
    """The median of the blocks' figures, and the least and the greatest of them."""

    middle: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        found = sorted(values)
        return cls(statistics.median(found), found[0], found[-1])


@dataclass(frozen=True)
class Cell:
    """One arm at one point.

    Attributes:
      rows: one for each block, at least one.
    """

    rows: Sequence[PointRow]

    @property
    def row(self) -> PointRow:
        """Returns the first block's row, for what is the same in all of them."""
        return self.rows[0]

    @property
    def arm(self) -> str:
        return self.row.arm

    @property
    def wall_ms(self) -> Spread:
        """Returns the time of a flush: the medians of the blocks."""
        return Spread.of(row.flush_p50_ms for row in self.rows)

    @property
    def cpu_ms(self) -> Spread:
        """Returns the client's processor time for a flush: the means of the blocks."""
        return Spread.of((row.cpu_us_per_payload or 0.0) * row.payloads_per_flush / 1e3 for row in self.rows)

    @property
    def round_trip(self) -> float:
        """Returns the round trip as measured on the line, in seconds; without a line, as it was set."""
        measured = [row.round_trip_measured for row in self.rows if row.round_trip_measured is not None]
        return statistics.median(measured) if measured else self.row.round_trip

    @property
    def requests(self) -> float:
        """Returns the number of requests of a flush."""
        return sum(row.requests for row in self.rows) / self._flushes

    @property
    def sent_bytes(self) -> float | None:
        """Returns the mean size of a request's body as it was sent; None if older results do not say."""
        known = [row.bytes_per_request for row in self.rows if row.bytes_per_request is not None]
        return statistics.fmean(known) if known else None

    @property
    def connections(self) -> float:
        """Returns the number of connections that a flush opened."""
        return sum(row.connections for row in self.rows) / self._flushes

    def total(self, name: str) -> int:
        """Returns the sum of a figure over all blocks."""
        return sum(getattr(row, name) for row in self.rows)

    @property
    def _flushes(self) -> int:
        return sum(row.cycles for row in self.rows)


class Cells:
    """All cells of a sweep, in the order of its files."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._cells = cells

    @classmethod
    def of(cls, rows: Iterable[PointRow]) -> Cells:
        """Collects the blocks of each point and arm."""
        found: dict[tuple[str, str], list[PointRow]] = {}
        for row in rows:
            found.setdefault((row.point, row.arm), []).append(row)
        return cls([Cell(rows) for rows in found.values()])

    def __iter__(self) -> Iterator[Cell]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def where(self, **conditions: Any) -> Cells:
        """Returns the cells whose rows have these values."""
        return Cells(
            [
                each
                for each in self._cells
                if all(getattr(each.row, name) == value for name, value in conditions.items())
            ]
        )

    def one(self, arm: str, **conditions: Any) -> Cell:
        """Returns the only cell of an arm with these values. LookupError: there is none, or there are
        several.
        """
        found = self.where(arm=arm, **conditions)._cells
        if len(found) != 1:
            raise LookupError(f"{len(found)} cells of arm {arm} have {conditions}, not one")
        return found[0]

    def values(self, name: str) -> list[Any]:
        """Returns the different values of a row's field, sorted."""
        return sorted({getattr(each.row, name) for each in self._cells})

    def arms(self) -> list[str]:
        """Returns the names of the arms, in their order."""
        return list(dict.fromkeys(each.arm for each in self._cells))
