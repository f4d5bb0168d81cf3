"""The executable that the tests of the extension run, and what it logs.

The executable is bazel-bin's, or the one that THAW_EXTENSION names.
"""

from __future__ import annotations

import os
import pathlib

import pytest

from thaw.lab import executables

EXTENSION = pathlib.Path(os.environ.get("THAW_EXTENSION") or executables.EXTENSION).absolute()

needs_extension = pytest.mark.skipif(
    not EXTENSION.exists(), reason=f"no {EXTENSION.name} at {EXTENSION.parent}; bazel build //cc:extension"
)


class Lines(list[str]):
    """The lines that the extension writes: given to a Lambda as `on_log`."""

    def __call__(self, source: str, line: str) -> None:
        if source == "extension":
            self.append(line)

    def assert_readable(self) -> None:
        """Asserts that there are lines, in the extension's own format and of printable characters."""
        assert self
        for line in self:
            assert line.startswith("THAW | "), self
            assert line.isprintable(), self
