"""Costs of the extension in invocations: at their end, while idle, over thousands, in an outage."""

from __future__ import annotations

import asyncio

from thaw.lab import own_network
from thaw.lab.benchmarks.extension.bench import (
    AT_END,
    EACH_TIME,
    Bench,
    Figures,
    difference,
    dropped,
    extension_counts,
    median,
)
from thaw.lab.emulator import Lambda
from thaw.lab.intake import CLOSE_KINDS, Answer, Intake, Script


async def end_of_invocation(bench: Bench) -> Figures:
    """Measures the time from an invocation's end to /event/next, with a flush over a resumed TLS session."""
    figures: Figures = {"mtu": own_network.mtu(), "payloads": {}}
    for payloads in (1, 100):
        runs = bench.times(100, 3)
        with Intake() as intake:
            async with bench.function(intake, AT_END) as sandbox:
                await sandbox.invoke({"payloads": payloads})
                before = intake.counts()
                took = []
                for _ in range(runs):
                    invocation = await sandbox.invoke({"payloads": payloads})
                    took.append(bench.next_ms(invocation))
                after = intake.counts()
            spans = intake.spans()
        figures["payloads"][payloads] = {
            "runs": runs,
            "from_runtime_done_ms": median([each[0] for each in took]),
            "from_response_ms": median([each[1] for each in took]),
            "connections_per_flush": (after["accepted"] - before["accepted"]) / runs,
            "full_handshakes": after["handshakes_full"] - before["handshakes_full"],
            "resumed_per_flush": (after["handshakes_resumed"] - before["handshakes_resumed"]) / runs,
            "once": len(spans) == payloads * bench.request.spans * (runs + 1) and set(spans.values()) == {1},
        }
    return figures


async def idle(bench: Bench) -> Figures:
    """Measures processor time in /event/next, and while an invocation does nothing; ms a second."""
    seconds = max(5 * bench.scale, 0.5)
    with Intake() as intake:
        async with bench.function(intake) as sandbox:
            await sandbox.invoke({"payloads": 1})
            async with sandbox.resumed():
                await asyncio.sleep(0.2)
                before = bench.usage(sandbox).cpu_ns
                await asyncio.sleep(seconds)
                parked = bench.usage(sandbox).cpu_ns - before
            running = asyncio.create_task(sandbox.invoke({"sleep": seconds + 0.4}))
            await asyncio.sleep(0.2)
            before = bench.usage(sandbox).cpu_ns
            await asyncio.sleep(seconds)
            open_ = bench.usage(sandbox).cpu_ns - before
            await running
            await sandbox.shutdown("spindown")
    return {"seconds": seconds, "parked_ms": parked / 1e6 / seconds, "open_ms": open_ / 1e6 / seconds}


async def endurance(bench: Bench) -> Figures:
    """Runs many invocations, each followed by a freeze; the intake closes idle connections in every way."""
    invocations = bench.times(10_000, 30)
    resident = []
    log: list[str] = []
    with Intake() as intake:
        async with bench.function(intake, EACH_TIME, log=log) as sandbox:
            for number in range(invocations):
                if number % 100 == 0:
                    kind = CLOSE_KINDS[number // 100 % len(CLOSE_KINDS)]
                    intake.script(Script(idle_close=kind, idle_after=0.001))
                    intake.decode()
                    bench.say(f"{number:,} of {invocations:,} invocations")
                invocation = await sandbox.invoke({"payloads": 1})
                assert invocation.status == "success", invocation.error_type
                if number + 1 in (invocations // 2, invocations):
                    resident.append(bench.usage(sandbox).resident_bytes)
            await sandbox.shutdown("spindown")
        spans = intake.spans()
        counts = intake.counts()
    return {
        "invocations": invocations,
        "payloads_once": sum(
            all(spans.get(span) == 1 for span in bench.request.ids(number)) for number in range(invocations)
        ),
        "lines_logged": len(log),
        "resident_growth_kb": (resident[1] - resident[0]) / 1024,
        "resident_mb": resident[1] / 1e6,
        "connections": counts["accepted"],
    }


async def outage(bench: Bench) -> Figures:
    """Measures the delay of each invocation while the intake is a black hole, and the payloads that arrive.

    The delay is the time from the delivery of the invocation's end to /event/next, less the median of that
    time for invocations with nothing to send. About as many invocations with nothing to send, half of them
    before the outage and half after it, show how much that time varies.
    """
    invocations = bench.times(200, 12)
    event = {"payloads": 1, "sleep": 0.05}
    added = []

    async def nothing_to_send(sandbox: Lambda) -> list[float]:
        runs = [await sandbox.invoke({**event, "payloads": 0}) for _ in range(invocations // 2)]
        return [bench.next_ms(run)[0] for run in runs]

    with Intake() as intake:
        async with bench.function(intake, {**AT_END, "DD_FLUSH_TIMEOUT": "10"}) as sandbox:
            nothing = await nothing_to_send(sandbox)
            usual = median(nothing)
            intake.script(Script(answer=Answer(action="black_hole")))
            for number in range(invocations):
                added.append(bench.next_ms(await sandbox.invoke(event))[0] - usual)
                if number % 10 == 0:
                    bench.say(f"{number} of {invocations} invocations without an intake")
            intake.script(Script())
            for _ in range(3):
                await sandbox.invoke(event)
            nothing += await nothing_to_send(sandbox)
            async with sandbox.resumed():
                counts = await asyncio.to_thread(extension_counts)
            end = await sandbox.shutdown("spindown")
            assert end is not None
        spans = intake.spans()
    handed_over = invocations + 3
    # A probe is over after a quarter of a second, and a flush before the breaker is open takes longer.
    costly = [number for number, each in enumerate(added) if each > 100]
    opened = next((number for number in costly if added[number] < 1000), len(added))
    others = [each for each in added[opened:] if each <= 100]
    with_nothing = [each - usual for each in nothing]
    in_others, uncertain = difference(others, with_nothing)
    return {
        "invocations": invocations,
        "usual_ms": usual,
        "before_breaker_ms": sum(max(each, 0.0) for each in added[:opened]),
        "invocations_before": sum(number < opened for number in costly),
        "probing": sum(number >= opened for number in costly),
        "most_in_a_probing_ms": max(added[opened:], default=0.0),
        "others": len(others),
        "in_others_ms": in_others,
        "in_others_uncertain_ms": uncertain,
        "most_in_others_ms": max(others, default=0.0),
        "most_with_nothing_ms": max(with_nothing),
        "handed_over": handed_over,
        "delivered": sum(
            all(span in spans for span in bench.request.ids(number)) for number in range(handed_over)
        ),
        "dropped": dropped(counts),
        "shutdown_ms": end.extensions[0].took_ms,
    }
