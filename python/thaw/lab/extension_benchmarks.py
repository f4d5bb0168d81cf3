"""What the extension costs a function: start-up, memory, throughput, and time in each phase of its life.

    python -m thaw.lab.extension_benchmarks --json figures.json [startup|memory|load|…]...

Everything is measured from outside, of the executable as it ships, in the emulated Lambda with a TLS 1.3
intake: times by the emulator's clock, memory and processor time by /proc. Requests are those of
`thaw.lab.numbered`: one trace of ten spans with eight tags each. Each benchmark returns a plain dictionary;
`tools/benchmarks` runs them all and writes docs/benchmarks.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import math
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thaw.lab import own_network
from thaw.lab.arguments import Parser, help_only, integer, number, output_file
from thaw.lab.behaviour import CLOSE_KINDS, Answer, Script
from thaw.lab.emulator import Lambda, Settings, functions
from thaw.lab.emulator.invocation import Invocation
from thaw.lab.emulator.processes import Usage
from thaw.lab.executables import EXTENSION, EXTENSION_PORTS, LOAD_GENERATOR
from thaw.lab.intake import Intake
from thaw.lab.numbered import NumberedRequest

SPANS = 10
MEMORY_MB = 512
_SMALL_MB = 128  # whose budget of bytes is soon full, compressed as most of it is
MTU = 1500
PORT = 8126
_AT_END = {"DD_SERVERLESS_FLUSH_STRATEGY": "end"}
# What the last invocation left is flushed at the start of each: ten thousand don't wait 25 ms each for
# Lambda to tell of their end.
_EACH_TIME = {"DD_SERVERLESS_FLUSH_STRATEGY": "periodically,1"}
# Nothing is flushed before the end of the environment.
_NO_FLUSH = {"DD_SERVERLESS_FLUSH_STRATEGY": "continuously,3600000"}

Figures = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """What is measured, with what, and how often.

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
        """How often, at this scale."""
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
        """The function that hands over numbered requests, with the extension, and no environment yet."""
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
        """The extension's, now."""
        usage = sandbox.current.process(self.executable.name).usage()
        assert usage is not None, "the extension has ended"
        return usage

    def next_ms(self, invocation: Invocation) -> tuple[float, float]:
        """Milliseconds to the extension's /event/next, from the delivery of platform.runtimeDone and from the
        function's response.
        """
        asked = invocation.times.extensions_next_ns[self.executable.name]
        return (
            (asked - invocation.times.runtime_done_delivered_ns) / 1e6,
            (asked - invocation.times.answered_ns) / 1e6,
        )

    async def load(
        self, connections: int, *, requests: int = 0, seconds: float = 10.0, first: int = 0, port: int = PORT
    ) -> Figures:
        """Requests as fast as they are answered."""
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


def statuses_of(invocation: Invocation) -> Counter[str]:
    """What the function's requests were answered with."""
    return Counter(invocation.json()["statuses"])


