"""The intake's process: one selectors loop over non-blocking sockets, TLS on memory buffers.

TLS is kept apart from the socket so that what happens on the wire is exact: a connection can be forgotten,
reset or left unread in the middle of anything. Requests are stored as they come and decoded when that is
asked for, so that decoding never delays an answer.

Commands come as JSON lines on standard input, `{"id": 1, "op": "counts"}`; replies and events go out the
same way on standard output. `intake.Intake` is the other end. A single thread; times are seconds of the
monotonic clock.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import functools
import heapq
import itertools
import json
import os
import selectors
import signal
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from thaw.lab.certificates import TlsVersionName, server_context
from thaw.lab.intake import decode
from thaw.lab.intake.script import Answer, CloseKind, Phase, Script

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_READ_BYTES = 1 << 18
# Seconds within which any sender waits for an answer; a later one may be missed.
_PROMPT = 0.1
_BODY_HOLD_BYTES = 1024  # of a body, before it is held
_SMALL_WINDOW_BYTES = 4096  # receive buffer while bodies are held
_SMALL_SEGMENT_BYTES = 536  # and the segment size: a sender's first send buffer is a multiple of it

State = Literal["waiting", "handshake", "open", "forgotten", "draining", "closed"]


class _Timers:
    """Calls due at a time, in their order."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()

    def at(self, when: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (when, next(self._number), call))

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        self.at(time.monotonic() + seconds, call)

    def wait(self) -> float | None:
        """Seconds until the next call, None without one."""
        return max(0.0, self._heap[0][0] - time.monotonic()) if self._heap else None

    def run(self) -> None:
        now = time.monotonic()
        while self._heap and self._heap[0][0] <= now:
            heapq.heappop(self._heap)[2]()


@dataclass
class _Head:
    """A request's head, and how its body is delimited."""

    method: str
    target: str
    headers: dict[str, str]
    length: int  # -1: chunked

    @classmethod
    def parse(cls, data: bytes) -> _Head:
        first, *lines = data.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }
        chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        return cls(method, target, headers, -1 if chunked else int(headers.get("content-length", "0")))


