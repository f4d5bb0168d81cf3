"""The intake's process: one selectors loop over the listener, its connections, and commands.

Commands come as JSON lines on standard input, `{"id": 1, "op": "counts"}`; replies and events go out the
same way on standard output. `client.Intake` is the other end. A single thread; times are seconds of the
monotonic clock.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import functools
import itertools
import json
import os
import selectors
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable
from typing import Any

from thaw.lab.certificates import TlsVersionName, server_context
from thaw.lab.intake.client_hello import Hello
from thaw.lab.intake.connection import Connection, Counts
from thaw.lab.intake.receive_window import ReceiveWindow
from thaw.lab.intake.request_parsing import Head
from thaw.lab.intake.script import Answer, CloseKind, Phase, Script
from thaw.lab.intake.stored_requests import StoredRequest, StoredRequests
from thaw.lab.intake.timers import Timers, ready

# Seconds within which any sender waits for an answer; a later one may be missed.
_PROMPT = 0.1
_MOST_HELLOS = 1000


class _Server:
    """The listener, its connections, and the commands."""

    def __init__(self, chain_file: str, key_file: str, port: int, address: str) -> None:
        self._epoll = selectors.EpollSelector()
        self.selector: selectors.BaseSelector = self._epoll
        self.timers = Timers()
        self.counts = Counts()
        self.hellos: collections.deque[Hello] = collections.deque(maxlen=_MOST_HELLOS)
        self._files = (chain_file, key_file)
        self._contexts: dict[tuple[TlsVersionName, bool], ssl.SSLContext] = {}
        self._connections: dict[int, Connection] = {}
        self._number = itertools.count(1)
        self._script = Script()
        self._next_scripts: collections.deque[Script] = collections.deque()
        self._hold: Phase | None = None
        self._held: Connection | None = None
        self._released: Connection | None = None
        self._requests = StoredRequests()
        self._period = 0
        self._waiting_for_no_idle: list[int] = []
        self._accepting = True
        self._timed_closes: list[float] = []
        self._listener = socket.create_server((address, port), backlog=512)
        self._listener.setblocking(False)
        self._window = ReceiveWindow(self._listener)
        self.selector.register(self._listener, selectors.EVENT_READ)
        os.set_blocking(sys.stdin.fileno(), False)
        self.selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
        self._input = b""
        self._operations: dict[str, Callable[..., Any]] = {
            "script": self._script_connections,
            "hold": self._hold_next,
            "act": self._act,
            "release": self._release,
            "close_idle": self._close_idle,
            "timed_closes": self._take_timed_closes,
            "counts": self._current_counts,
            "hellos": lambda: [dataclasses.asdict(each) for each in self.hellos],
            "decode": lambda: self._requests.decode(),
            "times": lambda **given: self._requests.times(**given),
            "period": self._begin_period,
            "first_periods": lambda: self._requests.first_periods(),
            "requests": lambda: self._requests.log(),
            "take_lines": lambda: self._requests.take_lines(),
            "take_points": lambda: self._requests.take_points(),
            "weigh": lambda: self._requests.weigh(),
            "stats": lambda: self._requests.stats(),
            "logs": lambda: self._requests.logs(),
            "all_points": lambda: self._requests.all_points(),
            "events": lambda: self._requests.events(),
            "checks": lambda: self._requests.checks(),
            "begin_anew": self._begin_anew,
            "stop": self._stop,
        }
        self._stopped = False

    def run(self) -> None:
        self._write_message({"event": "ready", "port": self._listener.getsockname()[1]})
        while not self._stopped:
            for key, mask in ready(self._epoll, self.timers.wait()):
                if isinstance(key.data, Connection):
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
            return server_context(*self._files, version="1.2", tickets=False, http2=True)
        if kind not in self._contexts:
            self._contexts[kind] = server_context(
                *self._files, version=script.tls_version, tickets=script.tickets, http2=True
            )
        return self._contexts[kind]

    def wants(self, phase: Phase) -> bool:
        return self._hold == phase

    def take_hold(self, phase: Phase, connection: Connection | None) -> bool:
        """Pauses the exchange and tells the runner if it is to be held here. Returns whether it is."""
        if self._hold != phase and (connection is None or connection.script.hold != phase):
            return False
        self._hold = None
        self._held = connection
        if connection is not None:
            connection.held = phase
            connection.idle_since = None
            if phase in ("tls", "head", "body"):
                connection.pause()
        self._write_message({"event": "held", "phase": phase})
        return True

    def record(self, connection: Connection, head: Head, body: bytes, answer: Answer) -> None:
        self.counts.requests += 1
        self.counts.body_bytes += len(body)
        self.counts.statuses[str(answer.status)] += 1
        answered = answer.action == "answer" and answer.delay <= _PROMPT
        self._requests.add(
            StoredRequest(
                connection.number,
                head.target,
                head.headers,
                body,
                answer.accepts,
                answered,
                head.version,
                self._period,
            )
        )

    def gone(self, connection: Connection) -> None:
        self._connections.pop(connection.number, None)
        self.changed()

    def changed(self) -> None:
        if self._waiting_for_no_idle and not self._idle():
            for number in self._waiting_for_no_idle:
                self._write_message({"id": number, "ok": None})
            self._waiting_for_no_idle.clear()

    def _idle(self) -> list[Connection]:
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

    def _adopt(self, sock: socket.socket) -> Connection:
        self.counts.accepted += 1
        self._window.adopt(sock)
        number = next(self._number)
        script = self._next_scripts.popleft() if self._next_scripts else self._script
        self._connections[number] = Connection(self, sock, number, script)
        return self._connections[number]

    # -- Commands

    def _write_message(self, message: dict[str, Any]) -> None:
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
            self._run_command(json.loads(line))

    def _run_command(self, command: dict[str, Any]) -> None:
        number, operation = command.pop("id"), command.pop("op")
        if operation == "await_no_idle":
            self._await_no_idle(number)
            return
        try:
            result = self._operations[operation](**command)
        except Exception as error:  # told to the other end, which asked
            self._write_message({"id": number, "error": f"{type(error).__name__}: {error}"})
        else:
            self._write_message({"id": number, "ok": result})

    def _script_connections(self, default: dict[str, Any], following: list[dict[str, Any]]) -> None:
        self._script = Script.from_json(default)
        self._next_scripts = collections.deque(Script.from_json(each) for each in following)
        for connection in self._connections.values():
            if connection.state != "handshake":
                connection.script = self._script

    def _hold_next(self, phase: Phase | None) -> None:
        self._hold = phase
        self._released = None
        self._set_small_window(phase == "body")

    def _set_small_window(self, small: bool) -> None:
        if small:
            self._window.shrink()
        else:
            self._window.restore(each.sock for each in self._connections.values() if each.state != "closed")

    def _begin_period(self, number: int) -> None:
        self._period = number

    def _release(self) -> None:
        """Goes on with the exchange that is held."""
        self._set_small_window(False)
        if not self._accepting:
            self._accepting = True
            self.selector.register(self._listener, selectors.EVENT_READ)
        if self._held is not None:
            self._released, self._held = self._held, None
            self._released.release()

    def _act(self, close: CloseKind | None, at: float | None) -> None:
        """Ends what is held, now or at that time; None: lets go of it and serves it no further."""
        self._set_small_window(False)
        if not self._accepting:
            self._accepting = True
            self.selector.register(self._listener, selectors.EVENT_READ)
            try:
                self._held = self._adopt(self._listener.accept()[0])
            except OSError:
                self._held = None
        held, self._held, self._released = self._held or self._released, None, None
        if held is None or close is None:
            return
        if at is None:
            held.end(close)
        else:
            self.timers.at(at, lambda: self._close_now(held, close))

    def _close_idle(self, close: CloseKind, at: float | None) -> int:
        """Ends every connection that is idle, now or at that time. Returns how many are idle now."""
        idle = self._idle()
        if at is None:
            self.counts.closed_idle += len(idle)
            for each in idle:
                each.end(close)
        else:
            self.timers.at(at, functools.partial(self._close_still_idle, idle, close))
        return len(idle)

    def _close_still_idle(self, idle: list[Connection], close: CloseKind) -> None:
        """Ends those of the connections that have not begun to read a request meanwhile, as a limit on idle
        time would.
        """
        for each in idle:
            if each.state == "open" and each.idle_since is not None:
                self.counts.closed_idle += 1
                self._close_now(each, close)

    def _close_now(self, connection: Connection, close: CloseKind) -> None:
        self._timed_closes.append(time.monotonic())
        connection.end(close)

    def _take_timed_closes(self) -> list[float]:
        times, self._timed_closes = self._timed_closes, []
        return times

    def _await_no_idle(self, number: int) -> None:
        """Answers command `number` when no connection is idle any more."""
        self._waiting_for_no_idle.append(number)
        self.changed()

    def _current_counts(self) -> dict[str, Any]:
        counts = dict(vars(self.counts), open=len(self._connections), idle=len(self._idle()))
        states = collections.Counter(each.state for each in self._connections.values())
        return {**counts, "statuses": dict(self.counts.statuses), "states": dict(states)}

    def _begin_anew(self) -> None:
        """Ends every connection and forgets all that was counted and stored; scripts stay."""
        self._release()
        self._hold = self._released = None
        for each in list(self._connections.values()):
            each.end("rst")
        self.counts, self._requests, self._period = Counts(), StoredRequests(), 0
        self.hellos.clear()
        self._timed_closes.clear()

    def _stop(self) -> None:
        self._stopped = True


def main() -> None:
    parser = argparse.ArgumentParser(description="The process of thaw.lab.intake.Intake.")
    parser.add_argument("chain_file")
    parser.add_argument("key_file")
    parser.add_argument("port", type=int)
    parser.add_argument("address")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is meant for the runner
    _Server(arguments.chain_file, arguments.key_file, arguments.port, arguments.address).run()


if __name__ == "__main__":
    main()
