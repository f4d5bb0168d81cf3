"""Payloads a second beside nginx, and a client that writes head and body apart."""

from __future__ import annotations

import asyncio
import socket
import time

from thaw.lab.benchmarks.extension.bench import (
    NO_FLUSH,
    PORT,
    Bench,
    Figures,
    dropped,
    extension_counts,
    median,
)
from thaw.lab.benchmarks.extension.nginx import nginx, nginx_version
from thaw.lab.intake import Intake
from thaw.lab.workload.numbered_request import NumberedRequest

# Payloads that fit into the byte budget, so that nothing is flushed and nothing is refused.
_WARM, _COUNTED = 500, 7_500


async def load(bench: Bench) -> Figures:
    """Measures payloads a second and processor time for each, by connections, beside nginx."""
    figures: Figures = {"body_bytes": bench.request.body_bytes, "connections": {}}
    counted = bench.times(_COUNTED, 500)
    with Intake() as intake, nginx(bench.folder) as other:
        for connections in (1, 8):
            runs = []
            for _ in range(bench.times(5)):
                run: Figures = {}
                async with bench.function(intake, NO_FLUSH) as sandbox:
                    await sandbox.initialize()
                    async with sandbox.resumed():
                        await bench.load(connections, requests=_WARM)
                        before = bench.usage(sandbox)
                        got = await bench.load(connections, requests=counted, first=_WARM)
                        after = bench.usage(sandbox)
                        counts = await asyncio.to_thread(extension_counts)
                    await sandbox.kill()
                accepted = got["statuses"].get("200", 0)
                run["payloads_per_second"] = accepted / got["seconds"]
                run["cpu_us"] = (after.cpu_ns - before.cpu_ns) / 1e3 / accepted
                run["refused"] = got["requests"] - accepted
                run["dropped"] = dropped(counts)
                run["budget_mb"] = counts["flush"]["bytes"]["limit"] / 1e6
                run["p50_us"], run["p99_us"] = got["p50_us"], got["p99_us"]
                if other is not None:
                    idle = await bench.load(connections, requests=counted, port=other)
                    run["nginx_per_second"] = idle["requests"] / idle["seconds"]
                runs.append(run)
            figures["connections"][connections] = {
                "runs": len(runs),
                "payloads": counted,
                **{name: median([each[name] for each in runs]) for name in runs[0]},
            }
    figures["nginx"] = None if other is None else nginx_version()
    return figures


# Spans of a request, whose body is then as long as those that some clients send in more than one segment.
_MANY_SPANS = 25


async def two_writes(bench: Bench) -> Figures:
    """Measures a client that writes head and body apart without TCP_NODELAY, as dd-java-agent does."""
    request = NumberedRequest.of_spans(_MANY_SPANS)
    head, body = request.data[: -request.body_bytes], request.data[-request.body_bytes :]
    runs = bench.times(500, 30)

    def ask() -> list[float]:
        took = []
        with socket.create_connection(("127.0.0.1", PORT), timeout=10) as connection:
            for _ in range(runs):
                begun = time.perf_counter_ns()
                connection.sendall(head)
                connection.sendall(body)
                answer = connection.recv(1 << 16)
                took.append((time.perf_counter_ns() - begun) / 1e6)
                assert answer.startswith(b"HTTP/1.1 200 "), answer
        return took

    with Intake() as intake:
        async with bench.function(intake, NO_FLUSH) as sandbox:
            await sandbox.initialize()
            async with sandbox.resumed():
                took = await asyncio.to_thread(ask)
            await sandbox.kill()
    return {"runs": runs, "body_bytes": request.body_bytes, "median_ms": median(took)}
