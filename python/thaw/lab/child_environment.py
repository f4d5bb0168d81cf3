"""The environment of the laboratory's own processes: this package can be imported, no proxy is set."""

from __future__ import annotations

import os
import pathlib

# The folder that has the package `thaw`.
_ROOT = pathlib.Path(__file__).resolve().parents[2]


def child_environment() -> dict[str, str]:
    """Returns this process's variables without proxies and without those of Datadog and AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    kept = {name: value for name, value in kept.items() if not name.startswith(("DD_", "AWS_"))}
    kept["PYTHONPATH"] = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return kept
