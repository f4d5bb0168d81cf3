"""The wheel of `bazel build //python:wheel` installs with pip where nothing else is, and works there."""

from __future__ import annotations

import pathlib
import re
import subprocess
import venv
import zipfile

import pytest

import thaw
from tools import third_party_rules

ROOT = pathlib.Path(__file__).resolve().parents[2]

# The first steps of a user; run far from the checkout.
PROGRAM = """
import pathlib, sys, thaw
assert pathlib.Path(thaw.__file__).is_relative_to(sys.prefix), thaw.__file__
assert pathlib.Path(thaw._native.__file__).is_relative_to(sys.prefix), thaw._native.__file__
assert (pathlib.Path(thaw.__file__).parent / "py.typed").exists()
result = thaw.simulate(cycles=10, close="silent")
print(thaw.__version__, result["delivered"], result["lost"])
"""


@pytest.fixture
def wheel() -> pathlib.Path:
    wheels = list((ROOT / "bazel-bin" / "python").glob("thaw-*.whl"))
    if not wheels:
        pytest.skip("there is no wheel; bazel build //python:wheel makes it, and tools/test runs that first")
    assert len(wheels) == 1
    return wheels[0]


def test_it_has_the_licence_of_each_library_in_it(wheel: pathlib.Path) -> None:
    records = f"thaw-{thaw.__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        notice = archive.read(f"{records}/licenses/NOTICE").decode()
        assert archive.read(f"{records}/licenses/LICENSE").lstrip().startswith(b"Apache License")
        metadata = archive.read(f"{records}/METADATA").decode()
    table = third_party_rules.rows((ROOT / third_party_rules.TABLE).read_text())
    linked = {row.library: row.licence for row in table if "wheel" in row.ships_in}
    assert {"Abseil", "BoringSSL", "pybind11"} < linked.keys() <= third_party_rules.sections(notice).keys()
    expression = re.search(r"^License-Expression: (.+)$", metadata, re.MULTILINE)
    assert expression
    assert set(expression[1].split(" AND ")) == {"Apache-2.0", *linked.values()}


@pytest.mark.slow
def test_it_installs_into_a_clean_environment(wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
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

    run("-m", "pip", "install", "--no-index", "--disable-pip-version-check", wheel)
    assert run("-c", PROGRAM).split() == [thaw.__version__, "20", "0"]
    # The packages that the laboratory needs are named before anything is run.
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
