"""The client of an arm that is not thaw's own: a `Post` for each payload, and none is kept."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from thaw.lab import own_clients
from thaw.lab.arms import Arm
from thaw.lab.intake import encode
from thaw.lab.own_clients import Post
from thaw.lab.workload import Body
from thaw.lab.worlds.client import NotTold, end_without_fates

_PATH = "/api/v0.2/traces"


class Outside(NotTold):
    """Calls the client for each payload of a flush: in turn, or all at once if it declares that."""

    def __init__(self, arm: Arm, url: str, ca_file: str, exchange_timeout: float) -> None:
        self._url, self._ca_file, self._timeout = url + _PATH, ca_file, exchange_timeout
        self._ready: list[bytes] = []
        self._requests = 0
        self._concurrent = False
        self._loop: asyncio.AbstractEventLoop | None = None
        if arm.maker == "command":
            self._send: Any = own_clients.Command(*arm.source)
        else:
            file, name = arm.source
            declared = own_clients.load(file)[name]
            self._concurrent, self._send = declared.concurrent, declared.make()

    def prepare(self, where: tuple[int, int], body: Body) -> None:
        self._ready.append(encode.agent_payload(body.data, body.headers))

    def flush(self, deadline: float) -> dict[str, Any]:
        ready, self._ready = self._ready, []
        self._requests += len(ready)
        timeout = min(deadline, self._timeout)
        posts = [Post(self._url, body, encode.INTAKE_HEADERS, self._ca_file, timeout) for body in ready]
        if self._concurrent:
            outcomes = self._run(self._send_all(posts))
        else:
            outcomes = [self._send_one(post) for post in posts]
        errors = [each for each in outcomes if each is not None]
        return {"delivered": len(posts) - len(errors), "errors": errors}

    def _send_one(self, post: Post) -> str | None:
        """Sends one payload. Returns why that failed, or None."""
        try:
            status = self._send(post)
            if inspect.isawaitable(status):
                status = self._run(status)
        except Exception as error:  # another project's client may raise any type
            return f"{type(error).__name__}: {error}"
        return _refusal(status)

    async def _send_all(self, posts: list[Post]) -> list[str | None]:
        answers = await asyncio.gather(*map(self._send, posts), return_exceptions=True)
        return [
            f"{type(each).__name__}: {each}" if isinstance(each, BaseException) else _refusal(each)
            for each in answers
        ]

    def _run(self, awaited: Any) -> Any:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(awaited)

    def exchanges(self) -> list[dict[str, Any]]:
        return []

    def finish(self, deadline: float) -> dict[str, Any]:
        return end_without_fates(self._requests)


def _refusal(status: Any) -> str | None:
    """Returns why an answer is no success, or None."""
    if isinstance(status, bool) or not isinstance(status, int):
        return f"the client returned {status!r}, not a status"
    return None if 200 <= status < 300 else f"status {status}"
