"""tools/setup writes Bazel's settings of the machine, and keeps the user's own lines."""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
JOBS = f"build --jobs={len(os.sched_getaffinity(0))}"
PYTHON = f"build --repo_env=WORKSPACE_PYTHON={sys.executable}"

OTHER_PYTHONS = "--repo_env=THAW_WHEEL_PYTHONS="

# Every system package is installed.
DPKG_QUERY = """#!/bin/sh
while [ "$1" = -W ] || [ "$1" = -f ]; do [ "$1" = -W ] && shift || shift 2; done
for package; do echo "$package installed"; done
"""


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> pathlib.Path:
    """A checkout where all is set up but .bazelrc.user."""
    made = tmp_path / "checkout"
    (made / "tools").mkdir(parents=True)
    for name in ("setup", "help.sh", "pythons.py"):
        shutil.copy(ROOT / "tools" / name, made / "tools")
    (made / "third_party").mkdir()
    (made / "third_party" / "requirements.lock").write_text("")
    (made / ".venv").mkdir()
    digest = hashlib.sha256(b"").hexdigest()
    (made / ".venv" / "thaw-stamp").write_text(f"{digest} {sys.executable}\n")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "dpkg-query").write_text(DPKG_QUERY)
    (programs / "dpkg-query").chmod(0o755)
    return made


def set_up(checkout: pathlib.Path) -> str:
    """Runs tools/setup and returns the text of .bazelrc.user."""
    programs = checkout.parent / "programs"
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(checkout), "THAW_PYTHON": sys.executable}
    done = subprocess.run(
        [checkout / "tools" / "setup"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Another test is about further Pythons of this machine.
    lines = (checkout / ".bazelrc.user").read_text().splitlines(keepends=True)
    return "".join(line for line in lines if OTHER_PYTHONS not in line)


def test_the_python_and_as_many_jobs_as_cores_are_written(checkout: pathlib.Path) -> None:
    assert set_up(checkout) == f"{PYTHON}\n{JOBS}\n"
    assert set_up(checkout) == f"{PYTHON}\n{JOBS}\n"


def test_the_users_own_lines_stay(checkout: pathlib.Path) -> None:
    own = "build --jobs=1\ntest --test_output=all\n"
    (checkout / ".bazelrc.user").write_text(f"build --repo_env=WORKSPACE_PYTHON=/elsewhere/python\n{own}")
    assert set_up(checkout) == f"{PYTHON}\n{own}"
    assert set_up(checkout) == f"{PYTHON}\n{own}"


def test_a_file_of_an_older_checkout_gets_the_jobs(checkout: pathlib.Path) -> None:
    (checkout / ".bazelrc.user").write_text(f"{PYTHON}\n")
    assert set_up(checkout) == f"{PYTHON}\n{JOBS}\n"


def test_another_python_with_its_headers_is_written_for_wheels(checkout: pathlib.Path) -> None:
    other = checkout.parent / "programs" / "python3.12"
    other.write_text(f"#!/bin/sh\necho {other}\n")
    other.chmod(0o755)
    for _ in range(2):
        set_up(checkout)
        lines = (checkout / ".bazelrc.user").read_text().splitlines()
        (named,) = (line for line in lines if OTHER_PYTHONS in line)
        assert named.partition(OTHER_PYTHONS)[2].split(":")[0] == str(other)
