#!/usr/bin/env python3
"""Sends DogStatsD datagrams at an even pace; runs as a process of its own, without dependencies.

    python -SE datagrams.py --count 100000 --rate 20000 [--port 8125] [--processor 1]

A datagram has five lines: counts, gauges and distributions by turns, of 50 names, each with one of 20 tag
values. It prints JSON: the seconds that sending took, and the microseconds by which the latest datagram was
late. `expected` says what has to arrive.
"""

import argparse
import json
import os
import socket
import time
from collections import Counter
from collections.abc import Iterator

PORT = 8125
NAMES, TAG_VALUES = 50, 20
LINES = 5
TYPES = ("c", "g", "d")
PREFIX = "lab.paced."
# The number of datagrams after which they repeat.
CYCLE = NAMES * TAG_VALUES

Context = tuple[str, str]
"""The name of a metric, and its tag."""


def context(line: int) -> Context:
    """Returns what the line of that number, counted from 0, belongs to."""
    return f"{PREFIX}step{line % NAMES}", f"route:r{line // NAMES % TAG_VALUES}"


def kind(line: int) -> str:
    """Returns the line's type. A name has one type."""
    return TYPES[line % NAMES % len(TYPES)]


def value(line: int) -> float:
    """Returns the line's value; sums of them are exact."""
    return line % (LINES * CYCLE) % 997 + 0.5


def datagram(number: int) -> bytes:
    """Returns the datagram of that number, counted from 0."""
    lines = range(number * LINES, (number + 1) * LINES)
    texts = []
    for line in lines:
        name, tag = context(line)
        texts.append(f"{name}:{value(line)}|{kind(line)}|#env:prod,{tag}")
    return "\n".join(texts).encode()


def expected(count: int) -> tuple[Counter[Context], Counter[Context], dict[Context, float]]:
    """Returns what the first `count` datagrams bring: the sum of each count, the samples of each
    distribution, and the last value of each gauge.
    """
    sums: Counter[Context] = Counter()
    samples: Counter[Context] = Counter()
    last: dict[Context, float] = {}
    cycles, rest = divmod(count, CYCLE)
    for line in range(min(count, CYCLE) * LINES):
        times = cycles + (line < rest * LINES)
        if kind(line) == "c":
            sums[context(line)] += times * value(line)  # type: ignore[assignment]
        elif kind(line) == "d":
            samples[context(line)] += times
    for line in _last_lines(count):
        if kind(line) == "g":
            last[context(line)] = value(line)
    return sums, samples, last


def _last_lines(count: int) -> Iterator[int]:
    """Yields the lines of the last cycle, the oldest first: each context is among them."""
    yield from range(max(0, count - CYCLE) * LINES, count * LINES)


def send(count: int, rate: float, port: int) -> dict[str, float]:
    """Sends datagrams, each when it is due."""
    datagrams = [datagram(number) for number in range(CYCLE)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        clock, give = time.perf_counter_ns, sender.send
        step = 1e9 / rate
        latest = 0
        begun = clock()
        for number in range(count):
            due = begun + int(number * step)
            while (late := clock() - due) < 0:
                pass
            latest = max(latest, late)
            give(datagrams[number % CYCLE])
        took = clock() - begun
    return {"seconds": took / 1e9, "latest_us": latest / 1e3}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="datagrams a second")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--processor", type=int, help="the only processor to run on")
    given = parser.parse_args()
    if given.processor is not None:
        os.sched_setaffinity(0, {given.processor})
    print(json.dumps(send(given.count, given.rate, given.port)))


if __name__ == "__main__":
    main()
