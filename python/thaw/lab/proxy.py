"""A proxy that speaks CONNECT and misbehaves on request.

    with Proxy() as proxy:
        requests.get("https://...", proxies={"https": proxy.url})
        proxy.tunnels

It runs an event loop in a thread of its own, on an ephemeral port of 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, Literal, Self

# The reaction to a CONNECT:
#   tunnel   the tunnel it asks for
#   refuse   502 Bad Gateway
#   stall    nothing, ever
#   cut      the tunnel, whose both sides are reset after `cut_after` bytes from the client
#   garbage  bytes that are no HTTP
ProxyBehaviour = Literal["tunnel", "refuse", "stall", "cut", "garbage"]

_READ_BYTES = 1 << 16


class Proxy:
    """A CONNECT proxy.

    Args:
      behaviour: the reaction to each CONNECT; may be changed later.
      credentials: "user:password", without which a CONNECT is answered with 407; None: all are served.
      cut_after: the bytes from the client after which a tunnel is reset, with behaviour "cut".
      leads_to: host and port to which every tunnel leads; None: those that the CONNECT names.
    """

    def __init__(
        self,
        behaviour: ProxyBehaviour = "tunnel",
        *,
        credentials: str | None = None,
        cut_after: int = 0,
        port: int = 0,
        leads_to: tuple[str, int] | None = None,
    ) -> None:
        self.behaviour: ProxyBehaviour = behaviour
        self.cut_after = cut_after
        self._credentials = credentials
        self._leads_to = leads_to
        self.tunnels = 0  # opened
        self.refused = 0  # answered by 407 or 502
        self.targets: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", port))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.accepted = 0
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """http://[user:password@]127.0.0.1:port"""
        user = f"{self._credentials}@" if self._credentials else ""
        return f"http://{user}127.0.0.1:{self.port}"

    def close(self) -> None:
        async def stop() -> None:
            self._server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = self._loop.create_task(self._guard(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guard(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self._serve(reader, writer)
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, _ = head.split("\r\n")[0].split(" ", 2)
        self.targets.append(target)
        if self.behaviour == "stall":
            await asyncio.Event().wait()
        if self.behaviour == "garbage":
            writer.write(b"\x00\x01garbage\r\n\r\n\xff")
            await writer.drain()
            return
        if not self._authorised(head):
            await self._refuse(
                writer, '407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="lab"'
            )
            return
        if self.behaviour == "refuse" or method != "CONNECT":
            await self._refuse(writer, "502 Bad Gateway")
            return
        named, _, number = target.rpartition(":")
        host, port = self._leads_to or (named.strip("[]"), int(number))
        try:
            upstream_reader, upstream = await asyncio.open_connection(host, port)
        except OSError:
            await self._refuse(writer, "502 Bad Gateway")
            return
        self.tunnels += 1
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await _join(
                _pump(reader, upstream, limit=self.cut_after if self.behaviour == "cut" else None),
                _pump(upstream_reader, writer),
            )
            if self.behaviour == "cut":
                writer.transport.abort()
        finally:
            upstream.close()

    def _authorised(self, head: str) -> bool:
        if self._credentials is None:
            return True
        wanted = base64.b64encode(self._credentials.encode()).decode()
        lines = (line.partition(":") for line in head.split("\r\n")[1:])
        values = [value.strip() for name, _, value in lines if name.lower() == "proxy-authorization"]
        return values == [f"Basic {wanted}"]

    async def _refuse(self, writer: asyncio.StreamWriter, status: str) -> None:
        self.refused += 1
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()


async def _join(*pumps: Coroutine[Any, Any, None]) -> None:
    """Copies both ways until one ends, and then cancels the other."""
    tasks = [asyncio.ensure_future(each) for each in pumps]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, limit: int | None = None
) -> None:
    """Copies until the end, or until `limit` bytes."""
    passed = 0
    while data := await reader.read(_READ_BYTES):
        if limit is not None:
            data = data[: limit - passed]
        passed += len(data)
        writer.write(data)
        await writer.drain()
        if limit is not None and passed >= limit:
            return
