"""Where `bazel build` puts the programs that experiments run, in a checkout."""

from __future__ import annotations

import pathlib

_BIN = pathlib.Path(__file__).resolve().parents[3] / "bazel-bin"

EXTENSION = _BIN / "cc" / "extension" / "datadog-agent"  # //cc:extension
LOAD_GENERATOR = _BIN / "cc" / "agent" / "load_generator"  # //cc/agent:load_generator

# Where the extension listens, since its peers look there: for traces, for tracers' calls, for telemetry.
EXTENSION_PORTS = (8126, 8124, 8999)
