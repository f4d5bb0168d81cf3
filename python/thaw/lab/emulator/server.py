"""The address at which an environment finds the Runtime, Extensions and Telemetry APIs.

One server serves all environments of a function, one after the other.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

from aiohttp import web

from thaw.lab.emulator.api_faults import ApiFaults
from thaw.lab.emulator.environment import CREDENTIALS_PATH
from thaw.lab.emulator.errors import ApiError
from thaw.lab.emulator.extensions_api import Answer
from thaw.lab.emulator.runtime_api import MOST_RESPONSE_BYTES
from thaw.lab.emulator.sandbox import Sandbox

_RUNTIME = "/2018-06-01/runtime"
_EXTENSION = "/2020-01-01/extension"
_TELEMETRY = "/2022-07-01/telemetry"
_MOST_OTHER_BYTES = 1 << 20
_NESTED = b'{"eventType":' + b"[" * 60_000 + b"]" * 60_000 + b"}"

Call = Callable[[Sandbox, web.Request], Awaitable[Answer]]


class ApiServer:
    """Serves the local APIs on a free port of this machine.

    Args:
      sandbox: the environment that is there now; None between two.
      faults: the faults of the APIs.
    """

    def __init__(self, sandbox: Callable[[], Sandbox | None], faults: ApiFaults) -> None:
        self._sandbox, self._faults = sandbox, faults
        self._runner: web.AppRunner | None = None
        # Requests that are never answered wait for this event: a task that only its own future refers to
        # would be collected.
        self._closing = asyncio.Event()
        self.address = ""

    async def start(self) -> None:
        application = web.Application(client_max_size=MOST_RESPONSE_BYTES)
        for method, path, call in _ROUTES:
            application.router.add_route(method, path, self._handler(call))
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        host, port = listening.getsockname()
        self.address = f"{host}:{port}"
        await web.SockSite(self._runner, listening).start()

    async def close(self) -> None:
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    def _handler(self, call: Call) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            fault = self._faults.take(request.path)
            if fault == "500":
                return _response_of(ApiError(500, "Extension.ContainerError", "container error"))
            if fault == "html":
                return web.Response(text="<html><body>Bad Gateway</body></html>", content_type="text/html")
            if fault == "nested":
                return web.Response(body=_NESTED, content_type="application/json")
            if fault == "hang":
                await self._closing.wait()
            sandbox = self._sandbox()
            if fault in ("hang", "reset") or sandbox is None:
                if request.transport is not None:
                    request.transport.abort()
                return web.Response()
            try:
                answer = await call(sandbox, request)
            except ApiError as error:
                return _response_of(error)
            headers = {"Content-Type": "application/json", **answer.headers}
            if fault in ("cut", "stall"):
                response = await _begin(request, answer, headers)
                if fault == "stall":
                    await self._closing.wait()
                if request.transport is not None:
                    request.transport.close()
                return response
            return web.Response(body=answer.body, status=answer.status, headers=headers)

        return handle


async def _begin(request: web.Request, answer: Answer, headers: dict[str, str]) -> web.StreamResponse:
    """Sends the head and half of the body."""
    response = web.StreamResponse(
        status=answer.status, headers={**headers, "Content-Length": str(len(answer.body) + 1)}
    )
    await response.prepare(request)
    await response.write(answer.body[: len(answer.body) // 2])
    return response


def _response_of(error: ApiError) -> web.Response:
    return web.Response(body=error.body, status=error.status, content_type="application/json")


async def _small_body(request: web.Request) -> bytes:
    if (request.content_length or 0) > _MOST_OTHER_BYTES:
        raise ApiError(413, "RequestEntityTooLarge", f"a request has at most {_MOST_OTHER_BYTES} bytes here")
    return await _body(request) or b""


async def _body(request: web.Request) -> bytes | None:
    """Returns the body of a request; None if it is larger than a response may be."""
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        return None


# -- Runtime API


async def _next_invocation(sandbox: Sandbox, request: web.Request) -> Answer:
    return await sandbox.runtime.next_invocation()


async def _response(sandbox: Sandbox, request: web.Request) -> Answer:
    identifier = request.match_info["id"]
    sandbox.runtime.first_byte(identifier)
    return sandbox.runtime.response(identifier, request.headers, await _body(request))


async def _error(sandbox: Sandbox, request: web.Request) -> Answer:
    return sandbox.runtime.error(request.match_info["id"], request.headers, await _small_body(request))


async def _init_error(sandbox: Sandbox, request: web.Request) -> Answer:
    return sandbox.runtime.init_error(request.headers, await _small_body(request))


async def _restore_next(sandbox: Sandbox, request: web.Request) -> Answer:
    return await sandbox.runtime.restore_next()


async def _restore_error(sandbox: Sandbox, request: web.Request) -> Answer:
    return sandbox.runtime.restore_error(request.headers, await _small_body(request))


# -- Extensions API


async def _register(sandbox: Sandbox, request: web.Request) -> Answer:
    return sandbox.extensions.register(request.headers, await _small_body(request))


async def _next_event(sandbox: Sandbox, request: web.Request) -> Answer:
    return await sandbox.extensions.next_event(request.headers)


async def _extension_init_error(sandbox: Sandbox, request: web.Request) -> Answer:
    return sandbox.extensions.error(request.headers, await _small_body(request), phase="init")


async def _extension_exit_error(sandbox: Sandbox, request: web.Request) -> Answer:
    return sandbox.extensions.error(request.headers, await _small_body(request), phase="exit")


# -- Telemetry API and credentials


async def _subscribe(sandbox: Sandbox, request: web.Request) -> Answer:
    extension = sandbox.extensions.identify(request.headers)
    sandbox.telemetry.subscribe(extension.name, await _small_body(request))
    return Answer(b'"OK"', {"Content-Type": "text/plain"})


async def _credentials(sandbox: Sandbox, request: web.Request) -> Answer:
    if request.headers.get("Authorization") != sandbox.environment.authorization_token:
        raise ApiError(403, "InvalidAuthorization", "Authorization is not AWS_CONTAINER_AUTHORIZATION_TOKEN")
    return Answer(sandbox.environment.credentials())


_ROUTES: tuple[tuple[str, str, Call], ...] = (
    ("GET", f"{_RUNTIME}/invocation/next", _next_invocation),
    ("POST", f"{_RUNTIME}/invocation/{{id}}/response", _response),
    ("POST", f"{_RUNTIME}/invocation/{{id}}/error", _error),
    ("POST", f"{_RUNTIME}/init/error", _init_error),
    ("GET", f"{_RUNTIME}/restore/next", _restore_next),
    ("POST", f"{_RUNTIME}/restore/error", _restore_error),
    ("POST", f"{_EXTENSION}/register", _register),
    ("GET", f"{_EXTENSION}/event/next", _next_event),
    ("POST", f"{_EXTENSION}/init/error", _extension_init_error),
    ("POST", f"{_EXTENSION}/exit/error", _extension_exit_error),
    ("PUT", _TELEMETRY, _subscribe),
    ("GET", CREDENTIALS_PATH, _credentials),
)
# Paths of the local APIs; {id} stands for a request's id.
PATHS = tuple(path for _, path, _ in _ROUTES)
