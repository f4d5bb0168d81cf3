"""The executable in the emulated Lambda: a function under the real tracer, frozen after each invocation."""

from __future__ import annotations

import asyncio
import dataclasses
import pathlib
import subprocess

import pytest

from thaw.lab.emulator import Lambda, functions
from thaw.lab.intake import Intake

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXTENSION = ROOT / "bazel-bin" / "cc" / "extension" / "datadog-agent"

pytestmark = pytest.mark.skipif(not EXTENSION.exists(), reason="no bazel-bin/cc/extension/datadog-agent")

INVOCATIONS = 5


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([EXTENSION, *arguments], capture_output=True, text=True, timeout=10, env={})


def test_it_says_what_it_is_and_what_it_needs() -> None:
    assert run("--version").stdout.startswith("thaw ")
    assert "--check-config" in run("--help").stdout
    outside = run()
    assert outside.returncode == 2
    assert len(outside.stderr.splitlines()) == 1
    assert "AWS_LAMBDA_RUNTIME_API" in outside.stderr
    assert run("--loud").returncode == 2


def test_each_span_of_a_frozen_function_arrives_once() -> None:
    async def serve(intake: Intake) -> Lambda:
        settings = functions.demo_settings()
        mine = {
            "DD_API_KEY": "0123456789abcdef",
            "DD_APM_DD_URL": intake.url,
            "DD_TLS_CERT_FILE": str(intake.ca_file),
        }
        settings = dataclasses.replace(settings, environment={**settings.environment, **mine})
        async with Lambda(extension=EXTENSION, settings=settings) as sandbox:
            for number in range(INVOCATIONS):
                invocation = await sandbox.invoke({"number": number})
                assert invocation.status == "success"
            await sandbox.shutdown("spindown")
        return sandbox

    with Intake() as intake:
        sandbox = asyncio.run(serve(intake))
        intake.decode()
        times = intake.spans()
        counts = intake.counts()
    assert len(times) >= INVOCATIONS
    assert set(times.values()) == {1}
    # One connection for each flush, and none left open; a handshake in full only for the first.
    assert counts["accepted"] <= INVOCATIONS + 1
    assert counts["handshakes_full"] == 1
    (end,) = sandbox.shutdowns[-1].extensions
    assert end.exit_code == 0
    assert not end.killed
