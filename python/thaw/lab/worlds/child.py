"""The process that is frozen: one arm's client, driven by lines of JSON.

    python -m thaw.lab.worlds.child ARM URL CA_FILE SCENARIO KIND SEED EXCHANGE_TIMEOUT SPANS FILLER_BYTES

A line in is a command, a line out is the answer to it or the first line, which says that it is ready.
`quiesce`, `resume` and `restore` are obeyed at once, while a flush is under way; `resume` has no answer, and
that to `restore` has bytes of the kernel's random numbers, which `entropy` has reseeded. The payloads are
made here, from the workload's seed, so that no pipe is in the way.

    {"op": "flush", "cycle": 3, "payloads": 5, "large": false, "deadline": 10.0}
    {"op": "quiesce"}
    {"op": "resume"}
    {"op": "restore", "entropy": "…"}
    {"op": "finish", "deadline": 10.0}
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import queue
import resource
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TextIO, get_args

import thaw
from thaw.lab import arms, parent_death
from thaw.lab.arms import Arm
from thaw.lab.workload import Body, Workload, WorkloadKind
from thaw.lab.worlds.client import Client, NotTold, Where, end_without_fates

# Bytes that don't compress in the first span of a payload that must not fit into socket buffers.
LARGE_FILLER_BYTES = 1_500_000

# linux/random.h
_RNDADDENTROPY, _RNDRESEEDCRNG = 0x40085203, 0x5207


class Native:
    """One client and one flusher for the whole run."""

    def __init__(self, arm: Arm, url: str, ca_file: str, scenario: str, exchange_timeout: float) -> None:
        self._arm = arm
        self._client = thaw.Client(
            arm.client_options(ca_file, exchange_timeout=exchange_timeout, resume_grace=exchange_timeout / 4)
        )
        self._flusher = thaw.TraceFlusher(
            self._client, endpoint=url, api_key="key", options=arm.flusher_options(scenario)
        )
        self._ready: list[tuple[Where, Body]] = []
        self._where: dict[int, Where] = {}
        self._report: thaw.FlushReport | None = None  # of the last flush

    def prepare(self, where: Where, body: Body) -> None:
        self._ready.append((where, body))

    def flush(self, deadline: float) -> dict[str, Any]:
        ready, self._ready = self._ready, []
        for where, body in ready:
            payload = thaw.TracePayload.from_msgpack(body.data, body.headers)
            self._where[self._flusher.add(payload)] = where
        report = self._report = self._flusher.flush(deadline=deadline)
        return {"delivered": report.delivered, "errors": report.errors}

    def exchanges(self) -> list[dict[str, Any]]:
        return [] if self._report is None else [times.to_dict() for times in self._report.exchanges]

    @property
    def holds(self) -> bool:
        """Returns whether the flusher has something for a redrive."""
        return self._flusher.retained > 0

    def resume(self) -> None:
        if self._arm.tells_resume:
            self._client.resume()

    def restore(self) -> None:
        if self._arm.tells_resume:
            self._client.forget()
            self._client.resume()

    def quiesce(self) -> None:
        if self._arm.tells_resume:
            self._client.quiesce()

    def finish(self, deadline: float) -> dict[str, Any]:
        errors: list[str] = []
        if self._arm.keeps:
            for _ in range(3):
                errors += self._flusher.flush(deadline=deadline).errors
                if self._flusher.retained == 0:
                    break
        else:
            errors += self._flusher.shutdown(deadline=deadline).errors
        if self._arm.keeps:
            self._flusher.check_invariant()
        return {
            "errors": errors,
            "requests": self._flusher.total.requests,
            "retained": [self._where[each] for each in self._flusher.retained_payloads],
            "flagged": [self._where[each] for each in self._flusher.possible_duplicates],
            "dropped": [
                (*self._where[each], reason) for each, reason in self._flusher.dropped_payloads.items()
            ],
            "counters": self.counters(),
        }

    def counters(self) -> dict[str, int]:
        return {**self._client.connections.to_dict(), **self._client.exchanges.to_dict()}

    def close(self) -> None:
        self._client.close()


class NativePerFlush(NotTold):
    """A client and a flusher for each flush; they outlive it only while they hold what failed."""

    def __init__(self, arm: Arm, url: str, ca_file: str, scenario: str, exchange_timeout: float) -> None:
        self._make = functools.partial(Native, arm, url, ca_file, scenario, exchange_timeout)
        self._ready: list[tuple[Where, Body]] = []
        self._holding: list[Native] = []
        self._last: Native | None = None
        self._end = end_without_fates()

    def prepare(self, where: Where, body: Body) -> None:
        self._ready.append((where, body))

    def flush(self, deadline: float) -> dict[str, Any]:
        ready, self._ready = self._ready, []
        client = self._make()
        for where, body in ready:
            client.prepare(where, body)
        answer = client.flush(deadline)
        self._last = client
        if client.holds:
            self._holding.append(client)
        else:
            self._finish(client, deadline)
        return answer

    def exchanges(self) -> list[dict[str, Any]]:
        return [] if self._last is None else self._last.exchanges()

    def finish(self, deadline: float) -> dict[str, Any]:
        for client in self._holding:
            self._finish(client, deadline)
        return self._end

    def _finish(self, client: Native, deadline: float) -> None:
        end = client.finish(deadline)
        client.close()
        self._end["requests"] += end["requests"]
        for name in ("errors", "retained", "flagged", "dropped"):
            self._end[name] += end[name]
        counters = self._end["counters"]
        for name, value in end["counters"].items():
            counters[name] = counters.get(name, 0) + value


def make(arm: Arm, url: str, ca_file: str, scenario: str, exchange_timeout: float) -> Client:
    if arm.maker != "native":
        # Not imported above: it takes a fifth of a second, and only arms of other projects' clients need it.
        from thaw.lab.worlds.outside import Outside

        return Outside(arm, url, ca_file, exchange_timeout)
    kind = NativePerFlush if arm.client_per_flush else Native
    return kind(arm, url, ca_file, scenario, exchange_timeout)


def clocks() -> list[float]:
    """Returns the wall clock, the monotonic clock and the boot clock, in seconds."""
    return [time.time(), time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME)]


def _processor_time() -> float:
    """Returns the processor time of this process, and of those that it has started and waited for."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


