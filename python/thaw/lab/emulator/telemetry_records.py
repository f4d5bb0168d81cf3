"""The records of Lambda's Telemetry API, by schema.

A record on the wire is {"time": …, "type": …, "record": …}. The schemas differ little: 2022-07-01 has no
status of an initialization, 2025-01-29 is the one in which managed instances tell of their invocations.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Literal, get_args

from thaw.lab.emulator.errors import SandboxFailure
from thaw.lab.emulator.invocation import Invocation
from thaw.lab.emulator.timestamps import iso, ms_between, now_ns

Schema = Literal["2022-07-01", "2022-12-13", "2025-01-29"]
SCHEMAS: tuple[Schema, ...] = get_args(Schema)

Stream = Literal["platform", "function", "extension"]
STREAMS: tuple[Stream, ...] = get_args(Stream)

# Types of the records that the emulator sends.
KINDS = (
    *("platform.initStart", "platform.initRuntimeDone", "platform.initReport"),
    *("platform.restoreStart", "platform.restoreRuntimeDone", "platform.restoreReport"),
    *("platform.start", "platform.runtimeDone", "platform.report", "platform.extension"),
    *("platform.telemetrySubscription", "platform.logsDropped", *("function", "extension")),
)

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


def encode(schema: Schema, when: str, kind: str, record: object) -> bytes:
    """Encodes one element of a batch."""
    if schema == "2022-07-01" and isinstance(record, dict) and (newer := _NEWER.get(kind)):
        record = {name: value for name, value in record.items() if name not in newer}
    return json.dumps({"time": when, "type": kind, "record": record}, separators=(",", ":")).encode()


def tracing(header: str) -> dict[str, str] | None:
    """Returns the member `tracing` for a trace header, None for none."""
    return {"type": "X-Amzn-Trace-Id", "value": header} if header else None


def without_none(**members: Any) -> dict[str, Any]:
    """Returns a record whose optional members are those that are known."""
    return {name: value for name, value in members.items() if value is not None}


def outcome_of(failure: SandboxFailure | None) -> dict[str, str | None]:
    """Returns the members `status` and `errorType` of a phase that failed, or did not."""
    if failure is None:
        return {"status": "success", "errorType": None}
    return {"status": "timeout" if failure.is_timeout else "error", "errorType": failure.error_type}


def spans_of(invocation: Invocation) -> list[dict[str, Any]]:
    """Returns responseLatency, responseDuration and, once the runtime is back, runtimeOverhead."""
    times = invocation.times
    first_byte = times.first_byte_ns or times.answered_ns
    spans = [
        ("responseLatency", times.begin_ns, first_byte),
        ("responseDuration", first_byte, times.answered_ns),
    ]
    if times.runtime_next_ns:
        spans.append(("runtimeOverhead", times.answered_ns, times.runtime_next_ns))
    wall, now = time.time(), now_ns()
    return [
        {"name": name, "start": iso(wall - (now - begin) / 1e9), "durationMs": ms_between(begin, end)}
        for name, begin, end in spans
    ]
