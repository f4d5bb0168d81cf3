"""Spans of the executable for invocations of which the tracer or the platform leaves something out."""

from __future__ import annotations

import pathlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from thaw.lab.emulator import Lambda, Settings, TelemetryFaults
from thaw.lab.intake import decode

from . import emulated
from .extension_under_test import EXTENSION, needs_extension

pytestmark = needs_extension

TRACE, INVOCATION, CHILD = 70, 71, 72
PLACEHOLDER_NS = 50_000_000
Start = Callable[..., AbstractAsyncContextManager["Running"]]

# A function under a tracer that leaves the span of its invocation to the extension. The event says which
# calls it makes, and how it ends.
_FUNCTION = f"""
import struct

def packed(value):
    if isinstance(value, dict):
        items = b"".join(packed(key) + packed(item) for key, item in value.items())
        return b"\\xdf" + struct.pack(">I", len(value)) + items
    if isinstance(value, list):
        return b"\\xdd" + struct.pack(">I", len(value)) + b"".join(map(packed, value))
    if isinstance(value, str):
        return b"\\xdb" + struct.pack(">I", len(value)) + value.encode()
    if isinstance(value, float):
        return b"\\xcb" + struct.pack(">d", value)
    return b"\\xcf" + struct.pack(">Q", value)

def local(port, path, headers, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("POST", path, body, headers)
    assert connection.getresponse().read() is not None

def span(span_id, parent_id, resource, duration, **more):
    return {{"trace_id": {TRACE}, "span_id": span_id, "parent_id": parent_id, "service": "shop",
            "name": "work", "resource": resource, "start": time.time_ns(), "duration": duration,
            "error": 0, **more}}

for request_id, event, _ in invocations():
    me = {{"lambda-runtime-aws-request-id": request_id}}
    local(8124, "/lambda/start-invocation", me | event.get("context", {{}}), b"{{}}")
    time.sleep(event.get("work", 0))
    spans = [span({CHILD}, {INVOCATION}, "child", 1000)]
    if event.get("placeholder"):
        meta = {{"request_id": request_id, "_dd.p.dm": "-4"}}
        spans.append(span({INVOCATION}, 0, "dd-tracer-serverless-span", {PLACEHOLDER_NS}, meta=meta,
                          metrics={{"_sampling_priority_v1": 2.0}}))
    local(8126, "/v0.4/traces", {{}}, packed([spans]))
    if event.get("end"):
        more = 10 * event.get("number", 0)  # each invocation has a trace of its own
        ids = {{"x-datadog-trace-id": str({TRACE} + more), "x-datadog-span-id": str({INVOCATION} + more)}}
        local(8124, "/lambda/end-invocation", me | ids, b"{{}}")
    if event.get("then") == "exit":
        os._exit(1)
    if event.get("then") == "hang":
        time.sleep(60)
    respond(request_id, "done")
"""


class Running:
    """A Lambda with the extension, and the spans that have arrived."""

    sandbox: Lambda

    def __init__(self) -> None:
        self.chunks: list[Any] = []

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.path == "/api/v0.2/traces":
            payload = decode.agent_payload(body, request.headers.get("Content-Encoding", ""))
            self.chunks += [chunk for tracer in payload.tracerPayloads for chunk in tracer.chunks]
        return web.Response(status=202)

    def span(self, name: str) -> Any:
        """The only one of that name."""
        (found,) = (span for chunk in self.chunks for span in chunk.spans if span.name == name)
        return found

    async def end(self) -> None:
        await self.sandbox.shutdown("spindown")


