"""Measures for how long an event loop is held, in processor time of its process, on a busy machine too.

A process of its own asks the server for little, again and again. The processor time that the server took
between a question and its answer is what the loop did before it turned to the question. Wall time would count
other programs' work as well. The time for which the asking process itself waited for a processor is taken
off, since the server goes on meanwhile.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pathlib
import socket
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import NamedTuple

_QUESTION = b"GET /info HTTP/1.1\r\nHost: localhost\r\n\r\n"
_PAUSE = 0.001


class Holds(NamedTuple):
    answers: int
    longest: float
    """Seconds of processor time."""


def processor_time(pid: int) -> float:
    """Returns the processor time that all threads of a process took: clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | 2)


def _waited() -> float:
    """Returns for how long this process was ready to run and did not run."""
    return int(pathlib.Path("/proc/self/schedstat").read_text().split()[1]) / 1e9


def _ask(connection: socket.socket) -> bool:
    """Returns false if the server has closed the connection."""
    try:
        connection.sendall(_QUESTION)
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = connection.recv(1 << 16)
            if not more:
                return False
            answer += more
        head, _, body = answer.partition(b"\r\n\r\n")
        (length,) = (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        missing = int(length.split(b":")[1]) - len(body)
        while missing > 0:
            missing -= len(connection.recv(1 << 16))
    except ConnectionError:
        return False
    return True


def _keep_asking(pid: int, port: int, pipe: Connection) -> None:
    answers, longest = 0, 0.0
    while True:
        with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
            while True:
                if pipe.poll():
                    if pipe.recv() is None:
                        return
                    pipe.send((answers, longest))
                    answers, longest = 0, 0.0
                waited, took = _waited(), processor_time(pid)
                if not _ask(connection):
                    break
                took = processor_time(pid) - took
                answers += 1
                longest = max(longest, took - (_waited() - waited))
                time.sleep(_PAUSE)


class Probe:
    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def holds(self) -> Holds:
        """Returns what was measured since the last call, after the present answer. EOFError: the server has
        ended.
        """
        self._pipe.send("holds")
        return Holds(*self._pipe.recv())


@contextlib.contextmanager
def probe(pid: int, port: int) -> Iterator[Probe]:
    """Asks the server at `port`, which is process `pid`, until the context ends."""
    spawning = multiprocessing.get_context("spawn")
    here, there = spawning.Pipe()
    process = spawning.Process(target=_keep_asking, args=(pid, port, there), daemon=True)
    process.start()
    there.close()  # so that the end of the process is the end of what it says
    try:
        yield Probe(here)
    finally:
        process.kill()
        process.join()
