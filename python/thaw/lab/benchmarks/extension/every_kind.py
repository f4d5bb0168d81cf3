"""Costs of invocations with every kind of data: spans, lines, points and the platform's own records."""

from __future__ import annotations

import contextlib
from collections import Counter

from thaw.lab.benchmarks.extension import accounts
from thaw.lab.benchmarks.extension.bench import AT_END, EACH_TIME, Bench, Figures, median
from thaw.lab.intake import CLOSE_KINDS, Intake, Line, Point, Script

_EVERYTHING = {
    "DD_SERVERLESS_LOGS_ENABLED": "true",
    "DD_ENHANCED_METRICS": "true",
}
_EVENT = {"payloads": 1, "lines": 10, "points": 15}
_ROUND_TRIP = 0.02  # seconds, which show whether hosts are waited for one after the other
_NO_TIME = {"sleep": 0.03}  # seconds, so that telemetry of the start has come before the end


async def platform_only(bench: Bench) -> Figures:
    """Measures an invocation with nothing but platform records: CPU, and its end to /event/next."""
    runs = bench.times(100, 5)
    request_ids = []
    took = []
    with Intake() as intake:
        async with bench.function(intake, {**AT_END, **_EVERYTHING}) as sandbox:
            first = await sandbox.invoke(_NO_TIME)
            request_ids.append(first.request_id)
            cpu = []
            for _ in range(runs):
                before = bench.usage(sandbox)
                invocation = await sandbox.invoke(_NO_TIME)
                cpu.append((bench.usage(sandbox).cpu_ns - before.cpu_ns) / 1e6)
                took.append(bench.next_ms(invocation)[0])
                request_ids.append(invocation.request_id)
            await sandbox.shutdown("spindown")
        intake.spans()  # raises for requests that can't be decoded
        wrong = accounts.check_platform_lines(intake.take_lines(), request_ids)
        wrong += accounts.check_invocations(intake.take_points(), len(request_ids))
    return {"runs": runs, "to_next_ms": median(took), "cpu_ms": median(cpu), "account": wrong}


async def connections(bench: Bench) -> Figures:
    """Measures connections and handshakes of a flush of every kind, to one host and to three."""
    figures: Figures = {}
    for hosts in (1, 3):
        near = await _flushes(bench, hosts, 0.0)
        far = await _flushes(bench, hosts, _ROUND_TRIP)
        figures[f"hosts_{hosts}"] = {
            **near,
            "far_ms": far["to_next_ms"],
            "account": near["account"] + far["account"],
        }
    figures["account"] = figures["hosts_1"]["account"] + figures["hosts_3"]["account"]
    return figures


async def _flushes(bench: Bench, hosts: int, round_trip: float) -> Figures:
    """Flushes every kind of data a few times to `hosts` hosts."""
    runs = bench.times(20, 3)
    took, request_ids = [], []
    with contextlib.ExitStack() as stack:
        script = Script(latency=round_trip / 2)
        first = stack.enter_context(Intake(script))
        intakes = [first] + [
            stack.enter_context(Intake(script, authority=first.authority)) for _ in range(hosts - 1)
        ]
        variables = {
            **AT_END,
            **_EVERYTHING,
            "DD_DD_URL": intakes[1 % hosts].url,
            "DD_LOGS_CONFIG_LOGS_DD_URL": intakes[2 % hosts].url,
        }
        async with bench.function(first, variables) as sandbox:
            request_ids.append((await sandbox.invoke(_EVENT)).request_id)
            before = _counts(intakes)
            for _ in range(runs):
                invocation = await sandbox.invoke(_EVENT)
                request_ids.append(invocation.request_id)
                took.append(bench.next_ms(invocation)[0])
            after = _counts(intakes)
            await sandbox.shutdown("spindown")
        spans: Counter[int] = Counter()
        lines: Counter[Line] = Counter()
        points: list[Point] = []
        targets: set[str] = set()
        for intake in intakes:
            spans.update(intake.spans())
            lines.update(intake.take_lines())
            points += intake.take_points()
            targets |= {each["target"] for each in intake.requests()}
    invocations = runs + 1
    return {
        "runs": runs,
        "connections_per_flush": (after["accepted"] - before["accepted"]) / runs,
        "handshakes_full": after["handshakes_full"] - before["handshakes_full"],
        "handshakes_resumed_per_flush": (after["handshakes_resumed"] - before["handshakes_resumed"]) / runs,
        "to_next_ms": median(took),
        "targets": sorted(targets),
        "account": accounts.check_spans(bench.request, invocations, spans)
        + accounts.check_lines(lines, range(invocations * _EVENT["lines"]), request_ids)
        + accounts.check_points(points, range(invocations * _EVENT["points"]))
        + accounts.check_invocations(points, invocations),
    }


def _counts(intakes: list[Intake]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for intake in intakes:
        for name in ("accepted", "handshakes_full", "handshakes_resumed"):
            counts[name] += intake.counts()[name]
    return counts


async def endurance_of_all(bench: Bench) -> Figures:
    """Runs many invocations with every kind of data; idle connections are closed in the freeze after each."""
    invocations = bench.times(10_000, 30)
    event = {"payloads": 1, "lines": 2, "points": 3}
    resident: list[int] = []
    request_ids: list[str] = []
    lines: Counter[Line] = Counter()
    points: list[Point] = []
    log: list[str] = []
    closed = 0

    def take(intake: Intake) -> None:
        """Takes what has arrived since the last call, and keeps the part that the account needs."""
        lines.update(intake.take_lines())
        points.extend(point for point in intake.take_points() if accounts.counts(point))

    with Intake() as intake:
        async with bench.function(intake, {**EACH_TIME, **_EVERYTHING}, log=log) as sandbox:
            for number in range(invocations):
                if number % 100 == 0:
                    take(intake)
                    bench.say(f"{number:,} of {invocations:,} invocations")
                invocation = await sandbox.invoke(event)
                if invocation.status != "success":
                    raise RuntimeError(f"invocation {number} ended with {invocation.error_type}")
                request_ids.append(invocation.request_id)
                # The environment is frozen. A close within a flush is another matter: a count that may have
                # arrived is not sent again.
                closed += intake.close_idle(CLOSE_KINDS[number % len(CLOSE_KINDS)])
                if number + 1 in (invocations // 2, invocations):
                    resident.append(bench.usage(sandbox).resident_bytes)
            await sandbox.shutdown("spindown")
        take(intake)
        spans = intake.spans()
        counts = intake.counts()
    wrong = accounts.check_spans(bench.request, invocations, spans)
    wrong += accounts.check_lines(lines, range(invocations * event["lines"]), request_ids)
    wrong += accounts.check_points(points, range(invocations * event["points"]))
    wrong += accounts.check_invocations(points, invocations)
    return {
        "invocations": invocations,
        "spans": len(spans),
        "lines": sum(lines.values()),
        "points": event["points"] * invocations,
        "logged": log[:3],
        "resident_growth_kb": (resident[1] - resident[0]) / 1024,
        "resident_mb": resident[1] / 1e6,
        "connections": counts["accepted"],
        "closed_idle": closed,
        "account": wrong,
    }
