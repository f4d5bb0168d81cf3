"""No request holds the executable's event loop for more than 50 ms of processor time, whatever it becomes.

Each request is measured by itself, and its longest hold counts: `hold_probe` says how. What is accepted is
flushed before the next one is sent, so that each finds all of the room.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import pathlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgpack
import pytest

from . import hold_probe
from .test_extension_memory import BOMBS, MB, MEMORY_MB, Running, executable, limited, long_lines, shared

__all__ = ["executable"]

LONGEST = 0.05
TRACES = 8126


@dataclasses.dataclass
class Measured:
    running: Running
    probe: hold_probe.Probe

    async def hold_of(self, request: Callable[[], Awaitable[object]]) -> float:
        """Returns the longest hold while a request is answered, and while what it left is flushed."""
        async with self.running.sandbox.resumed():
            await asyncio.to_thread(self.probe.holds)
            await request()
        assert (await self.running.sandbox.invoke({})).status == "success"
        async with self.running.sandbox.resumed():
            holds = await asyncio.to_thread(self.probe.holds)
        assert holds.answers > 0
        return holds.longest


@asynccontextmanager
async def measured(executable: pathlib.Path, memory_mb: int, **variables: str) -> AsyncIterator[Measured]:
    async with limited(executable, memory_mb, **variables) as running:
        with hold_probe.probe(running.pid, TRACES) as probe:
            yield Measured(running, probe)


def honest_traces() -> bytes:
    """Returns a request of 18 MB, which hardly shrinks when it is compressed."""
    noise = random.Random(1)
    return bytes(
        msgpack.packb(
            [
                [
                    {"trace_id": trace, "span_id": span, "meta": {"tag": noise.randbytes(400).hex()}}
                    for span in range(1, 21)
                ]
                for trace in range(1, 1001)
            ]
        )
    )


# A large function takes in what a small one refuses, and so has more to do.
@pytest.mark.parametrize("memory_mb", [MEMORY_MB, 1024])
async def test_no_request_holds_the_loop(executable: pathlib.Path, memory_mb: int) -> None:
    requests = {
        **{name: make() for name, make in BOMBS.items()},
        "errors that share a stack": ("/v0.5/traces", "", shared(b"at frame\n" * 1_111, 2_000, first=70_001)),
        "honest traces": ("/v0.4/traces", "", honest_traces()),
    }
    async with measured(executable, memory_mb) as loop:
        holds = {}
        for name, (path, coding, body) in requests.items():
            holds[name] = await loop.hold_of(functools.partial(loop.running.post, body, path, coding))
    assert {name: hold for name, hold in holds.items() if hold > LONGEST} == {}


def telemetry_bodies() -> dict[str, bytes]:
    """Bodies of about 6 MB, each of another shape."""
    log = b'{"time":"2026-01-02T03:04:05Z","type":"function","record":'
    noise = random.Random(1)
    lines = [noise.randbytes(450).hex().encode() for _ in range(6000)]

    def many(part: bytes) -> bytes:
        return part * (6 * MB // len(part))

    return {
        "records": b"[" + many(log + b"1},") + log + b"1}]",
        "noise": b"[" + b",".join(log + b'"%s"}' % line for line in lines) + b"]",
        "a line": b"[" + log + b'"' + many(b'\\"') + b'"}]',
        "bytes": b"[" + log + b'"' + many(b"\xff")[: 6 * MB // 8] + b'"}]',
        "values": b"[" + log + b"[" + many(b'{"a":[]},') + b"1]}]",
        "members": b"[{" + many(b'"a":1,') + b'"b":1}]',
        "white": b"[" + many(b" ") + b"]",
        "numbers": b"[" + many(b"1,") + b"1]",
        "broken": b"[" + many(b"tru,") + b"1]",
        **long_lines(),
    }


@pytest.mark.parametrize("memory_mb", [MEMORY_MB, 1024])
async def test_no_telemetry_holds_the_loop(executable: pathlib.Path, memory_mb: int) -> None:
    async with measured(executable, memory_mb, DD_SERVERLESS_LOGS_ENABLED="true") as loop:
        holds = {}
        for name, body in telemetry_bodies().items():
            holds[name] = await loop.hold_of(functools.partial(loop.running.sandbox.post_telemetry, body))
    assert {name: hold for name, hold in holds.items() if hold > LONGEST} == {}
