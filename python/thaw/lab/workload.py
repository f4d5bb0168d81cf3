"""What experiments send: payloads of a real tracer taken off the wire, and generated ones.

Each payload is the body of a request to /v0.4/traces. In an experiment every payload has span ids of its
own, made by `span_id`, so that the intake's count of ids says of each payload whether it came, and how often.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import http.server
import importlib.metadata
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import msgpack

from thaw.lab.intake import child_environment

WorkloadKind = Literal["real", "generated"]

_CYCLE_SHIFT, _PAYLOAD_SHIFT = 36, 20
_MARK = 1 << 62  # every id takes nine bytes in msgpack, whatever its number


# -- Ids that say where a span comes from -----------------------------------------------------------------


class Origin(NamedTuple):
    """Which payload of which cycle a span belongs to, and its place there; all counted from 0."""

    cycle: int
    payload: int
    span: int


def span_id(origin: Origin) -> int:
    """A 64-bit id that holds its origin: up to 2**26 cycles, 2**16 payloads, 2**20 spans."""
    return _MARK | origin.cycle << _CYCLE_SHIFT | origin.payload << _PAYLOAD_SHIFT | origin.span


def origin_of(identifier: int) -> Origin:
    """The inverse of `span_id`. ValueError for an id it did not make."""
    if identifier >> 62 != 1:
        raise ValueError(f"span id {identifier} is none of this workload's")
    return Origin(
        (identifier ^ _MARK) >> _CYCLE_SHIFT,
        identifier >> _PAYLOAD_SHIFT & 0xFFFF,
        identifier & (1 << _PAYLOAD_SHIFT) - 1,
    )


# -- Bodies --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Capture:
    """One request of the tracer: its headers in lower case, and its body."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Body:
    """One payload to send: a /v0.4/traces body, the tracer's headers, and how many spans it has."""

    data: bytes
    headers: dict[str, str]
    spans: int


def _encode(traces: list[list[dict[str, Any]]], cycle: int, payload: int, headers: dict[str, str]) -> Body:
    """A /v0.4/traces body with ids of this cycle and payload; which span is whose parent stays as it was."""
    number = 0
    renumbered = []
    for trace in traces:
        ids = {span["span_id"]: span_id(Origin(cycle, payload, number + at)) for at, span in enumerate(trace)}
        trace_id = span_id(Origin(cycle, payload, number))
        number += len(trace)
        renumbered.append(
            [
                {
                    **span,
                    "trace_id": trace_id,
                    "span_id": ids[span["span_id"]],
                    "parent_id": ids.get(span.get("parent_id") or 0, 0),
                }
                for span in trace
            ]
        )
    return Body(msgpack.packb(renumbered), {**headers, "x-datadog-trace-count": str(len(traces))}, number)


