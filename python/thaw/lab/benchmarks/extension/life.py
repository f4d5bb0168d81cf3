"""The extension's beginning and end: start-up, and SHUTDOWN with one payload to flush."""

from __future__ import annotations

from thaw.lab.benchmarks.extension.bench import (
    NO_FLUSH,
    Bench,
    Figures,
    median,
)
from thaw.lab.intake import Intake


async def startup(bench: Bench) -> Figures:
    """Measures from exec to the first /event/next, memory at that time, and a SHUTDOWN as the first event."""
    starts, ends = [], []
    with Intake() as intake:
        for _ in range(bench.times(50, 3)):
            async with bench.function(intake) as sandbox:
                await sandbox.initialize()
                end = await sandbox.shutdown("spindown")
                assert end is not None
                starts.append(sandbox.startups[0])
                ends.append(end.extensions[0])
    usages = [start.usage for start in starts if start.usage is not None]
    return {
        "runs": len(starts),
        "wall_ms": median([start.wall_ms for start in starts]),
        "cpu_ms": median([usage.cpu_ns / 1e6 for usage in usages]),
        "resident_mb": median([usage.resident_bytes / 1e6 for usage in usages]),
        "threads": max(usage.threads for usage in usages),
        "shutdown_first_ms": median([end.took_ms for end in ends]),
        "exit_codes": sorted({end.exit_code for end in ends}),
    }


async def shutdown(bench: Bench) -> Figures:
    """Measures from SHUTDOWN to exit with one payload to flush."""
    took = []
    with Intake() as intake:
        runs = bench.times(30, 3)
        for _ in range(runs):
            async with bench.function(intake, NO_FLUSH) as sandbox:
                await sandbox.invoke({"payloads": 1})
                end = await sandbox.shutdown("spindown")
                assert end is not None
                took.append(end.extensions[0].took_ms)
        spans = intake.spans()
    return {"runs": runs, "took_ms": median(took), "delivered": len(spans) == bench.request.spans}
