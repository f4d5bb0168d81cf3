"""Tools of the extension's benchmarks: a Lambda with it, load, and statistics."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import pathlib
import statistics
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thaw.lab.emulator import Lambda, Settings, functions
from thaw.lab.emulator.invocation import Invocation
from thaw.lab.emulator.processes import Usage
from thaw.lab.executables import LOAD_GENERATOR
from thaw.lab.intake import Intake
from thaw.lab.workload.numbered_request import NumberedRequest

SPANS = 10
MEMORY_MB = 512
SMALL_MB = 128  # memory whose budget of bytes is soon full
MTU = 1500
PORT = 8126
AT_END = {"DD_SERVERLESS_FLUSH_STRATEGY": "end"}
# Each start flushes what the last invocation left: ten thousand invocations don't wait 25 ms each for
# Lambda to tell of their end.
EACH_TIME = {"DD_SERVERLESS_FLUSH_STRATEGY": "periodically,1"}
# The variables with which only the SHUTDOWN flushes.
NO_FLUSH = {"DD_SERVERLESS_FLUSH_STRATEGY": "continuously,3600000"}

Figures = dict[str, Any]

_PATIENCE = 60.0  # seconds, for what takes a fraction of one
_REST = 0.06  # seconds without processor time; telemetry comes every 25 ms


@dataclass(frozen=True)
class Bench:
    """The executable that is measured, the request that is sent to it, and how often.

    Attributes:
      executable: the extension.
      folder: holds the numbered request.
      scale: 1 for figures that count; less for a quick look at whether everything works.
    """

    executable: pathlib.Path
    folder: pathlib.Path
    request: NumberedRequest
    scale: float = 1.0
    say: Callable[[str], None] = lambda _line: None

    def times(self, count: int, least: int = 1) -> int:
        """Returns how often a measurement is repeated at this scale."""
        return max(least, round(count * self.scale))

    # -- A Lambda with it

    @contextlib.asynccontextmanager
    async def function(
        self,
        intake: Intake,
        variables: Mapping[str, str] | None = None,
        *,
        log: list[str] | None = None,
        memory_mb: int = MEMORY_MB,
    ) -> AsyncIterator[Lambda]:
        """Gives a Lambda that hands over numbered requests, with the extension, and no environment yet."""
        environment = {
            **intake.agent_variables,
            **(variables or {}),
        }
        settings = Settings(name="bench", memory_mb=memory_mb, timeout=60.0, environment=environment)
        command = functions.poster_command(*map(str, self.request.write(self.folder)))

        def keep(stream: str, line: str) -> None:
            if log is not None and stream == "extension":
                log.append(line)

        async with Lambda(command, extension=self.executable, settings=settings, on_log=keep) as sandbox:
            yield sandbox

    def usage(self, sandbox: Lambda) -> Usage:
        """Returns the resources that the extension has used until now."""
        usage = sandbox.current.process(self.executable.name).usage()
        assert usage is not None, "the extension has ended"
        return usage

    async def begun(self, sandbox: Lambda, invocations: int) -> None:
        """Returns when telemetry of the start of `invocations` invocations was taken."""
        async with asyncio.timeout(_PATIENCE):
            while sum(each.kinds.count("platform.start") for each in sandbox.deliveries) < invocations:
                await asyncio.sleep(0.005)

    async def rests(self, sandbox: Lambda) -> Usage:
        """Returns the extension's resources when it has used no processor time for a while."""
        async with asyncio.timeout(_PATIENCE):
            usage, since = self.usage(sandbox), time.monotonic()
            while time.monotonic() - since < _REST:
                await asyncio.sleep(0.01)
                if (now := self.usage(sandbox)).cpu_ns != usage.cpu_ns:
                    usage, since = now, time.monotonic()
            return usage

    def next_ms(self, invocation: Invocation) -> tuple[float, float]:
        """Returns the milliseconds until the extension's /event/next: from the delivery of
        platform.runtimeDone, and from the function's response.
        """
        asked = invocation.times.extensions_next_ns[self.executable.name]
        return (
            (asked - invocation.times.runtime_done_delivered_ns) / 1e6,
            (asked - invocation.times.answered_ns) / 1e6,
        )

    async def load(
        self, connections: int, *, requests: int = 0, seconds: float = 10.0, first: int = 0, port: int = PORT
    ) -> Figures:
        """Sends requests as fast as they are answered. Returns the load generator's figures."""
        request, _ = self.request.write(self.folder)
        process = await asyncio.create_subprocess_exec(
            str(LOAD_GENERATOR),
            f"--port={port}",
            f"--request={request}",
            f"--offsets={','.join(map(str, self.request.offsets))}",
            f"--step={self.request.step}",
            f"--connections={connections}",
            f"--requests={requests}",
            f"--seconds={seconds}",
            f"--first={first}",
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"the load generator ended with {process.returncode}")
        return dict(json.loads(output))


class Gate:
    """A named pipe at which the function of `Bench.function` waits, by the event {"until": path}.

    with Gate(folder) as gate:
        running = asyncio.create_task(sandbox.invoke({"until": str(gate.path)}))
        ...                                  # an invocation is under way and does nothing
        gate.open()
        await running
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = tempfile.TemporaryDirectory(dir=folder)
        self.path = pathlib.Path(self._folder.name) / "gate"
        os.mkfifo(self.path)
        # Open for both, it does not wait for a reader, and what is written stays until there is one.
        self._descriptor = os.open(self.path, os.O_RDWR)

    def open(self) -> None:
        """Lets one invocation go on."""
        os.write(self._descriptor, b".")

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *unused: object) -> None:
        os.close(self._descriptor)
        self._folder.cleanup()


def on_the_wire(requests: Sequence[Figures], runs: int) -> Figures:
    """Returns the bytes of requests that an intake has weighed: a run's, and beside one frame of the same."""
    sent = sum(each["bytes"] for each in requests)
    return {
        "wire_kb": sent / 1e3 / runs,
        "content_kb": sum(each["content_bytes"] for each in requests) / 1e3 / runs,
        "to_one_frame": sent / sum(each["one_frame_bytes"] for each in requests),
        "frames_of_a_request": max(each["frames"] for each in requests),
        "requests": len(requests) / runs,
    }


def statuses_of(invocation: Invocation) -> Counter[str]:
    """Counts the statuses of the answers to the function's requests."""
    return Counter(invocation.json()["statuses"])


def extension_counts() -> Figures:
    """Reads the extension's own counters. The extension must not be frozen."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/debug/thaw", timeout=10) as answer:
        return dict(json.load(answer))


def dropped(counts: Figures) -> int:
    """Returns the number of payloads that the extension dropped, for any reason, by its own counts."""
    return sum(
        count
        for pipeline in counts["flush"]["pipelines"].values()
        for count in pipeline.get("dropped", {}).values()
    )


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def difference(some: Sequence[float], others: Sequence[float]) -> tuple[float, float]:
    """Returns the difference of the means and half of its 95 % interval, infinite for too few values."""
    if min(len(some), len(others)) < 2:
        return 0.0, math.inf
    squared = sum(statistics.variance(values) / len(values) for values in (some, others))
    return statistics.fmean(some) - statistics.fmean(others), 1.96 * math.sqrt(squared)
