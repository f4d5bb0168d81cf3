"""The wheels of `bazel build //python:wheels_x86_64` install where nothing else is, and work there."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import time
import zipfile

import pytest

import thaw
from tools import lock_python, pythons, third_party_rules

ROOT = pathlib.Path(__file__).resolve().parents[2]

# From `pip install` to the first table, on a machine that does nothing else.
MOST_SECONDS = 60

# The first steps of a user; run far from the checkout.
PROGRAM = """
import pathlib, sys, thaw
assert pathlib.Path(thaw.__file__).is_relative_to(sys.prefix), thaw.__file__
assert pathlib.Path(thaw._native.__file__).is_relative_to(sys.prefix), thaw._native.__file__
assert (pathlib.Path(thaw.__file__).parent / "py.typed").exists()
result = thaw.simulate(cycles=10, close="silent")
print(thaw.__version__, result["delivered"], result["lost"])
"""


@pytest.fixture(params=pythons.VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def wheel(version: str) -> pathlib.Path:
    """The wheel of this machine's processor for a version of CPython."""
    tag = pythons.tag(version)
    pattern = f"thaw_lambda-{thaw.__version__}-{tag}-{tag}-manylinux2014_{os.uname().machine}.*.whl"
    wheels = list((ROOT / "bazel-bin" / "python").glob(pattern))
    if not wheels:
        if pythons.find(version) is None:
            pytest.skip(pythons.why_not(version))
        pytest.skip("there is no wheel; tools/test --step wheels makes it")
    assert len(wheels) == 1
    return wheels[0]


@pytest.fixture
def interpreter(version: str) -> pathlib.Path:
    python = pythons.find(version)
    if python is None:
        pytest.skip(pythons.why_not(version))
    return python


def run(*command: str | pathlib.Path, folder: pathlib.Path, code: int = 0) -> str:
    """Runs a command far from the checkout, and returns what it printed."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    if cache := os.environ.get("PIP_CACHE_DIR"):
        environment["PIP_CACHE_DIR"] = cache
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_it_has_the_licence_of_each_library_in_it(wheel: pathlib.Path) -> None:
    records = f"thaw_lambda-{thaw.__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        notice = archive.read(f"{records}/licenses/NOTICE").decode()
        assert archive.read(f"{records}/licenses/LICENSE").lstrip().startswith(b"Apache License")
        metadata = archive.read(f"{records}/METADATA").decode()
        contents = json.loads(archive.read(f"{records}/sboms/thaw-lambda.cdx.json"))
    table = third_party_rules.rows((ROOT / third_party_rules.TABLE).read_text())
    linked = {row.library: row.licence for row in table if "wheel" in row.ships_in}
    assert {"Abseil", "BoringSSL", "musl", "pybind11"} < linked.keys()
    assert linked.keys() <= third_party_rules.sections(notice).keys()
    assert linked.keys() <= {each["name"] for each in contents["components"]}
    expression = re.search(r"^License-Expression: (.+)$", metadata, re.MULTILINE)
    assert expression
    assert set(expression[1].split(" AND ")) == {"Apache-2.0", *linked.values()}
    assert f"Name: thaw-lambda\nVersion: {thaw.__version__}\n" in metadata


def test_its_module_needs_no_newer_system_than_its_tag_says(
    wheel: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    told = run(sys.executable, "-m", "auditwheel", "show", wheel, folder=tmp_path)
    found = re.search(r'consistent with the following\s+platform\s+tag:\s+"manylinux_2_(\d+)_\w+"', told)
    assert found, told
    assert int(found[1]) <= 17


def test_it_has_the_executable_for_both_processors(wheel: pathlib.Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for processor, machine in (("x86_64", 62), ("aarch64", 183)):
            entry = archive.getinfo(f"thaw/lab/extension/{processor}/datadog-agent")
            head = archive.read(entry)[:20]
            assert (head[:4], int.from_bytes(head[18:20], "little")) == (b"\x7fELF", machine)
            assert entry.external_attr >> 16 == 0o100755


@pytest.mark.slow
def test_it_installs_into_a_clean_environment(
    wheel: pathlib.Path, interpreter: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    run(interpreter, "-m", "venv", tmp_path / "clean", folder=tmp_path)
    python = tmp_path / "clean" / "bin" / "python"
    run(
        *(python, "-m", "pip", "install", "--no-index", "--disable-pip-version-check", wheel),
        folder=tmp_path,
    )
    assert run(python, "-c", PROGRAM, folder=tmp_path).split() == [thaw.__version__, "20", "0"]
    # The packages that the laboratory needs are named before anything is run.
    for command in (["main"], ["compare", "--arms=thaw"]):
        told = run(python.with_name("thaw-lab"), *command, folder=tmp_path, code=2)
        assert "python -m pip install 'thaw-lambda[lab]'" in told
        assert told.count("\n") == 1


@pytest.mark.slow
@pytest.mark.alone
def test_the_laboratory_runs_from_it_without_a_build(
    version: str, wheel: pathlib.Path, interpreter: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """Its dependencies, as they are locked for the version, are fetched before the time counts."""
    run(interpreter, "-m", "venv", tmp_path / "clean", folder=tmp_path)
    python = tmp_path / "clean" / "bin" / "python"
    at_hand = tmp_path / "wheels"
    pip = (python, "-m", "pip", "--disable-pip-version-check")
    locked = ("--no-deps", "--require-hashes", "--requirement", lock_python.lock_file(version))
    run(*pip, "download", "--only-binary=:all:", *locked, "--dest", at_hand, folder=tmp_path)
    begun = time.monotonic()
    # Nothing is fetched any more: the lock has all that the extra asks for.
    run(*pip, "install", "--no-index", "--find-links", at_hand, f"{wheel}[lab]", folder=tmp_path)
    installed = time.monotonic()
    command = ("compare", "--world=W1", "--arms=v93,thaw", "--cycles=5")
    told = run(python.with_name("thaw-lab"), *command, folder=tmp_path)
    shown = time.monotonic()
    assert "delivered" in told
    found = run(
        python,
        "-c",
        "from thaw.lab import executables as e; print(e.extension(str(e.EXTENSION)))",
        folder=tmp_path,
    ).strip()
    assert found.endswith(f"thaw/lab/extension/{os.uname().machine}/datadog-agent")
    assert run(found, "--version", folder=tmp_path).split()[:2] == ["thaw", thaw.__version__]
    print(
        f"CPython {version}: installed in {installed - begun:.0f} s,"
        f" first table {shown - installed:.0f} s later"
    )
    assert shown - begun <= MOST_SECONDS
