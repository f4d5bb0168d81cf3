"""Reports on invocations: how long each took and what Lambda would bill, as a line, a table, JSON."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from thaw.lab.aligned import aligned
from thaw.lab.arguments import one_line
from thaw.lab.emulator.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Report:
    """Milliseconds of one invocation, as in Lambda's REPORT line.

    Attributes:
      init_ms: the initialization before this invocation, None without one. One that is run again within
        an invocation, after a failure, is part of `duration_ms`.
      restore_ms: the restore from a snapshot before this invocation, None without one.
      runtime_ms: the time from the event to the runtime's next /invocation/next.
      post_runtime_ms: the time from then until the last extension was done, which extensions add.
      duration_ms: the invocation, whole.
      billed_ms: whole milliseconds: the duration, with the initialization where that is billed.
      frozen_before_ms: the time for which the environment stood still before it.
      error: the type and the message of what went wrong, None for a success.
    """

    request_id: str
    status: str
    init_ms: float | None
    restore_ms: float | None
    runtime_ms: float
    post_runtime_ms: float
    duration_ms: float
    billed_ms: int
    memory_mb: int
    max_memory_mb: int
    frozen_before_ms: float
    error: str | None = None

    def line(self) -> str:
        """Returns the REPORT line of the function's log."""
        parts = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {self.duration_ms:.2f} ms",
            f"Billed Duration: {self.billed_ms} ms",
            f"Memory Size: {self.memory_mb} MB",
            f"Max Memory Used: {self.max_memory_mb} MB",
        ]
        if self.init_ms is not None:
            parts.append(f"Init Duration: {self.init_ms:.2f} ms")
        if self.restore_ms is not None:
            parts.append(f"Restore Duration: {self.restore_ms:.2f} ms")
        if self.status != "success":
            parts.append(f"Status: {self.status}")
        return "\t".join(parts)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def billed_ms(settings: Settings, duration_ms: float, init_ms: float | None, restore_ms: float | None) -> int:
    """Returns the duration, with the phase before it where that is billed with the invocation: an on-demand
    initialization, a restore. Initializations for provisioned concurrency and snapshots are paid otherwise.
    """
    before = init_ms if settings.initialization_type == "on-demand" else restore_ms
    return math.ceil(duration_ms + (before or 0.0))


def table(reports: Sequence[Report], *, rows: int = 20) -> str:
    """Returns a table of the first reports, one a line, and a summary of all of them."""
    titles = ("invocation", "status", "init", "runtime", "extensions", "duration", "billed", "memory")
    lines: list[tuple[str, ...]] = [
        (
            report.request_id[:8],
            report.status,
            "" if (before := report.init_ms or report.restore_ms) is None else f"{before:.1f} ms",
            f"{report.runtime_ms:.1f} ms",
            f"{report.post_runtime_ms:.1f} ms",
            f"{report.duration_ms:.1f} ms",
            f"{report.billed_ms} ms",
            f"{report.max_memory_mb} MB",
        )
        for report in reports[:rows]
    ]
    if len(reports) > 1:
        lines.append(("median", "", "", *(f"{value:.1f} ms" for value in _medians(reports)), "", ""))
    text = aligned([titles, *lines], words=2)
    if (left := len(reports) - rows) > 0:
        text.insert(1 + rows, f"… {left} more")
    return "\n".join(text)


def first_error(reports: Sequence[Report]) -> str:
    """Returns a line on the first invocation that was no success, empty if there is none."""
    for report in reports:
        if report.error is not None:
            return f"{report.request_id[:8]}: {report.status}: {one_line(report.error)}"
    return ""


def summary(reports: Sequence[Report]) -> dict[str, Any]:
    """Returns figures of all invocations together, for JSON."""
    if not reports:
        return {"invocations": 0}
    runtime, extensions, duration = _medians(reports)
    return {
        "invocations": len(reports),
        "not_successful": sum(report.status != "success" for report in reports),
        "median_runtime_ms": runtime,
        "median_post_runtime_ms": extensions,
        "median_duration_ms": duration,
        "billed_ms": sum(report.billed_ms for report in reports),
        "max_memory_mb": max(report.max_memory_mb for report in reports),
    }


def _medians(reports: Sequence[Report]) -> tuple[float, float, float]:
    return (
        statistics.median(report.runtime_ms for report in reports),
        statistics.median(report.post_runtime_ms for report in reports),
        statistics.median(report.duration_ms for report in reports),
    )
