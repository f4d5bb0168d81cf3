"""Intakes that are slow, out of reach or refuse data: what the executable does, costs and says.

What is passed on for tracers goes where traces go here, as data streams do.
"""

from __future__ import annotations

import asyncio
import datetime
import pathlib
import re
import socket
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any

import pytest

from thaw.lab.benchmarks.extension.bench import extension_counts
from thaw.lab.emulator import Lambda, Settings, functions
from thaw.lab.intake import Intake
from thaw.lab.intake.script import Answer, Script
from thaw.lab.workload.numbered_request import NumberedRequest

from .conftest import BeginIntake
from .extension_under_test import EXTENSION, needs_extension

pytestmark = needs_extension

REQUEST = NumberedRequest.of_spans(5)
PASSED_ON = "/api/v0.1/pipeline_stats"


class Running:
    """A Lambda with the extension, its intake and the lines that the extension wrote."""

    def __init__(self, sandbox: Lambda, intake: Intake, lines: list[str]) -> None:
        self.sandbox = sandbox
        self.intake = intake
        self.lines = lines

    async def invoke(self, payloads: int = 1) -> None:
        invocation = await self.sandbox.invoke({"payloads": payloads})
        assert invocation.status == "success", invocation.error_type

    async def pass_on(self, requests: int) -> None:
        async with self.sandbox.resumed():
            await asyncio.to_thread(_pass_on, requests)

    async def counts(self) -> dict[str, Any]:
        async with self.sandbox.resumed():
            return await asyncio.to_thread(extension_counts)

    async def end(self) -> None:
        shutdown = await self.sandbox.shutdown("spindown")
        assert shutdown is not None
        assert shutdown.extensions[0].exit_code == 0

    def passed_on(self) -> int:
        return sum(request["target"].startswith(PASSED_ON) for request in self.intake.requests())

    def said(self, text: str, level: str = "") -> list[str]:
        return [line for line in self.lines if text in line and line.startswith(f"THAW | {level}")]


def _pass_on(requests: int) -> None:
    for number in range(requests):
        url = "http://127.0.0.1:8126/v0.1/pipeline_stats"
        request = urllib.request.Request(url, data=b"%d" % number, method="POST")
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert answer.status == 200


Start = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def start(tmp_path: pathlib.Path, begin_intake: BeginIntake) -> Start:
    @asynccontextmanager
    async def start(script: Script | None = None, **variables: str) -> AsyncIterator[Running]:
        lines: list[str] = []
        intake = begin_intake(script)
        environment = {**intake.agent_variables, "DD_SERVERLESS_FLUSH_STRATEGY": "end", **variables}
        async with Lambda(
            functions.poster_command(*map(str, REQUEST.write(tmp_path))),
            extension=EXTENSION,
            settings=Settings(memory_mb=512, timeout=10.0, environment=environment),
            on_log=lambda source, line: lines.append(line) if source == "extension" else None,
        ) as sandbox:
            yield Running(sandbox, intake, lines)

    return start


# -- Slow ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("requests", [30, 60])
async def test_requests_that_are_passed_on_go_side_by_side(start: Start, requests: int) -> None:
    async with start(Script(answer=Answer(delay=0.04))) as running:
        await running.invoke()
        await running.pass_on(requests)
        await running.invoke()
        assert running.passed_on() == requests
        counts = await running.counts()
        assert counts["flush"]["clients"]["intake"]["opened"] <= 2 * 6
        # One after the other they would take 40 ms each.
        assert counts["flush"]["flush_time"]["most"] < requests * 0.04 / 2


async def test_all_that_was_passed_on_arrives_within_the_shutdown(start: Start) -> None:
    async with start(
        Script(answer=Answer(delay=0.04)), DD_SERVERLESS_FLUSH_STRATEGY="continuously,3600000"
    ) as running:
        await running.invoke()
        await running.pass_on(60)
        await running.end()
        assert running.passed_on() == 60


# -- Refusing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "after"), [(503, None), (503, "1"), (429, "1"), (408, None), (500, "0")])
async def test_refusals_hold_invocations_up_for_a_bounded_time(
    start: Start, status: int, after: str | None
) -> None:
    headers = {} if after is None else {"Retry-After": after}
    async with start(Script(answer=Answer(status=status, headers=headers))) as running:
        for _ in range(40):
            await running.invoke()
        flush = (await running.counts())["flush"]
        assert flush["added_time"]["total"] < 4.5
        assert flush["outages"]["out_of_reach"] >= 1
        # Each invocation would have had three tries.
        assert flush["clients"]["intake"]["attempts"] < 40
        running.intake.script(Script())
        await running.end()
        spans = running.intake.spans()
        assert {spans.get(span, 0) for number in range(40) for span in REQUEST.ids(number)} == {1}


