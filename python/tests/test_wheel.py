"""The wheel of `bazel build //python:wheel` installs with pip where nothing else is, and works there."""

from __future__ import annotations

import pathlib
import subprocess
import venv

import pytest

import thaw

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What a user does first; run far from the checkout.
PROGRAM = """
import pathlib, sys, thaw
assert pathlib.Path(thaw.__file__).is_relative_to(sys.prefix), thaw.__file__
assert pathlib.Path(thaw._native.__file__).is_relative_to(sys.prefix), thaw._native.__file__
assert (pathlib.Path(thaw.__file__).parent / "py.typed").exists()
result = thaw.simulate(cycles=10, close="silent")
print(thaw.__version__, result["delivered"], result["lost"])
"""


@pytest.mark.slow
def test_it_installs_into_a_clean_environment(tmp_path: pathlib.Path) -> None:
    wheels = list((ROOT / "bazel-bin" / "python").glob("thaw-*.whl"))
    if not wheels:
        pytest.skip("there is no wheel; bazel build //python:wheel makes it, and tools/test runs that first")
    clean = tmp_path / "clean"
    venv.create(clean, with_pip=True)
    python = clean / "bin" / "python"
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}

    def run(*command: str | pathlib.Path) -> str:
        done = subprocess.run(
            [python, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert len(wheels) == 1
    run("-m", "pip", "install", "--no-index", "--disable-pip-version-check", wheels[0])
    assert run("-c", PROGRAM).split() == [thaw.__version__, "20", "0"]
    # What the laboratory needs beside it is said, before anything is run.
    for command in (["main"], ["compare", "--arms=thaw"]):
        done = subprocess.run(
            [clean / "bin" / "thaw-lab", *command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert "python -m pip install 'thaw[lab]'" in done.stderr
        assert done.stderr.count("\n") == 1
