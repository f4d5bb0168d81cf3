"""The process that is a line: it makes both ends, and carries packets between them.

    python -m thaw.lab.line.forwarder '{"mtu": 1500, "congestion_control": "cubic", "seed": 1}'

A line of JSON in is a command, `{"op": "set", "round_trip": 0.02}`, and each is answered by one line,
`{"ok": …}` or `{"error": "…"}`; the first line out says which ends there are. `Line` is the other end of that
pipe. The process ends when the pipe does or when its parent is gone, and both namespaces go with it.

One loop reads what the two TUN devices have, and writes what is due. select(2) counts in microseconds, and
the process asks for a timer slack of 1 ns and, where it may, for real-time priority. A machine's timers are
late by a fairly constant time (0.15 ms on a virtual machine), so the loop lets itself be woken so much
earlier, and looks at the clock for the rest.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import time
from typing import Any

from thaw.lab.line.forgotten import ForgottenAnswer, Middlebox
from thaw.lab.line.network import CLIENT_ADDRESS, PEER_ADDRESS, End, NetworkError, with_privileges
from thaw.lab.line.way import Way

_PR_SET_TIMERSLACK = 29
_PACKET_BYTES = 1 << 17
_READS = 64  # packets of one end in a row, so that no end starves the other
_PARENT_CHECK = 1.0  # seconds
_LATENESS_KEPT = 20_000  # of the last packets
_MOST_LEAD = 0.0003  # seconds


class Forwarder:
    """Both ends and both ways. `up` goes from the client to the peer."""

    def __init__(self, *, mtu: int, congestion_control: str, seed: int) -> None:
        self.client = End.make("client", CLIENT_ADDRESS, mtu=mtu, congestion_control=congestion_control)
        self.peer = End.make("peer", PEER_ADDRESS, mtu=mtu, congestion_control=congestion_control)
        self._up, self._down = Way(0.0, seed=seed), Way(0.0, seed=seed + 1)
        self._middlebox = Middlebox()
        self._lateness: collections.deque[float] = collections.deque(maxlen=_LATENESS_KEPT)
        self._refused = 0  # packets that a device did not take
        self._large_packets(True)

    # -- Commands

    def set(self, round_trip: float | None = None, loss: float | None = None, mtu: int | None = None) -> None:
        for way in (self._up, self._down):
            if round_trip is not None:
                way.seconds = round_trip / 2
            if loss is not None:
                way.loss = loss
        if loss is not None:
            # A packet that is lost must be one segment.
            self._large_packets(loss == 0)
        if mtu is not None:
            self.client.set_mtu(mtu)
            self.peer.set_mtu(mtu)

    def hole(self, way: str) -> None:
        {"up": self._up, "down": self._down}[way].close()

    def cut(self) -> None:
        self._up.close()
        self._down.close()

    def join(self) -> None:
        self._up.open = self._down.open = True

    def forget_connections(self, answer: ForgottenAnswer) -> None:
        self._middlebox.forget(answer)
        self._up.lose_all()
        self._down.lose_all()

    def renumber(self, address: str) -> None:
        self.client.set_address(address)

    def counts(self) -> dict[str, Any]:
        late = sorted(self._lateness)
        return {
            "up": self._up.counts(),
            "down": self._down.counts(),
            "forgotten_dropped": self._middlebox.dropped,
            "forgotten_resets": self._middlebox.resets,
            "refused_by_device": self._refused,
            "late_p50_us": late[len(late) // 2] * 1e6 if late else 0.0,
            "late_p99_us": late[len(late) * 99 // 100] * 1e6 if late else 0.0,
            "late_most_us": late[-1] * 1e6 if late else 0.0,
            "processor_seconds": time.process_time(),
        }

    def ends(self) -> dict[str, int]:
        """Returns the file descriptors by which another process enters the ends."""
        return {"client": self.client.namespace, "peer": self.peer.namespace}

    def _large_packets(self, allowed: bool) -> None:
        self.client.set_large_packets(allowed)
        self.peer.set_large_packets(allowed)

    # -- Packets

    def read_client(self) -> None:
        for _ in range(_READS):
            try:
                packet = os.read(self.client.device, _PACKET_BYTES)
            except BlockingIOError:
                return
            now = time.monotonic()
            if self._middlebox.active:
                answer = self._middlebox.from_client(packet)
                if answer is not packet:
                    if answer is not None:
                        self._down.put(answer, now)
                    continue
            self._up.put(packet, now)

    def read_peer(self) -> None:
        for _ in range(_READS):
            try:
                packet = os.read(self.peer.device, _PACKET_BYTES)
            except BlockingIOError:
                return
            if not self._middlebox.active or self._middlebox.from_peer(packet):
                self._down.put(packet, time.monotonic())

    def wait(self) -> float | None:
        """Returns the seconds until a packet is due, None if none is on its way."""
        up, down = self._up.next_release, self._down.next_release
        if up is None and down is None:
            return None
        return max(0.0, min(each for each in (up, down) if each is not None) - time.monotonic())

    def write_due(self) -> None:
        for way, device in ((self._up, self.peer.device), (self._down, self.client.device)):
            if way.next_release is None:
                continue
            for due, packet in way.take(time.monotonic()):
                try:
                    os.write(device, packet)
                except OSError:  # a malformed or too large packet, or a device that is down
                    self._refused += 1
                self._lateness.append(time.monotonic() - due)


class Waiter:
    """Waits for files or a time, by a timer that is set earlier by the time by which it is usually late."""

    def __init__(self, files: list[int]) -> None:
        self._files = files
        self._lead = 0.0

    def wait(self, seconds: float | None) -> list[int]:
        """Returns the files that can be read, none if `seconds`, or nearly that, or a second are over."""
        if seconds is None or seconds > _PARENT_CHECK:
            return select.select(self._files, [], [], _PARENT_CHECK)[0]
        if seconds <= self._lead:
            return select.select(self._files, [], [], 0)[0]
        alarm = time.monotonic() + seconds - self._lead
        ready = select.select(self._files, [], [], seconds - self._lead)[0]
        if not ready:
            late = time.monotonic() - alarm
            self._lead = min(_MOST_LEAD, 0.9 * self._lead + 0.1 * max(0.0, late))
        return ready


def run(forwarder: Forwarder) -> None:
    """Obeys commands and carries packets, until standard input ends or the parent is gone."""
    commands, client, peer = sys.stdin.fileno(), forwarder.client.device, forwarder.peer.device
    waiter = Waiter([commands, client, peer])
    parent, text = os.getppid(), b""
    while os.getppid() == parent:
        ready = waiter.wait(forwarder.wait())
        if client in ready:
            forwarder.read_client()
        if peer in ready:
            forwarder.read_peer()
        forwarder.write_due()
        if commands in ready:
            data = os.read(commands, 1 << 16)
            if not data:
                return
            *lines, text = (text + data).split(b"\n")
            for line in lines:
                _say(_obey(forwarder, json.loads(line)))


def _obey(forwarder: Forwarder, command: dict[str, Any]) -> dict[str, Any]:
    operation = getattr(forwarder, command.pop("op"))
    try:
        return {"ok": operation(**command)}
    except (OSError, NetworkError) as error:
        return {"error": str(error)}


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _be_punctual() -> None:
    """Asks for precise timers and for the processor as soon as a packet is due."""
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is meant for the runner
    try:
        _be_punctual()
        with_privileges()
        forwarder = Forwarder(**json.loads(sys.argv[1]))
    except (NetworkError, OSError) as error:
        _say({"error": str(error)})
        return
    _say({"ok": forwarder.ends()})
    with contextlib.suppress(BrokenPipeError):
        run(forwarder)


if __name__ == "__main__":
    main()
