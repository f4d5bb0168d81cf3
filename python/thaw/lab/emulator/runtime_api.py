"""The Runtime API of one environment: invocations go to the function's runtime, responses come back.

    GET  /2018-06-01/runtime/invocation/next            POST /2018-06-01/runtime/init/error
    POST /2018-06-01/runtime/invocation/ID/response     GET  /2018-06-01/runtime/restore/next
    POST /2018-06-01/runtime/invocation/ID/error        POST /2018-06-01/runtime/restore/error

A runtime has one invocation at a time, on managed instances as many as it asks for.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable, Mapping

from thaw.lab.emulator import errors
from thaw.lab.emulator.errors import SandboxFailure
from thaw.lab.emulator.extensions_api import Answer
from thaw.lab.emulator.invocation import Invocation
from thaw.lab.emulator.settings import Settings
from thaw.lab.emulator.timestamps import now_ns

MOST_RESPONSE_BYTES = (6 << 20) + 100
_ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
_ACCEPTED = Answer(b'{"status":"OK"}', status=202)


class RuntimeApi:
    """The runtime's side of one environment.

    Args:
      settings: the function's settings.
      changed: called after every change of state.
      on_ready: called when the runtime asks for the next invocation; with the one before, if there was one.
      on_failure: called with the error that the runtime reports.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        changed: Callable[[], None],
        on_ready: Callable[[Invocation | None], None],
        on_failure: Callable[[SandboxFailure], None],
    ) -> None:
        self._settings = settings
        self._changed, self._on_ready, self._on_failure = changed, on_ready, on_failure
        self._waiting: deque[asyncio.Future[Invocation]] = deque()
        self._queued: deque[Invocation] = deque()
        self._open: dict[str, Invocation] = {}
        self._last: Invocation | None = None  # events that the runtime has, or had
        self._restoring: asyncio.Future[None] | None = None
        self.has_been_ready = False

    @property
    def is_waiting(self) -> bool:
        """Returns whether the runtime is in /invocation/next."""
        return bool(self._waiting)

    @property
    def is_waiting_for_restore(self) -> bool:
        return self._restoring is not None

    @property
    def open_invocations(self) -> list[Invocation]:
        """Invocations that the runtime has not answered."""
        return list(self._open.values())

    def give(self, invocation: Invocation) -> None:
        """Answers an /invocation/next, now or when it comes."""
        self._open[invocation.request_id] = invocation
        if self._waiting:
            self._hand_over(self._waiting.popleft(), invocation)
        else:
            self._queued.append(invocation)

    def restore(self) -> None:
        """Answers /restore/next."""
        if self._restoring is not None:
            self._restoring.set_result(None)
            self._restoring = None

    def forget(self, invocation: Invocation) -> None:
        """Forgets an invocation: an answer that comes later is refused."""
        self._open.pop(invocation.request_id, None)
        with contextlib.suppress(ValueError):
            self._queued.remove(invocation)

    def close(self) -> None:
        """Ends the API with its environment: calls that wait are not answered any more."""
        for call in (*self._waiting, self._restoring):
            if call is not None:
                call.cancel()
        self._waiting.clear()
        self._restoring = None

    # -- The calls

    async def next_invocation(self) -> Answer:
        if not self._settings.is_managed_instance:
            if self._waiting:
                raise errors.invalid_state_transition("the runtime waits in /invocation/next already")
            if self._open:
                raise errors.invalid_state_transition("the runtime has not answered its invocation")
        call: asyncio.Future[Invocation] = asyncio.get_running_loop().create_future()
        self._waiting.append(call)
        # A worker of a managed instance does not say which invocation it has just finished.
        before, self._last = None if self._settings.is_managed_instance else self._last, None
        self.has_been_ready = True
        if before is not None:
            before.times.runtime_next_ns = now_ns()
        self._on_ready(before)
        if self._queued:
            self._hand_over(self._waiting.popleft(), self._queued.popleft())
        self._changed()
        invocation = await call
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.arn(self._settings.arn),
        }
        if invocation.trace_header:
            headers["Lambda-Runtime-Trace-Id"] = invocation.trace_header
        if invocation.client_context:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        return Answer(invocation.event, headers)

    def first_byte(self, request_id: str) -> None:
        """Notes the time at which the head of a response came."""
        if (invocation := self._open.get(request_id)) is not None:
            invocation.times.first_byte_ns = invocation.times.first_byte_ns or now_ns()

    def response(self, request_id: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Takes a response; `body` is None if it is larger than allowed."""
        invocation = self._take(request_id)
        if body is None:
            error = errors.response_too_large(MOST_RESPONSE_BYTES)
            said = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": error.message}
            invocation.answer_error(json.dumps(said).encode(), "Function.ResponseSizeTooLarge")
            self._changed()
            raise error
        invocation.answer(body, headers.get("Content-Type", "application/json"))
        self._changed()
        return _ACCEPTED

    def error(self, request_id: str, headers: Mapping[str, str], body: bytes) -> Answer:
        invocation = self._take(request_id)
        invocation.answer_error(body, _error_type(headers, body))
        self._changed()
        return _ACCEPTED

    def init_error(self, headers: Mapping[str, str], body: bytes) -> Answer:
        if self.has_been_ready:
            raise errors.invalid_state_transition("the runtime is initialized already")
        return self._failed(headers, body)

    async def restore_next(self) -> Answer:
        if self._settings.initialization_type != "snap-start":
            raise errors.invalid_state_transition("only a snap-start environment is restored")
        if self.has_been_ready or self._restoring is not None:
            raise errors.invalid_state_transition("the runtime is past its initialization")
        self._restoring = asyncio.get_running_loop().create_future()
        call = self._restoring
        self._changed()
        await call
        return Answer(b"{}")

    def restore_error(self, headers: Mapping[str, str], body: bytes) -> Answer:
        if self._settings.initialization_type != "snap-start" or self.has_been_ready:
            raise errors.invalid_state_transition("there is no restore under way")
        return self._failed(headers, body)

    def _failed(self, headers: Mapping[str, str], body: bytes) -> Answer:
        self._on_failure(SandboxFailure(_error_type(headers, body), body.decode("utf-8", "replace"), body))
        self._changed()
        return _ACCEPTED

    def _hand_over(self, call: asyncio.Future[Invocation], invocation: Invocation) -> None:
        self._last = invocation
        call.set_result(invocation)

    def _take(self, request_id: str) -> Invocation:
        if request_id in self._open:
            invocation = self._open.pop(request_id)
            invocation.times.answered_ns = now_ns()
            return invocation
        if self._last is not None and self._last.request_id == request_id:
            raise errors.invalid_state_transition(f"invocation {request_id} is answered already")
        raise errors.invalid_request_id(request_id)


def _error_type(headers: Mapping[str, str], body: bytes) -> str:
    """Returns the type of an error: the header's, the body's, or Lambda's own default."""
    if given := headers.get(_ERROR_TYPE):
        return given
    with contextlib.suppress(ValueError, RecursionError):
        said = json.loads(body)
        if isinstance(said, dict) and isinstance(said.get("errorType"), str):
            return str(said["errorType"])
    return "Runtime.Unknown"
