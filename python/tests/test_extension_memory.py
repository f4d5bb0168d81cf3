"""Requests that need far more memory than they have bytes: none ends the executable, or delays others.

What a request takes follows from what it claims: strings of a table that many spans name, bodies that are
compressed, counts of arrays, texts that have to be repaired. The executable runs here in as much address
space as it had at its start, and its budget, and 8 MB: an allocation beyond that fails, and ends what
ships, which has no exceptions.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import http.client
import json
import pathlib
import random
import resource
import socket
import sys
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgpack
import pytest
import zstandard

from thaw.lab import executables
from thaw.lab.benchmarks.extension.bench import extension_counts
from thaw.lab.emulator import Lambda, functions
from thaw.lab.intake import Intake

from .extension_under_test import EXTENSION

LAYER = executables.EXTENSION.parents[1] / "layer.zip"
MB = 1_000_000
MEMORY_MB = 128
V04, V05 = "/v0.4/traces", "/v0.5/traces"


def budget(memory_mb: int) -> int:
    """Returns the bytes that the extension keeps at most in a function of that size."""
    return memory_mb * (1 << 20) // 8


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit and /proc")


@pytest.fixture(params=["built", "shipped"])
def executable(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> pathlib.Path:
    """The executable of the plain build, and that of the layer, which has no exceptions."""
    if request.param == "built":
        if not EXTENSION.exists():
            pytest.skip(f"no {EXTENSION.name}; bazel build //cc:extension")
        return EXTENSION
    if not LAYER.exists():
        pytest.skip("no layer; bazel build //cc:layer")
    with zipfile.ZipFile(LAYER) as layer:
        layer.extractall(tmp_path)
    shipped = tmp_path / "extensions" / EXTENSION.name
    shipped.chmod(0o755)
    return shipped


def post(
    body: bytes, path: str = V04, coding: str = "", headers: dict[str, str] | None = None, port: int = 8126
) -> tuple[int, str]:
    """Status and text of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        coded = {"Content-Encoding": coding} if coding else {}
        connection.request("POST", path, body, {**coded, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def shared(text: bytes, spans: int, references: int = 1, first: int = 1) -> bytes:
    """Returns a request of v0.5, each of whose spans names one string `references` times."""
    table = [b"svc", text, *(b"key%d" % number for number in range(references))]
    meta = {2 + number: 1 for number in range(references)}
    start = 1_700_000_000_000_000_000
    traces = [
        [
            [0, 0, 0, 9, first + number, 0 if number == 0 else first, start, 5, 1, meta, {}, 0]
            for number in range(spans)
        ]
    ]
    return bytes(msgpack.packb([table, traces]))


def many_metrics(spans: int, metrics: int) -> bytes:
    """Returns a request of v0.5 that is almost as large as what it becomes."""
    start = 1_700_000_000_000_000_000
    values = {1 + number: 1.5 for number in range(metrics)}
    trace = [[0, 0, 0, 9, 1 + number, 0, start, 5, 0, {}, values, 0] for number in range(spans)]
    return bytes(msgpack.packb([["svc", *(f"k{number}" for number in range(metrics))], [trace]]))


def repeated(one: bytes, count: int, before: bytes, after: bytes = b"") -> bytes:
    """Returns an array that has one element `count` times."""
    return before + b"\xdd" + count.to_bytes(4, "big") + one * count + after


def zstd(body: bytes) -> bytes:
    return zstandard.compress(body, 9)


def small_spans(count: int) -> bytes:
    one = msgpack.packb({"trace_id": 1, "span_id": 2})
    return repeated(bytes(one), count, b"\x91")


def spans_of_a_large_root(tag: int, others: int) -> bytes:
    """Returns a trace whose parts all repeat a tag of the root."""
    root = {"trace_id": 1, "span_id": 1, "meta": {"_dd.p.x": "y" * tag}}
    spans = [
        {"trace_id": 1, "span_id": 2 + n, "parent_id": 1, "meta": {"a": "b" * others}} for n in range(2000)
    ]
    return bytes(msgpack.packb([[root, *spans]]))


def stats(groups: int, sketch: bytes = b"", **fields: str) -> bytes:
    """Returns stats whose groups are equal; `fields` are those of the payload."""
    group = {
        "Service": "",
        "Name": "",
        "Resource": "",
        "HTTPStatusCode": 0,
        "Hits": 1,
        "Errors": 0,
        "Duration": 1,
        "OkSummary": sketch,
        "ErrorSummary": b"",
        "Synthetics": False,
        "TopLevelHits": 1,
    }
    head = msgpack.packb({**fields, "Stats": []})[:-1] + b"\x91"
    bucket = b"\x83" + msgpack.packb("Start") + b"\x01" + msgpack.packb("Duration") + b"\x01"
    return repeated(bytes(msgpack.packb(group)), groups, head + bucket + msgpack.packb("Stats"))


# Each makes a path, a coding and a body; the larger ones only when they are sent.
BOMBS: dict[str, Callable[[], tuple[str, str, bytes]]] = {
    "spans that share a megabyte": lambda: (V05, "zstd", zstd(shared(b"s" * MB, 100_000))),
    "few spans that share a megabyte": lambda: (V05, "zstd", zstd(shared(b"s" * MB, 30, 64))),
    "a span of many megabytes": lambda: (V05, "zstd", zstd(shared(b"s" * MB, 1, 60_000))),
    "text to be repaired": lambda: (V05, "zstd", zstd(shared(b"\xff" * MB, 20))),
    "more text to be repaired": lambda: (V05, "zstd", zstd(shared(b"\xff" * MB, 1, 100))),
    "small spans by the million": lambda: (V04, "zstd", zstd(small_spans(2_000_000))),
    "small spans that fit": lambda: (V04, "zstd", zstd(small_spans(600_000))),
    "small spans in gzip": lambda: (V04, "gzip", gzip.compress(small_spans(2_000_000), 9)),
    "a body that leaves no room": lambda: (V05, "zstd", zstd(many_metrics(5_000, 200))),
    "a large table": lambda: (V05, "zstd", zstd(repeated(b"\xa0", 4_000_000, b"\x92", b"\x90"))),
    "traces by the million": lambda: (V04, "zstd", zstd(repeated(b"\x90", 8_000_000, b""))),
    "links by the million": lambda: (
        V04,
        "zstd",
        zstd(repeated(b"\x80", 4_000_000, b"\x91\x91\x81\xaaspan_links")),
    ),
    "events by the million": lambda: (
        V04,
        "zstd",
        zstd(repeated(b"\x81\xaaattributes\x81\xa0\x80", 900_000, b"\x91\x91\x81\xabspan_events")),
    ),
    "tags beyond any": lambda: (
        V04,
        "zstd",
        zstd(b"\x91" + repeated(b"\x81\xa4meta\xde\xff\xff" + b"\xa0\xa0" * 65_535, 80, b"")),
    ),
    "counts that lie": lambda: (V04, "", b"\xdd\xff\xff\xff\xff" * 3),
    "members by the hundred thousand": lambda: (V04, "gzip", gzip.compress(b"") * 300_000),
    "frames with large windows": lambda: (V04, "zstd", b"\x28\xb5\x2f\xfd\x00\x68\x01\x00\x00" * 1000),
    "stats": lambda: ("/v0.6/stats", "zstd", zstd(stats(60_000))),
    "stats with a large field": lambda: ("/v0.6/stats", "zstd", zstd(stats(200, Version="v" * 3_300_000))),
    "stats with a field that fits": lambda: (
        "/v0.6/stats",
        "zstd",
        zstd(stats(20_000, Version="v" * 250_000)),
    ),
    "large sketches": lambda: ("/v0.6/stats", "zstd", zstd(stats(4, random.Random(1).randbytes(MB)))),
    "parts that repeat a tag": lambda: (V04, "zstd", zstd(spans_of_a_large_root(900_000, 1000))),
    "sketches": lambda: ("/v0.6/stats", "zstd", zstd(stats(1)[:-1] + b"\x00" * 9_000_000)),
    "a profile": lambda: ("/profiling/v1/input", "", b"p" * (20 << 20)),
}
MAY_BE = {200, 202, 400, 413, 429}
CUT_OFF = {BrokenPipeError, ConnectionResetError, ConnectionAbortedError}


@dataclasses.dataclass
class Running:
    sandbox: Lambda
    intake: Intake
    pid: int

    async def post(self, *arguments: Any, **keywords: Any) -> tuple[int, str]:
        return await asyncio.to_thread(post, *arguments, **keywords)

    @property
    def alive(self) -> bool:
        return self.sandbox.current.process(EXTENSION.name).alive


@asynccontextmanager
async def limited(
    executable: pathlib.Path, memory_mb: int = MEMORY_MB, **variables: str
) -> AsyncIterator[Running]:
    """A sandbox whose extension has as much address space as it took to start, its budget, and 8 MB."""
    with Intake() as intake:
        settings = functions.demo_settings()
        environment = {
            **settings.environment,
            **intake.agent_variables,
            "DD_SERVERLESS_FLUSH_STRATEGY": "end",
            # That glibc gives back what is freed, as the libc of what ships does.
            "MALLOC_MMAP_THRESHOLD_": "131072",
            "MALLOC_TRIM_THRESHOLD_": "131072",
            **variables,
        }
        settings = dataclasses.replace(settings, memory_mb=memory_mb, timeout=60.0, environment=environment)
        async with Lambda(extension=executable, settings=settings) as sandbox:
            assert (await sandbox.invoke({})).status == "success"
            pid = sandbox.current.process(EXTENSION.name).pid
            lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
            size = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmSize:"))
            limit = size + budget(memory_mb) + 8 * MB
            resource.prlimit(pid, resource.RLIMIT_AS, (limit, limit))
            yield Running(sandbox, intake, pid)
            assert sandbox.current.process(EXTENSION.name).alive
            shutdown = await sandbox.shutdown("spindown")
            assert shutdown is not None
            assert shutdown.extensions[0].exit_code == 0


async def test_nothing_that_a_request_becomes_ends_it(executable: pathlib.Path) -> None:
    async with limited(executable) as running:
        for name, make in BOMBS.items():
            path, coding, body = make()
            async with running.sandbox.resumed():
                for _ in range(2):
                    status, text = await running.post(body, path, coding)
                    assert running.alive, name
                    assert status in MAY_BE, (name, status, text)
                    assert status < 400 or text, name
                # An honest payload is accepted before and after.
                assert (await running.post(shared(b"stack", 1)[:], V05))[0] == 200, name
            assert (await running.sandbox.invoke({})).status == "success", name


async def test_bombs_side_by_side_end_nothing(executable: pathlib.Path) -> None:
    async with limited(executable) as running:
        requests = [make() for make in BOMBS.values()]
        async with running.sandbox.resumed():
            answers = await asyncio.gather(
                *(running.post(body, path, coding) for path, coding, body in requests for _ in range(3)),
                return_exceptions=True,
            )
            assert running.alive
            # Where room is short, a connection that stands still gives way while its body is on its way.
            assert {type(answer) for answer in answers} <= {tuple, http.client.RemoteDisconnected, *CUT_OFF}
            statuses = {answer[0] for answer in answers if isinstance(answer, tuple)}
            assert statuses <= MAY_BE | {408}
            assert (await running.post(shared(b"stack", 1), V05))[0] == 200


async def test_a_body_that_never_fits_is_413_with_the_reason(executable: pathlib.Path) -> None:
    async with limited(executable) as running, running.sandbox.resumed():
        for name in (
            "spans that share a megabyte",
            "small spans by the million",
            "a body that leaves no room",
        ):
            path, coding, body = BOMBS[name]()
            status, text = await running.post(body, path, coding)
            assert status == 413, (name, status, text)
            assert "bytes" in text


async def test_errors_that_share_a_stack_arrive(executable: pathlib.Path) -> None:
    async with limited(executable) as running:
        body = shared(b"at frame\n" * 1_111, 2_000, first=50_001)
        async with running.sandbox.resumed():
            assert (await running.post(body, V05))[0] == 200
        assert (await running.sandbox.invoke({})).status == "success"
        arrived = running.intake.spans()
        assert {arrived.get(50_001 + number) for number in range(2_000)} == {1}


async def test_headers_and_targets_count_against_the_budget(executable: pathlib.Path) -> None:
    async with limited(executable, DD_SERVERLESS_FLUSH_STRATEGY="continuously,3600000") as running:
        statuses = set()
        async with running.sandbox.resumed():
            for number in range(600):
                headers = {"Datadog-Meta-Lang": f"{number}" + "l" * 55_000}
                statuses.add((await running.post(shared(b"x", 1, first=number + 1), V05, headers=headers))[0])
                path = f"/debugger/v1/input?q={number}" + "q" * 20_000
                statuses.add((await running.post(b"{}", path, headers={"X-Long": "h" * 30_000}))[0])
        assert statuses <= {200, 429}
        assert 429 in statuses
        assert running.alive


def noisy_trace(noise: random.Random, first: int) -> bytes:
    """Returns a request of 100 kB that hardly shrinks, with ten spans."""
    spans = [
        {"trace_id": first, "span_id": first + number, "meta": {"tag": noise.randbytes(5_000).hex()}}
        for number in range(10)
    ]
    return bytes(msgpack.packb([spans]))


def noisy_lines(noise: random.Random, first: int) -> bytes:
    """Returns telemetry of 100 kB with ten lines, each of which begins with its number."""
    record = '{"time":"2026-01-02T03:04:05Z","type":"function","record":"%d %s"}'
    lines = [record % (first + number, noise.randbytes(5_000).hex()) for number in range(10)]
    return f"[{','.join(lines)}]".encode()


async def test_a_budget_that_is_full_is_flushed(executable: pathlib.Path) -> None:
    noise = random.Random(1)
    async with limited(executable, DD_SERVERLESS_LOGS_ENABLED="true") as running:
        async with running.sandbox.resumed():
            lines = range(100_000, 100_500)
            for first in lines[::10]:
                assert await running.sandbox.post_telemetry(noisy_lines(noise, first)) == [200]
            accepted = 0
            while (await running.post(noisy_trace(noise, 10 * accepted + 1)))[0] == 200:
                accepted += 1
        # Hexadecimal digits shrink by half.
        assert 100_000 * accepted > budget(MEMORY_MB)
        assert (await running.sandbox.invoke({})).status == "success"
        assert (await running.sandbox.invoke({})).status == "success"
        spans = running.intake.spans()
        assert {spans.get(number) for number in range(1, 10 * accepted + 1)} == {1}
        # Lines give way to traces; one that begins with their number says how many are missing.
        texts = [entry["message"]["message"].split(" ")[0] for entry in running.intake.logs()]
        numbers = [int(text) for text in texts if text.isdecimal()]
        arrived = [number for number in numbers if number in lines]
        assert len(set(arrived)) == len(arrived)
        missing = sum(number for number in numbers if number < lines[0])
        # Those that the platform writes of the invocations may be among the missing.
        assert 0 <= len(arrived) + missing - len(lines) < 10


async def test_a_flood_of_metrics_ends_nothing(executable: pathlib.Path) -> None:
    """Sends a quarter of a million contexts, events and service checks, as fast as they are taken."""
    async with limited(executable) as running:
        async with running.sandbox.resumed():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.connect(("127.0.0.1", 8125))
                for first in range(0, 250_000, 50):
                    lines = [
                        f"flood.{number % 97}:1|{'dcgs'[number % 4]}|#user:{number},{'t' * 60}:{number}"
                        for number in range(first, first + 50)
                    ]
                    lines += [f"_e{{5,9}}:title|{first:09d}", f"_sc c{first}|0"]
                    client.send("\n".join(lines).encode())
                    if first % 1000 == 0:
                        await asyncio.sleep(0.001)
            assert (await running.post(shared(b"stack", 1, first=80_001), V05))[0] == 200
            counts = await asyncio.to_thread(extension_counts)
        assert counts["dogstatsd"]["samples"] > 100_000
        assert (await running.sandbox.invoke({})).status == "success"
        assert running.intake.spans().get(80_001) == 1
        arrived = {point.metric for point in running.intake.points()}
        assert {f"flood.{number}" for number in range(97)} <= arrived


async def test_events_that_are_large_end_nothing(executable: pathlib.Path) -> None:
    events = [b"[" + b"[]," * 1_900_000 + b"[]]", b'{"a":"' + b"x" * 6_000_000 + b'"}', b"1" * 6_000_000]
    async with limited(executable) as running, running.sandbox.resumed():
        for event in events:
            for path in ("/lambda/start-invocation", "/lambda/end-invocation"):
                status, _ = await running.post(event, path, port=8124)
                assert status in {200, 413, 429}
                assert running.alive


def rules(name: str, **more: str) -> str:
    """Returns rules that replace each digit by a longer text."""
    rule = {"name": name, "pattern": "[0-9]", **more}
    return json.dumps([rule])


_REPLACED = "[replaced by a rule of the house]"
REPLACED: dict[str, Callable[[], tuple[str, str, bytes]]] = {
    "shared text of digits": lambda: (V05, "zstd", zstd(shared(b"1" * 100_000, 10, 10))),
    "a tag of digits": lambda: (V05, "zstd", zstd(shared(b"1" * MB, 1))),
    "a tag of 60 kB": lambda: (V05, "", shared(b"1" * 60_000, 1)),
    "a resource of digits": lambda: (
        V04,
        "zstd",
        zstd(bytes(msgpack.packb([[{"trace_id": 1, "span_id": 2, "resource": "1" * 3 * MB}]]))),
    ),
}


async def test_what_rules_make_of_spans_ends_nothing(executable: pathlib.Path) -> None:
    for name in ("*", "resource.name"):
        async with limited(executable, DD_APM_REPLACE_TAGS=rules(name, repl=_REPLACED)) as running:
            async with running.sandbox.resumed():
                for what, make in REPLACED.items():
                    path, coding, body = make()
                    for _ in range(2):
                        status, text = await running.post(body, path, coding)
                        assert running.alive, what
                        assert status in MAY_BE, (what, status, text)
                assert (await running.post(shared(b"call 7", 1), V05))[0] == 200
            assert (await running.sandbox.invoke({})).status == "success"


def long_lines() -> dict[str, bytes]:
    """Telemetry with a line of 6 MB, each of another kind."""
    record = b'[{"time":"2026-01-02T03:04:05Z","type":"function","record":'

    def line(begin: bytes, part: bytes, end: bytes) -> bytes:
        return record + begin + part * (6 * MB // len(part)) + end + b"}]"

    return {
        "digits": line(b'"', b"1", b'"'),
        "digits apart": line(b'"', b"1 ", b'"'),
        "escapes": line(b'"', b"\\u0031", b'"'),
        "half pairs": line(b'"', b"\\ud800", b'"'),
        "an object": line(b"{", b'"a":1,', b'"b":1}'),
        "an object in a text": line(b'"{', b'\\"a\\":1,', b'\\"b\\":1}"'),
        "tags": line(b'{"message":"x","ddtags":"', b"t:1,", b'"}'),
        "not UTF-8": record + b'"' + b"\xff1" * MB + b'"}]',
    }


@pytest.mark.parametrize("masks", [False, True], ids=["plain", "masked"])
async def test_long_lines_of_logs_end_nothing(executable: pathlib.Path, masks: bool) -> None:
    masking = rules("m", type="mask_sequences", replace_placeholder=_REPLACED) if masks else "[]"
    logs = {"DD_SERVERLESS_LOGS_ENABLED": "true", "DD_LOGS_CONFIG_PROCESSING_RULES": masking}
    async with limited(executable, MEMORY_MB, **logs) as running:
        for name, body in long_lines().items():
            async with running.sandbox.resumed():
                for _ in range(2):
                    assert await running.sandbox.post_telemetry(body) == [200], name
                    assert running.alive, name
            assert (await running.sandbox.invoke({})).status == "success", name


def test_the_budget_is_the_one_that_is_configured(executable: pathlib.Path) -> None:
    import subprocess

    told = subprocess.run(
        [str(executable), "--check-config"],
        capture_output=True,
        text=True,
        timeout=60,
        env={"DD_API_KEY": "0123456789abcdef", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB)},
    ).stdout
    assert json.loads(told)["outbox_bytes"] == budget(MEMORY_MB)
