"""Bad input and faults, met by the executable in the emulated Lambda: nothing good is lost, nothing ends it.

Each test is named after what goes wrong. Payloads are numbered (thaw.lab.workload.numbered_request), so that
the intake tells of each whether it arrived, and how often.
"""

from __future__ import annotations

import asyncio
import pathlib
import random
import re
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgpack
import pytest

from thaw.lab.benchmarks.extension.bench import extension_counts
from thaw.lab.emulator import Lambda, SandboxFailure, Settings, TelemetryFaults, functions
from thaw.lab.emulator.settings import Limit
from thaw.lab.emulator.telemetry_records import Stream
from thaw.lab.experiments.chaos.rubbish import throw
from thaw.lab.intake import Intake
from thaw.lab.intake.script import Answer, Script
from thaw.lab.workload.numbered_request import NumberedRequest

from .conftest import BeginIntake
from .extension_under_test import EXTENSION, Lines, needs_extension

pytestmark = needs_extension

TRACES, CALLS, TELEMETRY = 8126, 8124, 8999
DOGSTATSD = 8125  # UDP
REQUEST = NumberedRequest.of_spans(5)
Start = Callable[..., AbstractAsyncContextManager["Running"]]


class Running:
    """A Lambda with the extension, and the account of its function's payloads."""

    def __init__(self, sandbox: Lambda, intake: Intake) -> None:
        self.sandbox = sandbox
        self.intake = intake
        self.sent = 0

    async def invoke(self, payloads: int = 1, **event: Any) -> dict[str, int]:
        """Runs an invocation. Returns how often each status answered the function's requests."""
        invocation = await self.sandbox.invoke({"payloads": payloads, **event})
        assert invocation.status == "success", invocation.error_type
        self.sent += payloads
        return dict(invocation.json()["statuses"])

    async def counts(self) -> dict[str, Any]:
        """Returns the extension's own counters."""
        async with self.sandbox.resumed():
            return await asyncio.to_thread(extension_counts)

    def assert_each_once(self, *, but: int = 0) -> None:
        """Asserts that every payload has arrived once, except `but` of them."""
        spans = self.intake.spans()
        times = [{spans.get(span, 0) for span in REQUEST.ids(number)} for number in range(self.sent)]
        assert times.count({1}) == self.sent - but, times

    @property
    def alive(self) -> bool:
        return self.sandbox.current.process(EXTENSION.name).alive

    async def end(self) -> None:
        """Shuts the environment down; the extension must end by itself."""
        shutdown = await self.sandbox.shutdown("spindown")
        assert shutdown is not None
        (extension,) = shutdown.extensions
        assert extension.exit_code == 0
        assert not extension.killed


@pytest.fixture
def start(tmp_path: pathlib.Path, begin_intake: BeginIntake) -> Start:
    @asynccontextmanager
    async def start(
        script: Script | None = None,
        telemetry: TelemetryFaults | None = None,
        *,
        memory_mb: int = 512,
        timeout: float = 10.0,
        limits: frozenset[Limit] = frozenset(),
        executable: pathlib.Path = EXTENSION,
        on_log: Callable[[Stream, str], None] | None = None,
        stays: bool = False,
        **variables: str,
    ) -> AsyncIterator[Running]:
        """Starts a Lambda. `stays`: its runtime ignores SIGTERM. An extension that has reported its end is
        killed when the runtime is gone; one that stays leaves it 300 ms, and not next to nothing.
        """
        intake = begin_intake(script)
        environment = {
            **intake.agent_variables,
            "DD_SERVERLESS_FLUSH_STRATEGY": "end",
            **variables,
        }
        settings = Settings(memory_mb=memory_mb, timeout=timeout, limits=limits, environment=environment)
        command = functions.poster_command(*map(str, REQUEST.write(tmp_path)))
        if stays:
            command = ["/bin/sh", "-c", "trap '' TERM; exec \"$@\"", "sh", *command]
        async with Lambda(
            command, extension=executable, settings=settings, telemetry_faults=telemetry, on_log=on_log
        ) as sandbox:
            yield Running(sandbox, intake)

    return start


# -- Telemetry -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b'[{"time":"2026-01-01T00:00:00Z","type":"function","record":"\xff\xfe\xc0"}]',
        b'[{"time":7,"type":"platform.runtimeDone","record":"text"},{"type":"platform.unheardOf","record":{}}]',
        b"\xff\xfe",
        b"[" * 100_000,
        b'[{"type":"platform.runtimeDone"',
        b"",
    ],
    ids=["not UTF-8", "wrong types", "bytes", "nested", "cut", "empty"],
)
async def test_telemetry_that_can_not_be_read_ends_nothing(start: Start, body: bytes) -> None:
    async with start() as running:
        await running.invoke()
        async with running.sandbox.resumed():
            assert await running.sandbox.post_telemetry(body) == [200]
        await running.invoke()
        running.assert_each_once()
        await running.end()


