"""A certificate authority made at run time, and leaves on P-256 signed by it."""

from __future__ import annotations

import pathlib
import ssl
from typing import Literal

import trustme

TlsVersionName = Literal["1.2", "1.3"]
_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class Authority:
    """A certificate authority that lives as long as one experiment.

    Args:
      folder: where `ca.pem` (what clients trust), `leaf.pem` and `key.pem` are written.
      names: host names and addresses that the leaf is for.
    """

    def __init__(self, folder: pathlib.Path, names: tuple[str, ...] = ("127.0.0.1", "localhost")) -> None:
        authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        leaf = authority.issue_cert(*names, key_type=trustme.KeyType.ECDSA)
        self.ca_file = folder / "ca.pem"
        self.chain_file = folder / "leaf.pem"
        self.key_file = folder / "key.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        leaf.private_key_pem.write_to_path(self.key_file)
        self.chain_file.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))


def server_context(
    chain_file: str, key_file: str, *, version: TlsVersionName = "1.3", tickets: bool = True
) -> ssl.SSLContext:
    """A server's TLS context of exactly one version. Without tickets nothing can be resumed by a ticket."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain_file, key_file)
    context.minimum_version = context.maximum_version = _VERSIONS[version]
    context.set_alpn_protocols(["http/1.1"])
    if not tickets:
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    return context
