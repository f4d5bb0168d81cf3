"""World W0 as a benchmark: how fast it is, and ten million cycles with faults that break no invariant."""

from __future__ import annotations

import math
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import thaw
from thaw.lab.benchmarks.intake import Figures


def simulation(*, cycles: int = 100_000, payloads: int = 2, seed: int = 1) -> Figures:
    """Measures freeze cycles of world W0 a second, on the one core it uses."""
    rows = {}
    for scenario in ("idle", "inflight"):
        begun = time.process_time()
        thaw.simulate(seed=seed, cycles=cycles, payloads=payloads, close="mixed", scenario=scenario)
        rows[scenario] = cycles / (time.process_time() - begun)
    return {"cycles": cycles, "payloads": payloads, "seed": seed, "cycles_per_second": rows}


def invariants(*, cycles: int = 10_000_000, cycles_each: int = 5_000, seed: int = 1) -> Figures:
    """Runs cycles of world W0 with faults and checks the invariants of delivery after every step.

    Each run has `cycles_each` cycles from a seed of its own, and every payload must have arrived at its end.
    The runs alternate: frozen idle or in flight, without idle connections or with a pool, with a breaker or
    without (a breaker spares the client most faults of an intake as bad as this one). Raises InvariantBroken
    with the seed, the cycle and the step that replay the failure.
    """
    kinds = [
        (scenario, client, flusher)
        for flusher in (thaw.FlusherOptions(), thaw.FlusherOptions(no_progress_limit=math.inf))
        for scenario in ("idle", "inflight")
        for client in (
            thaw.ClientOptions(max_idle_per_host=0),
            thaw.ClientOptions(max_idle_per_host=4, on_resume="probe"),
        )
    ]
    runs = cycles // cycles_each

    def run(number: int) -> dict[str, Any]:
        scenario, client, flusher = kinds[number % len(kinds)]
        return thaw.simulate(
            seed=seed + number,
            cycles=cycles_each,
            close="mixed",
            fault_rate=0.3,
            scenario=scenario,
            client=client,
            flusher=flusher,
            function_time=1.0,
        )

    faults = steps = 0
    begun = time.monotonic()
    # The simulation runs without the GIL, one run on each processor.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, counts in enumerate(pool.map(run, range(runs))):
            faults += counts["faults_met"]
            steps += counts["steps"]
            if number % 200 == 199:
                print(f"benchmark: invariants: {number + 1} of {runs} runs", file=sys.stderr, flush=True)
    return {
        "cycles": runs * cycles_each,
        "runs": runs,
        "seed": seed,
        "faults_met": faults,
        "steps": steps,
        "broken": 0,
        "seconds": time.monotonic() - begun,
    }
