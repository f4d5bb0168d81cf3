"""The cost of DogStatsD: processor time of a datagram, the rate without a loss, the flush of the metrics."""

from __future__ import annotations

import asyncio
import json
import os
import sys

from thaw.lab.benchmarks.extension import accounts
from thaw.lab.benchmarks.extension.bench import (
    AT_END,
    Bench,
    Figures,
    Gate,
    extension_counts,
    median,
    on_the_wire,
)
from thaw.lab.intake import Intake
from thaw.lab.workload import datagrams

_COUNT, _RATE = 20_000, 20_000  # a second, at a pace that a function may have
_FAST = (200_000, 150_000, 100_000)  # a second, until one loses nothing
_FAST_SECONDS = 3


async def dogstatsd(bench: Bench) -> Figures:
    """Measures datagrams of five lines: CPU of each and of their flush, time to /event/next, bytes sent."""
    runs = bench.times(5)
    count = bench.times(_COUNT, datagrams.CYCLE)
    each_run = []
    for number in range(runs):
        bench.say(f"run {number + 1} of {runs}: {count:,} datagrams, {_RATE:,} a second")
        each_run.append(await _run(bench, count, _RATE))
    return {
        "runs": runs,
        "datagrams": count,
        "rate": _RATE,
        "datagram_us": median([each["datagram_us"] for each in each_run]),
        "flush_cpu_ms": median([each["flush_cpu_ms"] for each in each_run]),
        "to_next_ms": median([each["to_next_ms"] for each in each_run]),
        "peak_mb": max(each["peak_mb"] for each in each_run),
        **on_the_wire([request for each in each_run for request in each["requests"]], runs),
        "account": sorted({wrong for each in each_run for wrong in each["account"]}),
    }


async def datagram_rate(bench: Bench) -> Figures:
    """Measures how many datagrams a second, paced evenly, are taken without a loss, on one processor."""
    tried = []
    for rate in _FAST:
        count = bench.times(rate * _FAST_SECONDS, datagrams.CYCLE)
        bench.say(f"{count:,} datagrams, {rate:,} a second")
        run = await _run(bench, count, rate)
        tried.append(
            {
                "rate": rate,
                "datagrams": count,
                "sent_a_second": count / run["seconds"],
                "latest_us": run["latest_us"],
                "lost": run["lost"],
                "datagram_us": run["datagram_us"],
                "account": run["account"],
            }
        )
        if not run["account"] and run["lost"] == 0:
            break
    best = tried[-1]
    return {
        "tried": tried,
        "a_second": best["sent_a_second"],
        "datagram_us": best["datagram_us"],
        "account": best["account"] + ([f"{best['lost']} datagrams were lost"] if best["lost"] else []),
    }


async def _run(bench: Bench, count: int, rate: float) -> Figures:
    """Runs an invocation in which `count` datagrams are sent."""
    here, *others = sorted(os.sched_getaffinity(0))
    with Intake() as intake, Gate(bench.folder) as gate:
        intake.weigh()
        async with bench.function(intake, AT_END) as sandbox:
            await sandbox.invoke({"payloads": 1})  # the flush of the next one resumes its TLS session
            os.sched_setaffinity(sandbox.current.process(bench.executable.name).pid, {here})
            invocation = sandbox.prepare({"until": str(gate.path)})
            running = asyncio.create_task(sandbox.run(invocation))
            await bench.begun(sandbox, 2)
            before = await bench.rests(sandbox)
            sent = await _send(count, rate, others[0] if others else here)
            between = await bench.rests(sandbox)
            counts = (await asyncio.to_thread(extension_counts))["dogstatsd"]
            end = await bench.rests(sandbox)
            gate.open()
            await running
            after = bench.usage(sandbox)
            await sandbox.shutdown("spindown")
        spans = intake.spans()
        points = intake.take_points()
        requests = [each for each in intake.requests() if "/v0.2/" not in each["target"]]
    return {
        **sent,
        "lost": count - counts["datagrams"],
        "datagram_us": (between.cpu_ns - before.cpu_ns) / 1e3 / count,
        "flush_cpu_ms": (after.cpu_ns - end.cpu_ns) / 1e6,
        "to_next_ms": bench.next_ms(invocation)[0],
        "peak_mb": after.peak_resident_bytes / 1e6,
        "requests": requests,
        "account": accounts.check_spans(bench.request, 1, spans) + accounts.check_datagrams(points, count),
    }


async def _send(count: int, rate: float, processor: int) -> Figures:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-SE", datagrams.__file__, "--count", str(count)),
        *("--rate", str(rate), "--processor", str(processor)),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"the sender of datagrams ended with {process.returncode}")
    return dict(json.loads(output))