async def test_an_unknown_record_does_not_lose_the_end_of_an_invocation(start: Start) -> None:
    async with start() as running:
        await running.invoke()
        for _ in range(3):
            running.sandbox.emit_telemetry("platform.unheardOf", {"requestId": 7, "nested": [{}]})
            await running.invoke()
        counts = await running.counts()
        assert counts["telemetry"]["unknown_types"] >= 3
        assert counts["life"]["ends_not_seen"] == 0
        running.assert_each_once()


async def test_a_lost_end_costs_no_more_than_the_invocations_time(start: Start) -> None:
    faults = TelemetryFaults(drop={"platform.runtimeDone"})
    async with start(telemetry=faults, timeout=2.0) as running:
        await running.invoke()
        faults.drop.clear()
        await running.invoke()
        running.assert_each_once()
        assert (await running.counts())["life"]["ends_not_seen"] == 1


async def test_where_ends_are_lost_only_two_invocations_are_held_back(start: Start) -> None:
    async with start(telemetry=TelemetryFaults(drop={"platform.runtimeDone"}), timeout=2.0) as running:
        for _ in range(2):
            await running.invoke()
        began = time.monotonic()
        for _ in range(3):
            await running.invoke()
        assert time.monotonic() - began < 1.0
        counts = await running.counts()
        assert counts["life"]["ends_not_seen"] == 2
        assert counts["life"]["ends_unknown"] == 3
        await running.end()
        running.assert_each_once()


# -- Traces ------------------------------------------------------------------------------------------------