def generated_traces(
    chance: random.Random, spans: int, *, filler_bytes: int = 64, trace_length: int = 10
) -> list[list[dict[str, Any]]]:
    """Traces of `trace_length` spans each, `spans` in all; `filler_bytes` of a span don't compress."""
    traces: list[list[dict[str, Any]]] = []
    start = 1_700_000_000_000_000_000
    for number in range(spans):
        if number % trace_length == 0:
            traces.append([])
        first = not traces[-1]
        start += chance.randrange(1, 1_000_000)
        traces[-1].append(
            {
                "service": f"service-{chance.randrange(5)}",
                "name": "web.request" if first else "db.query",
                "resource": f"GET /item/{chance.randrange(100)}" if first else "SELECT 1",
                "trace_id": 0,
                "span_id": number + 1,
                "parent_id": 0 if first else number - number % trace_length + 1,
                "start": start,
                "duration": chance.randrange(1, 10_000_000),
                "error": int(chance.random() < 0.05),
                "type": "web" if first else "sql",
                "meta": {
                    "filler": base64.b64encode(chance.randbytes(filler_bytes * 3 // 4)).decode(),
                    **({"_dd.p.dm": "-1", "language": "python"} if first else {}),
                },
                "metrics": {"_sampling_priority_v1": 1, "_dd.top_level": 1}
                if first
                else {"rows": chance.randrange(9)},
            }
        )
    return traces


_GENERATED_HEADERS = {
    "datadog-meta-lang": "python",
    "datadog-meta-lang-version": "3.11",
    "datadog-meta-tracer-version": "4.16.0",
    "content-type": "application/msgpack",
}


def generated_bodies(count: int, spans: int = 10, seed: int = 1, *, filler_bytes: int = 64) -> list[bytes]:
    """`count` bodies of a /v0.4/traces request with `spans` spans each; the same for the same seed."""
    workload = Workload("generated", seed=seed, spans=spans, filler_bytes=filler_bytes)
    return [workload.body(0, number).data for number in range(count)]


def body_of_size(size: int, seed: int = 1) -> bytes:
    """A /v0.4/traces body of at least `size` bytes (1 to 12 million) and at most 2,000 more than that."""
    if not 1 <= size <= 12_000_000:
        raise ValueError(f"size is {size}, not in 1 … 12,000,000 bytes")
    filler = 64 if size < 1_000_000 else 1200
    span_bytes = len(generated_bodies(1, 50, seed, filler_bytes=filler)[0]) / 50
    spans = max(1, int(size / span_bytes))
    while len(body := generated_bodies(1, spans, seed, filler_bytes=filler)[0]) < size:
        spans += max(1, int((size - len(body)) / span_bytes))
    return body


@dataclass(frozen=True)
class Workload:
    """A deterministic source of payloads.

    `real` takes what the tracer sent, in turn; `generated` makes payloads of `spans` spans. `filler_bytes` a
    span are added that don't compress (of a real payload: to its first span).
    """

    kind: WorkloadKind = "generated"
    seed: int = 1
    spans: int = 10
    filler_bytes: int = 64

    def body(self, cycle: int, payload: int) -> Body:
        """The payload number `payload` of a cycle. The same arguments give the same bytes in every
        process.
        """
        chance = random.Random(f"{self.seed}/{cycle}/{payload}")
        if self.kind == "generated":
            traces = generated_traces(chance, self.spans, filler_bytes=self.filler_bytes)
            return _encode(traces, cycle, payload, _GENERATED_HEADERS)
        captures = _decoded_captures()
        traces, headers = captures[chance.randrange(len(captures))]
        if self.filler_bytes > 64:
            filler = base64.b64encode(chance.randbytes(self.filler_bytes * 3 // 4)).decode()
            first, *rest = traces[0]
            traces = [[{**first, "meta": {**first.get("meta", {}), "filler": filler}}, *rest], *traces[1:]]
        return _encode(traces, cycle, payload, headers)


# -- A real tracer -------------------------------------------------------------------------------------


def capture(requests: int = 24, *, timeout: float = 120.0) -> list[Capture]:
    """Runs `traced_program` under ddtrace and returns what it sent to /v0.4/traces and /v0.6/stats, in its
    order.

    RuntimeError if the program fails or sends nothing within `timeout` seconds.
    """
    program = pathlib.Path(__file__).with_name("traced_program.py")
    with _catcher() as (port, caught):
        environment = child_environment() | {
            "DD_TRACE_AGENT_URL": f"http://127.0.0.1:{port}",
            "DD_TRACE_API_VERSION": "v0.4",
            "DD_TRACE_COMPUTE_STATS": "true",
            "DD_TRACE_STATS_COMPUTATION_ENABLED": "true",
            "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
            "DD_REMOTE_CONFIGURATION_ENABLED": "false",
            "DD_SERVICE": "shop",
            "DD_ENV": "lab",
            "DD_VERSION": "1.0",
        }
        done = subprocess.run(
            [sys.executable, str(program), str(requests)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(f"the traced program ended with {done.returncode}: {done.stderr[-2000:]}")
    if not any(each.path == "/v0.4/traces" for each in caught):
        raise RuntimeError(f"the tracer sent no traces; it said: {done.stderr[-2000:]}")
    return caught


def captures() -> list[Capture]:
    """What `capture` gives, kept in a file between runs: one for each version of ddtrace."""
    version = importlib.metadata.version("ddtrace")
    base = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    file = base / "thaw-lab" / f"ddtrace-{version}.json"
    with contextlib.suppress(OSError, ValueError, KeyError):
        return [
            Capture(each["path"], each["headers"], base64.b64decode(each["body"]))
            for each in json.loads(file.read_text())
        ]
    taken = capture()
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        # Other processes may be at it too: each writes its own file and renames it.
        scratch = file.with_suffix(f".{os.getpid()}")
        content = [
            {"path": c.path, "headers": c.headers, "body": base64.b64encode(c.body).decode()} for c in taken
        ]
        scratch.write_text(json.dumps(content))
        scratch.replace(file)
    return taken


@functools.cache
def _decoded_captures() -> list[tuple[list[list[dict[str, Any]]], dict[str, str]]]:
    kept = ("datadog-", "x-datadog-", "content-type")
    decoded = []
    for each in captures():
        if each.path == "/v0.4/traces":
            traces = msgpack.unpackb(each.body, raw=False, strict_map_key=False, unicode_errors="replace")
            if any(traces):
                headers = {name: value for name, value in each.headers.items() if name.startswith(kept)}
                decoded.append(([trace for trace in traces if trace], headers))
    return decoded


@contextlib.contextmanager
def _catcher() -> Iterator[tuple[int, list[Capture]]]:
    """A local HTTP server that stands for an agent and keeps the traces and stats it is sent."""
    caught: list[Capture] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/info":
                endpoints = ["/v0.4/traces", "/v0.6/stats"]
                self._answer(
                    {
                        "version": "7.60.0",
                        "endpoints": endpoints,
                        "client_drop_p0s": True,
                        "feature_flags": [],
                    }
                )
            else:
                self._answer({}, status=404)

        def do_POST(self) -> None:
            self._take(self._body())
            self._answer({"rate_by_service": {"service:,env:": 1.0}})

        do_PUT = do_POST  # noqa: N815  # which of the two a tracer uses is its affair

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _take(self, body: bytes) -> None:
            if self.path in ("/v0.4/traces", "/v0.6/stats"):
                caught.append(
                    Capture(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                )

        def _answer(self, value: object, status: int = 200) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *unused: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], caught
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