# Writes an answer as one line.
Say = Callable[[dict[str, Any]], None]


def _reseed_kernel(entropy: bytes) -> None:
    """Reseeds the kernel's random numbers from these bytes, as the manager of a restored machine does. Needs
    root, which a guest's client is. Does nothing without bytes.
    """
    if not entropy:
        return
    with open("/dev/random", "wb", buffering=0) as device:
        content = struct.pack(f"ii{len(entropy)}s", 8 * len(entropy), len(entropy), entropy)
        fcntl.ioctl(device, _RNDADDENTROPY, content)
        fcntl.ioctl(device, _RNDRESEEDCRNG)


def own_streams() -> tuple[TextIO, TextIO]:
    """Takes standard input and output for commands and answers. A client that reads finds nothing there, and
    what it prints goes to standard error.
    """
    commands, answers = sys.stdin, open(os.dup(1), "w", encoding="utf-8")  # noqa: SIM115  for life
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115  for life
    os.dup2(2, 1)
    return commands, answers


def _read_commands(
    given: TextIO, client: Client, commands: queue.Queue[dict[str, Any] | None], say: Say
) -> None:
    """Obeys at once what must not wait for a flush under way, and queues the other commands."""
    for line in given:
        command = json.loads(line)
        if command["op"] == "resume":
            with contextlib.suppress(thaw.Closed):
                client.resume()
        elif command["op"] == "restore":
            _reseed_kernel(bytes.fromhex(command["entropy"]))
            with contextlib.suppress(thaw.Closed):
                client.restore()
            say({"restored": os.urandom(16).hex()})
        elif command["op"] == "quiesce":
            with contextlib.suppress(thaw.Closed):
                client.quiesce()
            say({"quiesced": True})
        else:
            commands.put(command)
    commands.put(None)


def _prepare(client: Client, command: dict[str, Any], plain: Workload, large: Workload) -> dict[str, Any]:
    made = []
    for number in range(command["payloads"]):
        source = large if command["large"] and number == 0 else plain
        body = source.body(command["cycle"], number)
        client.prepare((command["cycle"], number), body)
        made.append(body.spans)
    return {"spans": made}


def _flush(client: Client, deadline: float) -> dict[str, Any]:
    processor, begun = _processor_time(), time.monotonic()
    answer = client.flush(deadline)
    answer["cpu_us"] = (_processor_time() - processor) * 1e6
    answer["begun"] = begun
    answer["flush_ms"] = (time.monotonic() - begun) * 1e3
    client.quiesce()
    answer["exchanges"] = client.exchanges()
    answer["clocks"] = clocks()
    return answer


def main() -> None:
    parent_death.end_with_parent()
    given, answers = own_streams()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is meant for the runner
    name, url, ca_file, scenario, kind, seed, exchange_timeout, spans, filler_bytes = sys.argv[1:]
    plain = Workload(
        next(each for each in get_args(WorkloadKind) if each == kind),
        seed=int(seed),
        spans=int(spans),
        filler_bytes=int(filler_bytes),
    )
    # Each generated span has a filler; in a real payload the first one has.
    large = Workload(plain.kind, seed=int(seed), spans=1, filler_bytes=LARGE_FILLER_BYTES)
    client = make(arms.parse(name), url, ca_file, scenario, float(exchange_timeout))
    commands: queue.Queue[dict[str, Any] | None] = queue.Queue()

    one_line = threading.Lock()

    def say(answer: dict[str, Any]) -> None:
        with one_line:
            answers.write(json.dumps(answer) + "\n")
            answers.flush()

    threading.Thread(target=_read_commands, args=(given, client, commands, say), daemon=True).start()
    plain.body(0, 0)  # captures of the tracer are read before anything is measured
    say({"ready": True})
    while (command := commands.get()) is not None:
        if command["op"] == "prepare":
            say(_prepare(client, command, plain, large))
        elif command["op"] == "flush":
            say(_flush(client, command["deadline"]))
        elif command["op"] == "finish":
            say(client.finish(command["deadline"]))


if __name__ == "__main__":
    main()
