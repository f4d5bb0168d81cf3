"""A loopback of this process's own, with a packet size of one's choice.

    note = enter(mtu=1500)          # before any thread is started and any socket made

Loopback carries 64 KB in one packet, which no network does: a request that is one segment there is several
elsewhere. In a network namespace of its own a process sets the packet size without touching the machine, and
ports that others hold are free. Whatever it starts afterwards lives there, too. Linux only.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterable

_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS, _SIOCGIFMTU, _SIOCSIFMTU = 0x8914, 0x8921, 0x8922
_IFF_UP, _IFF_RUNNING = 0x1, 0x40


def enter(mtu: int) -> str | None:
    """Moves this thread, and what it starts, to a network of its own. Returns None, or why it could not."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        return f"no network of its own: {os.strerror(ctypes.get_errno())}"
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as control:
        fcntl.ioctl(control, _SIOCSIFMTU, struct.pack("16si12x", b"lo", mtu))
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP | _IFF_RUNNING))
    return None


def require_free(ports: Iterable[int]) -> None:
    """Raises ValueError, which names the port, if one of these ports of the loopback is taken."""
    for port in ports:
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise ValueError(
                    f"port {port} of 127.0.0.1 is needed and taken ({error.strerror}); end what listens there"
                ) from error


def mtu() -> int:
    """Returns the loopback's packet size here, in bytes."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as control:
        answer = fcntl.ioctl(control, _SIOCGIFMTU, struct.pack("16si12x", b"lo", 0))
    return int(struct.unpack("16si12x", answer)[1])