def post(body: bytes, path: str = "/v0.4/traces") -> int:
    """The status of a request with traces."""
    request = urllib.request.Request(f"http://127.0.0.1:{TRACES}{path}", body, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def span(identifier: int, **fields: Any) -> dict[str, Any]:
    plain = {"service": "s", "name": "n", "resource": "r", "trace_id": 77, "span_id": identifier}
    return {**plain, "start": 1_700_000_000_000_000_000, "duration": 5, **fields}


async def test_a_trace_of_21_megabytes_blocks_nothing(start: Start) -> None:
    spans = [
        span(1000 + number, meta={"filler": random.Random(number).randbytes(700).hex()})
        for number in range(15_000)
    ]
    body = msgpack.packb([spans])
    assert len(body) > 21_000_000
    async with start(memory_mb=2048) as running:
        await running.invoke()
        async with running.sandbox.resumed():
            assert await asyncio.to_thread(post, body) == 200
        await running.invoke()
        await running.invoke()
        running.assert_each_once()
        # Cut into requests that an intake takes.
        arrived = running.intake.spans()
        assert all(arrived.get(1000 + number) == 1 for number in range(15_000))
        await running.end()


async def test_one_bad_span_does_not_refuse_its_neighbours(start: Start) -> None:
    bad = [
        {"span_id": "text", "start": "soon", "meta": 5},
        7,
        span(5001, span_id=-5),
        span(5002, metrics={"nan": float("nan")}),
    ]
    async with start() as running:
        await running.invoke()
        async with running.sandbox.resumed():
            assert await asyncio.to_thread(post, msgpack.packb([[span(5000), *bad], [span(5003)]])) == 200
        await running.invoke()
        arrived = running.intake.spans()
        assert arrived[5000] == arrived[5003] == arrived[5002] == 1


async def test_spans_and_groups_of_stats_that_can_not_be_read_are_said_once_with_their_number(
    start: Start,
) -> None:
    lines = Lines()
    group = {
        **dict.fromkeys(("Service", "Name", "Resource"), "x"),
        **dict.fromkeys(("HTTPStatusCode", "Hits", "Errors", "Duration", "TopLevelHits"), 1),
        **dict.fromkeys(("OkSummary", "ErrorSummary"), b""),
        "Synthetics": False,
    }
    stats = {"Stats": [{"Start": 1, "Duration": 1, "Stats": [group, {**group, "Hits": "many"}, {}]}]}
    async with start(on_log=lines) as running:
        await running.invoke()
        async with running.sandbox.resumed():
            for first in (5000, 6000):
                bad = [span(first + 1, duration="long"), span(first + 2, start=[]), span(first + 3, error={})]
                assert await asyncio.to_thread(post, msgpack.packb([[span(first), *bad]])) == 200
                assert await asyncio.to_thread(post, msgpack.packb(stats), "/v0.6/stats") == 202
        counts = (await running.counts())["traces"]
        assert (counts["spans_left_out"], counts["stats_left_out"]) == (6, 4)
        await running.invoke()
        assert running.intake.spans()[5000] == running.intake.spans()[6000] == 1
        await running.end()
    (of_spans,) = (line for line in lines if " spans and " in line)
    assert of_spans.startswith("THAW | WARN")
    assert "traces: 3 spans and 0 traces of a request can't be read" in of_spans
    (of_stats,) = (line for line in lines if "stats: " in line)
    assert of_stats.startswith("THAW | WARN")
    assert "stats: 2 groups and 0 buckets of a request can't be read" in of_stats


async def test_a_metric_that_is_no_number_is_left_out_and_said(start: Start) -> None:
    lines = Lines()
    metrics = {"a": float("inf"), "b": "1e400", "c": 2.5}
    async with start(on_log=lines) as running:
        await running.invoke()
        async with running.sandbox.resumed():
            for identifier in (5002, 5003):
                bad = span(identifier, metrics=metrics)
                assert await asyncio.to_thread(post, msgpack.packb([[bad]])) == 200
        assert (await running.counts())["traces"]["metrics_not_finite"] == 4
        await running.invoke()
        assert running.intake.spans()[5002] == running.intake.spans()[5003] == 1
        await running.end()
    assert sum("are NaN or infinite and are left out" in line for line in lines) == 1


@pytest.mark.parametrize(
    "without", [{"trace_id": 0}, {"span_id": 0}, {"trace_id": None, "span_id": None}], ids=str
)
async def test_a_span_without_an_id_is_left_out_and_said(start: Start, without: dict[str, Any]) -> None:
    lines = Lines()
    bad = {name: value for name, value in {**span(5002), **without}.items() if value is not None}
    async with start(on_log=lines) as running:
        await running.invoke()
        async with running.sandbox.resumed():
            for _ in range(2):
                assert await asyncio.to_thread(post, msgpack.packb([[span(5001), bad, bad]])) == 200
        assert (await running.counts())["traces"]["spans_without_ids"] == 4
        await running.invoke()
        assert running.intake.spans()[5001] == 1
        await running.end()
    assert sum("have no trace id or no span id" in line for line in lines) == 1


async def test_a_body_that_is_no_trace_is_refused_with_a_reason_and_nothing_else(start: Start) -> None:
    async with start() as running:
        await running.invoke()
        async with running.sandbox.resumed():
            for body in (b"\xc1", b"\x91\x91", b"{}", msgpack.packb([[span(1)]])[:-9]):
                assert await asyncio.to_thread(post, body) == 400
            assert await asyncio.to_thread(post, b"x", "/v0.9/traces") == 404
        await running.invoke()
        running.assert_each_once()


async def test_bodies_of_50_megabytes_are_refused_within_the_memory_there_is(start: Start) -> None:
    async with start(memory_mb=128) as running:
        await running.invoke()
        async with running.sandbox.resumed():
            statuses = await asyncio.gather(
                *(asyncio.to_thread(post, b"\x91" * (51 << 20)) for _ in range(3))
            )
        assert set(statuses) <= {413, 429, 503}
        usage = running.sandbox.current.process(EXTENSION.name).usage()
        assert usage is not None
        assert usage.peak_resident_bytes < 64 << 20
        await running.invoke()
        running.assert_each_once()


# -- The intake ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 429, 500, 503])
@pytest.mark.parametrize("after", [None, "0", "1", "3600"])
async def test_data_refused_for_now_arrives_later(start: Start, status: int, after: str | None) -> None:
    headers = {} if after is None else {"Retry-After": after}
    async with start(Script(answer=Answer(status=status, headers=headers)), DD_FLUSH_TIMEOUT="1") as running:
        await running.invoke(3)
        assert running.intake.spans() == {}
        running.intake.script(Script())
        await running.invoke()
        await running.end()
        running.assert_each_once()


async def test_413_is_sent_in_parts(start: Start) -> None:
    async with start() as running:
        # The first connection's requests, whatever is made of them, are too large.
        running.intake.script(Script(), following=[Script(answers=(Answer(status=413, close_after=True),))])
        await running.invoke(8)
        await running.end()
        running.assert_each_once()


async def test_403_loses_what_was_refused_and_nothing_after_it(start: Start) -> None:
    async with start(Script(answer=Answer(status=403))) as running:
        await running.invoke(2)
        running.intake.script(Script())
        await running.invoke(3)
        counts = await running.counts()
        traces = counts["flush"]["pipelines"]["traces"]
        assert sum(traces["dropped"].values()) == 2
        assert traces["requests"] <= 3, "it is not sent again and again"
        running.assert_each_once(but=2)


async def test_data_that_failed_under_continuous_flushing_does_not_wait_for_the_shutdown(
    start: Start,
) -> None:
    broken = Script(answer=Answer(status=503))
    async with start(broken, DD_SERVERLESS_FLUSH_STRATEGY="continuously,20") as running:
        await running.invoke()
        await running.invoke(1, sleep=0.1)
        running.intake.script(Script())
        for _ in range(5):
            await running.invoke(1, sleep=0.1, pause=0.1)
        arrived = running.intake.spans()
        assert all(arrived.get(each) == 1 for number in range(2) for each in REQUEST.ids(number))


async def test_a_black_hole_does_not_keep_the_process_beyond_its_shutdown(start: Start) -> None:
    async with start(
        Script(answer=Answer(action="black_hole")), DD_SERVERLESS_FLUSH_STRATEGY="continuously,3600000"
    ) as running:
        await running.invoke()
        await running.end()


# -- Clients -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("port", [TRACES, CALLS, TELEMETRY])
async def test_any_bytes_on_any_listener_end_nothing(start: Start, port: int) -> None:
    async with start() as running:
        await running.invoke()
        async with running.sandbox.resumed():
            await asyncio.gather(*(throw(port, random.Random(seed)) for seed in range(60)))
        await running.invoke()
        assert running.alive
        running.assert_each_once()


async def test_any_bytes_to_dogstatsd_end_nothing_and_good_lines_are_taken(start: Start) -> None:
    async with start() as running:
        await running.invoke()
        async with running.sandbox.resumed():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.connect(("127.0.0.1", DOGSTATSD))
                for seed in range(200):
                    dice = random.Random(seed)
                    client.send(dice.randbytes(dice.randrange(1, 2000)))
                    await asyncio.sleep(0.001)
                for datagram in (b"", b"x" * 65_507, b"a:1|c\n" * 10_000, b"orders:1|c\n_e{1,1}:a|b"):
                    client.send(datagram)
                    await asyncio.sleep(0.05)
        await running.invoke()
        assert running.alive
        running.assert_each_once()
        counts = (await running.counts())["dogstatsd"]
        assert counts["datagrams"] + counts["dropped"] == 204
        assert counts["samples"] >= 10_001
        assert counts["handed_over"]["events"] == 1
        assert counts["refused_form"] > 0


async def test_clients_that_are_slow_or_half_open_cost_their_own_connection_only(start: Start) -> None:
    held = []
    async with start() as running:
        await running.invoke()
        try:
            async with running.sandbox.resumed():
                for number in range(200):
                    client = socket.create_connection(("127.0.0.1", TRACES), timeout=5)
                    held.append(client)
                    client.sendall(b"POST /v0.4/traces HTTP/1.1\r\nContent-Le"[: number % 40])
            assert await running.invoke(5) == {"200": 5}
            running.assert_each_once()
        finally:
            for client in held:
                client.close()


async def test_tracers_side_by_side_are_served_before_and_after_a_freeze(start: Start) -> None:
    async with start() as running:
        for _ in range(3):
            assert await running.invoke(240, clients=12) == {"200": 240}
        running.assert_each_once()
        assert (await running.counts())["servers"]["traces"]["accepted"] >= 12
        await running.end()


async def test_a_full_budget_is_told_and_what_was_taken_arrives(start: Start) -> None:
    # A body that does not compress, so that bodies fill the budget: an eighth of the memory.
    def body(number: int) -> bytes:
        filler = random.Random(number).randbytes(300_000).hex()
        return bytes(msgpack.packb([[span(10_000 + number, meta={"filler": filler})]]))

    async with start(memory_mb=128, DD_SERVERLESS_FLUSH_STRATEGY="continuously,3600000") as running:
        await running.invoke()
        taken = []
        async with running.sandbox.resumed():
            for number in range(100):
                status = await asyncio.to_thread(post, body(number))
                if status != 200:
                    assert status == 429
                    break
                taken.append(10_000 + number)
        assert 10 < len(taken) < 100
        await running.end()
        arrived = running.intake.spans()
        assert all(arrived.get(each) == 1 for each in taken)
        running.assert_each_once()


# -- Lambda's interface ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["500", "html"])
async def test_next_that_gives_no_event_ends_it_by_the_plan(start: Start, kind: Any) -> None:
    async with start(DD_SERVERLESS_FLUSH_STRATEGY="continuously,3600000") as running:
        await running.invoke()
        process = running.sandbox.current.process(EXTENSION.name)
        running.sandbox.api_faults.add("/event/next", kind)
        invocation = await running.sandbox.invoke({"payloads": 1})
        await asyncio.wait_for(process.gone(), 10)
        assert process.exit_code == 1
        assert invocation.status != "timeout"
        running.sent = 2
        running.assert_each_once()
        assert invocation.error_type == "Extension.ExitError"


async def test_a_first_next_that_gives_no_event_is_a_failed_initialization(start: Start) -> None:
    async with start() as running:
        running.sandbox.api_faults.add("/event/next", "500", times=10)
        with pytest.raises(SandboxFailure) as failed:
            await running.sandbox.initialize()
        assert failed.value.error_type == "Extension.InitError"
        assert "Extension.NextFailed" in failed.value.message


async def test_next_that_is_reset_is_asked_again(start: Start) -> None:
    async with start() as running:
        await running.invoke()
        running.sandbox.api_faults.add("/event/next", "reset")
        await running.invoke()
        await running.invoke()
        running.assert_each_once()
        await running.end()


async def test_a_function_that_crashes_loses_nothing_it_has_handed_over(start: Start) -> None:
    async with start(DD_SERVERLESS_FLUSH_STRATEGY="continuously,3600000") as running:
        await running.invoke()
        invocation = await running.sandbox.invoke({"payloads": 2, "exit": 3})
        assert invocation.status == "failure"
        running.sent = 3
        running.assert_each_once()


async def test_a_function_that_hangs_loses_nothing_it_has_handed_over(start: Start) -> None:
    async with start(DD_SERVERLESS_FLUSH_STRATEGY="continuously,3600000", timeout=1.0) as running:
        await running.invoke()
        invocation = await running.sandbox.invoke({"payloads": 2, "pause": 30})
        assert invocation.status == "timeout"
        running.sent = 3
        running.assert_each_once()


async def test_a_slow_intake_does_not_cost_the_shutdown_after_a_crash(start: Start) -> None:
    async with start(DD_SERVERLESS_FLUSH_STRATEGY="end") as running:
        await running.invoke()
        # The first request of the flush gets no answer for longer than the shutdown may take.
        running.intake.script(Script(answers=(Answer(action="black_hole"),)))
        invocation = await running.sandbox.invoke({"payloads": 2, "exit": 3})
        assert invocation.status == "failure"
        (end,) = running.sandbox.shutdowns[-1].extensions
        assert 0 < end.told_ns - invocation.times.end_ns < 1e9
        assert not end.killed
        assert end.exit_code == 0


async def test_a_registration_that_is_refused_ends_it_at_once(start: Start) -> None:
    async with start() as running:
        running.sandbox.api_faults.add("/register", "500", times=10)
        with pytest.raises(SandboxFailure) as failed:
            await running.sandbox.initialize()
        assert EXTENSION.name in str(failed.value)


# -- The machine ------------------------------------------------------------------------------------------


async def test_it_writes_no_file(start: Start, tmp_path: pathlib.Path) -> None:
    program = shutil.which("strace")
    if program is None:
        pytest.skip("strace is not installed")
    calls = tmp_path / "calls"
    wrapper = tmp_path / EXTENSION.name
    wrapper.write_text(f'#!/bin/sh\nexec {program} -f -e trace=%file -o {calls} {EXTENSION} "$@"\n')
    wrapper.chmod(0o755)
    async with start(executable=wrapper) as running:
        await running.invoke()
        await running.end()
        running.assert_each_once()
    told = calls.read_text()
    assert "execve(" in told
    # Its log's own way to standard error is no file.
    assert [
        line
        for line in told.splitlines()
        if re.search(r"O_WRONLY|O_RDWR|O_CREAT|mkdir|unlink", line) and "/proc/self/fd/2" not in line
    ] == []


async def test_a_flood_within_a_memory_limit_is_bounded_and_kills_no_process(start: Start) -> None:
    async with start(
        memory_mb=128,
        timeout=60.0,
        limits=frozenset({"memory"}),
        DD_SERVERLESS_FLUSH_STRATEGY="continuously,3600000",
    ) as running:
        statuses = await running.invoke(8000)
        if running.sandbox.notes:
            pytest.skip("; ".join(running.sandbox.notes))
        assert set(statuses) <= {"200", "429"}
        assert running.alive
        await running.end()
