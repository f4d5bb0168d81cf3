"""A proxy in user space that stands for a line where no network namespaces are allowed.

    relay = Relay(intake.port)
    client_for(relay.url)
    relay.cut(); relay.forget_connections("reset"); relay.join()

It ends TCP at both sides, so it has no packets: no SYN is lost, nothing is sent again, no address changes.
What it shows is what a connection becomes. While it is cut, bytes wait in it and are passed on when it joins,
as retransmissions would. A connection that the peer ends meanwhile, or that is forgotten with `reset`, meets
the client's next bytes with a reset; a lost FIN and what came before it are passed on 0.2 s after the join,
as a kernel would send them again. One that is forgotten with `drop` takes bytes and answers nothing.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from thaw.lab.line import ForgottenAnswer

Way = Literal["up", "down"]
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_READ_BYTES = 1 << 16
_RETRANSMISSION = 0.2  # seconds
_POLL = 0.005  # seconds between attempts to write to a side whose buffers are full


@dataclass
class _Pair:
    """A connection of the client and the one to the peer that it is passed on to.

    Attributes:
      waiting: bytes that came and are not passed on, for each way.
      on_next: the answer to the client's next bytes; None: they are passed on.
      fin_lost: whether the peer's FIN came while nothing was passed on.
    """

    client: socket.socket
    peer: socket.socket
    waiting: dict[Way, bytearray] = field(default_factory=lambda: {"up": bytearray(), "down": bytearray()})
    on_next: ForgottenAnswer | None = None
    peer_ended: bool = False
    fin_lost: bool = False
    client_ended: bool = False

    def target(self, way: Way) -> socket.socket:
        return self.peer if way == "up" else self.client


class Relay:
    """Passes connections of 127.0.0.1 on to another port there; has a thread of its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._open: dict[Way, bool] = {"up": True, "down": True}
        self._joined = 0.0
        self._held_back: dict[Way, int] = {"up": 0, "down": 0}  # reads that were not passed on at once
        self._pairs: list[_Pair] = []
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._ended, self._end = os.pipe()
        self._selector.register(self._ended, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    # -- What a line does

    def cut(self) -> None:
        with self._lock:
            self._open = {"up": False, "down": False}

    def hole(self, way: Way) -> None:
        with self._lock:
            self._open[way] = False

    def join(self) -> None:
        with self._lock:
            self._open = {"up": True, "down": True}
            self._joined = time.monotonic()
            for pair in list(self._pairs):
                self._pass_on(pair)

    def forget_connections(self, answer: ForgottenAnswer) -> None:
        with self._lock:
            for pair in self._pairs:
                pair.on_next = answer
                pair.fin_lost = False
                for waiting in pair.waiting.values():
                    waiting.clear()

    def counts(self) -> dict[str, Any]:
        """Returns the number of reads that were held back, under the name of a line's lost packets."""
        return {way: {"lost_in_hole": count} for way, count in self._held_back.items()}

    def close(self) -> None:
        os.write(self._end, b".")
        self._thread.join(timeout=10)
        for pair in self._pairs:
            pair.client.close()
            pair.peer.close()
        self._listener.close()
        self._selector.close()
        os.close(self._ended)
        os.close(self._end)

    # -- The thread

    def _run(self) -> None:
        while True:
            with self._lock:
                busy = any(
                    self._open[way] and (waiting or pair.fin_lost)
                    for pair in self._pairs
                    for way, waiting in pair.waiting.items()
                )
            for key, _ in self._selector.select(_POLL if busy else None):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.data is None:
                    return
                else:
                    with self._lock:
                        self._read(*key.data)
            with self._lock:
                for pair in list(self._pairs):
                    self._pass_on(pair)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            client, _ = self._listener.accept()
            try:
                peer = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                client.close()
                return
            pair = _Pair(client, peer)
            ways: tuple[tuple[socket.socket, Way], ...] = ((client, "up"), (peer, "down"))
            with self._lock:
                self._pairs.append(pair)
                for sock, way in ways:
                    sock.setblocking(False)
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._selector.register(sock, selectors.EVENT_READ, (pair, way))

    def _read(self, pair: _Pair, way: Way) -> None:
        source = pair.client if way == "up" else pair.peer
        if source.fileno() < 0:
            return
        reset = False
        try:
            data = source.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data, reset = b"", True
        if not data:
            self._selector.unregister(source)
            if way == "up":
                pair.client_ended = True
            elif self._open["down"]:
                pair.peer_ended = True
            elif pair.on_next is None:
                pair.on_next = "reset"
                pair.fin_lost = not reset
                if reset:
                    pair.waiting["down"].clear()
        elif way == "up" and pair.on_next == "reset":
            self._reset(pair)
        elif pair.on_next is None:
            self._held_back[way] += not self._open[way]
            pair.waiting[way] += data

    def _pass_on(self, pair: _Pair) -> None:
        for way in ("up", "down"):
            waiting = pair.waiting[way]
            if waiting and pair.on_next == "reset" and way == "up" and self._open["up"]:
                self._reset(pair)
                return
            if not waiting or not self._open[way]:
                continue
            if way == "down" and pair.fin_lost and not self._sent_again():
                continue
            try:
                del waiting[: pair.target(way).send(waiting)]
            except BlockingIOError:
                continue
            except OSError:
                self._reset(pair)
                return
        client_done = pair.client_ended and not pair.waiting["up"] and self._open["up"]
        fin_came = pair.fin_lost and self._open["down"] and self._sent_again()
        peer_done = (pair.peer_ended or fin_came) and not pair.waiting["down"]
        if client_done or peer_done:
            self._drop(pair)

    def _sent_again(self) -> bool:
        """Returns whether a kernel would have sent again what was lost before the join."""
        return time.monotonic() >= self._joined + _RETRANSMISSION

    def _reset(self, pair: _Pair) -> None:
        with contextlib.suppress(OSError):
            pair.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._drop(pair)

    def _drop(self, pair: _Pair) -> None:
        for sock in (pair.client, pair.peer):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(sock)
            sock.close()
        self._pairs.remove(pair)
