"""Memory of the extension with a thousand payloads, and under load that fills the byte budget."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from thaw.lab.benchmarks.extension.bench import (
    NO_FLUSH,
    SMALL_MB,
    Bench,
    Figures,
    extension_counts,
    statuses_of,
)
from thaw.lab.intake import Intake


async def memory(bench: Bench) -> Figures:
    """Measures resident memory with 1,000 payloads, before and after their flush, and at its peak."""
    payloads = bench.times(1000, 10)
    with Intake() as intake:
        async with bench.function(intake) as sandbox:
            await sandbox.initialize()
            before = bench.usage(sandbox).resident_bytes
            invocation = sandbox.prepare({"payloads": payloads, "pause": 0.1})
            samples: list[tuple[int, int]] = []
            running = asyncio.create_task(sandbox.run(invocation))
            while not running.done():
                usage = sandbox.current.process(bench.executable.name).usage()
                if usage is not None:
                    samples.append((time.monotonic_ns(), usage.resident_bytes))
                await asyncio.sleep(0.005)
            await running
            usage = bench.usage(sandbox)
            statuses = statuses_of(invocation)
            await sandbox.shutdown("spindown")
        spans = intake.spans()
    held = [resident for when, resident in samples if when < invocation.times.answered_ns]
    return {
        "payloads": payloads,
        "accepted": statuses["200"],
        "delivered": len(spans) // bench.request.spans,
        "at_start_mb": before / 1e6,
        "before_flush_mb": held[-1] / 1e6,
        "after_flush_mb": usage.resident_bytes / 1e6,
        "peak_mb": usage.peak_resident_bytes / 1e6,
    }


# Seconds of load within which the byte budget has to be full.
_FULL_WITHIN = 90.0


async def bounded(bench: Bench) -> Figures:
    """Measures memory under load without a flush, until the byte budget is full, and beyond."""
    statuses: Counter[str] = Counter()
    begun = time.monotonic()
    sent = 0
    with Intake() as intake:
        async with bench.function(intake, NO_FLUSH, memory_mb=SMALL_MB) as sandbox:
            await sandbox.initialize()
            async with sandbox.resumed():
                while not statuses["429"] and time.monotonic() - begun < _FULL_WITHIN * bench.scale:
                    load = await bench.load(8, seconds=5, first=sent)
                    statuses.update(load["statuses"])
                    sent += load["requests"]
                    bench.say(f"{sent:,} payloads without a flush")
                counts = await asyncio.to_thread(extension_counts)
                usage = bench.usage(sandbox)
            await sandbox.kill()
    return {
        "memory_mb": SMALL_MB,
        "budget_mb": counts["flush"]["bytes"]["limit"] / 1e6,
        "used_mb": counts["flush"]["bytes"]["used"] / 1e6,
        "statuses": dict(statuses),
        "peak_mb": usage.peak_resident_bytes / 1e6,
    }
