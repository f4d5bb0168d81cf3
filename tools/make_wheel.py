"""Writes a wheel (PEP 427): the same bytes from the same files, whenever and wherever it is made.

    make_wheel.py --output thaw_lambda-1.0-cp311-cp311-manylinux2014_x86_64.whl \
        --tag cp311-cp311-manylinux2014_x86_64 --name thaw-lambda --version 1.0 \
        thaw/__init__.py=python/thaw/__init__.py ...

Each file is named by its path in the wheel and the path it is read from. `@FILE` reads further
arguments from a file, one a line.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import itertools
import pathlib
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence

from tools import zip_entry

# The beginning of native modules and executables. Installers give the run bit to files that have it here.
_ELF = b"\x7fELF"


def _digest(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _metadata(
    name: str,
    version: str,
    summary: str,
    python: str,
    extras: Mapping[str, Sequence[str]],
    readme: str,
    licence_expression: str,
    licences: Iterable[str],
) -> str:
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {name}",
        f"Version: {version}",
        f"Summary: {summary}",
        f"Requires-Python: {python}",
    ]
    if licence_expression:
        lines.append(f"License-Expression: {licence_expression}")
    lines += [f"License-File: {file}" for file in sorted(licences)]
    for extra, requirements in sorted(extras.items()):
        lines.append(f"Provides-Extra: {extra}")
        lines += [
            f'Requires-Dist: {requirement} ; extra == "{extra}"' for requirement in sorted(requirements)
        ]
    if readme:
        lines.append("Description-Content-Type: text/markdown")
    return "\n".join(lines) + "\n" + (f"\n{readme}" if readme else "")


def write_wheel(
    output: pathlib.Path,
    files: Mapping[str, bytes],
    *,
    name: str,
    version: str,
    tag: str,
    summary: str = "",
    python: str = ">=3.11",
    extras: Mapping[str, Sequence[str]] | None = None,
    scripts: Mapping[str, str] | None = None,
    readme: str = "",
    licence_expression: str = "",
    licences: Mapping[str, bytes] | None = None,
    sboms: Mapping[str, bytes] | None = None,
) -> None:
    """Writes `files` (path in the wheel to content) and the wheel's own records to `output`.

    `licences` (file name to text) are among the records, as PEP 639 says; the expression is SPDX's. `sboms`
    are, as PEP 770 says. In the output's own name an underscore stands for a hyphen of the distribution's.
    """
    info = f"{re.sub(r'[-_.]+', '_', name).lower()}-{version}.dist-info"
    licences = licences or {}
    contents = dict(files)
    contents |= {f"{info}/licenses/{file}": text for file, text in licences.items()}
    contents |= {f"{info}/sboms/{file}": text for file, text in (sboms or {}).items()}
    contents[f"{info}/METADATA"] = _metadata(
        name, version, summary, python, extras or {}, readme, licence_expression, licences
    ).encode()
    contents[f"{info}/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: thaw make_wheel\nRoot-Is-Purelib: false\n"
        + "".join(f"Tag: {each}\n" for each in expanded_tags(tag))
    ).encode()
    if scripts:
        lines = ["[console_scripts]", *(f"{script} = {target}" for script, target in sorted(scripts.items()))]
        contents[f"{info}/entry_points.txt"] = ("\n".join(lines) + "\n").encode()
    record = [f"{path},{_digest(data)},{len(data)}\n" for path, data in sorted(contents.items())]
    contents[f"{info}/RECORD"] = ("".join(record) + f"{info}/RECORD,,\n").encode()

    # The records come last, as PEP 427 recommends.
    order = sorted(contents, key=lambda path: (path.startswith(info), path))
    with zipfile.ZipFile(output, "w") as archive:
        for path in order:
            zip_entry.add(archive, path, contents[path], executable=contents[path].startswith(_ELF))


def expanded_tags(tag: str) -> list[str]:
    """Returns each tag of a compressed set, such as cp311-cp311-a.b, which stands for two."""
    return ["-".join(parts) for parts in itertools.product(*(part.split(".") for part in tag.split("-")))]


def locked_requirements(requirements_in: str, names: Iterable[str]) -> list[str]:
    """Returns the named packages, each from the version on that this project is tested with."""
    pins = dict(line.split("==", 1) for line in requirements_in.split() if "==" in line)
    return [f"{name}>={pins[name]}" for name in names]


def main() -> None:
    parser = argparse.ArgumentParser(fromfile_prefix_chars="@", description=__doc__)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--tag", required=True)
    parser.add_argument("--summary", default="")
    parser.add_argument("--requires-python", default=">=3.11", metavar="VERSIONS")
    parser.add_argument("--licence-expression", default="")
    parser.add_argument("--licence", action="append", type=pathlib.Path, default=[], metavar="FILE")
    parser.add_argument("--sbom", action="append", type=pathlib.Path, default=[], metavar="FILE")
    parser.add_argument("--readme", type=pathlib.Path)
    parser.add_argument("--requirements", type=pathlib.Path, help="a requirements.in with exact versions")
    parser.add_argument("--extra", action="append", default=[], metavar="EXTRA:PACKAGE")
    parser.add_argument("--script", action="append", default=[], metavar="NAME=MODULE:FUNCTION")
    parser.add_argument("files", nargs="+", metavar="PATH=SOURCE")
    arguments = parser.parse_args()

    pins = arguments.requirements.read_text() if arguments.requirements else ""
    extras: dict[str, list[str]] = {}
    for item in arguments.extra:
        extra, package = item.split(":", 1)
        extras.setdefault(extra, []).extend(locked_requirements(pins, [package]))
    write_wheel(
        arguments.output,
        {
            path: pathlib.Path(source).read_bytes()
            for path, source in (f.split("=", 1) for f in arguments.files)
        },
        name=arguments.name,
        version=arguments.version,
        tag=arguments.tag,
        summary=arguments.summary,
        python=arguments.requires_python,
        extras=extras,
        scripts=dict(item.split("=", 1) for item in arguments.script),
        readme=arguments.readme.read_text() if arguments.readme else "",
        licence_expression=arguments.licence_expression,
        licences={file.name: file.read_bytes() for file in arguments.licence},
        sboms={file.name: file.read_bytes() for file in arguments.sbom},
    )


if __name__ == "__main__":
    main()
