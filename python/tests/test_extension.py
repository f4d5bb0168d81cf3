"""The executable in the emulated Lambda: a function under the real tracer, frozen after each invocation."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import subprocess
from collections.abc import Callable
from typing import Any

from thaw.lab.emulator import Lambda, TelemetryFaults, functions
from thaw.lab.intake import Intake

from .extension_under_test import EXTENSION, needs_extension

pytestmark = needs_extension

INVOCATIONS = 5


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([EXTENSION, *arguments], capture_output=True, text=True, timeout=10, env={})


def test_it_prints_its_version_and_its_usage() -> None:
    assert run("--version").stdout.startswith("thaw ")
    assert "--check-config" in run("--help").stdout
    outside = run()
    assert outside.returncode == 2
    assert len(outside.stderr.splitlines()) == 1
    assert "AWS_LAMBDA_RUNTIME_API" in outside.stderr
    assert run("--loud").returncode == 2


def serve(
    intake: Intake,
    *,
    telemetry: TelemetryFaults | None = None,
    on_line: Callable[[str], None] = lambda _line: None,
    **variables: str,
) -> Lambda:
    """A few invocations of the demonstration and a shutdown. `on_line` gets what the extension writes."""

    def log(stream: str, line: str) -> None:
        if stream == "extension":
            on_line(line)

    async def live() -> Lambda:
        settings = functions.demo_settings()
        mine = {
            **intake.agent_variables,
        }
        settings = dataclasses.replace(settings, environment={**settings.environment, **mine, **variables})
        async with Lambda(
            extension=EXTENSION, settings=settings, telemetry_faults=telemetry, on_log=log
        ) as sandbox:
            for number in range(INVOCATIONS):
                invocation = await sandbox.invoke({"number": number})
                assert invocation.status == "success"
            await sandbox.shutdown("spindown")
        return sandbox

    sandbox = asyncio.run(live())
    intake.decode()
    (end,) = sandbox.shutdowns[-1].extensions
    assert end.exit_code == 0
    assert not end.killed
    return sandbox


def shutdown_ms(sandbox: Lambda) -> float:
    (end,) = sandbox.shutdowns[-1].extensions
    return (end.exit_ns - end.told_ns) / 1e6


def test_each_span_of_a_frozen_function_arrives_once() -> None:
    with Intake() as intake:
        serve(intake)
        times = intake.spans()
        counts = intake.counts()
    assert len(times) >= INVOCATIONS
    assert set(times.values()) == {1}
    # One connection for each flush, and none left open; a handshake in full only for the first.
    assert counts["accepted"] <= INVOCATIONS + 1
    assert counts["handshakes_full"] == 1


def test_unflushed_traces_go_at_the_shutdown_without_a_wait() -> None:
    with Intake() as intake:
        sandbox = serve(intake, DD_SERVERLESS_FLUSH_STRATEGY="continuously,600000")
        times = intake.spans()
        counts = intake.counts()
    assert len(times) >= INVOCATIONS
    assert set(times.values()) == {1}
    assert counts["requests"] == 1
    # The function has ended, so nothing more is taken in: that would be 300 ms.
    assert shutdown_ms(sandbox) < 250


def test_without_telemetry_an_invocation_is_not_held_back() -> None:
    with Intake() as intake:
        sandbox = serve(intake, telemetry=TelemetryFaults(unsupported=True))
        times = intake.spans()
    assert len(times) >= INVOCATIONS
    assert set(times.values()) == {1}
    assert shutdown_ms(sandbox) < 250


def test_stats_are_counted_here_if_that_is_asked_for() -> None:
    with Intake() as intake:
        serve(intake, DD_LAMBDA_EXTENSION_COMPUTE_STATS="true")
        spans = intake.spans()
        stats = intake.stats()
    assert set(spans.values()) == {1}
    hits = sum(
        group["Hits"]
        for payload in stats
        for tracer in payload["Stats"]
        for bucket in tracer["Stats"]
        for group in bucket["Stats"]
    )
    assert INVOCATIONS <= hits <= len(spans)


def test_each_flush_writes_its_counts_on_one_line_where_debugging() -> None:
    written: list[dict[str, Any]] = []

    def read(line: str) -> None:
        _, found, text = line.partition("THAW | DEBUG | {")
        if found:
            written.append(json.loads("{" + text))

    with Intake() as intake:
        serve(intake, on_line=read, DD_LOG_LEVEL="debug", DD_SERVERLESS_FLUSH_STRATEGY="end")
        accepted = intake.counts()["accepted"]
    assert len(written) == INVOCATIONS + 1
    last = written[-1]["flush"]
    assert last["flushes"]["end"] == INVOCATIONS
    assert last["flushes"]["shutdown"] == 1
    assert last["pipelines"]["traces"]["delivered"] >= INVOCATIONS
    client = last["clients"]["intake"]
    assert client["opened"] == accepted
    assert client["tls_full"] == 1
    assert last["flush_time"]["total"] > 0
    assert last["added_time"]["total"] > 0
    # As little as is usual goes to the log.
    quiet: list[str] = []
    with Intake() as intake:
        serve(intake, on_line=quiet.append)
    assert quiet == []
