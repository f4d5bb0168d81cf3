"""Telemetry: its records, the times at which they come, and every fault that they can have."""

from __future__ import annotations

import asyncio
import json
import pathlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from thaw.lab.emulator import Lambda, Settings, TelemetryFaults
from thaw.lab.emulator.telemetry import Delivery, Telemetry

from . import polling
from .emulated import SUBSCRIBER, Listener, extension, runtime

TALKING = """
for request_id, event, headers in invocations():
    print(event.get("say", "hello"), flush=True)
    respond(request_id, event)
"""


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with Listener() as made:
        yield made


@pytest.fixture
def make(tmp_path: pathlib.Path, listener: Listener) -> Callable[..., Lambda]:
    """A Lambda whose extension subscribes the listener."""

    def make(
        function: str = TALKING,
        *,
        faults: TelemetryFaults | None = None,
        subscription: dict[str, Any] | None = None,
        **settings: Any,
    ) -> Lambda:
        subscribe = {"SUBSCRIBE": listener.subscription(**subscription or {})}
        return Lambda(
            runtime(tmp_path, function),
            extension=extension(tmp_path, "ext", SUBSCRIBER),
            settings=Settings(environment=subscribe, **settings),
            telemetry_faults=faults,
        )

    return make


async def test_records_of_an_environment(make: Callable[..., Lambda], listener: Listener) -> None:
    async with make() as sandbox:
        invocation = await sandbox.invoke({"say": "hello"}, trace_header="Root=1-0-0")
        async with sandbox.resumed():
            await listener.until(lambda: "platform.report" in listener.kinds)
        await sandbox.invoke()
    platform = [kind for kind in listener.kinds if kind.startswith("platform.")]
    assert platform[:9] == [
        "platform.initStart",  # it was before anybody had subscribed
        "platform.telemetrySubscription",
        "platform.initRuntimeDone",
        "platform.extension",
        "platform.initReport",
        "platform.start",
        "platform.runtimeDone",
        "platform.report",
        "platform.start",
    ]
    tracing = {"type": "X-Amzn-Trace-Id", "value": "Root=1-0-0"}
    (start, _), (done, _), report = (
        listener.of("platform.start"),
        listener.of("platform.runtimeDone"),
        listener.of("platform.report")[0],
    )
    assert start == {
        "requestId": invocation.request_id,
        "version": "$LATEST",
        "functionArn": sandbox.settings.arn,
        "tracing": tracing,
    }
    assert (done["requestId"], done["status"], done["tracing"]) == (invocation.request_id, "success", tracing)
    assert done["metrics"]["producedBytes"] == len(invocation.payload)
    spans = {span["name"]: span["durationMs"] for span in done["spans"]}
    assert set(spans) == {"responseLatency", "responseDuration", "runtimeOverhead"}
    assert sum(spans.values()) == pytest.approx(done["metrics"]["durationMs"], abs=0.01)
    assert invocation.report is not None
    assert report["metrics"]["billedDurationMs"] == invocation.report.billed_ms
    assert report["metrics"]["initDurationMs"] == invocation.report.init_ms
    assert listener.of("function") == ["hello", "hello"]
    assert listener.of("extension")[0] == '200 "OK"'
    (init_report,) = listener.of("platform.initReport")
    assert (init_report["status"], init_report["phase"]) == ("success", "init")
    (about,) = listener.of("platform.extension")
    assert about == {"name": "ext", "state": "Ready", "events": ["INVOKE", "SHUTDOWN"]}
    times = [record["time"] for record in listener.records]
    assert all(len(each) == 24 and each.endswith("Z") for each in times)


async def test_records_of_failures(make: Callable[..., Lambda], listener: Listener) -> None:
    slow = "for request_id, event, headers in invocations(): time.sleep(60)"
    # The second initialization has to start a runtime and an extension within this time.
    async with make(slow, timeout=1.5) as sandbox:
        await sandbox.initialize()
        await sandbox.invoke()
        (done,), (report,) = listener.of("platform.runtimeDone"), listener.of("platform.report")
        for record in (done, report):
            assert (record["status"], record["errorType"]) == ("timeout", "Sandbox.Timedout")
        await sandbox.invoke()
        phases = [record["phase"] for record in listener.of("platform.initStart")]
        assert phases == ["init", "invoke"]


async def test_nothing_comes_while_it_is_frozen(make: Callable[..., Lambda], listener: Listener) -> None:
    async with make() as sandbox:
        first = await sandbox.invoke()
        await asyncio.sleep(0.1)
        assert "platform.report" not in listener.kinds
        second = await sandbox.invoke()
        (freeze,) = sandbox.freeze_log
        assert not any(freeze.frozen_ns < each.taken_ns < freeze.resume_ns for each in sandbox.deliveries)
        async with sandbox.resumed():
            await listener.until(lambda: len(listener.of("platform.report")) == 2)
    assert first.times.runtime_done_delivered_ns > freeze.resume_ns
    assert second.times.runtime_done_delivered_ns > 0
    assert [each["requestId"] for each in listener.of("platform.report")] == [
        first.request_id,
        second.request_id,
    ]


