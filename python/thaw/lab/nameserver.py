"""A nameserver that knows a few names and misbehaves when it is asked for IPv6 addresses.

    with Nameserver({"intake.lab": "127.0.0.1"}, aaaa="silent") as nameserver:
        nameserver.resolv_conf(folder)       # to be laid over /etc/resolv.conf
        nameserver.asked["AAAA"]

It answers over UDP, from a thread of its own. A file of that form can name no other port than 53, which is
free in a network namespace of one's own (`own_network`).
"""

from __future__ import annotations

import collections
import contextlib
import pathlib
import socket
import struct
import threading
from collections.abc import Mapping
from typing import Literal, get_args

# The reaction to a question for an AAAA record:
#   empty     the answer that there is no such record, which is true
#   silent    no answer
#   servfail, refused   these errors
Aaaa = Literal["empty", "silent", "servfail", "refused"]
AAAA: tuple[Aaaa, ...] = get_args(Aaaa)

PORT = 53
_HEADER = struct.Struct(">HHHHHH")
_RESPONSE, _RECURSION_DESIRED, _RECURSION_AVAILABLE = 0x8000, 0x0100, 0x0080
_NO_ERROR, _SERVFAIL, _NXDOMAIN, _REFUSED = 0, 2, 3, 5
_TYPES = {1: "A", 28: "AAAA"}
_TTL = 1  # seconds: each flush asks again


class Nameserver:
    """A nameserver that answers while its context is entered.

    Args:
      names: host names in lower case, and their IPv4 addresses.
      aaaa: the reaction to questions for IPv6 addresses; may be changed at any time.
      port: the port to listen on; 0 for one that is free.

    Attributes:
      asked: the number of questions, by type of record.
    """

    def __init__(self, names: Mapping[str, str], aaaa: Aaaa = "empty", *, port: int = PORT) -> None:
        self.aaaa: Aaaa = aaaa
        self.asked: collections.Counter[str] = collections.Counter()
        self._names = {name: socket.inet_aton(address) for name, address in names.items()}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind(("127.0.0.1", port))
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        self._stopped = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def resolv_conf(self, folder: pathlib.Path) -> pathlib.Path:
        """Writes a file that names this nameserver and no other. Returns its path."""
        path = folder / "resolv.conf"
        path.write_text("nameserver 127.0.0.1\n")
        return path

    def __enter__(self) -> Nameserver:
        self._thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._stopped = True
        # Wakes the thread up, which close() alone would not.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=10)
        self._socket.close()

    def _run(self) -> None:
        while True:
            try:
                question, sender = self._socket.recvfrom(4096)
            except OSError:
                return
            if self._stopped:
                return
            with contextlib.suppress(ValueError, struct.error, IndexError, OSError):
                if (answer := self._answer(question)) is not None:
                    self._socket.sendto(answer, sender)

    def _answer(self, message: bytes) -> bytes | None:
        """Returns the answer to a question. ValueError, struct.error or IndexError: it is no question."""
        number, flags, questions, *_ = _HEADER.unpack_from(message)
        if flags & _RESPONSE or questions != 1:
            raise ValueError("not one question")
        name, end = _name(message, _HEADER.size)
        kind, _ = struct.unpack_from(">HH", message, end)
        question = message[_HEADER.size : end + 4]
        self.asked[_TYPES.get(kind, str(kind))] += 1
        address = self._names.get(name)
        code, records = _NO_ERROR, b""
        if address is None:
            code = _NXDOMAIN
        elif _TYPES.get(kind) == "A":
            records = struct.pack(">HHHIH", 0xC000 | _HEADER.size, kind, 1, _TTL, len(address)) + address
        elif _TYPES.get(kind) == "AAAA" and self.aaaa != "empty":
            if self.aaaa == "silent":
                return None
            code = _SERVFAIL if self.aaaa == "servfail" else _REFUSED
        answer = _RESPONSE | _RECURSION_AVAILABLE | (flags & _RECURSION_DESIRED) | code
        return _HEADER.pack(number, answer, 1, 1 if records else 0, 0, 0) + question + records


def _name(message: bytes, at: int) -> tuple[str, int]:
    """Returns the name that begins at an offset, in lower case, and the offset of its end."""
    labels = []
    while (length := message[at]) != 0:
        if length > 63:
            raise ValueError("a pointer in a question")
        labels.append(message[at + 1 : at + 1 + length].decode("ascii").lower())
        at += 1 + length
    return ".".join(labels), at + 1
