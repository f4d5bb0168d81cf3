"""Which executable the tests of the extension run: bazel-bin's, or the one that THAW_EXTENSION names."""

from __future__ import annotations

import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXTENSION = pathlib.Path(
    os.environ.get("THAW_EXTENSION") or ROOT / "bazel-bin" / "cc" / "extension" / "datadog-agent"
).absolute()

needs_extension = pytest.mark.skipif(
    not EXTENSION.exists(), reason=f"no {EXTENSION.name} at {EXTENSION.parent}; bazel build //cc:extension"
)
