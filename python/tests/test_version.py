"""The file VERSION is the version of the package, the executables, the wheels and the change log."""

from __future__ import annotations

import pathlib
import re
import subprocess

import thaw
from thaw.lab.executables import EXTENSION

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERSION = (ROOT / "VERSION").read_text().strip()


def test_the_file_is_a_version_that_every_reader_understands() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)


def test_the_package_has_it() -> None:
    assert thaw.__version__ == VERSION


def test_the_executable_has_it() -> None:
    told = subprocess.run([EXTENSION, "--version"], capture_output=True, text=True, check=True).stdout
    assert told.split()[:2] == ["thaw", VERSION]


def test_the_change_log_begins_with_it() -> None:
    newest = re.search(r"^## (\S+?),? ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest
    assert newest[1] == VERSION


def test_no_other_file_of_the_build_says_it() -> None:
    told = subprocess.run(
        ["git", "grep", "-l", "-F", f'"{VERSION}"', "--", "*.bazel", "*.bzl", "cc", "python/thaw"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout == ""
