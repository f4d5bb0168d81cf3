"""Programs for the emulator's tests: extensions and runtimes of a few lines, good ones and bad ones."""

from __future__ import annotations

import json
import pathlib
import sys
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
from aiohttp import web

from . import polling

_EXTENSION = """
import http.client, json, os, signal, sys, threading, time

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
NAME = os.path.basename(__file__)

def call(method, path, headers={}, body=None, connection=http.client.HTTPConnection(API)):
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()

def register(events=("INVOKE", "SHUTDOWN"), name=NAME):
    body = json.dumps({"events": events})
    _, headers, _ = call("POST", "/2020-01-01/extension/register", {"Lambda-Extension-Name": name}, body)
    return {"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}

def next_event(me):
    status, _, body = call("GET", "/2020-01-01/extension/event/next", me)
    return json.loads(body) if status == 200 else status

def loop(me):
    while (event := next_event(me))["eventType"] != "SHUTDOWN":
        yield event
    print(json.dumps(event), flush=True)
"""

_RUNTIME = """
import http.client, json, os, signal, subprocess, sys, threading, time

API = os.environ["AWS_LAMBDA_RUNTIME_API"]

def call(method, path, headers={}, body=None, connection=http.client.HTTPConnection(API)):
    connection.request(method, "/2018-06-01/runtime" + path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()

def invocations():
    while True:
        status, headers, body = call("GET", "/invocation/next")
        yield headers["Lambda-Runtime-Aws-Request-Id"], json.loads(body), headers

def respond(request_id, answer, headers={}):
    return call("POST", f"/invocation/{request_id}/response", headers, json.dumps(answer))
"""

ECHO = """
for request_id, event, headers in invocations():
    respond(request_id, event)
"""


def extension(folder: pathlib.Path, name: str, program: str) -> pathlib.Path:
    """An executable file of that name."""
    path = folder / name
    # -S and -E: Python starts faster, and ignores the variables of the environment.
    path.write_text(f"#!{sys.executable} -SE\n{_EXTENSION}\n{textwrap.dedent(program)}")
    path.chmod(0o755)
    return path


def runtime(folder: pathlib.Path, program: str = ECHO) -> list[str]:
    """A command that is a runtime."""
    path = folder / "runtime.py"
    path.write_text(f"{_RUNTIME}\n{textwrap.dedent(program)}")
    return [sys.executable, "-SE", str(path)]


class Caller:
    """Calls the local APIs as an extension or a runtime does: real HTTP."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._session = aiohttp.ClientSession()

    async def __call__(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Any = None
    ) -> tuple[int, Any, Mapping[str, str]]:
        """Makes a call. Returns status, decoded JSON and headers."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        url = f"http://{self._address}{path}"
        async with self._session.request(method, url, headers=headers, data=data) as answer:
            text = await answer.read()
            return answer.status, json.loads(text) if text else None, answer.headers

    async def register(self, name: str, events: list[str]) -> dict[str, str]:
        """Registers an extension. Returns the header with its identifier."""
        status, _, headers = await self(
            "POST",
            "/2020-01-01/extension/register",
            {"Lambda-Extension-Name": name},
            {"events": events},
        )
        assert status == 200
        return {"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}

    async def __aenter__(self) -> Caller:
        return self

    async def __aexit__(self, *unused: object) -> None:
        await self._session.close()


SUBSCRIBER = """
me = register(json.loads(os.environ.get("EVENTS", '["INVOKE", "SHUTDOWN"]')))
status, _, body = call("PUT", "/2022-07-01/telemetry", me, os.environ["SUBSCRIBE"])
print(status, body.decode(), flush=True)
for event in loop(me):
    pass
"""


class Listener:
    """A subscriber to telemetry outside of the environment: it is not frozen, so it sees when records come.

    Attributes:
      batches: the records of each request.
      statuses: the statuses of the next answers; later requests are answered with 200.
    """

    def __init__(self) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.statuses: list[int] = []
        self.bodies: list[bytes] = []

    @property
    def records(self) -> list[dict[str, Any]]:
        return [record for batch in self.batches for record in batch]

    @property
    def kinds(self) -> list[str]:
        return [record["type"] for record in self.records]

    def of(self, kind: str) -> list[Any]:
        return [record["record"] for record in self.records if record["type"] == kind]

    async def until(self, done: Callable[[], bool]) -> None:
        await polling.until(done)

    def subscription(self, **members: Any) -> str:
        asked = {
            "schemaVersion": "2022-12-13",
            "types": ["platform", "function", "extension"],
            "destination": {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{self.port}/records"},
            "buffering": {"timeoutMs": 25},
            **members,
        }
        return json.dumps(asked)

    async def __aenter__(self) -> Listener:
        application = web.Application(client_max_size=1 << 22)
        application.router.add_post("/records", self._take)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port: int = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *unused: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.statuses:
            return web.Response(status=self.statuses.pop(0))
        self.bodies.append(body)
        try:
            self.batches.append(json.loads(body))
        except ValueError:
            return web.Response(status=400)
        return web.Response()
