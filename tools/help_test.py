"""Help is asked for wherever it stands, and neither installs nor builds anything."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The programs that would install or build; each of them reports that it was called.
FORBIDDEN = ("apt-get", "bazel", "dpkg-query", "npm", "pip", "sudo")


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> pathlib.Path:
    """The tools in a checkout where nothing was set up, and beside it programs that may not be called."""
    made = tmp_path / "checkout"
    shutil.copytree(ROOT / "tools", made / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in FORBIDDEN:
        (programs / name).write_text(f"#!/bin/sh\necho {name} >>{tmp_path / 'called'}\n")
        (programs / name).chmod(0o755)
    (programs / "python3").symlink_to(sys.executable)
    return made


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["x", "--help"], ["--quick", "--all", "-h"]])
@pytest.mark.parametrize(
    "tool", ["benchmarks", "check", "lab", "release", "sanitize", "setup", "test", "tidy"]
)
def test_a_tool_gives_help_where_nothing_is_set_up(
    checkout: pathlib.Path, tool: str, arguments: list[str]
) -> None:
    assert_help([checkout / "tools" / tool, *arguments], checkout)


@pytest.mark.parametrize("command", ["main", "compare", "sweep", "lambda", "chaos", "report"])
def test_the_laboratory_gives_help_on_its_commands(checkout: pathlib.Path, command: str) -> None:
    assert_help([checkout / "tools" / "lab", command, "--cycles=0", "--help"], checkout)


@pytest.mark.parametrize(
    "tool",
    [
        *(
            "checks",
            "compile_commands",
            "lock_python",
            "make_layer",
            "make_python_env",
            "make_release",
            "make_sbom",
            "make_wheel",
        ),
        *("pythons", "run_tests"),
        *("documents.run_benchmarks", "documents.update_readme", "header_examples", "house_rules"),
    ],
)
def test_a_python_tool_gives_help(checkout: pathlib.Path, tool: str) -> None:
    assert_help([sys.executable, "-m", f"tools.{tool}", "--help"], checkout)


def test_help_after_two_dashes_is_for_another_program(checkout: pathlib.Path) -> None:
    text = 'source tools/help.sh; asks_for_help "$@" && echo asked || echo not asked'
    for given, said in ((["a", "--help"], "asked"), (["lambda", "--", "f", "--help"], "not asked")):
        done = subprocess.run(["bash", "-c", text, "-", *given], cwd=checkout, capture_output=True, text=True)
        assert done.stdout.strip() == said


def assert_help(command: list[str | pathlib.Path], checkout: pathlib.Path) -> None:
    done = subprocess.run(
        command,
        cwd=checkout,
        env={"PATH": f"{checkout.parent / 'programs'}:/usr/bin:/bin", "HOME": str(checkout)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "usage: " in done.stdout
    assert not (checkout.parent / "called").exists()
    assert not (checkout / ".venv").exists()
    assert not (checkout / ".bazelrc.user").exists()
