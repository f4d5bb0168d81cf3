"""Crowds of clients that take up room, and a neighbour whose requests are all served soon all the same.

The crowd runs in a process of its own. The neighbour is timed in rounds, since the machine has other work:
every request of each round must be accepted, and one round must be as quick as is promised.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import socket
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from multiprocessing.synchronize import Semaphore

import msgpack
import pytest

from .extension_under_test import needs_extension
from .test_extension_faults import CALLS, TELEMETRY, TRACES, Start, span, start

__all__ = ["start"]
pytestmark = needs_extension

_ROUNDS, _REQUESTS = 4, 200
_P99_MS = 50.0
_HEAD = b"POST /v0.4/traces HTTP/1.1\r\nHost: localhost:8126\r\n"

# -- The crowd -----------------------------------------------------------------------------------------------

# One client of it, from its connection on; it comes back when it is closed.
Client = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _wait_for_the_end(reader: asyncio.StreamReader) -> None:
    while await reader.read(1 << 16):
        pass


async def promises(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A large body that never comes."""
    writer.write(_HEAD + b"Content-Length: 40000000\r\n\r\n")
    await _wait_for_the_end(reader)


async def sends_half_a_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_HEAD + b"Content-Le")
    await _wait_for_the_end(reader)


async def sends_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _wait_for_the_end(reader)


async def dribbles_a_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_HEAD + b"X-Long: ")
    while not reader.at_eof():
        writer.write(b"x")
        await asyncio.sleep(0.05)


async def dribbles_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends enough to fill the room for input, and then a byte now and then."""
    await asyncio.sleep(0.3)
    writer.write(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (8 << 20) + bytes(8 << 20) + b"\r\n")
    while not reader.at_eof():
        writer.write(b"1\r\nx\r\n")
        await asyncio.sleep(0.01)


async def stops_within_a_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.3)
    writer.write(_HEAD + b"Content-Length: 16000000\r\n\r\n" + bytes(15_000_000))
    await _wait_for_the_end(reader)


async def reads_no_answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends so many requests that the unread answers fill all buffers on the way."""
    while True:
        writer.write(b"GET /info HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        await writer.drain()


async def keeps_an_idle_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"GET /info HTTP/1.1\r\nHost: x\r\n\r\n")
    await _wait_for_the_end(reader)


async def goes_on_after_a_refusal(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_HEAD + b"Content-Length: 60000000\r\n\r\n")
    while not reader.at_eof():
        writer.write(bytes(10_000))
        await asyncio.sleep(0.01)


async def _be(client: Client, port: int, there: Semaphore) -> None:
    first = True
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            # A deaf client's buffer is kept small, or it would take minutes to fill.
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 12)
            if first:
                there.release()
                first = False
            try:
                await client(reader, writer)
            finally:
                writer.transport.abort()
        # A crowd takes room, and not processor time.
        await asyncio.sleep(0.05)


def _crowd(client: Client, number: int, port: int, there: Semaphore) -> None:
    async def run() -> None:
        await asyncio.gather(*(_be(client, port, there) for _ in range(number)))

    asyncio.run(run())


@contextlib.contextmanager
def crowd(client: Client, number: int, port: int = TRACES) -> Iterator[None]:
    """Gives a crowd whose clients have all connected."""
    spawning = multiprocessing.get_context("spawn")
    there = spawning.Semaphore(0)
    process = spawning.Process(target=_crowd, args=(client, number, port, there), daemon=True)
    process.start()
    try:
        for _ in range(number):
            assert there.acquire(timeout=30)
        yield
    finally:
        process.kill()
        process.join()


# -- The neighbour -------------------------------------------------------------------------------------------


def _body(first: int, size: int) -> bytes:
    return bytes(msgpack.packb([[span(first, meta={"filler": "x" * size})]]))


def _ask(connection: socket.socket, body: bytes, head: bytes) -> int:
    """The status of one request on it."""
    connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    answer = b""
    while b"\r\n\r\n" not in answer:
        more = connection.recv(4096)
        assert more, f"closed after {answer!r}"
        answer += more
    return int(answer.split(b" ", 2)[1])


def _p99_ms(bodies: Iterable[bytes], port: int = TRACES, head: bytes = _HEAD) -> float:
    """Measures requests on connections of their own, each of which must be accepted."""
    took = []
    for body in bodies:
        begun = time.perf_counter()
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            assert _ask(connection, body, head) == 200
        took.append(time.perf_counter() - begun)
    return sorted(took)[int(0.99 * len(took)) - 1] * 1e3


_CROWDS: tuple[tuple[Client, int], ...] = (
    (promises, 3),
    (promises, 300),
    (sends_half_a_head, 300),
    (sends_nothing, 300),
    (dribbles_a_head, 300),
    (dribbles_chunks, 20),
    (stops_within_a_body, 12),
    (reads_no_answer, 20),
    (keeps_an_idle_connection, 300),
    (goes_on_after_a_refusal, 20),
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("client", "number"), _CROWDS, ids=[f"{client.__name__}-{number}" for client, number in _CROWDS]
)
async def test_a_neighbour_of_clients_that_take_room_is_served_at_once(
    start: Start, client: Client, number: int
) -> None:
    async with start() as running:
        await running.invoke()
        async with running.sandbox.resumed():
            with crowd(client, number):
                await asyncio.sleep(1.5)  # until it has taken what room it can
                for size in (500, 20_000):
                    rounds: list[float] = []
                    while len(rounds) < _ROUNDS and min(rounds, default=1e9) > _P99_MS:
                        first = (size + len(rounds)) << 20
                        bodies = [_body(first + number, size) for number in range(_REQUESTS)]
                        rounds.append(await asyncio.to_thread(_p99_ms, bodies))
                    assert min(rounds) <= _P99_MS, (size, rounds)
            assert running.alive
        # The function finds no connection of the crowd.
        assert await running.invoke(5) == {"200": 5}
        running.assert_each_once()
        await running.end()


