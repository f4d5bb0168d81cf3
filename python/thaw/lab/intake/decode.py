"""Decodes requests without any of thaw's code: protobuf, msgpack, zstd and gzip come from PyPI.

Traces and stats are here; `decode_logs`, `decode_metrics` and `decode_events` read the other kinds.
"""

from __future__ import annotations

import functools
import gzip
import io
import zlib
from typing import Any

import msgpack
import zstandard

from thaw.lab.intake.protobuf_schema import message_classes

_MAX_DECODED_BYTES = 256 << 20

# The public schema of the Datadog agent (pkg/proto/datadog/trace).
_SCHEMA: dict[str, tuple[str, ...]] = {
    "AgentPayload": (
        "1 hostName string",
        "2 env string",
        "5 tracerPayloads repeated TracerPayload",
        "6 tags map string",
        "7 agentVersion string",
        "8 targetTPS double",
        "9 errorTPS double",
        "10 rareSamplerEnabled bool",
    ),
    "TracerPayload": (
        "1 containerID string",
        "2 languageName string",
        "3 languageVersion string",
        "4 tracerVersion string",
        "5 runtimeID string",
        "6 chunks repeated TraceChunk",
        "7 tags map string",
        "8 env string",
        "9 hostname string",
        "10 appVersion string",
        "11 containerDebug ContainerDebug",
    ),
    "ContainerDebug": (
        "1 error string",
        "2 latencyMs int64",
        "3 wasBuffered bool",
        "4 bufferMs int64",
        "5 bufferEvictionReason string",
    ),
    "TraceChunk": (
        "1 priority int32",
        "2 origin string",
        "3 spans repeated Span",
        "4 tags map string",
        "5 droppedTrace bool",
    ),
    "Span": (
        "1 service string",
        "2 name string",
        "3 resource string",
        "4 traceID uint64",
        "5 spanID uint64",
        "6 parentID uint64",
        "7 start int64",
        "8 duration int64",
        "9 error int32",
        "10 meta map string",
        "11 metrics map double",
        "12 type string",
        "13 meta_struct map bytes",
        "14 spanLinks repeated SpanLink",
        "15 spanEvents repeated SpanEvent",
    ),
    "SpanLink": (
        "1 traceID uint64",
        "2 traceID_high uint64",
        "3 spanID uint64",
        "4 attributes map string",
        "5 tracestate string",
        "6 flags uint32",
    ),
    "SpanEvent": ("1 time_unix_nano fixed64", "2 name string", "3 attributes map AttributeAnyValue"),
    "AttributeAnyValue": (
        "1 type int32",
        "2 string_value string",
        "3 bool_value bool",
        "4 int_value int64",
        "5 double_value double",
        "6 array_value AttributeArray",
    ),
    "AttributeArray": ("1 values repeated AttributeArrayValue",),
    "AttributeArrayValue": (
        "1 type int32",
        "2 string_value string",
        "3 bool_value bool",
        "4 int_value int64",
        "5 double_value double",
    ),
}


@functools.cache
def _classes() -> dict[str, Any]:
    return message_classes("datadog.trace", _SCHEMA)


def message_class(name: str) -> Any:
    """Returns the class of one message of the schema of traces, such as `AgentPayload`."""
    return _classes()[name]


def decompress(body: bytes, encoding: str) -> bytes:
    """Undoes a Content-Encoding: `zstd`, `gzip`, `deflate` or none. ValueError for any other, or if the body
    is broken.
    """
    try:
        if encoding == "zstd":
            with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(body)) as reader:
                return bytes(reader.read(_MAX_DECODED_BYTES))
        if encoding == "gzip":
            return gzip.decompress(body)
        if encoding == "deflate":
            return zlib.decompress(body)
    except (zstandard.ZstdError, zlib.error, OSError, EOFError) as error:
        raise ValueError(f"a {encoding} body of {len(body)} bytes: {error}") from error
    if encoding not in ("", "identity"):
        raise ValueError(f"unknown content-encoding {encoding!r}")
    return body


def zstd_frames(body: bytes) -> int:
    """Returns the number of zstd frames of a body. ValueError: it is broken."""
    frames = 0
    while body:
        frame = zstandard.ZstdDecompressor().decompressobj()
        try:
            frame.decompress(body)
        except zstandard.ZstdError as error:
            raise ValueError(f"frame {frames} of a zstd body: {error}") from error
        if not frame.eof:
            raise ValueError(f"frame {frames} of a zstd body is cut")
        body = frame.unused_data
        frames += 1
    return frames


def agent_payload(body: bytes, encoding: str = "zstd") -> Any:
    """Returns the AgentPayload of a request to /api/v0.2/traces."""
    return message_class("AgentPayload").FromString(decompress(body, encoding))


def span_ids(payload: Any) -> list[int]:
    """Returns the ids of all spans of an AgentPayload, in their order, repeated as often as they are
    there.
    """
    return [
        span.spanID for tracer in payload.tracerPayloads for chunk in tracer.chunks for span in chunk.spans
    ]


def stats_payload(body: bytes, encoding: str = "gzip") -> dict[str, Any]:
    """Returns the StatsPayload of a request to /api/v0.2/stats, as a dictionary with the schema's msgpack
    keys.
    """
    payload = msgpack.unpackb(decompress(body, encoding), raw=False, strict_map_key=False)
    if not isinstance(payload, dict):
        raise ValueError(f"a stats payload is a map, not {type(payload).__name__}")
    return payload
