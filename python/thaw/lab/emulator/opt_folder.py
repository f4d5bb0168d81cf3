"""/opt as an environment sees it: with its extensions in /opt/extensions, where libraries look for them.

A tracer tests for the file to know that its agent is there. Only the environment's processes see it: each
gets a mount namespace of its own, with the extensions laid over what the machine has in /opt. That needs
root, and overlayfs.
"""

from __future__ import annotations

import ctypes
import os
import pathlib
import tempfile
from collections.abc import Collection

_CLONE_NEWNS = 0x00020000  # linux/sched.h
_MS_RDONLY, _MS_REC, _MS_PRIVATE = 1, 0x4000, 1 << 18  # linux/mount.h
_OPT = pathlib.Path("/opt")


class OptFolder:
    """The layer that is laid over /opt. `enter` is for a new process, before it becomes a program."""

    def __init__(self, extensions: Collection[pathlib.Path]) -> None:
        self._layer = tempfile.TemporaryDirectory(prefix="thaw-opt-")
        folder = pathlib.Path(self._layer.name, "extensions")
        folder.mkdir()
        os.chmod(self._layer.name, 0o755)
        for extension in extensions:
            (folder / extension.name).symlink_to(extension.resolve())
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._options = f"lowerdir={self._layer.name}:{_OPT}".encode()

    @staticmethod
    def why_not() -> str | None:
        """Why this machine can't do it, or None."""
        if os.geteuid() != 0:
            return "only root may lay the extensions over /opt"
        if not _OPT.is_dir():
            return "this machine has no /opt"
        if "\toverlay\n" not in pathlib.Path("/proc/filesystems").read_text():
            return "the kernel has no overlayfs"
        return None

    def enter(self) -> None:
        """In the new process: from now on it sees the layer. OSError says what is not allowed."""
        self._check(self._libc.unshare(_CLONE_NEWNS), "unshare")
        self._check(self._libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None), "mount /")
        mounted = self._libc.mount(b"overlay", str(_OPT).encode(), b"overlay", _MS_RDONLY, self._options)
        self._check(mounted, f"mount {_OPT}")

    def close(self) -> None:
        self._layer.cleanup()

    def _check(self, answer: int, what: str) -> None:
        if answer != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), what)
