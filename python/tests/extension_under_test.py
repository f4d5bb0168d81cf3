"""Which executable the tests of the extension run: bazel-bin's, or the one that THAW_EXTENSION names."""

from __future__ import annotations

import os
import pathlib

import pytest

from thaw.lab import executables

EXTENSION = pathlib.Path(os.environ.get("THAW_EXTENSION") or executables.EXTENSION).absolute()

needs_extension = pytest.mark.skipif(
    not EXTENSION.exists(), reason=f"no {EXTENSION.name} at {EXTENSION.parent}; bazel build //cc:extension"
)
