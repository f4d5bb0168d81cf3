"""The receive window of the intake's connections: small while a body is to be held, else Linux's own.

A body that is held must not fit into the kernel's buffers, so connections that are opened then have a small
one. All others keep the window that Linux enlarges as data come, as a real intake's does.

Setting SO_RCVBUF locks the size of a socket's buffer, and of those of the connections that it accepts later.
SO_BUF_LOCK takes the lock away again.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterable

_SMALL_WINDOW_BYTES = 4096  # the receive buffer
_SMALL_SEGMENT_BYTES = 536  # the segment size: a sender's first send buffer is a multiple of it
_SO_BUF_LOCK = 72  # of Linux from 5.15 on, which the module `socket` does not name


class ReceiveWindow:
    """Sets the window that a listener gives to connections. They get their window scale and segment size when
    they are opened: one that was opened while the window was small has at most 64 KiB afterwards.
    """

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._plain = listener.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
        self._small = False
        self._was_small = False

    def shrink(self) -> None:
        """Gives a small window to connections that are opened from now on."""
        self._small = self._was_small = True
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_WINDOW_BYTES)
        self._set_segment(_SMALL_SEGMENT_BYTES)

    def restore(self, connections: Iterable[socket.socket]) -> None:
        """Gives Linux's own window to connections that are opened from now on, and enlarges that of these."""
        if not self._small:
            return
        self._small = False
        self._set_segment(0)
        for each in (self._listener, *connections):
            self._enlarge(each)

    def adopt(self, accepted: socket.socket) -> None:
        """Enlarges the window of a connection that was opened while the window was small, and is accepted
        afterwards.
        """
        if self._was_small and not self._small:
            self._enlarge(accepted)

    def _enlarge(self, sock: socket.socket) -> None:
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) < 2 * self._plain:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._plain)
        try:
            sock.setsockopt(socket.SOL_SOCKET, _SO_BUF_LOCK, 0)
        except OSError as error:
            if error.errno != errno.ENOPROTOOPT:  # an older Linux, where the window stays at its first size
                raise

    def _set_segment(self, size: int) -> None:
        with contextlib.suppress(OSError):
            self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, size)
