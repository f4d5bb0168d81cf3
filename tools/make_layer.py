"""Writes a Lambda layer: a zip archive with extensions/NAME, made to run, the same bytes each time.

make_layer.py --output layer.zip --name datadog-agent bazel-bin/cc/extension/datadog-agent
"""

from __future__ import annotations

import argparse
import pathlib
import zipfile

# The oldest time that a zip archive can say.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_layer(output: pathlib.Path, name: str, executable: bytes) -> None:
    """Raises ValueError for what is no ELF executable: Lambda would only say that init failed."""
    if not executable.startswith(b"\x7fELF"):
        raise ValueError(f"extensions/{name} is to be an ELF executable and begins with {executable[:4]!r}")
    with zipfile.ZipFile(output, "w") as archive:
        entry = zipfile.ZipInfo(f"extensions/{name}", _EPOCH)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.create_system = 3  # Unix, so that the permissions count
        entry.external_attr = 0o100755 << 16
        archive.writestr(entry, executable, compresslevel=9)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--name", required=True, help="the extension's name, which is its file's")
    parser.add_argument("executable", type=pathlib.Path)
    arguments = parser.parse_args()
    write_layer(arguments.output, arguments.name, arguments.executable.read_bytes())


if __name__ == "__main__":
    main()
