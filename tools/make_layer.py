"""Writes a Lambda layer, a zip archive with the executable extensions/NAME; equal inputs give equal bytes.

    make_layer.py --output layer.zip --name datadog-agent --script datadog_wrapper EXECUTABLE

Lambda unpacks it into /opt and starts each file of /opt/extensions. Scripts lie in /opt itself, where
AWS_LAMBDA_EXEC_WRAPPER names them. Licences lie in licenses/NAME, which Lambda ignores.
"""

from __future__ import annotations

import argparse
import pathlib
import zipfile
from collections.abc import Mapping

# The oldest time that a zip archive can say.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_layer(
    output: pathlib.Path,
    name: str,
    executable: bytes,
    licences: Mapping[str, bytes] | None = None,
    scripts: Mapping[str, bytes] | None = None,
) -> None:
    """Writes the layer; `licences` and `scripts` are texts by the name of their files.

    Raises ValueError if the file is no ELF executable: Lambda would only say that init failed.
    """
    if not executable.startswith(b"\x7fELF"):
        raise ValueError(f"extensions/{name} is to be an ELF executable and begins with {executable[:4]!r}")
    with zipfile.ZipFile(output, "w") as archive:
        _add(archive, f"extensions/{name}", executable, 0o100755)
        for file, text in sorted((scripts or {}).items()):
            _add(archive, file, text, 0o100755)
        for file, text in sorted((licences or {}).items()):
            _add(archive, f"licenses/{name}/{file}", text, 0o100644)


def _add(archive: zipfile.ZipFile, path: str, content: bytes, mode: int) -> None:
    entry = zipfile.ZipInfo(path, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # Unix, so that the permissions count
    entry.external_attr = mode << 16
    archive.writestr(entry, content, compresslevel=9)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--name", required=True, help="the extension's name, which is its file's")
    parser.add_argument("--licence", action="append", type=pathlib.Path, default=[], metavar="FILE")
    parser.add_argument("--script", action="append", type=pathlib.Path, default=[], metavar="FILE")
    parser.add_argument("executable", type=pathlib.Path)
    arguments = parser.parse_args()
    licences = {file.name: file.read_bytes() for file in arguments.licence}
    scripts = {file.name: file.read_bytes() for file in arguments.script}
    write_layer(arguments.output, arguments.name, arguments.executable.read_bytes(), licences, scripts)


if __name__ == "__main__":
    main()
