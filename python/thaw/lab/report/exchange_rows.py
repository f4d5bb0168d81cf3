"""A row for each exchange of thaw's own client that was answered: how long its parts took.

    exchange_rows.rows_of(arm, settings, outcome, first_cycle)
    measure.read_rows(folder / EXCHANGES_FILE, ExchangeRow)

Other clients say nothing of their exchanges, so they have no rows.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from thaw.lab.experiment import ArmOutcome, ExperimentSettings

EXCHANGES_FILE = "exchanges.parquet"


@dataclasses.dataclass(frozen=True)
class ExchangeRow:
    """One exchange. Times are milliseconds of the client's monotonic clock, as in `thaw.ExchangeTimes`.

    Attributes:
      cycle, exchange: the flush, and the place among its exchanges in the order in which they ended.
      waited_ms: the wait for a connection, a dial included.
      name_lookup_ms, connect_ms, tls_ms: the parts of the dial; None where there was no such part.
      resumed: TLS resumed an earlier session.
      reused, shared: the connection had carried a request before; another request handed it over.
      epoch: the epoch of the connection.
      first_byte_ms, last_byte_ms: the times at which the answer began and ended, since the request had its
        connection.
    """

    arm: str
    world: str
    close: str
    scenario: str
    cycle: int
    exchange: int
    waited_ms: float
    name_lookup_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    resumed: bool
    reused: bool
    shared: bool
    epoch: int
    first_byte_ms: float
    last_byte_ms: float


_TIMES = ("waited", "name_lookup", "connect", "tls", "first_byte", "last_byte")
_FACTS = ("resumed", "reused", "shared", "epoch")


def rows_of(
    arm: str, settings: ExperimentSettings, outcome: ArmOutcome, first_cycle: int
) -> list[ExchangeRow]:
    """Returns the rows of an arm's block, whose cycles are counted from `first_cycle`."""
    return [
        ExchangeRow(
            arm=arm,
            world=settings.world,
            close=settings.close,
            scenario=settings.scenario,
            cycle=first_cycle + cycle.cycle,
            exchange=number,
            **{f"{name}_ms": _milliseconds(times[name]) for name in _TIMES},
            **{name: times[name] for name in _FACTS},
        )
        for cycle in outcome.cycles
        for number, times in enumerate(cycle.exchanges)
    ]


def _milliseconds(seconds: Any) -> Any:
    return None if seconds is None else seconds * 1e3
