"""A tracer's request in endless supply: the same bytes each time, but for ids that count up.

    request = NumberedRequest.of_spans(10)
    request.write(folder)                        # for the load generator, and for functions/poster.py
    request.ids(7)                               # the span ids of the request number 7

Nothing is encoded anew for each request, so that a sender costs less than what it measures.
"""

from __future__ import annotations

import json
import pathlib
import struct
from dataclasses import dataclass
from typing import Any

import msgpack

# Ids of the first request: the trace's, and the first span's. Both take nine bytes in msgpack, and a step
# leaves room for the spans of a request between one and the next.
_TRACE_ID = 1 << 62
_SPAN_ID = 1 << 61
_STEP = 1 << 14
_TAGS = 8
_START = 1_700_000_000_000_000_000

HEADERS = {
    "Host": "localhost:8126",
    "Content-Type": "application/msgpack",
    "Datadog-Meta-Lang": "python",
    "Datadog-Meta-Lang-Version": "3.11.7",
    "Datadog-Meta-Lang-Interpreter": "CPython",
    "Datadog-Meta-Tracer-Version": "2.14.1",
    "Datadog-Client-Computed-Top-Level": "yes",
    "X-Datadog-Trace-Count": "1",
}


@dataclass(frozen=True)
class NumberedRequest:
    """One HTTP request for /v0.4/traces.

    Attributes:
      data: head and body of the request number 0.
      offsets: the places of eight bytes each, big-endian, to which `step` is added for each next request.
      spans: the number of its spans.
      body_bytes: the size of its body.
    """

    data: bytes
    offsets: tuple[int, ...]
    spans: int
    body_bytes: int
    step: int = _STEP

    @classmethod
    def of_spans(cls, spans: int) -> NumberedRequest:
        """Makes a request with one trace of `spans` spans, each with eight tags: about 370 bytes a span."""
        if not 1 <= spans < _STEP:
            raise ValueError(f"{spans} spans; a request has from 1 to {_STEP - 1}")
        body = msgpack.packb([[_span(number) for number in range(spans)]])
        lines = ["POST /v0.4/traces HTTP/1.1", *(f"{name}: {value}" for name, value in HEADERS.items())]
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode()
        data = head + body
        ids = {_TRACE_ID, *(_SPAN_ID + number for number in range(spans))}
        wanted = [struct.pack(">BQ", 0xCF, number) for number in sorted(ids)]
        offsets = tuple(place for each in wanted for place in _places(data, each))
        return cls(data, offsets, spans, len(body))

    def ids(self, number: int) -> range:
        """Returns the span ids of the request of that number, counted from 0."""
        first = _SPAN_ID + number * self.step
        return range(first, first + self.spans)

    def write(self, folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
        """Writes the request, and in JSON beside it how to count it up. Returns both files."""
        request, counting = folder / "request.bin", folder / "request.json"
        request.write_bytes(self.data)
        counting.write_text(json.dumps({"offsets": self.offsets, "step": self.step}))
        return request, counting


def _span(number: int) -> dict[str, Any]:
    return {
        "service": "orders",
        "name": "web.request" if number == 0 else "orders.lookup",
        "resource": "GET /orders/{id}" if number == 0 else f"lookup of part {number}",
        "trace_id": _TRACE_ID,
        "span_id": _SPAN_ID + number,
        "parent_id": 0 if number == 0 else _SPAN_ID,
        "start": _START + number * 1_000_000,
        "duration": 2_500_000,
        "error": 0,
        "type": "web" if number == 0 else "worker",
        "meta": {f"order.tag.{tag}": f"value {tag} of {number}" for tag in range(_TAGS)},
        "metrics": {"_sampling_priority_v1": 1.0, "_dd.top_level": 1.0} if number == 0 else {},
    }


def _places(data: bytes, wanted: bytes) -> list[int]:
    """Returns the offset of the eight bytes after the marker, for each occurrence of `wanted`."""
    places, at = [], data.find(wanted)
    while at >= 0:
        places.append(at + 1)
        at = data.find(wanted, at + 1)
    return places
