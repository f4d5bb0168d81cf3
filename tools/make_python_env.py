"""Makes the virtual environment of Bazel's Python programs and tests, from the lock of packages.

    python tools/make_python_env.py --lock third_party/requirements.lock --checkout .venv --out venv

Packages are installed once: if the checkout's own environment was made from this lock and this Python
(tools/setup writes so into its stamp), the new one reads the packages there. Otherwise pip installs them
here.
"""

from __future__ import annotations

import argparse
import hashlib
import pathlib
import subprocess
import sys
import venv

PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:")
# Python compiles modules as it imports them; most modules of the packages are never imported.
PIP_OPTIONS = ("--no-compile", "--require-hashes")
STAMP = "thaw-stamp"
# The beginnings of programs' names that each environment has of its own.
_OWN_PROGRAMS = ("python", "pip", "activate", "Activate")


def stamp_of(lock: pathlib.Path, python: str) -> str:
    """Returns the stamp of an environment that is made from this lock by this Python."""
    return f"{hashlib.sha256(lock.read_bytes()).hexdigest()} {python}"


def packages_folder(environment: pathlib.Path) -> pathlib.Path:
    return environment / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


def is_made_from(environment: pathlib.Path, lock: pathlib.Path, python: str) -> bool:
    try:
        stamp = (environment / STAMP).read_text().strip()
    except OSError:
        return False
    return stamp == stamp_of(lock, python) and packages_folder(environment).is_dir()


def read_packages_of(checkout: pathlib.Path, out: pathlib.Path) -> None:
    """Lets the environment `out` import the packages of another, and start their programs.

    The folder is added by a line of a .pth file, so that Python ignores the .pth files in it: that of the
    checkout's own package would hide a dependency that a target lacks.
    """
    (packages_folder(out) / "packages-of-checkout.pth").write_text(f"{packages_folder(checkout)}\n")
    for program in sorted((checkout / "bin").iterdir()):
        if program.is_file() and not program.name.startswith(_OWN_PROGRAMS):
            (out / "bin" / program.name).symlink_to(program)


def make(lock: pathlib.Path, checkout: pathlib.Path, out: pathlib.Path, python: str) -> str:
    """Makes the environment and returns in one line where its packages are."""
    if is_made_from(checkout, lock, python):
        venv.create(out, symlinks=True)
        read_packages_of(checkout, out)
        return f"packages of {checkout}"
    venv.create(out, symlinks=True, with_pip=True)
    subprocess.run([out / "bin" / "python", *PIP, *PIP_OPTIONS, "--requirement", lock], check=True)
    return "packages of its own"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python tools/make_python_env.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--lock", type=pathlib.Path, required=True, metavar="FILE", help="the lock, with hashes"
    )
    parser.add_argument(
        "--checkout", type=pathlib.Path, required=True, metavar="FOLDER", help="tools/setup's environment"
    )
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FOLDER", help="what is made")
    parser.add_argument("--python", default=sys.executable, help="as the stamp names it (default: this one)")
    given = parser.parse_args()
    print(make(given.lock, given.checkout.absolute(), given.out, given.python))
    return 0


if __name__ == "__main__":
    sys.exit(main())
