"""Fixtures of every test of the package."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from thaw.lab.certificates import Authority
from thaw.lab.intake import Intake
from thaw.lab.intake.script import Script

from . import peer, quick_load

if TYPE_CHECKING:
    import thaw


# Makes the intake of a test.
BeginIntake = Callable[[Script | None], Intake]


@pytest.fixture(scope="session", autouse=True)
def _quick_load() -> None:
    quick_load.shorten()


@pytest.fixture(scope="session")
def begin_intake() -> Iterator[BeginIntake]:
    """Returns an intake that follows the script, or none, and has counted nothing.

    One process serves one test after another, since its start takes as long as many a test.
    """
    with Intake() as intake:

        def begin(script: Script | None) -> Intake:
            intake.hold(None)
            intake.script(Script() if script is None else script)
            intake.begin_anew()
            return intake

        yield begin


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
