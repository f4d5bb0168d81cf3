"""Reads the first message of a TLS client: its random bytes, its key share, its ticket.

    reader = HelloReader()
    hello = reader.feed(data)    # None until the message is whole
    hello.random, hello.ticket

A connection of which another one has the same random bytes or the same ticket shares its TLS state with it
(RFC 8446, sections 4.1.2, 4.2.8 and 4.2.11).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_HANDSHAKE, _CLIENT_HELLO = 22, 1
_KEY_SHARE, _PRE_SHARED_KEY, _SESSION_TICKET = 51, 41, 35
_MOST_BYTES = 1 << 16


@dataclass(frozen=True)
class Hello:
    """One ClientHello, each value as hexadecimal digits; empty if the message has none.

    Attributes:
      key_share: the extension as a whole: the public keys that were made for this handshake.
      ticket: the session that the client would resume.
    """

    random: str
    key_share: str
    ticket: str


class HelloReader:
    """Reads the first message of a connection."""

    def __init__(self) -> None:
        self._data = b""
        self._done = False

    def feed(self, data: bytes) -> Hello | None:
        """Returns the message when it is whole, once. What is no ClientHello gives nothing."""
        if self._done:
            return None
        self._data += data
        try:
            hello = _read(self._data)
        except (IndexError, struct.error):
            hello = None
            self._done = True
        self._done = self._done or hello is not None or len(self._data) > _MOST_BYTES
        if self._done:
            self._data = b""
        return hello


def _read(data: bytes) -> Hello | None:
    """Returns the message; None: it is not whole. IndexError, struct.error: it is no ClientHello."""
    message = b""
    at = 0
    while len(message) < 4 or len(message) < 4 + int.from_bytes(message[1:4], "big"):
        if len(data) < at + 5:
            return None
        kind, _, size = struct.unpack_from("!BHH", data, at)
        if kind != _HANDSHAKE:
            raise IndexError("no handshake")
        if len(data) < at + 5 + size:
            return None
        message += data[at + 5 : at + 5 + size]
        at += 5 + size
    if message[0] != _CLIENT_HELLO:
        raise IndexError("no ClientHello")
    at = 4 + 2 + 32
    random = message[6:at]
    at += 1 + message[at]  # the session id
    at += 2 + struct.unpack_from("!H", message, at)[0]  # cipher suites
    at += 1 + message[at]  # compression methods
    extensions = dict(_extensions(message, at))
    return Hello(
        random.hex(),
        extensions.get(_KEY_SHARE, b"").hex(),
        (_first_identity(extensions.get(_PRE_SHARED_KEY, b"")) or extensions.get(_SESSION_TICKET, b"")).hex(),
    )


def _extensions(message: bytes, at: int) -> list[tuple[int, bytes]]:
    found = []
    (left,) = struct.unpack_from("!H", message, at)
    at += 2
    end = at + left
    while at < end:
        kind, size = struct.unpack_from("!HH", message, at)
        found.append((kind, message[at + 4 : at + 4 + size]))
        at += 4 + size
    return found


def _first_identity(extension: bytes) -> bytes:
    """Returns the ticket of an extension pre_shared_key, without its age, which differs by time."""
    if len(extension) < 4:
        return b""
    (size,) = struct.unpack_from("!H", extension, 2)
    return extension[4 : 4 + size]
