"""A tracer's request as the intake's protobuf, by PyPI's protobuf and zstandard: for other projects' clients.

    body = encode.agent_payload(traces_body, headers)

It shares no code with the native encoder. The field numbers are those of `decode`.
"""

from __future__ import annotations

from typing import Any

import msgpack
import zstandard

from thaw.lab.intake import decode

INTAKE_HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "zstd",
    "DD-API-KEY": "key",
}
_LEVEL = 3


def agent_payload(body: bytes, headers: dict[str, str]) -> bytes:
    """Returns one request's body for /api/v0.2/traces, from one of /v0.4/traces: spans with their plain
    fields, meta and metrics. Experiments need no other members of spans.
    """
    payload: Any = decode.message_class("AgentPayload")()
    tracer = payload.tracerPayloads.add()
    tracer.languageName = headers.get("datadog-meta-lang", "")
    tracer.languageVersion = headers.get("datadog-meta-lang-version", "")
    tracer.tracerVersion = headers.get("datadog-meta-tracer-version", "")
    for trace in msgpack.unpackb(body, raw=False, strict_map_key=False):
        chunk = tracer.chunks.add()
        chunk.priority = 1
        for span in trace:
            _fill(chunk.spans.add(), span)
    return zstandard.ZstdCompressor(level=_LEVEL).compress(payload.SerializeToString())


def _fill(message: Any, span: dict[str, Any]) -> None:
    for key, name in (
        *((each, each) for each in ("service", "name", "resource", "type", "start", "duration", "error")),
        *(("trace_id", "traceID"), ("span_id", "spanID"), ("parent_id", "parentID")),
    ):
        value = span.get(key)
        if value is not None:
            setattr(message, name, value)
    for key, value in (span.get("meta") or {}).items():
        message.meta[key] = value
    for key, value in (span.get("metrics") or {}).items():
        message.metrics[key] = value
