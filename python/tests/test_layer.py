"""The layers, and the executables in them."""

from __future__ import annotations

import dataclasses
import gzip
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

from thaw.lab.emulator import Lambda, functions
from thaw.lab.intake import Intake
from tools import third_party_rules

ROOT = pathlib.Path(__file__).resolve().parents[2]
BAZEL_BIN = ROOT / "bazel-bin"
LAYERS = {"x86_64": BAZEL_BIN / "cc" / "layer.zip", "aarch64": BAZEL_BIN / "cc" / "layer_arm64.zip"}
NAME = "datadog-agent"
MB = 1_000_000

pytestmark = pytest.mark.skipif(
    not all(layer.exists() for layer in LAYERS.values()),
    reason="no layers; bazel build //cc:layer //cc:layer_arm64",
)


@pytest.fixture(params=LAYERS)
def processor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def unpack(processor: str, folder: pathlib.Path) -> pathlib.Path:
    """The executable of a layer, as Lambda would have it in /opt/extensions."""
    with zipfile.ZipFile(LAYERS[processor]) as layer:
        layer.extractall(folder)
    executable = folder / "extensions" / NAME
    executable.chmod(0o755)
    return executable


def runner(processor: str) -> list[str]:
    """Returns the command that runs a program of that processor here."""
    if os.uname().machine == processor:
        return []
    program = shutil.which(f"qemu-{processor}-static")
    if program is None:
        pytest.skip(f"QEMU's user mode for {processor} is not installed")
    return [program]


def test_a_layer_is_one_executable_the_wrapper_and_its_licences(processor: str) -> None:
    with zipfile.ZipFile(LAYERS[processor]) as layer:
        entries = {entry.filename: entry for entry in layer.infolist()}
    executable, wrapper, *licences = entries
    assert executable == f"extensions/{NAME}"
    assert licences == [f"licenses/{NAME}/{file}" for file in ("LICENSE", "NOTICE", "thaw-layer.cdx.json")]
    assert wrapper == "datadog_wrapper"
    assert entries[executable].external_attr >> 16 == 0o100755
    assert entries[wrapper].external_attr >> 16 == 0o100755
    assert {entry.date_time for entry in entries.values()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_licence_of_each_library_is_in_it_for_a_hundredth_of_its_size(processor: str) -> None:
    with zipfile.ZipFile(LAYERS[processor]) as layer:
        notice = layer.read(f"licenses/{NAME}/NOTICE").decode()
        licences = [entry for entry in layer.infolist() if entry.filename.startswith("licenses/")]
    table = (ROOT / third_party_rules.TABLE).read_text()
    linked = {row.library for row in third_party_rules.rows(table) if "layer" in row.ships_in}
    assert {"Abseil", "BoringSSL", "musl"} < linked <= set(third_party_rules.sections(notice))
    assert sum(entry.compress_size for entry in licences) <= LAYERS[processor].stat().st_size / 100


def test_it_needs_nothing_but_the_kernel(processor: str, tmp_path: pathlib.Path) -> None:
    told = subprocess.run(
        ["readelf", "--wide", "--file-header", "--program-headers", unpack(processor, tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "INTERP" not in told
    assert {"x86_64": "X86-64", "aarch64": "AArch64"}[processor] in told


def test_it_is_small(processor: str, tmp_path: pathlib.Path) -> None:
    data = unpack(processor, tmp_path).read_bytes()
    assert len(data) <= 4.4 * MB
    assert len(gzip.compress(data, 9)) <= 2.2 * MB


def test_it_says_what_it_is_and_checks_its_configuration(processor: str, tmp_path: pathlib.Path) -> None:
    command = [*runner(processor), str(unpack(processor, tmp_path))]

    def run(argument: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, argument], capture_output=True, text=True, timeout=60, env=variables)

    assert run("--version").stdout.startswith("thaw ")
    assert run("--check-config", DD_API_KEY="0123456789abcdef").returncode == 0
    wrong = run("--check-config", DD_API_KEY="0123456789abcdef", DD_FLUSH_TIMEOUT="soon")
    assert wrong.returncode == 1
    assert "DD_FLUSH_TIMEOUT" in wrong.stderr


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("site: [", "end of sequence flow not found"),
        ("a: *nowhere", "anchor is not defined"),
        ("a: &b [*b]", "an alias stands within the value that it names"),
        ("{" * 200, "nested more than"),
    ],
)
def test_a_broken_file_is_a_warning_where_only_its_parser_has_exceptions(
    processor: str, tmp_path: pathlib.Path, text: str, why: str
) -> None:
    (tmp_path / "datadog.yaml").write_text(text)
    told = subprocess.run(
        [*runner(processor), str(unpack(processor, tmp_path)), "--check-config"],
        capture_output=True,
        text=True,
        timeout=60,
        env={"LAMBDA_TASK_ROOT": str(tmp_path), "DD_API_KEY": "0123456789abcdef"},
    )
    assert told.returncode == 1
    assert "datadog.yaml is not used at all" in told.stderr
    assert why in told.stderr


async def test_it_serves_a_function(processor: str, tmp_path: pathlib.Path) -> None:
    executable = unpack(processor, tmp_path)
    if program := runner(processor):
        wrapper = tmp_path / NAME
        wrapper.write_text(f'#!/bin/sh\nexec {program[0]} {executable} "$@"\n')
        wrapper.chmod(0o755)
        executable = wrapper
    with Intake() as intake:
        settings = functions.demo_settings()
        mine = {
            **intake.agent_variables,
            "DD_SERVERLESS_FLUSH_STRATEGY": "end",
        }
        settings = dataclasses.replace(settings, environment={**settings.environment, **mine})
        async with Lambda(extension=executable, settings=settings) as sandbox:
            for number in range(3):
                assert (await sandbox.invoke({"number": number})).status == "success"
            end = await sandbox.shutdown("spindown")
        spans = intake.spans()
    assert len(spans) >= 3
    assert set(spans.values()) == {1}
    assert end is not None
    assert end.extensions[0].exit_code == 0


@pytest.mark.slow
def test_the_tests_of_the_extension_hold_for_what_ships(tmp_path: pathlib.Path) -> None:
    executable = unpack(os.uname().machine, tmp_path)
    tests = pathlib.Path(__file__).parent
    may_own_network = subprocess.run(["unshare", "--net", "true"], capture_output=True)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            # Whatever else runs here would reach the ports of the extension.
            *(["--own-network"] if may_own_network.returncode == 0 else []),
            *(str(tests / "test_extension.py"), str(tests / "test_extension_types.py")),
        ],
        env={**os.environ, "THAW_EXTENSION": str(executable)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-5000:]