@pytest.mark.slow
@pytest.mark.parametrize(("port", "path"), [(CALLS, b"/lambda/end-invocation"), (TELEMETRY, b"/")])
@pytest.mark.parametrize("client", [promises, sends_half_a_head, sends_nothing, keeps_an_idle_connection])
async def test_a_neighbour_on_another_listener_is_served_at_once(
    start: Start, client: Client, port: int, path: bytes
) -> None:
    head = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\n"
    async with start() as running:
        await running.invoke()
        async with running.sandbox.resumed():
            with crowd(client, 300, port):
                await asyncio.sleep(1.5)  # until it has taken what room it can
                rounds: list[float] = []
                while len(rounds) < _ROUNDS and min(rounds, default=1e9) > _P99_MS:
                    bodies = [b"[]"] * _REQUESTS
                    rounds.append(await asyncio.to_thread(_p99_ms, bodies, port, head))
                assert min(rounds) <= _P99_MS, rounds
            assert running.alive
        assert await running.invoke(5) == {"200": 5}
        running.assert_each_once()
        await running.end()


async def test_connections_are_taken_right_after_a_freeze_though_all_are_in_use(start: Start) -> None:
    async with start() as running:
        await running.invoke()
        with contextlib.ExitStack() as held:

            def hold() -> None:
                for _ in range(256):
                    connection = socket.create_connection(("127.0.0.1", TRACES), timeout=5)
                    held.enter_context(connection)
                    connection.sendall(b"GET /info HTTP/1.1\r\nHost: x\r\n\r\n")
                    assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200")

            async with running.sandbox.resumed():
                await asyncio.to_thread(hold)
            assert await running.invoke(5) == {"200": 5}
            counts = await running.counts()
            assert counts["servers"]["traces"]["held_at_limit"] == 0
            assert counts["servers"]["traces"]["closed_for_room"] == 0
        running.assert_each_once()


def _statuses(requests: list[bytes]) -> list[bytes]:
    """Returns the status of each request, sent on a connection of its own."""
    statuses = []
    for request in requests:
        with socket.create_connection(("127.0.0.1", TRACES), timeout=5) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.makefile("rb").readline()
            statuses.append(answer.split(b" ", 2)[1] if answer else b"none")
    return statuses


_REFUSED: dict[str, bytes] = {
    "no host": b"GET /info HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /info HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
    "two codings": _HEAD + b"Content-Encoding: gzip\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
    "a fold behind an empty line": b"GET /info HTTP/1.1\r\nHost: x\r\nA:\r\n b\r\n\r\n",
    "a fragment": b"GET /info?a#b HTTP/1.1\r\nHost: x\r\n\r\n",
    "eight bits": b"GET /info?a=\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a chunk of 2^64-1": _HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    "a length with a sign": _HEAD + b"Content-Length: +5\r\n\r\nabcde",
    "two lengths": _HEAD + b"Content-Length: 5, 6\r\n\r\nabcde",
    "two framings": _HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST /v0.4/traces HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a space before a colon": b"GET /info HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n",
    "a NUL": b"GET /info HTTP/1.1\r\nHost: x\r\nA: b\0\r\n\r\n",
    "a bare CR": b"GET /info HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
}


async def test_requests_that_may_be_read_in_two_ways_are_refused(start: Start) -> None:
    async with start() as running:
        await running.invoke()
        async with running.sandbox.resumed():
            statuses = await asyncio.to_thread(_statuses, list(_REFUSED.values()))
            assert dict(zip(_REFUSED, statuses, strict=True)) == dict.fromkeys(_REFUSED, b"400")
            absolute = b"GET http://localhost:8126/info HTTP/1.1\r\nHost: localhost:8126\r\n\r\n"
            assert await asyncio.to_thread(_statuses, [absolute]) == [b"200"]
            many = b"GET /info HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 5000 + b"\r\n"
            assert await asyncio.to_thread(_statuses, [many]) == [b"431"]
        await running.invoke()
        running.assert_each_once()


@pytest.mark.alone
@pytest.mark.parametrize(
    ("port", "path"),
    [
        (TRACES, b"/v0.4/traces"),
        (TRACES, b"/telemetry/proxy/api/v2/apmtelemetry"),
        (CALLS, b"/lambda/end-invocation"),
        (TELEMETRY, b"/"),
    ],
    ids=lambda given: given.decode() if isinstance(given, bytes) else str(given),
)
async def test_a_client_that_waits_for_acknowledgements_is_not_kept_waiting(
    start: Start, port: int, path: bytes
) -> None:
    """Sends head and body apart without TCP_NODELAY, as dd-java-agent does."""
    head = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\n"

    def ask() -> list[float]:
        took = []
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            for number in range(40):
                body = _body(1_000_000 + number, 9_000) if port == TRACES else b"[]" + b" " * 9_000
                begun = time.perf_counter()
                connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body))
                connection.sendall(body)
                assert connection.recv(4096).startswith(b"HTTP/1.1 200")
                took.append(time.perf_counter() - begun)
        return sorted(took)

    async with start() as running:
        await running.invoke()
        async with running.sandbox.resumed():
            took = await asyncio.to_thread(ask)
        # Each of them is 40 ms where the kernel delays what it acknowledges.
        assert took[len(took) // 2] < 0.02, took
        await running.end()
