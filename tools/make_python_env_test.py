"""Bazel's Python environment reads the packages of the checkout's, or has its own where those differ."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from tools import make_python_env


@pytest.fixture
def lock(tmp_path: pathlib.Path) -> pathlib.Path:
    """A lock that has no packages, so that pip finds nothing to do."""
    path = tmp_path / "requirements.lock"
    path.write_text("# nothing\n")
    return path


@pytest.fixture
def checkout(tmp_path: pathlib.Path, lock: pathlib.Path) -> pathlib.Path:
    """An environment as tools/setup makes it, with a package, a program, and the checkout's .pth file."""
    made = tmp_path / "checkout" / ".venv"
    packages = make_python_env.packages_folder(made)
    packages.mkdir(parents=True)
    (packages / "locked.py").write_text("VALUE = 7\n")
    (packages / "thaw-checkout.pth").write_text(f"{tmp_path / 'sources'}\n")
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "undeclared.py").write_text("")
    (made / "bin").mkdir()
    for name in ("ruff", "python", "activate", "pip3"):
        (made / "bin" / name).write_text(f"#!/bin/sh\necho {name} of the checkout\n")
        (made / "bin" / name).chmod(0o755)
    (made / make_python_env.STAMP).write_text(make_python_env.stamp_of(lock, sys.executable) + "\n")
    return made


def run(*command: str | pathlib.Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_packages_are_those_of_the_checkout(
    tmp_path: pathlib.Path, lock: pathlib.Path, checkout: pathlib.Path
) -> None:
    out = tmp_path / "venv"
    told = make_python_env.make(lock, checkout, out, sys.executable)
    assert told == f"packages of {checkout}"
    python = out / "bin" / "python"
    assert run(python, "-c", "import locked, sys; print(locked.VALUE, sys.prefix)").stdout == f"7 {out}\n"
    assert run(out / "bin" / "ruff").stdout == "ruff of the checkout\n"
    assert not (out / "bin" / "pip3").exists()


def test_the_checkouts_sources_are_not_importable(
    tmp_path: pathlib.Path, lock: pathlib.Path, checkout: pathlib.Path
) -> None:
    make_python_env.make(lock, checkout, tmp_path / "venv", sys.executable)
    done = run(tmp_path / "venv" / "bin" / "python", "-c", "import undeclared")
    assert "No module named 'undeclared'" in done.stderr


def test_another_lock_or_python_is_not_taken_for_this_one(lock: pathlib.Path, checkout: pathlib.Path) -> None:
    assert make_python_env.is_made_from(checkout, lock, sys.executable)
    assert not make_python_env.is_made_from(checkout, lock, "/elsewhere/python3.11")
    assert not make_python_env.is_made_from(checkout.parent, lock, sys.executable)
    lock.write_text("# something else\n")
    assert not make_python_env.is_made_from(checkout, lock, sys.executable)


def test_pip_installs_where_the_checkout_has_another_lock(
    tmp_path: pathlib.Path, lock: pathlib.Path, checkout: pathlib.Path
) -> None:
    lock.write_text("# another lock\n")
    assert make_python_env.make(lock, checkout, tmp_path / "venv", sys.executable) == "packages of its own"
    python = tmp_path / "venv" / "bin" / "python"
    assert "No module named 'locked'" in run(python, "-c", "import locked").stderr
    assert run(python, "-m", "pip", "--version").returncode == 0


def test_the_stamp_is_the_one_that_setup_writes() -> None:
    """tools/setup, a shell script, makes the same stamp by itself."""
    setup = (pathlib.Path(__file__).resolve().parent / "setup").read_text()
    assert "stamp=\"$(sha256sum third_party/requirements.lock | cut -d ' ' -f 1) $python\"" in setup
    assert f">.venv/{make_python_env.STAMP}" in setup
