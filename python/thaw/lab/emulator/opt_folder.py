"""/opt as an environment sees it: with its extensions in /opt/extensions, where libraries look for them.

A tracer tests for the file to know that its agent is there. Only the environment's processes see it: each
gets a mount namespace of its own, with the extensions laid over what the machine has in /opt. That needs
root, and overlayfs.
"""

from __future__ import annotations

import os
import pathlib
import tempfile
from collections.abc import Collection

_OPT = pathlib.Path("/opt")
# Begins the note of an emulated Lambda whose processes do not see their extensions.
NO_OPT_FOLDER = "no /opt/extensions"


class OptFolder:
    """The layer that is laid over /opt.

    Attributes:
      options: the mount options of the overlay.
    """

    def __init__(self, extensions: Collection[pathlib.Path]) -> None:
        self._layer = tempfile.TemporaryDirectory(prefix="thaw-opt-")
        folder = pathlib.Path(self._layer.name, "extensions")
        folder.mkdir()
        os.chmod(self._layer.name, 0o755)
        for extension in extensions:
            (folder / extension.name).symlink_to(extension.resolve())
        self.options = f"lowerdir={self._layer.name}:{_OPT}"

    @staticmethod
    def why_not() -> str | None:
        """Returns the reason why this machine has no overlay, or None if only a trial can tell."""
        if os.geteuid() != 0:
            return "only root may lay the extensions over /opt"
        if not _OPT.is_dir():
            return "this machine has no /opt"
        if "\toverlay\n" not in pathlib.Path("/proc/filesystems").read_text():
            return "the kernel has no overlayfs"
        return None

    def close(self) -> None:
        self._layer.cleanup()