def _take_chunked(buffer: bytes) -> tuple[bytes, bytes] | None:
    """Body and rest, or None while the last chunk isn't there."""
    body = b""
    at = 0
    while (end := buffer.find(b"\r\n", at)) >= 0:
        size = int(buffer[at:end].split(b";")[0], 16)
        if len(buffer) < end + 2 + size + 2:
            return None
        body += buffer[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
        if size == 0:
            return body, buffer[at:]
    return None


@dataclass
class _Counts:
    """What happened since the start."""

    accepted: int = 0
    handshakes_full: int = 0
    handshakes_resumed: int = 0
    handshakes_failed: int = 0
    requests: int = 0  # read whole
    body_bytes: int = 0
    closed_idle: int = 0
    statuses: collections.Counter[str] = field(default_factory=collections.Counter)


class _Connection:
    """One accepted socket and its TLS."""

    def __init__(self, server: _Server, sock: socket.socket, number: int, script: Script) -> None:
        self._server = server
        self.sock = sock
        self.number = number
        self.script = script
        self.state: State = "handshake"
        self.idle_since: float | None = None
        self.held: Phase | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = server.context(script).wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._plain = b""
        self._unsent = bytearray()
        self._head: _Head | None = None
        self._requests = 0
        self._answering = False
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
        self._incoming.write(data)
        self._turn()

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

    # -- TLS and HTTP

    def _turn(self) -> None:
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
                if self._server.take_hold("head", self):
                    return
                self._become_idle()
            while data := self._tls.read(_READ_BYTES):
                self._plain += data
                self.idle_since = None
            self._close()  # close_notify
        except ssl.SSLWantReadError:
            self._flush_tls()
            self._read_requests()
        except (ssl.SSLError, OSError):
            if self.state == "handshake":
                self._server.counts.handshakes_failed += 1
            self._flush_tls()  # an alert
            self._close()
        except ValueError:
            self._reset()  # not HTTP

    def _read_requests(self) -> None:
        while self.state == "open" and not self._answering:
            if self._head is None:
                end = self._plain.find(b"\r\n\r\n")
                if end < 0:
                    return
                self._head = _Head.parse(self._plain[:end])
                self._plain = self._plain[end + 4 :]
                if self._head.headers.get("expect", "").lower() == "100-continue":
                    self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            if self._head.length >= 0:
                if len(self._plain) < self._head.length:
                    if len(self._plain) >= _BODY_HOLD_BYTES and self._server.take_hold("body", self):
                        return
                    return
                body, self._plain = self._plain[: self._head.length], self._plain[self._head.length :]
            elif (taken := _take_chunked(self._plain)) is not None:
                body, self._plain = taken
            else:
                return
            head, self._head = self._head, None
            self._on_request(head, body)

    def _on_request(self, head: _Head, body: bytes) -> None:
        answer = (*self.script.answers, self.script.answer)[min(self._requests, len(self.script.answers))]
        self._requests += 1
        self._answering = True
        self._server.record(self, head, body, answer)
        if self._server.take_hold("written", self):
            return
        if self._server.wants("answer"):
            encoded = Answer().encode()
            self.send(encoded[: encoded.index(b"\r\n") // 2])
            self._server.take_hold("answer", self)
            return
        if answer.delay:
            self._server.timers.after(answer.delay, lambda: self._answer(answer))
        else:
            self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        if self.state != "open" or answer.action == "black_hole":
            return
        if answer.action == "close":
            self.end("fin")
        elif answer.action == "reset":
            self._reset()
        elif answer.action == "half":
            encoded = answer.encode()
            self.send(encoded[: len(encoded) // 2])
            self.end("fin")
        else:
            self.send(answer.encode())
            self._answering = False
            if answer.close_after:
                self.end("fin")
            else:
                self._become_idle()
                self._read_requests()

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
        """close_notify and FIN. What a peer has sent and we have not read would turn close() into a reset."""
        unread = self._paused
        if self.state == "open":
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
        """Drops all state without a packet; the next byte that comes is answered by a reset."""
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


class _Server:
    """The listener, its connections, and the commands."""

    def __init__(self, chain_file: str, key_file: str, port: int) -> None:
        self.selector = selectors.DefaultSelector()
        self.timers = _Timers()
        self.counts = _Counts()
        self._files = (chain_file, key_file)
        self._contexts: dict[tuple[TlsVersionName, bool], ssl.SSLContext] = {}
        self._connections: dict[int, _Connection] = {}
        self._number = itertools.count(1)
        self._script = Script()
        self._next_scripts: collections.deque[Script] = collections.deque()
        self._hold: Phase | None = None
        self._held: _Connection | None = None
        self._stored: list[tuple[int, str, dict[str, str], bytes, bool, bool]] = []
        self._log: list[dict[str, Any]] = []
        self._spans: collections.Counter[int] = collections.Counter()
        self._untold: collections.Counter[int] = collections.Counter()
        self._stats: list[dict[str, Any]] = []
        self._undecodable: list[str] = []
        self._waiting_for_no_idle: list[int] = []
        self._accepting = True
        self._listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self._listener.setblocking(False)
        self._plain_options = [
            self._listener.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2,
            self._listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG),
        ]
        self.selector.register(self._listener, selectors.EVENT_READ)
        os.set_blocking(sys.stdin.fileno(), False)
        self.selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
        self._input = b""
        self._stopped = False

    def run(self) -> None:
        self._say({"event": "ready", "port": self._listener.getsockname()[1]})
        while not self._stopped:
            for key, mask in self.selector.select(self.timers.wait()):
                if isinstance(key.data, _Connection):
                    key.data.on_ready(mask)
                elif key.fileobj is self._listener:
                    self._accept()
                else:
                    self._read_commands()
            self.timers.run()

    # -- For connections

    def context(self, script: Script) -> ssl.SSLContext:
        kind = (script.tls_version, script.tickets)
        if kind == ("1.2", False):
            # TLS 1.2 resumes by session id, too: a context of its own knows no session of another connection.
            return server_context(*self._files, version="1.2", tickets=False)
        if kind not in self._contexts:
            self._contexts[kind] = server_context(
                *self._files, version=script.tls_version, tickets=script.tickets
            )
        return self._contexts[kind]

    def wants(self, phase: Phase) -> bool:
        return self._hold == phase

    def take_hold(self, phase: Phase, connection: _Connection | None) -> bool:
        """Whether the exchange is held here; if so it is paused and the runner told."""
        if self._hold != phase and (connection is None or connection.script.hold != phase):
            return False
        self._hold = None
        self._held = connection
        if connection is not None:
            connection.held = phase
            connection.idle_since = None
            if phase in ("tls", "head", "body"):
                connection.pause()
        self._say({"event": "held", "phase": phase})
        return True

    def record(self, connection: _Connection, head: _Head, body: bytes, answer: Answer) -> None:
        self.counts.requests += 1
        self.counts.body_bytes += len(body)
        self.counts.statuses[str(answer.status)] += 1
        told = answer.action == "answer" and answer.delay <= _PROMPT
        self._stored.append((connection.number, head.target, head.headers, body, answer.accepts, told))

    def gone(self, connection: _Connection) -> None:
        self._connections.pop(connection.number, None)
        self.changed()

    def changed(self) -> None:
        if self._waiting_for_no_idle and not self._idle():
            for number in self._waiting_for_no_idle:
                self._say({"id": number, "ok": None})
            self._waiting_for_no_idle.clear()

    def _idle(self) -> list[_Connection]:
        return [
            each
            for each in self._connections.values()
            if each.idle_since is not None and each.state == "open"
        ]

    def _accept(self) -> None:
        if self.wants("connect"):
            self.selector.unregister(self._listener)
            self._accepting = False
            self.take_hold("connect", None)
            return
        while True:
            try:
                sock, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError:
                continue
            self._adopt(sock)

    def _adopt(self, sock: socket.socket) -> _Connection:
        self.counts.accepted += 1
        number = next(self._number)
        script = self._next_scripts.popleft() if self._next_scripts else self._script
        self._connections[number] = _Connection(self, sock, number, script)
        return self._connections[number]

    # -- Commands

    def _say(self, message: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    def _read_commands(self) -> None:
        try:
            data = os.read(sys.stdin.fileno(), 1 << 20)
        except BlockingIOError:
            return
        if not data:
            self._stopped = True  # the runner is gone
            return
        *lines, self._input = (self._input + data).split(b"\n")
        for line in lines:
            command = json.loads(line)
            number = command.pop("id")
            try:
                result = getattr(self, f"_op_{command.pop('op')}")(number, **command)
            except Exception as error:  # told to whoever asked
                self._say({"id": number, "error": f"{type(error).__name__}: {error}"})
            else:
                if result is not self:
                    self._say({"id": number, "ok": result})

    def _op_script(self, number: int, default: dict[str, Any], following: list[dict[str, Any]]) -> None:
        self._script = Script.from_json(default)
        self._next_scripts = collections.deque(Script.from_json(each) for each in following)
        for connection in self._connections.values():
            if connection.state != "handshake":
                connection.script = self._script

    def _op_hold(self, number: int, phase: Phase | None) -> None:
        self._hold = phase
        self._set_small_window(phase == "body")

    def _set_small_window(self, small: bool) -> None:
        window, segment = (_SMALL_WINDOW_BYTES, _SMALL_SEGMENT_BYTES) if small else self._plain_options
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        with contextlib.suppress(OSError):
            self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment if small else 0)

    def _op_act(self, number: int, close: CloseKind | None, delay: float) -> None:
        """Ends what is held, after `delay` seconds; None: lets go of it and serves it no further."""
        self._set_small_window(False)
        if not self._accepting:
            self._accepting = True
            self.selector.register(self._listener, selectors.EVENT_READ)
            try:
                self._held = self._adopt(self._listener.accept()[0])
            except OSError:
                self._held = None
        held, self._held = self._held, None
        if held is None or close is None:
            return
        if delay > 0:
            self.timers.after(delay, lambda: held.end(close))
        else:
            held.end(close)

    def _op_close_idle(self, number: int, close: CloseKind, delay: float) -> int:
        """Ends every connection that is idle now, after `delay` seconds. Returns how many."""
        idle = self._idle()
        for each in idle:
            if delay > 0:
                self.timers.after(delay, functools.partial(each.end, close))
            else:
                each.end(close)
        self.counts.closed_idle += len(idle)
        return len(idle)

    def _op_await_no_idle(self, number: int) -> object:
        if not self._idle():
            return None
        self._waiting_for_no_idle.append(number)
        return self  # answered later

    def _op_counts(self, number: int) -> dict[str, Any]:
        counts = dict(vars(self.counts), open=len(self._connections), idle=len(self._idle()))
        states = collections.Counter(each.state for each in self._connections.values())
        return {**counts, "statuses": dict(self.counts.statuses), "states": dict(states)}

    def _op_decode(self, number: int) -> int:
        """Decodes what is stored; returns how many requests that were."""
        stored, self._stored = self._stored, []
        for connection, target, headers, body, accepted, told in stored:
            spans: list[int] = []
            encoding = headers.get("content-encoding", "")
            try:
                if target.endswith("/api/v0.2/traces"):
                    spans = decode.span_ids(decode.agent_payload(body, encoding))
                    if accepted:
                        self._spans.update(spans)
                        if not told:
                            self._untold.update(spans)
                elif target.endswith("/api/v0.2/stats"):
                    self._stats.append(decode.stats_payload(body, encoding))
            except Exception as error:  # whatever a decoder says of bytes it can't read
                self._undecodable.append(f"{target}: {type(error).__name__}: {error}")
            self._log.append(
                {
                    "connection": connection,
                    "target": target,
                    "headers": headers,
                    "bytes": len(body),
                    "spans": len(spans),
                    "accepted": accepted,
                }
            )
        return len(stored)

    def _op_spans(self, number: int) -> dict[str, Any]:
        self._op_decode(number)
        return {
            "spans": list(self._spans.items()),
            "untold": list(self._untold.items()),
            "undecodable": self._undecodable,
        }

    def _op_requests(self, number: int) -> list[dict[str, Any]]:
        self._op_decode(number)
        return self._log

    def _op_stats(self, number: int) -> list[dict[str, Any]]:
        self._op_decode(number)
        return [_printable(each) for each in self._stats]

    def _op_stop(self, number: int) -> None:
        self._stopped = True


def _printable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _printable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_printable(each) for each in value]
    return value.hex() if isinstance(value, bytes) else value


def main() -> None:
    parser = argparse.ArgumentParser(description="The process of thaw.lab.intake.Intake.")
    parser.add_argument("chain_file")
    parser.add_argument("key_file")
    parser.add_argument("port", type=int)
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the runner
    _Server(arguments.chain_file, arguments.key_file, arguments.port).run()


if __name__ == "__main__":
    main()
