"""Finds the CPythons of this machine that wheels are made for, with their headers.

    python -m tools.pythons

prints the interpreter of each version that is there, and for each other one why it is left out.
"""

from __future__ import annotations

import argparse
import glob
import os
import pathlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence

# Versions that wheels are made for where the machine has them. The first is that of the tests: always there.
VERSIONS = ("3.11", "3.12", "3.13")

# Places of interpreters that PATH does not name: Debian's, pyenv's, and those of images that make wheels.
_PLACES = (
    "/usr/bin/python{version}",
    "/usr/local/bin/python{version}",
    "~/.pyenv/versions/{version}.*/bin/python{version}",
    "/opt/python/cp{digits}-cp{digits}/bin/python{version}",
)

_CHECK = """
import os, sys, sysconfig
assert sys.implementation.name == "cpython" and "%d.%d" % sys.version_info[:2] == sys.argv[1]
assert os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h"))
print(sys.executable)
"""


def tag(version: str) -> str:
    """Returns what wheels call a version: cp312 for 3.12."""
    return "cp" + version.replace(".", "")


def find(version: str, places: Sequence[str] = _PLACES) -> pathlib.Path | None:
    """Returns an interpreter of that version which has its headers, or None if there is none."""
    for candidate in _candidates(version, places):
        told = subprocess.run([candidate, "-c", _CHECK, version], capture_output=True, text=True, check=False)
        if told.returncode == 0:
            return pathlib.Path(told.stdout.strip())
    return None


def why_not(version: str) -> str:
    """Returns why `find` has found nothing."""
    return f"this machine has no CPython {version} with its headers"


def _candidates(version: str, places: Sequence[str]) -> Iterator[str]:
    if on_path := shutil.which(f"python{version}"):
        yield on_path
    for place in places:
        pattern = os.path.expanduser(place.format(version=version, digits=version.replace(".", "")))
        yield from sorted(glob.glob(pattern), reverse=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tools.pythons",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--bazel", action="store_true", help="print the interpreters beside 3.11, with a colon between them"
    )
    options = parser.parse_args()
    if options.bazel:
        print(":".join(str(python) for version in VERSIONS[1:] if (python := find(version))))
        return
    for version in VERSIONS:
        print(f"{version}  {find(version) or 'left out: ' + why_not(version)}")


if __name__ == "__main__":
    main()
