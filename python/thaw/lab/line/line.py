"""The line as the laboratory sees it: the forwarder's process, commands to it, and programs at its ends."""

from __future__ import annotations

import itertools
import json
import pathlib
import queue
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from thaw.lab import helper_process
from thaw.lab.child_environment import child_environment
from thaw.lab.line.forgotten import ForgottenAnswer
from thaw.lab.line.network import CLIENT_ADDRESS, PEER_ADDRESS

_ENTER = str(pathlib.Path(__file__).with_name("enter.py"))
_LIMIT = 60.0  # seconds for any answer of the forwarder, on a machine with much to do
_LOOK_EVERY = 0.2  # seconds between looks whether the forwarder lives
LEAST_MTU, MOST_MTU = 576, 65_535
MOST_ROUND_TRIP = 60.0
_MOST_CLIENTS = 250  # addresses that the client can have, one after the other


class LineError(RuntimeError):
    """A line can't be made here, or its process is gone; the text says why."""


@dataclass(frozen=True)
class RoundTrip:
    """The measured round trip, in seconds.

    Attributes:
      connect: the median of `connects` TCP handshakes, as the client sees them.
      exchange, least, most: the median, the least and the longest of the exchanges of one byte on those
        connections.
      congestion_control: the kernel's for them.
    """

    connect: float
    exchange: float
    least: float
    most: float
    connects: int
    congestion_control: str


@dataclass
class Side:
    """One end of a line. `command` makes a command that runs there.

    The process that is started is the command's own: it has the same id, and its user's rights on files. The
    machine's network is not to be reached from there.
    """

    address: str
    _user: str
    _network: str

    def command(self, arguments: Sequence[str], *, lasting: bool = True) -> list[str]:
        """Returns the arguments that run a command here. `lasting`: it outlives the thread that starts it."""
        start = [sys.executable, "-I", "-S", _ENTER, "run", self._user, self._network]
        return [*start, "yes" if lasting else "no", *arguments]

    def run(self, arguments: Sequence[str], **options: Any) -> subprocess.CompletedProcess[Any]:
        """Runs a command here as subprocess.run does. It is killed with the thread that waits for it."""
        return subprocess.run(self.command(arguments, lasting=False), **options)


