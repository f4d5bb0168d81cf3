"""One connection of the intake: a non-blocking socket, and TLS on memory buffers.

TLS is kept apart from the socket so that what happens on the wire is exact: a connection can be forgotten,
reset or left unread in the middle of anything.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import selectors
import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from thaw.lab.intake.client_hello import Hello, HelloReader
from thaw.lab.intake.http2 import Http2Request, Http2Session
from thaw.lab.intake.request_parsing import Head, take_chunked
from thaw.lab.intake.script import Answer, CloseKind, Phase, Script
from thaw.lab.intake.timers import Timers

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_READ_BYTES = 1 << 18
_BODY_HOLD_BYTES = 1024  # of a body, before it is held
_FRAME_HEAD_BYTES = 9  # of an HTTP/2 frame, before what it carries

State = Literal["waiting", "handshake", "open", "forgotten", "draining", "closed"]


@dataclass
class Counts:
    """Counts since the start."""

    accepted: int = 0
    handshakes_full: int = 0
    handshakes_resumed: int = 0
    handshakes_failed: int = 0
    requests: int = 0  # read whole
    body_bytes: int = 0
    closed_idle: int = 0
    statuses: collections.Counter[str] = field(default_factory=collections.Counter)


class Owner(Protocol):
    """The server that accepted a connection, as the connection sees it."""

    selector: selectors.BaseSelector
    timers: Timers
    counts: Counts
    hellos: collections.deque[Hello]

    def context(self, script: Script) -> ssl.SSLContext: ...

    def wants(self, phase: Phase) -> bool:
        """Returns whether the next exchange that gets to `phase` is to be held."""

    def take_hold(self, phase: Phase, connection: Connection | None) -> bool:
        """Pauses the exchange and tells the runner if it is to be held here. Returns whether it is."""

    def record(self, connection: Connection, head: Head, body: bytes, answer: Answer) -> None:
        """Stores a request that was read whole."""

    def gone(self, connection: Connection) -> None:
        """Takes note that the connection is closed."""

    def changed(self) -> None:
        """Takes note that fewer connections may be idle."""


class Connection:
    """One accepted socket and its TLS."""

    def __init__(self, server: Owner, sock: socket.socket, number: int, script: Script) -> None:
        self._server = server
        self.sock = sock
        self.number = number
        self.script = script
        self.state: State = "handshake"
        self.idle_since: float | None = None
        self.held: Phase | None = None
        self._hello = HelloReader()
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = server.context(script).wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._plain = b""
        self._unsent = bytearray()
        self._head: Head | None = None
        self._http2: Http2Session | None = None  # set if both sides agreed on it
        self._requests = 0
        self._answering = False
        self._cut = False  # part of an answer is sent, and the rest is not
        self._due: Callable[[], None] | None = None  # answers the exchange that is held, or goes on with that
        self._whole: collections.deque[Http2Request] = collections.deque()  # not looked at yet
        self._paused = False
        self._idle_generation = 0
        self._opened_at = time.monotonic()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server.selector.register(sock, selectors.EVENT_READ, self)

    # -- The wire

    def on_ready(self, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            self._send_now()
        if self.state == "closed" or not mask & selectors.EVENT_READ:
            return
        if self.state == "forgotten":
            self._reset()
            return
        if self.state == "handshake" and self._requests == 0 and self._server.take_hold("tls", self):
            return
        try:
            data = self.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._close()
            return
        if not data:
            self._close()
        elif self.state != "draining":
            latency = self.script.latency
            if latency:
                # Opening a connection takes a round trip, which a loopback doesn't have.
                opening = 2 * latency if self.state == "handshake" and not self._incoming.pending else 0.0
                when = max(time.monotonic() + latency, self._opened_at + opening + latency)
                self._server.timers.at(when, lambda: self._feed(data))
            else:
                self._feed(data)

    def _feed(self, data: bytes) -> None:
        if self.state not in ("handshake", "open"):
            return
        if self.state == "handshake" and (hello := self._hello.feed(data)) is not None:
            self._server.hellos.append(hello)
        self._incoming.write(data)
        self._process_input()

    def _flush_tls(self) -> None:
        if self._outgoing.pending:
            data = self._outgoing.read()
            if self.script.latency:
                self._server.timers.after(self.script.latency, lambda: self._queue(data))
            else:
                self._queue(data)

    def _queue(self, data: bytes) -> None:
        if self.state != "closed":
            self._unsent += data
            self._send_now()

    def _send_now(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: self.sock.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self._close()
            return
        self._watch()

    def _watch(self) -> None:
        """Sets what the loop waits for on this socket."""
        if self.state == "closed":
            return
        mask = (0 if self._paused else selectors.EVENT_READ) | (selectors.EVENT_WRITE if self._unsent else 0)
        registered = self.sock.fileno() in self._server.selector.get_map()
        if not mask:
            if registered:
                self._server.selector.unregister(self.sock)
        elif registered:
            self._server.selector.modify(self.sock, mask, self)
        else:
            self._server.selector.register(self.sock, mask, self)

    def pause(self) -> None:
        """Reads no more: the kernel's buffers fill up."""
        self._paused = True
        self._watch()

    def release(self) -> None:
        """Goes on where the exchange was held."""
        held, self.held = self.held, None
        if self.state not in ("handshake", "open"):
            return
        if held in ("tls", "head", "body"):
            self._paused = False
            self._watch()
        due, self._due = self._due, None
        if held == "head":
            self._become_idle()
            self._process_input()
        elif due is not None:
            due()

    # -- TLS and HTTP

    def _process_input(self) -> None:
        try:
            if self.state == "handshake":
                try:
                    self._tls.do_handshake()
                finally:
                    self._flush_tls()
                self.state = "open"
                counts = self._server.counts
                counts.handshakes_resumed += bool(self._tls.session_reused)
                counts.handshakes_full += not self._tls.session_reused
                if self._tls.selected_alpn_protocol() == "h2":
                    self._http2 = Http2Session()
                    self._send_http2()
                if self._server.take_hold("head", self):
                    return
                self._become_idle()
            while data := self._tls.read(_READ_BYTES):
                self._plain += data
                if self._http2 is None:
                    self.idle_since = None
            self._close()  # close_notify
        except ssl.SSLWantReadError:
            self._flush_tls()
            self._read_plain()
        except (ssl.SSLError, OSError):
            if self.state == "handshake":
                self._server.counts.handshakes_failed += 1
            self._flush_tls()  # an alert
            self._close()

    def _read_plain(self) -> None:
        try:
            if self._http2 is None:
                self._read_requests()
            else:
                self._read_http2(self._http2)
        except ValueError:
            self._reset()  # not HTTP

    def _read_requests(self) -> None:
        while self.state == "open" and not self._answering:
            if self._head is None:
                end = self._plain.find(b"\r\n\r\n")
                if end < 0:
                    return
                self._head = Head.parse(self._plain[:end])
                self._plain = self._plain[end + 4 :]
                if self._head.headers.get("expect", "").lower() == "100-continue":
                    self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            if self._head.length >= 0:
                if len(self._plain) < self._head.length:
                    if len(self._plain) >= _BODY_HOLD_BYTES and self._server.take_hold("body", self):
                        return
                    return
                body, self._plain = self._plain[: self._head.length], self._plain[self._head.length :]
            elif (taken := take_chunked(self._plain)) is not None:
                body, self._plain = taken
            else:
                return
            head, self._head = self._head, None
            self._on_request(head, body)

    def _read_http2(self, session: Http2Session) -> None:
        """Reads what came. Frames that belong to no request leave an idle connection idle."""
        data, self._plain = self._plain, b""
        self._whole.extend(session.receive(data))
        if session.busy:
            self.idle_since = None
        self._take_whole(session)
        if self.state != "open" or self.held is not None:
            return
        if session.unfinished_bytes >= _BODY_HOLD_BYTES and self._server.take_hold("body", self):
            return
        self._send_http2()

    def _take_whole(self, session: Http2Session) -> None:
        """Looks at each request that is there as a whole, until one is held."""
        while self._whole and self.state == "open" and self.held is None:
            request = self._whole.popleft()
            self._on_request(request.head, request.body, request.stream)

    def _send_http2(self) -> None:
        if self._http2 is not None and (data := self._http2.take_output()):
            self.send(data)

    def _on_request(self, head: Head, body: bytes, stream: int | None = None) -> None:
        answer = (*self.script.answers, self.script.answer)[min(self._requests, len(self.script.answers))]
        self._requests += 1
        self._answering = True
        self._server.record(self, head, body, answer)
        if self._server.take_hold("written", self):
            self._due = functools.partial(self._answer, answer, stream)
            return
        if self._server.wants("answer"):
            rest = self._send_part(Answer(), stream, of_head=True)
            self._due = functools.partial(self._send_rest, rest)
            self._server.take_hold("answer", self)
            return
        if answer.delay:
            self._server.timers.after(answer.delay, lambda: self._answer(answer, stream))
        else:
            self._answer(answer, stream)

    def _answer(self, answer: Answer, stream: int | None) -> None:
        if self.state != "open" or answer.action == "black_hole":
            return
        if answer.action == "close":
            self.end("fin")
        elif answer.action == "reset":
            self._reset()
        elif answer.action == "half":
            self._send_part(answer, stream)
            self.end("fin")
        elif self._http2 is not None and stream is not None:
            self._http2.answer(stream, answer)
            self._send_http2()
            self._answered(close_after=answer.close_after)
        else:
            self.send(answer.encode())
            self._answered(close_after=answer.close_after)

    def _answered(self, *, close_after: bool) -> None:
        self._answering = False
        if close_after:
            self.end("fin")
        elif self._http2 is not None:
            if not self._http2.busy:
                self._become_idle()
            self._take_whole(self._http2)
        else:
            self._become_idle()
            self._read_requests()

    def _send_rest(self, rest: bytes) -> None:
        self._cut = False
        self.send(rest)
        self._answered(close_after=False)

    def _send_part(self, answer: Answer, stream: int | None, *, of_head: bool = False) -> bytes:
        """Sends half of an answer, or half of its first line or frame. Returns what is not sent."""
        self._cut = True
        if self._http2 is not None and stream is not None:
            self._send_http2()
            self._http2.answer(stream, answer)
            encoded = self._http2.take_output()
            end = _FRAME_HEAD_BYTES + int.from_bytes(encoded[:3], "big") if of_head else len(encoded)
        else:
            encoded = answer.encode()
            end = encoded.index(b"\r\n") if of_head else len(encoded)
        self.send(encoded[: end // 2])
        return encoded[end // 2 :]

    def send(self, data: bytes) -> None:
        self._tls.write(data)
        self._flush_tls()

    def _become_idle(self) -> None:
        self.idle_since = time.monotonic()
        self._idle_generation += 1
        generation = self._idle_generation
        kind = self.script.idle_close
        if kind is not None:

            def expire() -> None:
                if (
                    self.state == "open"
                    and self.idle_since is not None
                    and generation == self._idle_generation
                ):
                    self._server.counts.closed_idle += 1
                    self.end(kind)

            self._server.timers.after(self.script.idle_after, expire)

    # -- Ends

    def end(self, kind: CloseKind) -> None:
        """Ends the connection as `kind` says, whatever state it is in."""
        if self.state in ("closed", "forgotten"):
            return
        if kind == "rst":
            self._reset()
        elif kind == "silent":
            self._forget()
        else:
            self._finish()

    def _finish(self) -> None:
        """Sends close_notify and FIN. Unread bytes are read first: they would turn close() into a reset."""
        unread = self._paused
        if self.state == "open":
            if self._http2 is not None and not self._cut:
                self._http2.say_goodbye()
                self._send_http2()
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
        self._flush_tls()
        if self.script.latency:
            self._server.timers.after(self.script.latency, self._close)
        elif unread or self._unsent:
            self.state = "draining"
            self._paused = False
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_WR)
            self._watch()
            self._server.timers.after(5.0, self._close)
        else:
            self._close()

    def _forget(self) -> None:
        """Drops all state without a packet; a reset follows the next byte that comes."""
        with contextlib.suppress(OSError):
            while self.sock.recv(_READ_BYTES):
                pass
        self.state = "forgotten"
        self._unsent.clear()
        self._paused = False
        self._watch()
        self._server.changed()

    def _reset(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._close()

    def _close(self) -> None:
        if self.state == "closed":
            return
        self.state = "closed"
        self.idle_since = None
        with contextlib.suppress(KeyError, ValueError):
            self._server.selector.unregister(self.sock)
        self.sock.close()
        self._server.gone(self)
