"""Builds what the tests of the package need (//cc:extension) before the first run that lacks it.

Later runs use the last build: after a change of C++ the developer runs `bazel build //cc:extension`.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
# The packet size that Linux gives a loopback.
_LOOPBACK_MTU = 65536
BUILT = ("python/thaw/_native.so", "cc/extension/datadog-agent")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--own-network",
        action="store_true",
        help="runs in a network namespace of this process's own, where the ports that tests need are free",
    )


def pytest_configure(config: pytest.Config) -> None:
    _build(config)
    if config.getoption("--own-network"):
        from thaw.lab import own_network

        if (reason := own_network.enter(_LOOPBACK_MTU)) is not None:
            raise pytest.UsageError(f"--own-network: {reason}")


def _build(config: pytest.Config) -> None:
    # A worker of pytest-xdist starts after its controller has run this.
    if hasattr(config, "workerinput") or all((ROOT / "bazel-bin" / path).exists() for path in BUILT):
        return
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    command = [os.environ.get("BAZEL", "bazel"), "build", "//cc:extension"]
    with capture.global_and_fixture_disabled():
        print(f"the native code is not built yet; {' '.join(command)} (about 10 minutes)", flush=True)
        try:
            done = subprocess.run(command, cwd=ROOT, check=False)
        except OSError as error:
            raise pytest.UsageError(f"{command[0]}: {error.strerror}; tools/setup installs it") from None
    if done.returncode:
        raise pytest.UsageError(f"{' '.join(command)} failed; tests of the package need what it makes")