# -- Out of reach --------------------------------------------------------------------------------------------


@contextmanager
def unreachable(kind: str, closed_port: int) -> Iterator[str]:
    """Gives the URL of an intake that refuses connections, takes them and is silent, or has no address."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(128)
        yield {
            "refused": f"https://127.0.0.1:{closed_port}",
            "silent": f"https://127.0.0.1:{silent.getsockname()[1]}",
            "no name": "https://intake.invalid:8443",
        }[kind]


@pytest.mark.parametrize(
    ("kind", "host", "why"),
    [
        ("refused", "127.0.0.1", "refused"),
        ("silent", "127.0.0.1", ""),
        ("no name", "intake.invalid", "intake.invalid"),
    ],
)
async def test_an_outage_is_said_once_and_what_is_lost_at_the_end(
    start: Start, closed_port: int, kind: str, host: str, why: str
) -> None:
    with unreachable(kind, closed_port) as url:
        async with start(DD_APM_DD_URL=url) as running:
            await assert_one_outage(running, host, why)


async def assert_one_outage(running: Running, host: str, why: str) -> None:
    for _ in range(20):
        await running.invoke()
    flush = (await running.counts())["flush"]
    assert flush["outages"]["out_of_reach"] == 1
    assert len(flush["outages"]["now"]) == 1
    await running.end()
    (lost,) = running.said("lost at the end", "ERROR")
    (warning,) = running.said("can't be reached since", "WARN")
    assert host in warning
    when, _, reason = warning.partition("since ")[2].partition("Z: ")
    assert datetime.datetime.fromisoformat(when)
    assert why in reason.lower()
    assert reason
    kept = re.search(r"traces: (\d+) payloads not delivered", lost)
    assert kept is not None
    assert int(kept[1]) >= 20


async def test_what_is_lost_is_said_for_each_kind(start: Start, closed_port: int) -> None:
    url = f"https://127.0.0.1:{closed_port}"
    async with start(
        DD_APM_DD_URL=url,
        DD_LOGS_CONFIG_LOGS_DD_URL=url,
        DD_DD_URL=url,
        DD_SERVERLESS_LOGS_ENABLED="true",
        DD_SERVERLESS_FLUSH_STRATEGY="end",
    ) as running:
        await running.invoke()
        async with running.sandbox.resumed():
            line = b'[{"time":"2026-01-02T03:04:05Z","type":"function","record":"a line"}]'
            assert await running.sandbox.post_telemetry(line) == [200]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"orders:1|c\nlatency:2|d", ("127.0.0.1", 8125))
        await running.invoke()
        await running.end()
        (lost,) = running.said("lost at the end", "ERROR")
        kinds = dict(re.findall(r"(\w+): (\d+) payloads not delivered", lost))
        assert {"traces", "logs", "series", "sketches"} <= set(kinds)
        assert all(int(count) > 0 for count in kinds.values())


async def test_the_start_is_one_line(start: Start) -> None:
    version = pathlib.Path(__file__).parents[2].joinpath("VERSION").read_text().strip()
    async with start(DD_LOG_LEVEL="info", DD_SITE="datadoghq.eu") as running:
        await running.invoke()
        (line,) = running.said(f"thaw {version}: ", "INFO")
        assert line == running.lines[0]
        for fact in ("site datadoghq.eu", "API key from DD_API_KEY", "flush strategy end", "127.0.0.1"):
            assert fact in line


async def test_an_outage_that_is_over_is_said_once(start: Start) -> None:
    async with start(Script(answer=Answer(status=503)), DD_LOG_LEVEL="info") as running:
        for _ in range(3):
            await running.invoke()
        running.intake.script(Script())
        for _ in range(40):
            await running.invoke()
        flush = (await running.counts())["flush"]
        assert flush["outages"]["out_of_reach"] == flush["outages"]["back"] == 1
        await running.end()
        assert len(running.said("refuses all data since", "WARN")) == 1
        assert len(running.said("is back after", "INFO")) == 1
        assert not running.said("lost at the end")


async def test_a_key_that_is_refused_is_said_once(start: Start) -> None:
    async with start(Script(answer=Answer(status=403))) as running:
        for _ in range(5):
            await running.invoke()
        assert (await running.counts())["flush"]["outages"]["out_of_reach"] == 1, running.lines
        await running.end()
        (lost,) = running.said("lost at the end")
        dropped = re.search(r"traces: (\d+) payloads dropped \(refused\)", lost)
        assert dropped is not None
        assert int(dropped[1]) >= 5


async def test_nothing_is_said_of_an_intake_that_works(start: Start) -> None:
    async with start() as running:
        for _ in range(5):
            await running.invoke()
        await running.end()
        assert running.lines == []