class Line:
    """Two network namespaces and what is between them; usable from one thread at a time.

    Args:
      round_trip: seconds that the line adds to a round trip, half of them each way.
      loss: the chance of each packet to get lost, in either direction, from 0 to 1.
      mtu: bytes of the largest packet. Without loss the kernels hand over segments of this size by up to
        64 KB at once, as they do to a network card.
      congestion_control: the algorithm of TCP connections at both ends: `cubic`, Linux's default, or
        another one that the kernel has.
      seed: the seed of the random losses.

    Raises LineError: this machine does not allow it. ValueError names a number that is out of bounds.
    """

    def __init__(
        self,
        round_trip: float = 0.0,
        loss: float = 0.0,
        *,
        mtu: int = 1500,
        congestion_control: str = "cubic",
        seed: int = 1,
    ) -> None:
        _check(round_trip, loss, mtu)
        settings = {"mtu": mtu, "congestion_control": congestion_control, "seed": seed}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "thaw.lab.line.forwarder", json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=child_environment(),
        )
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            ends = self._answer()
            process = f"/proc/{self._process.pid}"
            user = f"{process}/ns/user"
            self.client = Side(CLIENT_ADDRESS, user, f"{process}/fd/{ends['client']}")
            self.peer = Side(PEER_ADDRESS, user, f"{process}/fd/{ends['peer']}")
            self._addresses = (f"192.0.2.{last}" for last in itertools.count(3))
            self.set(round_trip=round_trip, loss=loss)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The forwarder's process."""
        return self._process.pid

    def require_alive(self) -> None:
        """Raises LineError if the forwarder's process is gone: nothing passes from then on."""
        if self._process.poll() is not None:
            raise LineError("the line's process is gone")

    # -- Changes, while connections live

    def set(
        self, *, round_trip: float | None = None, loss: float | None = None, mtu: int | None = None
    ) -> None:
        """Changes what is given, for packets that are sent from now on."""
        _check(round_trip, loss, mtu)
        self._ask("set", round_trip=round_trip, loss=loss, mtu=mtu)

    def cut(self) -> None:
        """Loses everything, what is on its way included, until `join`."""
        self._ask("cut")

    def hole(self, way: Literal["up", "down"]) -> None:
        """Loses everything in one direction until `join`; `up` is from the client to the peer."""
        if way not in ("up", "down"):
            raise ValueError(f"a hole is up or down, not {way!r}")
        self._ask("hole", way=way)

    def join(self) -> None:
        """Ends cuts and holes."""
        self._ask("join")

    def forget_connections(self, answer: ForgottenAnswer = "drop") -> None:
        """Makes a middlebox forget all connections: their packets get lost, or the client's are answered by a
        reset. Connections that are opened later pass.
        """
        if answer not in ("drop", "reset"):
            raise ValueError(f"a forgotten connection's packets get drop or reset, not {answer!r}")
        self._ask("forget_connections", answer=answer)

    def renumber(self) -> str:
        """Gives the client another address and takes the old one away. Returns the new one."""
        address = next(self._addresses)
        if int(address.rpartition(".")[2]) > _MOST_CLIENTS:
            self._addresses = (f"192.0.2.{last}" for last in itertools.count(2))
            address = next(self._addresses)
        self._ask("renumber", address=address)
        self.client.address = address
        return address

    # -- What is known of it

    def measure(self, connects: int = 5, exchanges_each: int = 10) -> RoundTrip:
        """Measures the round trip by TCP over the line as it is now, over `connects` connections with
        `exchanges_each` exchanges each; that takes `connects * (1 + exchanges_each)` round trips.
        """
        limit = _LIMIT + connects * (2 + exchanges_each) * MOST_ROUND_TRIP
        times = self._enter("measure", (connects, exchanges_each), limit)
        exchanges = times["exchanges"]
        return RoundTrip(
            statistics.median(times["connects"]),
            statistics.median(exchanges),
            min(exchanges),
            max(exchanges),
            connects,
            times["congestion_control"],
        )

    def carry(self, megabytes: int) -> float:
        """Sends `megabytes` million bytes from the client to the peer. Returns the seconds that took."""
        return float(self._enter("carry", (megabytes,), _LIMIT + megabytes))

    def counts(self) -> dict[str, Any]:
        """Packets and bytes of each way, lost ones by cause, how late the last 20,000 packets left, and the
        forwarder's processor time.
        """
        return dict(self._ask("counts"))

    # -- The end

    def close(self) -> None:
        """Ends the forwarder. Programs that still run at the ends have no network from then on."""
        assert self._process.stdout is not None
        helper_process.end(self._process, 10.0)
        self._reader.join(timeout=5)
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def _enter(self, what: str, counts: Sequence[int], limit: float) -> Any:
        """Runs a measurement by a process that has a socket at each end. Returns what that wrote."""
        paths = [self.client._user, self.client._network, self.peer._network]
        command = [sys.executable, "-I", "-S", _ENTER, what, *paths, self.peer.address, *map(str, counts)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with process:
            try:
                output, errors = self._wait_for(process, limit)
            except BaseException:
                process.kill()
                raise
        self.require_alive()
        if process.returncode != 0:
            last = errors.strip().rpartition("\n")[2]
            raise LineError(f"the line can't be measured: {last}")
        return json.loads(output)

    def _wait_for(self, process: subprocess.Popen[str], limit: float) -> tuple[str, str]:
        """Returns the output of a process that needs the line, and its errors. LineError: it does not end in
        time, or the line is gone, after which its packets would be lost until it gave up.
        """
        end = time.monotonic() + limit
        while True:
            try:
                return process.communicate(timeout=_LOOK_EVERY)
            except subprocess.TimeoutExpired:
                self.require_alive()
                if time.monotonic() > end:
                    raise LineError(f"the line can't be measured in {limit:g} s") from None

    def _ask(self, operation: str, **arguments: Any) -> Any:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"op": operation, **arguments}) + "\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise LineError("the line's process is gone") from None
        return self._answer()

    def _answer(self) -> Any:
        try:
            answer = self._answers.get(timeout=_LIMIT)
        except queue.Empty:
            raise LineError(f"the line's process gave no answer in {_LIMIT:g} s") from None
        if answer is None:
            raise LineError("the line's process is gone")
        if "error" in answer:
            raise LineError(answer["error"])
        return answer["ok"]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(json.loads(line))
        self._answers.put(None)


def why_not() -> str | None:
    """Tries a line. Returns None, or why this machine does not allow one."""
    try:
        Line().close()
    except LineError as error:
        return str(error)
    return None


def _check(round_trip: float | None, loss: float | None, mtu: int | None) -> None:
    bounds = (
        ("round_trip", round_trip, 0, MOST_ROUND_TRIP),
        ("loss", loss, 0, 1),
        ("mtu", mtu, LEAST_MTU, MOST_MTU),
    )
    for name, value, least, most in bounds:
        if value is not None and not least <= value <= most:
            raise ValueError(f"{name} is {value}, not from {least:g} to {most:g}")
