"""The files of a guest without a disk: an initramfs (cpio, newc) with Python and the client of this machine.

    initramfs.client_files(["requests"])            # what a client that imports this opens
    initramfs.pack([*files, "/etc/ld.so.cache"])    # bytes for QEMU's -initrd

Files have the paths that they have here, and so have the symbolic links on the way to them.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import stat
import subprocess
import sys
from collections.abc import Iterable

from thaw.lab.child_environment import child_environment

_LOADER = "/lib64/ld-linux-x86-64.so.2"
_LIMIT = 120.0  # seconds
_MOST_LINKS = 40
_EMPTY_FOLDERS = ("/dev", "/proc", "/sys", "/tmp", "/run")
_TRAILER = "TRAILER!!!"

# A program that imports the named modules and prints the files that this took: sources, their compiled forms,
# data that modules read, and mapped libraries, with the links by which the loader finds them.
_TRACE = """
import importlib, json, os, sys
opened = set()
def note(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, os.PathLike)):
        opened.add(os.path.abspath(os.fspath(arguments[0])))
sys.addaudithook(note)
for name in sys.argv[1:]:
    importlib.import_module(name)
of_the_system = ("/proc/", "/sys/", "/dev/")
found = {each for each in opened if not each.startswith(of_the_system)}
found |= {sys.executable, os.path.join(sys.prefix, "pyvenv.cfg"), os.__file__}
for module in list(sys.modules.values()):
    found.update(filter(None, (getattr(module, "__file__", None), getattr(module, "__cached__", None))))
with open("/proc/self/maps") as maps:
    mapped = {line.split(None, 5)[5].strip() for line in maps if line.count("/")}
found |= mapped
for folder in {os.path.dirname(each) for each in mapped if ".so" in each}:
    for entry in os.scandir(folder):
        if entry.is_symlink() and os.path.realpath(entry.path) in mapped:
            found.add(entry.path)
print(json.dumps(sorted(each for each in found if os.path.isfile(each))))
"""


@functools.cache
def client_files(modules: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the files that Python opens to import these modules. CalledProcessError: an import fails."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _TRACE, *modules],
        env=child_environment(),
        stdout=subprocess.PIPE,
        check=True,
        timeout=_LIMIT,
    )
    return (*json.loads(done.stdout), _LOADER)


def pack(files: Iterable[str], contents: dict[str, bytes] | None = None) -> bytes:
    """Returns an archive of files of this machine, and of `contents` by path. OSError: a file can't be
    read.
    """
    archive = _Archive()
    for folder in _EMPTY_FOLDERS:
        archive.add_folder(folder)
    for path in files:
        archive.add(path)
    for path, content in (contents or {}).items():
        archive.add_parents(path)
        archive.write(path, stat.S_IFREG | 0o644, content)
    return archive.end()


class _Archive:
    """cpio's newc: a header of hexadecimal numbers, a name and a content, each filled up to four bytes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._there: set[str] = {"/"}

    def add(self, path: str) -> None:
        """Adds a file, the folders above it, and symbolic links with what they lead to."""
        real = self.add_parents(path)
        if real in self._there:
            return
        status = os.lstat(real)
        if stat.S_ISLNK(status.st_mode):
            self._add_link(real)
            self.add(os.path.join(os.path.dirname(real), os.readlink(real)))
        else:
            self.write(real, status.st_mode, pathlib.Path(real).read_bytes(), int(status.st_mtime))

    def add_folder(self, path: str) -> None:
        if path not in self._there:
            self.write(path, stat.S_IFDIR | 0o755, b"")

    def add_parents(self, path: str) -> str:
        """Adds what is above a path. Returns the path without symbolic links above its last component."""
        folder, name = os.path.split(os.path.normpath(path))
        for _ in range(_MOST_LINKS):
            link = _first_link(folder)
            if link is None:
                break
            self.add_parents(link)
            self._add_link(link)
            target = os.path.normpath(os.path.join(os.path.dirname(link), os.readlink(link)))
            folder = target + folder[len(link) :]
        parts = pathlib.PurePath(folder).parts
        for count in range(2, len(parts) + 1):
            self.add_folder(os.path.join(*parts[:count]))
        return os.path.join(folder, name)

    def _add_link(self, link: str) -> None:
        if link not in self._there:
            self.write(link, stat.S_IFLNK | 0o777, os.readlink(link).encode())

    def write(self, path: str, mode: int, content: bytes, modified: int = 0) -> None:
        self._there.add(path)
        name = path.lstrip("/").encode() + b"\0"
        number = len(self._there)
        fields = (number, mode, 0, 0, 1, modified, len(content), 0, 0, 0, 0, len(name), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields)
        self._parts += [_filled(head + name), _filled(content)]

    def end(self) -> bytes:
        self.write(_TRAILER, 0, b"")
        return b"".join(self._parts)


def _filled(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _first_link(folder: str) -> str | None:
    """Returns the first symbolic link on the way to a folder, itself included."""
    parts = pathlib.PurePath(folder).parts
    for count in range(2, len(parts) + 1):
        path = os.path.join(*parts[:count])
        if os.path.islink(path):
            return path
    return None
