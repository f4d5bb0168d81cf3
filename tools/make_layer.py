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

from tools import zip_entry


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
        raise ValueError(f"extensions/{name} is no ELF executable: it begins with {executable[:4]!r}")
    with zipfile.ZipFile(output, "w") as archive:
        zip_entry.add(archive, f"extensions/{name}", executable, executable=True)
        for file, text in sorted((scripts or {}).items()):
            zip_entry.add(archive, file, text, executable=True)
        for file, text in sorted((licences or {}).items()):
            zip_entry.add(archive, f"licenses/{name}/{file}", text, executable=False)


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
