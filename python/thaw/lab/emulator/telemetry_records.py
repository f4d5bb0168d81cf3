"""The records of Lambda's Telemetry API, by schema.

A record on the wire is {"time": …, "type": …, "record": …}. The schemas differ little: 2022-07-01 has no
status of an initialization, 2025-01-29 is the one in which managed instances tell of their invocations.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, get_args

Schema = Literal["2022-07-01", "2022-12-13", "2025-01-29"]
SCHEMAS: tuple[Schema, ...] = get_args(Schema)

Stream = Literal["platform", "function", "extension"]
STREAMS: tuple[Stream, ...] = get_args(Stream)

# Members that came with 2022-12-13.
_NEWER: Mapping[str, frozenset[str]] = {
    "platform.initReport": frozenset({"status", "errorType"}),
    "platform.initRuntimeDone": frozenset({"errorType"}),
    "platform.runtimeDone": frozenset({"errorType"}),
    "platform.report": frozenset({"errorType"}),
}


def stream_of(kind: str) -> Stream:
    if kind == "function":
        return "function"
    return "extension" if kind == "extension" else "platform"


def encode(schema: Schema, time: str, kind: str, record: object) -> bytes:
    """One element of a batch."""
    if schema == "2022-07-01" and isinstance(record, dict) and (newer := _NEWER.get(kind)):
        record = {name: value for name, value in record.items() if name not in newer}
    return json.dumps({"time": time, "type": kind, "record": record}, separators=(",", ":")).encode()


def tracing(header: str) -> dict[str, str] | None:
    """The member `tracing` for a trace header, None for none."""
    return {"type": "X-Amzn-Trace-Id", "value": header} if header else None


def without_none(**members: Any) -> dict[str, Any]:
    """A record whose optional members are those that are known."""
    return {name: value for name, value in members.items() if value is not None}
