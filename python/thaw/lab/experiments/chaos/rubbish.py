"""Hostile clients of a local listener: bytes of any kind, half of a request, silence."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable

_PATHS = ("/v0.4/traces", "/v0.5/traces", "/v0.6/stats", "/lambda/start-invocation", "/", "/info", "/\xff")
_WAIT = 0.5


def _bytes(chance: random.Random) -> bytes:
    return chance.randbytes(chance.randint(1, 5000))


def _request(chance: random.Random) -> bytes:
    body = chance.randbytes(chance.randint(0, 2000))
    method = chance.choice(("POST", "PUT", "GET", "BREW"))
    head = f"{method} {chance.choice(_PATHS)} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode("latin-1") + body


def _cut(chance: random.Random) -> bytes:
    whole = _request(chance)
    return whole[: chance.randint(1, len(whole))]


def _too_large(chance: random.Random) -> bytes:
    length = chance.choice((60 << 20, 1 << 40, 1 << 64))
    return (
        f"POST /v0.4/traces HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode() + b"\x91" * 999
    )


def _long_head(chance: random.Random) -> bytes:
    return b"GET / HTTP/1.1\r\n" + b"x-header: y\r\n" * chance.randint(1, 20_000)


def _chunked(chance: random.Random) -> bytes:
    size = chance.choice((b"5", b"ffffffffffffffff", b"-1", b"zz"))
    return b"POST /v0.4/traces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\nabc"


def _broken_traces(chance: random.Random) -> bytes:
    body = bytes([0x91, 0x91]) + chance.randbytes(chance.randint(1, 500))
    return b"POST /v0.4/traces HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def _ambiguous(chance: random.Random) -> bytes:
    """Returns a request that two parsers may understand differently."""
    lines = chance.sample(
        [
            *(b"Host: x", b"Host: y", b"Content-Length: 5", b"Content-Length: +5", b"Content-Length: 5, 6"),
            *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b"A:\r\n b", b"A : b", b"A: b\rc"),
            *(
                b"A: b\0",
                b"Content-Encoding: gzip",
                b"Content-Encoding: zstd",
                b"Connection: " + b"a," * 9000,
            ),
        ],
        chance.randint(1, 6),
    )
    target = chance.choice((b"/v0.4/traces", b"/info#a", b"/info?\xc3\xa4", b"http://x/info", b"*"))
    version = chance.choice((b"1.1", b"1.0", b"2.0"))
    return b"POST " + target + b" HTTP/" + version + b"\r\n" + b"\r\n".join(lines) + b"\r\n\r\n5\r\nabcde\r\n"


def _nothing(chance: random.Random) -> bytes:
    return b""


_KINDS: tuple[Callable[[random.Random], bytes], ...] = (
    *(_bytes, _request, _cut, _too_large, _long_head, _chunked, _broken_traces, _ambiguous, _nothing),
)


async def throw(port: int, chance: random.Random) -> None:
    """Sends rubbish over one connection to 127.0.0.1; waits a while for an answer, or hangs up."""
    data = chance.choice(_KINDS)(chance)
    hangs_up = chance.random() < 0.5
    with contextlib.suppress(OSError, TimeoutError):
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), _WAIT)
        try:
            writer.write(data)
            await asyncio.wait_for(writer.drain(), _WAIT)
            if not hangs_up:
                await asyncio.wait_for(reader.read(1 << 16), _WAIT)
        finally:
            writer.close()
