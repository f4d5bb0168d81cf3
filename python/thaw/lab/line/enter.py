"""Runs a command at one end of a line, or measures the line. A program by itself, so that it starts at once.

    python -I -S enter.py run USER_NAMESPACE NETWORK_NAMESPACE LASTING COMMAND...
    python -I -S enter.py measure USER_NAMESPACE CLIENT PEER PEER_ADDRESS CONNECTIONS EXCHANGES
    python -I -S enter.py carry USER_NAMESPACE CLIENT PEER PEER_ADDRESS MEGABYTES

Namespaces are paths of /proc. The command replaces this process, so its process id is the one that was
started. With LASTING `no` the kernel kills it when the thread that started it ends; with `yes` it does not.
`measure` writes JSON: the seconds that connections and exchanges of one byte took, and the congestion
control; `carry` writes the seconds that the megabytes took to the peer. Nothing here needs more than the
standard library.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import sys
import threading
import time

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG = 1
_LIMIT = 30.0


def enter(path: str, kind: int) -> None:
    """Enters a namespace; a user namespace that this process is in already is left as it is."""
    own = {_CLONE_NEWUSER: "/proc/self/ns/user", _CLONE_NEWNET: "/proc/self/ns/net"}[kind]
    with open(path, "rb") as namespace, open(own, "rb") as mine:
        if os.fstat(namespace.fileno()).st_ino == os.fstat(mine.fileno()).st_ino:
            return
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), kind) != 0:
            sys.exit(f"{path} can't be entered: {os.strerror(ctypes.get_errno())}")


def run(user: str, network: str, lasting: str, *command: str) -> None:
    enter(user, _CLONE_NEWUSER)
    enter(network, _CLONE_NEWNET)
    if lasting == "no":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]} can't be run: {error.strerror}")


def _listen(user: str, client: str, peer: str, peer_address: str) -> socket.socket:
    """Returns a listener at the peer's end; this process is at the client's end afterwards. A socket stays in
    the namespace in which it was made, so one process has both ends of a connection.
    """
    enter(user, _CLONE_NEWUSER)
    enter(peer, _CLONE_NEWNET)
    listener = socket.create_server((peer_address, 0))
    listener.settimeout(_LIMIT)
    enter(client, _CLONE_NEWNET)
    return listener


def measure(user: str, client: str, peer: str, peer_address: str, count: str, exchanges_each: str) -> None:
    listener = _listen(user, client, peer, peer_address)
    connects, exchanges, used = [], [], ""
    for _ in range(int(count)):
        begun = time.monotonic()
        near = socket.create_connection(listener.getsockname(), timeout=_LIMIT)
        connects.append(time.monotonic() - begun)
        far, _ = listener.accept()
        for each in (near, far):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            each.settimeout(_LIMIT)
        for _ in range(int(exchanges_each)):
            begun = time.monotonic()
            near.sendall(b"?")
            far.recv(1)
            far.sendall(b"!")
            near.recv(1)
            exchanges.append(time.monotonic() - begun)
        used = near.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()
        near.close()
        far.close()
    print(json.dumps({"connects": connects, "exchanges": exchanges, "congestion_control": used}))


def carry(user: str, client: str, peer: str, peer_address: str, megabytes: str) -> None:
    listener = _listen(user, client, peer, peer_address)
    near = socket.create_connection(listener.getsockname(), timeout=_LIMIT)
    far, _ = listener.accept()
    chunk = bytes(1_000_000)

    def send() -> None:
        for _ in range(int(megabytes)):
            near.sendall(chunk)
        near.shutdown(socket.SHUT_WR)

    begun = time.monotonic()
    sender = threading.Thread(target=send)
    sender.start()
    buffer = bytearray(1 << 20)
    while far.recv_into(buffer):
        pass
    sender.join()
    print(json.dumps(time.monotonic() - begun))


def main() -> None:
    name, *rest = sys.argv[1:]
    if name == "run":
        run(*rest)
    elif name == "measure":
        measure(*rest)
    else:
        carry(*rest)


if __name__ == "__main__":
    main()
