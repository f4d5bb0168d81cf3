"""One life of a real function's environment, with an extension or without, and a table of several."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import statistics
from collections.abc import Collection, Mapping, Sequence
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
      answer_ms: the time from its begin to the function's response.
      post_runtime_ms: the time from the response to the end of the invocation.
      billed_ms: the time that Lambda would bill.
      frozen_before_ms: the time for which all processes stood still before it.
    """

    extension: str
    number: int
    begin_ms: float
    answer_ms: float
    post_runtime_ms: float
    billed_ms: int
    frozen_before_ms: float


@dataclass(frozen=True)
class Fates:
    """The fates of the log lines, or of the points of metrics, that an extension was given.

    Attributes:
      taken: the number that it was given.
      once, twice: the numbers of those that arrived once, and more often.
    """

    taken: int = 0
    once: int = 0
    twice: int = 0

    @property
    def lost(self) -> int:
        return self.taken - self.once - self.twice

    @classmethod
    def of(cls, taken: Collection[int], times: Mapping[int, int]) -> Fates:
        """Returns the fates of these numbers, each of which arrived so often."""
        came = [times.get(number, 0) for number in taken]
        return cls(len(came), sum(each == 1 for each in came), sum(each > 1 for each in came))


@dataclass
class FunctionRun:
    """One life of an environment.

    Attributes:
      extension: its name; `CONTROL` or `NONE`.
      startup_ms: the time from the extension's exec to its first /event/next; None without an extension.
      shutdown_ms: the time from SHUTDOWN to the extension's exit.
      spans: the number of spans that the function made.
      once, twice, lost: the numbers of spans with that fate.
      counts: the intake's counts of connections and handshakes.
      lines, points: the log lines and the points of metrics; None: the function made none.
    """

    extension: str
    startup_ms: float | None = None
    shutdown_ms: float | None = None
    spans: int = 0
    once: int = 0
    twice: int = 0
    rows: list[InvocationRow] = field(default_factory=list)
    counts: Mapping[str, Any] = field(default_factory=dict)
    lines: Fates | None = None
    points: Fates | None = None

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


# The kinds of data beside spans, and their member of a run.
_KINDS = (("lines", "lines"), ("points", "points"))


def titles(runs: Sequence[FunctionRun]) -> list[str]:
    """Returns the heads of the columns: TITLES, and those of each kind of data that a run has."""
    more = [
        title
        for kind, name in _KINDS
        if any(getattr(run, kind) is not None for run in runs)
        for title in (f"{name} once", "lost", "twice")
    ]
    return [*TITLES[:4], *more, *TITLES[4:]]


def added_billed_ms(run: FunctionRun, runs: Sequence[FunctionRun]) -> float | None:
    """Returns the billed milliseconds that an extension adds to an invocation: the difference of the means.

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
    """Returns the cells of a run, which is one of `runs`, under titles(runs)."""

    def milliseconds(value: float | None) -> str:
        return "–" if value is None else f"{value:.1f}"

    added = None if run.extension == NONE else added_billed_ms(run, runs)

    ends = sorted(run.post_runtime_ms)
    p99 = ends[min(len(ends) - 1, int(len(ends) * 0.99))]
    delivered = _fates(Fates(run.spans, run.once, run.twice) if run.spans else None)
    for kind, _ in _KINDS:
        if any(getattr(each, kind) is not None for each in runs):
            delivered += _fates(getattr(run, kind))
    names = ("accepted", "handshakes_full", "handshakes_resumed")
    delivered += [f"{run.counts[name]:,}" if run.spans else "–" for name in names]
    return [
        run.extension,
        *delivered,
        milliseconds(run.startup_ms),
        f"{statistics.median(ends):.1f} / {p99:.1f}",
        f"{statistics.median(row.billed_ms for row in run.rows):.0f}",
        "–" if added is None else f"{added:+.1f}",
        milliseconds(run.shutdown_ms),
    ]


def _fates(fates: Fates | None) -> list[str]:
    if fates is None:
        return ["–"] * 3
    return [f"{fates.once:,} of {fates.taken:,}", f"{fates.lost:,}", f"{fates.twice:,}"]


def table(runs: Sequence[FunctionRun]) -> str:
    """Returns the runs as a table for a terminal."""
    return "\n".join(aligned([titles(runs), *(cells(run, runs) for run in runs)]))