@pytest.fixture
def start(tmp_path: pathlib.Path) -> Start:
    @asynccontextmanager
    async def start(
        telemetry: TelemetryFaults | None = None, *, timeout: float = 10.0
    ) -> AsyncIterator[Running]:
        running = Running()
        application = web.Application(client_max_size=1 << 24)
        application.router.add_post("/{path:.*}", running.take)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, auto_decompress=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        environment = {
            "DD_API_KEY": "0123456789abcdef",
            "DD_APM_DD_URL": f"http://127.0.0.1:{runner.addresses[0][1]}",
            "DD_SERVERLESS_FLUSH_STRATEGY": "end",
            "DD_SERVERLESS_LOGS_ENABLED": "false",
        }
        settings = Settings(timeout=timeout, environment=environment)
        command = emulated.runtime(tmp_path, _FUNCTION)
        try:
            async with Lambda(
                command, extension=EXTENSION, settings=settings, telemetry_faults=telemetry
            ) as sandbox:
                running.sandbox = sandbox
                yield running
        finally:
            await runner.cleanup()

    return start


@pytest.mark.parametrize("then", ["respond", "exit", "hang"])
@pytest.mark.parametrize("telemetry", [None, TelemetryFaults(unsupported=True)], ids=["records", "none"])
async def test_an_end_call_that_never_comes_orphans_no_span(
    start: Start, telemetry: TelemetryFaults | None, then: str
) -> None:
    async with start(telemetry, timeout=1.0) as running:
        await running.sandbox.invoke({"placeholder": True, "then": then})
        await running.end()
    invocation, child = running.span("aws.lambda"), running.span("work")
    assert (invocation.traceID, invocation.spanID) == (TRACE, INVOCATION)
    assert (child.traceID, child.parentID) == (TRACE, INVOCATION)
    assert invocation.duration > 0
    assert invocation.error == (then != "respond")
    # The remaining chunk of the tracer's trace has the priority of the whole.
    (chunk,) = (chunk for chunk in running.chunks if child in chunk.spans)
    assert chunk.priority == 2
    assert child.meta["_dd.p.dm"] == "-4"


@pytest.mark.parametrize(
    ("event", "least", "most"),
    [
        ({"end": True, "work": 0.2}, 0.2, 0.9),
        ({"placeholder": True, "work": 0.2}, PLACEHOLDER_NS / 1e9, PLACEHOLDER_NS / 1e9),
        ({"context": {"x-datadog-trace-id": str(TRACE)}, "then": "hang"}, 0.9, 1.1),
    ],
    ids=["end", "placeholder", "shutdown"],
)
async def test_without_telemetry_an_invocation_has_a_duration(
    start: Start, event: dict[str, Any], least: float, most: float
) -> None:
    async with start(TelemetryFaults(unsupported=True), timeout=1.0) as running:
        await running.sandbox.invoke(event)
        await running.end()
    assert least <= running.span("aws.lambda").duration / 1e9 <= most


async def test_a_lost_runtime_done_leaves_the_invocation_its_duration(start: Start) -> None:
    faults = TelemetryFaults(drop={"platform.runtimeDone", "platform.report"})
    async with start(faults, timeout=1.5) as running:
        await running.sandbox.invoke({"end": True, "work": 0.2})
        await running.end()
    assert 0.2 <= running.span("aws.lambda").duration / 1e9 <= 0.9


@pytest.mark.alone
async def test_where_runtime_done_is_lost_the_tracers_call_ends_the_invocation(start: Start) -> None:
    async with start(TelemetryFaults(drop={"platform.runtimeDone"})) as running:
        began = time.monotonic()
        for number in range(4):
            await running.sandbox.invoke({"end": True, "work": 0.2, "number": number})
        assert time.monotonic() - began < 4.0
        await running.end()
    invocations = [span for chunk in running.chunks for span in chunk.spans if span.name == "aws.lambda"]
    durations = [invocation.duration / 1e9 for invocation in invocations]
    assert len(durations) == 4
    assert all(0.2 <= duration <= 0.9 for duration in durations), durations


async def test_where_no_record_ever_comes_no_invocation_is_held_beyond_a_second(start: Start) -> None:
    async with start(TelemetryFaults(drop_fraction=1.0)) as running:
        began = time.monotonic()
        for _ in range(4):
            await running.sandbox.invoke({"end": True})
        assert time.monotonic() - began < 2.0
        await running.end()
