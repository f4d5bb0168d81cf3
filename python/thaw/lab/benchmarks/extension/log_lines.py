"""The cost of log lines: ten thousand of an invocation, in telemetry batches of two hundred."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from thaw.lab.benchmarks.extension import accounts
from thaw.lab.benchmarks.extension.bench import AT_END, Bench, Figures, Gate, median, on_the_wire
from thaw.lab.emulator import Lambda
from thaw.lab.emulator.timestamps import iso
from thaw.lab.intake import Intake, Line

_LINES, _BATCH, _CHARACTERS = 10_000, 200, 100
_COMPACT = (",", ":")  # as the platform writes JSON
_NUMBER = re.compile(r'^(?:line (\d+) |\{.*"n":(\d+),)')


async def logs(bench: Bench) -> Figures:
    """Measures log lines, texts and JSON objects by turns: CPU, time to /event/next, memory, bytes sent."""
    lines = max(_BATCH, round(_LINES * min(bench.scale, 1) / _BATCH) * _BATCH)
    settled, at_once = [], []
    runs = bench.times(5)
    for number in range(runs):
        bench.say(f"run {number + 1} of {runs}: {lines:,} lines")
        settled.append(await _run(bench, lines, settles=True))
        at_once.append(await _run(bench, lines, settles=False))
    everything = settled + at_once
    return {
        "runs": runs,
        "lines": lines,
        "taken_us": median([each["taken_us"] for each in settled]),
        "sent_us": median([each["sent_us"] for each in settled]),
        "both_us": median([each["taken_us"] + each["sent_us"] for each in settled]),
        "to_next_ms": median([each["to_next_ms"] for each in at_once]),
        "peak_mb": max(each["peak_mb"] for each in everything),
        **on_the_wire([request for each in everything for request in each["requests"]], len(everything)),
        "account": sorted({wrong for each in everything for wrong in each["account"]}),
    }


async def _run(bench: Bench, lines: int, *, settles: bool) -> Figures:
    """Runs an invocation with `lines` lines. `settles`: whether its end waits until the extension rests."""
    figures: Figures = {}
    with Intake() as intake, Gate(bench.folder) as gate:
        intake.weigh()
        async with bench.function(intake, {**AT_END, "DD_SERVERLESS_LOGS_ENABLED": "true"}) as sandbox:
            first = await sandbox.invoke({"payloads": 1})  # the flush of the next one resumes its TLS session
            invocation = sandbox.prepare({"until": str(gate.path)})
            batches = _batches(lines, invocation.request_id)
            running = asyncio.create_task(sandbox.run(invocation))
            await bench.begun(sandbox, 2)
            before = await bench.rests(sandbox)
            await _hand_over(sandbox, batches)
            between = await bench.rests(sandbox) if settles else before
            gate.open()
            await running
            after = bench.usage(sandbox)
            await sandbox.shutdown("spindown")
        spans = intake.spans()
        arrived = intake.take_lines()
        requests = [each for each in intake.requests() if each["target"].endswith("/api/v2/logs")]
    figures["taken_us"] = (between.cpu_ns - before.cpu_ns) / 1e3 / lines
    figures["sent_us"] = (after.cpu_ns - between.cpu_ns) / 1e3 / lines
    figures["to_next_ms"] = bench.next_ms(invocation)[0]
    figures["peak_mb"] = after.peak_resident_bytes / 1e6
    # The last requests have the lines of the invocation's REPORT.
    figures["requests"] = [each for each in requests if each["items"] > 10]
    figures["account"] = accounts.check_spans(bench.request, 1, spans)
    figures["account"] += _account(arrived, lines, first.request_id, invocation.request_id)
    return figures


async def _hand_over(sandbox: Lambda, batches: list[bytes]) -> None:
    for batch in batches:
        statuses = await sandbox.post_telemetry(batch)
        if statuses != [200]:
            raise RuntimeError(f"telemetry was answered with {statuses}")


def _batches(lines: int, request_id: str) -> list[bytes]:
    """Makes telemetry requests of the function's records."""
    return [
        json.dumps(
            [_record(number, request_id) for number in range(begin, begin + _BATCH)], separators=_COMPACT
        ).encode()
        for begin in range(0, lines, _BATCH)
    ]


def _record(number: int, request_id: str) -> dict[str, Any]:
    """Makes a record whose line has a hundred characters: a text, or an object."""
    record: Any = f"line {number} "
    filler = f"request handled for customer {number * 7919 % 100_003}, basket {number % 17} "
    if number % 2:
        record = {"level": "INFO", "requestId": request_id, "n": number, "message": ""}
        record["message"] = _filled(filler, _CHARACTERS - len(json.dumps(record, separators=_COMPACT)))
    else:
        record += _filled(filler, _CHARACTERS - len(record))
    return {"time": iso(), "type": "function", "record": record}


def _filled(text: str, characters: int) -> str:
    return (text * (characters // len(text) + 1))[:characters]


def _account(arrived: dict[Line, int], lines: int, first: str, request_id: str) -> list[str]:
    times: dict[int, int] = {}
    wrong = []
    for line, each in arrived.items():
        if found := _NUMBER.match(line.text):
            number = int(found[1] or found[2])
            times[number] = times.get(number, 0) + each
            if line.request_id != request_id:
                wrong.append("a line is credited to another invocation")
    return sorted(
        {*wrong, *accounts.check_numbers("lines", range(lines), times)}
    ) + accounts.check_platform_lines(arrived, [first, request_id])
