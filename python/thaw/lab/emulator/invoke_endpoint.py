"""Invocations by HTTP, as AWS's SDKs and command line make them.

    POST /2015-03-31/functions/NAME/invocations      aws lambda invoke --endpoint-url http://127.0.0.1:8080 …

X-Amz-Invocation-Type is RequestResponse, Event (answered at once, run when its turn comes) or DryRun.
X-Amz-Client-Context is JSON in base64, which the runtime gets decoded; it is for synchronous invocations
only. A caller has its response before the extensions are done, unless it asks for the end of the log by
X-Amz-Log-Type: Tail: that has the REPORT line, which comes last. As there is one environment only,
invocations wait for each other.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import urllib.parse

from aiohttp import web

from thaw.lab.emulator.errors import EmulatorError
from thaw.lab.emulator.invocation import Invocation
from thaw.lab.emulator.service import Lambda

_MOST_EVENT_BYTES = 6 << 20
_MOST_ASYNCHRONOUS_BYTES = 1 << 20
_MOST_QUEUED = 1000
_MOST_CONTEXT_BYTES = 3583  # in base64


class InvokeEndpoint:
    """Serves a function's invocations until it is left.

    async with Lambda(command) as sandbox, InvokeEndpoint(sandbox, port=8080) as endpoint:
        print(endpoint.url)
    """

    def __init__(self, sandbox: Lambda, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._sandbox = sandbox
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None
        self._running: set[asyncio.Task[Invocation]] = set()

    @property
    def url(self) -> str:
        """The URL of the function's invocations."""
        name = self._sandbox.settings.name
        return f"http://{self._host}:{self._port}/2015-03-31/functions/{name}/invocations"

    async def __aenter__(self) -> InvokeEndpoint:
        application = web.Application(client_max_size=_MOST_EVENT_BYTES)
        application.router.add_post("/2015-03-31/functions/{name}/invocations", self._invoke)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise EmulatorError(f"can't listen on {self._host}:{self._port}: {error.strerror}") from error
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *unused: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _invoke(self, request: web.Request) -> web.Response:
        name, _, qualifier = (
            urllib.parse.unquote(request.match_info["name"]).rpartition("function:")[2].partition(":")
        )
        if name != self._sandbox.settings.name:
            return _error(404, "ResourceNotFoundException", f"Function not found: {name}")
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind not in ("RequestResponse", "Event", "DryRun"):
            return _error(400, "InvalidParameterValueException", f"X-Amz-Invocation-Type is {kind!r}")
        log_type = request.headers.get("X-Amz-Log-Type", "None")
        if log_type not in ("None", "Tail"):
            return _error(400, "InvalidParameterValueException", f"X-Amz-Log-Type is {log_type!r}")
        try:
            context = client_context(request.headers.get("X-Amz-Client-Context", ""))
        except ValueError as error:
            return _error(400, "InvalidRequestContentException", str(error))
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _error(413, "RequestTooLargeException", f"more than {_MOST_EVENT_BYTES} bytes")
        if kind == "Event" and len(body) > _MOST_ASYNCHRONOUS_BYTES:
            return _error(413, "RequestTooLargeException", f"more than {_MOST_ASYNCHRONOUS_BYTES} bytes")
        try:
            json.loads(body or b"{}")
        except (ValueError, RecursionError) as error:
            text = f"Could not parse request body into json: {error}"
            return _error(400, "InvalidRequestContentException", text)
        if kind == "DryRun":
            return web.Response(status=204)
        if len(self._running) >= _MOST_QUEUED:
            return _error(429, "TooManyRequestsException", f"{_MOST_QUEUED} invocations wait already")
        invocation = self._sandbox.prepare(
            body or b"{}",
            request.headers.get("X-Amzn-Trace-Id"),
            context if kind == "RequestResponse" else "",
            qualifier or request.query.get("Qualifier", ""),
        )
        task = asyncio.create_task(self._sandbox.run(invocation))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        if kind == "Event":
            return web.Response(status=202, headers={"x-amzn-RequestId": invocation.request_id})
        if log_type == "Tail":
            await asyncio.wait({task})
        else:
            answered = asyncio.create_task(invocation.answered.wait())
            await asyncio.wait({task, answered}, return_when=asyncio.FIRST_COMPLETED)
            answered.cancel()
        if not invocation.answered.is_set():
            return _error(500, "ServiceException", str(task.exception()))
        return self._response(invocation, tail=log_type == "Tail")

    def _response(self, invocation: Invocation, *, tail: bool) -> web.Response:
        headers = {
            "Content-Type": invocation.content_type,
            "x-amzn-RequestId": invocation.request_id,
            "X-Amz-Executed-Version": self._sandbox.settings.version,
        }
        if invocation.trace_header:
            headers["X-Amzn-Trace-Id"] = invocation.trace_header
        if invocation.function_error is not None:
            headers["X-Amz-Function-Error"] = invocation.function_error
        if tail:
            headers["X-Amz-Log-Result"] = base64.b64encode(bytes(invocation.log_tail)).decode()
        return web.Response(body=invocation.payload, headers=headers)


def client_context(header: str) -> str:
    """Returns X-Amz-Client-Context as the runtime gets it: JSON on one line, of ASCII characters only.

    ValueError says what is wrong with it.
    """
    if not header:
        return ""
    if len(header) > _MOST_CONTEXT_BYTES:
        raise ValueError(f"X-Amz-Client-Context has more than {_MOST_CONTEXT_BYTES} bytes")
    try:
        text = base64.b64decode(header, validate=True).decode()
        decoded = json.loads(text)
    except (binascii.Error, ValueError, RecursionError):
        decoded = None
    if not isinstance(decoded, dict):
        raise ValueError("Client context must be a valid Base64-encoded JSON object.")
    # The text becomes a header's value.
    return text if text.isascii() and text.isprintable() else json.dumps(decoded)


def _error(status: int, kind: str, message: str) -> web.Response:
    body = json.dumps({"Type": "User" if status < 500 else "Service", "Message": message}).encode()
    return web.Response(
        body=body, status=status, headers={"x-amzn-ErrorType": kind}, content_type="application/json"
    )
