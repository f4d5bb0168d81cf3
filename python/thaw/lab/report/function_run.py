"""One life of a real function's environment, with an extension or without, and a table of several."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from thaw.lab.aligned import aligned
from thaw.lab.report import measure

# The runs beside those with an extension: one that does nothing, and none.
CONTROL, NONE = "control", "none"


@dataclass(frozen=True)
class InvocationRow:
    """One invocation; milliseconds.

    Attributes:
      extension: its name; `CONTROL` or `NONE`.
      number: counted from 0.
      begin_ms: since the first one began.
      answer_ms: from its begin to the function's response.
      post_runtime_ms: from the response to the end of the invocation.
      billed_ms: what Lambda would bill.
      frozen_before_ms: how long everything stood still before it.
    """

    extension: str
    number: int
    begin_ms: float
    answer_ms: float
    post_runtime_ms: float
    billed_ms: int
    frozen_before_ms: float


@dataclass
class FunctionRun:
    """One life of an environment.

    Attributes:
      extension: its name; `CONTROL` or `NONE`.
      startup_ms: of the extension, from exec to its first /event/next; None without one.
      shutdown_ms: of the extension, from SHUTDOWN to its exit.
      spans: that the function made.
      once, twice, lost: what became of them.
      counts: what the intake counted: connections and handshakes.
    """

    extension: str
    startup_ms: float | None = None
    shutdown_ms: float | None = None
    spans: int = 0
    once: int = 0
    twice: int = 0
    rows: list[InvocationRow] = field(default_factory=list)
    counts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def lost(self) -> int:
        return self.spans - self.once - self.twice

    @property
    def post_runtime_ms(self) -> list[float]:
        return [row.post_runtime_ms for row in self.rows]


TITLES = (
    "extension",
    "spans once",
    "lost",
    "twice",
    "connections",
    "full handshakes",
    "resumed",
    "start-up ms",
    "after the response ms p50 / p99",
    "billed ms p50",
    "adds, billed ms",
    "SHUTDOWN to exit ms",
)


def added_billed_ms(run: FunctionRun, runs: Sequence[FunctionRun]) -> float | None:
    """What an extension adds to an invocation: the mean of its billed milliseconds, less that without one.

    The first invocation is left out, since it starts the environment. None: nothing was run without one.
    """
    means = {each.extension: statistics.fmean(row.billed_ms for row in _warm(each)) for each in (run, *runs)}
    return means[run.extension] - means[NONE] if NONE in means else None


def _warm(run: FunctionRun) -> list[InvocationRow]:
    return run.rows[1:] or run.rows


def write(path: pathlib.Path, runs: Sequence[FunctionRun]) -> None:
    """Writes the rows of all invocations, with their provenance."""
    rows = [row for run in runs for row in run.rows]
    where = measure.provenance(world="W1", seed=0, cycles=len(rows))
    measure.write_rows(path, InvocationRow, rows, json.dumps(dataclasses.asdict(where)))


def cells(run: FunctionRun, runs: Sequence[FunctionRun]) -> list[str]:
    """The cells of a run, which is one of `runs`, under TITLES."""

    def milliseconds(value: float | None) -> str:
        return "–" if value is None else f"{value:.1f}"

    added = None if run.extension == NONE else added_billed_ms(run, runs)

    ends = sorted(run.post_runtime_ms)
    p99 = ends[min(len(ends) - 1, int(len(ends) * 0.99))]
    delivered = ["–", "–", "–", "–", "–", "–"]
    if run.spans:
        counts = run.counts
        delivered = [
            f"{run.once:,} of {run.spans:,}",
            f"{run.lost:,}",
            f"{run.twice:,}",
            *(f"{counts[name]:,}" for name in ("accepted", "handshakes_full", "handshakes_resumed")),
        ]
    return [
        run.extension,
        *delivered,
        milliseconds(run.startup_ms),
        f"{statistics.median(ends):.1f} / {p99:.1f}",
        f"{statistics.median(row.billed_ms for row in run.rows):.0f}",
        "–" if added is None else f"{added:+.1f}",
        milliseconds(run.shutdown_ms),
    ]


def table(runs: Sequence[FunctionRun]) -> str:
    """The runs as a table for a terminal."""
    return "\n".join(aligned([list(TITLES), *(cells(run, runs) for run in runs)]))
