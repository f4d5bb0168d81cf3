"""Fixtures of every test of the package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from thaw.lab.certificates import Authority

from . import peer

if TYPE_CHECKING:
    import thaw


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def tls_peer(authority: Authority) -> Iterator[peer.Peer]:
    with peer.peer(context=authority.issue_context()) as server:
        yield server


@pytest.fixture
def options(authority: Authority) -> thaw.ClientOptions:
    """Returns options that trust only the test's authority, and have no delay between tries."""
    import thaw  # the first run builds it, after this file has been read (python/conftest.py)

    return thaw.ClientOptions(
        tls_cert_file=str(authority.ca_file), use_public_roots=False, backoff_base=0.0, max_idle_per_host=4
    )


@pytest.fixture
def client(options: thaw.ClientOptions) -> Iterator[thaw.Client]:
    import thaw

    with thaw.Client(options) as made:
        yield made


@pytest.fixture
def closed_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    return 1
