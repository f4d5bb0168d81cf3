"""The wrapper script of the layer, in each shell of this machine that /bin/sh may be."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

WRAPPER = pathlib.Path(__file__).parents[2] / "wrapper" / "datadog_wrapper"

# Prints the arguments and the environment of the runtime.
RUNTIME = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"

AWKWARD = [
    "",
    "two words",
    "  blanks  ",
    "*",
    "$HOME",
    "`id`",
    "a'b\"c",
    "line\nend",
    "back\\slash",
    "-n",
    "ä",
]


@pytest.fixture(params=["dash", "busybox sh", "bash --posix", "bash"])
def shell(request: pytest.FixtureRequest) -> list[str]:
    name, *options = request.param.split()
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"there is no {name} on this machine")
    return [program, *options]


@pytest.fixture
def layers(tmp_path: pathlib.Path) -> pathlib.Path:
    """The folder that stands for /opt; its name has a blank."""
    folder = tmp_path / "the layers"
    folder.mkdir()
    return folder


def run(
    shell: list[str], layers: pathlib.Path, arguments: list[str], **variables: str
) -> tuple[list[str], dict[str, str], str]:
    """Returns the arguments and the environment that the runtime gets, and the wrapper's output."""
    environment = {"PATH": "/nowhere", "THAW_LAYERS_FOLDER": str(layers), **variables}
    command = [*shell, str(WRAPPER), sys.executable, "-c", RUNTIME, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True)
    argv, seen = json.loads(done.stdout)
    return argv, seen, done.stderr


def run_java(shell: list[str], layers: pathlib.Path, arguments: list[str], **variables: str):
    """The same for a runtime of Java. A program of this name prints what it gets."""
    program = layers / "java program"
    program.write_text(f"#!{sys.executable}\n{RUNTIME}\n")
    program.chmod(0o755)
    environment = {"AWS_EXECUTION_ENV": "AWS_Lambda_java21", "THAW_LAYERS_FOLDER": str(layers), **variables}
    command = [*shell, str(WRAPPER), str(program), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True)
    return json.loads(done.stdout)


def test_arguments_are_passed_on_word_by_word(shell: list[str], layers: pathlib.Path) -> None:
    argv, seen, said = run(shell, layers, AWKWARD, AWS_EXECUTION_ENV="AWS_Lambda_python3.13")
    assert argv == AWKWARD
    assert seen["DD_TRACE_STATS_COMPUTATION_ENABLED"] == "false"
    assert not [name for name in seen if name.startswith("CORECLR") or name == "DD_JMXFETCH_ENABLED"]
    assert said == ""


def test_a_variable_that_the_function_sets_keeps_its_value(shell: list[str], layers: pathlib.Path) -> None:
    _, seen, _ = run(
        shell,
        layers,
        [],
        AWS_EXECUTION_ENV="AWS_Lambda_dotnet8",
        DD_TRACE_STATS_COMPUTATION_ENABLED="a $b 'c'",
        DD_DOTNET_TRACER_HOME="/mine here",
        DD_TRACE_STARTUP_LOGS="",
    )
    assert seen["DD_TRACE_STATS_COMPUTATION_ENABLED"] == "a $b 'c'"
    assert seen["DD_DOTNET_TRACER_HOME"] == "/mine here"
    assert seen["DD_TRACE_STARTUP_LOGS"] == "0"


@pytest.mark.parametrize(
    "file",
    [
        "linux-x64/Datadog.Trace.ClrProfiler.Native.so",
        "linux-arm64/Datadog.Trace.ClrProfiler.Native.so",
        "linux-x64/Datadog.Tracer.Native.so",
        "linux-arm64/Datadog.Tracer.Native.so",
        "Datadog.Trace.ClrProfiler.Native.so",
    ],
)
def test_the_profiler_of_dotnet_is_found(shell: list[str], layers: pathlib.Path, file: str) -> None:
    profiler = layers / "datadog" / file
    profiler.parent.mkdir(parents=True)
    profiler.touch()
    _, seen, _ = run(shell, layers, [], AWS_EXECUTION_ENV="AWS_Lambda_dotnet8")
    assert seen["CORECLR_PROFILER_PATH"] == str(profiler)
    assert seen["CORECLR_PROFILER"] == "{846F5F1C-F9AE-4B07-969E-05C26BC060D8}"
    assert seen["CORECLR_ENABLE_PROFILING"] == "1"
    assert seen["DD_DOTNET_TRACER_HOME"] == str(layers / "datadog")
    assert seen["DD_CIVISIBILITY_ENABLED"] == "0"


def test_the_agent_of_java_is_inserted_and_words_stay_words(shell: list[str], layers: pathlib.Path) -> None:
    jar = layers / "java" / "lib" / "dd-java-agent.jar"
    jar.parent.mkdir(parents=True)
    jar.touch()
    arguments = ["-Xmx100m", "-XX:-TieredCompilation", *AWKWARD]
    argv, seen = run_java(shell, layers, arguments, DD_APPSEC_ENABLED="true")
    assert argv == [f"-javaagent:{jar}", "-XX:TieredStopAtLevel=1", "-Xmx100m", *AWKWARD]
    assert seen["DD_JMXFETCH_ENABLED"] == "false"
    assert seen["DD_RUNTIME_METRICS_ENABLED"] == "false"
    assert seen["DD_REMOTE_CONFIG_ENABLED"] == "false"
    assert seen["DD_APPSEC_ENABLED"] == "true"


def test_java_without_the_agent_is_left_alone(shell: list[str], layers: pathlib.Path) -> None:
    argv, seen = run_java(shell, layers, ["-XX:-TieredCompilation", "x y"])
    assert argv == ["-XX:-TieredCompilation", "x y"]
    assert "DD_JMXFETCH_ENABLED" not in seen


def test_a_firewall_that_is_asked_for_is_said_to_be_missing(shell: list[str], layers: pathlib.Path) -> None:
    _, seen, said = run(shell, layers, [], DD_SERVERLESS_APPSEC_ENABLED="True")
    assert "DD_SERVERLESS_APPSEC_ENABLED is ignored" in said
    # There is no proxy of the Runtime API in the extension: a function sent to one would hang.
    assert "AWS_LAMBDA_RUNTIME_API" not in seen


def test_the_exit_status_is_that_of_the_runtime(shell: list[str], layers: pathlib.Path) -> None:
    command = [*shell, str(WRAPPER), sys.executable, "-c", "import sys; sys.exit(7)"]
    assert subprocess.run(command, env={}, timeout=30, check=False).returncode == 7


def test_the_script_may_be_run_and_asks_for_no_bash() -> None:
    assert os.access(WRAPPER, os.X_OK)
    text = WRAPPER.read_text()
    assert text.startswith("#!/bin/sh\n")
    assert subprocess.run(["/bin/sh", "-n", str(WRAPPER)], check=False).returncode == 0
