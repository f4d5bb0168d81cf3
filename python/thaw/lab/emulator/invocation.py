"""One invocation: its event, its outcome and the times of its steps."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Literal

from thaw.lab.emulator.errors import SandboxFailure
from thaw.lab.emulator.invocation_report import Report

Status = Literal["success", "error", "failure", "timeout"]


# Bytes at the end of an invocation's log that X-Amz-Log-Result has.
LOG_TAIL_BYTES = 4096


class LogTail:
    """The end of an invocation's log."""

    def __init__(self) -> None:
        self._bytes = b""

    def add(self, line: str) -> None:
        self._bytes = (self._bytes + line.encode("utf-8", "replace") + b"\n")[-LOG_TAIL_BYTES:]

    def __bytes__(self) -> bytes:
        return self._bytes


def new_trace_header() -> str:
    """Makes a trace header as Lambda does for a caller that gave none; it is not sampled."""
    return f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0"


@dataclass
class Times:
    """Times of one invocation, in nanoseconds of time.monotonic_ns(); 0 means that it did not happen.

    Attributes:
      begin_ns: the environment was told to go on, if it was frozen, just before this.
      answered_ns: the runtime's response, or error, was read whole.
      runtime_next_ns: the runtime asked for the next invocation.
      extensions_next_ns: the time at which each extension asked for the next event, by its name.
      runtime_done_delivered_ns: platform.runtimeDone was written to the first subscriber that took it.
      end_ns: all of that was done, or the invocation was ended otherwise.
    """

    begin_ns: int = 0
    first_byte_ns: int = 0
    answered_ns: int = 0
    runtime_next_ns: int = 0
    extensions_next_ns: dict[str, int] = field(default_factory=dict)
    runtime_done_delivered_ns: int = 0
    end_ns: int = 0

    def answer_to_next_ms(self, extension: str) -> float:
        """Returns the milliseconds from the runtime's answer to the extension's /event/next; negative if the
        latter came first.
        """
        return (self.extensions_next_ns[extension] - self.answered_ns) / 1e6


@dataclass(eq=False)
class Invocation:
    """An event on its way. `payload`, `status` and the rest are set as it comes to its end.

    Attributes:
      trace_header: X-Amzn-Trace-Id; empty for none.
      status: success; error (the function said so); failure (a process ended); timeout.
      function_error: the value of X-Amz-Function-Error for the caller, None for a success.
      error_type: the reason for a status that isn't success, as in telemetry.
      client_context: JSON, as the runtime gets it; empty for none.
      log_tail: the end of its log, for X-Amz-Log-Result: from START over what was written meanwhile to END
        and REPORT. On managed instances, where a line may be of any invocation, START and REPORT alone.
    """

    event: bytes
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    trace_header: str = field(default_factory=new_trace_header)
    client_context: str = ""
    qualifier: str = ""
    deadline_ms: int = 0
    times: Times = field(default_factory=Times)
    payload: bytes = b""
    content_type: str = "application/json"
    status: Status = "success"
    function_error: str | None = None
    error_type: str | None = None
    log_tail: LogTail = field(default_factory=LogTail)
    report: Report | None = None
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    def json(self) -> Any:
        """Returns the payload, decoded."""
        return json.loads(self.payload)

    @property
    def error(self) -> str | None:
        """Returns the type of the error and, where the caller was told one, its message. None: a success."""
        if self.status == "success":
            return None
        try:
            message = self.json()["errorMessage"]
        except (KeyError, TypeError, ValueError):
            return self.error_type
        return f"{self.error_type}: {message}"

    def arn(self, function: str) -> str:
        return f"{function}:{self.qualifier}" if self.qualifier else function

    def answer(self, payload: bytes, content_type: str) -> None:
        """Takes the runtime's response. The caller gets it at once, before the extensions are done."""
        self.payload, self.content_type = payload, content_type
        self.answered.set()

    def answer_error(self, payload: bytes, error_type: str) -> None:
        """Takes the runtime's error."""
        self.status, self.function_error, self.error_type = "error", "Unhandled", error_type
        self.answer(payload, "application/json")

    def fail(self, failure: SandboxFailure) -> None:
        """Ends the invocation with a failure. A caller that has its answer already does not notice."""
        self.status = "timeout" if failure.is_timeout else "failure"
        self.error_type = failure.error_type
        if not self.answered.is_set():
            self.function_error = "Unhandled"
            # Lambda tells a caller about the out-of-memory killer only that the runtime exited.
            told = failure.error_type if failure.error_type != "Runtime.OutOfMemory" else "Runtime.ExitError"
            text = f"RequestId: {self.request_id} Error: {failure.message}"
            error = json.dumps({"errorType": told, "errorMessage": text}).encode()
            self.answer(failure.payload or error, "application/json")
