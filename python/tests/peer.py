"""Peers for the tests: an HTTP server on 127.0.0.1, with TLS or without, whose handlers decide on each byte.

The laboratory's intake does what a `Script` of plain values says, in a process of its own. Tests of the
client need functions that decide about each request, send half of an answer or none, and look at what they
received in the test's own process. Therefore this server exists beside the intake.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass
class Received:
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class ClosedError(Exception):
    """The client ended the connection."""


@dataclass
class Connection:
    """One accepted connection, for handlers that read and write its bytes."""

    socket: socket.socket
    number: int  # counted from 1
    requests: int = 0
    buffer: bytes = b""

    def read(self) -> bytes:
        data = self.socket.recv(65536)
        if not data:
            raise ClosedError
        return data

    def next_request(self) -> Received:
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.read()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(self.buffer) < length:
            self.buffer += self.read()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        self.requests += 1
        return Received(method, target, headers, body)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        raise ClosedError


def answer(status: int = 202, body: bytes = b"{}", headers: dict[str, str] | None = None) -> bytes:
    """A whole HTTP/1.1 answer."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


Handler = Callable[[Connection, Received], bytes | None]


@dataclass
class Peer:
    """A server that hands each request to `handler` and sends its result; None: the handler has answered."""

    handler: Handler = lambda connection, request: answer()
    context: ssl.SSLContext | None = None
    accepted: int = 0
    handshakes: int = 0
    received: list[Received] = field(default_factory=list)
    # Set at the end of a test, for handlers that hold an answer back.
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.ended.set()
        # Wakes accept(); close() alone does not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.accepted += 1
                self._open.add(accepted)
                number = self.accepted
            threading.Thread(target=self._serve, args=(accepted, number), daemon=True).start()

    def _serve(self, accepted: socket.socket, number: int) -> None:
        stream = accepted
        try:
            if self.context is not None:
                stream = self.context.wrap_socket(accepted, server_side=True)
                with self._lock:
                    self._open.discard(accepted)
                    self._open.add(stream)
                    self.handshakes += 1
            connection = Connection(stream, number)
            while True:
                request = connection.next_request()
                with self._lock:
                    self.received.append(request)
                if (reply := self.handler(connection, request)) is not None:
                    connection.send(reply)
        except (ClosedError, OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.discard(stream)
                self._open.discard(accepted)
            stream.close()


@contextlib.contextmanager
def peer(handler: Handler | None = None, context: ssl.SSLContext | None = None) -> Iterator[Peer]:
    server = Peer(handler or (lambda connection, request: answer()), context)
    try:
        yield server
    finally:
        server.close()


def connect_proxy(
    refusal: bytes | None = None, *, welcome: bytes = b"HTTP/1.1 200 Connected\r\n\r\n"
) -> Handler:
    """A handler that speaks CONNECT: joins both sides, or answers with `refusal` and ends."""

    def handle(connection: Connection, request: Received) -> bytes | None:
        if refusal is not None:
            connection.send(refusal)
            raise ClosedError
        host, _, port = request.target.rpartition(":")
        with socket.create_connection((host, int(port))) as upstream:
            connection.send(welcome)

            def back() -> None:
                with contextlib.suppress(OSError):
                    while data := upstream.recv(65536):
                        connection.send(data)
                    connection.socket.shutdown(socket.SHUT_WR)

            threading.Thread(target=back, daemon=True).start()
            while data := connection.socket.recv(65536):
                upstream.sendall(data)
        raise ClosedError

    return handle
