"""The processor time that OpenSSL's server takes on this machine: for handshakes, and for an exchange.

costs = measured_here()     # in a second or two
"""

from __future__ import annotations

import dataclasses
import ssl
import statistics
import time
from collections.abc import Callable
from typing import Any

import trustme

from thaw.lab.fleet.costs import DEFAULT, Costs
from thaw.lab.provenance import cpu_model

_HOST = "intake.example"
_ROUNDS = 60
_REQUEST, _ANSWER = bytes(4096 + 300), bytes(200)


def measured_here() -> Costs:
    """Returns the default costs with those at the intake measured on this machine."""
    ends = _Ends()
    full = _median(lambda: ends.handshake(None)[0])
    session = ends.session()
    resumed = _median(lambda: ends.handshake(session)[0])
    exchange = _median(ends.exchange)
    return dataclasses.replace(
        DEFAULT,
        full=full,
        resumed=resumed,
        exchange=exchange,
        source=f"the intake's measured on {cpu_model()}, {ssl.OPENSSL_VERSION}, certificate RSA 2048;"
        " the client's as by default",
    )


def _median(measure: Callable[[], float]) -> float:
    measure()
    return statistics.median(measure() for _ in range(_ROUNDS)) * 1e3


class _Ends:
    """A client and a server of TLS that are joined in memory; the server's processor time is taken."""

    def __init__(self) -> None:
        authority = trustme.CA(key_type=trustme.KeyType.RSA)
        issued = authority.issue_cert(_HOST, key_type=trustme.KeyType.RSA)
        self._server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(self._server)
        self._client = ssl.create_default_context()
        authority.configure_trust(self._client)

    def handshake(self, session: ssl.SSLSession | None) -> tuple[float, ssl.SSLObject, ssl.SSLObject]:
        """Makes a handshake. Returns the server's seconds, and both ends."""
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = self._client.wrap_bio(to_client, to_server, server_hostname=_HOST, session=session)
        server = self._server.wrap_bio(to_server, to_client, server_side=True)
        took = 0.0
        ready = {client: False, server: False}
        while not all(ready.values()):
            for end in ready:
                begun = time.thread_time()
                ready[end] = ready[end] or _step(end.do_handshake)
                took += time.thread_time() - begun if end is server else 0.0
        if session is not None and not server.session_reused:
            raise RuntimeError("a TLS session was not resumed")
        return took, client, server

    def session(self) -> ssl.SSLSession:
        """Makes a connection, over which a ticket comes. Returns the session that it resumes."""
        _, client, server = self.handshake(None)
        server.write(b"x")
        client.read(1)
        assert client.session is not None
        return client.session

    def exchange(self) -> float:
        """Returns the server's seconds for a request and its answer."""
        _, client, server = self.handshake(None)
        client.write(_REQUEST)
        begun = time.thread_time()
        left = len(_REQUEST)
        while left:
            left -= len(server.read(left))
        server.write(_ANSWER)
        return time.thread_time() - begun


def _step(handshake: Callable[[], Any]) -> bool:
    try:
        handshake()
    except ssl.SSLWantReadError:
        return False
    return True
