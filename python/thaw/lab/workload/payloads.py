"""Payloads of experiments: bodies of requests to /v0.4/traces, of a real tracer or generated."""

from __future__ import annotations

import base64
import functools
import random
from dataclasses import dataclass
from typing import Any, Literal

import msgpack

from thaw.lab.workload.span_ids import Origin, span_id
from thaw.lab.workload.tracer_captures import captures

WorkloadKind = Literal["real", "generated", "separate"]


@dataclass(frozen=True)
class Body:
    """One payload to send: a /v0.4/traces body, the tracer's headers, and how many spans it has."""

    data: bytes
    headers: dict[str, str]
    spans: int


def _encode(traces: list[list[dict[str, Any]]], cycle: int, payload: int, headers: dict[str, str]) -> Body:
    """Encodes a /v0.4/traces body with ids of this cycle and payload; the spans keep their parents."""
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
    """Returns `count` bodies of a /v0.4/traces request with `spans` spans each; the same for the same
    seed.
    """
    workload = Workload("generated", seed=seed, spans=spans, filler_bytes=filler_bytes)
    return [workload.body(0, number).data for number in range(count)]


def body_of_size(size: int, seed: int = 1) -> bytes:
    """Returns a /v0.4/traces body of at least `size` bytes (1 to 12 million) and at most 2,000 more than
    that.
    """
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
    span are added that don't compress (of a real payload: to its first span). `separate` is generated, and
    each payload of a cycle comes from a tracer of another version: a client that merges payloads of one
    tracer into one request sends a request for each of them.
    """

    kind: WorkloadKind = "generated"
    seed: int = 1
    spans: int = 10
    filler_bytes: int = 64

    def body(self, cycle: int, payload: int) -> Body:
        """Returns the payload number `payload` of a cycle. The same arguments give the same bytes in every
        process.
        """
        chance = random.Random(f"{self.seed}/{cycle}/{payload}")
        if self.kind != "real":
            traces = generated_traces(chance, self.spans, filler_bytes=self.filler_bytes)
            headers = dict(_GENERATED_HEADERS)
            if self.kind == "separate":
                headers["datadog-meta-tracer-version"] = f"4.16.{payload}"
            return _encode(traces, cycle, payload, headers)
        captures = _decoded_captures()
        traces, headers = captures[chance.randrange(len(captures))]
        if self.filler_bytes > 64:
            filler = base64.b64encode(chance.randbytes(self.filler_bytes * 3 // 4)).decode()
            first, *rest = traces[0]
            traces = [[{**first, "meta": {**first.get("meta", {}), "filler": filler}}, *rest], *traces[1:]]
        return _encode(traces, cycle, payload, headers)


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
