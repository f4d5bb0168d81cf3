"""A function that hands over traces, log lines and metrics by number, without dependencies.

    python -SE poster.py request.bin request.json [journal [first number]]

The files are those of `thaw.lab.workload.numbered_request`. The event says what to do; each part may be left
out:

    {"sleep": seconds before, "until": a named pipe from which a byte is read before, "payloads": how many,
     "clients": of how many tracers side by side (1),
     "nagle": whether they leave TCP_NODELAY unset, "lines": how many log lines, "points": how many points of
     metrics, "pause": seconds after them, "exit": a status}

Log lines are "line 0", "line 1" and so on. Points go to DogStatsD: counts, gauges and distributions by turns,
each with its number as a tag and a value of 1, so that each makes a point of its own.

The answer is {"first": number of the first payload, "statuses": {"200": how many, …}}. The journal has a line
for each payload, written when its status is known: its number, its status, the microseconds that took, and 1
if TCP_NODELAY was unset; and "points" with a number for the points up to it that were sent. It outlives the
process.

Head and body are written apart. With TCP_NODELAY unset the kernel keeps the body back until the other side
has acknowledged the head, as it does to tracers that don't set it: a side that delays its acknowledgements
costs such a tracer 40 ms for each request.
"""

import http.client
import json
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterable

AGENT = ("127.0.0.1", 8126)
DOGSTATSD = ("127.0.0.1", 8125)
# Name and type of the metrics, by turns.
METRICS = (("lab.posted.count", "c"), ("lab.posted.gauge", "g"), ("lab.posted.distribution", "d"))
POINTS_OF_DATAGRAM = 5
TIMEOUT = 30.0


class Connection(http.client.HTTPConnection):
    """Sends head and body one after the other. `nagle`: without TCP_NODELAY, which the base class sets."""

    nagle = False

    def connect(self) -> None:
        super().connect()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0 if self.nagle else 1)


class Poster:
    """Sends numbered requests over one connection, each when the one before is answered."""

    def __init__(self, request: str, counting: str, journal: str) -> None:
        with open(request, "rb") as file:
            data = file.read()
        with open(counting) as file:
            told = json.load(file)
        self._step = told["step"]
        self._body = bytearray(data[data.index(b"\r\n\r\n") + 4 :])
        head = len(data) - len(self._body)
        lines = data[: head - 4].decode().split("\r\n")
        self._headers = dict(line.split(": ", 1) for line in lines[1:])
        self._places = [(at - head, int.from_bytes(data[at : at + 8], "big")) for at in told["offsets"]]
        self._connection = Connection(*AGENT, timeout=TIMEOUT)
        self._journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def use_nagle(self, on: bool) -> None:
        """Sets whether small writes wait for acknowledgements; holds from the next connection on."""
        if on != self._connection.nagle:
            self._connection.nagle = on
            self._connection.close()

    def close(self) -> None:
        self._connection.close()
        os.close(self._journal)

    def note_points(self, sent: int) -> None:
        """Notes that the points up to that number were sent."""
        os.write(self._journal, b"points %d\n" % sent)

    def send(self, number: int) -> int:
        """Sends the request of that number once. Returns its status, or 0 if there was no answer."""
        for at, first in self._places:
            struct.pack_into(">Q", self._body, at, first + self._step * number)
        begun = time.monotonic_ns()
        try:
            self._connection.request("POST", "/v0.4/traces", bytes(self._body), self._headers)
            answer = self._connection.getresponse()
            answer.read()
            status = answer.status
        except (OSError, http.client.HTTPException):
            self._connection.close()
            status = 0
        took = (time.monotonic_ns() - begun) // 1000
        os.write(self._journal, b"%d %d %d %d\n" % (number, status, took, self._connection.nagle))
        return status


def hand_over(poster: Poster, numbers: Iterable[int], statuses: list[int]) -> None:
    """Sends the requests of these numbers and counts the status of each."""
    for number in numbers:
        statuses.append(poster.send(number))


def wait_for_byte(pipe: str) -> None:
    """Returns when a byte was written into the named pipe."""
    with open(pipe, "rb", buffering=0) as waiting:
        waiting.read(1)


def write_lines(numbers: range) -> None:
    """Writes a log line for each number."""
    if numbers:
        os.write(1, b"".join(b"line %d\n" % number for number in numbers))


def send_points(numbers: range) -> None:
    """Sends a point for each number, several in a datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for begin in range(numbers.start, numbers.stop, POINTS_OF_DATAGRAM):
            lines = []
            for number in range(begin, min(begin + POINTS_OF_DATAGRAM, numbers.stop)):
                name, kind = METRICS[number % len(METRICS)]
                lines.append(f"{name}:1|{kind}|#number:{number}")
            sender.sendto("\n".join(lines).encode(), DOGSTATSD)


def main(request: str, counting: str, journal: str = os.devnull, number: str = "0") -> None:
    posters = [Poster(request, counting, journal)]
    first = int(number)
    lines = points = range(0)
    runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        runtime.request("GET", "/2018-06-01/runtime/invocation/next")
        given = runtime.getresponse()
        event = json.loads(given.read())
        time.sleep(event.get("sleep", 0))
        if "until" in event:
            wait_for_byte(event["until"])
        numbers = range(first, first + event.get("payloads", 0))
        clients = event.get("clients", 1)
        while len(posters) < clients:
            posters.append(Poster(request, counting, journal))
        for poster in posters:
            poster.use_nagle(event.get("nagle", False))
        statuses: list[int] = []
        others = [
            threading.Thread(target=hand_over, args=(posters[client], numbers[client::clients], statuses))
            for client in range(1, clients)
        ]
        for other in others:
            other.start()
        hand_over(posters[0], numbers[::clients], statuses)
        lines = range(lines.stop, lines.stop + event.get("lines", 0))
        write_lines(lines)
        points = range(points.stop, points.stop + event.get("points", 0))
        send_points(points)
        if points:
            posters[0].note_points(points.stop)
        for other in others:
            other.join()
        time.sleep(event.get("pause", 0))
        if "exit" in event:
            os._exit(event["exit"])
        path = f"/2018-06-01/runtime/invocation/{given.headers['Lambda-Runtime-Aws-Request-Id']}/response"
        counts = {str(status): statuses.count(status) for status in sorted(set(statuses))}
        runtime.request("POST", path, json.dumps({"first": first, "statuses": counts}))
        runtime.getresponse().read()
        first = numbers.stop


if __name__ == "__main__":
    main(*sys.argv[1:])
