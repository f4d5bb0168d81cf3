"""The certificate authority of experiments, benchmarks and tests, and server contexts with its leaves.

    authority = Authority(folder)
    server_context(str(authority.chain_file), str(authority.key_file), version="1.3")
    authority.issue_context("other.example")        # with a leaf of its own

Clients that trust `authority.ca_file` trust all of them.
"""

from __future__ import annotations

import datetime
import pathlib
import ssl
from typing import Literal

TlsVersionName = Literal["1.2", "1.3"]
_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class Authority:
    """A certificate authority on P-256 that is made at run time, and one leaf that it has signed.

    Args:
      folder: the folder for `ca.pem`, which clients trust, `leaf.pem` and `key.pem`.
      names: host names and addresses that the leaf is for.
    """

    def __init__(self, folder: pathlib.Path, names: tuple[str, ...] = ("127.0.0.1", "localhost")) -> None:
        import trustme  # not above: it takes a third of a second, which commands without TLS would wait for

        self._ca = trustme.CA(key_type=trustme.KeyType.ECDSA)
        leaf = self._ca.issue_cert(*names, key_type=trustme.KeyType.ECDSA)
        self.ca_file = folder / "ca.pem"
        self.chain_file = folder / "leaf.pem"
        self.key_file = folder / "key.pem"
        self._ca.cert_pem.write_to_path(self.ca_file)
        leaf.private_key_pem.write_to_path(self.key_file)
        self.chain_file.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))

    def issue_context(
        self, name: str = "127.0.0.1", *, not_after: datetime.datetime | None = None
    ) -> ssl.SSLContext:
        """Returns a server's TLS context of any version with a new leaf, for the host name or address
        `name`.
        """
        import trustme

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf = self._ca.issue_cert(name, not_after=not_after, key_type=trustme.KeyType.ECDSA)
        leaf.configure_cert(context)
        return context


def server_context(
    chain_file: str,
    key_file: str,
    *,
    version: TlsVersionName = "1.3",
    tickets: bool = True,
    http2: bool = False,
) -> ssl.SSLContext:
    """Returns a server's TLS context of exactly one version. Without tickets nothing can be resumed by a
    ticket.

    `http2`: a client that offers HTTP/2 gets it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain_file, key_file)
    context.minimum_version = context.maximum_version = _VERSIONS[version]
    # The client's choice: one that offers h2 gets it, as from most intakes.
    context.set_alpn_protocols(["h2", "http/1.1"] if http2 else ["http/1.1"])
    if not tickets:
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    return context
