"""What a handshake and an exchange cost: defaults, measurements of this machine, and a sweep's results.

costs = DEFAULT                                     # measured once, see there
costs = measured_here()                             # the intake's side, in a second or two
costs = costs.with_client(pathlib.Path("answer-results"))
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import ssl
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import trustme

from thaw.lab.answer import parts
from thaw.lab.answer.model import Model
from thaw.lab.provenance import cpu_model

_HOST = "intake.example"
_ROUNDS = 60
_REQUEST, _ANSWER = bytes(4096 + 300), bytes(200)


@dataclass(frozen=True)
class Costs:
    """Milliseconds of one processor for each event.

    Attributes:
      full, resumed: TLS 1.3 handshakes at the intake.
      exchange: reading a request of 4 KB and writing an answer at the intake, TLS alone.
      client_full, client_resumed, client_exchange: the same at the client, with all that it does for them.
      source: where the figures are from.
    """

    full: float
    resumed: float
    exchange: float
    client_full: float
    client_resumed: float
    client_exchange: float
    source: str

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name != "source" and not 0 <= value < 1e6:
                raise ValueError(f"the cost {field.name} is {value}, not milliseconds")

    def with_client(self, results: pathlib.Path) -> Costs:
        """The same at the intake, and the client's costs from the folder of results of `thaw.lab answer`.

        MeasureError, LookupError: it has no calibration.
        """
        found = Model.calibrated(parts.cells(results, "calibration")).processor
        return dataclasses.replace(
            self,
            client_full=max(0.0, found.full),
            client_resumed=max(0.0, found.resumed),
            client_exchange=max(0.0, found.request),
            source=f"{self.source}; the client's from the sweep calibration in {results.name}",
        )


# Figures of one machine; `measured_here` and `Costs.with_client` replace them.
DEFAULT = Costs(
    full=1.54,
    resumed=0.48,
    exchange=0.018,
    client_full=1.21,
    client_resumed=0.86,
    client_exchange=0.27,
    source="the defaults: a virtual AMD EPYC processor; at the intake OpenSSL 3.0 with a certificate of RSA"
    " 2048,"
    " by `fleet --measure-costs`; at the client thaw's, by the sweep `calibration` of `thaw.lab answer`",
)


def read(path: pathlib.Path) -> Costs:
    """Reads the costs of an earlier run from its result.json. ValueError: the file has none."""
    try:
        return Costs(**json.loads(path.read_text())["settings"]["costs"])
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} has no costs of a fleet: {error}") from None


def measured_here() -> Costs:
    """The default costs with those at the intake measured on this machine."""
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