async def test_a_buffer_is_due_when_it_is_old_enough(make: Callable[..., Lambda], listener: Listener) -> None:
    waits = "for request_id, event, headers in invocations(): time.sleep(0.3); respond(request_id, None)"
    async with make(waits, subscription={"types": ["platform"], "buffering": {"timeoutMs": 100}}) as sandbox:
        await sandbox.initialize()
        async with sandbox.resumed():
            await listener.until(lambda: "platform.initReport" in listener.kinds)
        invocation = await sandbox.invoke()
        (start,) = (each for each in sandbox.deliveries if "platform.start" in each.kinds)
        assert start.kinds == ("platform.start",)
        assert 95 < (start.sent_ns - invocation.times.begin_ns) / 1e6 < 250


async def test_a_buffer_is_due_when_it_is_full(make: Callable[..., Lambda], listener: Listener) -> None:
    many = """
    for request_id, event, headers in invocations():
        print("\\n".join(str(n) for n in range(2500)), flush=True)
        time.sleep(0.2)
        respond(request_id, None)
    """
    subscription = {"types": ["function"], "buffering": {"maxItems": 1000, "timeoutMs": 30_000}}
    async with make(many, subscription=subscription) as sandbox:
        await sandbox.invoke()
        async with sandbox.resumed():
            await listener.until(lambda: len(listener.batches) >= 2)
        assert [len(batch) for batch in listener.batches] == [1000, 1000]
    assert listener.of("function") == [str(n) for n in range(2500)]  # the end brings the rest


async def test_long_lines_and_batches_are_cut(make: Callable[..., Lambda], listener: Listener) -> None:
    long = """
    for request_id, event, headers in invocations():
        print("x" * (600 << 10), flush=True)
        respond(request_id, None)
    """
    async with make(long, subscription={"types": ["function"]}) as sandbox:
        await sandbox.invoke()
    lines = listener.of("function")
    assert [len(line) >> 10 for line in lines] == [256, 256, 88]
    assert all(len(body) <= 262_144 + 100 for body in listener.bodies)


async def test_lines_that_are_objects(make: Callable[..., Lambda], listener: Listener) -> None:
    said = '{"level": "INFO", "message": "hello"}'
    for format_, expected in (("Text", said), ("JSON", json.loads(said))):
        async with make(log_format=format_) as sandbox:
            await sandbox.invoke({"say": said})
            await sandbox.invoke({"say": "plain"})
        assert listener.of("function")[-2:] == [expected, "plain"]


async def test_the_schemas_differ(make: Callable[..., Lambda], listener: Listener) -> None:
    for schema, has_status in (("2022-07-01", False), ("2022-12-13", True), ("2025-01-29", True)):
        async with make(subscription={"schemaVersion": schema}) as sandbox:
            await sandbox.invoke()
        assert ("status" in listener.of("platform.initReport")[-1]) == has_status


async def test_streams_that_are_not_subscribed_to(make: Callable[..., Lambda], listener: Listener) -> None:
    async with make(subscription={"types": ["function"]}) as sandbox:
        await sandbox.invoke()
    assert set(listener.kinds) == {"function"}


async def test_a_refused_batch_comes_again(make: Callable[..., Lambda], listener: Listener) -> None:
    listener.statuses = [500, 503]
    async with make() as sandbox:
        await sandbox.initialize()
        async with sandbox.resumed():
            await listener.until(lambda: "platform.initReport" in listener.kinds)
        assert sandbox.deliveries[0].attempts == 3
    assert listener.kinds.count("platform.initStart") == 1


async def test_over_tcp(make: Callable[..., Lambda]) -> None:
    lines: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for line in reader:
            lines.append(line)
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        subscription = {"destination": {"protocol": "TCP", "port": port}, "types": ["function"]}
        async with make(subscription=subscription) as sandbox:
            await sandbox.invoke({"say": "one"})
            await sandbox.invoke({"say": "two"})
        await polling.until(lambda: len(lines) >= 2)
    assert [json.loads(line)["record"] for line in lines] == ["one", "two"]


# -- Faults


async def test_no_telemetry_at_all(make: Callable[..., Lambda], listener: Listener) -> None:
    said: list[str] = []
    sandbox = make(faults=TelemetryFaults(unsupported=True))
    sandbox_log = Lambda(
        sandbox._function,
        extension=sandbox._extensions,
        settings=sandbox.settings,
        telemetry_faults=sandbox.telemetry_faults,
        on_log=lambda source, line: said.append(line) if source == "extension" else None,
    )
    async with sandbox_log as other:
        assert (await other.invoke({"a": 1})).json() == {"a": 1}
    assert said[0].startswith("202 ")
    assert listener.batches == []


