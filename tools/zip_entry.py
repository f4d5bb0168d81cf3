"""Entries of zip archives that depend on their content alone: equal inputs give equal bytes."""

from __future__ import annotations

import zipfile

# The earliest time that a zip archive can represent.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def add(archive: zipfile.ZipFile, path: str, content: bytes, *, executable: bool) -> None:
    """Adds a file that everyone may read and, if it is executable, run."""
    entry = zipfile.ZipInfo(path, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # Unix, so that the permissions count
    entry.external_attr = (0o100755 if executable else 0o100644) << 16
    archive.writestr(entry, content, compresslevel=9)
