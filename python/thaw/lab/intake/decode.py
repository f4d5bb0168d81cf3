"""Decodes requests without any of thaw's code: protobuf, msgpack, zstd and gzip come from PyPI.

The schema is the public one of the Datadog agent (pkg/proto/datadog/trace), built here as descriptors.
"""

from __future__ import annotations

import functools
import gzip
import io
import json
from typing import Any

import msgpack
import zstandard
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_MAX_DECODED_BYTES = 256 << 20

# Per message: "number name type"; a type is a scalar, a message, `repeated T` or `map V` (keys: string).
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

_Field = descriptor_pb2.FieldDescriptorProto


def _set_type(field: Any, name: str) -> None:
    if name in _SCHEMA:
        field.type = _Field.TYPE_MESSAGE
        field.type_name = f".datadog.trace.{name}"
    else:
        field.type = getattr(_Field, f"TYPE_{name.upper()}")


def _add_field(message: Any, declaration: str) -> None:
    number, name, *words = declaration.split()
    field = message.field.add(name=name, number=int(number), label=_Field.LABEL_OPTIONAL)
    if words[0] == "map":
        entry = message.nested_type.add(name=f"{name[0].upper()}{name[1:].replace('_s', 'S')}Entry")
        entry.options.map_entry = True
        for index, (part, kind) in enumerate((("key", "string"), ("value", words[1])), 1):
            _set_type(entry.field.add(name=part, number=index, label=_Field.LABEL_OPTIONAL), kind)
        field.label = _Field.LABEL_REPEATED
        field.type = _Field.TYPE_MESSAGE
        field.type_name = f".datadog.trace.{message.name}.{entry.name}"
        return
    if words[0] == "repeated":
        field.label = _Field.LABEL_REPEATED
    _set_type(field, words[-1])


@functools.cache
def message_class(name: str) -> Any:
    """The class of one message of the public schema, such as `AgentPayload`."""
    return _classes()[f"datadog.trace.{name}"]


@functools.cache
def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="trace.proto", package="datadog.trace", syntax="proto3")
    for name, fields in _SCHEMA.items():
        message = file.message_type.add(name=name)
        for declaration in fields:
            _add_field(message, declaration)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return dict(message_factory.GetMessageClassesForFiles(["trace.proto"], pool))


def decompress(body: bytes, encoding: str) -> bytes:
    """Undoes a Content-Encoding: `zstd`, `gzip` or none. ValueError for any other, or a broken body."""
    try:
        if encoding == "zstd":
            with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(body)) as reader:
                return bytes(reader.read(_MAX_DECODED_BYTES))
        if encoding == "gzip":
            return gzip.decompress(body)
    except (zstandard.ZstdError, OSError, EOFError) as error:
        raise ValueError(f"a {encoding} body of {len(body)} bytes: {error}") from error
    if encoding not in ("", "identity"):
        raise ValueError(f"unknown content-encoding {encoding!r}")
    return body


def agent_payload(body: bytes, encoding: str = "zstd") -> Any:
    """The AgentPayload of a request to /api/v0.2/traces."""
    return message_class("AgentPayload").FromString(decompress(body, encoding))


def span_ids(payload: Any) -> list[int]:
    """The ids of all spans of an AgentPayload, in their order, repeated as often as they are there."""
    return [
        span.spanID for tracer in payload.tracerPayloads for chunk in tracer.chunks for span in chunk.spans
    ]


def stats_payload(body: bytes, encoding: str = "gzip") -> dict[str, Any]:
    """The StatsPayload of a request to /api/v0.2/stats, as a dictionary with the schema's msgpack keys."""
    payload = msgpack.unpackb(decompress(body, encoding), raw=False, strict_map_key=False)
    if not isinstance(payload, dict):
        raise ValueError(f"a stats payload is a map, not {type(payload).__name__}")
    return payload


# Limits of Datadog's log intake for an agent's request: entries, and bytes before compression.
MAX_LOG_ENTRIES = 1000
MAX_LOG_BYTES = 5_000_000
MAX_LOG_ENTRY_BYTES = 1_000_000
_LOG_MEMBERS = {"message", "hostname", "service", "ddtags", "ddsource"}


def log_entries(body: bytes, encoding: str = "zstd") -> list[dict[str, Any]]:
    """The entries of a request to /api/v2/logs. ValueError for one that the intake would refuse, or whose
    entries lack a member.
    """
    text = decompress(body, encoding)
    if len(text) > MAX_LOG_BYTES:
        raise ValueError(f"{len(text)} bytes of logs are more than {MAX_LOG_BYTES}")
    entries = json.loads(text.decode("utf-8"))
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_LOG_ENTRIES:
        raise ValueError(f"logs are a list of 1 to {MAX_LOG_ENTRIES} entries")
    for entry in entries:
        _check_log_entry(entry)
    return entries


def _check_log_entry(entry: Any) -> None:
    if not isinstance(entry, dict) or set(entry) != _LOG_MEMBERS:
        raise ValueError(f"the members of a log entry are {_LOG_MEMBERS}, not {entry!r:.200}")
    message = entry["message"]
    if not isinstance(message, dict) or set(message) != {"message", "lambda", "timestamp", "status"}:
        raise ValueError(f"the message of a log entry is {message!r:.200}")
    if not isinstance(message["message"], str) or not isinstance(message["timestamp"], int):
        raise ValueError(f"a log entry has no text or no time: {message!r:.200}")
    if not {"arn", "request_id"} <= set(message["lambda"]):
        raise ValueError(f"a log entry names neither function nor request: {message!r:.200}")
    size = len(json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MAX_LOG_ENTRY_BYTES:
        raise ValueError(f"a log entry of {size} bytes is larger than {MAX_LOG_ENTRY_BYTES}")