async def test_lost_records(make: Callable[..., Lambda], listener: Listener) -> None:
    async with make(faults=TelemetryFaults(drop={"platform.runtimeDone"})) as sandbox:
        await sandbox.invoke()
        sandbox.telemetry_faults.drop.clear()
        await sandbox.invoke()
    assert listener.kinds.count("platform.start") == 2
    assert listener.kinds.count("platform.runtimeDone") == 1
    assert listener.of("platform.logsDropped") == []


async def test_lost_records_that_are_told(make: Callable[..., Lambda], listener: Listener) -> None:
    async with make(faults=TelemetryFaults(drop={"function"}, tell_drops=True)) as sandbox:
        for _ in range(3):
            await sandbox.invoke({"say": "x" * 10})
    dropped = listener.of("platform.logsDropped")
    assert sum(record["droppedRecords"] for record in dropped) == 3
    assert all(record["droppedBytes"] >= 10 * record["droppedRecords"] for record in dropped)


async def test_a_fraction_is_lost_as_the_seed_says() -> None:
    def lost(seed: int) -> list[bool]:
        faults = TelemetryFaults(drop_fraction=0.3, seed=seed)
        return [faults.loses("function") for _ in range(1000)]

    assert lost(1) == lost(1) != lost(2)
    assert 200 < sum(lost(1)) < 400


async def test_late_records_come_after_their_followers(
    make: Callable[..., Lambda], listener: Listener
) -> None:
    faults = TelemetryFaults(delay={"platform.start": 0.2})
    waits = "for request_id, event, headers in invocations(): time.sleep(0.1); respond(request_id, None)"
    async with make(waits, faults=faults) as sandbox:
        await sandbox.invoke()
        async with sandbox.resumed():
            await listener.until(lambda: "platform.start" in listener.kinds)
    assert listener.kinds.index("platform.start") > listener.kinds.index("platform.runtimeDone")
    (start,) = (record for record in listener.records if record["type"] == "platform.start")
    (done,) = (record for record in listener.records if record["type"] == "platform.runtimeDone")
    assert start["time"] < done["time"]  # when it was, not when it came


async def test_split_and_shuffled_batches(make: Callable[..., Lambda], listener: Listener) -> None:
    many = """
    for request_id, event, headers in invocations():
        print("\\n".join(str(n) for n in range(20)), flush=True)
        respond(request_id, None)
    """
    faults = TelemetryFaults(split=3, shuffle=True)
    async with make(many, faults=faults, subscription={"types": ["function"]}) as sandbox:
        await sandbox.invoke()
    assert max(len(batch) for batch in listener.batches) <= 3
    assert listener.of("function") != [str(n) for n in range(20)]
    assert sorted(listener.of("function"), key=int) == [str(n) for n in range(20)]


async def test_any_bytes(make: Callable[..., Lambda], listener: Listener) -> None:
    async with make() as sandbox:
        await sandbox.initialize()
        async with sandbox.resumed():
            assert await sandbox.post_telemetry(b"\xff\xfe not JSON") == [400]
            sandbox.emit_telemetry("platform.tomorrow", {"new": True})
            await listener.until(lambda: "platform.tomorrow" in listener.kinds)
    assert b"\xff\xfe not JSON" in listener.bodies
    assert listener.of("platform.tomorrow") == [{"new": True}]


async def test_records_that_do_not_fit_are_dropped_and_reported(listener: Listener) -> None:
    """A subscriber that takes nothing for a while, and a function that doesn't stop talking."""
    deliveries: list[Delivery] = []
    telemetry = Telemetry(TelemetryFaults(), deliveries)
    listener.statuses = [503] * 3
    telemetry.subscribe("ext", listener.subscription(types=["function"]).encode())
    for _ in range(2000):
        telemetry.emit("function", "x" * 1000)
    await listener.until(lambda: not listener.statuses)
    telemetry.emit("function", "the end")
    try:
        await listener.until(lambda: "the end" in listener.of("function"))
    finally:
        await telemetry.close()
    (dropped,) = listener.of("platform.logsDropped")
    assert dropped["droppedRecords"] + len(listener.of("function")) == 2001
    assert 900 < dropped["droppedRecords"] < 1100  # four batches of 256 KiB are held
    assert dropped["droppedBytes"] > 1000 * dropped["droppedRecords"]


async def test_a_subscriber_that_is_frozen_with_a_batch_is_not_given_up(
    make: Callable[..., Lambda], listener: Listener
) -> None:
    begun = time.monotonic()
    async with make() as sandbox:
        for _ in range(20):
            await sandbox.invoke()
    # Every record once, although every invocation was frozen in the middle of something.
    for kind in ("platform.start", "platform.runtimeDone", "platform.report"):
        assert len({record["requestId"] for record in listener.of(kind)}) == len(listener.of(kind)) == 20
    assert time.monotonic() - begun < 30
