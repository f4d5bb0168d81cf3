"""Connections and time of a flush of many requests to one host."""

from __future__ import annotations

import statistics
import time

import thaw
from thaw.lab.benchmarks.intake import Figures, benchmark_intake, client_options
from thaw.lab.workload import generated_bodies


def flush_of_many(
    *, round_trip: float, sharing: bool, requests: int = 20, rounds: int = 5, resumption: bool = False
) -> Figures:
    """Flushes payloads with distinct headers, each in a request of its own, to one host."""
    bodies = generated_bodies(requests, spans=1)
    with benchmark_intake(round_trip=round_trip, tickets=resumption) as intake:
        connections, elapsed = [], []
        for _ in range(rounds):
            options = client_options(
                intake,
                max_idle_per_host=0,
                share_within_flush=sharing,
                tls_session_resumption=resumption,
                # With sharing, the limit of on-demand Lambda. Without it each request has to dial, and the
                # limit is not what is measured.
                max_connections_per_host=6 if sharing else requests,
            )
            with thaw.Client(options) as client:
                flusher = thaw.TraceFlusher(client, endpoint=intake.url, api_key="key")
                for number, body in enumerate(bodies):
                    flusher.add(thaw.TracePayload.from_msgpack(body, {"datadog-meta-lang": f"lang{number}"}))
                begun = time.monotonic()
                report = flusher.flush(deadline=60.0)
                elapsed.append(time.monotonic() - begun)
                if report.delivered != requests or report.requests != requests:
                    raise RuntimeError(f"{requests} requests expected: {report.to_dict()}")
                connections.append(client.connections.opened)
        return {
            "round_trip_ms": round_trip * 1e3,
            "sharing": sharing,
            "requests": requests,
            "rounds": rounds,
            "connections": max(connections),
            "wall_ms": statistics.median(elapsed) * 1e3,
        }