def _books() -> Figures:
    """The extension's own counters. It must not be frozen."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/debug/thaw", timeout=10) as answer:
        return dict(json.load(answer))


def _dropped(books: Figures) -> int:
    """Payloads that it says it has dropped, for whatever reason."""
    return sum(
        count
        for pipeline in books["flush"]["pipelines"].values()
        for count in pipeline.get("dropped", {}).values()
    )


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _difference(some: Sequence[float], others: Sequence[float]) -> tuple[float, float]:
    """Of the means, and half of its 95 % interval; infinite where there are too few values."""
    if min(len(some), len(others)) < 2:
        return 0.0, math.inf
    squared = sum(statistics.variance(values) / len(values) for values in (some, others))
    return statistics.fmean(some) - statistics.fmean(others), 1.96 * math.sqrt(squared)


# -- The beginning and the end -----------------------------------------------------------------------------


async def startup(bench: Bench) -> Figures:
    """From exec to the first /event/next, what it holds then, and a SHUTDOWN as the first event."""
    starts, ends = [], []
    with Intake() as intake:
        for _ in range(bench.times(50, 3)):
            async with bench.function(intake) as sandbox:
                await sandbox.initialize()
                end = await sandbox.shutdown("spindown")
                assert end is not None
                starts.append(sandbox.startups[0])
                ends.append(end.extensions[0])
    usages = [start.usage for start in starts if start.usage is not None]
    return {
        "runs": len(starts),
        "wall_ms": _median([start.wall_ms for start in starts]),
        "cpu_ms": _median([usage.cpu_ns / 1e6 for usage in usages]),
        "resident_mb": _median([usage.resident_bytes / 1e6 for usage in usages]),
        "threads": max(usage.threads for usage in usages),
        "shutdown_first_ms": _median([end.took_ms for end in ends]),
        "exit_codes": sorted({end.exit_code for end in ends}),
    }


async def shutdown(bench: Bench) -> Figures:
    """From SHUTDOWN to exit with one payload to flush."""
    took = []
    with Intake() as intake:
        runs = bench.times(30, 3)
        for _ in range(runs):
            async with bench.function(intake, _NO_FLUSH) as sandbox:
                await sandbox.invoke({"payloads": 1})
                end = await sandbox.shutdown("spindown")
                assert end is not None
                took.append(end.extensions[0].took_ms)
        spans = intake.spans()
    return {"runs": runs, "took_ms": _median(took), "delivered": len(spans) == bench.request.spans}


# -- Memory ----------------------------------------------------------------------------------------------


async def memory(bench: Bench) -> Figures:
    """Resident with 1,000 payloads, before and after their flush, and the most there was."""
    payloads = bench.times(1000, 10)
    with Intake() as intake:
        async with bench.function(intake) as sandbox:
            await sandbox.initialize()
            before = bench.usage(sandbox).resident_bytes
            invocation = sandbox.prepare({"payloads": payloads, "pause": 0.1})
            samples: list[tuple[int, int]] = []
            running = asyncio.create_task(sandbox.run(invocation))
            while not running.done():
                usage = sandbox.current.process(bench.executable.name).usage()
                if usage is not None:
                    samples.append((time.monotonic_ns(), usage.resident_bytes))
                await asyncio.sleep(0.005)
            await running
            usage = bench.usage(sandbox)
            statuses = statuses_of(invocation)
            await sandbox.shutdown("spindown")
        spans = intake.spans()
    held = [resident for when, resident in samples if when < invocation.times.answered_ns]
    return {
        "payloads": payloads,
        "accepted": statuses["200"],
        "delivered": len(spans) // bench.request.spans,
        "at_start_mb": before / 1e6,
        "before_flush_mb": held[-1] / 1e6,
        "after_flush_mb": usage.resident_bytes / 1e6,
        "peak_mb": usage.peak_resident_bytes / 1e6,
    }


# So long may load go on until the byte budget is full.
_FULL_WITHIN = 90.0


async def bounded(bench: Bench) -> Figures:
    """Load without a flush, until the byte budget is full, and beyond."""
    statuses: Counter[str] = Counter()
    begun = time.monotonic()
    sent = 0
    with Intake() as intake:
        async with bench.function(intake, _NO_FLUSH, memory_mb=_SMALL_MB) as sandbox:
            await sandbox.initialize()
            async with sandbox.resumed():
                while not statuses["429"] and time.monotonic() - begun < _FULL_WITHIN * bench.scale:
                    load = await bench.load(8, seconds=5, first=sent)
                    statuses.update(load["statuses"])
                    sent += load["requests"]
                    bench.say(f"{sent:,} payloads without a flush")
                books = await asyncio.to_thread(_books)
                usage = bench.usage(sandbox)
            await sandbox.kill()
    return {
        "memory_mb": _SMALL_MB,
        "budget_mb": books["flush"]["bytes"]["limit"] / 1e6,
        "used_mb": books["flush"]["bytes"]["used"] / 1e6,
        "statuses": dict(statuses),
        "peak_mb": usage.peak_resident_bytes / 1e6,
    }


# -- Throughput --------------------------------------------------------------------------------------------


# So many fit into the byte budget, so that nothing has to be flushed, and nothing is turned away.
_WARM, _COUNTED = 500, 7_500


async def load(bench: Bench) -> Figures:
    """Payloads a second and processor time for each, by connections; beside nginx, which does nothing."""
    figures: Figures = {"body_bytes": bench.request.body_bytes, "connections": {}}
    counted = bench.times(_COUNTED, 500)
    with Intake() as intake, _nginx(bench.folder) as other:
        for connections in (1, 8):
            runs = []
            for _ in range(bench.times(5)):
                run: Figures = {}
                async with bench.function(intake, _NO_FLUSH) as sandbox:
                    await sandbox.initialize()
                    async with sandbox.resumed():
                        await bench.load(connections, requests=_WARM)
                        before = bench.usage(sandbox)
                        got = await bench.load(connections, requests=counted, first=_WARM)
                        after = bench.usage(sandbox)
                        books = await asyncio.to_thread(_books)
                    await sandbox.kill()
                accepted = got["statuses"].get("200", 0)
                run["payloads_per_second"] = accepted / got["seconds"]
                run["cpu_us"] = (after.cpu_ns - before.cpu_ns) / 1e3 / accepted
                run["refused"] = got["requests"] - accepted
                run["dropped"] = _dropped(books)
                run["budget_mb"] = books["flush"]["bytes"]["limit"] / 1e6
                run["p50_us"], run["p99_us"] = got["p50_us"], got["p99_us"]
                if other is not None:
                    idle = await bench.load(connections, requests=counted, port=other)
                    run["nginx_per_second"] = idle["requests"] / idle["seconds"]
                runs.append(run)
            figures["connections"][connections] = {
                "runs": len(runs),
                "payloads": counted,
                **{name: _median([each[name] for each in runs]) for name in runs[0]},
            }
    figures["nginx"] = None if other is None else _nginx_version()
    return figures


_NGINX_PORT = 18126


@contextlib.contextmanager
def _nginx(folder: pathlib.Path) -> Iterator[int | None]:
    """nginx that answers 200 to everything and does nothing; its port, or None where there is no nginx."""
    program = shutil.which("nginx", path=os.defpath + ":/usr/sbin")
    if program is None:
        yield None
        return
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\n"
        "events { worker_connections 64; }\n"
        "http { access_log off; keepalive_requests 100000000; client_body_temp_path " + str(folder) + ";\n"
        f" server {{ listen 127.0.0.1:{_NGINX_PORT}; location / {{ return 200 '{{}}'; }} }} }}\n"
    )
    with subprocess.Popen(
        [program, "-p", str(folder), "-c", str(configuration)], stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for_listener(_NGINX_PORT)
            yield _NGINX_PORT
        finally:
            process.terminate()


def _wait_for_listener(port: int, limit: float = 10.0) -> None:
    """Returns when somebody listens there. TimeoutError."""
    end = time.monotonic() + limit
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if time.monotonic() > end:
            raise TimeoutError(f"nobody listens on 127.0.0.1:{port} after {limit:g} s")
        time.sleep(0.005)


def _nginx_version() -> str:
    program = shutil.which("nginx", path=os.defpath + ":/usr/sbin")
    assert program is not None
    return subprocess.run([program, "-v"], capture_output=True, text=True).stderr.strip().rpartition(" ")[2]


# Spans of a request, whose body is then as long as those that some clients send in more than one segment.
_MANY_SPANS = 25


async def two_writes(bench: Bench) -> Figures:
    """Head and body written apart by a client without TCP_NODELAY, as dd-java-agent does."""
    request = NumberedRequest.of_spans(_MANY_SPANS)
    head, body = request.data[: -request.body_bytes], request.data[-request.body_bytes :]
    runs = bench.times(500, 30)

    def ask() -> list[float]:
        took = []
        with socket.create_connection(("127.0.0.1", PORT), timeout=10) as connection:
            for _ in range(runs):
                begun = time.perf_counter_ns()
                connection.sendall(head)
                connection.sendall(body)
                answer = connection.recv(1 << 16)
                took.append((time.perf_counter_ns() - begun) / 1e6)
                assert answer.startswith(b"HTTP/1.1 200 "), answer
        return took

    with Intake() as intake:
        async with bench.function(intake, _NO_FLUSH) as sandbox:
            await sandbox.initialize()
            async with sandbox.resumed():
                took = await asyncio.to_thread(ask)
            await sandbox.kill()
    return {"runs": runs, "body_bytes": request.body_bytes, "median_ms": _median(took)}


# -- Invocations -------------------------------------------------------------------------------------------


async def end_of_invocation(bench: Bench) -> Figures:
    """From the end of an invocation to /event/next, with a flush over a resumed TLS session; connections."""
    figures: Figures = {"mtu": own_network.mtu(), "payloads": {}}
    for payloads in (1, 100):
        runs = bench.times(100, 3)
        with Intake() as intake:
            async with bench.function(intake, _AT_END) as sandbox:
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
            "from_runtime_done_ms": _median([each[0] for each in took]),
            "from_response_ms": _median([each[1] for each in took]),
            "connections_per_flush": (after["accepted"] - before["accepted"]) / runs,
            "full_handshakes": after["handshakes_full"] - before["handshakes_full"],
            "resumed_per_flush": (after["handshakes_resumed"] - before["handshakes_resumed"]) / runs,
            "once": len(spans) == payloads * bench.request.spans * (runs + 1) and set(spans.values()) == {1},
        }
    return figures


async def idle(bench: Bench) -> Figures:
    """Processor time while parked in /event/next, and while an invocation does nothing; ms a second."""
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
    """Many invocations with a freeze after each, while the intake closes what is idle, in all its ways."""
    invocations = bench.times(10_000, 30)
    resident = []
    log: list[str] = []
    with Intake() as intake:
        async with bench.function(intake, _EACH_TIME, log=log) as sandbox:
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
    """A black hole for an intake, and then a good one: what each invocation pays, and what arrives.

    What it pays is the time from the delivery of its end to /event/next, beyond what that takes with nothing
    to send. That varies too: about as many invocations with nothing to send, half of them before the outage
    and half after it, say how much.
    """
    invocations = bench.times(200, 12)
    event = {"payloads": 1, "sleep": 0.05}
    added = []

    async def nothing_to_send(sandbox: Lambda) -> list[float]:
        runs = [await sandbox.invoke({**event, "payloads": 0}) for _ in range(invocations // 2)]
        return [bench.next_ms(run)[0] for run in runs]

    with Intake() as intake:
        async with bench.function(intake, {**_AT_END, "DD_FLUSH_TIMEOUT": "10"}) as sandbox:
            nothing = await nothing_to_send(sandbox)
            usual = _median(nothing)
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
                books = await asyncio.to_thread(_books)
            end = await sandbox.shutdown("spindown")
            assert end is not None
        spans = intake.spans()
    handed_over = invocations + 3
    # A probe is over after a quarter of a second, and a flush before the breaker is open takes longer.
    costly = [number for number, each in enumerate(added) if each > 100]
    opened = next((number for number in costly if added[number] < 1000), len(added))
    others = [each for each in added[opened:] if each <= 100]
    with_nothing = [each - usual for each in nothing]
    in_others, uncertain = _difference(others, with_nothing)
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
        "dropped": _dropped(books),
        "shutdown_ms": end.extensions[0].took_ms,
    }


# -- What ships ------------------------------------------------------------------------------------------


async def size(bench: Bench) -> Figures:
    """Of the executable, stripped, and compressed by gzip -9."""
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder) / "stripped"
        subprocess.run(["strip", "-o", str(stripped), str(bench.executable)], check=True)
        data = stripped.read_bytes()
    return {
        "stripped_mb": len(data) / 1e6,
        "gzip_mb": len(gzip.compress(data, 9)) / 1e6,
        "static": b"/ld-" not in data[: 1 << 16],
    }


BENCHMARKS: dict[str, Callable[[Bench], Coroutine[Any, Any, Figures]]] = {
    "size": size,
    "startup": startup,
    "shutdown": shutdown,
    "memory": memory,
    "bounded": bounded,
    "load": load,
    "two_writes": two_writes,
    "end_of_invocation": end_of_invocation,
    "idle": idle,
    "outage": outage,
    "endurance": endurance,
}


def run(
    executable: pathlib.Path, names: Sequence[str] = (), *, scale: float = 1.0, quiet: bool = False
) -> Figures:
    """Runs the benchmarks of these names, or all, one after the other."""
    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix="thaw-bench-") as folder:
        for name in names or BENCHMARKS:

            def say(line: str, name: str = name) -> None:
                if not quiet:
                    print(f"{name}: {line}", file=sys.stderr, flush=True)

            say("…")
            bench = Bench(executable, pathlib.Path(folder), NumberedRequest.of_spans(SPANS), scale, say)
            figures[name] = asyncio.run(BENCHMARKS[name](bench))
            say(json.dumps(figures[name]))
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(
        prog="python -m thaw.lab.extension_benchmarks", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="which; all if none is named")
    parser.add_argument("--extension", type=pathlib.Path, default=EXTENSION, help="the executable")
    parser.add_argument("--json", type=output_file, help="a file for the figures")
    parser.add_argument(
        "--mtu", type=integer(576, 65536), default=MTU, help=f"loopback's packet size ({MTU})"
    )
    parser.add_argument(
        "--scale",
        type=number(0, 1000, "times", above=True),
        default=1.0,
        help="of the numbers of runs; less is quicker",
    )
    given = parser.parse_args(help_only(sys.argv[1:] if arguments is None else arguments, ()))
    for needed in (given.extension, LOAD_GENERATOR):
        if not needed.exists():
            parser.error(f"{needed} is not there; bazel build //cc:extension //tools/load_generator")
    note = own_network.enter(given.mtu)
    if note is not None:
        print(f"{note}; measured on the machine's loopback", file=sys.stderr)
        try:
            own_network.require_free(EXTENSION_PORTS)
        except ValueError as error:
            parser.error(str(error))
    figures = run(given.extension.resolve(), given.names, scale=given.scale)
    figures["mtu"] = own_network.mtu()
    text = json.dumps(figures, indent=1)
    if given.json is not None:
        given.json.write_text(text + "\n")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
